"""Ways to break a file of JSON: in its values, in its structure, and as a text."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any, NamedTuple


class Raw(NamedTuple):
    """A value as a text of JSON, for what Python's objects cannot say."""

    text: str


NUMBERS = [
    *("0", "1", "2", "3", "-1", "-0", "12", "50000", "768.0", "0.5", "1.5", "-0.0", "1e5"),
    *(
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775809",
    ),
    *("1" + "0" * 60, "-1" + "0" * 60, "1" + "0" * 400, "9" * 4300, "9" * 4301, "1" * 9000),
    *("1e400", "-1e400", "1e-400", "1e300", "1e39", "NaN", "Infinity", "-Infinity"),
]
STRINGS = [
    *("", " ", "\0", "a\0b", "12", "-3", "1.5", "true", "null", "nan", "1" * 5000, "x" * 100_000),
    *(
        "\ud800",
        "a\udfffb",
        "\U0001f600",
        "é",
        "../x",
        "/etc/passwd",
        "cpu",
        "<mask>",
        "<s>",
        "a b",
    ),
    *(
        "\n",
        "'",
        '"',
        "%s",
        "{}",
        "ROBERTA",
        "roberta",
        "BPE",
        "Right",
        "BertTokenizer",
        "strict",
        "ab",
    ),
    *(
        "float16",
        "bfloat16",
        "gelu_new",
        "relative_key",
        "never",
        "regression",
        "longest",
        "__class__",
    ),
]
WHOLE = [
    *("true", "false", "null", "[]", "{}", "[[]]", "[null]", '[1, "a", null]', '{"a": null}'),
    *(
        '{"": {}}',
        '{"1": 1}',
        "[0]",
        "[[1, 2], [3]]",
        "[[[1], 0.5]]",
        "[NaN]",
        '{"0": "a", "1": "a"}',
    ),
    *(
        '{"a": {"b": [1.5, "\\ud800"]}}',
        '["<s>", 0]',
        '{"content": "<x>"}',
        '{"content": 5}',
        "[[1]]",
    ),
]
VALUES = [Raw(text) for text in NUMBERS + WHOLE] + list(STRINGS)


def dumps(value: Any) -> str:
    """Write what `broken_value` gives."""
    if isinstance(value, Raw):
        return value.text
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)}: {dumps(one)}" for key, one in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(dumps, value)) + "]"
    return json.dumps(value)


def nested(value: Any, depth: int, draw: Random) -> Raw:
    """Put a value into so many arrays and objects."""
    before, after = draw.choice([("[", "]"), ('{"a":', "}"), ('[1, {"b": [', "]}]")])
    return Raw(before * depth + dumps(value) + after * depth)


def containers(value: Any) -> list[Any]:
    """List all objects and arrays, the outermost first."""
    members = (
        value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    )
    inner = [one for member in members for one in containers(member)]
    return [value, *inner] if isinstance(value, dict | list) else []


def broken_value(value: Any, draw: Random, likely: tuple[str, ...] = ()) -> str:
    """Give the text of a JSON value in which one or two things are wrong; ``likely`` are keys."""
    value = copy.deepcopy(value)
    for _ in range(draw.choice([1, 1, 1, 2])):
        if draw.random() < 0.03:
            return dumps(draw.choice(VALUES))
        here = draw.choice([value, draw.choice(containers(value))])
        _break(here, draw, likely)
    return dumps(value)


def _break(here: Any, draw: Random, likely: tuple[str, ...]) -> None:
    keys = list(here) if isinstance(here, dict) else list(range(len(here)))
    if isinstance(here, dict) and (not keys or draw.random() < 0.25):
        here[draw.choice([*likely, *likely, *STRINGS, "mine"])] = draw.choice(VALUES)
        return
    if not keys:
        here.append(draw.choice(VALUES))
        return
    key = draw.choice(keys)
    match draw.randrange(8):
        case 0:
            del here[key]
        case 1:
            depth = draw.choice([1, 1, 2, 3, 33, 49, 90, 101, 300, 5000, 100_000])
            here[key] = nested(here[key], depth, draw)
        case 2:
            other = draw.choice(keys)
            here[key], here[other] = here[other], here[key]
        case 3 if isinstance(here, dict):
            # A key that comes twice, as no dictionary can: one that is written like two.
            again = (
                f"{dumps(here[key])}, {json.dumps(key)}: {dumps(draw.choice([here[key], *VALUES]))}"
            )
            here[key] = Raw(again)
        case 4 if isinstance(here, dict):
            here[draw.choice(STRINGS)] = here.pop(key)
        case _:
            here[key] = draw.choice(VALUES)


def broken_text(content: bytes, draw: Random) -> bytes:
    """Give a file in which something is wrong that has nothing to do with what it means."""
    at = draw.randrange(len(content) + 1)
    match draw.randrange(9):
        case 0:
            return content[:at]
        case 1:
            return content[:at] + bytes([draw.randrange(256)]) + content[at + 1 :]
        case 2:
            several = bytearray(content)
            for _ in range(draw.randrange(1, 9)):
                several[draw.randrange(len(several))] ^= 1 << draw.randrange(8)
            return bytes(several)
        case 3:
            return content[:at] + draw.choice(EXTRA) + content[at:]
        case 4:
            return draw.choice([b"\xef\xbb\xbf" + content, content + b"\x1a", content + content])
        case 5:
            encoding = draw.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
            return content.decode().encode(encoding)
        case 6:
            return content.replace(b"}", b",}", 1) if draw.random() < 0.5 else b"// a\n" + content
        case 7:
            return draw.choice(
                [b"", b" ", b"\n\n", b"null", b"[" * 200_000, b'{"a":' * 100_000, b"\0" * 9]
            )
        case _:
            start, end = sorted((at, draw.randrange(len(content) + 1)))
            return content[:start] + content[end:]


EXTRA = [
    *(
        b",",
        b"/* a */",
        b"#",
        b"'",
        b'"',
        b"\\",
        b"{",
        b"}",
        b"[",
        b"]",
        b":",
        b"\0",
        b"\r",
        b"\xff",
    ),
    *(b"\xed\xa0\x80", b"\xc2", b"\xe2\x80\xa8", b"NaN", b"0x1", b"+1", b"01", b"None", b"True"),
]
