"""Types as programs see them: two type checkers read tests/typing/usage.py."""

import json
import subprocess
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import minirobert
from minirobert.pipelines import pipeline, results
from tests.test_threads import INPUTS, made

ROOT = Path(__file__).parents[1]
USAGE = ROOT / "tests" / "typing" / "usage.py"


def checked_by_mypy(path, tmp_path):
    """Check a file, and what it imports of this package; `strict` finds comments without a use."""
    settings = ["--config-file", str(ROOT / "pyproject.toml"), "--no-error-summary"]
    return [sys.executable, "-m", "mypy", *settings, str(path)]


def checked_by_pyright(path, tmp_path):
    """Check with pyright's own standard mode, as of basedpyright, which downloads nothing."""
    settings = {
        "include": [str(path)],
        "extraPaths": [str(ROOT)],
        "typeCheckingMode": "standard",
        "reportUnnecessaryTypeIgnoreComment": "error",
        "pythonVersion": "3.11",
    }
    file = tmp_path / "pyrightconfig.json"
    file.write_text(json.dumps(settings))
    program = "from basedpyright.pyright import main; main()"
    options = ["--project", str(file), "--pythonpath", sys.executable]
    return [sys.executable, "-c", program, *options]


CHECKERS = [checked_by_mypy, checked_by_pyright]


def run(command):
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=500)


@pytest.mark.parametrize("checker", CHECKERS)
def test_usage(checker, tmp_path):
    result = run(checker(USAGE, tmp_path))
    assert result.returncode == 0, result.stdout + result.stderr


WRONG = """
from typing import assert_type
import minirobert

score = minirobert.pipeline("score")
assert_type(score("A cat."), int)
score(["A cat."])[0]["scores"]
score("A cat.", batch_size=2)  # type: ignore[call-overload]
"""


@pytest.mark.parametrize("checker", CHECKERS)
def test_mistakes_are_found(checker, tmp_path):
    """A type that is wrong, a key that is not there, and a comment that no error needs."""
    path = tmp_path / "wrong.py"
    path.write_text(WRONG)
    result = run(checker(path, tmp_path))
    assert result.returncode == 1
    found = {line.split("wrong.py:")[1].split(":")[0] for line in result.stdout.splitlines()
             if "wrong.py:" in line and "error" in line}  # fmt: skip
    assert found == {"6", "7", "8"}, result.stdout + result.stderr


# What the dictionaries have when it runs


def assert_is(value, kind):
    """Check a plain dictionary against a class of `results`, with keys in their order."""
    required = kind.__required_keys__
    hints = {name: hint for name, hint in get_type_hints(kind).items() if name in required}
    assert type(value) is dict
    assert list(value) == list(hints)
    for name, hint in hints.items():
        if hint in (str, int, float):
            assert type(value[name]) is hint


@pytest.mark.parametrize(
    ("task", "kind", "options"),
    [
        ("fill-mask", results.Filling, {}),
        ("text-classification", results.Classification, {}),
        ("token-classification", results.Entity, {}),
        ("token-classification", results.EntityGroup, {"aggregation_strategy": "first"}),
        ("question-answering", results.Answer, {}),
        ("zero-shot-classification", results.Ranking, {}),
        ("multiple-choice", results.Choice, {}),
        ("text-generation", results.Generation, {}),
        ("text-generation", results.GeneratedTokens, {"return_tensors": True}),
        ("score", results.TextScore, {}),
    ],
)
def test_results_are_plain_dictionaries_with_these_keys(task, kind, options):
    found = made(task, **options)(INPUTS.get(task, "A cat sleeps."))
    for one in found if isinstance(found, list) else [found]:
        assert_is(one, kind)
        for token in one.get("tokens", ()):
            assert_is(token, results.TokenScore)


def test_every_result_is_exported():
    for name in results.__all__:
        assert getattr(minirobert.pipelines, name) is getattr(results, name)
        assert name in minirobert.pipelines.__all__
    assert isinstance(pipeline("score")("A cat."), dict)


def test_calls_stay_functions():
    """With the names and the defaults of their arguments, for `help` and notebooks."""
    call = minirobert.pipelines.ScorePipeline.__call__
    assert call.__name__ == "__call__"
    assert "Score one text, or several." in call.__doc__
    assert Path(call.__code__.co_filename).name == "keywords.py"  # of `takes`, around the function
