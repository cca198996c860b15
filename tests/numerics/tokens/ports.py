"""Ports with a mistake: the Rust tokenizer, one part of whose tokenizer.json is another one."""

import json
from functools import cache

from tokenizers import Tokenizer

from minirobert.numerics.tokens import compare_tokens
from tests.equivalence.texts import TINY, fast, ours

#: The bundled model's: large enough, and soon loaded.
DIRECTORY = TINY

#: What most mistakes show in.
TEXTS = [
    "Hello world",
    "Hello  world,   it's a day. ",
    " It's O'NEIL'S dog; we'll see, THEY'RE here",
    "Anna’s naïve café, e\u0301te\u0301, A\u030angstro\u0308m",
    "日本語のテキスト and हिन्दी, ไทย, نص",
    "😀😃 a👍🏽 \U0001d7dc𝒜bc",
    "½ 3/4² ٣٤ Ⅷ 100,000 2024 12345678",
    "!\x85\x85x \x85y",
    "!\ufeff\ufeff x\ufeff",
    "\ufeffbegins so",
    "!\x1c\x1d z!\x1c <mask>",
    "!\u00a0\u00a0b \u3000 c",
    "a\t\tb\n\n c \n",
    "line\r\nend\rof",
    "snake_case __init__ a_1",
    "The <mask> sat.",
    "<mask>x y <mask> z",
    "a </s> b<s> <pad>c <unk>",
    "a\x00b \x07",
    "fi ﬁ Ｆｕｌｌ ℌ",
    "lower only, plain ascii",
    "aaaa aaaaa hahahaha",
    "unbelievable tokenization, of characters",
    "“quoted” ‘so’",
    "",
    " ",
    "  leading and trailing  ",
    "\\n is no line end",
    "a mask_ed <mask>_",
]
PAIRS = list(zip(TEXTS, TEXTS[3:] + TEXTS[:3], strict=True))

BYTE_LEVEL = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}


@cache
def description(directory=DIRECTORY):
    """Give what tokenizer.json says, as text: each port changes a copy of its own."""
    return fast(directory).backend_tokenizer.to_str()


def port(*changes, directory=DIRECTORY):
    """Make the tokenizer of a changed description."""
    parts = json.loads(description(directory))
    for change in changes:
        change(parts)
    return Tokenizer.from_str(json.dumps(parts))


def ids_of(tokenizer, texts=TEXTS, **options):
    return [encoding.ids for encoding in tokenizer.encode_batch(texts, **options)]


def split_with(expression):
    """Split with a regular expression, and then write bytes in the byte alphabet."""
    split = {
        "type": "Split",
        "pattern": {"Regex": expression},
        "behavior": "Isolated",
        "invert": False,
    }
    steps = [split, BYTE_LEVEL | {"use_regex": False}]
    return lambda parts: parts.update(pre_tokenizer={"type": "Sequence", "pretokenizers": steps})


def normalize_with(**part):
    return lambda parts: parts.update(normalizer=part)


def without_merges(*places):
    def change(parts):
        merges = parts["model"]["merges"]
        for place in sorted((range(len(merges))[place] for place in places), reverse=True):
            del merges[place]

    return change


def flagged(content, **flags):
    """Give one added token, or all, other flags."""

    def change(parts):
        for token in parts["added_tokens"]:
            if content in (None, token["content"]):
                token.update(flags)

    return change


def framed_by(**part):
    return lambda parts: parts.update(post_processor=part)


def best(comparison):
    """Give the likeliest explanation, which must explain all, and be spoken against by nothing."""
    first = comparison.explanations[0]
    parted = sum(not row.has_same_ids for row in comparison.rows)
    assert (len(first.explains), first.would_change) == (parted, 0), comparison
    return str(first)


JS = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"


def named(*changes, texts=TEXTS):
    ids = ids_of(port(*changes), texts)
    return best(compare_tokens(ours(DIRECTORY), texts, ids))


def named_of(read):
    """Name what is done to the text before a tokenizer without a mistake sees it."""
    ids = ids_of(port(), [read(text) for text in TEXTS])
    return best(compare_tokens(ours(DIRECTORY), TEXTS, ids))
