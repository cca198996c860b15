"""Safetensors files and indexes with faults, read in a process that has little memory.

``python -m tests.robustness.checkpoint_faults DIRECTORY SEED COUNT`` changes the weights of a small
model COUNT times, loads each, and compares with what the safetensors library makes of the file.
What it prints at the end is JSON; a fault that was not told as it should be ends it.
"""

import copy
import json
import random
import re
import resource
import struct
import sys
import time
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, deserialize

from minirobert import CheckpointError, RobertaConfig, RobertaForMaskedLM
from minirobert.parameters import flatten
from minirobert.sentences import LIMIT

MEMORY = 2 << 30
FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"


class Header:
    """A header that is still right: its entries, its metadata, and the numbers behind it."""

    def __init__(self, file):
        (length,) = struct.unpack("<Q", file[:8])
        self.entries = json.loads(file[8 : 8 + length])
        self.metadata = self.entries.pop("__metadata__", None)
        self.data = file[8 + length :]

    def pairs(self):
        first = [] if self.metadata is None else [("__metadata__", self.metadata)]
        return [*first, *self.entries.items()]

    def text(self):
        return json_of(self.pairs())


def json_of(pairs):
    """Write an object of JSON, in which a name may come twice."""
    return "{" + ",".join(f"{json.dumps(name)}:{json.dumps(value)}" for name, value in pairs) + "}"


def file_of(header, data, length=None):
    header = header.encode("utf-8", "surrogatepass") if isinstance(header, str) else header
    return struct.pack("<Q", len(header) if length is None else length % 2**64) + header + data


# Faults: each gives the bytes of a file


def lengths(draw, header):
    length = len(header.text())
    other = [
        0,
        1,
        length - 1,
        length + 1,
        2**63,
        2**64 - 1,
        10**8,
        10**8 + 1,
        draw.randrange(2**40),
    ]
    return file_of(header.text(), header.data, draw.choice(other))


def file_sizes(draw, header):
    file = file_of(header.text(), header.data)
    return draw.choice(
        [file[: draw.randrange(len(file))], file + bytes(draw.randint(1, 9)), file[:8], b""]
    )


ODD = [
    *(None, True, "1", "", [], {}, [[1]], -1, 0, 1, 2, 1.0, 0.5, 1e300, 2**31, 2**32, 2**53 + 1),
    *(2**63, 2**64 - 1, 2**64, 10**30, 10**400, -(2**63), "F32", "\0", "é", ["F32"], {"a": 1}),
]


def offsets(draw, header):
    for _ in range(draw.randint(1, 2)):
        entry = draw.choice(list(header.entries.values()))
        other = draw.choice(list(header.entries.values()))
        change = draw.randrange(6)
        if change == 0:
            entry["data_offsets"] = list(other["data_offsets"])
        elif change == 1:
            entry["data_offsets"][draw.randrange(2)] += draw.choice([-8, -1, 1, 4, 2**40])
        elif change == 2:
            entry["data_offsets"].reverse()
        elif change == 3:
            entry["data_offsets"] = draw.choice([*ODD, [0], [0, 4, 8]])
        elif change == 4:
            entry["data_offsets"] = [draw.choice(ODD), draw.choice(ODD)]
        else:
            entry["data_offsets"], other["data_offsets"] = (
                other["data_offsets"],
                entry["data_offsets"],
            )
    return file_of(header.text(), header.data)


def shapes(draw, header):
    entry = draw.choice(list(header.entries.values()))
    shape = entry["shape"]
    entry["shape"] = draw.choice(
        [
            *(
                shape[::-1],
                [*shape, 1],
                [1, *shape],
                [*shape, 0],
                [0, *shape],
                [],
                [-1],
                [2**32] * 2,
            ),
            *(
                [2**63, 2, 0],
                [0, 2**63, 2],
                [1] * 70,
                [*shape[1:], shape[0]],
                [n * 2 for n in shape],
            ),
            *(draw.choice(ODD), [draw.choice(ODD), *shape[1:]], [*shape, draw.choice(ODD)]),
        ]
    )
    return file_of(header.text(), header.data)


