"""Tensors under the names of other implementations.

- `minirobert.numerics.names.renaming`: from their names to ours;
- `minirobert.numerics.names.maps`: the maps that come with the package;
- `minirobert.numerics.names.lines`: what a line of a map is;
- `minirobert.numerics.names.layouts`: how a tensor may lie;
- `minirobert.numerics.names.paths`: the path of a module, whatever wraps the model.
"""

from .renaming import read_map, renamed

__all__ = ["read_map", "renamed"]
