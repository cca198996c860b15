"""Builds the documentation as one static site, which opens offline: README, lessons, pages, API.

    python -m tutorials.build                # into build/site: open build/site/index.html
    python -m tutorials.build --out DIR

The site is made by Sphinx, with MyST-NB for Markdown and notebooks, because it is what readers of
Python documentation know, and reads NumPy-style docstrings. It checks all links between lessons,
pages, names and sources on the way: whatever it warns of is an error here.

Lessons are shown as they are committed, and never run: `tutorials.run` does that.
"""

from __future__ import annotations

import argparse
import io
import re
import shutil
import sys
import tempfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from minirobert.sentences import shown
from tutorials.website import reference
from tutorials.website.links import from_network, wrong_links

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build" / "site"

#: The pages that are to be read in this order; others come after them.
PAGES = ("looking_inside", "numerical_checks", "budgets", "differences")

_CHANGES = "CHANGELOG.md"
_BROKEN = re.compile(r"WARNING: .*cross-reference target not found: ('.*') \[myst.*\]")
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_PICTURES = (".png", ".svg", ".jpg", ".gif")


def collect(root: Path, sources: Path) -> None:
    """Put all that the site is made of into one directory, in the places of the clone.

    Parameters
    ----------
    root : Path
        Of the clone: its README, ``tutorials`` and change log.
    sources : Path
        An empty directory.
    """
    folder = root / "tutorials"
    lessons = sorted(folder.glob("*.ipynb"))
    pages = sorted(folder.glob("*.md"), key=_order)
    pages += sorted((root / "minirobert").rglob("README.md"))
    changes = [path for path in (root / _CHANGES,) if path.is_file()]
    pictures = [path for path in folder.rglob("*") if path.suffix in _PICTURES]
    for path in (*lessons, *pages, *changes, *pictures):
        copy = sources / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    has_package = (root / "minirobert").is_dir()
    if has_package:
        reference.write(sources)
    readme = (root / "README.md").read_text(encoding="utf-8")
    parts = {"Lessons": lessons, "Pages": pages, "Reference": [], "Changes": changes}
    names = {
        caption: [path.relative_to(root).with_suffix("").as_posix() for path in paths]
        for caption, paths in parts.items()
    }
    names["Reference"] = [reference.page_of("minirobert")] if has_package else []
    contents = "".join(_contents(caption, names[caption]) for caption in parts if names[caption])
    (sources / "index.md").write_text(readme + contents, encoding="utf-8")


def _order(page: Path) -> tuple[int, str]:
    return (PAGES.index(page.stem) if page.stem in PAGES else len(PAGES), page.name)


def _contents(caption: str, names: list[str]) -> str:
    lines = "\n".join(names)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n"


def build(root: Path, out: Path) -> list[str]:
    """Make the site, or say what is wrong with its sources, and make none.

    Parameters
    ----------
    root : Path
        Of the clone.
    out : Path
        A directory that is new, empty, or holds the site as it was.

    Returns
    -------
    list of str
        Sentences, each of which names the page that is wrong.
    """
    if out.exists() and not _may_replace(out):
        return [f"{shown(str(out))} holds other files than a site: give a new directory"]
    with tempfile.TemporaryDirectory() as scratch:
        sources, site = Path(scratch).resolve() / "sources", Path(scratch).resolve() / "site"
        sources.mkdir()
        collect(root, sources)
        wrong = _made(sources, site, Path(scratch, "doctrees"))
        wrong = wrong or [*wrong_links(site), *from_network(site)]
        if not wrong:
            if out.exists():
                shutil.rmtree(out)
            shutil.copytree(site, out)
    return wrong


def _may_replace(out: Path) -> bool:
    return out.is_dir() and ((out / "objects.inv").is_file() or not any(out.iterdir()))


def _made(sources: Path, site: Path, doctrees: Path) -> list[str]:
    """Let Sphinx make the site, and give what it warns of."""
    warnings = io.StringIO()
    settings = Path(__file__).parent / "website"
    with patch_docutils(), docutils_namespace():
        app = Sphinx(sources, settings, site, doctrees, "html", status=None, warning=warnings)
        app.build()
    text = _COLOURS.sub("", warnings.getvalue()).replace(f"{sources}/", "")
    return [_BROKEN.sub(r"the link \1 leads nowhere", line) for line in text.splitlines()]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tutorials.build", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    options = parser.parse_args(arguments)
    wrong = build(ROOT, options.out)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
