"""The judges of single lessons say what is wrong, and in which words."""

from functools import partial

import numpy as np
import pytest

from minirobert import observe
from minirobert.attention import dot
from tutorials.exercises.judging import Refused, written
from tutorials.exercises.lesson_04 import SameLayer, _layer, _merged_as_they_lie
from tutorials.exercises.lesson_05 import MasksLikeBert
from tutorials.exercises.solutions import ANSWERS

LAYER, MASKS = SameLayer(), MasksLikeBert()


@pytest.mark.parametrize(
    ("mistake", "tensor"),
    [
        ({"divisor": ""}, "attention.self.scores"),
        ({"masks": False}, "attention.self.probabilities"),
        ({"merge": _merged_as_they_lie}, "attention.self.context"),
        ({"join": lambda x, residual, norm: norm(x) + residual}, "attention.output.LayerNorm"),
        ({"curve": lambda x: np.maximum(x, 0)}, "intermediate"),
        ({"second_residual": False}, "output.LayerNorm"),
    ],
)
def test_the_first_wrong_tensor_of_a_layer_is_named(mistake, tensor):
    with pytest.raises(Refused, match=f"first wrong: {tensor}, worst at text ") as refused:
        LAYER(partial(_layer, **mistake))
    assert "how far: " in str(refused.value)


def test_what_a_layer_does_not_observe_is_told():
    def silent(*arguments):
        return ANSWERS["4.6"]()(*arguments) + 1

    with pytest.raises(Refused, match=r"the mistake may be there: output.dense, output.sum$"):
        LAYER(silent)


def test_a_layer_may_observe_all_or_nothing():
    def plain(hidden, attend, layer, config):
        from minirobert.encoder import encoder_layer

        return encoder_layer(hidden, attend, layer, config).hidden

    LAYER(plain)  # the package's own, under all its names
    LAYER(_layer)


def test_a_tensor_of_a_layer_without_name_or_shape_is_refused():
    with pytest.raises(Refused, match="no tensor of a layer is named 'heads'"):
        LAYER(lambda hidden, *_: observe("heads", hidden))
    with pytest.raises(Refused, match=r"output.LayerNorm has the shape \[5, 12\], but \[2, 5, 12"):
        LAYER(lambda hidden, *_: hidden[0])

    def flat(hidden, *_):
        observe("attention.self.scores", dot(hidden[:, None], hidden[:, None]))
        return hidden

    with pytest.raises(Refused, match=r"scores has the shape \[2, 1, 5, 5\], but \[2, 3, 5, 5\]"):
        LAYER(flat)
    with pytest.raises(Refused, match="it raises TypeError"):
        LAYER(lambda: None)


def masked(shares, *, whole_rows=False, words=None, anywhere=False):
    """Make a function that masks by other shares, or with another mistake."""

    def mask(input_ids, chosen, rng, mask_id, n_words):
        fate = rng.random((len(input_ids), 1) if whole_rows else input_ids.shape)
        drawn = rng.integers(0, words or n_words, input_ids.shape)
        where = np.ones_like(chosen) if anywhere else chosen
        ids = np.where(where & (fate < shares[0]), mask_id, input_ids)
        return np.where(where & (fate >= shares[0]) & (fate < sum(shares)), drawn, ids)

    return mask


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (masked((1, 0)), "1.00 are <mask>, 0.00 as they were, 0.00 another word"),
        (masked((0.9, 0)), "wanted: 0.80, 0.10 and 0.10"),
        (masked((0.8, 0.15)), "wanted: 0.80, 0.10 and 0.10"),
        (masked((0.8, 0.1), anywhere=True), "that were not chosen, 0.90 are changed"),
        (masked((0.8, 0.1), whole_rows=True), "treated alike"),
        (masked((0.8, 0.1), words=9), "of 900 words only 8 occur"),
        (masked((0.8, 0.1), words=2000), "but there are 900 words"),
        (lambda ids, *_: ids[0], "of the shape"),
        (lambda ids, *_: ids.fill(3), "wanted: an array"),
    ],
)
def test_what_is_wrong_with_a_mask_is_told(wrong, told):
    with pytest.raises(Refused, match=told):
        MASKS(wrong)


def test_a_mask_must_not_change_what_it_was_given():
    def spoils(input_ids, chosen, rng, mask_id, n_words):
        input_ids[chosen] = mask_id
        return input_ids

    with pytest.raises(Refused, match="begin with a copy"):
        MASKS(spoils)


def test_the_right_shares_are_right():
    MASKS(masked((0.8, 0.1)))


def test_numbers_of_numpy_are_written_as_numbers():
    assert written(np.float32(0.5)) == "0.5"
    assert written((np.int64(3), [np.float64(1.5), "a"])) == "(3, [1.5, 'a'])"
