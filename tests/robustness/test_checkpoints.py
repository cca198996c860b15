"""Weights that are broken, huge, changed while they are read, or no files at all.

Of each comes a right result or a sentence, soon, and in little memory. Where a fault could take the
memory of the machine, or its time, it is tried in a process of its own.
"""

import json
import os
import socket
import struct
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

import minirobert
from minirobert import CheckpointError, RobertaConfig, RobertaForMaskedLM, RobertaModel
from minirobert.checkpoints import loading
from minirobert.checkpoints.weights_file import WeightsFile
from minirobert.files import hub
from minirobert.parameters import flatten
from minirobert.sentences import LIMIT
from tests.processes import fresh_python
from tests.robustness.checkpoint_faults import FIELDS, INDEX, WEIGHTS, file_of, is_in_memory

linux = pytest.mark.skipif(sys.platform != "linux", reason="limits and looks of Linux")


@pytest.fixture
def directory(tmp_path):
    RobertaForMaskedLM(RobertaConfig(**FIELDS)).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def little_memory():
    """Let this process have one gibibyte more than it has."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (1 << 30), hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def refused(call, *kinds):
    """Give the sentence with which a call ends, soon: what reads or computes all takes minutes."""
    began = time.process_time()
    with pytest.raises(kinds or (CheckpointError, OSError)) as raised:
        call()
    assert time.process_time() - began < 10
    assert 10 < len(str(raised.value)) <= LIMIT
    return str(raised.value)


# Faults in files


@linux
def test_what_the_library_refuses_is_refused_and_the_rest_is_read(tmp_path, draw, times):
    """Many more: ``pytest tests/robustness/test_checkpoints.py -k library --times 50``."""
    report = json.loads(faults(str(tmp_path), str(draw.randrange(2**32)), str(400 * times)))
    print(json.dumps(report, indent=1))
    kinds = " ".join(report["outcomes"])
    assert all(one in kinds for one in ("loaded", "as by the library", "as it does not fit"))
    assert report["slowest"][0] < 1
    assert report["peak"] < 200e6 + 5e6 * times


def faults(*arguments):
    command = [sys.executable, "-m", "tests.robustness.checkpoint_faults", *arguments]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return result.stdout


def pipe(path):
    os.mkfifo(path)


def endless(path):
    path.symlink_to("/dev/zero")


def loop(path):
    path.symlink_to(path.name)


def nowhere(path):
    path.symlink_to("nowhere")


def a_directory(path):
    path.mkdir()


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        old = os.getcwd()  # as the name of a socket must be short
        os.chdir(path.parent)
        one.bind(path.name)
        os.chdir(old)


def zeros(path):
    with path.open("wb") as file:
        file.truncate(5 << 40)


def long_header(path):
    with path.open("wb") as file:
        file.write(struct.pack("<Q", 100_000_000) + b"{")
        file.truncate(5 << 40)


def long_name(path):
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    path.write_bytes(file_of(json.dumps({"a." * 10_000_000: empty}), b""))


def many_commas(path):
    path.write_bytes(file_of("[" + "1," * 20_000_000 + "1]", b""))


def many_tensors(path):
    empty = '{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    text = ",".join(f'"roberta.encoder.layer.{i}.output.dense.bias":{empty}' for i in range(30_000))
    path.write_bytes(file_of("{" + text + "}", b""))


def terabytes(path):
    """A file that is right, and holds a table of five terabytes that was never written."""
    size = 10**10 * 125 * 4
    entry = {"dtype": "F32", "shape": [10**10, 125], "data_offsets": [0, size]}
    header = file_of(json.dumps({"roberta.embeddings.word_embeddings.weight": entry}), b"")
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + size)


ODD_FILES = [
    *(pipe, endless, loop, nowhere, a_directory, a_socket, zeros, long_header, long_name),
    *(many_commas, many_tensors, terabytes),
]


@linux
@pytest.mark.parametrize("what", ODD_FILES)
@pytest.mark.parametrize("role", ["weights", "shard"])
def test_files_that_are_none(directory, what, role, little_memory, run):
    path = directory / WEIGHTS
    path.unlink()
    if role == "shard":
        path = directory / "model-00001-of-00001.safetensors"
        shard_of = {"weight_map": {"lm_head.bias": path.name}}
        (directory / INDEX).write_text(json.dumps(shard_of))
    try:
        what(path)
    except OSError as error:
        pytest.skip(f"this file system cannot hold it: {error}")
    sentence = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert str(directory)[:20] in sentence  # its middle may be left out
    code, _, error = run("inspect", str(directory))
    readable = role == "weights" and what in (long_name, many_tensors, terabytes)
    assert (code, error) == (0, "") if readable else (code == 2 and len(error) < LIMIT + 30)


@linux
@pytest.mark.parametrize("what", [pipe, endless, loop, nowhere, a_directory, a_socket])
def test_indexes_that_are_none(directory, what):
    (directory / WEIGHTS).unlink()
    what(directory / INDEX)
    sentence = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert str(directory)[:20] in sentence


def test_more_shards_than_can_be_open(directory):
    weights = directory / WEIGHTS
    names = {f"x{i}": f"{i}.safetensors" for i in range(2000)}
    for file in names.values():
        (directory / file).hardlink_to(weights)
    weights.unlink()
    (directory / INDEX).write_text(json.dumps({"weight_map": names}))
    message = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert "names 2,000 files, but must name at most 1,000" in message


def test_an_index_of_many_tensors_that_are_not_there(directory):
    (directory / "a.safetensors").write_bytes((directory / WEIGHTS).read_bytes())
    (directory / WEIGHTS).unlink()
    weight_map = {f"x{i}": "a.safetensors" for i in range(100_000)}
    (directory / INDEX).write_text(json.dumps({"weight_map": weight_map}))
    message = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert "x0, x1" in message
    assert "more, but it does not" in message


def test_inspect_shows_odd_names_on_lines_of_their_own(tmp_path, run_well):
    empty = {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}
    names = ["a" * 1_000_000, "\x1b[31m", "a\nb", "\u202e", ".", ""]
    file = tmp_path / WEIGHTS
    file.write_bytes(file_of(json.dumps(dict.fromkeys(names, empty)), b""))
    lines = run_well("inspect", str(file)).splitlines()
    assert all(line.isprintable() and len(line) < 250 for line in lines)
    blocks = len(names) - 1  # of which "." and "" are one
    assert len(lines) == 1 + len(names) + 1 + 1 + blocks + 1
    assert list(json.loads(run_well("inspect", "--json", str(file)))) == names


# Files that change while they are read


@pytest.fixture(params=["one after the other", "two at once", "as on Windows"])
def at_read(monkeypatch, request):
    """Let something happen before the n-th part of a file is read, which is read only once."""
    monkeypatch.setattr(hub, "read_together", lambda directory, names, read: read())
    if request.param != "one after the other":
        monkeypatch.setattr(loading, "_LARGE", 0)
    if request.param == "as on Windows":
        monkeypatch.delattr(os, "preadv")

    def at_read(n, happens):
        count = iter(range(10**9))
        read_into = WeightsFile.read_into

        def read(self, target, offset):
            if next(count) == n:
                happens()
            return read_into(self, target, offset)

        monkeypatch.setattr(WeightsFile, "read_into", read)

    return at_read


def same_weights(model, other):
    return all(
        np.array_equal(array, expected)
        for array, expected in zip(
            flatten(model.params).values(), flatten(other.params).values(), strict=True
        )
    )


READS = 2 + len(flatten(RobertaForMaskedLM(RobertaConfig(**FIELDS)).params))


@pytest.mark.parametrize("n", [0, 1, 2, 7, READS - 1])
@pytest.mark.parametrize("left", [0, 5, 3000])
def test_a_file_that_becomes_shorter(directory, at_read, n, left):
    at_read(n, lambda: os.truncate(directory / WEIGHTS, left))
    message = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert f"{WEIGHTS} was written to while it was read" in message


@pytest.mark.parametrize("n", [0, 1, 2, READS - 1])
def test_a_file_that_is_written_into(directory, at_read, n):
    def write():
        with (directory / WEIGHTS).open("r+b") as file:
            file.seek(-4, 2)
            file.write(b"1234")
        os.utime(directory / WEIGHTS, ns=(0, 0))  # as a clock would that has gone on

    at_read(n, write)
    message = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert f"{WEIGHTS} was written to while it was read" in message


@pytest.mark.parametrize("n", [0, 1, 2, 7, READS - 1])
def test_a_file_that_another_takes_the_place_of(directory, at_read, n):
    old = RobertaForMaskedLM.from_pretrained(directory)
    RobertaForMaskedLM(RobertaConfig(**FIELDS), seed=1).save_pretrained(directory / "new")
    at_read(n, lambda: os.replace(directory / "new" / WEIGHTS, directory / WEIGHTS))
    assert same_weights(RobertaForMaskedLM.from_pretrained(directory), old)


TRUNCATED_AGAIN_AND_AGAIN = """
import os, sys, threading
from minirobert import CheckpointError, RobertaForMaskedLM

