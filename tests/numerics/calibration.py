"""How the budgets do: on ports that are right, and on mistakes planted one at a time.

Prints the tables of tutorials/budgets.md, for as many drawn models as are asked for:

    python -m tests.numerics.calibration --models 300
    python -m tests.numerics.calibration --models 100 --planted
"""

import argparse
import tempfile
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import minirobert
from minirobert import watch
from minirobert.numerics import Trace, trace
from minirobert.numerics.compare import departures
from minirobert.numerics.onnx_export import export_onnx
from minirobert.numerics.onnx_port import trace_onnx
from minirobert.numerics.torch_port import trace_torch
from minirobert.numerics.traces import recorded
from tests.equivalence.strategies import carried_over
from tests.numerics.loops import WAYS, Way, loops, plain, way
from tests.numerics.models import Case, drawn_model
from tests.numerics.planted import PLANTED

ONE_PASS = Way(variance="one pass")


def our_model(case: Case) -> Any:
    """Give a drawn model as one of this package, in float32."""
    return carried_over(case.module, getattr(minirobert, case.class_name), dtype="float32")


def loop_trace(model: Any, arguments: dict[str, Any], one: Way) -> Trace:
    """Trace a port of loops."""
    given = {name: loops(in_float32(array)) for name, array in arguments.items()}
    with way(one), watch() as seen, np.errstate(all="ignore"):
        model._with_weights(loops)(**given)
    tensors = {name: plain(array) for name, array in (seen | given).items()}
    return recorded(model, tensors, tuple(arguments), weights=False)


def jax_trace(model: Any, arguments: dict[str, Any]) -> Trace:
    """Trace the same code on JAX."""
    import jax

    moved = model.to(jax.devices("cpu")[0], xp=jax.numpy)
    given = {name: jax.numpy.asarray(in_float32(array)) for name, array in arguments.items()}
    return trace(moved, weights=False, **given)


def onnx_trace(model: Any, arguments: dict[str, Any], optimised: bool) -> Trace:
    """Trace the graph that is exported of a model, as onnxruntime runs it."""
    given = {**arguments, "token_type_ids": np.zeros_like(arguments["input_ids"])} | arguments
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "model.onnx"
        export_onnx(model, path, token_type_ids=True)
        return trace_onnx(path, given, model=model, optimise=optimised, weights=False)


def in_float32(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def ports(case: Case, model: Any, with_jax: bool = False) -> Iterator[tuple[str, Trace]]:
    """Run a drawn model in every way that is right."""
    for how in ("eager", "sdpa"):
        case.module.config._attn_implementation = how
        relative = case.config["position_embedding_type"] != "absolute"
        if how == "sdpa" and relative:
            continue  # transformers falls back to eager attention
        for dtype in ("float32", "float64", "bfloat16", "float16"):
            made = trace_torch(case.module, case.arguments, dtype=dtype, weights=False)
            yield f"torch, {how}, {dtype}", made
    case.module.config._attn_implementation = "eager"
    for dtype in ("float32", "float64", "float16"):
        given = {
            name: array.astype(dtype) if array.dtype.kind == "f" else array
            for name, array in case.arguments.items()
        }
        with np.errstate(all="ignore"):
            yield f"minirobert, {dtype}", trace(model.astype(dtype), weights=False, **given)
    if with_jax:
        yield "JAX, float32", jax_trace(model, case.arguments)
    for optimised in (False, True):
        if case.class_name != "RobertaForMultipleChoice" and not case.config["add_cross_attention"]:
            made = onnx_trace(model, case.arguments, optimised)
            yield f"onnxruntime, {'optimised' if optimised else 'plain'}, float32", made
    for name, one in {**WAYS, "one-pass variance": ONE_PASS}.items():
        yield f"loops, {name}", loop_trace(model, case.arguments, one)


def sees_nothing(case: Case) -> bool:
    """Tell whether some token may look at none, as in a decoder the first where it is masked."""
    masks = [one for name, one in case.arguments.items() if name.endswith("attention_mask")]
    keys = slice(1) if case.config["is_decoder"] else slice(None)
    return any(bool((one[..., keys] == 0).all(-1).any()) for one in masks)


def false_alarms(models: int, first: int = 0, with_jax: bool = False) -> None:
    """Compare ports that are right."""
    worst: dict[str, tuple[float, int, str]] = defaultdict(lambda: (0.0, -1, ""))
    alarms: Counter[str] = Counter()
    tensors: Counter[str] = Counter()
    runs: Counter[str] = Counter()
    for seed in range(first, first + models):
        case = drawn_model(seed)
        model = our_model(case)
        for name, port in ports(case, model, with_jax):
            if port.arithmetic.store == "float16" and sees_nothing(case):
                continue  # torch gives NaN there: tutorials/differences.md
            rows = [row for row in departures(model, port) if row.verdict != "missing"]
            runs[name] += 1
            tensors[name] += len(rows)
            if any(row.departs for row in rows):
                alarms[name] += 1
                row = next(row for row in rows if row.departs)
                print(f"  seed {seed}: {name}: {row.name} {row.reason} {row.ratio:.3g}")
            for row in rows:
                if not row.name.endswith("sum") and row.ratio > worst[name][0]:
                    worst[name] = row.ratio, seed, row.name
    print("| port | models | tensors | accused | largest error/bound (but of sums) |")
    print("|---|---|---|---|---|")
    for name, count in runs.items():
        ratio, seed, where = worst[name]
        print(f"| {name} | {count} | {tensors[name]:,} | {alarms[name]} | {ratio:.2f} ({where}) |")


def detection(models: int, first: int = 0, dtype: str = "float32") -> None:
    """Compare ports with one mistake each."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for seed in range(first, first + models):
        case = drawn_model(seed)
        model = our_model(case)
        module = case.in_dtype(getattr(torch, dtype))
        clean = trace_torch(module, case.arguments, weights=False)
        for mistake in PLANTED:
            if not mistake.matters(module, case.arguments):
                continue
            with mistake.planted(module):
                port = trace_torch(module, mistake.arguments(case.arguments), weights=False)
            if same(clean, port):
                found[mistake.id]["no effect"] += 1
                continue
            rows = departures(model, port, case.arguments)
            departing = [row.name for row in rows if row.departs]
            if not departing:
                outcome = "rounding"
            elif mistake.is_at(departing[0], model.config):
                beside = [name for name in departing if not mistake.is_at(name, model.config)]
                outcome = "where it is made, and elsewhere" if beside else "where it is made"
            else:
                outcome = "elsewhere"
                print(f"  seed {seed}: {mistake.id}: {departing[:3]}")
            found[mistake.id][outcome] += 1
    outcomes = ("where it is made", "where it is made, and elsewhere", "elsewhere", "rounding")
    print("| mistake |", " | ".join(outcomes), "|")
    print("|---|" + "---|" * len(outcomes))
    for mistake in PLANTED:
        counts = found[mistake.id]
        print(f"| {mistake.id} |", " | ".join(str(counts[one] or "") for one in outcomes), "|")


def same(one: Trace, other: Trace) -> bool:
    """Tell whether a mistake changed nothing, bit for bit."""
    return all(
        np.array_equal(array, other.tensors.get(name), equal_nan=True)
        for name, array in one.tensors.items()
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=100, metavar="N")
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--planted", action="store_true")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--jax", action="store_true", help="JAX, too, which compiles each size")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    if arguments.planted:
        detection(arguments.models, arguments.first, arguments.dtype)
    else:
        false_alarms(arguments.models, arguments.first, arguments.jax)


if __name__ == "__main__":
    main()
