"""Suspects of the bytes: the port does not write each byte of UTF-8 in the byte alphabet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ...tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE, SPACE, text_to_symbols
from .steps import Ids, Steps
from .suspect import Case, Suspect

__all__ = ["spelling_suspects"]


def _in_alphabet(octets: bytes) -> str:
    return "".join(map(BYTE_TO_CHAR.__getitem__, octets))


def _code_points(piece: str) -> str:
    """Look code points up as if they were bytes; those beyond U+00FF stand for themselves."""
    return "".join(BYTE_TO_CHAR[ord(c)] if ord(c) < 256 else c for c in piece)


def _code_points_modulo(piece: str) -> str:
    return "".join(BYTE_TO_CHAR[ord(c) % 256] for c in piece)


def _not_in_alphabet(piece: str) -> str:
    return piece.encode("utf-8").decode("latin-1")


def _space_alone(piece: str) -> str:
    return piece.replace(" ", SPACE)


def _units(piece: str) -> list[str]:
    """Divide a piece into the 16-bit units of UTF-16, of which some are halves of characters."""
    octets = piece.encode("utf-16-le")
    return [chr(int.from_bytes(octets[at : at + 2], "little")) for at in range(0, len(octets), 2)]


def _of_each_unit(piece: str) -> str:
    return _in_alphabet(b"".join(unit.encode("utf-8", "surrogatepass") for unit in _units(piece)))


def _of_each_whole_unit(piece: str) -> str:
    whole = ("\ufffd" if "\ud800" <= unit <= "\udfff" else unit for unit in _units(piece))
    return text_to_symbols("".join(whole))


def _latin_1_alphabet(piece: str) -> str:
    """Begin the alphabet's replacements anew: each byte that is not printable is 256 higher."""
    octets = piece.encode("utf-8")
    return "".join(chr(octet if octet in PRINTABLE else octet + 256) for octet in octets)


def _spells(says: str, spell: Callable[[str], Sequence[str]]) -> tuple[Suspect, Suspect]:
    """Give a suspect, and one that leaves out the symbols which the vocabulary lacks."""

    def without_unknown(steps: Steps) -> Steps:
        vocab = steps.known.vocab

        def number(tokens: Sequence[str]) -> Ids:
            return [vocab[token] for token in tokens if token in vocab]

        return steps.coding(spell=spell, number=number)

    return (
        Suspect("bytes", says, lambda steps: steps.coding(spell=spell)),
        Suspect("bytes", f"{says}, and leaves out what the vocabulary lacks", without_unknown),
    )


SPELLING = (
    _spells("looks code points up in the byte alphabet, not the bytes of UTF-8", _code_points),
    _spells("looks the last 8 bits of each code point up in the byte alphabet",
            _code_points_modulo),
    _spells("does not write the bytes of UTF-8 in the byte alphabet", _not_in_alphabet),
    _spells("writes Ġ for a space, and leaves all other characters as they are", _space_alone),
    _spells("encodes both halves of a character beyond U+FFFF, which are one in UTF-8, each in"
            " three bytes (CESU-8, as Java's modified UTF-8)", _of_each_unit),
    _spells("encodes both halves of a character beyond U+FFFF as U+FFFD", _of_each_whole_unit),
    _spells("writes a byte that is not printable 256 higher, in place of counting these from"
            " U+0100 on", _latin_1_alphabet),
)  # fmt: skip


def spelling_suspects(case: Case) -> Iterator[Suspect]:
    """Give the suspects of the bytes; those that leave something out where there is something."""
    unknown = case.steps.known.unk
    for spelled, without_unknown in SPELLING:
        yield spelled
        changed = case.after(spelled)
        if changed and changed.ours.count(unknown) > case.ours.count(unknown):
            yield without_unknown
