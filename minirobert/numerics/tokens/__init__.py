"""A port's tokenizer compared with this one: the first text, piece and rule where the ids part.

- `compare`: `compare_tokens`, from texts and a port's ids to a `TokenComparison`;
- `steps`: a tokenizer taken apart into its steps, each of which may be another one;
- `suspect`, and `reading`, `added`, `pieces`, `spelling`, `merging`, `numbering`, `framing`: the
  mistakes that are known, in the order of the steps;
- `search`, `ranking`: which of them give the port's ids, alone or together, and for how many texts.
"""

from .compare import compare_tokens
from .comparison import TokenComparison, TokenRow
from .departure import Departure
from .port_rows import PortRow, read_port_rows

__all__ = [
    "Departure",
    "PortRow",
    "TokenComparison",
    "TokenRow",
    "compare_tokens",
    "read_port_rows",
]
