"""Mistakes of the text, of special tokens in it, and of the space before it, are named."""

import unicodedata

import pytest
import regex

from minirobert.numerics.tokens import compare_tokens
from minirobert.numerics.tokens.pieces import pattern
from minirobert.numerics.tokens.steps import Call, steps_of
from tests.equivalence.texts import ours
from tests.numerics.tokens.joined import joined, joined_texts
from tests.numerics.tokens.ports import (
    BYTE_LEVEL,
    DIRECTORY,
    JS,
    TEXTS,
    best,
    flagged,
    ids_of,
    named,
    named_of,
    normalize_with,
    port,
)

# The text


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_normal_forms(form):
    assert named(normalize_with(type=form)) == f"text: the port normalises the text to {form}"


def test_lower_case():
    assert named(normalize_with(type="Lowercase")).endswith("writes the text in lower case")


def test_accents():
    accents = {"type": "Sequence", "normalizers": [{"type": "NFD"}, {"type": "StripAccents"}]}
    texts = [
        text for text in TEXTS if "हि" not in text
    ]  # whose vowel signs are marks of another kind
    assert named(normalize_with(**accents), texts=texts).endswith("takes accents off the letters")


def test_stripped():
    both = normalize_with(type="Strip", strip_left=True, strip_right=True)
    # The Rust tokenizer finds other added tokens than <mask> when it has stripped what is between.
    texts = [text for text in TEXTS if "</s>" not in text]
    assert "both ends of what stands between added tokens" in named(both, texts=texts)
    assert "white space off both ends of the text" in named_of(lambda text: text.strip(" \n"))
    assert "white space off the end of the text" in named_of(lambda text: text.rstrip(" \n"))
    assert "white space off the beginning of the text" in named_of(str.lstrip)


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda text: text + "\n", "leaves the line end, U+000A"),
        (lambda text: text + "\r\n", "leaves the line end, U+000D U+000A"),
        (lambda text: text + "\r", "leaves a carriage return"),
        (lambda text: text.replace("\r\n", "\n").replace("\r", "\n"), "as U+000A"),
        (lambda text: " ".join(text.split()), "white space that stands together"),
        (lambda text: text.replace("\xa0", " "), "reads U+00A0 as a space"),
        (lambda text: text.removeprefix("\ufeff"), "takes U+FEFF off the beginning"),
        (lambda text: text.replace("\ufeff", ""), "takes U+FEFF out of the text"),
        (lambda text: "\ufeff" + text, "puts U+FEFF before the text"),
        (lambda text: text.partition("\x00")[0], "ends the text at U+0000"),
        (lambda text: (text.splitlines() or [""])[0], "splitlines"),
        (lambda text: text.encode().decode("latin-1"), "Latin-1"),
        (lambda text: text.encode().decode("cp1252", "replace"), "Windows-1252"),
        (lambda text: text.encode("ascii", "replace").decode(), "writes ? for"),
        (lambda text: text.encode("ascii", "ignore").decode(), "leaves out what is not ASCII"),
        (lambda text: text.translate(str.maketrans("“”‘’", "\"\"''")), "straight quotes"),
        (lambda text: text.replace("\\n", "\n"), "backslash"),
        (
            lambda text: "".join(
                c for c in text if c in "\t\n\r" or unicodedata.category(c) not in ("Cc", "Cf")
            ),
            "control characters",
        ),
    ],
)
def test_texts_that_are_read_otherwise(read, says):
    if "white space that stands" in says:  # str.split takes U+001C to U+001F for white space, too
        texts = [text for text in TEXTS if "\x1c" not in text]
        ids = ids_of(port(), list(map(read, texts)))
        assert says in best(compare_tokens(ours(DIRECTORY), texts, ids))
        return
    assert says in named_of(read)


# Added tokens, and the space before a text


