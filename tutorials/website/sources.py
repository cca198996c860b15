"""Source files in the site, and the links that lead to them.

README, pages and lessons link to files and directories of the clone, as one follows them on a page
of the repository. Here a package leads to its page in the API reference, a file to a page that
shows it, and another directory to a list of the files in it.
"""

from __future__ import annotations

import inspect
import os
import posixpath
import sys
from collections.abc import Iterator
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
        if path.is_file() and not _is_hidden(path):
            yield path.relative_to(ROOT).as_posix()


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(_HIDDEN) for part in path.relative_to(ROOT).parts)


# The pages

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{path}</title>
<link rel="stylesheet" href="{up}_static/pygments.css">
<link rel="stylesheet" href="{up}_static/sources.css">
</head>
<body>
<header>{crumbs}</header>
{body}
</body>
</html>
"""


def write_sources(app: Sphinx, error: Exception | None) -> None:
    """Show the files of the package, and those that are linked to: each on a bare page."""
    if error is not None:
        return
    has_reference = reference.page_of("minirobert") in app.env.found_docs
    package = _files(ROOT / "minirobert") if has_reference else ()
    files = {path for path in package if path.endswith(".py")}
    files |= app.env.shown_sources  # type: ignore[attr-defined]
    files = {path for path in files if _document(app, path) is None}
    for path in sorted(files):
        _write(app, path, _listing(app, path))
    for path in sorted({parent for file in files for parent in _parents(file)}):
        inside = sorted(one for one in (ROOT / path).iterdir() if not _is_hidden(one))
        _write(app, path, _index(app, path, [one.relative_to(ROOT).as_posix() for one in inside]))


def _write(app: Sphinx, path: str, body: str) -> None:
    file = Path(app.outdir, f"{_page(path)}.html")
    file.parent.mkdir(parents=True, exist_ok=True)
    up = "../" * _page(path).count("/")
    crumbs = [f'<a href="{up}index.html">Documentation</a>']
    for parent in reversed(_parents(path)):
        crumbs.append(f'<a href="{_relative(app, path, parent)}">{posixpath.basename(parent)}</a>')
    crumbs.append(f"<b>{posixpath.basename(path)}</b>")
    text = _PAGE.format(path=path, up=up, crumbs=" / ".join(crumbs), body=body)
    file.write_text(text, encoding="utf-8")


def _parents(path: str) -> list[str]:
    return [parent.as_posix() for parent in Path(path).parents if parent.name]


def _relative(app: Sphinx, path: str, target: str) -> str:
    page = _document(app, target) or _page(target)
    return posixpath.relpath(f"{page}.html", posixpath.dirname(_page(path)))


def _document(app: Sphinx, path: str) -> str | None:
    """Name the page that is made of a file, if one is."""
    page = posixpath.splitext(path)[0]
    if path == "README.md":
        return str(app.config.root_doc)
    return page if path.endswith((".md", ".ipynb")) and page in app.env.found_docs else None


def _listing(app: Sphinx, path: str) -> str:
    language = _LANGUAGES.get(posixpath.splitext(path)[1], "text")
    text = (ROOT / path).read_text(encoding="utf-8")
    return app.builder.highlighter.highlight_block(  # type: ignore[attr-defined]
        text, language, linenos="inline", lineanchors="L", anchorlinenos=True
    )


def _index(app: Sphinx, directory: str, inside: list[str]) -> str:
    entries = (
        f'<li><a href="{_relative(app, directory, one)}">{posixpath.basename(one)}</a></li>\n'
        for one in inside
        if _document(app, one) or Path(app.outdir, f"{_page(one)}.html").is_file()
    )
    return f"<ul>\n{''.join(entries)}</ul>"


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
        code = getattr(value, "__code__", None)
        line = code.co_firstlineno if code else inspect.getsourcelines(value)[1]
    except (TypeError, OSError):
        return None
    path = os.path.relpath(file or "", ROOT)
    return f"../source/{path}.html#L-{line}" if path.startswith("minirobert") else None


def _begin(app: Sphinx) -> None:
    app.env.shown_sources = set()  # type: ignore[attr-defined]


def _merge(app: Sphinx, env: Any, pages: set[str], other: Any) -> None:
    env.shown_sources |= other.shown_sources


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of this extension."""
    app.connect("builder-inited", _begin)
    app.connect("env-merge-info", _merge)
    app.connect("doctree-read", lead_to_sources, priority=400)
    app.connect("build-finished", write_sources)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
