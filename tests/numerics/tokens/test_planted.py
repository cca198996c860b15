"""Mistakes of all steps but the pieces, made by the Rust tokenizer or written out, are named."""

import json
import random
import unicodedata
from itertools import pairwise

import pytest
import regex

from minirobert.numerics.tokens import compare_tokens
from minirobert.numerics.tokens.pieces import pattern
from minirobert.numerics.tokens.steps import Call, steps_of
from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.bpe import bpe
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE, text_to_symbols
from tests.equivalence.texts import ours
from tests.numerics.tokens.joined import joined, joined_texts
from tests.numerics.tokens.ports import (
    BYTE_LEVEL,
    DIRECTORY,
    PAIRS,
    TEXTS,
    best,
    flagged,
    framed_by,
    ids_of,
    normalize_with,
    port,
    without_merges,
)

JS = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def named(*changes, texts=TEXTS):
    ids = ids_of(port(*changes), texts)
    return best(compare_tokens(ours(DIRECTORY), texts, ids))


def named_of(read):
    """Name what is done to the text before a tokenizer without a mistake sees it."""
    ids = ids_of(port(), [read(text) for text in TEXTS])
    return best(compare_tokens(ours(DIRECTORY), TEXTS, ids))


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


# Bytes


def spelled(spell):
    """Give ids as they are when pieces are spelled otherwise: a tokenizer of another alphabet."""
    steps = steps_of(joined(), Call()).coding(spell=spell)
    return [steps.row([text]) for text in SPELLED]


SPELLED = ["a !", "é日", "😀 𝒜 a", "\x85\xa0", "½!\n", "'s 1"]


def in_alphabet(octets):
    return "".join(BYTE_TO_CHAR[octet] for octet in octets)


def units(text):
    octets = text.encode("utf-16-be")
    return [octets[at] * 256 + octets[at + 1] for at in range(0, len(octets), 2)]


@pytest.mark.parametrize(
    ("spell", "says"),
    [
        (lambda p: [BYTE_TO_CHAR[ord(c)] if ord(c) < 256 else c for c in p], "code points up"),
        (lambda p: [BYTE_TO_CHAR[ord(c) & 255] for c in p], "the last 8 bits"),
        (lambda p: p.encode().decode("latin-1"), "does not write the bytes"),
        (lambda p: p.replace(" ", "Ġ"), "writes Ġ for a space"),
        (
            lambda p: in_alphabet(
                b"".join(chr(u).encode("utf-8", "surrogatepass") for u in units(p))
            ),
            "CESU-8",
        ),
        (
            lambda p: text_to_symbols(
                "".join("\ufffd" if 0xD800 <= u <= 0xDFFF else chr(u) for u in units(p))
            ),
            "as U+FFFD",
        ),
        (
            lambda p: [chr(o if o in PRINTABLE else o + 256) for o in p.encode()],
            "256 higher",
        ),
    ],
)
def test_bytes(spell, says):
    comparison = compare_tokens(joined(), SPELLED, spelled(spell))
    assert says in best(comparison)
    assert best(comparison).startswith("bytes: ")


# Merges


def test_merges_that_are_missing():
    first = "lacks the first merge, as if line 1 of merges.txt were no merge"
    assert first in named(without_merges(0))
    pair = " ".join(json.loads(port().to_str())["model"]["merges"][20])
    assert named(without_merges(20)) == f"merges: the port lacks the merge '{pair}' (rank 20)"


def small(merges):
    letters = ["a", "b", "c", "Ġ", "ab", "bc", "abc", "Ġa", "ca"]
    vocab = {
        token: number for number, token in enumerate(["<s>", "<pad>", "</s>", "<unk>", *letters])
    }
    return RobertaTokenizer.from_vocab(vocab, merges)


WORDS = ["abc ab", "bca", "a", "cab abcab"]


def named_of_merges(here, there):
    ids = small(there)(WORDS).input_ids
    return compare_tokens(small(here), WORDS, ids)


def test_a_last_line_without_an_end():
    merges = [("b", "c"), ("Ġ", "a"), ("a", "b")]
    comparison = named_of_merges(merges, merges[:-1])
    assert "lacks the last merge, as if merges.txt ended before it" in best(comparison)


def test_a_merge_too_many_and_one_that_is_moved():
    merges = [("a", "b"), ("Ġ", "a")]
    comparison = named_of_merges(merges, [("b", "c"), *merges])
    assert best(comparison) == "merges: the port has a merge too many, 'b c' before all others"
    comparison = named_of_merges(merges, [*merges, ("c", "a")])
    assert best(comparison) == "merges: the port has a merge too many, 'c a' after all others"
    merges = [("a", "b"), ("b", "c")]
    comparison = named_of_merges(merges, merges[::-1])
    says = [str(one) for one in comparison.explanations]
    assert "merges: the port has 'b c' (rank 1) before all others" in says


def test_the_header_of_merges_as_a_merge_changes_nothing():
    """No text has "#version:" as one symbol, so only ids that count merges could tell."""
    merges = [("a", "b"), ("Ġ", "a")]
    steps = steps_of(small(merges), Call())
    ranks = {("#version:", "0.2"): 0, ("a", "b"): 1, ("Ġ", "a"): 2}
    with_header = steps.coding(merge=lambda symbols: bpe(symbols, ranks))
    ids = [with_header.row([text]) for text in [*WORDS, "#version: 0.2"]]
    assert compare_tokens(small(merges), [*WORDS, "#version: 0.2"], ids).first is None


