"""The document of differences is run: what it says of transformers, and of this package."""

import doctest
from pathlib import Path

import pytest

DOCUMENT = Path(__file__).parents[1] / "tutorials" / "differences.md"


@pytest.mark.filterwarnings("ignore")
def test_every_difference_is_as_it_says():
    failures, tried = doctest.testfile(
        str(DOCUMENT), module_relative=False, optionflags=doctest.REPORT_NDIFF
    )
    assert tried > 280
    assert failures == 0
