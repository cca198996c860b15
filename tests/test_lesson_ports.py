"""Each port of lesson 9 has the mistake that its solution names, where it says, and no other."""

from functools import cache

import numpy as np
import pytest

from minirobert import RobertaForMaskedLM, RobertaTokenizer
from minirobert.numerics import compare
from tutorials.exercises import lesson_09, ports
from tutorials.exercises.solutions import ANSWERS

TEXTS = ["The color of the sky is <mask>.", "Grass is <mask>."]
FOUND = {**ANSWERS["9.2"](), **ANSWERS["9.5"]()}


@cache
def _compared(name):
    tokenizer, model = RobertaTokenizer.from_pretrained(), RobertaForMaskedLM.from_pretrained()
    batch = tokenizer(TEXTS, padding=True, return_tensors="np")
    return compare(model, ports.run(name, batch), explain=False)


@pytest.mark.parametrize("name", FOUND)
def test_the_first_tensor_that_departs_is_the_one_of_the_solution(name):
    tensor, cause = FOUND[name]
    assert _compared(name).first.name == tensor
    assert cause in ports.CAUSES


def test_the_last_port_has_two_mistakes():
    departing = [row.name for row in _compared("yew").departing]
    assert set(departing) == {tensor for tensor, _ in ANSWERS["9.7"]()}


def test_the_one_in_half_precision_departs_where_it_is():
    assert [row.name for row in _compared("pine").departing] == [
        "roberta.encoder.layer.1.intermediate"
    ]


def test_every_port_is_asked_for():
    assert sorted([*FOUND, "pine", "yew"]) == sorted(ports.NAMES)
    assert sorted([*lesson_09._RIGHT, "pine", "yew"]) == sorted(ports.NAMES)


def test_half_an_answer_is_told():
    tensor, cause = FOUND["hazel"]
    assert lesson_09._complaint_on("hazel", (tensor, cause)) is None
    assert "another cause" in lesson_09._complaint_on("hazel", (tensor, "a bias is left out"))
    assert "the cause, but" in lesson_09._complaint_on("hazel", ("lm_head.logits", cause))
    assert "neither" in lesson_09._complaint_on("hazel", ("x", "a bias is left out"))
    assert "not in ports.CAUSES" in lesson_09._complaint_on("hazel", (tensor, "bad luck"))


def test_the_two_mistakes_must_be_two():
    one, other = sorted(ANSWERS["9.7"]())
    same = (one[0].removesuffix(".dense"), one[1])
    assert lesson_09._complaint_on_two({one, other}) is None
    assert lesson_09._complaint_on_two({same, other}) is None
    assert "same mistake" in lesson_09._complaint_on_two([one, same])
    assert "none of the two" in lesson_09._complaint_on_two([one, ("x", other[1])])
    assert "another cause" in lesson_09._complaint_on_two([one, (other[0], one[1])])


def test_a_port_that_is_not_there():
    with pytest.raises(ValueError, match="no port 'ash', but alder, birch"):
        ports.run("ash", {"input_ids": np.array([[0, 2]])})
