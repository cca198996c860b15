"""The heads, written out for one text, one token or one choice at a time."""

from functools import partial

import numpy as np
import pytest

from minirobert import heads, watch
from minirobert.parameters import build_tree, map_tree
from tests import libraries
from tests.libraries import LIBRARIES

B, S, H, C = 2, 5, 4, 3
RNG = np.random.default_rng(7)
HIDDEN = RNG.standard_normal((B, S, H))


def linear_map(outputs, name=""):
    return {
        f"{name}weight": RNG.standard_normal((outputs, H)),
        f"{name}bias": RNG.standard_normal(outputs),
    }


def run(head, library, x, params, *more):
    with watch() as seen:
        result = head(library.array(x), map_tree(library.array, build_tree(params)), *more)
    return result, seen


close = partial(libraries.close, bound=1e-14, at_least=1.0)


@pytest.mark.parametrize("library", LIBRARIES)
def test_a_text_is_classified_by_its_first_token(library):
    params = {**linear_map(H, "dense."), **linear_map(C, "out_proj.")}
    logits, seen = run(heads.sequence_classifier, library, HIDDEN, params)
    dense = [params["dense.weight"] @ text[0] + params["dense.bias"] for text in HIDDEN]
    expected = [params["out_proj.weight"] @ np.tanh(x) + params["out_proj.bias"] for x in dense]
    close(logits, expected)
    names = ["input", "dense", "tanh", "logits"]
    assert list(seen) == [f"classifier.{name}" for name in names]
    close(seen["classifier.input"], HIDDEN[:, 0])
    close(seen["classifier.dense"], dense)
    close(seen["classifier.tanh"], np.tanh(dense))
    assert seen["classifier.logits"] is logits


@pytest.mark.parametrize("library", LIBRARIES)
def test_each_token_is_classified_alone(library):
    params = linear_map(C)
    logits, seen = run(heads.token_classifier, library, HIDDEN, params)
    close(logits, [[params["weight"] @ h + params["bias"] for h in text] for text in HIDDEN])
    assert list(seen) == ["classifier.input", "classifier.logits"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_first_row_is_for_the_start_and_the_second_for_the_end(library):
    params = linear_map(2)
    (start, end), seen = run(heads.span_classifier, library, HIDDEN, params)
    for row, logits in enumerate((start, end)):
        close(
            logits, [[params["weight"][row] @ h + params["bias"][row] for h in t] for t in HIDDEN]
        )
    names = ["qa_outputs.logits", "qa_outputs.start_logits", "qa_outputs.end_logits"]
    assert list(seen) == names
    assert seen["qa_outputs.logits"].shape == (B, S, 2)
    assert seen["qa_outputs.end_logits"] is end


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_choices_of_a_text_stand_side_by_side(library):
    params, pooled = linear_map(1), RNG.standard_normal((B * C, H))
    logits, seen = run(heads.choice_classifier, library, pooled, params, C)
    scores = [float(params["weight"][0] @ x + params["bias"][0]) for x in pooled]
    close(logits, [scores[:C], scores[C:]])
    assert list(seen) == ["classifier.logits"]


@pytest.mark.parametrize("library", LIBRARIES)
def test_the_pooler_takes_the_first_token(library):
    params = linear_map(H, "dense.")
    pooled, seen = run(heads.pooler, library, HIDDEN, params)
    dense = [params["dense.weight"] @ text[0] + params["dense.bias"] for text in HIDDEN]
    close(pooled, np.tanh(dense))
    assert list(seen) == ["pooler.dense", "pooler"]
    close(seen["pooler.dense"], dense)
    assert seen["pooler"] is pooled
