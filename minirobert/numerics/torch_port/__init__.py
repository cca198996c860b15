"""Traces of models that run on torch.

- `minirobert.numerics.torch_port.port`: what is called;
- `minirobert.numerics.torch_port.hooks`: what goes into modules and comes out of them;
- `minirobert.numerics.torch_port.places`: where torch has the tensors of ours;
- `minirobert.numerics.torch_port.models`: modules, read or given.
"""

from .port import trace_torch

__all__ = ["trace_torch"]
