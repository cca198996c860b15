"""The order of the house: imports point one way, and importing costs little."""

import ast

import pytest

from minirobert.moved import MOVED
from tests.processes import fresh_python
from tests.sources import imported, parsed, source_files, top_level

TOP_LEVEL = {
    "words": ["sentences", "warning", "marking"],
    "signals": ["interrupts"],
    "ground": [
        *("arrays", "checks", "rules", "keywords", "observe", "config", "config_fields"),
        *(
            "config_file",
            "class_names",
            "model_output",
            "documentation",
            "torch_callers",
            "memory",
            "threads",
        ),
    ],
    "heart": [
        *(
            "functional",
            "dropout",
            "embeddings",
            "attention",
            "cache",
            "encoder",
            "heads",
            "losses",
        ),
        *("parameters", "intermediates", "tensor_names"),
    ],
    "looking": ["looking"],
    "house": ["__init__", "__main__", "moved"],
}
FOLDERS = [
    *("files", "kernels", "checkpoints", "tokenization", "generation", "models", "pipelines"),
    *("plots", "numerics", "benchmarks", "cli"),
]
#: A wing may import itself, words, and those that stand here.
MAY_IMPORT = {
    "files": set(),
    "ground": {"files"},
    "heart": {"ground"},
    "kernels": {"ground", "heart"},
    "checkpoints": {"files", "ground", "heart"},
    "tokenization": {"files", "ground"},
    "generation": {"files", "ground", "heart"},
    "models": {"files", "ground", "heart", "checkpoints", "tokenization", "generation"},
    "pipelines": {"files", "ground", "heart", "tokenization", "generation", "models"},
    "looking": {"ground", "heart", "models"},
    "plots": {"files", "ground", "heart", "tokenization", "models", "looking"},
    "numerics": {
        *("files", "ground", "heart", "checkpoints", "tokenization", "generation", "models"),
        "plots",
    },
    "benchmarks": {"ground", "heart", "kernels", "models"},
    "cli": {
        *("files", "ground", "heart", "checkpoints", "tokenization", "models", "pipelines"),
        *("numerics", "plots", "benchmarks", "signals"),
    },
}


def wing(module):
    """Tell where a module or folder at the top of the package belongs."""
    if module in FOLDERS:
        return module
    for name, modules in TOP_LEVEL.items():
        if module in modules:
            return name
    raise LookupError(f"{module} stands in no wing: give it a place in TOP_LEVEL or FOLDERS")


def imported_rooms(parts, path):
    """Name the modules or folders at the top of the package that a file imports."""
    for name in imported(parsed(path), parts):
        package, _, rest = name.partition(".")
        if package == "minirobert" and rest:
            yield rest.partition(".")[0]


def test_imports_point_one_way():
    for parts, path in source_files():
        own = wing(parts[0])
        if own == "house":
            continue
        for other in imported_rooms(parts, path):
            if other != "__version__" and wing(other) != own:
                assert wing(other) in {"words", *MAY_IMPORT.get(own, ())}, (
                    f"{'/'.join(parts)} imports {other}"
                )


def test_config_alone_of_the_ground_reads_files():
    for parts, path in source_files():
        if wing(parts[0]) == "ground" and parts != ("config",):
            assert "files" not in set(imported_rooms(parts, path)), parts


def test_an_unknown_module_has_no_place():
    with pytest.raises(LookupError, match="attic stands in no wing"):
        wing("attic")


def test_importing_loads_no_extra():
    loaded = fresh_python("import sys, minirobert; print(*sys.modules)").split()
    extras = {
        "torch",
        "cupy",
        "jax",
        "dask",
        "ml_dtypes",
        "matplotlib",
        "huggingface_hub",
        "transformers",
        "tqdm",
    }
    assert not top_level(loaded) & extras
    assert "numpy" in top_level(loaded)


def test_moved_modules_are_found():
    code = """
import importlib, warnings
from minirobert.moved import MOVED
for old, new in MOVED.items():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        module = importlib.import_module(f"minirobert.{old}")
    target = importlib.import_module(f"minirobert.{new}")
    assert all(getattr(module, name) is getattr(target, name) for name in target.__all__), old
    print(*(warning.message for warning in caught), sep=", ")
"""
    said = [f"minirobert.{old} has moved to minirobert.{new}" for old, new in MOVED.items()]
    assert fresh_python(code).splitlines() == said


UNPICKLERS = {"pickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def unpickling(source):
    """Name the ways to unpickle that a source has."""
    found = top_level(imported(ast.parse(source))) & UNPICKLERS
    return found | ({"allow_pickle"} if "allow_pickle" in source else set())


def test_nothing_unpickles():
    for parts, path in source_files():
        assert not unpickling(path.read_text(encoding="utf-8")), "/".join(parts)


@pytest.mark.parametrize(
    "source",
    [
        "import pickle", "import os, pickle as p", "from pickle import loads", "import joblib.pool",
        "from joblib.numpy_pickle import load", "def f():\n    from _pickle import loads",
        "np.load(path, allow_pickle=True)",
    ],
)  # fmt: skip
def test_ways_to_unpickle_are_seen(source):
    assert unpickling(source)
