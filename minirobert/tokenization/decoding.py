"""From tokens back to text."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Container, Iterable, Iterator
from itertools import groupby
from operator import index
from typing import Any

from ..sentences import cut, shown, type_name
from .byte_alphabet import symbols_to_bytes
from .texts import check_text

__all__ = [
    "as_ids",
    "as_lists",
    "check_tokens",
    "clean_up_tokenization",
    "is_iterable",
    "parts_of_text",
    "spaced_text",
    "tokens_to_text",
]

# English spacing that older tokenizers needed to have undone; replaced in this order.
_CLEANED_UP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)


def tokens_to_text(tokens: Iterable[str], added: Container[str], errors: str) -> str:
    """Join tokens to a text; added ones stand for themselves and not for bytes.

    The bytes of all tokens are joined before they are decoded, because a character may be spread
    over several tokens. Bytes that are no UTF-8, as half of such a character, are handled as
    `errors` says: ``"replace"`` puts U+FFFD, ``"ignore"`` nothing, ``"strict"`` raises
    `UnicodeDecodeError`.

    >>> tokens_to_text(["Hello", "Ġworld", "<mask>"], {"<mask>"}, "replace")
    'Hello world<mask>'
    """
    return b"".join([_bytes_of(token, added) for token in tokens]).decode("utf-8", errors=errors)


def parts_of_text(tokens: Iterable[str], added: Container[str], errors: str) -> Iterator[str]:
    """Give the text that `tokens_to_text` gives, as far as each token makes characters whole.

    >>> list(parts_of_text(["n", "Ã", "©!"], {}, "replace"))
    ['n', 'é!']
    """
    decoder = getincrementaldecoder("utf-8")(errors)
    for token in tokens:
        if part := decoder.decode(_bytes_of(token, added)):
            yield part
    if rest := decoder.decode(b"", final=True):
        yield rest


def _bytes_of(token: str, added: Container[str]) -> bytes:
    return token.encode("utf-8") if token in added else symbols_to_bytes(token)


def spaced_text(
    tokens: Iterable[str], apart: Container[str], added: Container[str], errors: str
) -> str:
    """Join tokens to a text with spaces on both sides of those that stand apart.

    Characters are not put together across such a token.

    >>> spaced_text(["a", "[X]", "[Y]", "b", "c"], {"[X]", "[Y]"}, {"[X]", "[Y]"}, "replace")
    'a [X] [Y] bc'
    """
    texts: list[str] = []
    for stands_apart, group in groupby(tokens, key=lambda token: token in apart):
        together = list(group)
        texts += together if stands_apart else [tokens_to_text(together, added, errors)]
    return " ".join(filter(None, texts))


def clean_up_tokenization(text: str) -> str:
    """Take out the spaces before punctuation and English contractions.

    >>> clean_up_tokenization("I do n't know , sorry .")
    "I don't know, sorry."
    """
    for spaced, joined in _CLEANED_UP:
        text = text.replace(spaced, joined)
    return text


def as_lists(name: str, value: Any) -> Any:
    """Make lists of an array of any library, and leave all else."""
    if not hasattr(value, "tolist"):
        return value
    try:
        return value.tolist()
    except Exception as error:  # of a tensor without numbers, or a class
        raise TypeError(
            f"{name} cannot be read as a list ({cut(str(error), 200)}): give a list, or an array in"
            " this machine's memory"
        ) from None


def is_iterable(value: Any) -> bool:
    """Tell whether a value can be iterated over, which an array without axes only seems to be."""
    return isinstance(value, Iterable) and getattr(value, "ndim", 1) != 0


def as_ids(ids: Any) -> list[int]:
    """Read ids given as one integer, as a sequence or as an array of one axis."""
    ids = as_lists("ids", ids)
    if isinstance(ids, int):
        return [ids]
    if isinstance(ids, str) or not is_iterable(ids):
        raise TypeError(
            f"ids are {shown(ids)}: they must be an integer or a sequence of integers; encode gives"
            " those of a text, convert_tokens_to_ids those of tokens"
        )
    several: list[int] = []
    for position, element in enumerate(ids):
        try:
            several.append(index(element))
        except TypeError:
            cure = (
                "convert_tokens_to_ids gives those of tokens"
                if isinstance(element, str)
                else "for several sequences use batch_decode"
            )
            raise TypeError(
                f"ids[{position}] is of type {type_name(element)}: it must be an integer; {cure}"
            ) from None
    return several


def check_tokens(tokens: Any) -> list[str]:
    """Check that tokens are strings that have a UTF-8 form."""
    if isinstance(tokens, str) or not is_iterable(tokens):
        raise TypeError(
            f"tokens is {shown(tokens)}: it must be a list of str; put a single token into a list,"
            " and give ids to decode"
        )
    several = list(tokens)
    for position, token in enumerate(several):
        check_text(token, f"tokens[{position}]")
    return several
