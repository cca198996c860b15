"""Saving: shards, leftovers of what was there before, and interruptions at every step."""

import itertools
import json
import os
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers

import minirobert.checkpoints.writing
from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaTokenizer
from minirobert.checkpoints.reading import stored_tensors
from minirobert.checkpoints.writing import bytes_of, split_into_shards
from minirobert.parameters import flatten
from tests.libraries import STRICT

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
OLD = RobertaForMaskedLM(RobertaConfig(**FIELDS, hidden_act="gelu"), seed=1)
NEW = RobertaForMaskedLM(RobertaConfig(**FIELDS, hidden_act="relu"), seed=2)
SAME_CONFIG = RobertaForMaskedLM(RobertaConfig(**FIELDS, hidden_act="gelu"), seed=3)
ONE_FILE, FEW_SHARDS = "5GB", "4KB"


def same(model, other):
    pairs = zip(flatten(model.params).items(), flatten(other.params).items(), strict=True)
    return model.config.hidden_act == other.config.hidden_act and all(
        name == other_name and np.array_equal(array, other_array)
        for (name, array), (other_name, other_array) in pairs
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ("5GB", 5 * 10**9), ("200MB", 2 * 10**8), ("1KB", 1000), ("5GiB", 5 * 2**30),
        ("1.5 kib", 1536), ("2tb", 2 * 10**12), (" 7 MiB ", 7 * 2**20), (1, 1), (12345, 12345),
    ],
)  # fmt: skip
def test_sizes(size, expected):
    assert bytes_of(size) == expected


@pytest.mark.parametrize("size", ["", "5", "GB", "5 G", "-1GB", "5XB", "5GB!", 0, -3, True, None])
def test_what_is_no_size(size, tmp_path):
    with pytest.raises(ValueError, match=r"max_shard_size is .*, but must be a number of bytes"):
        OLD.save_pretrained(tmp_path, max_shard_size=size)
    assert not list(tmp_path.iterdir())


def test_a_tensor_above_the_limit_has_its_own_file():
    sizes = {"a": 3, "b": 2, "c": 1, "d": 7, "e": 5, "f": 1}
    assert split_into_shards(sizes, 5) == [["a", "b"], ["d"], ["c"], ["e"], ["f"]]
    assert split_into_shards(sizes, 19) == [[*"abcdef"]]


@pytest.mark.parametrize(
    ("first", "second"), list(itertools.permutations([ONE_FILE, "4KB", "1KB"], 2))
)
def test_no_file_of_the_old_model_stays(tmp_path, first, second):
    OLD.save_pretrained(tmp_path, max_shard_size=first)
    RobertaTokenizer.from_pretrained().save_pretrained(tmp_path)
    others = {"model-card.md", "model-1-of-2.safetensors", "pytorch_model.bin"}
    for name in others:
        (tmp_path / name).write_bytes(b"of somebody else")
    NEW.save_pretrained(tmp_path, max_shard_size=second)
    assert same(RobertaForMaskedLM.from_pretrained(tmp_path, strict=True), NEW)
    names = {path.name for path in tmp_path.iterdir()}
    assert others < names
    assert "tokenizer.json" in names
    index = tmp_path / "model.safetensors.index.json"
    files = {"model.safetensors"}
    if second != ONE_FILE:
        files = {index.name, *json.loads(index.read_text())["weight_map"].values()}
    weights = {name for name in names - others if name.startswith("model")}
    assert weights == files


class Killed(BaseException):
    """The process ends here."""