path = sys.argv[1] + "/model.safetensors"
with open(path, "rb") as file:
    whole = file.read()

def change():
    while not done:
        os.truncate(path, len(whole) // 2)
        with open(path, "r+b") as file:
            file.write(whole)

done = []
thread = threading.Thread(target=change, daemon=True)
thread.start()
for _ in range(int(sys.argv[2])):
    try:
        RobertaForMaskedLM.from_pretrained(sys.argv[1])
    except (OSError, CheckpointError) as error:
        said = ("have changed while they were read", "is not a whole safetensors file")
        assert any(words in str(error) for words in said), error
done.append(True)
thread.join()
print("alive")
"""


def test_a_file_that_becomes_shorter_again_and_again(tmp_path, times):
    """With a map of the file, the process would be gone."""
    config = RobertaConfig(**{**FIELDS, "vocab_size": 20_000})
    RobertaForMaskedLM(config).save_pretrained(tmp_path)
    assert fresh_python(TRUNCATED_AGAIN_AND_AGAIN, str(tmp_path), str(200 * times)) == "alive"


# What stays after loading


@linux
@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_open(directory, fails):
    if fails:
        (directory / WEIGHTS).write_bytes((directory / WEIGHTS).read_bytes()[:-1])
    before = os.listdir("/proc/self/fd")
    if fails:
        refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    else:
        model = RobertaForMaskedLM.from_pretrained(directory)
        assert all(map(is_in_memory, flatten(model.params).values()))
    assert os.listdir("/proc/self/fd") == before
    assert str(directory) not in Path("/proc/self/maps").read_text()


def test_each_file_is_opened_once(directory, monkeypatch):
    opened = []
    open_it = os.open
    monkeypatch.setattr(os, "open", lambda path, *rest: opened.append(path) or open_it(path, *rest))
    RobertaForMaskedLM.from_pretrained(directory)
    assert [path for path in opened if str(path).endswith(WEIGHTS)] == [str(directory / WEIGHTS)]


# Sizes that no machine has memory for

CASES = [
    *(("num_hidden_layers", n) for n in (10**5, 10**6, 10**12)),
    *(("vocab_size", n) for n in (10**9, 10**12, 10**18)),
    *(("hidden_size", n) for n in (12 * 10**5, 12 * 10**9)),
    *(("intermediate_size", n) for n in (10**10, 10**15)),
    *(("max_position_embeddings", n) for n in (10**10, 10**12, 10**18)),
    *(("type_vocab_size", n) for n in (10**12, 10**18)),
    *(("num_labels", n) for n in (10**7, 10**9, 10**18)),
]
ALLOWED = [{}, {"strict": False}, {"strict": False, "ignore_mismatched_sizes": True}]


@linux
@pytest.mark.parametrize(("name", "value"), CASES)
def test_sizes_that_are_refused(directory, name, value, little_memory):
    heads = {"num_attention_heads": value // 4} if name == "hidden_size" else {}
    big = {name: value, **heads}

    def refused_for_its_size(*arguments, **options):
        message = refused(lambda: cls.from_pretrained(*arguments, **options), ValueError)
        assert str(value) in message or "of memory, which this process cannot have" in message

    cls = minirobert.RobertaForSequenceClassification
    refused(lambda: RobertaModel(RobertaConfig(**{**FIELDS, **big})), ValueError)
    for options in ALLOWED:
        refused_for_its_size(directory, **big, **options)
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, **big}))
    for options in ALLOWED:
        refused_for_its_size(directory, **options)


@linux
@pytest.mark.parametrize("count", [10**9, 10**12, 10**18])
@pytest.mark.parametrize("mean", [False, True])
def test_tokens_that_are_refused(count, mean, little_memory):
    model = RobertaForMaskedLM.from_pretrained()
    message = refused(lambda: model.resize_token_embeddings(count, mean_resizing=mean), ValueError)
    assert "of memory, which this process cannot have" in message
    refused(lambda: model.resize_token_embeddings(5, pad_to_multiple_of=count), ValueError)


@linux
def test_memory_that_is_not_there_although_the_machine_has_it(directory, monkeypatch):
    """Whatever is asked for when it is refused: the sentence tells what the model takes."""

    def refuse(*arguments):
        raise MemoryError

    monkeypatch.setattr(np, "empty", refuse)
    message = refused(lambda: RobertaForMaskedLM.from_pretrained(directory))
    assert "takes 8.6 KiB of memory, which this process cannot have" in message


# Weights that are no numbers


@pytest.mark.parametrize("stored", ["float16", "float32", "float64"])
@pytest.mark.parametrize("wanted", ["float16", "float32", "float64"])
def test_weights_that_are_not_finite_are_told(tmp_path, stored, wanted, draw, times):
    for _ in range(3 * times):
        flat = flatten(RobertaForMaskedLM(RobertaConfig(**FIELDS)).astype(stored).params)
        names = draw.sample(list(flat), draw.randint(0, 3))
        largest = {"float16": 60_000, "float32": 1e38, "float64": 1e300}
        for name in names:
            array = flat[name].reshape(-1)
            array[draw.randrange(array.size)] = draw.choice([np.nan, np.inf, -np.inf])
        for name in set(flat) - set(names):  # large numbers are no infinite ones
            flat[name][...] = draw.choice([-1, 1]) * min(largest[stored], largest[wanted])
        params = minirobert.parameters.build_tree(flat)
        RobertaForMaskedLM(RobertaConfig(**FIELDS), params).save_pretrained(tmp_path)
        with warnings.catch_warnings(record=True, action="always") as said:
            model = RobertaForMaskedLM.from_pretrained(tmp_path, dtype=wanted)
        assert len(said) == bool(names)
        for name in names:
            assert not np.isfinite(flatten(model.params)[name]).all()
            assert group_of(name) in str(said[0].message)


def group_of(name):
    """What is told of a name, even in a group of all layers."""
    return name.rpartition(".layer.")[2].partition(".")[2] or name


def test_numbers_that_float16_has_not_are_told(directory):
    model = RobertaForMaskedLM.from_pretrained(directory)
    flat = flatten(model.params)
    flat["lm_head.bias"][3] = 70_000
    RobertaForMaskedLM(model.config, minirobert.parameters.build_tree(flat)).save_pretrained(
        directory
    )
    with pytest.warns(UserWarning, match=r"NaN or infinite in float16: lm_head\.bias; ") as said:
        RobertaForMaskedLM.from_pretrained(directory, dtype="float16")
    assert len(said) == 1
