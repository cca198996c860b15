"""Numerical checks for ports: which operation is wrong, and by how much.

- `minirobert.numerics.traces`: all tensors of a forward pass, by name, and their file;
- `minirobert.numerics.arithmetic`: in what a port stores and sums.
"""

from .arithmetic import Arithmetic
from .traces import Trace, trace

__all__ = ["Arithmetic", "Trace", "trace"]
