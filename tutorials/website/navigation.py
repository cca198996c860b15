"""The navigation beside each page, made of titles alone.

Sphinx copies the contents of all pages for each page, with every name of the API reference in them,
and then takes all but the titles out again, which was a fourth of the time of a build.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx


def use_titles(
    app: Sphinx, page: str, template: str, context: dict[str, Any], document: nodes.document | None
) -> None:
    """Let a theme that asks for the titles of all pages have them from a shorter table."""
    whole: Callable[..., str] = context["toctree"]

    def toctree(**options: Any) -> str:
        if not options.get("titles_only"):
            return whole(**options)
        contents = app.env.tocs
        app.env.tocs = _titles(app)
        try:
            return whole(**options)
        finally:
            app.env.tocs = contents

    context["toctree"] = toctree


def _titles(app: Sphinx) -> dict[str, nodes.bullet_list]:
    if not hasattr(app, "titles_of_pages"):
        found = {page: _title(contents) for page, contents in app.env.tocs.items()}
        app.titles_of_pages = found  # type: ignore[attr-defined]
    return app.titles_of_pages  # type: ignore[attr-defined, no-any-return]


def _title(contents: nodes.bullet_list) -> nodes.bullet_list:
    """Keep a page's title, and the pages below it."""
    first = contents.next_node(nodes.list_item)
    if first is None:
        return contents
    below = [tree.deepcopy() for tree in contents.findall(addnodes.toctree)]
    kept = nodes.list_item("", first[0].deepcopy())
    if below:
        kept += nodes.bullet_list("", *below)
    return nodes.bullet_list("", kept)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of this extension."""
    app.connect("html-page-context", use_titles, priority=400)  # before the theme
    return {"parallel_read_safe": True, "parallel_write_safe": True}
