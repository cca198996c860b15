"""Mistakes of bytes, merges and ids are named."""

import json
import random
from itertools import pairwise

import pytest

from minirobert.numerics.tokens import compare_tokens
from minirobert.numerics.tokens.steps import Call, steps_of
from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.bpe import bpe
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE, text_to_symbols
from tests.equivalence.texts import ours
from tests.numerics.tokens.joined import joined
from tests.numerics.tokens.ports import DIRECTORY, TEXTS, best, named, port, without_merges

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
