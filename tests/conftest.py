"""Settings of all tests."""

import gc
import io
import os
import random
import sys

# The arrays of the tests are small: threads would mostly wait for one another. NumPy reads this
# when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# No test may depend on what the hub holds. huggingface_hub reads this when it is imported.
os.environ["HF_HUB_OFFLINE"] = "1"

import pytest
from hypothesis import HealthCheck, Phase, settings

from minirobert import cli

pytest_plugins = ["tests.missing"]
collect_ignore = ["typing/usage.py"]  # which is read by type checkers, and never run

try:
    import torch
except ModuleNotFoundError:  # a quick run: what compares with it is skipped
    pass
else:
    torch.set_num_threads(1)

# What is imported and collected stays until the end: the garbage collector need not look through
# all of torch and of the tests again and again.
gc.disable()

# The first example of a test loads torch and transformers, so time limits would only be noise.
settings.register_profile(
    "default",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=2000)
# The same examples in every run: a change is judged by what it does, not by the luck of the draw.
settings.register_profile("ci", settings.get_profile("default"), derandomize=True)
# A fault that is looked for on purpose (mutants.py) need not be made small.
settings.register_profile(
    "mutants", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if "CI" in os.environ else "default")
)


def _cuda_devices() -> int:
    try:
        import cupy

        return int(cupy.cuda.runtime.getDeviceCount())
    except Exception:  # no CuPy, no driver, no device: each raises its own
        return 0


def pytest_collection_finish():
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Let a worker that has nothing left take tests of another: some take ten seconds."""
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_collection_modifyitems(config, items):
    gpu = [item for item in items if item.get_closest_marker("gpu")]
    if gpu and not _cuda_devices():
        for item in gpu:
            item.add_marker(pytest.mark.skip(reason="no CUDA device on this machine"))


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    """Draw fewer examples on a library that has NumPy's numbers, and checks how it is called."""
    test = pyfuncitem.obj
    own = getattr(test, "_hypothesis_internal_use_settings", None)
    if own is None or not pyfuncitem.get_closest_marker("few"):
        return (yield)
    test._hypothesis_internal_use_settings = settings(own, max_examples=-(-own.max_examples // 4))
    try:
        return (yield)
    finally:
        test._hypothesis_internal_use_settings = own


# Fuzzers and their like, in tests/robustness


def pytest_addoption(parser):
    group = parser.getgroup("minirobert", "fuzzers")
    group.addoption("--times", type=int, default=1, help="draw so many times as many cases")
    group.addoption("--draw-seed", type=int, default=0, help="draw other cases")


@pytest.fixture
def times(request):
    """How many times as many cases a fuzzer should draw as in a short run."""
    return request.config.getoption("--times")


@pytest.fixture
def draw(request):
    """Give a random generator of the test's own."""
    return random.Random(f"{request.config.getoption('--draw-seed')}:{request.node.nodeid}")


# The command line, in this process


@pytest.fixture
def run(capsys):
    """Run a command in this process, giving its exit code and what it wrote."""

    def run(*arguments):
        try:
            code = cli.main(arguments)
        except SystemExit as stop:  # argparse
            code = stop.code
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def run_well(run):
    """Run a command that must succeed without a word on stderr, giving its output."""

    def run_well(*arguments):
        code, output, errors = run(*arguments)
        assert (code, errors) == (0, "")
        return output

    return run_well


@pytest.fixture
def stdin(monkeypatch):
    def stdin(content):
        if isinstance(content, str):
            content = content.encode()
        # As Python opens it on a system that ends its lines with a line feed.
        stream = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="\n")
        monkeypatch.setattr(sys, "stdin", stream)

    return stdin
