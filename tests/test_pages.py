"""The pages are run: what they say of transformers, and of this package."""

import doctest
import re
from pathlib import Path

import pytest

from minirobert import RobertaForMaskedLM, RobertaTokenizer
from minirobert.numerics import compare

TUTORIALS = Path(__file__).parents[1] / "tutorials"
PAGES = [
    *(("differences.md", 280), ("looking_inside.md", 30)),
    *(("numerical_checks.md", 30), ("budgets.md", 15)),
]
FLAGS = doctest.REPORT_NDIFF | doctest.ELLIPSIS


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("page", "examples"), PAGES)
def test_everything_is_as_it_says(page, examples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    failures, tried = doctest.testfile(
        str(TUTORIALS / page), module_relative=False, optionflags=FLAGS
    )
    assert tried > examples
    assert failures == 0


def test_no_page_is_left_out():
    assert {path.name for path in TUTORIALS.glob("*.md")} == {page for page, _ in PAGES}


def without_numbers(text):
    """Leave out what differs from one machine to the other."""
    text = re.sub(r"budget\s+\([\w.]+\)", "budget", re.sub(r"\s+", " ", text))
    return re.sub(r"-?\d[\d,.]*(?:e[-+]\d+)?", "#", text).strip()


def test_the_report_of_the_page_on_numerical_checks():
    page = (TUTORIALS / "numerical_checks.md").read_text(encoding="utf-8")
    shown = re.search(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL).group(1)
    model, tokenizer = RobertaForMaskedLM.from_pretrained(), RobertaTokenizer.from_pretrained()
    batch = tokenizer("The color of the sky is <mask>.", return_tensors="np")
    port = RobertaForMaskedLM.from_pretrained(hidden_act="gelu_new")
    assert without_numbers(str(compare(model, port, batch))) == without_numbers(shown)
