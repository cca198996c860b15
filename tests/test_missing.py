"""What is not installed is skipped, and nothing else."""

import sys

import pytest

from tests import missing


@pytest.fixture(autouse=True)
def _on_a_machine_of_somebody(monkeypatch):
    monkeypatch.delenv("CI", raising=False)


def test_what_a_file_imports_at_once(tmp_path):
    for text, found in (
        ("import numpy, no_such_package.part", "no_such_package"),
        ("from no_such_package import it", "no_such_package"),
        ("def f():\n    import no_such_package", None),
        ("try:\n    import no_such_package\nexcept ImportError:\n    pass", None),
        ("try:\n    import no_such_package\nexcept ImportError:\n    raise", "no_such_package"),
        ("from tests.libraries import NUMPY\nimport minirobert.none_such", None),
    ):
        path = tmp_path / f"test_{len(list(tmp_path.iterdir()))}.py"
        path.write_text(text)
        assert missing.missing(path) == found


def raised(code, file):
    """Give the error of code that stands in a file."""
    with pytest.raises(ImportError) as caught:
        exec(compile(code, str(file), "exec"), {})
    return caught.value


SAID = "try:\n    import no_such\nexcept ImportError:\n    raise ImportError('get it') from None"


def test_an_import_of_a_test_is_skipped_and_one_of_the_package_is_its_mistake():
    package = missing.ROOT / "minirobert" / "looking.py"
    for error in (raised("import no_such", __file__), raised(SAID, package)):
        with pytest.raises(pytest.skip.Exception, match="no_such is not installed: pip install"):
            missing._skip_for(error)
    missing._skip_for(raised("import no_such", package))
    missing._skip_for(raised("import minirobert.no_such", __file__))


def test_what_a_test_hides_is_not_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "no_such", None)
    missing._skip_for(raised("import no_such", __file__))


def test_where_everything_must_be_there(monkeypatch):
    monkeypatch.setenv("CI", "true")
    missing._skip_for(raised("import no_such", __file__))
    missing.installed("no_such")
