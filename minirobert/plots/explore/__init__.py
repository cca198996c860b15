"""A page to explore one forward pass: tokens, attention, words by layer, and patching.

- `page`: from a model and a text to one file of HTML, with all that it needs in it;
- `contents`: what the page shows, as JSON has it;
- `tokens`: the tokens among it, and how each came about;
- ``template.html``: how it looks, and what it does when it is pointed at.
"""

from .page import explore_page

__all__ = ["explore_page"]
