"""What a notebook shows of encodings and explanations is their text, and does nothing."""

import re
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minirobert import BatchEncoding, RobertaTokenizer
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR
from minirobert.tokenization.notebook import PIECES, ROWS, TOKENS
from minirobert.tokenization.units import units
from tests.marked_pages import harmless
from tests.test_marking import ANNA, escaped

tokenizer = RobertaTokenizer.from_pretrained()
#: Ids in full, in their order, as they stand below the tokens.
NUMBERS = re.compile(r"\d+")

texts = st.text(max_size=30) | st.sampled_from([ANNA, "<mask></s>", "a\n\nb", "👩‍🚀 é €5 & 'it'"])


def numbers(page):
    return list(map(int, NUMBERS.findall(" ".join(page.asides))))


@given(texts)
@example(ANNA)
def test_all_of_an_encoding_is_shown(text):
    encoding = tokenizer(text, split_special_tokens=True)
    page = harmless(encoding._repr_html_())
    # the text that is copied is that of the tokens, a frame around it
    assert page.text == f"<s>{escaped(text)}</s>"
    assert numbers(page) == encoding.input_ids
    assert harmless(encoding[0]._repr_html_()).text == page.text
    notes = " ".join(page.titles)
    assert notes == escaped(" ".join(encoding.tokens()))


@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_is_shown_once(side):
    tokenizer.padding_side = side
    try:
        encoding = tokenizer(
            ["Hi <mask>", "Is it red?"], ["a", "b c"], padding="max_length", max_length=20
        )
    finally:
        tokenizer.padding_side = "right"
    page = harmless(encoding._repr_html_())
    first, second = encoding.tokens(0), encoding.tokens(1)
    assert page.text.count("<pad>") == 2
    assert page.text.count("<s>") == page.text.count("</s>") / 3 == 2
    assert re.findall(r"× (\d+)", " ".join(page.asides)) == [
        str(row.count("<pad>")) for row in (first, second)
    ]
    faded = [style["style"] for tag, style in page.tags if "dotted" in style.get("style", "")]
    framed = [style["style"] for tag, style in page.tags if "solid" in style.get("style", "")]
    assert (len(faded), len(framed)) == (2, 8)


def test_columns_are_told_and_may_be_arrays():
    encoding = tokenizer(["a", "b <i>"], return_tensors="np", padding=True)
    page = encoding._repr_html_()
    assert "<summary>input_ids, attention_mask</summary>" in page
    shape = list(encoding.input_ids.shape)
    assert f"input_ids: an array (ndarray) of shape {shape}" in page
    harmless(page)
    encoding["<b>"] = np.zeros(3)
    assert "&lt;b&gt;" in encoding._repr_html_()
    harmless(encoding._repr_html_())


def test_what_was_not_made_of_texts_is_not_shown():
    assert BatchEncoding({"input_ids": [0, 2]})._repr_html_() is None
    assert tokenizer.pad({"input_ids": [0, 2]})._repr_html_() is None


def test_of_much_a_part_is_shown():
    encoding = tokenizer(["x " * 3000] * (ROWS + 2), truncation=True, max_length=2000)
    page = harmless(encoding._repr_html_())
    assert (
        " ".join(page.asides).count(f"… and {2000 - TOKENS:,} more tokens, not shown here") == ROWS
    )
    assert " ".join(page.asides).endswith("… and 2 more rows, not shown here")
    assert len(page.titles) == ROWS * TOKENS
    one = harmless(
        tokenizer("x" * (TOKENS - 1), truncation=True, max_length=TOKENS + 1)[0]._repr_html_()
    )
    assert " ".join(one.asides).count("… and") <= 1
    explanation = harmless(tokenizer.explain("x " * 300)._repr_html_())
    assert f"… and {len(tokenizer.explain('x ' * 300).pieces) - PIECES} more pieces" in " ".join(
        explanation.asides
    )


def in_alphabet(pieces):
    return ["".join(BYTE_TO_CHAR[byte] for byte in piece) for piece in pieces]


@given(st.text(max_size=9), st.lists(st.integers(1, 30), max_size=12, unique=True).map(sorted))
@example("a😀é", [1, 3, 6])
def test_units_are_whole_characters(text, cuts):
    data = text.encode()
    places = [0, *(cut for cut in cuts if cut < len(data)), len(data)]
    pieces = [data[start:end] for start, end in pairwise(places)] if data else []
    found = [*units(in_alphabet(pieces))]
    assert "".join(unit.text for unit in found) == text
    for unit in found:
        assert b"".join(pieces[unit.start : unit.end]).decode() == unit.text
        for end in range(unit.start + 1, unit.end):
            with pytest.raises(UnicodeDecodeError):
                b"".join(pieces[unit.start : end]).decode()


@given(st.lists(st.binary(min_size=1, max_size=3), max_size=9))
def test_units_of_what_is_no_text_are_shown_too(pieces):
    found = [*units(in_alphabet(pieces))]
    places = [place for unit in found for place in range(unit.start, unit.end)]
    assert places == [*range(len(pieces))]


def cells(page):
    """Give the texts of the table's cells, in rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", row, re.DOTALL) for row in rows]


@given(texts)
@example(ANNA)
@example(" understanding unbelievable")
def test_all_of_an_explanation_is_shown(text):
    explanation = tokenizer.explain(text)
    page = explanation._repr_html_()
    harmless(page)
    headings, *rows = cells(page)
    assert len(headings) == 5
    each = [cells(piece._repr_html_())[1:] for piece in explanation.pieces]
    assert [row for table in each for row in table] == rows
    for piece, row in zip(explanation.pieces, rows, strict=True):
        shown, kind, symbols, merges, tokens = (harmless(f"<div>{cell}</div>") for cell in row)
        assert shown.text == escaped(piece.text)
        assert kind.text == piece.kind
        assert symbols.text == escaped(" ".join(piece.symbols))
        ranks = [f"{one.rank}: {one.left} + {one.right}" for one in piece.merges]
        if len(ranks) <= 16:
            assert merges.text == escaped("".join(ranks))
        assert numbers(tokens) == [token.id for token in piece.tokens]
        if piece.kind != "added token":
            assert tokens.text == escaped(piece.text)


def test_many_merges_are_folded():
    page = tokenizer.explain("understanding" * 3)._repr_html_()
    assert "merges</summary>" in page
    assert "merges</summary>" not in tokenizer.explain("understanding")._repr_html_()


def test_a_text_from_the_right_begins_there():
    """The browser asks the first letters outside bdi, which those of <s> would be."""
    page = tokenizer("שלום")._repr_html_()
    assert page.index("<bdi>&lt;s&gt;</bdi>") < page.index("ש")
    assert '<div dir="auto"' in page
