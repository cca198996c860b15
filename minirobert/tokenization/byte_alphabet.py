"""The byte alphabet: each of the 256 bytes written as one printable character.

Byte-level BPE (Radford et al. 2019, section 2.2) builds its tokens from the bytes of the UTF-8 text
rather than from its characters. 256 symbols then spell every text there is, and no text is ever
unknown. A vocabulary file, however, is text, with one token per string, and bytes such as a space,
a newline or half of an "é" cannot stand there as they are. So each byte is given a character:

- the 188 bytes that are printable in Latin-1 keep their own character: ``A`` is written ``A``;
- the other 68 take U+0100, U+0101, … in turn. The space, byte 0x20, is the 33rd of them and becomes
  U+0120, ``Ġ``. That is why tokens that begin a word begin with ``Ġ``: it *is* the space.

The table is the one of GPT-2, which RoBERTa shares (Liu et al. 2019, section 4.4).
"""

from __future__ import annotations

from itertools import chain, count

__all__ = [
    "BYTE_TO_CHAR",
    "CHAR_TO_BYTE",
    "PRINTABLE",
    "SPACE",
    "symbols_to_bytes",
    "text_to_symbols",
]

PRINTABLE = frozenset(chain(range(0x21, 0x7F), range(0xA1, 0xAD), range(0xAE, 0x100)))


def _byte_alphabet() -> tuple[str, ...]:
    replacements = count(0x100)
    return tuple(chr(byte if byte in PRINTABLE else next(replacements)) for byte in range(256))


BYTE_TO_CHAR = _byte_alphabet()
CHAR_TO_BYTE = {char: byte for byte, char in enumerate(BYTE_TO_CHAR)}

SPACE = BYTE_TO_CHAR[0x20]

_REPLACED = {byte: char for byte, char in enumerate(BYTE_TO_CHAR) if byte not in PRINTABLE}


def text_to_symbols(text: str) -> str:
    r"""Write the UTF-8 bytes of a text in the byte alphabet, one character a byte.

    Parameters
    ----------
    text : str
        Any text without lone surrogates.

    Returns
    -------
    str
        As many characters as the text has bytes.

    Examples
    --------
    >>> text_to_symbols(" é\n")
    'ĠÃ©Ċ'
    """
    # Latin-1 decodes each byte to the code point of the same number.
    return text.encode("utf-8").decode("latin-1").translate(_REPLACED)


def symbols_to_bytes(symbols: str) -> bytes:
    r"""Give the bytes that a string in the byte alphabet stands for.

    A string with any character outside the alphabet was not made by `text_to_symbols`; it stands
    for itself, as its own UTF-8.

    Parameters
    ----------
    symbols : str
        A token of the vocabulary.

    Returns
    -------
    bytes
        The bytes, which need not be valid UTF-8: a token may end in the middle of a character.

    Examples
    --------
    >>> symbols_to_bytes("ĠÃ©")
    b' \xc3\xa9'
    """
    try:
        return bytes(map(CHAR_TO_BYTE.__getitem__, symbols))
    except KeyError:
        return symbols.encode("utf-8")
