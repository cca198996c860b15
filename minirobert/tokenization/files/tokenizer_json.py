"""The file tokenizer.json, in which the fast tokenizers of transformers are stored as a whole.

It describes a pipeline: normalizer, pre-tokenizer, model, post-processor, decoder. RoBERTa's is
always the same but for a few settings, so reading it means to take out the vocabulary, the merges,
the added tokens and the settings. Byte-level BPE is also found with other parts around it: those
that `components` and `layout` know are taken out as they are described.

What an option of the file means is left to the Rust library that the file belongs to. An option
that changes no result is passed over; one that does is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ...files import check_standard, read_json
from ...sentences import listed, plain, shown
from ..added_tokens import AddedToken
from ..bpe import Pair
from ..byte_alphabet import BYTE_TO_CHAR
from ..components import NORMALIZERS, PRE_TOKENIZERS
from ..vocabulary import numbered
from .config_files import read_added_token
from .tokenizer_json_framing import (
    POST_PROCESSORS,
    check_framing,
    read_framing,
    read_post_processor,
)
from .tokenizer_json_parts import (
    FOREIGN,
    Part,
    as_array,
    as_object,
    check_steps,
    flag,
    kinds_of,
    steps_of,
    whose,
)
from .vocab_and_merges import FilePath, check_id, check_merges, check_vocab

__all__ = [
    "TOKENIZER_NAME",
    "VERSION",
    "TokenizerJson",
    "check_parts",
    "has_whole_alphabet",
    "read_tokenizer_json",
]

TOKENIZER_NAME = "tokenizer.json"
VERSION = "1.0"

_SIDES = {"Left": "left", "Right": "right"}


class TokenizerJson(NamedTuple):
    """What tokenizer.json holds; `settings` are arguments of `RobertaTokenizer`."""

    vocab: dict[str, int]
    merges: list[Pair]
    added_tokens: dict[int, AddedToken]
    settings: dict[str, Any]


def read_tokenizer_json(path: FilePath) -> TokenizerJson:
    """Read a tokenizer.json; one that describes a tokenizer which is not RoBERTa's is an error.

    The sections ``truncation`` and ``padding`` are what the tokenizer was last called with before
    it was saved. As in transformers, no later call follows them; they give the sides to truncate
    and to pad on where tokenizer_config.json does not. The decoder may be missing: RoBERTa has only
    one.
    """
    where = plain(path)
    content = read_json(path)
    if content.get("version", VERSION) != VERSION:
        raise ValueError(
            f"{where}: version is {shown(content['version'])}, but only {VERSION!r} is known"
        )
    model = as_object(content.get("model"), f"{where}: model")
    _check_kind_of_model(model, where)
    normalizers = steps_of(content, "normalizer", where)
    check_steps(normalizers, NORMALIZERS, f"{where}: normalizer")
    _check_decoder(content, where)
    add_prefix_space, pre_tokenizers = _read_pre_tokenizer(content, where)
    framing, post_processors = read_post_processor(content, add_prefix_space, where)
    vocab, merges = _read_vocab_and_merges(model, where)
    added = _read_added_tokens(content.get("added_tokens"), vocab, where)
    check_framing(framing, {**vocab, **{token.content: i for i, token in added.items()}}, where)
    parts = {
        "normalizer": normalizers or None,
        "pre_tokenizer": pre_tokenizers,
        "post_processor": post_processors,
        "ignore_merges": flag(model, "ignore_merges", False, f"{where}: model") or None,
    }
    parts = {name: part for name, part in parts.items() if part is not None}
    check_standard(parts, where)
    settings = {
        "add_prefix_space": add_prefix_space,
        "trim_offsets": framing.trim_offsets,
        "cls_token": framing.cls and framing.cls[0],
        "sep_token": framing.sep and framing.sep[0],
        "unk_token": _read_unknown_token(model, vocab, where),
        "padding_side": _read_side(content, "padding", where),
        "truncation_side": _read_side(content, "truncation", where),
        "parts": parts or None,
    }
    given = {name: value for name, value in settings.items() if value is not None}
    return TokenizerJson(vocab, merges, added, given)


# The pipeline


def _check_decoder(content: Mapping[str, Any], where: str) -> None:
    kinds = kinds_of(steps_of(content, "decoder", where))
    if kinds not in ([], ["ByteLevel"]):
        raise ValueError(
            f"{where}: the decoder is {listed(kinds, 120, ' then ')}, where RoBERTa has ByteLevel;"
            f" this is {whose(kinds)}"
        )


def _read_pre_tokenizer(content: Mapping[str, Any], where: str) -> tuple[bool, list[Part] | None]:
    """Give `add_prefix_space`, and the steps if they are others than RoBERTa's one."""
    steps = steps_of(content, "pre_tokenizer", where)
    kinds, place = kinds_of(steps), f"{where}: pre_tokenizer"
    foreign = [kind for kind in kinds if kind in FOREIGN]
    if kinds.count("ByteLevel") != 1 or foreign:
        raise ValueError(
            f"{where}: the pre_tokenizer is {listed(kinds, 120, ' then ') or 'missing'}, where"
            f" RoBERTa has ByteLevel; this is {whose(kinds)}"
        )
    byte_level = steps[kinds.index("ByteLevel")]
    add_prefix_space = flag(byte_level, "add_prefix_space", False, place)
    is_usual = flag(byte_level, "use_regex", True, place) and len(steps) == 1
    check_steps(steps, PRE_TOKENIZERS, place)
    return add_prefix_space, None if is_usual else steps


