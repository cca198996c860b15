"""Numerical checks for ports: which operation is wrong, and by how much.

A port's intermediate tensors are replayed through the reference, step by step, and each is held to
a bound of what rounding explains.

- `minirobert.numerics.traces`: all tensors of a forward pass, by name, and their file;
- `minirobert.numerics.compare`: a port beside the reference;
- `minirobert.numerics.calls`, `notes`: what a trace says: its calls, and what is not so here;
- `minirobert.numerics.replay`: the reference on a port's own intermediates;
- `minirobert.numerics.bounded`, `operations`, `bounds`: arrays that carry rounding bounds;
- `minirobert.numerics.rows`, `comparison`: what comes of it, tensor by tensor;
- `minirobert.numerics.ends`: all steps together, from inputs to outputs;
- `minirobert.numerics.arithmetic`: in what a port stores and sums;
- `minirobert.numerics.ports`: whatever stands for a port, as a trace: `torch_port`, `onnx_port`;
- `minirobert.numerics.names`: tensors under the names of other implementations;
- `minirobert.numerics.onnx_export`: a model as an ONNX graph, each tensor under its name here;
- `minirobert.numerics.tokens`: a port's tokenizer beside this one;
- `minirobert.numerics.vectors`: conformance vectors, and the score of a port;
- `minirobert.numerics.suspects`: known mistakes, tried on what departs;
- `minirobert.numerics.steps`: what a tensor is made of, by its name;
- `minirobert.numerics.report`: what is shown of it, and what it means.
"""

from .arithmetic import Arithmetic
from .compare import compare
from .comparison import Comparison, DepartureError
from .names import read_map, renamed
from .rows import Row
from .torch_port import trace_torch
from .traces import Trace, trace

__all__ = [
    "Arithmetic",
    "Comparison",
    "DepartureError",
    "Row",
    "Trace",
    "compare",
    "read_map",
    "renamed",
    "trace",
    "trace_torch",
]
