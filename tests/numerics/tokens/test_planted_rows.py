"""Mistakes of what makes ids a row, and several mistakes at once, are named."""

import pytest

from minirobert.numerics.tokens import compare_tokens
from tests.equivalence.texts import ours
from tests.numerics.tokens.ports import (
    DIRECTORY,
    PAIRS,
    TEXTS,
    best,
    flagged,
    framed_by,
    ids_of,
    named,
    normalize_with,
    port,
    without_merges,
)

# Special tokens around the texts


S, END = ("<s>", 0), ("</s>", 2)


def framed(*, single, pair=None):
    def steps(layout):
        return [
            {"Sequence": {"id": step, "type_id": 0}}
            if step in "AB"
            else {"SpecialToken": {"id": step, "type_id": 0}}
            for step in layout.split()
        ]

    tokens = {name: {"id": name, "ids": [index], "tokens": [name]} for name, index in (S, END)}
    return framed_by(
        type="TemplateProcessing",
        single=steps(single),
        pair=steps(pair or "<s> A </s> </s> B </s>"),
        special_tokens=tokens,
    )


@pytest.mark.parametrize(
    ("single", "says"),
    [
        ("A", "no special tokens around the text"),
        ("<s> A", "or the pair, but no </s> behind"),
        ("A </s>", "or the pair, but no <s> before"),
        ("<s> <s> A </s> </s>", "twice"),
    ],
)
def test_frames(single, says):
    assert says in named(framed(single=single))


@pytest.mark.parametrize(
    ("pair", "says"),
    [
        ("A B", "no special tokens around"),
        ("<s> A </s> B </s>", "one </s> between the texts of a pair, as BERT"),
        ("<s> A </s> <s> B </s>", "frames each text of a pair alone"),
        ("<s> A B </s>", "nothing between the texts"),
        ("<s> B </s> </s> A </s>", "puts the second text of a pair first"),
        ("<s> A </s>", "leaves the second text of a pair out"),
        ("<s> A </s> </s> B", "or the pair, but no </s> behind it"),
    ],
)
def test_frames_of_pairs(pair, says):
    change = framed(single="<s> A </s>", pair=pair)
    first, second = zip(*PAIRS, strict=True)
    ids = ids_of(port(change), PAIRS)
    assert says in best(compare_tokens(ours(DIRECTORY), first, ids, second))


def test_frames_against_the_call():
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, ids_of(port()), add_special_tokens=False)
    assert "though none were asked for" in best(comparison)


def test_berts_numbers():
    rows = [[101, *row[1:-1], 102] for row in ids_of(port())]
    assert "BERT's 101 and 102" in best(compare_tokens(ours(DIRECTORY), TEXTS, rows))


# Truncation and padding


def truncated(strategy="LongestFirst", direction="Right", most=8):
    return lambda parts: parts.update(
        truncation={
            "strategy": strategy,
            "direction": direction,
            "max_length": most,
            "stride": 0,
        }
    )


#: Pairs that every strategy can cut.
LONG = [
    ("a b c d e f g h", "1 2 3 4 5 6"),
    ("x y", "1 2 3 4 5 6 7 8 9"),
    ("a b c d e f g", "z y x w v"),
]


@pytest.mark.parametrize(
    ("changes", "called", "says"),
    [
        ({}, {"most": None}, "does not truncate"),
        ({"direction": "Left"}, {}, "truncates on the left"),
        ({"strategy": "OnlyFirst", "most": 14}, {"most": 14}, "the first text of a pair alone"),
        ({"strategy": "OnlySecond", "most": 14}, {"most": 14}, "the second text of a pair alone"),
    ],
)
def test_truncation(changes, called, says):
    first, second = zip(*LONG, strict=True)
    made = () if called.get("most", 1) is None else (truncated(**changes),)
    ids = ids_of(port(*made), LONG)
    most = called.get("most") or 8
    comparison = compare_tokens(
        ours(DIRECTORY), first, ids, second, truncation=True, max_length=most
    )
    assert any(says in str(one) for one in comparison.explanations)
    assert best(comparison).startswith("truncation: ")


def test_rows_that_are_cut_with_their_special_tokens():
    rows = [row[:6] for row in ids_of(port())]
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, rows, truncation=True, max_length=6)
    assert "when the special tokens are around it" in best(comparison)
    rows = [row[:6] for row in ids_of(port(framed(single="A")))]
    rows = [[0, *row, 2] for row in rows]
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, rows, truncation=True, max_length=6)
    assert "without counting the special tokens" in best(comparison)


def test_a_length_that_was_not_asked_for():
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, ids_of(port(truncated(most=9))))
    assert best(comparison) == "truncation: the port truncates to 9 tokens on the right"
    comparison = compare_tokens(
        ours(DIRECTORY), TEXTS, ids_of(port(truncated(most=9, direction="Left")))
    )
    assert best(comparison) == "truncation: the port truncates to 9 tokens on the left"


@pytest.mark.parametrize("side", ["Right", "Left"])
def test_padding(side):
    padding = {
        "strategy": "BatchLongest",
        "direction": side,
        "pad_to_multiple_of": None,
        "pad_id": 1,
        "pad_type_id": 0,
        "pad_token": "<pad>",
    }
    says = named(lambda parts: parts.update(padding=padding))
    assert says.startswith(
        f"padding: the port leaves padding in the row: <pad> on the {side.lower()}"
    )
    says = named(lambda parts: parts.update(padding=padding | {"pad_id": 0}))
    assert "the id 0, which is not <pad>" in says


# Several at once


def test_mistakes_in_different_texts_are_all_named():
    def change(parts):
        normalize_with(type="Lowercase")(parts)
        flagged("<mask>", rstrip=True)(parts)

    comparison = compare_tokens(ours(DIRECTORY), TEXTS, ids_of(port(change)))
    says = [str(one) for one in comparison.explanations if not one.would_change]
    assert any("writes the text in lower case" in one for one in says)
    assert any("on both sides along" in one for one in says)
    assert all(one.explanations for one in comparison.departing)


def test_mistakes_in_the_same_text_are_named_together():
    changes = framed(single="A"), normalize_with(type="Lowercase"), without_merges(0)
    texts = ["Anna sat THERE", "the End", "plain"]
    says = named(*changes[:2], texts=texts)
    assert "lower case; and special tokens: the port puts no special tokens" in says
    assert (
        len(compare_tokens(ours(DIRECTORY), texts, ids_of(port(*changes), texts)).explanations) > 1
    )