# The model


def _check_kind_of_model(model: Mapping[str, Any], where: str) -> None:
    if model.get("type", "BPE") != "BPE":  # older files do not say which it is
        kind = model["type"]
        raise ValueError(
            f"{where}: the model is {shown(kind)}, where RoBERTa has BPE; this is"
            f" {whose([kind] if isinstance(kind, str) else [])}"
        )


def _read_vocab_and_merges(
    model: Mapping[str, Any], where: str
) -> tuple[dict[str, int], list[Pair]]:
    place = f"{where}: model"
    for option in ("dropout", "continuing_subword_prefix", "end_of_word_suffix"):
        if model.get(option) not in (None, False, 0, ""):
            raise ValueError(
                f"{place}: {option} is {shown(model[option])}, which gives other tokens than"
                " RoBERTa's; this is another model's tokenizer"
            )
    vocab = check_vocab(as_object(model.get("vocab"), f"{place}: vocab"), where)
    merges = as_array(model.get("merges"), f"{place}: merges")
    return vocab, check_merges(merges, vocab, f"{where}, merge", first=0)


def _read_unknown_token(
    model: Mapping[str, Any], vocab: Mapping[str, int], where: str
) -> str | None:
    if has_whole_alphabet(vocab):
        return None  # there are no unknown symbols, so how they are treated does not matter
    token = model.get("unk_token")
    if token is not None and (not isinstance(token, str) or token not in vocab):
        raise ValueError(
            f"{where}: model: unk_token is {shown(token)}, which is not in the vocabulary"
        )
    for option in ("fuse_unk", "byte_fallback"):
        if flag(model, option, False, f"{where}: model"):
            raise ValueError(
                f"{where}: model: {option} is true, but RoBERTa gives one {shown(token or '<unk>')}"
                " for each unknown symbol, and the vocabulary does not have all symbols of the byte"
                " alphabet"
            )
    return token


def has_whole_alphabet(vocab: Mapping[str, int]) -> bool:
    """Tell whether a vocabulary has a token for each byte, so that nothing is unknown to it."""
    return all(symbol in vocab for symbol in BYTE_TO_CHAR)


def _read_added_tokens(tokens: Any, vocab: Mapping[str, int], where: str) -> dict[int, AddedToken]:
    declared = []
    entries = [] if tokens is None else as_array(tokens, f"{where}: added_tokens")
    for number, entry in enumerate(entries):
        place = f"{where}: added_tokens[{number}]"
        token = read_added_token(entry, place)
        declared.append(
            (check_id(entry.get("id"), f"{place}: the id of {shown(token.content)}"), token)
        )
    return numbered(vocab, declared, f"{where}: added_tokens")


def _read_side(content: Mapping[str, Any], name: str, where: str) -> str | None:
    if content.get(name) is None:
        return None
    side = as_object(content[name], f"{where}: {name}").get("direction", "Right")
    if side not in list(_SIDES):  # a list takes values that have no hash, too
        raise ValueError(f"{where}: {name}: direction is {shown(side)}, neither 'Left' nor 'Right'")
    return _SIDES[side]


# Parts that are given by hand

_KNOWN: Mapping[str, Mapping[str, Callable[[Part], Any]]] = {
    "normalizer": NORMALIZERS,
    "pre_tokenizer": PRE_TOKENIZERS,
    "post_processor": POST_PROCESSORS,
}


def check_parts(parts: Any) -> dict[str, Any]:
    """Check parts that are given by hand, as those of a file are."""
    sections = as_object(parts, "parts")
    for name, known in _KNOWN.items():
        steps = as_array(sections.get(name, []), f"parts: {name}")
        check_steps([as_object(step, f"parts: {name}") for step in steps], known, f"parts: {name}")
        for step in steps if name == "post_processor" else ():
            if step["type"] != "ByteLevel":
                read_framing(step, True, f"parts: {name}")
    others = [name for name in sections if name not in (*_KNOWN, "ignore_merges")]
    if others:
        raise ValueError(
            f"parts has {listed(others, each=shown)}, but only {', '.join(_KNOWN)} and"
            " ignore_merges have a meaning"
        )
    flag(sections, "ignore_merges", False, "parts")
    check_standard(sections, "parts")
    return dict(sections)
