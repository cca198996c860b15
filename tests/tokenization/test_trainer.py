import weakref
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from minirobert.tokenization import AddedToken, train_bpe, trainer
from minirobert.tokenization.bpe import bpe, rank_merges
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, text_to_symbols
from minirobert.tokenization.pretokenizer import split_pieces
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS, count_pieces

BASE = 256 + len(ROBERTA_SPECIAL_TOKENS)


def train(texts, **options):
    return train_bpe(texts, **{"min_frequency": 1, "show_progress": False, **options})


def merges_of(texts, **options):
    return train(texts, **options)[1]


def train_slowly(texts, vocab_size, min_frequency, special_tokens):
    """Do what the paper says: count all pairs of all pieces, merge the best, count them all again.

    Of pairs with the same count, the one with the lower ids goes first.
    """
    vocab = {token: i for i, token in enumerate([*special_tokens, *sorted(BYTE_TO_CHAR)])}
    pieces = [text_to_symbols(piece) for text in texts for piece in split_pieces(text)]
    merges = []
    while len(vocab) < vocab_size:
        counts = Counter(pair for piece in pieces for pair in pairwise(piece))
        frequent = [pair for pair, count in counts.items() if count >= min_frequency]
        if not frequent:
            break
        best = min(frequent, key=lambda pair: (-counts[pair], vocab[pair[0]], vocab[pair[1]]))
        vocab.setdefault("".join(best), len(vocab))
        pieces = [merge_pair(piece, best) for piece in pieces]
        merges.append(best)
    return vocab, merges


def merge_pair(symbols, pair):
    merged = []
    for symbol in symbols:
        if merged and (merged[-1], symbol) == pair:
            merged[-1] = None, symbol  # no partner for the next one
        else:
            merged.append(symbol)
    return ["".join(pair) if isinstance(symbol, tuple) else symbol for symbol in merged]


# The vocabulary


def test_ids():
    vocab, merges = train(["abab"])
    assert merges == [("a", "b"), ("ab", "ab")]
    assert list(vocab) == [*ROBERTA_SPECIAL_TOKENS, *sorted(BYTE_TO_CHAR), "ab", "abab"]
    assert list(vocab.values()) == list(range(BASE + 2))


def test_special_tokens_are_plain_text_in_texts():
    assert ("<", "/") in merges_of(["</s>"])
    # `<`, `mask` and `>` are pieces of their own.
    assert "".join(merges_of(["<mask>"])[-1]) == "mask"


def test_a_merge_may_spell_a_special_token():
    vocab, merges = train(["ab c", "ab"], special_tokens=["<s>", AddedToken("ab")])
    assert vocab["ab"] == 1
    assert len(vocab) == 2 + 256 + 1
    assert merges == [("a", "b"), ("Ġ", "c")]


def test_its_low_id_counts_in_ties():
    texts = ["abc", "dbc", "dab"]
    assert merges_of(texts)[:2] == [("a", "b"), ("b", "c")]
    assert merges_of(["xabab"])[:2] == [("a", "b"), ("x", "ab")]
    assert merges_of(["xabab"], special_tokens=["ab"])[:2] == [("a", "b"), ("ab", "ab")]


def test_a_special_token_made_by_a_merge_takes_no_room():
    vocab, merges = train(["abc"], vocab_size=258, special_tokens=["ab"])
    assert (len(vocab), len(merges)) == (258, 2)


# The order of the merges


def test_the_most_frequent_pair_goes_first():
    assert merges_of(["yz yz", "ab"])[0] == ("y", "z")


@pytest.mark.parametrize(
    ("texts", "first"),
    [
        (["bz", "ca"], ("b", "z")),
        (["ca", "bz"], ("b", "z")),
        (["bd", "bc"], ("b", "c")),
        (["ab", "Zz"], ("Z", "z")),
        ([" a", "zb"], ("z", "b")),  # the space is Ġ, which is behind all of ASCII
    ],
)
def test_ties_are_broken_by_the_ids_of_left_and_then_of_right(texts, first):
    assert merges_of(texts)[0] == first


def test_ids_of_merges_are_not_in_the_order_of_their_spelling():
    # First (b, c) and (a, d), one behind the other; then (ad, z) ties with (bc, z).
    merges = merges_of(["bcbc", "adz", "bcz", "ad"])
    assert merges.index(("b", "c")) < merges.index(("a", "d"))
    assert merges.index(("bc", "z")) < merges.index(("ad", "z"))


