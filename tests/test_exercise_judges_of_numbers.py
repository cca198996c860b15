"""Judges of texts, sums, tensors and array libraries: what is wrong with an answer, and where."""

import math

import array_api_strict as strict
import numpy as np
import pytest

from minirobert.arrays import array_namespace
from minirobert.functional import softmax
from tutorials.exercises import course
from tutorials.exercises.judging import Refused
from tutorials.exercises.lesson_01 import SameTokens, drawn_texts
from tutorials.exercises.lesson_10 import AnyLibrary


def refusal(number, answer):
    return course.exercise(number).refusal(answer)


def with_numpy(x):
    e = np.exp(x - np.max(x, axis=-1, keepdims=True))
    return e / np.sum(e, axis=-1, keepdims=True)


def upcasting(x):
    return softmax(x * np.float64(1) if isinstance(x, np.ndarray) else x)


def leaving(x):
    return softmax(np.asarray(x) if isinstance(x, np.ndarray) else strict.ones(x.shape))


def changing(x):
    result = softmax(x)
    x[...] = 0
    return result


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (with_numpy, "on array_api_strict, device1"),
        (upcasting, "wanted: float32 as it goes in, and this is float64"),
        (leaving, "wanted: on the same device, and this is on"),
        (changing, "the array that it was given is another one now"),
        (lambda x: float(np.sum(x)), "wanted: an array of the same library, and this is of type"),
        (lambda x: softmax(x)[..., :2], "the shape [2, 3, 4], and this has [2, 3, 2]"),
    ],
)
def test_what_ties_a_function_to_one_library_is_named(answer, said):
    assert said in refusal("10.1", answer)


def test_a_mask_that_is_made_elsewhere_is_found():
    def mask_future(scores):
        xp = array_namespace(scores)
        places = xp.arange(scores.shape[-1])  # on the first device
        return xp.where(places[None, :] > places[:, None], -math.inf, scores)

    assert "on array_api_strict, device1" in refusal("10.5", mask_future)


def test_without_array_api_strict_numpy_judges_alone(monkeypatch):
    monkeypatch.setattr("tutorials.exercises.lesson_10.find_spec", lambda name: None)
    assert refusal("10.1", with_numpy) is None
    assert "this is float64" in refusal("10.1", upcasting)


def test_any_library_is_told_of_errors_with_its_arguments():
    judge = AnyLibrary(lambda x: x, ("x",), lambda rng: (np.ones(2),))
    with pytest.raises(Refused, match=r"on NumPy\n  for: x = \[1. 1.\]\n  it raises KeyError"):
        judge(lambda x: {}["a"])


def test_texts_hold_what_a_tokenizer_gets_wrong():
    texts = drawn_texts()
    assert len(texts) == 1000
    whole = "".join(texts)
    assert not any(special in whole for special in ("<s>", "</s>", "<pad>", "<unk>", "<mask>"))
    for part in ("  ", "\n\n", "’s", "'ll", "½", "👩‍🚀", "e\u0301", "\u3000", "ᚱ"):
        assert part in whole


def test_the_first_text_that_parts_is_told_with_its_place():
    judge = course.exercise("1.13").judge
    assert isinstance(judge, SameTokens)
    last = drawn_texts()[-1]

    def wrong_at_the_end(text):
        ids = judge.reference(text)
        return [*ids[:-1], 7] if text == last else ids

    with pytest.raises(Refused) as caught:
        judge(wrong_at_the_end)
    place = len(judge.reference(last)) - 1
    assert f"999 texts of 1000 are right, and then comes {last!r}" in str(caught.value)
    assert f"the ids part at place {place}, behind" in str(caught.value)
    assert "got: 7 " in str(caught.value)
    with pytest.raises(Refused, match="wanted: nothing more"):
        judge(lambda text: [*judge.reference(text), 7])


def test_a_sum_of_numpy_is_no_answer_to_how_to_sum():
    assert "np.add.reduce" in refusal("8.2", np.sum)
    assert "off by 8." in refusal("8.2", sum)
    assert "and this is float64" in refusal("8.2", lambda x: np.float64(0) + sum(x))


def test_a_judge_of_tensors_is_judged_by_what_it_lets_pass():
    def relative(got, wanted, limit=1e-5):
        return np.allclose(got, wanted, rtol=0, atol=limit * np.abs(wanted).max())

    assert "compare the shapes" in refusal("8.7", relative)

    def of_shape(limit, got, wanted):
        return got.shape == wanted.shape and relative(got, wanted, limit)

    assert "it refuses rounding" in refusal("8.7", lambda *both: of_shape(1e-7, *both))
    assert "it accepts one element" in refusal("8.7", lambda *both: of_shape(1e-2, *both))
    assert refusal("8.7", lambda *both: of_shape(1e-4, *both)) is None


def test_a_large_model_is_called_once():
    def one_by_one(read, prompt, draft):
        return [int(read(prompt)[0, -1].argmax()) for _ in draft]

    assert "called a second time" in refusal("6.12", one_by_one)
