"""A hub that goes wrong: a right result or a sentence, and nothing of it stays.

One process loads a model again and again, from a server on this machine that has one fault at a
time. ``--times 30`` draws about as many cases as there are faults and files.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaTokenizer
from tests.hub_faults import EVIL, FAULTS, GONE, NO_FAULTS
from tests.hub_server import Hub, serving

CASES = 24
SECONDS = 4  # that a load may take, on a machine that does other things, too
KINDS = {"FileNotFoundError", "OSError", "ValueError", "CheckpointError"}

LOADER = """
import json, os, sys, time
import huggingface_hub.constants as constants
constants.HF_HUB_DOWNLOAD_TIMEOUT = constants.HF_HUB_ETAG_TIMEOUT = 0.2  # seconds
if os.environ.get("BRISK"):
    time.sleep = lambda seconds: None  # between two tries
from minirobert import RobertaForMaskedLM, RobertaTokenizer
from minirobert.parameters import flatten
def load(name, **options):
    model = RobertaForMaskedLM.from_pretrained(name, **options)
    tokenizer = RobertaTokenizer.from_pretrained(name, **options)
    total = sum(float(array.sum(dtype="float64")) for array in flatten(model.params).values())
    ids = tokenizer("Hello <here>, world")["input_ids"]
    return [total, ids, tokenizer.padding_side, tokenizer.model_max_length, tokenizer.mask_token]
print("ready", flush=True)
for line in sys.stdin:
    try:
        answer = {"result": load(**json.loads(line))}
    except Exception as error:
        answer = {"kind": type(error).__name__, "sentence": str(error)}
    print(json.dumps(answer), flush=True)
