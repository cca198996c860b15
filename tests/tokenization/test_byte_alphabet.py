from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.byte_alphabet import (
    BYTE_TO_CHAR,
    CHAR_TO_BYTE,
    SPACE,
    symbols_to_bytes,
    text_to_symbols,
)


def test_bytes_and_characters_are_one_to_one():
    assert len(set(BYTE_TO_CHAR)) == 256
    assert all(CHAR_TO_BYTE[BYTE_TO_CHAR[byte]] == byte for byte in range(256))


def test_printable_bytes_keep_their_character():
    kept = [byte for byte in range(256) if BYTE_TO_CHAR[byte] == chr(byte)]
    assert kept == [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]


def test_the_others_are_numbered_from_u0100():
    others = [char for byte, char in enumerate(BYTE_TO_CHAR) if char != chr(byte)]
    assert others == [chr(0x100 + index) for index in range(68)]
    assert (SPACE, BYTE_TO_CHAR[0x0A], BYTE_TO_CHAR[0x09]) == ("Ġ", "Ċ", "ĉ")


def test_no_character_is_white_space_or_control():
    assert all(char.isprintable() and not char.isspace() for char in BYTE_TO_CHAR)


@given(st.text())
def test_symbols_spell_the_bytes_of_the_text(text):
    symbols = text_to_symbols(text)
    assert len(symbols) == len(text.encode())
    assert symbols_to_bytes(symbols) == text.encode()


@given(st.binary())
def test_any_bytes_can_be_spelled(data):
    assert symbols_to_bytes("".join(BYTE_TO_CHAR[byte] for byte in data)) == data


def test_strings_outside_the_alphabet_stand_for_themselves():
    assert symbols_to_bytes("日é") == "日é".encode()
    assert symbols_to_bytes("a b") == b"a b"
