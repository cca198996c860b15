"""Bad input gives a sentence with the value, the limit and the cure, before any computation."""

import re
from dataclasses import replace

import numpy as np
import pytest

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel, RobertaTokenizer, watch
from tests.libraries import LIBRARIES, host

CONFIG = RobertaConfig(
    vocab_size=20, hidden_size=12, num_attention_heads=3, num_hidden_layers=2,
    intermediate_size=5, max_position_embeddings=9, type_vocab_size=2,
)  # fmt: skip
MODEL = RobertaForMaskedLM(CONFIG)
IDS = np.array([[0, 5, 6, 2], [0, 7, 2, 1]])
MASK = np.ones((2, 4), np.int64)
EMBEDS = np.zeros((2, 4, 12), np.float32)
LABELS = np.full((2, 4), -100)


def at(array, where, value):
    changed = np.array(array)
    changed[where] = value
    return changed


BAD = {
    "neither": ({}, ValueError, "neither input_ids nor inputs_embeds was given: give one of them"),
    "both": (
        {"input_ids": IDS, "inputs_embeds": EMBEDS},
        ValueError,
        "input_ids and inputs_embeds were both given: give only one",
    ),
    "one axis": (
        {"input_ids": IDS[0]},
        ValueError,
        r"input_ids has 1 axes \(shape \[4\]\), but must be \[batch, sequence\]: write "
        r"input_ids\[None, :\] for a batch of one",
    ),
    "no row": ({"input_ids": []}, ValueError, r"input_ids has 1 axes \(shape \[0\]\)"),
    "numbers and rows": (
        {"input_ids": [np.array(0), np.array([5, 2])]},
        ValueError,
        "no array of numbers with rows of one length: give integers of at most 64 bits",
    ),
    "three axes": ({"input_ids": IDS[None]}, ValueError, r"input_ids has 3 axes"),
    "float ids": ({"input_ids": IDS * 1.0}, TypeError, "dtype float64, but must hold integers"),
    "boolean ids": ({"input_ids": IDS > 1}, TypeError, "dtype bool, but must hold integers"),
    "text": (
        {"input_ids": "Hello"},
        ValueError,
        "input_ids is no array of numbers .* tokenize texts",
    ),
    "ragged": (
        {"input_ids": [[0, 2], [0]]},
        ValueError,
        "input_ids is no array of numbers with rows of one length",
    ),
    "no text": ({"input_ids": IDS[:0]}, ValueError, r"input_ids is empty \(shape \[0, 4\]\)"),
    "no token": ({"input_ids": IDS[:, :0]}, ValueError, r"empty \(shape \[2, 0\]\): give at least"),
    "id too large": (
        {"input_ids": at(IDS, (1, 2), 20)},
        ValueError,
        r"input_ids\[1, 2\] is 20, but must be from 0 to 19 \(vocab_size is 20\)",
    ),
    "negative id": ({"input_ids": at(IDS, (0, 3), -1)}, ValueError, r"input_ids\[0, 3\] is -1"),
    "too long": (
        {"input_ids": np.full((1, 8), 5)},
        ValueError,
        "a sequence has 8 tokens, but the position table's 9 rows hold at most 7 "
        r"\(rows 0 and 1 are the padding offset\): truncate to 7",
    ),
    "embeds too long": (
        {"inputs_embeds": np.zeros((1, 8, 12), np.float32)},
        ValueError,
        "a sequence has 8 tokens, but the position table's 9 rows hold at most 7",
    ),
    "embeds too wide": (
        {"inputs_embeds": np.zeros((2, 4, 13), np.float32)},
        ValueError,
        r"inputs_embeds has shape \[2, 4, 13\], but must have \[batch, sequence, 12\]",
    ),
    "embeds of two axes": ({"inputs_embeds": EMBEDS[0]}, ValueError, r"has shape \[4, 12\]"),
    "no embeds": ({"inputs_embeds": EMBEDS[:, :0]}, ValueError, "inputs_embeds is empty"),
    "integer embeds": (
        {"inputs_embeds": EMBEDS.astype(int)},
        TypeError,
        "inputs_embeds has dtype int64, but must hold floating-point numbers",
    ),
    "embeds of another dtype": (
        {"inputs_embeds": EMBEDS.astype(float)},
        TypeError,
        "inputs_embeds has dtype float64, but the model computes in float32: convert one",
    ),
    "mask too short": (
        {"input_ids": IDS, "attention_mask": MASK[:, :3]},
        ValueError,
        r"attention_mask has shape \[2, 3\], but must have \[2, 4\] or \[1, 4\] or \[2, 4, 4\]",
    ),
    "mask of other texts": ({"input_ids": IDS, "attention_mask": MASK[[0, 0, 0]]}, ValueError, "3"),
    "mask of one axis": ({"input_ids": IDS, "attention_mask": MASK[0]}, ValueError, r"shape \[4\]"),
    "mask of four axes": (
        {"input_ids": IDS, "attention_mask": MASK[:, None, None]},
        ValueError,
        r"attention_mask has shape \[2, 1, 1, 4\]",
    ),
    "half a mask": (
        {"input_ids": IDS, "attention_mask": at(MASK * 1.0, (1, 3), 0.5)},
        ValueError,
        r"attention_mask\[1, 3\] is 0.5, but must be 1 \(attend\) or 0 \(masked\)",
    ),
    "a mask of minus infinity": (
        {"input_ids": IDS, "attention_mask": np.where(IDS == 1, -np.inf, 0)},
        ValueError,
        r"attention_mask\[1, 3\] is -inf",
    ),
    "token type too large": (
        {"input_ids": IDS, "token_type_ids": at(IDS * 0, (0, 1), 2)},
        ValueError,
        r"token_type_ids\[0, 1\] is 2, but must be from 0 to 1 \(type_vocab_size is 2\)",
    ),
    "token types of another shape": (
        {"input_ids": IDS, "token_type_ids": IDS[:1] * 0},
        ValueError,
        r"token_type_ids has shape \[1, 4\], but must have \[2, 4\]",
    ),
    "float token types": ({"input_ids": IDS, "token_type_ids": IDS * 0.0}, TypeError, "integers"),
    "position too large": (
        {"input_ids": IDS, "position_ids": [0, 1, 2, 9]},
        ValueError,
        r"position_ids\[0, 3\] is 9, but must be from 0 to 8 \(max_position_embeddings is 9\)",
    ),
    "too few positions": (
        {"input_ids": IDS, "position_ids": [0, 1, 2]},
        ValueError,
        r"position_ids has shape \[1, 3\], but must have \[1, 4\] or \[2, 4\]",
    ),
    "head mask of other heads": (
        {"input_ids": IDS, "head_mask": np.ones(4)},
        ValueError,
        r"head_mask has shape \[4\], but must have \[3\] or \[2, 3\]",
    ),
    "head mask of other layers": (
        {"input_ids": IDS, "head_mask": np.ones((3, 3))},
        ValueError,
        r"head_mask has shape \[3, 3\], but must have \[3\] or \[2, 3\]",
    ),
    "labels of another shape": (
        {"input_ids": IDS, "labels": LABELS[:, :3]},
        ValueError,
        r"labels has shape \[2, 3\], but must have \[2, 4\]",
    ),
    "label too large": (
        {"input_ids": IDS, "labels": at(LABELS, (1, 0), 20)},
        ValueError,
        r"labels\[1, 0\] is 20, but must be from 0 to 19 or -100 \(there are 20 classes\)",
    ),
    "negative label": ({"input_ids": IDS, "labels": at(LABELS, (1, 0), -1)}, ValueError, "is -1"),
    "float labels": ({"input_ids": IDS, "labels": LABELS * 1.0}, TypeError, "labels has dtype flo"),
}


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("case", BAD)
def test_a_sentence_before_any_computation(case, library):
    arguments, error, sentence = BAD[case]
    placed = {
        name: library.array(value) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    model = library.model(MODEL)
    with watch() as seen, pytest.raises(error, match=sentence):
        model(**placed)
    assert not seen


def test_the_base_model_checks_too():
    with pytest.raises(ValueError, match="neither input_ids nor inputs_embeds"):
        RobertaModel(CONFIG)()
    with pytest.raises(TypeError, match="labels"):
        RobertaModel(CONFIG)(IDS, labels=LABELS)


@pytest.mark.parametrize(
    ("pad", "rows", "sentence"),
    [
        (0, 5, r"5 rows hold at most 4 \(row 0 is the padding offset\): truncate to 4"),
        (3, 9, r"9 rows hold at most 5 \(rows 0 to 3 are the padding offset\): truncate to 5"),
    ],
)
def test_the_offset_follows_the_padding_id(pad, rows, sentence):
    config = RobertaConfig(
        vocab_size=20, hidden_size=12, num_hidden_layers=0, intermediate_size=5,
        max_position_embeddings=rows, pad_token_id=pad,
    )  # fmt: skip
    model = RobertaModel(config)
    longest = rows - pad - 1
    assert model(np.full((1, longest), 7)).last_hidden_state.shape == (1, longest, 12)
    with pytest.raises(ValueError, match=sentence):
        model(np.full((1, longest + 1), 7))
    padded = np.full((1, longest + 4), pad)  # padding takes no rows of its own
    padded[0, :longest] = 7
    assert model(padded).last_hidden_state.shape == (1, longest + 4, 12)


def test_what_is_right_is_accepted():
    """Lists, int32, one mask row for all texts, masks of any dtype, positions of one axis."""
    expected = MODEL(IDS).logits
    for ids in (IDS.tolist(), IDS.astype(np.int32), IDS.astype(np.uint8)):
        np.testing.assert_array_equal(MODEL(ids).logits, expected)
    for mask in (MASK, MASK[:1], MASK > 0, MASK * 1.0, MASK.tolist(), np.ones((2, 4, 4), bool)):
        np.testing.assert_array_equal(MODEL(IDS, mask).logits, expected)
    fixed = MODEL(IDS, position_ids=[2, 3, 4, 5]).logits
    np.testing.assert_array_equal(MODEL(IDS, position_ids=[[2, 3, 4, 5]] * 2).logits, fixed)


@pytest.mark.parametrize("library", LIBRARIES)
def test_unsigned_labels_and_lists_of_embeddings(library):
    model = library.model(MODEL)
    ids = library.array(IDS)
    expected = host(model(ids, labels=ids).loss)
    assert host(model(ids, labels=library.array(IDS.astype(np.uint8))).loss) == expected
    embeds = MODEL.word_embeddings[IDS]
    from_list = model(inputs_embeds=embeds.tolist()).logits
    np.testing.assert_array_equal(
        host(from_list), host(model(inputs_embeds=library.array(embeds)).logits)
    )


def test_the_cure_for_a_tokenization_cures():
    """The call that the sentence gives is made, and gives what the first text gives alone."""
    tokenizer = RobertaTokenizer.from_pretrained()
    model = RobertaModel(replace(CONFIG, vocab_size=len(tokenizer), max_position_embeddings=20))
    text, texts = "Hello", ["Hello", "The sky is blue."]
    names = {"model": model, "tokenizer": tokenizer, "text": text, "texts": texts}
    alone = model([tokenizer(text)["input_ids"]]).last_hidden_state[0]  # [S, H]
    calls = (
        lambda: model(tokenizer(text)),
        lambda: model(tokenizer(texts)),
        lambda: model(**tokenizer(texts)),
        lambda: model(texts),
    )
    for call in calls:
        with pytest.raises(ValueError, match="as in model") as caught:
            call()
        cure = re.search(r"model\(.*\)", str(caught.value))[0]
        found = eval(cure, names).last_hidden_state[0, : len(alone)]
        np.testing.assert_allclose(found, alone, atol=1e-5)
    with pytest.raises(ValueError, match=r"give \[input_ids\] .* as tokenizer\(\[text\]\) does"):
        model(**tokenizer(text))
