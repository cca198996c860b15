"""Formulas as MathML, which browsers show without a script: the site needs no network."""

from __future__ import annotations

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

#: Commands that the converter does not know, and what does the same.
_COMMANDS = {r"\arg": r"\operatorname{arg}"}

_log = logging.getLogger(__name__)


def mathml(latex: str, node: nodes.Node, display: str) -> str:
    """Convert a formula, and warn of what cannot be shown."""
    known = re.sub(r"\\[a-z]+", lambda command: _COMMANDS.get(command[0], command[0]), latex)
    try:
        found = convert(known, display=display)
    except Exception as error:  # each of its errors has a class of its own
        found, why = "", f" ({type(error).__name__})"
    else:
        why = ""
    if not found or "<mi>\\" in found:
        _log.warning("formula cannot be shown%s: %s", why, latex, location=node)
    return found


def inline(translator, node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(mathml(node.astext(), node, "inline"))
    raise nodes.SkipNode


def block(translator, node: nodes.math_block) -> None:
    """Write a formula on lines of its own."""
    translator.body.append(translator.starttag(node, "div", CLASS="math"))
    translator.body.append(mathml(node.astext(), node, "block"))
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of this extension."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