def other_merging(merge, tokenizer=None, texts=TEXTS):
    """Merge in another way."""
    tokenizer = tokenizer or ours(DIRECTORY)
    steps = steps_of(tokenizer, Call())
    ranks = {pair: rank for rank, pair in enumerate(tokenizer.merges)}
    vocab = tokenizer.get_vocab()
    steps = steps.coding(merge=lambda symbols: merge(list(symbols), ranks, vocab))
    ids = [steps.row([text]) for text in texts]
    return best(compare_tokens(tokenizer, texts, ids))


def repeated(choose):
    def merge(symbols, ranks, vocab):
        while True:
            pairs = list(pairwise(symbols))
            places = [place for place, pair in enumerate(pairs) if pair in ranks]
            if not places:
                return symbols
            place = choose(places, [ranks[pairs[p]] for p in places], pairs, vocab)
            symbols[place : place + 2] = ["".join(pairs[place])]

    return merge


def test_other_orders_of_merges():
    leftmost = repeated(lambda places, ranks, pairs, vocab: places[0])
    assert "the leftmost pair first" in other_merging(leftmost)
    highest = repeated(lambda places, ranks, pairs, vocab: places[ranks.index(max(ranks))])
    assert "the highest rank first" in other_merging(highest)
    by_id = repeated(
        lambda places, ranks, pairs, vocab: min(places, key=lambda p: vocab["".join(pairs[p])])
    )
    numbers = random.Random(0).sample(range(len(ours(DIRECTORY))), len(ours(DIRECTORY)))
    shuffled = dict(zip(ours(DIRECTORY).vocab, numbers, strict=True))
    tokenizer = RobertaTokenizer.from_vocab(shuffled, ours(DIRECTORY).merges)
    assert "as tiktoken does" in other_merging(by_id, tokenizer)
    last = repeated(
        lambda places, ranks, pairs, vocab: max(
            p for p, rank in zip(places, ranks, strict=True) if rank == min(ranks)
        )
    )
    assert "the last of several equal pairs first" in other_merging(last)
    assert "merges nothing" in other_merging(lambda symbols, ranks, vocab: symbols)


def test_longest_matches():
    def longest(symbols, ranks, vocab):
        tokens = []
        while symbols:
            count = next(n for n in range(len(symbols), 0, -1) if "".join(symbols[:n]) in vocab)
            tokens.append("".join(symbols[:count]))
            symbols = symbols[count:]
        return tokens

    assert "the longest token that fits" in other_merging(longest)


def test_merges_that_are_passed_over():
    def whole(symbols, ranks, vocab):
        piece = "".join(symbols)
        return [piece] if piece in vocab else bpe(symbols, ranks)

    tokenizer = small([("a", "b"), ("Ġ", "a")])
    assert "a piece that is a token at once" in other_merging(whole, tokenizer, WORDS)


# Ids


def renumbered(change):
    def apply(parts):
        vocab = parts["model"]["vocab"]
        specials = {token["content"] for token in parts["added_tokens"]}
        parts["model"]["vocab"] = change(vocab, specials, parts["model"]["merges"])

    return apply


PLAIN = [text for text in TEXTS if "<" not in text and text]


def test_ids_that_are_all_higher_or_lower():
    steps = steps_of(ours(DIRECTORY), Call())
    ids = [[index + 4 for index in steps.row([text])] for text in PLAIN]
    assert "every id 4 higher than here" in best(compare_tokens(ours(DIRECTORY), PLAIN, ids))
    ids = [
        [index + 4 if index > 3 else index for index in steps.row([text])]
        for text in TEXTS
        if "<mask>" not in text
    ]
    texts = [text for text in TEXTS if "<mask>" not in text]
    says = best(compare_tokens(ours(DIRECTORY), texts, ids))
    assert "4 higher than here, but those of added and special tokens" in says


def test_ids_of_another_dictionary():
    """GPT-2's own numbers: bytes, printable ones first, then what each merge makes."""
    merges = ["".join(pair) for pair in ours(DIRECTORY).merges]
    alphabet = sorted(BYTE_TO_CHAR, key=lambda c: BYTE_TO_CHAR.index(c) not in PRINTABLE)
    own = {token: index for index, token in enumerate([*alphabet, *merges])}
    by_byte = own | {token: index for index, token in enumerate(BYTE_TO_CHAR)}
    header = own | {token: index + 257 for index, token in enumerate(merges)}
    tokenizer = ours(DIRECTORY)
    numbers = {0: "<s>", 2: "</s>"}
    for vocab, says in (
        (own, "the ids of GPT-2's encoder.json"),
        (by_byte, "as tiktoken does: bytes by their value"),
        (header, "counts the line #version of merges.txt as one"),
    ):
        rows = [
            [i if i in numbers else vocab[tokenizer.convert_ids_to_tokens(i)] for i in row]
            for row in tokenizer(PLAIN).input_ids
        ]
        assert says in best(compare_tokens(tokenizer, PLAIN, rows))


def test_a_few_other_ids():
    tokenizer = ours(DIRECTORY)
    world = tokenizer.convert_tokens_to_ids("Ġworld")
    rows = [[5 if i == world else i for i in row] for row in tokenizer(["Hello world"]).input_ids]
    (explanation,) = compare_tokens(tokenizer, ["Hello world"], rows).explanations
    assert str(explanation) == f"ids: the port has other ids for the same tokens: {world} is 5"


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
