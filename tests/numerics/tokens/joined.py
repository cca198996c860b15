"""A vocabulary whose merges reach across all borders of pieces, so that other borders show."""

import random
from functools import cache
from itertools import product

from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, text_to_symbols
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS

#: Of each class of characters that some pattern has, and of those that only some have.
PARTS = [
    *(" ", "\t", "\n", "\x0b", "\x85", "\xa0", "\u3000", "\ufeff", "\u200b", "\x1c", "\r"),
    *("a", "B", "é", "日", "\u0301", "𝒜", "_", "1", "٣", "½", "Ⅷ", "𝟜", "!", "'", "’", "😀"),
]
JOINED = ["".join(pair) for pair in product(PARTS, repeat=2)]
CONTRACTIONS = ["'s", "'ll", "'S", "’s", "a's", "a'S", "a’s", "it's", " 's"]


@cache
def joined():
    """Make the tokenizer: first all characters are merged, then all pairs of them."""
    merges = dict.fromkeys(
        merge for text in [*PARTS, *JOINED, *CONTRACTIONS, "111", "1111"] for merge in steps(text)
    )
    tokens = [*ROBERTA_SPECIAL_TOKENS[:4], *BYTE_TO_CHAR, *map("".join, merges), "<mask>"]
    vocab = {token: index for index, token in enumerate(dict.fromkeys(tokens))}
    return RobertaTokenizer.from_vocab(vocab, merges, model_max_length=64)


def steps(text):
    """Merge a text's characters each to one token, and these from the left."""
    made = ""
    for character in text:
        symbols = text_to_symbols(character)
        whole = symbols[0]
        for symbol in symbols[1:]:
            yield whole, symbol
            whole += symbol
        if made:
            yield made, whole
        made += whole


@cache
def joined_texts(count=400):
    """Draw texts in which most pairs of parts stand beside each other."""
    draw, parts = random.Random(0), [*PARTS, *CONTRACTIONS, "1111"]
    return ["".join(draw.choices(parts, k=draw.randint(2, 7))) for _ in range(count)]
