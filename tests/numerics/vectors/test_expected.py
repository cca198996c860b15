"""What is expected is what transformers computes, in float64; and what we do, in any dtype."""

import json
from functools import cache

import numpy as np
import pytest
import torch
import transformers

from minirobert import watch
from minirobert.numerics.traces import host
from minirobert.numerics.vectors.expected import joined, run
from minirobert.numerics.vectors.tensors import BUDGET, largest_error
from tests.equivalence.test_generation import WithForwardPositions
from tests.numerics.vectors.written import cases, expected

transformers.logging.set_verbosity_error()

#: What transformers' outputs are called, by our names.
OUTPUTS = {
    "lm_head.logits": "logits",
    "classifier.logits": "logits",
    "qa_outputs.start_logits": "start_logits",
    "qa_outputs.end_logits": "end_logits",
    "pooler": "pooler_output",
    "encoder.layer.0.output.LayerNorm": "last_hidden_state",
    "loss": "loss",
}


def close(actual, expected, bound=1e-12):
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    scale = np.max(abs(expected))
    np.testing.assert_allclose(actual, expected, rtol=0, atol=bound * scale)


@cache
def loaded(vectors, name, attention):
    case = cases()[name]
    kind = getattr(transformers, case.architecture)
    model = kind.from_pretrained(
        vectors / name,
        dtype=torch.float64,
        attn_implementation=attention,
        chunk_size_feed_forward=0,  # it cannot cut 5 tokens into twos
        **case.options,
    )
    return model.eval()


def theirs(vectors, name, dtype=torch.float64, attention="eager"):
    """Give transformers' model of a case; in what dtype it is holds until the next call."""
    return loaded(vectors, name, attention).to(dtype)


def tensors_of(call):
    """Make tensors of the arguments of a call, floats in float64."""
    made = {name: torch.tensor(value) for name, value in call.items() if isinstance(value, list)}
    floats = {name: one.double() for name, one in made.items() if one.is_floating_point()}
    return {**call, **made, **floats}


def all_at_once(calls):
    """Put the tokens of several calls behind each other: transformers' cache counts padding."""
    last = tensors_of(calls[-1])
    ids = [tensors_of(call)["input_ids"] for call in calls]
    return {**last, "input_ids": torch.cat(ids, dim=1)}, [one.shape[1] for one in ids]


@pytest.mark.parametrize("name", [n for n, case in cases().items() if case.generate is None])
@torch.no_grad()
def test_transformers_computes_the_same(vectors, name):
    case = cases()[name]
    if name.endswith("training"):
        pytest.skip("dropout of torch cannot be told what to keep")
    model = theirs(vectors, name)
    right = expected(vectors, name)
    if len(case.calls) == 1:
        output = model(**tensors_of(case.calls[0]))
        for step in case.outputs:  # it computes the loss of a decoder in float32
            bound = 1e-6 if case.config.is_decoder and step == "loss" else 1e-12
            close(output[OUTPUTS[step]], right[step], bound)
        return
    texts, lengths = all_at_once(case.calls)
    logits = model(**texts, use_cache=False).logits.split(lengths, dim=1)
    is_token = texts["attention_mask"].bool().split(lengths, dim=1)  # padding sees other padding
    for step, one, seen in zip(case.outputs, logits, is_token, strict=True):
        close(one[seen], right[step][seen])


@pytest.mark.parametrize("name", [n for n, case in cases().items() if case.generate])
@torch.no_grad()
def test_transformers_writes_the_same_texts(vectors, name):
    case = cases()[name]
    right = expected(vectors, name)
    model = theirs(vectors, name)
    model.__class__ = WithForwardPositions
    wanted = {"return_dict_in_generate": True, "output_scores": True, "use_cache": False}
    output = model.generate(**tensors_of(case.calls[0]), **case.generate, **wanted)
    assert output["sequences"].tolist() == right["sequences"].tolist()
    if "sequences_scores" in case.outputs:
        close(output["sequences_scores"], right["sequences_scores"], 1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_we_are_within_the_budgets(vectors, dtype):
    """In float32 by a margin; in float64 by far."""
    most = {"float32": 0.5, "float64": 1e-7}[dtype]
    for name, case in cases().items():
        with watch(keep=() if case.generate is None else "lm_head.logits") as seen:
            texts = run(case, case.model(lambda weight: weight.astype(dtype)))
        right = expected(vectors, name)
        found = joined({step: host(array) for step, array in {**seen, **texts}.items()})
        assert set(case.outputs) <= found.keys()
        for step, array in found.items():
            error = largest_error(array, right[step], right.get(BUDGET + step))
            assert error.ratio < most, (name, step, error.why)


def test_the_tokenizer_is_that_of_transformers(vectors):
    groups = json.loads((vectors / "tokenizer/cases.json").read_text())["groups"]
    for group in groups:
        settings = dict(group["settings"])
        added = settings.pop("added_tokens", [])
        tokenizer = transformers.RobertaTokenizerFast(
            str(vectors / "tokenizer/vocab.json"),
            str(vectors / "tokenizer/merges.txt"),
            **{"add_prefix_space": group["name"] == "words", **settings},
        )
        tokenizer.add_tokens([transformers.AddedToken(**one) for one in added])
        for case in group["cases"]:
            assert answer(tokenizer, case) == case["expected"], (group["name"], case)


def answer(tokenizer, case):
    """Answer as the vectors do."""
    if "ids" in case:
        return tokenizer.decode(case["ids"], **case["options"])
    texts = case.get("words") or [
        tuple(text) if isinstance(text, list) else text for text in case["texts"]
    ]
    encoding = tokenizer(texts, **case["options"])
    samples = encoding.get("overflow_to_sample_mapping", range(len(texts)))
    return [
        {
            "text": sample,
            "input_ids": row.ids,
            "tokens": tokenizer.convert_ids_to_tokens(row.ids),  # without the space of <mask>
            "offsets": [list(span) for span in row.offsets],
            "words": row.word_ids,
            "sequences": row.sequence_ids,
            "attention_mask": row.attention_mask,
            "special_tokens_mask": row.special_tokens_mask,
        }
        for row, sample in zip(encoding.encodings, samples, strict=True)
    ]