DTYPES = [
    "F64",
    "F32",
    "F16",
    "BF16",
    "F8_E4M3",
    "F8_E5M2",
    "F8_E8M0",
    "F4",
    "F6_E2M3",
    "I32",
    "U64",
]


def dtypes(draw, header):
    entry = draw.choice(list(header.entries.values()))
    entry["dtype"] = draw.choice([*DTYPES, *DTYPES, "C64", "BOOL", "f32", "float32", *ODD])
    return file_of(header.text(), header.data)


def fields(draw, header):
    name = draw.choice(list(header.entries))
    entry = header.entries[name]
    change = draw.randrange(5)
    if change == 0:
        entry.pop(draw.choice(list(entry)))
    elif change == 1:
        entry[draw.choice(["x", "Dtype", "data_offset", "\0"])] = draw.choice(ODD)
    elif change == 2:
        header.entries[name] = draw.choice([*ODD, list(entry.values()), [*entry.values(), 1]])
    elif change == 3:
        entry["x"] = nested(draw.choice([1, 5, 124, 125, 126, 200]))
    else:
        header.entries[name] = dict(draw.sample(list(entry.items()), 3))
    return file_of(header.text(), header.data)


def nested(depth):
    value = []
    for _ in range(depth - 1):
        value = [value]
    return value


NAMES = [
    *(
        "",
        " ",
        "\0",
        "a\nb",
        "\x1b[31m",
        "é",
        "\U0001f600",
        "\ud800",
        "..",
        "../../x",
        "/",
        "__metadata__",
    ),
    *("x" * 300, "x." * 200, "x" * 100_000, "." * 10_000, "\U0001f600" * 10_000, "9" * 5000),
    *(
        "roberta",
        "roberta.",
        "encoder.layer.x",
        "roberta.encoder.layer.-1.x",
        "lm_head.",
        "a" + "\\" * 9,
    ),
    *("roberta.encoder.layer.99999999999999999999.output.dense.bias", "lm_head.decoder.bias"),
    *("lm_head.decoder.weight", "roberta.pooler.dense.weight", "classifier.bias", "module.x"),
]


def names(draw, header):
    pairs = header.pairs()
    i = draw.randrange(len(pairs))
    change = draw.randrange(6)
    if change == 0:
        pairs[i] = (draw.choice(NAMES), pairs[i][1])
    elif change == 1:
        pairs.insert(draw.randrange(len(pairs)), (pairs[i][0], draw.choice(pairs)[1]))
    elif change == 2:
        pairs.append(pairs[i])
    elif change == 3:
        end = header.entries and max(entry["data_offsets"][1] for entry in header.entries.values())
        empty = {"dtype": "F32", "shape": [0], "data_offsets": [end, end]}
        more = draw.choice(
            [NAMES, [f"x.{k}.{draw.random()}" for k in range(draw.choice([9, 3000]))]]
        )
        pairs += [(name, empty) for name in draw.sample(more, len(more)) if name != "__metadata__"]
    elif change == 4:
        prefix = draw.choice(["module.", "roberta.", "x" * 2000, "\n", ""])
        pairs = [(prefix + name.removeprefix("roberta."), value) for name, value in pairs]
    else:
        del pairs[i]
    return file_of(json_of(pairs), header.data)