def test_flags_of_added_tokens():
    assert "does not let <mask> take the white space on its left" in named(
        flagged("<mask>", lstrip=False)
    )
    assert "the white space on both sides along" in named(flagged("<mask>", rstrip=True))
    assert "on its right along" in named(flagged("<mask>", lstrip=False, rstrip=True))
    assert "all special tokens take the white space on both sides along" in named(
        flagged(None, lstrip=True, rstrip=True)
    )
    assert "all special tokens take the white space on their left" in named(
        flagged(None, lstrip=True)
    )
    assert "only where no letter, digit or underscore" in named(flagged(None, single_word=True))


@pytest.mark.parametrize(
    ("white", "says"),
    [
        (JS, "along what JavaScript's \\s is"),
        ("\\s\x1c-\x1f", "U+001C to U+001F along"),
        ("\t\n\v\f\r ", "white space of ASCII alone"),
        (" ", "spaces along, and no other"),
    ],
)
def test_masks_that_take_along_what_is_white_space_elsewhere(white, says):
    row = masked_with(rf"[{white}]*<mask>")
    texts = [
        f"a{c}<mask>b" for c in (*" \t\v\x85\xa0\ufeff\x1c\u3000", "  ", " \t", "\x85 ", "\ufeff ")
    ]
    assert says in best(compare_tokens(ours(DIRECTORY), texts, map(row, texts)))


def test_masks_that_take_one_space_along():
    texts = ["a <mask>", "a  <mask>", "a\t<mask>", "<mask>", " <mask>", "  <mask>  <mask>"]
    row = masked_with(r" ?<mask>")
    assert "one space along, at most" in best(
        compare_tokens(ours(DIRECTORY), texts, map(row, texts))
    )


def masked_with(expression):
    """Find masks by an expression, and encode what lies between."""
    tokenizer = ours(DIRECTORY)

    def row(text):
        parts = [tokenizer.encode(p)[1:-1] for p in regex.split(expression, text)]
        ids = [index for part in parts for index in (*part, tokenizer.mask_token_id)]
        return [0, *ids[:-1], 2]

    return row


def test_both_mistakes_of_a_port_to_javascript_are_named_together():
    """Its pattern and its <mask> have the same other white space."""
    steps = steps_of(joined(), Call())
    expression, mask = pattern(white=JS), joined().mask_token_id

    def row(text):
        stretches = regex.split(rf"[{JS}]*<mask>", text)
        pieces = [regex.findall(expression, one) for one in stretches]
        ids = [i for some in pieces for i in (*(i for p in some for i in steps.encode(p)), mask)]
        return [0, *ids[:-1], 2]

    some = joined_texts(150)
    texts = [f"{a}<mask>{b}" for a, b in zip(some, reversed(some), strict=True)]
    comparison = compare_tokens(joined(), texts, map(row, texts))
    says = best(comparison)
    assert "lets <mask> take along what JavaScript's" in says
    assert "splits with JavaScript's" in says


def only(*contents):
    return lambda parts: parts.update(
        added_tokens=[token for token in parts["added_tokens"] if token["content"] in contents]
    )


def test_added_tokens_that_are_not_found():
    assert "does not find <mask>" in named(only())
    assert "<mask> alone" in named(only("<mask>"))
    assert "all special tokens but <mask>" in named(only("<s>", "</s>", "<pad>", "<unk>"))


def test_special_tokens_found_against_the_call():
    ids = ids_of(port(), TEXTS)
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, ids, split_special_tokens=True)
    assert "though split_special_tokens was asked for" in best(comparison)


def test_prefix_spaces():
    prefix = BYTE_LEVEL | {"add_prefix_space": True, "use_regex": True}
    change = {"pre_tokenizer": prefix}
    assert "and after each added token" in named(lambda parts: parts.update(change))
    assert "none after added tokens" in named_of(
        lambda text: text if text[:1] in ("", " ") or text[:1] == "<" else f" {text}"
    )
    assert "even where one is" in named_of(lambda text: f" {text}" if text else "")
    assert "takes one space off" in named_of(lambda text: text.removeprefix(" "))
    comparison = compare_tokens(ours(DIRECTORY), TEXTS, ids_of(port()), add_prefix_space=True)
    assert "puts no space before the text" in best(comparison)
