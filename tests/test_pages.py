"""The README and the pages are run: what they say of transformers, and of this package."""

import ast
import doctest
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from minirobert import TINY, RobertaForMaskedLM, RobertaTokenizer
from minirobert.numerics import compare
from tests.hub_server import serving
from tests.missing import installed
from tests.pages import PAGES, ROOT, blocks, commands, prepare, without_numbers

README = ROOT / "README.md"
CHECKER = doctest.OutputChecker()
FLAGS = doctest.REPORT_NDIFF | doctest.ELLIPSIS

TEXTS = {path: path.read_text(encoding="utf-8") for path in PAGES}
#: How many examples there are at least, so that none is lost: those of doctest, and other values.
DOCTESTS = {
    *(("differences.md", 280), ("looking_inside.md", 30), ("trace_format.md", 15)),
    *(("numerical_checks.md", 20), ("budgets.md", 15), ("teaching.md", 2)),
}
VALUES = {"README.md": 2, "tasks.md": 12, "models.md": 7, "array_libraries.md": 2}
#: What the commands of a page take, beside the package.
NEEDS = {
    "models.md": ["huggingface_hub", "onnx"],
    "numerical_checks.md": ["torch"],
    "tasks.md": ["matplotlib", "pyarrow"],
}
#: Blocks that other tests run, by their first line.
ELSEWHERE = {"minirobert vectors --out vectors": "tests/ports"}


def of(language):
    return [pytest.param(path, id=path.name) for path in PAGES if blocks(TEXTS[path], language)]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pages")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of heads that are drawn
        prepare(directory)
    return directory


@pytest.fixture
def here(prepared, monkeypatch):
    monkeypatch.chdir(prepared)
    return prepared


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("page", "examples"), sorted(DOCTESTS))
def test_examples_with_prompts(page, examples, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = ROOT / "tutorials" / page
    for name in re.findall(r"^>>> (?:import|from) (\w+)", TEXTS[path], re.MULTILINE):
        installed(name)
    failures, tried = doctest.testfile(str(path), module_relative=False, optionflags=FLAGS)
    assert tried > examples
    assert failures == 0


@pytest.mark.parametrize("path", of("python"))
def test_examples_with_comments(path, here, capsys):
    """Run the blocks one after the other; a comment that is a value is that of its line."""
    names, n_values = {"__name__": "__main__"}, 0
    for block in blocks(TEXTS[path], "python"):
        if block.code.startswith(">>>"):
            continue
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "(?s).* has no weights for classifier")
            warnings.filterwarnings("ignore", "(?s).*RobertaForCausalLM.*")
            exec(compile(block.code, f"{path.name}, line {block.line}", "exec"), names)
        for expression, value in values(block.code):
            got = repr(eval(expression, names))
            assert CHECKER.check_output(
                value, got, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            ), (expression, got)
            n_values += 1
    assert n_values >= VALUES.get(path.name, 0)
    assert path.name not in VALUES or n_values


def values(code):
    """Find the lines that are an expression with its value in a comment."""
    for line in code.splitlines():
        expression, _, comment = line.partition("  # ")
        comment = comment.strip().partition("; ")[0].replace("…", "...")
        if re.match(r"[\[({'\d]|True|False|None|\w+\(|torch\.", comment) and _is_expression(
            expression
        ):
            yield expression, comment


def _is_expression(code):
    try:
        return bool(ast.parse(code, mode="eval"))
    except SyntaxError:
        return False


@pytest.mark.parametrize("path", of("sh"))
def test_commands_print_what_is_shown(path, here, tmp_path):
    for name in NEEDS.get(path.name, ()):
        installed(name)
    with serving() as hub:
        hub.add("FacebookAI/roberta-base", Path(TINY))
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HF_ENDPOINT": hub.url,
            "HF_HOME": str(tmp_path),
            "HF_HUB_OFFLINE": "0",
            "NO_PROXY": "127.0.0.1",
        }
        for block in blocks(TEXTS[path], "sh"):
            lines = commands(block.code)
            if block.code.splitlines()[0] in ELSEWHERE or not lines:
                continue
            assert all("minirobert " in line for line in lines), lines
            command = ["bash", "-euo", "pipefail", "-c", "\n".join(lines)]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=120, cwd=here
            )
            assert done.returncode == 0, (lines, done.stderr)
            if block.prints is not None:
                assert without_numbers(done.stdout) == without_numbers(block.prints)


def test_the_first_command_prints_these_very_numbers(run_well):
    first = blocks(TEXTS[README], "sh")[0]
    text = re.search(r'minirobert fill-mask "(.*)"', first.code)[1]
    assert run_well("fill-mask", text) == first.prints


def test_every_language_is_run():
    languages = {name for text in TEXTS.values() for name in re.findall(r"^```(\w+)", text, re.M)}
    assert languages == {"python", "sh", "text", "bibtex"}


def test_the_readme_is_short():
    assert len(TEXTS[README].splitlines()) <= 120


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    prose = re.sub(r"^```.*?^```$", "", TEXTS[path], flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        file, _, heading = target.partition("#")
        if file.startswith("http"):
            continue
        found = path.parent / file if file else path
        assert found.exists(), target
        if heading:
            assert heading in anchors(found.read_text(encoding="utf-8")), target


def anchors(text):
    """Give the anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_report_of_the_page_on_numerical_checks():
    page = TEXTS[ROOT / "tutorials" / "numerical_checks.md"]
    shown = re.search(r"^```text\n(.*?)^```", page, re.MULTILINE | re.DOTALL)[1]
    model, tokenizer = RobertaForMaskedLM.from_pretrained(), RobertaTokenizer.from_pretrained()
    batch = tokenizer("The color of the sky is <mask>.", return_tensors="np")
    port = RobertaForMaskedLM.from_pretrained(hidden_act="gelu_new")
    assert without_numbers(str(compare(model, port, batch))) == without_numbers(shown)


def test_the_picture_is_what_the_package_draws(tmp_path):
    installed("matplotlib")
    from matplotlib.image import imread

    from tutorials.picture import PICTURE, draw

    draw().savefig(tmp_path / "picture.png", dpi=110)
    drawn, kept = (imread(path) for path in (tmp_path / "picture.png", PICTURE))
    assert drawn.shape == kept.shape
    assert abs(drawn - kept).mean() < 0.01