def interrupted(monkeypatch, model, directory, size, steps):
    """Save, and stop before the given step of those that change the directory."""
    left = itertools.count(steps, -1)

    def counted(function):
        def step(*args, **kwargs):
            if next(left) <= 0:
                raise Killed
            return function(*args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", counted(os.replace))
        patch.setattr(Path, "unlink", counted(Path.unlink))
        patch.setattr(
            minirobert.checkpoints.writing,
            "save_file",
            counted(minirobert.checkpoints.writing.save_file),
        )
        try:
            model.save_pretrained(directory, max_shard_size=size)
        except Killed:
            return True
    return False


def loaded(directory):
    """Load a model with transformers and with ours, which must find the same."""
    theirs = transformers.RobertaForMaskedLM.from_pretrained(directory)
    ours = RobertaForMaskedLM.from_pretrained(directory, strict=True)
    state = theirs.state_dict()
    for name, array in flatten(ours.params).items():
        np.testing.assert_array_equal(state[name].numpy(), array)
    assert theirs.config.hidden_act == ours.config.hidden_act
    return ours


@pytest.mark.parametrize("new", [NEW, SAME_CONFIG], ids=["new config", "same config"])
@pytest.mark.parametrize("after", [ONE_FILE, FEW_SHARDS])
@pytest.mark.parametrize("before", [ONE_FILE, FEW_SHARDS])
def test_an_interruption_leaves_the_old_or_the_new_model(tmp_path, monkeypatch, before, after, new):
    seen = set()
    for steps in itertools.count():
        directory = tmp_path / str(steps)
        OLD.save_pretrained(directory, max_shard_size=before)
        stopped = interrupted(monkeypatch, new, directory, after, steps)
        model = loaded(directory)
        assert same(model, OLD) or same(model, new)
        seen.add("old" if same(model, OLD) else "new")
        new.save_pretrained(directory, max_shard_size=after)  # and the next save puts it right
        assert same(RobertaForMaskedLM.from_pretrained(directory), new)
        if not stopped:
            break
    assert seen == {"old", "new"}


@pytest.mark.parametrize("size", [ONE_FILE, FEW_SHARDS])
def test_a_full_disk_leaves_the_old_model(tmp_path, monkeypatch, size):
    OLD.save_pretrained(tmp_path)
    names = sorted(path.name for path in tmp_path.iterdir())
    for steps in range(2 if size != ONE_FILE else 1):
        files = itertools.count()

        def full(tensors, path, metadata, steps=steps, files=files):
            path.write_bytes(b"half")
            if next(files) == steps:
                raise OSError("disk full")

        with monkeypatch.context() as patch:
            patch.setattr(minirobert.checkpoints.writing, "save_file", full)
            with pytest.raises(OSError, match="disk full"):
                NEW.save_pretrained(tmp_path, max_shard_size=size)
        assert sorted(path.name for path in tmp_path.iterdir()) == names
        assert same(RobertaForMaskedLM.from_pretrained(tmp_path), OLD)


def test_what_the_system_cannot_write_is_an_os_error(tmp_path):
    resource = pytest.importorskip("resource")  # not on Windows
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    model = RobertaForMaskedLM.from_pretrained()
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        with pytest.raises(OSError, match=r"could not be written in .*: make room"):
            model.save_pretrained(tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not list(tmp_path.iterdir())


def test_a_configuration_that_no_file_can_hold(tmp_path):
    OLD.save_pretrained(tmp_path)
    model = RobertaForMaskedLM(RobertaConfig(**FIELDS, hidden_act=np.tanh))
    with pytest.raises(ValueError, match="hidden_act is a function"):
        model.save_pretrained(tmp_path)
    assert same(RobertaForMaskedLM.from_pretrained(tmp_path), OLD)


def test_a_file_is_no_directory_to_save_in(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError, match="is a file: give a directory to save in"):
        OLD.save_pretrained(tmp_path / "file", max_shard_size="1KB")


def test_shards_from_another_library_and_in_half_precision(tmp_path):
    STRICT.model(OLD).save_pretrained(tmp_path / "strict", max_shard_size="1KB")
    assert same(RobertaForMaskedLM.from_pretrained(tmp_path / "strict"), OLD)
    OLD.astype("float16").save_pretrained(tmp_path / "half", max_shard_size="1KB")
    theirs = transformers.RobertaForMaskedLM.from_pretrained(tmp_path / "half", dtype="auto")
    assert theirs.dtype == torch.float16
    index = json.loads((tmp_path / "half" / "model.safetensors.index.json").read_text())
    assert index["metadata"]["total_size"] == 2 * OLD.num_parameters()
    with stored_tensors(tmp_path / "half") as tensors:
        assert {one.dtype for one in tensors.values()} == {"F16"}


def test_weights_may_be_read_by_whom_the_user_lets(tmp_path):
    old = os.umask(0o027)
    try:
        OLD.save_pretrained(tmp_path)
    finally:
        os.umask(old)
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o640}