def test_overlapping_places_count_each():
    assert merges_of(["aaa", "bc"], min_frequency=2) == [("a", "a")]
    assert merges_of(["aaa"], min_frequency=3) == []
    assert merges_of(["aaaa", "bc bc"], min_frequency=3) == [("a", "a")]


def test_runs_are_merged_from_the_left():
    assert merges_of(["aaaaa"]) == [("a", "a"), ("aa", "a"), ("aa", "aaa")]


def test_a_count_that_has_fallen_is_not_used():
    # (b, c) is as frequent as (a, b) at first, and gone when all of its b have become ab.
    merges = merges_of(["abc", "abc", "xy"])
    assert merges == [("a", "b"), ("ab", "c"), ("x", "y")]
    # (b, c) falls from 3 to 1, below (x, y).
    merges = merges_of(["abc", "abc", "ab", "bc", "xy", "xy"])
    assert merges.index(("x", "y")) < merges.index(("b", "c"))


@pytest.mark.parametrize(
    ("min_frequency", "expected"),
    [
        (0, [("a", "b"), ("x", "y"), ("m", "n")]),
        (1, [("a", "b"), ("x", "y"), ("m", "n")]),
        (2, [("a", "b"), ("x", "y")]),
        (3, [("a", "b")]),
        (4, []),
    ],
)
def test_min_frequency(min_frequency, expected):
    texts = ["ab", "ab", "ab", "xy", "xy", "mn"]
    assert merges_of(texts, min_frequency=min_frequency) == expected


@pytest.mark.parametrize("n_merges", range(4))
def test_vocab_size(n_merges):
    vocab, merges = train(["abc"], vocab_size=BASE + n_merges)
    assert len(merges) == min(n_merges, 2)
    assert len(vocab) == BASE + len(merges)


small_words = st.text("ab", max_size=12) | st.text("aab", max_size=40) | st.text("abcé", max_size=9)
corpora = st.lists(st.lists(small_words, max_size=6).map(" ".join), max_size=5)
special_tokens = st.lists(
    st.sampled_from([*ROBERTA_SPECIAL_TOKENS, "aa", "ab", "aba", "Ġa", "aaaa"]), unique=True
)


@given(corpora, st.integers(0, 60), st.integers(0, 4), special_tokens)
@example(["aaa aaaa aaaaa aaaaaaa"], 60, 0, [])
@example(["abab aabb bbaa baba"], 60, 0, ["ab"])
def test_the_same_as_counting_all_pairs_anew(texts, n_merges, min_frequency, special_tokens):
    vocab_size = len(special_tokens) + 256 + n_merges
    vocab, merges = train(
        texts, vocab_size=vocab_size, min_frequency=min_frequency, special_tokens=special_tokens
    )
    slow_vocab, slow_merges = train_slowly(texts, vocab_size, min_frequency, special_tokens)
    assert merges == slow_merges
    assert list(vocab.items()) == list(slow_vocab.items())


@given(corpora)
def test_all_pairs_merged_every_piece_is_a_token(texts):
    vocab, merges = train(texts)
    assert len(set(map("".join, merges))) == len(merges) == len(vocab) - BASE
    for text in texts:
        for piece in map(text_to_symbols, split_pieces(text)):
            assert bpe(piece, rank_merges(merges)) == [piece]
            assert piece in vocab


# Texts


def test_texts_come_from_any_iterable(tmp_path):
    texts = ["one two", "two three", "", "three\n"]
    expected = train(texts)
    assert train(tuple(texts)) == train(dict.fromkeys(texts)) == expected
    assert train(text for text in texts) == expected
    assert train([texts[:2], texts[2:3], (), tuple(texts[3:])]) == expected
    assert train([texts[0], texts[1:]]) == expected
    path = tmp_path / "lines.txt"
    path.write_text("one two\ntwo three\n", newline="\n")
    with path.open() as lines:
        assert train(lines) == train(["one two\n", "two three\n"])


def test_no_texts():
    for texts in ([], [""], [[]], ["a", " ", "b"]):
        vocab, merges = train(texts)
        assert merges == []
        assert len(vocab) == BASE


def test_texts_are_not_joined():
    assert merges_of(["a", "b"]) == []


def test_prefix_space():
    texts = ["a", " a", "\ta", ""]
    assert count_pieces(texts) == {"a": 2, " a": 1, "\t": 1}
    assert count_pieces(texts, add_prefix_space=True) == {" a": 2, " ": 1, "\t": 1, "a": 1}
    assert merges_of(["a"], add_prefix_space=True) == [("Ġ", "a")]


