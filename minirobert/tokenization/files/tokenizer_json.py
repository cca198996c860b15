"""The file tokenizer.json, in which the fast tokenizers of transformers are stored as a whole.

It describes a pipeline: normalizer, pre-tokenizer, model, post-processor, decoder. RoBERTa's is
always the same but for a few settings, so reading it means to take out the vocabulary, the merges,
the added tokens and the settings. Byte-level BPE is also found with other parts around it: those
that `components` and `layout` know are taken out as they are described.

What an option of the file means is left to the Rust library that the file belongs to. An option
that changes no result is passed over; one that does is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple

import regex

from ...files import check_standard, read_json
from ...rules import BOOLEAN, check
from ...sentences import listed, plain, shown
from ..added_tokens import AddedToken
from ..bpe import Pair
from ..byte_alphabet import BYTE_TO_CHAR
from ..components import NORMALIZERS, PRE_TOKENIZERS
from ..layout import read_layout
from ..vocabulary import ID, Vocabulary, numbered
from .config_files import read_added_token
from .vocab_and_merges import FilePath, check_id, check_merges, check_vocab

__all__ = [
    "MEMBERS",
    "SIDES",
    "TOKENIZER_NAME",
    "VERSION",
    "Framing",
    "TokenizerJson",
    "check_parts",
    "has_whole_alphabet",
    "read_tokenizer_json",
    "tokenizer_text",
]

TOKENIZER_NAME = "tokenizer.json"
VERSION = "1.0"

# Where a "Sequence", which is several parts of the pipeline in place of one, has them.
MEMBERS = {
    "normalizer": "normalizers",
    "pre_tokenizer": "pretokenizers",
    "post_processor": "processors",
    "decoder": "decoders",
}
SIDES = {"Left": "left", "Right": "right"}

_SENTENCE_PIECE = "a SentencePiece tokenizer, of XLM-R or CamemBERT"
_WORD_PIECE = "a WordPiece tokenizer, of BERT"
# Parts and models by which the tokenizers of other models are told.
FOREIGN = {
    **dict.fromkeys(("Unigram", "Metaspace", "Precompiled"), _SENTENCE_PIECE),
    **dict.fromkeys(("WordPiece", "BertNormalizer", "BertPreTokenizer"), _WORD_PIECE),
}


# A part of the pipeline as the file describes it.
Part = dict[str, Any]


class TokenizerJson(NamedTuple):
    """What tokenizer.json holds; `settings` are arguments of `RobertaTokenizer`."""

    vocab: dict[str, int]
    merges: list[Pair]
    added_tokens: dict[int, AddedToken]
    settings: dict[str, Any]


class Framing(NamedTuple):
    """What a post-processor says: the tokens around a text with their ids, if any; the offsets.

    `others` are tokens that are neither `cls` nor `sep`.
    """

    cls: tuple[str, int] | None
    sep: tuple[str, int] | None
    trim_offsets: bool
    others: Sequence[tuple[str, int]] = ()


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
    model = _object(content.get("model"), f"{where}: model")
    _check_kind_of_model(model, where)
    normalizers = _steps(content, "normalizer", where)
    _check_parts(normalizers, NORMALIZERS, f"{where}: normalizer")
    _check_decoder(content, where)
    add_prefix_space, pre_tokenizers = _read_pre_tokenizer(content, where)
    framing, post_processors = _read_post_processor(content, add_prefix_space, where)
    vocab, merges = _read_vocab_and_merges(model, where)
    added = _read_added_tokens(content.get("added_tokens"), vocab, where)
    _check_framing(framing, {**vocab, **{token.content: i for i, token in added.items()}}, where)
    parts = {
        "normalizer": normalizers or None,
        "pre_tokenizer": pre_tokenizers,
        "post_processor": post_processors,
        "ignore_merges": _flag(model, "ignore_merges", False, f"{where}: model") or None,
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
    kinds = _kinds(_steps(content, "decoder", where))
    if kinds not in ([], ["ByteLevel"]):
        raise ValueError(
            f"{where}: the decoder is {listed(kinds, 120, ' then ')}, where RoBERTa has ByteLevel;"
            f" this is {_whose(kinds)}"
        )


def _read_pre_tokenizer(content: Mapping[str, Any], where: str) -> tuple[bool, list[Part] | None]:
    """Give `add_prefix_space`, and the steps if they are others than RoBERTa's one."""
    steps = _steps(content, "pre_tokenizer", where)
    kinds, place = _kinds(steps), f"{where}: pre_tokenizer"
    foreign = [kind for kind in kinds if kind in FOREIGN]
    if kinds.count("ByteLevel") != 1 or foreign:
        raise ValueError(
            f"{where}: the pre_tokenizer is {listed(kinds, 120, ' then ') or 'missing'}, where"
            f" RoBERTa has ByteLevel; this is {_whose(kinds)}"
        )
    byte_level = steps[kinds.index("ByteLevel")]
    add_prefix_space = _flag(byte_level, "add_prefix_space", False, place)
    is_usual = _flag(byte_level, "use_regex", True, place) and len(steps) == 1
    _check_parts(steps, PRE_TOKENIZERS, place)
    return add_prefix_space, None if is_usual else steps


