"""Conformance vectors: small cases, by which a port in any language can check itself.

- `minirobert.numerics.vectors.encoders`, `tasks`, `texts` and `words`: the cases, of encoders, of
  heads, losses and decoders, of generation, and of the tokenizer;
- `minirobert.numerics.vectors.expected`: what they give, computed in `portable` arithmetic, so that
  every machine writes the same files;
- `minirobert.numerics.vectors.budgets`: how far rounding may bring a port from that;
- `minirobert.numerics.vectors.mistakes` and `showing`: which mistakes a case shows;
- `minirobert.numerics.vectors.writing`: the files; README.md is what stands beside them;
- `minirobert.numerics.vectors.checking`: what a port scores on them.
"""

from .checking import check_vectors
from .results import CaseScore, Score
from .writing import write_vectors

__all__ = ["CaseScore", "Score", "check_vectors", "write_vectors"]
