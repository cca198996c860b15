"""Tests of what is not installed are skipped, and say so: a quick run needs no torch.

In continuous integration (``CI`` is set) everything must be there, and nothing is skipped.
"""

import ast
import doctest
import os
import sys
from collections import Counter
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from traceback import walk_tb

import pytest
from _pytest.doctest import MultipleDoctestFailures

from tests.sources import imported, parsed

ROOT = Path(__file__).parents[1]
#: Who lacks a module of these has made a mistake, and no choice.
OURS = ("minirobert", "tests", "tutorials")


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path):
    collectors = yield
    name = None if "CI" in os.environ else missing(file_path)
    if name is None:
        return collectors
    if not file_path.name.startswith("test_"):
        return []
    for collector in collectors[:1]:
        collector.collect = lambda: _skip(name)
    return collectors[:1]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call():
    try:
        return (yield)
    except (ImportError, doctest.UnexpectedException, MultipleDoctestFailures) as error:
        _skip_for(error)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup():
    try:
        return (yield)
    except ImportError as error:
        _skip_for(error)
        raise


def pytest_terminal_summary(terminalreporter):
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(one.longrepr[-1]).removeprefix("Skipped: ") for one in reports)
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"skipped {count}: {reason}")


def installed(name):
    """Skip what needs a package, if that is not there."""
    if name not in OURS and "CI" not in os.environ and find_spec(name) is None:
        _skip(name)


@cache
def missing(path: Path) -> str | None:
    """Name a package that a file of tests imports when it is read, and that is not installed."""
    if path.suffix != ".py" or not path.is_file():
        return None
    for name in _imported_at_once(parsed(path)):
        top = name.partition(".")[0]
        if top in ("tests", "tutorials"):
            module = ROOT.joinpath(*name.split("."))
            files = (module.with_suffix(".py"), module.parent.with_suffix(".py"))
            found = next(filter(None, map(missing, files)), None)
            if found:
                return found
        elif top not in OURS and find_spec(top) is None:
            return top
    return None


def _imported_at_once(tree: ast.Module):
    """Name what is imported outside of functions, but for what may be missing."""
    for node in tree.body:
        must_be_there = isinstance(node, ast.Try) and all(
            any(isinstance(line, ast.Raise) for line in ast.walk(one)) for one in node.handlers
        )
        if isinstance(node, ast.Import | ast.ImportFrom) or must_be_there:
            yield from imported(node)


def _skip_for(error):
    """Skip if a test imports what is not there, or the package says in a sentence that it needs it.

    An import that the package makes without such a sentence is a mistake of the package.
    """
    if isinstance(error, MultipleDoctestFailures):  # the first is of the import
        error = error.failures[0]
    if isinstance(error, doctest.UnexpectedException):
        error = error.exc_info[1]
    if isinstance(error, ModuleNotFoundError) and error.name and _is_of_the_package(error):
        return
    while error is not None and "CI" not in os.environ:
        name = (getattr(error, "name", None) or "").partition(".")[0]
        # A test may have put None there, to see what is said where it is missing.
        is_missing = name and name not in OURS and name not in sys.modules
        if isinstance(error, ModuleNotFoundError) and is_missing:
            _skip(name)
        error = error.__cause__ or error.__context__


def _is_of_the_package(error):
    """Tell whether an error was raised by a line of the package."""
    files = [frame.f_code.co_filename for frame, _ in walk_tb(error.__traceback__)]
    ours = [name for name in files if "importlib" not in name]
    return Path(ours[-1]).is_relative_to(ROOT / "minirobert")


def _skip(name):
    reason = f"{name} is not installed: pip install -e '.[test]'"
    pytest.skip(reason, allow_module_level=True)