def _check_parts(
    steps: Sequence[Part], known: Mapping[str, Callable[[Part], Any]], place: str
) -> None:
    """Refuse a part that is not known, or that cannot be made from what is said of it."""
    for step, kind in zip(steps, _kinds(steps), strict=True):
        if kind not in known:
            raise ValueError(
                f"{place}: {plain(kind)} is not known here, only {', '.join(known)}; this is"
                f" {_whose([kind])}"
            )
        try:
            known[kind](step)
        except KeyError as error:
            raise ValueError(f"{place}: {kind} cannot be used: {plain(error)} is missing") from None
        except (ValueError, RecursionError, regex.error) as error:
            raise ValueError(f"{place}: {kind} cannot be used: {plain(error)}") from error


def check_parts(parts: Any) -> dict[str, Any]:
    """Check parts that are given by hand, as those of a file are."""
    sections = _object(parts, "parts")
    for name, known in _KNOWN.items():
        steps = _array(sections.get(name, []), f"parts: {name}")
        _check_parts([_object(step, f"parts: {name}") for step in steps], known, f"parts: {name}")
        for step in steps if name == "post_processor" else ():
            if step["type"] != "ByteLevel":
                _read_framing(step, True, f"parts: {name}")
    others = [name for name in sections if name not in (*_KNOWN, "ignore_merges")]
    if others:
        raise ValueError(
            f"parts has {listed(others, each=shown)}, but only {', '.join(_KNOWN)} and"
            " ignore_merges have a meaning"
        )
    _flag(sections, "ignore_merges", False, "parts")
    check_standard(sections, "parts")
    return dict(sections)


def _whose(kinds: Sequence[str]) -> str:
    """Say whose tokenizer it is that has such parts."""
    return next((FOREIGN[kind] for kind in kinds if kind in FOREIGN), "another model's tokenizer")


def _read_post_processor(
    content: Mapping[str, Any], add_prefix_space: bool, where: str
) -> tuple[Framing, list[Part] | None]:
    """Give what RoBERTa's says, and the steps if they are others than RoBERTa's."""
    steps = _steps(content, "post_processor", where)
    kinds, place = _kinds(steps), f"{where}: post_processor"
    _check_parts(steps, POST_PROCESSORS, place)
    byte_levels = [step for step in steps if step["type"] == "ByteLevel"]
    framing = [step for step in steps if step["type"] != "ByteLevel"]
    if len(framing) > 1 or len(byte_levels) + ("RobertaProcessing" in kinds) > 1:
        raise ValueError(
            f"{place}: {listed(kinds, 120, ' then ')} frames or trims what is framed or trimmed"
            " already: leave one of them"
        )
    trim_offsets = any(_flag(step, "trim_offsets", True, place) for step in byte_levels)
    trims_alike = not trim_offsets or add_prefix_space == _flag(
        byte_levels[0], "add_prefix_space", True, place
    )
    if not framing:
        return Framing(None, None, trim_offsets), steps
    said = _read_framing(framing[0], trim_offsets, place)
    is_usual = said.cls and "BertProcessing" not in kinds and trims_alike
    return said, None if is_usual else steps


def _read_framing(step: Part, trim_offsets: bool, place: str) -> Framing:
    if step["type"] == "TemplateProcessing":
        return _read_template(step, trim_offsets, place)
    if step["type"] == "RobertaProcessing":
        trim_offsets = _flag(step, "trim_offsets", True, place)
    cls, sep = (_token_and_id(step, name, place) for name in ("cls", "sep"))
    return Framing(cls, sep, trim_offsets)


