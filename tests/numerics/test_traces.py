"""Traces, and the files that any language can write."""

import json
import struct
import sys

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch

from minirobert import RobertaConfig, RobertaForMultipleChoice, RobertaForSequenceClassification
from minirobert.intermediates import intermediates
from minirobert.numerics import Arithmetic, Trace, trace
from minirobert.numerics.tensor_file import read_tensors, write_tensors
from minirobert.numerics.traces import digest
from minirobert.parameters import CheckpointError

CONFIG = {
    "vocab_size": 23,
    "hidden_size": 8,
    "num_attention_heads": 2,
    "num_hidden_layers": 2,
    "intermediate_size": 11,
    "max_position_embeddings": 12,
}
IDS = np.array([[0, 5, 6, 2], [0, 7, 2, 1]])


@pytest.fixture
def model():
    return RobertaForSequenceClassification(RobertaConfig(**CONFIG), seed=1)


def test_a_trace_has_all_names_and_what_was_given(model):
    labels = np.array([0, 1])
    one = trace(model, input_ids=IDS, attention_mask=IDS != 1, labels=labels)
    table = intermediates(model.config, "RobertaForSequenceClassification")
    assert set(one.tensors) == {*table, "attention_mask", "labels", "loss"}
    assert one.given == ("input_ids", "attention_mask", "labels")
    assert one.architecture == "RobertaForSequenceClassification"
    assert one.arithmetic == Arithmetic("float32")
    assert set(one.weights) == set(dict(model.named_parameters()))


def test_a_trace_takes_no_torch(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert trace(model, input_ids=IDS).weights


def test_a_trace_in_bfloat16(model):
    half = trace(model.astype("bfloat16"), input_ids=IDS)
    assert half.arithmetic == Arithmetic("bfloat16", "float32")
    assert half.weights == trace(model.astype("bfloat16"), input_ids=IDS).weights


def test_choices_are_rows_of_the_batch():
    model = RobertaForMultipleChoice(RobertaConfig(**CONFIG), seed=1)
    one = trace(model, input_ids=IDS.reshape(1, 2, 4))
    assert one.tensors["input_ids"].shape == (1, 2, 4)
    assert one.tensors["position_ids"].shape == (2, 4)


def test_a_trace_is_the_same_after_its_file(model, tmp_path):
    one = trace(model.astype("float16"), input_ids=IDS, keep=["embeddings.*", "*.scores"])
    one.write(tmp_path / "t.safetensors")
    other = Trace.read(tmp_path / "t.safetensors")
    assert list(other.tensors) == list(one.tensors)
    for name, array in one.tensors.items():
        assert other.tensors[name].dtype == array.dtype
        np.testing.assert_array_equal(other.tensors[name], array)
    assert other.config == model.config
    for field in ("architecture", "arithmetic", "given", "weights", "made_by"):
        assert getattr(other, field) == getattr(one, field), field


def test_the_library_reads_what_is_written(tmp_path):
    arrays = {
        "a": np.arange(6, dtype=np.float64).reshape(2, 3),
        "b": np.array([[True], [False]]),
        "c": np.float32([1.5, -0.375]),
        "d": np.array(7, np.int32),
        "e": np.empty((0, 3), np.float16),
    }
    path = tmp_path / "t.safetensors"
    write_tensors(path, arrays, {"c": "bfloat16"}, {"said": "déjà"})
    theirs = load_torch(path)
    assert theirs["c"].dtype == torch.bfloat16
    for name, array in arrays.items():
        np.testing.assert_array_equal(theirs[name].to(torch.float64).numpy(), array)
    ours = read_tensors(path)
    assert ours.metadata == {"said": "déjà"}
    assert ours.dtypes["c"] == "bfloat16"
    np.testing.assert_array_equal(ours.tensors["c"], arrays["c"])
    write_tensors(path, {"a": arrays["a"]})
    assert list(load_file(path)) == ["a"]


def test_a_file_written_by_hand(tmp_path):
    """Ten lines of any language."""
    numbers = np.float32([[1, 2, 3]])
    info = {"dtype": "F32", "shape": [1, 3], "data_offsets": [0, 12]}
    header = {"__metadata__": {"minirobert.trace": "1"}, "lm_head.logits": info}
    text = json.dumps(header).encode()
    path = tmp_path / "t.safetensors"
    path.write_bytes(struct.pack("<Q", len(text)) + text + numbers.tobytes())
    one = Trace.read(path)
    assert one.arithmetic == Arithmetic("float32")
    assert (one.architecture, one.config, one.given, one.weights) == (None, None, (), {})
    np.testing.assert_array_equal(one.tensors["lm_head.logits"], numbers)


def test_the_arithmetic_is_that_of_most_tensors():
    halves = {"a": np.float16([1]), "b": np.float16([1]), "c": np.float32([1]), "ids": IDS}
    assert Trace(halves).arithmetic == Arithmetic("float16", "float32")
    assert Trace({"c": np.float32([1])}, {"c": "bfloat16"}).arithmetic.store == "bfloat16"
    assert Trace({"ids": IDS}).arithmetic.store == "float32"


@pytest.mark.parametrize(
    ("metadata", "sentence"),
    [
        ({}, "is no trace: a trace has the entry minirobert.trace in its __metadata__"),
        ({"minirobert.trace": "2"}, "is a trace of version '2': a trace has the entry"),
        ({"minirobert.trace": "1", "config": "{"}, "has metadata that cannot be read"),
        ({"minirobert.trace": "1", "given": '["x"]'}, "must be a JSON list of some of input_ids"),
        (
            {"minirobert.trace": "1", "weights": "[1]"},
            r"weights is '\[1\]', but must be a JSON obj",
        ),
        ({"minirobert.trace": "1", "weights": '{"a": 1}'}, "must be a JSON object of a SHA-256"),
        ({"minirobert.trace": "1", "arithmetic": "float8"}, "store is 'float8', but must be one"),
    ],
)
def test_what_is_no_trace_is_told(tmp_path, metadata, sentence):
    write_tensors(tmp_path / "t.safetensors", {"a": IDS}, metadata=metadata)
    with pytest.raises(CheckpointError, match=sentence):
        Trace.read(tmp_path / "t.safetensors")


def test_complex_numbers_are_told(tmp_path):
    info = {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}
    text = json.dumps({"__metadata__": {"minirobert.trace": "1"}, "a": info}).encode()
    (tmp_path / "t").write_bytes(struct.pack("<Q", len(text)) + text + bytes(8))
    with pytest.raises(CheckpointError, match="stores a as C64, but the tensors of a trace"):
        Trace.read(tmp_path / "t")


def test_a_digest_is_of_numbers_and_not_of_where_they_lie():
    x = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert digest(x) == digest(x.astype(np.float64)) == digest(np.asfortranarray(x))
    assert digest(x) != digest(x.T)
