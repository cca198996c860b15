"""Pictures of what is in a model: small functions that draw arrays on an axes of matplotlib.

Each takes arrays of any library and, as ``ax``, where to draw; without it, a figure is made that
has nothing to do with pyplot's. Each returns the axes: ``ax.figure.savefig("picture.png")``.

- `attention`: of one head, or of all layers and heads in one grid;
- `words`: what `minirobert.logit_lens` and `minirobert.patch` find, and probabilities;
- `positions`: the rows of a position table, how alike and how long they are;
- `tokens`: a text as the boxes that it is cut into;
- `merges`: the merges of a piece as a tree, and the byte alphabet;
- `likelihoods`: how likely each token of a text is;
- `errors`: how far each tensor of a port is off, and how far it may be;
- `files`: a picture in a file;
- `canvas`: what these share, and the only place that needs matplotlib;
- `explore`: a page of HTML, which answers when it is pointed at, and needs no matplotlib.

The others take it: it is the extra ``plot``.
"""

from .attention import attention, attention_grid
from .errors import error_by_depth
from .explore import explore_page
from .likelihoods import log_likelihoods
from .merges import byte_table, merge_tree
from .positions import position_similarity, row_norms
from .tokens import tokens
from .words import logit_lens, patching, probabilities

__all__ = [
    "attention",
    "attention_grid",
    "byte_table",
    "error_by_depth",
    "explore_page",
    "log_likelihoods",
    "logit_lens",
    "merge_tree",
    "patching",
    "position_similarity",
    "probabilities",
    "row_norms",
    "tokens",
]
