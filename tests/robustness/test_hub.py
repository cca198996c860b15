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
from minirobert.files.hub import HubOptions, ModelFiles
from tests.hub_faults import FAULTS, GONE, NO_FAULTS, PAGE, slowly
from tests.hub_server import Hub, serving
from tests.missing import installed

installed("huggingface_hub")  # in the processes that load

CASES = 12
FILES = (
    *("config.json", "model.safetensors", "added_tokens.json"),
    *("tokenizer_config.json", "special_tokens_map.json", "tokenizer.json"),
)
SECONDS = 4  # that a load may take, on a machine that does other things, too
KINDS = {"FileNotFoundError", "OSError", "ValueError", "CheckpointError"}

LOADER = """
import json, os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have set it to be ignored
import huggingface_hub.constants as constants
if "LARGEST_FILE" in os.environ:
    import resource
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(os.environ["LARGEST_FILE"]), -1))
if "BRISK" in os.environ:
    constants.HF_HUB_DOWNLOAD_TIMEOUT = constants.HF_HUB_ETAG_TIMEOUT = 0.3  # seconds
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


def ask(process: subprocess.Popen, **arguments: Any) -> dict[str, Any]:
    """Load a model in the other process."""
    process.stdin.write(f"{json.dumps(arguments)}\n")
    process.stdin.flush()
    watch = threading.Timer(30, process.kill)
    watch.start()
    answer = process.stdout.readline()
    watch.cancel()
    return json.loads(answer or '{"kind": "it hangs"}')


@dataclass
class Loader:
    """Load a model in the other process, and judge what comes out."""

    process: subprocess.Popen
    cache: Path
    name: str = "lab/tiny"

    def __call__(self, *right: Any, offline: bool = False, force: bool = False) -> str:
        """Load, and name the outcome: a result that is right, or a sentence of any kind."""
        start = time.monotonic()
        answer = ask(
            self.process,
            name=self.name,
            cache_dir=str(self.cache),
            local_files_only=offline,
            force_download=force,
        )
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
def server():
    with serving() as hub:
        yield hub


@pytest.fixture(scope="module")
def process(server, tmp_path_factory):
    with loading(server, tmp_path_factory.mktemp("home"), BRISK="1") as process:
        yield process


@pytest.fixture(scope="module")
def models(process, tmp_path_factory):
    files, right = made(tmp_path_factory.mktemp("first"), process, seed=1, length=17)
    newer, newer_right = made(tmp_path_factory.mktemp("second"), process, seed=2, length=18)
    assert right != newer_right
    return Models(files, newer, right, newer_right)


def made(directory, process, seed, length):
    """Save a model in the files of today and in those of once, and tell what it gives."""
    tokenizer = RobertaTokenizer.train(["Hello world"] * 9, vocab_size=270)
    tokenizer.padding_side, tokenizer.model_max_length = "left", length
    tokenizer.add_special_tokens({"mask_token": "<here>"})
    config = RobertaConfig(
        vocab_size=len(tokenizer), hidden_size=8, num_attention_heads=2, num_hidden_layers=1,
        intermediate_size=5, max_position_embeddings=20,
    )  # fmt: skip
    model = RobertaForMaskedLM(config, seed=seed)
    for name, size in (("tiny", "1GB"), ("old", "6KB")):
        model.save_pretrained(directory / name, max_shard_size=size)
        tokenizer.save_pretrained(directory / name)
    (directory / "old" / "tokenizer.json").unlink()
    hub = Hub()
    for name in ("tiny", "old"):
        hub.add(f"lab/{name}", directory / name)
    return hub.files, ask(process, name=str(directory / "tiny"))["result"]


@pytest.fixture
def hub(server, models):
    """A server that is well, and was never asked."""
    server.files = {name: dict(files) for name, files in models.files.items()}
    server.faults, server.requests = {}, []
    return server


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
            first, _ = run_case(hub, models, load, FAULTS[name], methods, file, moment, tmp_path)
        except BaseException:
            print("the case:", case)
            raise
        sentences["right" if first == "right" else "a sentence"] += 1
    assert min(sentences.values()) > 0, sentences
    print(dict(sentences))


BOTH = ("HEAD", "GET")


@pytest.mark.parametrize(
    ("name", "methods", "file", "why"),
    [
        ("a flipped bit", ["GET"], "model.safetensors", "what came is not what its checksum says"),
        ("a page of the hub", BOTH, "tokenizer_config.json", "what came is a web page"),
        ("an error", BOTH, "special_tokens_map.json", "what came is an error message"),
        ("evil etag", ["HEAD"], "config.json", "it names a checksum '../"),
        ("evil commit", ["HEAD"], "config.json", "it names a commit '../"),
        ("another commit", ["HEAD"], "model.safetensors", "it answers with another commit, ccc"),
        ("to itself", ["HEAD"], "config.json", "it redirects again and again"),
        ("dripping", ["GET"], "tokenizer.json", "next to nothing came"),
        ("dripping headers", ["HEAD"], "config.json", "next to nothing came"),
        ("without end", BOTH, "tokenizer.json", "more and more came"),
    ],
)
def test_faults_that_did_harm(hub, models, load, tmp_path, name, methods, file, why):
    """They stayed in the cache, wrote outside of it, or had no end."""
    fault = FAULTS[name]
    first, offline = run_case(hub, models, load, fault, methods, file, "first", tmp_path)
    assert why in first
    assert offline != "right"


@pytest.mark.parametrize("name", NO_FAULTS)
def test_what_is_odd_but_no_fault(hub, models, load, tmp_path, name):
    hub.faults = {(m, file): NO_FAULTS[name] for m in ("HEAD", "GET") for file in FILES}
    assert load(models.right) == "right"
    assert load(models.right, offline=True) == "right"


@pytest.mark.parametrize("file", FILES)
def test_a_hub_that_says_a_file_is_gone(hub, models, load, tmp_path, file):
    """It is believed until it says otherwise."""
    hub.faults = {("HEAD", file): GONE}
    if file in ("config.json", "model.safetensors"):
        assert "on the hub has no" in load()
    hub.faults = {}
    assert load(models.right) == "right"
    assert not strangers(tmp_path)


def spoil_cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


#: What may have become of a file in the cache. Weights that keep their length are not read twice.
SPOILT = {
    "cut": spoil_cut,
    "empty": lambda path: path.write_bytes(b""),
    "a page": lambda path: path.write_bytes(PAGE),
    "gone": lambda path: path.unlink(),
    "a directory": lambda path: (path.unlink(), path.mkdir()),
    "a link to itself": lambda path: (path.unlink(), path.symlink_to(path)),
    "no link": lambda path: path.write_bytes(path.read_bytes()),
}


def test_a_spoilt_cache(hub, models, load, tmp_path, draw, times):
    """What is not whole is fetched again, and without the hub a sentence, not passed over."""
    cases = [(kind, file) for kind in SPOILT for file in FILES]
    for kind, file in draw.sample(cases, min(6 * times, len(cases))):
        assert load(models.right) == "right"
        (link,) = load.cache.glob(f"*/snapshots/*/{file}")
        at = draw.choice((link, link.resolve()))
        SPOILT[kind](at)
        if kind != "no link" and (kind != "gone" or at != link):
            assert load(offline=True) != "right"
        if kind == "a directory":  # the user's own doing
            assert "cannot be used" in load()
            at.rmdir()
        assert load(models.right) == "right", (kind, file)
        assert load(models.right, offline=True) == "right"
        shutil.rmtree(load.cache)


REFS = ("", "../../../evil", "c" * 40, "main", "\0", "\udcff", "c" * 10_000)


def test_notes_of_the_cache_that_are_wrong(hub, models, load):
    for note in REFS:
        assert load(models.right) == "right"
        (ref,) = load.cache.glob("*/refs/main")
        ref.write_bytes(note.encode("utf-8", "surrogateescape"))
        assert "not, or not all, in the cache" in load(offline=True)
        assert load(models.right) == "right"
        assert load(models.right, offline=True) == "right"


def test_a_cache_that_is_none(hub, models, load):
    """A file, a link to nothing, a link to itself, and what no directory can be made in."""
    load.cache.parent.mkdir(parents=True)
    load.cache.write_text("a file")
    link, loop = load.cache.with_name("link"), load.cache.with_name("loop")
    link.symlink_to(load.cache / "gone")
    loop.symlink_to(loop)
    for cache in (load.cache, link, loop, Path("/proc/minirobert"), Path("/dev/null")):
        sentence = replace(load, cache=cache)()
        assert "cannot be used (" in sentence, sentence
        assert "give another as cache_dir=" in sentence
        assert "not, or not all, in the cache" in replace(load, cache=cache)(offline=True)
    assert load.cache.read_text() == "a file"


def test_a_full_disk(server, hub, models, tmp_path):
    """A limit on the sizes of files does what a full disk does."""
    with loading(server, tmp_path / "home", LARGEST_FILE="9000") as process:
        load = Loader(process, tmp_path / "cache")
        sentence = load()
        assert "cannot be used (File too large): give another as cache_dir=" in sentence
        assert not leftovers(tmp_path)


BAD_PATHS = ("../../x", "/etc", "a/../../b", "..", "a\\..\\b", "a\nb", "a\0b", "x" * 9999)
BAD_NAMES = ("lab/..", "lab/a..b", "lab/a\nb", "lab/a\0b", "x" * 9999, "lab/" + "x" * 9999)


@pytest.mark.parametrize("option", ["revision", "subfolder", "name"])
def test_names_that_lead_elsewhere(option, tmp_path):
    for value in BAD_NAMES if option == "name" else BAD_PATHS:
        arguments = {"name": "lab/tiny", "cache_dir": tmp_path / "none", option: value}
        with pytest.raises((ValueError, TypeError, FileNotFoundError)) as raised:
            ModelFiles(arguments.pop("name"), HubOptions(**arguments)).require("config.json")
        assert len(str(raised.value)) <= 500
        assert option == "name" or str(raised.value).startswith(f"{option} is ")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["revision", "subfolder", "cache_dir", "token"])
def test_options_of_other_types(option):
    for value in (3, 1.5, [], {}, b"x" * 9999, object()):
        with pytest.raises(TypeError, match=f"^{option} is "):
            ModelFiles("lab/tiny", HubOptions(**{option: value}))


def test_a_token_is_not_told():
    with pytest.raises(ValueError, match="a line break") as raised:
        ModelFiles("lab/tiny", HubOptions(token="hf_secret\n"))
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_process_that_is_ended(server, hub, models, load, tmp_path, draw, times, how):
    """At any moment, it goes at once, and the next one finds a cache that is well."""
    for _ in range(times):
        file = draw.choice(FILES)
        hub.faults = {("GET", file): draw.choice((FAULTS["dripping"], FAULTS["stall"], slowly))}
        hub.requests = []
        with loading(server, tmp_path / "home") as process:
            process.stdin.write(f'{{"name": "lab/tiny", "cache_dir": "{load.cache}"}}\n')
            process.stdin.flush()
            stop = time.monotonic() + 20
            while file not in hub.fetched():
                assert time.monotonic() < stop
                time.sleep(0.01)
            time.sleep(draw.uniform(0, 0.3))
            process.send_signal(how)
            assert process.wait(10) != 0
        hub.faults = {}
        load(models.right, offline=True)
        assert how == signal.SIGKILL or not leftovers(load.cache)
        assert load(models.right) == "right"
        assert load(models.right, offline=True) == "right"
        shutil.rmtree(load.cache)


def test_two_processes_at_once(server, hub, models, load, tmp_path):
    """They fetch the same files into the same cache, and neither waits for the other."""
    hub.faults = {("GET", file): slowly for file in FILES}
    with loading(server, tmp_path / "home") as process:
        answers = []
        other = Loader(process, load.cache)
        beside = threading.Thread(target=lambda: answers.append(other(models.right)))
        beside.start()
        answers.append(load(models.right))
        beside.join()
    assert answers == ["right", "right"]
    assert load(models.right, offline=True) == "right"
    assert not leftovers(tmp_path)
