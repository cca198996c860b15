"""The built pages, read once more: where their links lead, and what they load.

Sphinx checks the links of Markdown and of names. Here all are checked that a reader can follow,
whoever wrote them, and that no page needs the network to be shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

_SCRIPT = re.compile(r"(<script\b[^>]*>).*?</script>", re.DOTALL)
_TAG = re.compile(r"<(\w+)\b[^>]*>")
_LINK = re.compile(r'\s(?:href|src)="([^"]*)"')
_ANCHOR = re.compile(r'\s(?:id|name)="([^"]*)"')
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//", re.IGNORECASE)
_NETWORK = re.compile(r"(?:https?:)?//", re.IGNORECASE)
#: What a style sheet loads.
_STYLE = re.compile(r"(?:@import\s+|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)", re.IGNORECASE)


def wrong_links(site: Path) -> Iterator[str]:
    """Name the links that lead nowhere, each with its page."""
    tags = {path: _tags(path) for path in sorted(site.rglob("*.html"))}
    anchors = {path: set(_ANCHOR.findall(text)) for path, text in tags.items()}
    for path, text in tags.items():
        for link in dict.fromkeys(_LINK.findall(text)):
            if _ELSEWHERE.match(link):
                continue
            where, _, anchor = link.partition("#")
            target = (path.parent / unquote(where.partition("?")[0])).resolve() if where else path
            is_there = target in anchors if target.suffix == ".html" else target.exists()
            if not is_there or (anchor and unquote(anchor) not in anchors.get(target, ())):
                yield f"{path.relative_to(site)}: the link {link!r} leads nowhere"


def from_network(site: Path) -> Iterator[str]:
    """Name what the pages and their style sheets would load from the network."""
    for path in sorted(site.rglob("*.html")):
        for tag in _TAG.finditer(_tags(path)):
            loaded = [one for one in _LINK.findall(tag[0]) if _NETWORK.match(one)]
            if tag[1].lower() != "a" and loaded:
                yield f"{path.relative_to(site)} loads {loaded[0]}: keep it in the site"
    for path in sorted([*site.rglob("*.html"), *site.rglob("*.css")]):
        for loaded in _STYLE.findall(path.read_text(encoding="utf-8")):
            yield f"{path.relative_to(site)} loads {loaded}: keep it in the site"


def _tags(path: Path) -> str:
    """Give the tags of a page, and neither its text nor the insides of its scripts."""
    page = _SCRIPT.sub(r"\1", path.read_text(encoding="utf-8"))
    return "\n".join(tag[0] for tag in _TAG.finditer(page))