def test_texts_are_not_kept():
    class Text(str):
        """A string that can be referred to weakly."""

    alive = []

    def texts():
        for i in range(20):
            text = Text(f"text number {i}")
            alive.append(weakref.ref(text))
            yield text
            del text
            assert sum(reference() is not None for reference in alive) <= 2

    train(texts())
    assert len(alive) == 20


def test_counts_have_no_limit(monkeypatch):
    pieces = Counter({"aa": 2**40, "bb": 2**40 + 1})
    monkeypatch.setattr(trainer, "count_pieces", lambda *_: pieces)
    assert merges_of([]) == [("b", "b"), ("a", "a")]


def test_a_long_piece():
    merges = merges_of(["ab" * 50_000])
    assert merges[:2] == [("a", "b"), ("ab", "ab")]
    assert len(merges[-1][0] + merges[-1][1]) == 100_000


# Errors


@pytest.mark.parametrize(
    ("texts", "error", "message"),
    [
        ("one text", TypeError, r"texts is one text: .* such as \[text\]"),
        (b"bytes", TypeError, "texts is one text"),
        (5, TypeError, "texts is 5: it must be an iterable"),
        (None, TypeError, "texts is None"),
        (["a", 5], TypeError, r"texts\[1\] is of type int: it must be a str"),
        (["a", None], TypeError, r"texts\[1\] is None"),
        ([b"a"], TypeError, r"texts\[0\] is of type bytes"),
        (["a", ["b", 5]], TypeError, r"texts\[1\]\[1\] is of type int"),
        ([["a", ["b"]]], TypeError, r"texts\[0\]\[1\] is of type list"),
        (["a", "b\ud800"], ValueError, r"texts\[1\] has a lone surrogate, U\+D800, at position 1"),
        ([["a\udfff"]], ValueError, r"texts\[0\]\[0\] has a lone surrogate"),
    ],
)
def test_broken_texts(texts, error, message):
    with pytest.raises(error, match=message):
        train(texts)


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (
            {"vocab_size": 260},
            ValueError,
            "vocab_size is 260, but must be an integer of at least 261, for 5 sp",
        ),
        (
            {"vocab_size": -1},
            ValueError,
            "vocab_size is -1, but must be an integer of at least 261",
        ),
        (
            {"vocab_size": 257, "special_tokens": ["<s>", "<x>"]},
            ValueError,
            "is 257, but must be .* at least 258, for 2 special tokens and the 256 bytes",
        ),
        ({"vocab_size": 300.0}, TypeError, r"vocab_size is 300\.0, but must be an integer"),
        ({"vocab_size": True}, TypeError, "vocab_size is True, but must be an integer"),
        ({"min_frequency": None}, TypeError, "min_frequency is None, but must be an integer"),
        (
            {"min_frequency": -1},
            ValueError,
            "min_frequency is -1, but must be an integer of at least 0",
        ),
        ({"special_tokens": "<s>"}, TypeError, "special_tokens is '<s>': it must be a list"),
        ({"special_tokens": ["<s>", 5]}, TypeError, r"special_tokens\[1\] is 5: it must be"),
        ({"special_tokens": ["<s>", ""]}, ValueError, r"special_tokens\[1\] is empty"),
        ({"special_tokens": ["\ud800"]}, ValueError, r"special_tokens\[0\] has a lone surrogate"),
        (
            {"special_tokens": ["<s>", "<x>", AddedToken("<s>")]},
            ValueError,
            r"special_tokens\[2\] is '<s>', which is there already: give each token once",
        ),
        (
            {"special_tokens": ["a"]},
            ValueError,
            r"special_tokens\[0\] is 'a', which stands for the byte 0x61 .* such as '<a>'",
        ),
        ({"special_tokens": ["Ġ"]}, ValueError, "'Ġ', which stands for the byte 0x20"),
    ],
)
def test_broken_options(options, error, message):
    def texts():
        pytest.fail("the texts are read before the options are checked")
        yield

    with pytest.raises(error, match=message):
        train(texts(), **options)


# Progress


def test_progress(capsys):
    train_bpe(["ab ab"], show_progress=False)
    assert capsys.readouterr() == ("", "")
    train_bpe(["ab ab", "ab"], vocab_size=BASE + 1)
    output, errors = capsys.readouterr()
    assert output == ""
    assert "texts: 2" in errors
    assert "merges: 100%" in errors
    assert "1/1" in errors


def test_no_progress_of_what_cannot_begin(capsys):
    with pytest.raises(TypeError, match="texts is one text"):
        train_bpe("ab ab")
    assert capsys.readouterr() == ("", "")
