"""Patterns of other libraries, each in the Rust tokenizer's own words, are named."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from minirobert.numerics.tokens import compare_tokens
from minirobert.numerics.tokens.pieces import pattern, pieces_suspects
from minirobert.numerics.tokens.steps import Call, steps_of
from minirobert.tokenization.pretokenizer import split_pieces
from tests.equivalence.texts import texts
from tests.numerics.tokens.joined import CONTRACTIONS, PARTS, joined, joined_texts
from tests.numerics.tokens.ports import best, ids_of, port, split_with


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("joined")
    joined().save_pretrained(path)
    return path


@given(texts)
def test_the_pattern_of_its_parts_is_the_pattern(text):
    assert regex.findall(pattern(), text, regex.VERSION1) == split_pieces(text)


def test_the_vocabulary_is_one_of_the_rust_tokenizer(directory):
    ids = ids_of(port(directory=directory), joined_texts())
    assert compare_tokens(joined(), joined_texts(), ids).first is None


C = "'s|'t|'re|'ve|'m|'ll|'d"
JS = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
L, N = r"\p{L}", r"\p{N}"


def wording(white=r"\s", letters=L, numbers=N, contractions=C + "|", space=" ?", many="+"):
    return (
        f"{contractions}{space}[{letters}]+|{space}[{numbers}]{many}"
        f"|{space}[^{white}{letters}{numbers}]+|[{white}]+(?![^{white}])|[{white}]+"
    )


PLANTED = {
    "JavaScript's": wording(white=JS),
    "has U+FEFF, too": wording(white="\\s\ufeff"),
    "has U+200B, too": wording(white="\\s\u200b"),
    "of ASCII alone, as Java's": wording(white="\t\n\v\f\r "),
    "Go's": wording(white="\t\n\f\r "),
    "Python's \\s": wording(white="\\s\x1c-\x1f"),
    "a-z and A-Z": wording(letters="a-zA-Z"),
    "0-9": wording(numbers="0-9"),
    "letters and numbers of ASCII": wording(letters="a-zA-Z", numbers="0-9"),
    "letters, numbers and white space of ASCII": wording("\t\n\v\f\r ", "a-zA-Z", "0-9"),
    "\\d for numbers": wording(numbers=r"\p{Nd}"),
    "Python's re": wording("\\s\x1c-\x1f", r"\p{L}\p{Nl}\p{No}", r"\p{Nd}"),
    "combining marks": wording(letters=r"\p{L}\p{M}"),
    "an underscore": wording(letters=r"\p{L}_"),
    "\\w for letters and numbers": r"'s|'t|'re|'ve|'m|'ll|'d| ?[\p{L}\p{N}_]+"
    r"| ?[^\s\p{L}\p{N}_]+|\s+(?!\S)|\s+",
    "without the contractions": wording(contractions=""),
    "in capitals": wording(contractions=f"(?i:{C})|"),
    "typographic": wording(contractions=C.replace("'", "['’]") + "|"),
    "without \\s+(?!\\S)": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+",
    "without the space before": wording(space=""),
    "any white space along": wording(space="\\s?"),
    "each digit": wording(many=""),
    "up to three digits": wording(many="{1,3}"),
    "at white space alone": r"\s*\S+|\s+",
    "one piece of the text": r"(?m:.)+",
    "each character": r"(?m:.)",
}


@pytest.mark.parametrize("says", PLANTED)
def test_other_patterns_are_named(directory, says):
    ids = ids_of(port(split_with(PLANTED[says]), directory=directory), joined_texts())
    named = best(compare_tokens(joined(), joined_texts(), ids))
    assert named.startswith("pieces: ")
    assert says in named


def test_astral_letters_of_utf_16_are_named():
    """JavaScript without the flag u sees two surrogates, which are no letters, nor numbers."""
    plain = regex.compile(
        rf"{C}| ?[\p{{L}}]+| ?[\p{{N}}]+| ?[^\s\p{{L}}\p{{N}}]+|\s+(?!\S)|\s+", regex.VERSION1
    )
    coder = steps_of(joined(), Call())

    def row(text):
        marked = "".join(c if c <= "\uffff" else "\ue000" * 2 for c in text)
        astral = iter([c for c in text if c > "\uffff"])
        pieces = [
            regex.sub("\ue000\ue000", lambda _: next(astral), p) for p in plain.findall(marked)
        ]
        return [0, *(i for piece in pieces for i in coder.encode(piece)), 2]

    named = best(compare_tokens(joined(), joined_texts(), map(row, joined_texts())))
    assert "beyond U+FFFF for neither" in named


@given(st.lists(st.sampled_from([*PARTS, *CONTRACTIONS]), max_size=8).map("".join))
def test_no_pattern_loses_a_character(text):
    steps = steps_of(joined(), Call())
    for suspect in pieces_suspects(None):
        assert "".join(suspect.change(steps).cut(text)) == text, suspect


def test_no_two_patterns_are_the_same():
    steps = steps_of(joined(), Call())
    rows = {tuple(map(tuple, map(steps.ids, joined_texts())))}
    for suspect in pieces_suspects(None):
        row = tuple(map(tuple, map(suspect.change(steps).ids, joined_texts())))
        assert row not in rows, suspect
        rows.add(row)
