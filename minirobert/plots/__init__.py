"""Pictures of what is in a model: small functions that draw arrays on an axes of matplotlib.

Each takes arrays of any library and, as ``ax``, where to draw; without it, a figure is made that
has nothing to do with pyplot's. Each returns the axes: ``ax.figure.savefig("picture.png")``.

- `attention`: of one head, or of all layers and heads in one grid;
- `words`: what `minirobert.logit_lens` and `minirobert.patch` find, and probabilities;
- `positions`: the rows of a position table, how alike and how long they are;
- `canvas`: what these share, and the only place that needs matplotlib, which comes with
  ``pip install "minirobert[plot]"``;
- `explore`: all of it in a page of HTML that answers when it is pointed at, without matplotlib.
"""

from .attention import attention, attention_grid
from .explore import explore_page
from .positions import position_similarity, row_norms
from .words import logit_lens, patching, probabilities

__all__ = [
    "attention",
    "attention_grid",
    "explore_page",
    "logit_lens",
    "patching",
    "position_similarity",
    "probabilities",
    "row_norms",
]
