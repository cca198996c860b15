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

from minirobert.sentences import shown

try:
    from sphinx.application import Sphinx
    from sphinx.util.docutils import docutils_namespace, patch_docutils

    from tutorials.run import read
    from tutorials.website import reference
    from tutorials.website.links import from_network, wrong_links
except ImportError as error:
    if __name__ != "__main__":
        raise
    sys.exit(f"{error.name} is missing: .venv/bin/pip install -e '.[docs]'")

ROOT = Path(__file__).parents[1]
OUT = ROOT / "build" / "site"

#: The pages that are to be read in this order; others come after them.
PAGES = (
    *("teaching", "reading_order", "looking_inside", "tasks", "models", "numerical_checks"),
    *(
        "trace_format",
        "budgets",
        "array_libraries",
        "benchmarks",
        "where_the_time_goes",
        "differences",
    ),
)
#: Of what has changed, where they are.
CHANGES = ("CHANGELOG.md", "tutorials/changes.md")

#: What MyST says of a link, and what is said here.
_BROKEN = {
    r"WARNING: .*cross-reference target not found: ('.*') \[myst.*\]": r"the link \1 leads nowhere",
    r"WARNING: local id not found in doc '(.*)': '(.*)' \[myst.*\]": (
        r"the link to '#\2' of \1 leads nowhere"
    ),
}
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
    changes = [path for name in CHANGES if (path := root / name).is_file()]
    pages = sorted({*folder.glob("*.md")} - {*changes}, key=_order)
    pages += sorted((root / "minirobert").rglob("README.md"))
    parts = {"Lessons": sorted(folder.glob("*.ipynb")), "Pages": pages, "Changes": changes}
    pictures = [path for path in folder.rglob("*") if path.suffix in _PICTURES]
    for path in (*pictures, *(path for paths in parts.values() for path in paths)):
        copy = sources / path.relative_to(root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    contents = [_contents(name, [_entry(p, root) for p in parts[name]]) for name in parts]
    if (root / "minirobert").is_dir():
        reference.write(sources)
        contents.insert(2, _contents("Reference", [reference.page_of("minirobert")]))
    readme = (root / "README.md").read_text(encoding="utf-8")
    (sources / "index.md").write_text(readme + "".join(contents), encoding="utf-8")


def _order(page: Path) -> tuple[int, str]:
    return (PAGES.index(page.stem) if page.stem in PAGES else len(PAGES), page.name)


def _entry(path: Path, root: Path) -> str:
    """Name a page for the navigation; a lesson by its number, too, which others refer to."""
    name = path.relative_to(root).with_suffix("").as_posix()
    number = re.match(r"\d+", path.name)
    if path.suffix != ".ipynb" or number is None:
        return name
    texts = [cell.source for cell in read(path).cells if cell.cell_type == "markdown"]
    title = re.search(r"^# (.+)", "\n".join(texts), re.MULTILINE)
    return f"{int(number[0])}. {title[1]} <{name}>" if title else name


def _contents(caption: str, entries: list[str]) -> str:
    lines = "\n".join(entries)
    return f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n{lines}\n```\n" if entries else ""


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
    for theirs, ours in _BROKEN.items():
        text = re.sub(theirs, ours, text)
    return text.splitlines()


def main(arguments: list[str] | None = None) -> int:
    """Build the site, or print what is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorials.build", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("--out", type=Path, default=OUT, metavar="DIR")
    options = parser.parse_args(arguments)
    wrong = build(ROOT, options.out)
    for line in wrong:
        print(line, file=sys.stderr)
    if wrong:
        return 1
    print(options.out / "index.html")
    return 0


if __name__ == "__main__":
    sys.exit(main())
