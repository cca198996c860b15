"""The cases of the tokenizer: a small vocabulary, texts of every kind, every option."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ...tokenization import RobertaTokenizer
from ...tokenization.added_tokens import AddedToken
from ...tokenization.rows.encoding import Encoding
from .cases import Answers

__all__ = ["token_cases", "vectors_tokenizer"]

_CORPUS = (
    "the color of the sky is blue, and the color of the grass is green.",
    "she said that she'd seen it; they're sure we've heard, I'm not, he'll see and don't care.",
    "the cat and the dog are here, the cats and the dogs were there: 10 cats, 20 dogs, 2010.",
    "naïve café, über straße, São Paulo, Ελλάδα, Москва, 東京, 日本語, हिन्दी, שלום, العربية",
    "The Color The Sky UPPER lower   spaces    and\n\nlines\nand\ttabs",
    "emoji 😀 😀😀 👍🏽 and 👩‍👩‍👧 and ½ ² ٣ and e\u0301 \u00e9",
)

#: Of words, signs, numbers, white space and scripts, and of what is white space in one language
#: and not in another.
TEXTS = (
    *("", " ", "a", "The color of the sky", " The color of the sky ", "the  sky   is"),
    *("don't she'll WE'VE I'm they're 'tis ''s 's", "it’s", "10 2010 3.14 1,000 ½ ² ٣ x2 2x"),
    *("a\nb\r\nc\rd", "a\n\n\nb", "tab\there\t\tthere", "end of line\n", "\n\n"),
    *("a\u0085b", "a\u00a0b", "a\ufeffb", "\ufeffa", "a\u001cb \u001fc", "a\u2028b\u2029c"),
    *(f"a.{space}.b {space} c {space}{space}." for space in "\x85\ufeff\x1c\xa0"),
    *("a\u200bb", "a\u3000b", "a\x00b\x7f", "\x0b\x0c"),
    *("naïve café", "nai\u0308ve cafe\u0301", "Ελλάδα Москва 東京 日本語", "हिन्दी", "שלום العربية"),
    *("😀", "a😀b 😀 😀😀", "👍🏽", "👩‍👩‍👧", "\U00010348 𝔘𝔫𝔦", "e\u0301\u0301\u0301"),
    "when then hem are in seen been bees rain vessel",  # where the order of merges decides
    *("!?...;;(())", "a--b__c", "#tag @name http://x.y/z?q=1&r=2", "x" * 40, "Ġ Ċ ĠĠ"),
    "".join(chr(c) for c in range(32, 127)),
    "".join(chr(c) for c in range(0xA0, 0x180)),
    *("<mask>", "a <mask> b", "a  <mask>  b", "a<mask>b", "a\n<mask>\nb", "<s>a</s>", "<pad>"),
    *("<unk> <mask><mask>", "<Mask> < mask> <mask", "</s></s>"),
)
PAIRS = (
    *(("the sky", "is blue"), ("", "a"), ("a", ""), ("", ""), (" a", " b")),
    ("naïve 😀", "東京 <mask>"),
    *(("the color of the sky is blue", "green"), ("green", "the color of the grass is green")),
)
LONG = "the color of the sky is blue, and the color of the naïve grass 😀 is green."


def vectors_tokenizer(**settings: Any) -> RobertaTokenizer:
    """Train the small tokenizer of the vectors."""
    return RobertaTokenizer.train(2 * _CORPUS, 420, show_progress=False, **settings)


def token_cases(tokenizer: RobertaTokenizer) -> Iterator[Answers]:
    """Give all calls, with what this tokenizer answers."""
    for name, covers, settings, calls in _groups():
        given = {**settings}
        tokens = [AddedToken(**one) for one in given.pop("added_tokens", ())]
        own = RobertaTokenizer(tokenizer.get_vocab(), tokenizer.merges, **given)
        own.add_tokens(tokens)
        cases = [{**call, "expected": _answer(own, call)} for call in calls]
        yield Answers(name, covers, settings, cases)


Group = tuple[str, str, dict[str, Any], list[dict[str, Any]]]


def _groups() -> Iterator[Group]:
    yield "texts", "texts one by one: bytes, pieces, merges, special tokens", {}, _each(TEXTS)
    yield "pairs", "pairs of texts", {}, _each(PAIRS)
    yield (
        "without-special-tokens",
        "add_special_tokens false",
        {},
        _each((*TEXTS[:6], *PAIRS), add_special_tokens=False),
    )
    yield "prefix-space", "add_prefix_space", {"add_prefix_space": True}, _each((*TEXTS, *PAIRS))
    yield (
        "untrimmed-offsets",
        "trim_offsets false: white space belongs to its token",
        {"trim_offsets": False},
        _each((*TEXTS, *PAIRS)),
    )
    yield (
        "split-special-tokens",
        "split_special_tokens: a special token in a text is text",
        {"split_special_tokens": True},
        _each(text for text in TEXTS if "<" in text),
    )
    yield "truncation", "truncation and max_length, from either side", {}, _truncation()
    yield (
        "truncation-left",
        "truncation_side left",
        {"truncation_side": "left"},
        _truncation(),
    )
    yield "windows", "return_overflowing_tokens and stride", {}, _windows()
    yield "padding", "padding: longest, max_length, multiples, either side", {}, _padding()
    yield "words", "is_split_into_words", {}, _words()
    added = {"added_tokens": _ADDED}
    yield "added-tokens", "added tokens with all flags", added, _each(_WITH_ADDED)
    yield "decoding", "from ids to text", added, _decoding()


def _each(texts: Any, **options: Any) -> list[dict[str, Any]]:
    """Call the tokenizer with each text or pair alone."""
    return [{"texts": [_entry(text)], "options": options} for text in texts]


def _entry(text: Any) -> Any:
    return list(text) if isinstance(text, tuple) else text


def _truncation() -> list[dict[str, Any]]:
    first, second = [LONG, "green grass"], ["green grass", LONG]
    calls: list[dict[str, Any]] = [
        {"texts": [LONG], "options": {"truncation": True, "max_length": most}}
        for most in (2, 3, 5, 9, 1000)
    ]
    for strategy, pairs in (
        ("longest_first", [first, second, [LONG, LONG]]),
        ("only_first", [first]),
        ("only_second", [second]),
    ):
        given = {"truncation": strategy, "max_length": 20}
        calls += [{"texts": [pair], "options": given} for pair in pairs]
    calls.append({"texts": [LONG], "options": {"truncation": "do_not_truncate"}})
    plain = {"truncation": True, "max_length": 5, "add_special_tokens": False}
    return [*calls, {"texts": [LONG], "options": plain}]


def _windows() -> list[dict[str, Any]]:
    more = {"return_overflowing_tokens": True, "truncation": True}
    calls: list[dict[str, Any]] = [
        {"texts": [LONG], "options": {**more, "max_length": most, "stride": stride}}
        for most, stride in ((8, 0), (8, 3), (7, 4), (60, 2))
    ]
    both = {**more, "truncation": "only_second", "max_length": 16, "stride": 2}
    calls.append({"texts": [["the sky", LONG]], "options": both})
    batch = {**more, "max_length": 9, "stride": 2, "padding": True}
    return [*calls, {"texts": [LONG, "a", "the sky is blue"], "options": batch}]


def _padding() -> list[dict[str, Any]]:
    texts = ["the sky", "", LONG]
    return [
        {"texts": texts, "options": options}
        for options in (
            {"padding": True},
            {"padding": "longest", "padding_side": "left"},
            {"padding": "max_length", "max_length": 50},
            {"padding": "longest", "pad_to_multiple_of": 8},
            {"padding": "max_length", "max_length": 12, "truncation": True, "padding_side": "left"},
        )
    ]


def _words() -> list[dict[str, Any]]:
    rows: list[list[str]] = [["the", "color"], [" the", "color "], ["naïve", "", "😀"], []]
    rows.append(["a b", "<mask>", "c"])
    calls: list[dict[str, Any]] = [
        {"words": [row], "options": {"is_split_into_words": True}} for row in rows
    ]
    options = {"is_split_into_words": True, "padding": True, "truncation": True, "max_length": 6}
    return [*calls, {"words": [rows[0], rows[-1]], "options": options}]


_ADDED: list[dict[str, Any]] = [
    {"content": "<smile>"},
    {"content": "<left>", "lstrip": True},
    {"content": "<right>", "rstrip": True},
    {"content": "<both>", "lstrip": True, "rstrip": True, "special": True},
    {"content": "word", "single_word": True},
    {"content": "<smile>!", "normalized": False},
]
_WITH_ADDED = (
    *("a<smile>b", "a <smile> b", "a  <left>  b", "a  <right>  b", "a \n<both>\t b"),
    *("word words a word, sword word", "<smile>! <smile> !", "<left><right><both>", " <mask> word"),
)


def _decoding() -> list[dict[str, Any]]:
    rows: list[list[int]] = [[0, 262, 270, 2], [0, 300, 2, 2, 419, 2, 1, 1], [0, 4, 4, 300, 4, 2]]
    rows += [[195, 108], [], [0, 420, 421, 300, 422, 423, 2], [69, 225, 5, 225, 18]]
    return [
        {"ids": row, "options": options}
        for row in rows
        for options in (
            {},
            {"skip_special_tokens": True},
            {"clean_up_tokenization_spaces": True},
        )
    ]


# Answers


def _answer(tokenizer: RobertaTokenizer, call: dict[str, Any]) -> Any:
    if "ids" in call:
        return tokenizer.decode(call["ids"], **call["options"])
    texts = call.get("words") or [_pair(text) for text in call["texts"]]
    encoding = tokenizer(texts, **call["options"])
    samples = encoding.get("overflow_to_sample_mapping", range(len(texts)))
    rows = zip(encoding.encodings, samples, strict=True)
    return [{"text": sample, **_row(row)} for row, sample in rows]


def _pair(text: Any) -> Any:
    return tuple(text) if isinstance(text, list) else text


_COLUMNS: dict[str, Callable[[Encoding], Any]] = {
    "input_ids": lambda row: row.ids,
    "tokens": lambda row: row.tokens,
    "offsets": lambda row: [list(span) for span in row.offsets],
    "words": lambda row: row.word_ids,
    "sequences": lambda row: row.sequence_ids,
    "attention_mask": lambda row: row.attention_mask,
    "special_tokens_mask": lambda row: row.special_tokens_mask,
}


def _row(row: Encoding) -> dict[str, Any]:
    return {name: list(column(row)) for name, column in _COLUMNS.items()}
