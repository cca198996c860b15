"""The command ``compare``: a port beside the reference, tensor by tensor."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ..sentences import listed, shown
from .calls import CALL_OPTIONS, add_call, call_of, has_call
from .common import add_command, show
from .looks import checked_picture
from .models import MODEL_OPTIONS, load_model, model_name
from .new_files import OVERWRITE, check_overwrite
from .options import add_options, choice, device, either, named, switch, text, words
from .streams import tell

__all__ = ["add_compare"]

#: Formats, in which a port stores and sums.
FORMATS = ("float64", "float32", "float16", "bfloat16")
#: The exit codes: all is exact or rounding; something departs; not enough could be compared.
AGREES, DEPARTS, TOO_LITTLE = 0, 1, 3

_OPTIONS = (
    either(
        text(
            "--port", "FILE", "the port is a trace: a safetensors file of its tensors", type=named
        ),
        text("--torch", "DIR", "the port is transformers' model on torch", type=model_name),
        text("--onnx", "FILE", "the port is an ONNX graph in onnxruntime", type=named),
    ),
    choice(
        "--dtype",
        ("float16", "bfloat16", "float32", "float64"),
        "the dtype of --torch; alone, the port is this package itself in this dtype",
    ),
    text(
        "--device",
        "NAME",
        'where --torch computes, as "cuda"; alone, the port is this package itself there',
        type=device,
    ),
    choice("--attention", ("eager", "sdpa"), "of --torch (default: eager)"),
    switch("--optimised", "let onnxruntime optimise the graph of --onnx"),
    text(
        "--names",
        "MAP",
        "of --port: a JSON file that leads from its names to ours, or the name of a map",
        type=named,
    ),
    *CALL_OPTIONS,
    choice(
        "--arithmetic",
        FORMATS,
        "in what the port stores its tensors (default: as it says, or most of them are)",
    ),
    choice(
        "--accumulate",
        (*FORMATS, "tf32"),
        "in what it sums (default: as it says, or float32 for halves)",
    ),
    words(
        "--require",
        "NAME",
        "tensors that must be compared, given after the texts (default: the outputs)",
        default=(),
    ),
    switch(
        "--no-explain",
        "do not look for known mistakes that explain what departs, which takes longer",
        default=False,
    ),
    switch("--all", "show each tensor by itself", default=False),
    text("--plot", "FILE", "draw the errors into a picture, as errors.png", type=named),
    OVERWRITE,
    *MODEL_OPTIONS,
)


def add_compare(commands: Any) -> None:
    """Add the command."""
    command = add_command(
        commands,
        "compare",
        "Find which steps of a port depart from the reference by more than rounding.\nThe exit "
        "code is 0 if none does, 1 if one does, 2 after an error, and 3 if too little\ncould be "
        "compared to tell.",
        "  minirobert compare DIR --port t.safetensors\n"
        '  minirobert compare DIR "The sky is <mask>." --torch DIR --attention sdpa\n'
        '  minirobert compare DIR "The sky is <mask>." --onnx model.onnx\n'
        '  minirobert compare bundled "The sky is <mask>." --dtype float16',
        "[MODEL [TEXT ...]]",
    )
    add_call(
        command,
        "what the port is run on; read from stdin, one a line, where none is given; a trace has "
        "its own inputs, and must have these where they are given",
    )
    add_options(command, *_OPTIONS)
    command.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    _check(arguments)
    picture = checked_picture(arguments) if arguments.plot else None
    from ..numerics import compare

    reference = load_model(arguments, as_stored=True)
    is_run = not arguments.port
    call = call_of(arguments, reference) if is_run or has_call(arguments) else None
    port = _port(arguments, reference, call)
    inputs = None if is_run else call
    result = compare(
        reference,
        port,
        inputs,
        names=arguments.names,
        arithmetic=_arithmetic(arguments, port),
        explain=not arguments.no_explain,
    )
    lacking = result.lacking(*arguments.require)
    if picture is not None:
        result.plot(picture)
    show(arguments, result.to_json(), lambda: result.report(every=arguments.all))
    if result.departing:
        return DEPARTS
    if lacking:
        tell(
            f"not compared: {listed(lacking)}, so it cannot be said that the port agrees: have it "
            "show them, or give --require with what must be compared"
        )
        return TOO_LITTLE
    return AGREES


def _check(arguments: argparse.Namespace) -> None:
    """Refuse options that do not belong together."""
    check_overwrite(arguments)
    given = {name for name, value in vars(arguments).items() if value is not None}
    if not given & {"port", "torch", "onnx", "dtype", "device"}:
        raise ValueError(
            "there is no port: give --port FILE, --torch DIR or --onnx FILE, or --dtype or "
            "--device, for this package itself in another dtype or on another device"
        )
    for option, owner in (("attention", "torch"), ("optimised", "onnx"), ("names", "port")):
        if option in given and owner not in given:
            raise ValueError(f"--{option} says nothing without --{owner}: give both, or neither")
    for option in ("dtype", "device"):
        for owner in ("port", "onnx"):
            if {option, owner} <= given:
                raise ValueError(
                    f"--{option} says nothing with --{owner}, which has its own: leave it out"
                )


def _port(arguments: argparse.Namespace, reference: Any, call: Any) -> Any:
    """Read the port's trace, or run it."""
    if arguments.port:
        from ..numerics import Trace

        return Trace.read(Path(arguments.port))
    if arguments.torch:
        from ..numerics.torch_port import trace_torch

        return trace_torch(
            arguments.torch,
            call,
            architecture=type(reference).__name__,
            dtype=arguments.dtype,
            device=arguments.device,
            attn_implementation=arguments.attention or "eager",
        )
    if arguments.onnx:
        from ..numerics.onnx_port import trace_onnx

        path = Path(arguments.onnx)
        if path.exists() and not path.is_file():
            raise OSError(f"{shown(str(path))} is no file: give one that holds an ONNX graph")
        return trace_onnx(arguments.onnx, call, model=reference, optimise=bool(arguments.optimised))
    from ..numerics import trace

    model = load_model(arguments, arguments.dtype or "float32", arguments.device)
    return trace(model, weights=False, **call)


def _arithmetic(arguments: argparse.Namespace, port: Any) -> Any:
    """Take what the command line says of the port's arithmetic, and the rest of the trace."""
    if arguments.arithmetic is None and arguments.accumulate is None:
        return None
    from ..numerics import Arithmetic

    return Arithmetic(arguments.arithmetic or port.arithmetic.store, arguments.accumulate)
