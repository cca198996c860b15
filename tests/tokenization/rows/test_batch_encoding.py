import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from minirobert import RobertaConfig, RobertaModel
from minirobert.tokenization import BatchEncoding, RobertaTokenizer


def test_entries_are_attributes():
    encoding = BatchEncoding({"input_ids": [0, 2]})
    assert encoding.input_ids is encoding["input_ids"]
    assert {**encoding} == {"input_ids": [0, 2]}


def test_missing_entries_are_explained():
    encoding = BatchEncoding({"input_ids": [0, 2]})
    with pytest.raises(AttributeError, match="no 'offset_mapping', only input_ids"):
        _ = encoding.offset_mapping
    with pytest.raises(KeyError, match="no 'offset_mapping', only input_ids"):
        _ = encoding["offset_mapping"]
    assert encoding.get("offset_mapping") is None
    assert not hasattr(encoding, "offset_mapping")


def test_copies():
    encoding = BatchEncoding({"input_ids": [0, 2]})
    for other in (copy.deepcopy(encoding), pickle.loads(pickle.dumps(encoding))):
        assert isinstance(other, BatchEncoding)
        assert other == encoding


def test_a_copy_still_knows_its_texts():
    encoding = RobertaTokenizer.from_pretrained()("two words", return_offsets_mapping=True)
    for other in (copy.deepcopy(encoding), pickle.loads(pickle.dumps(encoding))):
        assert other == encoding
        assert other.word_ids() == encoding.word_ids()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"return_offsets_mapping": True},
        {"add_prefix_space": True, "return_offsets_mapping": True, "padding": True},
        {"truncation": True, "max_length": 4, "stride": 1, "return_overflowing_tokens": True},
    ],
)
def test_a_pickled_encoding_has_its_rows_and_no_tokenizer(options):
    encoding = RobertaTokenizer.from_pretrained()(["two words", "a <mask> b 😀"], **options)
    pickled = pickle.dumps(encoding)
    assert len(pickled) < 4000
    other = pickle.loads(pickled)
    for row, same in zip(encoding.encodings, other.encodings, strict=True):
        assert (same.ids, same.tokens, same.offsets) == (row.ids, row.tokens, row.offsets)
        assert (same.word_ids, same.sequence_ids) == (row.word_ids, row.sequence_ids)
    assert pickle.dumps(other) == pickle.dumps(pickle.loads(pickle.dumps(other)))


def test_pickled_rows_of_ids_still_say_what_is_missing():
    encoding = RobertaTokenizer.from_pretrained().prepare_for_model([5])
    other = pickle.loads(pickle.dumps(encoding))
    assert other[0].ids == encoding[0].ids
    with pytest.raises(ValueError, match="made from ids, so nothing is known of words"):
        other.word_ids()


def test_a_shallow_copy_finds_its_rows_when_asked():
    encoding = RobertaTokenizer.from_pretrained()("two words")
    other = copy.copy(encoding)
    assert other == encoding
    assert other.word_ids() == encoding.word_ids()


def test_what_is_known_of_all_rows_is_worked_out_once():
    """A long text has many windows, each a row."""
    tokenizer = RobertaTokenizer.from_pretrained(add_prefix_space=True)
    windows = tokenizer(
        "two words " * 50, truncation=True, max_length=8, return_overflowing_tokens=True
    )
    first, second = windows.encodings[:2]
    (text,) = first._texts
    assert second._texts == [text]
    for name in ("tokens", "words", "spans", "trimmed", "trimmed_at_start"):
        assert getattr(text, name) is getattr(text, name)


def test_rows_by_integers_of_any_kind():
    encoding = RobertaTokenizer.from_pretrained()(["a", "b"])
    assert encoding[np.int64(1)].ids == encoding[1].ids
    assert encoding[:1] == {name: column[:1] for name, column in encoding.items()}


def test_what_is_not_made_from_texts_knows_no_words():
    tokenizer = RobertaTokenizer.from_pretrained()
    with pytest.raises(ValueError, match="was not made from texts"):
        tokenizer.pad({"input_ids": [5]}).word_ids()
    with pytest.raises(ValueError, match="made from ids, so nothing is known of words"):
        tokenizer.prepare_for_model([5]).word_ids()
    with pytest.raises(ValueError, match="made from ids, so nothing is known of words"):
        tokenizer.prepare_for_model([5], return_offsets_mapping=True)


def test_rows_are_counted():
    encoding = RobertaTokenizer.from_pretrained()(["a", "b"])
    assert encoding[-1].tokens == encoding.tokens(1)
    for ask in (lambda: encoding[2], lambda: encoding.word_ids(-3)):
        with pytest.raises(IndexError, match="this encoding has 2"):
            ask()


def test_negative_tokens_count_from_the_end():
    encoding = RobertaTokenizer.from_pretrained()("two words")
    last = len(encoding.input_ids) - 1
    assert encoding.token_to_chars(-2) == encoding.token_to_chars(last - 1) is not None
    assert encoding.token_to_word(-2) == encoding.token_to_word(last - 1) is not None
    assert encoding.token_to_chars(-1) is None


def test_tensors_in_place():
    encoding = RobertaTokenizer.from_pretrained()("two words")
    n_tokens = len(encoding.input_ids)
    assert encoding.convert_to_tensors("np", prepend_batch_axis=True) is encoding
    assert encoding.input_ids.shape == (1, n_tokens)
    assert encoding.to("cpu") is encoding
    with pytest.raises(ValueError, match="device 'tpu' is not known"):
        encoding.to("tpu")


@pytest.mark.parametrize(
    ("device", "name"),
    [("cpu", "cpu"), ("cuda", "cuda"), (1, "cuda:1"), (SimpleNamespace(id=0), "cuda:0")],
)
def test_names_of_devices(device, name, monkeypatch):
    encoding = RobertaTokenizer.from_pretrained()("two words", return_tensors="np")
    monkeypatch.setattr(
        "minirobert.tokenization.rows.batch_encoding.to_device",
        lambda array, device: (device, array.shape),
    )
    assert encoding.to(device).input_ids[0] == name


def test_where_the_model_is():
    config = RobertaConfig(
        vocab_size=8192, hidden_size=4, num_attention_heads=2, num_hidden_layers=1
    )
    model = RobertaModel(config)
    for tensors in (None, "np", "pt"):
        encoding = RobertaTokenizer.from_pretrained()("two words", return_tensors=tensors)
        before = dict(encoding)
        assert encoding.to(model.device) is encoding
        assert all(encoding[name] is before[name] for name in before)


def test_torch_tensors():
    encoding = RobertaTokenizer.from_pretrained()(
        ["two words", "a"], padding=True, return_tensors="pt"
    )
    assert encoding.input_ids.dtype == encoding.attention_mask.dtype == torch.int64
    assert encoding.to("meta").input_ids.device.type == "meta"
