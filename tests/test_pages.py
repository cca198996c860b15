"""The pages are run: what they say of transformers, and of this package."""

import doctest
from pathlib import Path

import pytest

TUTORIALS = Path(__file__).parents[1] / "tutorials"
FLAGS = doctest.REPORT_NDIFF | doctest.ELLIPSIS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("page", "examples"), [("differences.md", 280), ("looking_inside.md", 30)])
def test_everything_is_as_it_says(page, examples):
    failures, tried = doctest.testfile(
        str(TUTORIALS / page), module_relative=False, optionflags=FLAGS
    )
    assert tried > examples
    assert failures == 0


def test_no_page_is_left_out():
    assert {path.name for path in TUTORIALS.glob("*.md")} == {"differences.md", "looking_inside.md"}