def _read_template(step: Part, trim_offsets: bool, place: str) -> Framing:
    match step.get("single"):
        case [{"SpecialToken": {"id": str(cls)}}, _, {"SpecialToken": {"id": str(sep)}}]:
            rows = {"single": [cls, "A", sep], "pair": [cls, "A", sep, sep, "B", sep]}
            if all(step.get(name) == _template(row, cls, sep) for name, row in rows.items()):
                return Framing(
                    _template_token(step, cls, place),
                    _template_token(step, sep, place),
                    trim_offsets,
                )
    return Framing(None, None, trim_offsets, read_layout(step).special_tokens())


def _template(row: Sequence[str], cls: str, sep: str) -> list[dict[str, Any]]:
    return [
        {"SpecialToken" if name in (cls, sep) else "Sequence": {"id": name, "type_id": 0}}
        for name in row
    ]


def _template_token(step: Mapping[str, Any], name: str, place: str) -> tuple[str, int]:
    match step.get("special_tokens"):
        case {**tokens}:
            match tokens.get(name):
                case {"ids": [index], "tokens": [str(token)]} if ID.allows(index):
                    return token, index
    raise ValueError(
        f"{place}: special_tokens does not say which token {shown(name)} is, and its id"
    )


def _check_layout(step: Part) -> None:
    """RoBERTa's and BERT's are checked with what they say; a template and flags here."""
    if step["type"] == "TemplateProcessing":
        read_layout(step)
    for flag in ("add_prefix_space", "trim_offsets", "use_regex"):
        check(flag, step.get(flag, True), BOOLEAN)


POST_PROCESSORS: Mapping[str, Callable[[Part], Any]] = dict.fromkeys(
    ("ByteLevel", "RobertaProcessing", "BertProcessing", "TemplateProcessing"), _check_layout
)


_KNOWN: Mapping[str, Mapping[str, Callable[[Part], Any]]] = {
    "normalizer": NORMALIZERS,
    "pre_tokenizer": PRE_TOKENIZERS,
    "post_processor": POST_PROCESSORS,
}


def _token_and_id(step: Mapping[str, Any], name: str, place: str) -> tuple[str, int]:
    match step.get(name):
        case [str(token), index] if ID.allows(index):
            return token, index
        case other:
            raise ValueError(f"{place}: {name} is {_found(other)}, not a token and its id")


def _check_framing(framing: Framing, ids: Mapping[str, int], where: str) -> None:
    named = [token for token in (framing.cls, framing.sep) if token]
    for token, index in (*named, *framing.others):
        if ids.get(token) != index:
            found = f"the id {ids[token]}" if token in ids else "no id"
            raise ValueError(
                f"{where}: the post_processor gives {shown(token)} the id {shown(index)}, but among"
                f" the tokens it has {found}"
            )


# The model


