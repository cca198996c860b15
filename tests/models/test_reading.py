"""What is read of a call is what the whole call gives there; everything else is zero."""

import numpy as np
import pytest

from minirobert import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    watch,
)
from tests.libraries import LIBRARIES, OTHERS, close, host

FIELDS = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "max_position_embeddings": 14, "initializer_range": 0.5,
}  # fmt: skip
IDS = np.array([[0, 5, 6, 1, 7, 2], [1, 1, 0, 8, 2, 1]])
MASK = np.array([[1, 1, 0, 0, 1, 1], [0, 0, 1, 1, 1, 0]])  # with a hole, and padding on the left
SOME = np.array([[0, 1, 0, 0, 1, 0], [1, 0, 0, 0, 0, 0]])


def model(kind, dtype="float64", **fields):
    return kind(RobertaConfig(**FIELDS, **fields), seed=1).astype(dtype)


PER_TOKEN = [
    (RobertaForMaskedLM, {}, ["logits"]),
    (RobertaForCausalLM, {"is_decoder": True}, ["logits"]),
    (RobertaForTokenClassification, {"num_labels": 5}, ["logits"]),
    (RobertaForQuestionAnswering, {}, ["start_logits", "end_logits"]),
]


@pytest.mark.parametrize("library", [*LIBRARIES, *OTHERS[1:]])
@pytest.mark.parametrize(("kind", "fields", "names"), PER_TOKEN)
@pytest.mark.parametrize("read", ["tokens", SOME, np.zeros_like(SOME)], ids=["tokens", "some", "0"])
def test_of_heads_that_score_each_token(library, kind, fields, names, read):
    one = model(kind, "float32" if library.name == "jax" else "float64", **fields)
    whole = one(IDS, attention_mask=MASK)
    there = library.model(one)
    given = read if isinstance(read, str) else library.array(read)
    found = there(library.array(IDS), attention_mask=library.array(MASK), read=given)
    is_read = (MASK if isinstance(read, str) else read).astype(bool)
    for name in names:
        expected = getattr(whole, name).copy()
        expected[~is_read] = 0
        close(getattr(found, name), expected, 1e-5 if library.name == "jax" else 1e-10)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_of_a_model_without_a_head(dtype):
    one = model(RobertaModel, dtype)
    whole = one(IDS, attention_mask=MASK, output_hidden_states=True)
    found = one(IDS, attention_mask=MASK, output_hidden_states=True, read=SOME)
    close(found.pooler_output, whole.pooler_output, bound=1e-5)  # which reads the first token
    is_read = SOME.astype(bool)
    is_read[:, 0] = True
    close(found.last_hidden_state, whole.last_hidden_state * is_read[:, :, None], bound=1e-5)
    np.testing.assert_array_equal(found.hidden_states[-1], found.last_hidden_state)
    for state, expected in zip(found.hidden_states[:-1], whole.hidden_states, strict=False):
        np.testing.assert_array_equal(state, expected)
    close(one.hidden_states(IDS, MASK, read=SOME), whole.last_hidden_state * SOME[..., None], 1e-5)


def test_without_a_mask_tokens_are_all():
    one = model(RobertaForMaskedLM)
    np.testing.assert_array_equal(one(IDS, read="tokens").logits, one(IDS).logits)
    masked = one(IDS, attention_mask=MASK[:1], read="tokens").logits
    assert (masked.any(axis=2) == MASK[:1]).all()


def test_of_a_decoder_that_goes_on():
    """The mask that says where the tokens are has those in the cache, too."""
    one = model(RobertaForCausalLM, is_decoder=True)
    whole = one(IDS, attention_mask=MASK).logits
    past = one(IDS[:, :3], attention_mask=MASK[:, :3], read=np.zeros((2, 3), int)).past_key_values
    rest = one(IDS[:, 3:], attention_mask=MASK, past_key_values=past, read="tokens").logits
    close(rest, whole[:, 3:] * MASK[:, 3:, None])


@pytest.mark.parametrize("kind", [RobertaForSequenceClassification, RobertaForMultipleChoice])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_heads_that_read_the_first_token_need_not_be_told(kind, dtype):
    """Their logits are those of a call that computes everything, as with the hidden states."""
    one = model(kind, dtype, num_labels=3)
    choices = kind is RobertaForMultipleChoice
    ids, mask = (np.stack([x, x[::-1], x], axis=1) if choices else x for x in (IDS, MASK))
    whole = one(ids, attention_mask=mask, output_hidden_states=True)
    assert all(state.any(axis=2).all() for state in whole.hidden_states)
    close(one(ids, attention_mask=mask).logits, whole.logits, bound=1e-5)


def test_who_watches_sees_what_is_not_read():
    one = model(RobertaForMaskedLM, "float32")
    with watch() as seen:
        one(IDS, attention_mask=MASK, read=SOME)
    last = seen["roberta.encoder.layer.1.output.LayerNorm"]
    assert last.shape == (2, 6, 12)
    assert last.any(axis=2).all()
    assert seen["lm_head.logits"].shape == (1, SOME.sum(), 23)


@pytest.mark.parametrize(
    ("arguments", "error", "said"),
    [
        ({"read": "first"}, ValueError, "read is 'first', but must be \"tokens\", or 0 and 1"),
        ({"read": SOME[:, :5]}, ValueError, "read has shape"),
        ({"read": SOME * 2}, ValueError, r"1 \(read\) or 0 \(not read\)"),
        ({"read": SOME * 1j}, TypeError, "read has dtype complex128"),
        (
            {"read": "tokens", "attention_mask": np.ones((2, 6, 6), int)},
            ValueError,
            "attention_mask has a row for each token: give read",
        ),
        ({"read": SOME, "labels": IDS}, ValueError, "labels and read were both given"),
    ],
)
def test_what_cannot_be_read_is_told(arguments, error, said):
    with pytest.raises(error, match=said):
        model(RobertaForMaskedLM)(IDS, **arguments)


def test_the_zeros_are_of_the_models_dtype():
    logits = model(RobertaForMaskedLM, "float16")(IDS, read=SOME).logits
    assert logits.dtype == np.float16
    assert host(logits).any(axis=2).sum() == SOME.sum()