def metadata(draw, header):
    header.metadata = draw.choice(
        [
            *(
                *ODD,
                {},
                {"format": "pt"},
                {"format": "tf"},
                {"format": "flax"},
                {"format": "\n" * 99},
            ),
            *(
                {"format": draw.choice(ODD)},
                {"a": None},
                {"a" * 9999: "b" * 9999},
                {"a": {"b": "c"}},
            ),
            *({"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}, {"dtype": "a", "shape": "b"}),
        ]
    )
    text = header.text()
    if draw.random() < 0.2:
        text = text[:-1] + ',"__metadata__":{}}'
    return file_of(text, header.data)


TOKENS = [
    *(
        '"',
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "0",
        "1",
        "-",
        "-0",
        "1.0",
        "1e3",
        "1e400",
        "null",
        "true",
    ),
    *(
        "NaN",
        "Infinity",
        "-Infinity",
        "\\",
        "\\u0041",
        "\\ud800",
        "\\ud83d\\ude00",
        "\0",
        "\n",
        " ",
        "\t",
    ),
    *(
        "é",
        "\U0001f600",
        '"dtype":"F32",',
        '"x":1,',
        '"x":[[1],{"a":[]}],',
        '"__metadata__":{},',
        "01",
    ),
    *(
        '"F4"',
        '"F64"',
        "18446744073709551615",
        "18446744073709551616",
        "4294967296,4294967296",
        "0,",
    ),
    *('"x":' + "[" * 5000 + "]" * 5000 + ",", "[" * 200_000),
    *("+1", ".5", "1.", "\ufeff", "/**/", "'", "0" * 30, "9" * 30, "9" * 400, "\ud800"),
]


def tokens(draw, header):
    """Change the text itself, mostly where it has numbers, strings and lists."""
    text = header.text()
    for _ in range(draw.choice([1, 1, 2, 3])):
        places = [one.span() for one in re.finditer(r'\d+|"[^"]*"|\[[^\[]*\]|\{[^{}]*\}|$', text)]
        start, stop = draw.choice([*places, (draw.randrange(len(text)),) * 2])
        start = draw.choice([start, stop])
        other = draw.choice([text[a:b] for a, b in places])
        text = text[:start] + draw.choice([*TOKENS, other]) + text[stop:]
    return file_of(text, header.data)


def raw_bytes(draw, header):
    file = bytearray(file_of(header.text(), header.data))
    for _ in range(draw.randint(1, 4)):
        file[draw.randrange(len(file) - len(header.data))] = draw.randrange(256)
    return bytes(file)


def blanks(draw, header):
    """Add what changes nothing."""
    blank = draw.choice([" ", "\n", "\t\r"]) * draw.choice([1, 100, 100_000])
    text = header.text()
    return file_of(draw.choice([text + blank, blank + text, text.replace(":", ":  ")]), header.data)


def orders(draw, header):
    """Store the same tensors elsewhere, or as other dtypes."""
    data, end, entries = b"", 0, {}
    for name in draw.sample(list(header.entries), len(header.entries)):
        start, stop = header.entries[name]["data_offsets"]
        array = np.frombuffer(header.data[start:stop], "<f4")
        kind = draw.choice(["F32", "F32", "F16", "F64", "BF16"])
        data += _stored_as(kind, array)
        shape = header.entries[name]["shape"]
        entries[name] = {"data_offsets": [end, len(data)], "dtype": kind, "shape": shape}
        end = len(data)
    pairs = draw.sample(list(entries.items()), len(entries))
    return file_of(json_of(pairs), data)


def _stored_as(kind, array):
    if kind == "BF16":
        return (array.view("<u4") >> 16).astype("<u2").tobytes()
    return array.astype({"F16": "<f2", "F32": "<f4", "F64": "<f8"}[kind]).tobytes()


def numbers(draw, header):
    """Change numbers, also to such as are none."""
    data = bytearray(header.data)
    for _ in range(draw.randint(1, 20)):
        data[draw.randrange(len(data))] = draw.choice([0, 127, 128, 255])
    return file_of(header.text(), bytes(data))


KINDS = [
    *(lengths, file_sizes, offsets, shapes, dtypes, fields, names, metadata, tokens, tokens),
    *(raw_bytes, blanks, orders, numbers),
]


# Indexes


def index_fault(draw, index):
    """Give the text of an index with a fault."""
    index = copy.deepcopy(index)
    weight_map = index["weight_map"]
    files = [
        *(
            "",
            ".",
            "..",
            "/",
            "../model.safetensors",
            "/etc/passwd",
            "a/b",
            "a\\b",
            "\0",
            "\n",
            "x" * 300,
        ),
        *("x" * 100_000, "config.json", INDEX, "é", "\x1b[31m", None, 1, [], *weight_map.values()),
    ]
    change = draw.randrange(7)
    if change == 0:
        weight_map[draw.choice(list(weight_map))] = draw.choice(files)
    elif change == 1:
        weight_map[draw.choice(NAMES)] = draw.choice(files)
    elif change == 2:
        del weight_map[draw.choice(list(weight_map))]
    elif change == 3:
        index["weight_map"] = draw.choice(
            [*ODD, {f"x{i}": f"{i}.safetensors" for i in range(3000)}]
        )
    elif change == 4:
        weight_map.update((f"x{i}", draw.choice(list(weight_map.values()))) for i in range(5000))
    elif change == 5:
        index = draw.choice([*ODD, {}])
    text = json.dumps(index)
    if change == 6:
        i = draw.randrange(len(text))
        text = text[:i] + draw.choice(TOKENS) + text[i + draw.randrange(3) :]
    return text.encode("utf-8", "surrogatepass")


# What must come of it


def as_arrays(file):
    """Read a file with the safetensors library: arrays, or None for what NumPy has not."""
    return {
        name: _as_array(one["dtype"], one["shape"], one["data"]) for name, one in deserialize(file)
    }


def _as_array(dtype, shape, data):
    kinds = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    return np.frombuffer(data, kinds[dtype]).reshape(shape) if dtype in kinds else None


def load(directory):
    """Give a model or a sentence, and the seconds that it took."""
    began = time.process_time()
    with warnings.catch_warnings(record=True, action="always") as said:
        try:
            result = RobertaForMaskedLM.from_pretrained(directory)
        except (ValueError, OSError) as error:
            result = error
    is_of_index = INDEX in str(result)  # which is JSON like any other
    assert is_of_index or not isinstance(result, ValueError) or isinstance(result, CheckpointError)
    seconds = time.process_time() - began
    for message in (
        [str(result)] if isinstance(result, Exception) else [str(one.message) for one in said]
    ):
        assert 10 < len(message) <= LIMIT, f"{len(message)} characters: {message}"
        assert str(directory)[:20] in message, message
        assert message.replace("\n  ", "").isprintable(), message
    return result, seconds


def is_in_memory(array):
    """Tell whether an array, or what it is a part of, owns its memory: no file is mapped."""
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.flags.owndata


def judge(result, file):
    """Compare with the library."""
    try:
        theirs = as_arrays(file)
    except SafetensorError:
        assert isinstance(result, CheckpointError), f"{result!r}, but the library refuses the file"
        return "refused, as by the library"
    if isinstance(result, Exception):
        assert re.search("do not fit|weights must be|was written by", str(result)), repr(result)
        ours = {name: array for name, array in theirs.items() if array is not None}
        fits = {name: ours[name].shape for name in SHAPES if name in ours} == SHAPES
        assert not fits or len(theirs) > len(SHAPES) or "was written by" in str(result), repr(
            result
        )
        return "refused, as it does not fit"
    for name, array in flatten(result.params).items():
        assert is_in_memory(array)
        if theirs.get(name) is not None:
            with np.errstate(over="ignore"):
                np.testing.assert_array_equal(array, theirs[name].astype("float32"), err_msg=name)
    return "loaded"


SHAPES = {
    name: tuple(array.shape)
    for name, array in flatten(RobertaForMaskedLM(RobertaConfig(**FIELDS)).params).items()
}


def run(directory, seed, count):
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    draw = random.Random(seed)
    model = RobertaForMaskedLM(RobertaConfig(**FIELDS), seed=seed)
    model.save_pretrained(directory)
    whole = (directory / WEIGHTS).read_bytes()
    (directory / WEIGHTS).unlink()
    model.save_pretrained(directory, max_shard_size="3KB")
    index = json.loads((directory / INDEX).read_text())
    outcomes, slowest = Counter(), (0.0, "")
    for i in range(count):
        if i % 10 == 9:
            kind, file = index_fault, None
            (directory / INDEX).write_bytes(index_fault(draw, index))
        else:
            kind = draw.choice(KINDS)
            file = kind(draw, Header(whole))
            (directory / WEIGHTS).write_bytes(file)
        try:
            result, seconds = load(directory)
            outcome = judge(result, file) if file is not None else type(result).__name__
        except Exception:
            print(f"case {i} of {kind.__name__}", file=sys.stderr)
            raise
        outcomes[f"{kind.__name__}: {outcome}"] += 1
        slowest = max(slowest, (seconds, kind.__name__))
        (directory / WEIGHTS).unlink(missing_ok=True)
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    return {
        "outcomes": dict(sorted(outcomes.items())),
        "slowest": slowest,
        "peak": 1024 * int(peak[1]),
    }


if __name__ == "__main__":
    print(json.dumps(run(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])), indent=1))
