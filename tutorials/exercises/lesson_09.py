"""Exercises of lesson 9: porting."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .judging import Exercise, SameFunction, Satisfies
from .ports import CAUSES

__all__ = ["EXERCISES"]


def digest(port: str, what: str) -> str:
    """Hide an answer from those who read on, but not from those who search for it.

    >>> digest("alder", "roberta.embeddings.sum") == digest("alder", "embeddings.sum")
    True
    """
    short = what.removeprefix("roberta.").removeprefix("encoder.")
    return hashlib.sha256(f"{port}: {short}".encode()).hexdigest()[:12]


#: Of each port: what the first tensors that depart become, and the causes.
_RIGHT = {
    "alder": "93f8a42bb885 bf9f3c2d024c",
    "birch": "a7c6dea47dfd 68a4214d8473",
    "cedar": "62fffd9fef40 cae53456b5a2",
    "elder": "8a3774ad1ba2 2c5f20fa87bf 9c0c2b40d1fb 69712aba037e",
    "hazel": "c663b3bd1e1d ca4340c2ec08",
    "larch": "18bea72b45c5 4127ff6bfa54 df0dee32e0d8",
    "maple": "8393834b92c0 5ba4c9d88c86",
    "oak": "e923807f13bc 09dbb0b0fe3e",
    "rowan": "e4fd9e985d82 c836d2fb310e",
}

_YEW = ("5e5d80eb74f6 4c0c01e0da8b bd76c74b0ed6", "1bc408ae654b 9911b96383c8")


def _complaint_on(port: str, answer: Any) -> str | None:
    """Tell which half of an answer about a port is wrong."""
    tensor, cause = _pair(answer)
    right = _RIGHT[port]
    if cause not in CAUSES:
        return f"{port}: {cause!r} is not in ports.CAUSES"
    is_there, is_it = digest(port, tensor) in right, digest(port, cause) in right
    if is_there and is_it:
        return None
    if is_there:
        return f"{port}: that is the tensor, but it has another cause"
    if is_it:
        return f"{port}: that is the cause, but it shows in an earlier or another tensor first"
    return f"{port}: it is neither that tensor nor that cause"


def _pair(answer: Any) -> tuple[str, str]:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        raise ValueError("wanted: the name of a tensor and a cause, as a pair")
    return str(answer[0]), str(answer[1])


def _hunt(*ports: str) -> Callable[[Any], str | None]:
    """Make a judge of a dictionary of answers."""

    def complaint(answer: Any) -> str | None:
        if not isinstance(answer, Mapping):
            return f"wanted: a dictionary with {', '.join(ports)}"
        told = [
            _complaint_on(port, answer[port]) if port in answer else f"{port}: no answer"
            for port in ports
        ]
        wrong = [one for one in told if one]
        return "\n  ".join([f"{len(ports) - len(wrong)} right", *wrong]) if wrong else None

    return complaint


def _complaint_on_two(answer: Any) -> str | None:
    """Judge a set of two pairs."""
    if not isinstance(answer, set | frozenset | list | tuple) or len(answer) != 2:
        return "wanted: a set of two pairs"
    told, found = [], set()
    for tensor, cause in sorted(map(_pair, answer)):
        at = {k for k, right in enumerate(_YEW) if digest("yew", tensor) in right}
        if not at:
            told.append(f"{tensor} is none of the two tensors")
        elif not {k for k in at if digest("yew", cause) in _YEW[k]}:
            told.append(f"{tensor} is one of the tensors, but it has another cause")
        found |= at
    if told:
        return "\n  ".join(told)
    return None if len(found) == 2 else "both are the same mistake"


def _traces(rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any], float]:
    """Draw traces: some tensors are missing, some a little off, some far, some NaN."""
    ours: dict[str, Any] = {"attend": np.array([True, True, False])}
    theirs: dict[str, Any] = {"attend": np.array([True, True, bool(rng.random() < 0.2)])}
    for name in ("sum", "norm", "query", "key", "scores", "context"):
        ours[name] = rng.standard_normal((2, 3)).round(2)
        kind = rng.choice(["missing", "near", "near", "far", "nan"])
        if kind == "missing":
            continue
        theirs[name] = ours[name] + 1e-6 * rng.standard_normal((2, 3))
        place = int(rng.integers(2)), int(rng.integers(3))
        if kind == "far":
            theirs[name][place] += rng.choice([-0.5, 0.5])
        if kind == "nan":
            theirs[name][place] = np.nan
    ours["logits"] = rng.standard_normal((2, 3)).round(2)
    theirs["logits"] = ours["logits"] + 1
    return ours, dict(sorted(theirs.items(), reverse=True)), 1e-3


def _apart(theirs: Any, own: Any) -> Any:
    return np.abs(theirs.astype(float) - own)


def _first(ours: Any, theirs: Any, tolerance: float) -> str:
    for name, own in ours.items():
        if name in theirs and not np.all(_apart(theirs[name], own) <= tolerance):
            return str(name)
    raise AssertionError("one always differs")


def _first_without_nan(ours: Any, theirs: Any, tolerance: float) -> str:
    shown = {name: np.nan_to_num(array, nan=0.0) for name, array in theirs.items()}
    nan = {name: np.isnan(array) for name, array in theirs.items()}
    return _first(
        ours, {name: np.where(nan[name], ours[name], one) for name, one in shown.items()}, tolerance
    )


def _signed(ours: Any, theirs: Any, tolerance: float) -> str:
    for name, own in ours.items():
        if name in theirs and np.any(theirs[name].astype(float) - own > tolerance):
            return str(name)
    return ""


def _first_of_theirs(ours: Any, theirs: Any, tolerance: float) -> str:
    return _first({name: ours[name] for name in theirs}, theirs, tolerance)


def _map(rng: np.random.Generator) -> tuple[Any, Any, Any, Any]:  # -> [S, X], [Y, X], [Y], [S, Y]
    """Draw a map with large numbers, so that rounding can be seen."""
    x, weight = rng.standard_normal((3, 40)) * 1e3, rng.standard_normal((5, 40)) * 1e3
    x, weight = x.astype(np.float32), weight.astype(np.float32)
    bias = (rng.standard_normal(5) * 1e3).astype(np.float32)
    return x, weight, bias, x @ weight.T + bias


def _step_error(x: Any, weight: Any, bias: Any, y: Any) -> float:
    right = x.astype(np.float64) @ weight.astype(np.float64).T + bias
    return float(np.abs(right - y).max())


def _sum_in_float32(x: Any, weight: Any, bias: Any, y: Any) -> float:
    sums = np.cumsum(x[:, None, :] * weight, axis=-1, dtype=np.float32)[..., -1] + bias
    return float(np.abs(sums - y).max())


def _library_float32(x: Any, weight: Any, bias: Any, y: Any) -> float:
    return float(np.abs(x @ weight.T + bias - y).max())


def _cast_too_late(x: Any, weight: Any, bias: Any, y: Any) -> float:
    return float(np.abs((x @ weight.T).astype(np.float64) + bias - y).max())


def _sizes(rng: np.random.Generator) -> tuple[Any, Any]:  # -> [S, X], [Y, X]
    x = rng.standard_normal((2, int(rng.integers(4, 40)))) * 1e6
    return x.astype(np.float32), rng.standard_normal((3, x.shape[1])).astype(np.float32)


def _budget_of(x: Any, weight: Any) -> Any:
    terms = 3 * np.sqrt(x.shape[-1]) + 4
    sizes = np.abs(x).astype(np.float64) @ np.abs(weight).astype(np.float64).T
    return terms * 2.0**-24 * sizes


def _size_of_result(x: Any, weight: Any) -> Any:
    terms = 3 * np.sqrt(x.shape[-1]) + 4
    return terms * 2.0**-24 * np.abs(x.astype(np.float64) @ weight.astype(np.float64).T)


def _terms_of_output(x: Any, weight: Any) -> Any:
    return _budget_of(x, weight) * (3 * np.sqrt(len(weight)) + 4) / (3 * np.sqrt(x.shape[-1]) + 4)


def _all_roundoffs(x: Any, weight: Any) -> Any:
    n = x.shape[-1]
    return _budget_of(x, weight) * (3 * n + 4) / (3 * np.sqrt(n) + 4)


_KINDS = {"F32": "<f4", "F16": "<f2", "I64": "<i8"}


def _file(rng: np.random.Generator) -> tuple[bytes, str]:
    """Draw the bytes of a safetensors file, and a name in it."""
    header: dict[str, Any] = {"__metadata__": {"made_by": "somebody"}}
    data = b""
    names = [f"tensor.{i}" for i in range(int(rng.integers(2, 5)))]
    for name in rng.permutation(names).tolist():
        code = str(rng.choice(list(_KINDS)))
        array = (10 * rng.standard_normal((int(rng.integers(1, 4)), 2))).astype(_KINDS[code])
        place = [len(data), len(data) + array.nbytes]
        header[name] = {"dtype": code, "shape": list(array.shape), "data_offsets": place}
        data += array.tobytes()
    text = json.dumps(header).encode() + b" " * int(rng.integers(8))
    return len(text).to_bytes(8, "little") + text + data, str(rng.choice(names))


def _read(data: bytes, name: str) -> Any:
    return _read_from(data, name, 8 + int.from_bytes(data[:8], "little"))


def _read_from(data: bytes, name: str, start: int) -> Any:
    entry = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])[name]
    begin, end = entry["data_offsets"]
    numbers = np.frombuffer(data[start + begin : start + end], _KINDS[entry["dtype"]])
    return numbers.reshape(entry["shape"])


EXERCISES = [
    Exercise(
        number="9.1",
        title="The first difference",
        minutes=10,
        difficulty="easy",
        judge=SameFunction(_first, _traces),
        right="It ends at the first one: what comes behind tells nothing.",
        hint="Ask whether all differences are within the tolerance, and turn the answer round.",
        mistakes={
            "NaN is neither larger nor smaller than anything: x > tolerance is False for it.": (
                _first_without_nan
            ),
            "A difference may be negative.": _signed,
            "The order is that of ours. The port may have written its tensors in another.": (
                _first_of_theirs
            ),
        },
    ),
    Exercise(
        number="9.2",
        title="Four coarse mistakes",
        minutes=15,
        difficulty="easy",
        judge=Satisfies(_hunt("alder", "birch", "cedar", "elder")),
        right="By hand it takes minutes for each, and only the first mistake of a port is found.",
        hint="first_difference gives the tensor, if ids count as well as floats. Then print a row "
        "of the port's and one of ours, their quotient and their difference; and look which names "
        "the port does not have.",
    ),
    Exercise(
        number="9.3",
        title="The error of one step",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_step_error, _map, tolerance=1e-9),
        right="What is left is the port's own rounding, or its mistake.",
        hint="A float32 number times another needs 48 bits; float64 has 53. When must it become "
        "float64?",
        mistakes={
            "This sums in float32: your own rounding is in the result.": _sum_in_float32,
            "The product is of float32 still, and rounds as the port does.": _library_float32,
            "The product is rounded before it becomes float64: convert the factors.": (
                _cast_too_late
            ),
        },
    ),
    Exercise(
        number="9.4",
        title="The budget of a map",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_budget_of, _sizes),
        right="Where large terms cancel, the result is small and the budget is not.",
        hint="Which n is it: how many numbers are summed for one output?",
        mistakes={
            "This is the size of the result. Terms that cancel have rounded before they did.": (
                _size_of_result
            ),
            "n counts the terms of a sum, not the outputs.": _terms_of_output,
            "This takes n, not its root: all roundoffs would have to have one sign.": (
                _all_roundoffs
            ),
        },
    ),
    Exercise(
        number="9.5",
        title="Five subtle mistakes",
        minutes=15,
        difficulty="medium",
        judge=Satisfies(_hunt("hazel", "larch", "maple", "oak", "rowan")),
        right="Each would have passed a test that asks for blue.",
        hint="result.first.name is the tensor; print(result) tells what would explain it, in other "
        "words than those of the list.",
    ),
    Exercise(
        number="9.6",
        title="Read a tensor",
        minutes=15,
        difficulty="medium",
        judge=SameFunction(_read, _file),
        right="Your port can read its weights now, and it needs nothing for it.",
        hint="Three cuts: data[:8], the header behind it, and the numbers from the end of the "
        "header on. np.frombuffer makes an array of bytes.",
        mistakes={
            "The shape of the header is still to be given to it.": lambda data, name: _read(
                data, name
            ).ravel(),
        },
    ),
    Exercise(
        number="9.7",
        title="Two mistakes at once",
        minutes=15,
        difficulty="hard",
        judge=Satisfies(_complaint_on_two),
        right="A bias of the keys adds the same to all scores of a query, which softmax does not "
        "see. Training did not see it, either: it has left those biases at 2e-5 and less.",
        hint="What is a sum minus one of its parts? Compare that with every tensor of its shape.",
    ),
]