def _check_kind_of_model(model: Mapping[str, Any], where: str) -> None:
    if model.get("type", "BPE") != "BPE":  # older files do not say which it is
        kind = model["type"]
        raise ValueError(
            f"{where}: the model is {shown(kind)}, where RoBERTa has BPE; this is"
            f" {_whose([kind] if isinstance(kind, str) else [])}"
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
    vocab = check_vocab(_object(model.get("vocab"), f"{place}: vocab"), where)
    merges = _array(model.get("merges"), f"{place}: merges")
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
        if _flag(model, option, False, f"{where}: model"):
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
    entries = [] if tokens is None else _array(tokens, f"{where}: added_tokens")
    for number, entry in enumerate(entries):
        place = f"{where}: added_tokens[{number}]"
        token = read_added_token(entry, place)
        declared.append(
            (check_id(entry.get("id"), f"{place}: the id of {shown(token.content)}"), token)
        )
    return numbered(vocab, declared, f"{where}: added_tokens")


# Values


def _read_side(content: Mapping[str, Any], name: str, where: str) -> str | None:
    if content.get(name) is None:
        return None
    side = _object(content[name], f"{where}: {name}").get("direction", "Right")
    if side not in list(SIDES):  # a list takes values that have no hash, too
        raise ValueError(f"{where}: {name}: direction is {shown(side)}, neither 'Left' nor 'Right'")
    return SIDES[side]


def _steps(content: Mapping[str, Any], name: str, where: str) -> list[Part]:
    """Give the parts of a section one after the other, also those of a Sequence in a Sequence."""
    if content.get(name) is None:
        return []
    return _flat(content[name], MEMBERS[name], f"{where}: {name}")


def _flat(part: Any, members: str, place: str) -> list[Part]:
    part = _object(part, place)
    if part.get("type") != "Sequence":
        return [part]
    place = f"{place}: {members}"
    several = _array(part.get(members), place)
    return [step for member in several for step in _flat(member, members, place)]


def _kinds(steps: Sequence[Mapping[str, Any]]) -> list[str]:
    kinds = [step.get("type") for step in steps]
    return [kind if isinstance(kind, str) else shown(kind) for kind in kinds]


def _object(value: Any, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"{place} is {_found(value)}, not an object")
    return value


def _array(value: Any, place: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{place} is {_found(value)}, not an array")
    return value


def _found(value: Any) -> str:
    return "missing" if value is None else shown(value)


def _flag(part: Mapping[str, Any], name: str, default: bool, place: str) -> bool:
    value = part.get(name, default)
    check(f"{place}: {name}", value, BOOLEAN)
    return bool(value)


# Writing


def tokenizer_text(
    vocabulary: Vocabulary,
    merges: Sequence[Pair],
    settings: Mapping[str, Any],
    parts: Mapping[str, Any] | None = None,
) -> str:
    """Give the text of tokenizer.json, to the byte that of transformers.

    The Rust tokenizers drop a symbol that the vocabulary lacks unless the file names a token for
    it, and transformers names none. Here ``<unk>`` is named if it can be of use and the vocabulary
    has it, so that they give the same ids as this class.
    """
    content = _tokenizer_object(vocabulary, merges, settings)
    for name, part in (parts or {}).items():
        if name in MEMBERS:
            content[name] = _section(name, part, settings)
        else:
            content["model"][name] = part
    return json.dumps(content, ensure_ascii=False, indent=2)


def _tokenizer_object(
    vocabulary: Vocabulary, merges: Sequence[Pair], settings: Mapping[str, Any]
) -> dict[str, Any]:
    byte_level = {
        "type": "ByteLevel",
        "add_prefix_space": settings["add_prefix_space"],
        "trim_offsets": True,  # only that of the post-processor counts
        "use_regex": True,
    }
    unknown = settings.get("unk_token")
    names_unknown = unknown in vocabulary.base and not has_whole_alphabet(vocabulary.base)
    return {
        "version": VERSION,
        "truncation": None,
        "padding": None,
        "added_tokens": _added_tokens_array(vocabulary),
        "normalizer": None,
        "pre_tokenizer": byte_level,
        "post_processor": _post_processor(vocabulary, settings, byte_level),
        "decoder": {**byte_level, "add_prefix_space": True},
        "model": {
            "type": "BPE",
            "dropout": None,
            "unk_token": unknown if names_unknown else None,
            "continuing_subword_prefix": "",
            "end_of_word_suffix": "",
            "fuse_unk": False,
            "byte_fallback": False,
            "ignore_merges": False,
            "vocab": vocabulary.base,
            "merges": list(merges),
        },
    }


def _post_processor(
    vocabulary: Vocabulary, settings: Mapping[str, Any], byte_level: Mapping[str, Any]
) -> dict[str, Any]:
    offsets = {name: settings[name] for name in ("trim_offsets", "add_prefix_space")}
    cls, sep = settings.get("cls_token"), settings.get("sep_token")
    if cls is None or sep is None:  # nothing frames a text
        return {**byte_level, **offsets}
    return {
        "type": "RobertaProcessing",
        "sep": [sep, vocabulary.ids[sep]],
        "cls": [cls, vocabulary.ids[cls]],
        **offsets,
    }


def _section(name: str, steps: Sequence[Part], settings: Mapping[str, Any]) -> Part | None:
    """Write parts as they were read, with the settings that may have changed since."""
    obeyed = ["add_prefix_space"] if name == "pre_tokenizer" else ["trim_offsets"]
    written = [
        step
        if step["type"] not in ("ByteLevel", "RobertaProcessing")
        else {**step, **{setting: settings[setting] for setting in obeyed}}
        for step in steps
    ]
    if len(written) == 1:
        return written[0]
    return {"type": "Sequence", MEMBERS[name]: written} if written else None


def _added_tokens_array(vocabulary: Vocabulary) -> list[dict[str, Any]]:
    by_id = sorted((vocabulary.ids[content], token) for content, token in vocabulary.added.items())
    return [{"id": index, **asdict(token)} for index, token in by_id]
