"""Source files in the site, and the links that lead to them.

README, pages and lessons link to files and directories of the clone, as one follows them on a page
of the repository. Here a package leads to its page in the API reference, a file to a page that shows
it, and another directory to a list of the files in it.
"""

from __future__ import annotations

import inspect
import os
import posixpath
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx

from . import reference

ROOT = Path(__file__).parents[2]

#: Of files that are shown, by the end of their names.
_LANGUAGES = {".py": "python", ".js": "javascript", ".toml": "toml", ".md": "markdown"}
_HIDDEN = ("__pycache__", ".")


def lead_to_sources(app: Sphinx, document: nodes.document) -> None:
    """Let relative links that lead out of the documentation lead into it."""
    page = app.env.docname
    for link in list(document.findall(addnodes.pending_xref)):
        if link.get("reftype") != "myst" or link.get("refdomain"):
            continue
        path, _, fragment = link["reftarget"].partition("#")
        found = posixpath.normpath(posixpath.join(posixpath.dirname(page), path))
        target = _target(app, found)
        if target is None:
            continue  # Sphinx reports it
        if target in app.env.found_docs:
            link.update_all_atts({}, replace=True)
            link["refdomain"], link["reftarget"], link["reftargetid"] = "doc", target, fragment
        else:
            link.replace_self(_reference(link, page, target, fragment))


def _target(app: Sphinx, path: str) -> str | None:
    """Tell which page of the site is for a path of the clone."""
    if path == "README.md":
        return app.config.root_doc
    where = ROOT / path
    module = path.replace("/", ".")
    if where.is_dir():
        if module in reference.modules():
            return reference.page_of(module)
        app.env.shown_sources.update(_files(where))  # type: ignore[attr-defined]
        return _page(path)
    if where.is_file() and path.partition("/")[0] != "..":
        app.env.shown_sources.add(path)  # type: ignore[attr-defined]
        return _page(path)
    return None


def _page(path: str) -> str:
    return f"source/{path}"


def _reference(link: nodes.Element, page: str, target: str, fragment: str) -> nodes.reference:
    uri = posixpath.relpath(f"{target}.html", posixpath.dirname(page) or ".")
    found = nodes.reference("", "", internal=True, refuri=f"{uri}#{fragment}".rstrip("#"))
    found += link.children
    return found


def _files(directory: Path) -> Iterator[str]:
    for path in sorted(directory.rglob("*")):
        inside = path.relative_to(ROOT)
        if path.is_file() and not any(part.startswith(_HIDDEN) for part in inside.parts):
            yield inside.as_posix()


# The pages


def source_pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Show the files of the package, and those that are linked to."""
    files = {path for path in _files(ROOT / "minirobert") if path.endswith(".py")}
    files |= app.env.shown_sources  # type: ignore[attr-defined]
    directories = {posixpath.dirname(path) for path in files} - {""}
    for path in sorted(files):
        yield _page(path), {"title": path, "body": _heading(path) + _listing(app, path)}, "page.html"
    for path in sorted(directories):
        inside = [one for one in sorted(files) if posixpath.dirname(one) == path]
        yield _page(path), {"title": path, "body": _heading(path) + _index(path, inside)}, "page.html"


def _heading(path: str) -> str:
    return f"<h1>{escape(path)}</h1>\n"


def _listing(app: Sphinx, path: str) -> str:
    language = _LANGUAGES.get(posixpath.splitext(path)[1], "text")
    text = (ROOT / path).read_text(encoding="utf-8")
    return app.builder.highlighter.highlight_block(  # type: ignore[attr-defined]
        text, language, linenos="inline", lineanchors="L", anchorlinenos=True
    )


def _index(directory: str, files: list[str]) -> str:
    entries = (
        f'<li><a href="{posixpath.relpath(one, posixpath.dirname(directory) or ".")}.html">'
        f"{escape(posixpath.basename(one))}</a></li>"
        for one in files
    )
    return f"<ul>{''.join(entries)}</ul>"


def line_of(domain: str, info: dict[str, str]) -> str | None:
    """Give the place of a name of the API reference in its source, from a page there."""
    if domain != "py" or info["module"] not in sys.modules:
        return None
    value: Any = sys.modules[info["module"]]
    for part in info["fullname"].split("."):
        value = inspect.unwrap(getattr(value, part, None))
    value = getattr(value, "fget", None) or getattr(value, "func", None) or value
    try:
        file = inspect.getsourcefile(value)
        line = inspect.getsourcelines(value)[1]
    except (TypeError, OSError):
        return None
    path = os.path.relpath(file or "", ROOT)
    return f"../source/{path}.html#L-{line}" if path.startswith("minirobert") else None


def _begin(app: Sphinx) -> None:
    app.env.shown_sources = set()  # type: ignore[attr-defined]


def _merge(app: Sphinx, env: Any, pages: set[str], other: Any) -> None:
    env.shown_sources |= other.shown_sources


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("builder-inited", _begin)
    app.connect("env-merge-info", _merge)
    app.connect("doctree-read", lead_to_sources, priority=400)
    app.connect("html-collect-pages", source_pages)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