"""


@contextmanager
def loading(hub: Hub, home: Path, **environment: str):
    """Start a process that loads models; its client reads these settings as it is imported."""
    clean = {name: value for name, value in os.environ.items() if "PROXY" not in name.upper()}
    for name in ("HF_HUB_CACHE", "HF_TOKEN", "HUGGINGFACE_HUB_CACHE"):
        clean.pop(name, None)
    settings = {
        "HF_HOME": str(home),
        "HF_ENDPOINT": hub.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_PROGRESS_BARS": "1",
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "OPENBLAS_NUM_THREADS": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-c", LOADER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=clean | settings | environment,
    )
    try:
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@dataclass
class Loader:
    """Load a model in the other process, and judge what comes out."""

    process: subprocess.Popen
    cache: Path
    name: str = "lab/tiny"

    def __call__(self, *right: Any, offline: bool = False, force: bool = False) -> str:
        """Load, and name the outcome: a result that is right, or a sentence of any kind."""
        options = {"cache_dir": str(self.cache), "local_files_only": offline}
        start = time.monotonic()
        request = json.dumps({"name": self.name, "force_download": force, **options})
        self.process.stdin.write(f"{request}\n")
        self.process.stdin.flush()
        watch = threading.Timer(30, self.process.kill)
        watch.start()
        answer = json.loads(self.process.stdout.readline() or '{"kind": "it hangs"}')
        watch.cancel()
        assert time.monotonic() - start < SECONDS, answer
        if "result" in answer:
            assert answer["result"] in right
            return "right"
        assert answer["kind"] in KINDS, answer
        sentence = answer["sentence"]
        assert 20 < len(sentence) <= 500, sentence
        assert "recursion" not in sentence
        assert "'NoneType'" not in sentence
        return sentence


@dataclass(frozen=True)
class Models:
    """Two versions of a model, in the files of today and in those of once, and what they give."""

    files: dict[str, dict[str, bytes]]
    newer: dict[str, dict[str, bytes]]
    right: Any
    newer_right: Any


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    def made(seed, length):
        directory = tmp_path_factory.mktemp("made")
        tokenizer = RobertaTokenizer.train(["Hello world"] * 9, vocab_size=270)
        tokenizer.padding_side, tokenizer.model_max_length = "left", length
        tokenizer.add_special_tokens({"mask_token": "<here>"})
        config = RobertaConfig(
            vocab_size=len(tokenizer), hidden_size=8, num_attention_heads=2, num_hidden_layers=1,
            intermediate_size=5, max_position_embeddings=20,
        )  # fmt: skip
        model = RobertaForMaskedLM(config, seed=seed)
        model.save_pretrained(directory / "tiny")
        tokenizer.save_pretrained(directory / "tiny")
        model.save_pretrained(directory / "old", max_shard_size="6KB")
        tokenizer.save_pretrained(directory / "old")
        tokenizer.save_vocabulary(directory / "old")
        (directory / "old" / "tokenizer.json").unlink()
        hub = Hub()
        for name in ("tiny", "old"):
            hub.add(f"lab/{name}", directory / name)
        with serving() as server, loading(server, directory) as process:
            ask = {"name": str(directory / "tiny")}
            process.stdin.write(f"{json.dumps(ask)}\n")
            process.stdin.flush()
            return hub.files, json.loads(process.stdout.readline())["result"]

    files, right = made(1, 17)
    newer, newer_right = made(2, 18)
    assert right != newer_right
    return Models(files, newer, right, newer_right)


@pytest.fixture(scope="module")
def server():
    with serving() as hub:
        yield hub


@pytest.fixture
def hub(server, models):
    """A server that is well, and was never asked."""
    server.files = {name: dict(files) for name, files in models.files.items()}
    server.faults, server.requests = {}, []
    return server


@pytest.fixture(scope="module")
def process(server, tmp_path_factory):
    with loading(server, tmp_path_factory.mktemp("home"), BRISK="1") as process:
        yield process


@pytest.fixture
def load(process, tmp_path):
    """Load with a cache far below the directory of the test."""
    return Loader(process, tmp_path / "a" / "b" / "c" / "d" / "e" / "f" / "cache")


def strangers(directory: Path) -> list[Path]:
    """List what is outside of the cache."""
    return [path for path in directory.rglob("*") if path.is_file() and "cache" not in path.parts]


def leftovers(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if ".incomplete" in path.name]


def run_case(hub, models, load, fault, methods, file, moment, tmp_path):
    """Meet a fault in an empty cache, in a full one, or as a new version comes; then recover."""
    right, outcome = models.right, []
    expected = [right]
    hub.files = {name: dict(files) for name, files in models.files.items()}
    if moment != "first":
        assert load(right) == "right"
    if moment == "update":
        hub.files = {name: dict(files) for name, files in models.newer.items()}
        new = models.newer_right  # the model and its tokenizer are two calls
        expected, right = [right, new, right[:1] + new[1:], new[:1] + right[1:]], new
    hub.faults = {(method, file): fault for method in methods}
    outcome.append(load(*expected, force=moment == "force"))
    outcome.append(load(*expected, offline=True))
    hub.faults = {}
    assert load(right) == "right"
    assert load(right, offline=True) == "right"
    assert not strangers(tmp_path)
    assert not leftovers(tmp_path)
    shutil.rmtree(load.cache)
    return outcome


NAMES = ("config.json", "model.safetensors", "tokenizer_config.json", "tokenizer.json")


def drawn(draw, models, number):
    """Draw faults and where they happen, each fault about as often as the others."""
    faults = []
    while len(faults) < number:
        faults += draw.sample(sorted(FAULTS), len(FAULTS))
    for name in faults[:number]:
        repo = draw.choice(("lab/tiny", "lab/tiny", "lab/old"))
        methods = draw.choice((["HEAD"], ["GET"], ["HEAD", "GET"]))
        file = draw.choice(sorted(models.files[repo]))
        yield name, repo, methods, file, draw.choice(("first", "first", "force", "update"))


def test_faults_of_the_hub(hub, models, load, tmp_path, draw, times):
    sentences = Counter()
    for case in drawn(draw, models, CASES * times):
        name, repo, methods, file, moment = case
        load = replace(load, name=repo)
        try:
            first, _ = run_case(
                hub, models, load, FAULTS[name], methods, file, moment, tmp_path
            )
        except BaseException:
            print("the case:", case)
            raise
        sentences["right" if first == "right" else "a sentence"] += 1
    assert sentences["a sentence"] > CASES // 4, sentences
    print(dict(sentences))
