"""Each exercise accepts its solution, and helps those who are wrong."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from tutorials.exercises import check, course, exercises, hint, solution
from tutorials.exercises.judging import SameFunction, SameValue, Satisfies, difference, written
from tutorials.exercises.solutions import ANSWERS, SOURCES

TUTORIALS = Path(__file__).parents[1] / "tutorials"
ALL = course.all_exercises()
MISTAKES = [(number, told) for number, one in ALL.items() for told in one.mistakes]


@pytest.fixture(autouse=True)
def _nobody_has_failed():
    course._FAILURES.clear()


@pytest.mark.parametrize("number", ALL)
def test_the_solution_is_right(number, capsys):
    check(number, ANSWERS[number]())
    assert capsys.readouterr().out == f"{number} is right. {ALL[number].right}\n"


def test_each_exercise_has_one_solution():
    assert list(ANSWERS) == list(ALL)


@pytest.mark.parametrize(("number", "told"), MISTAKES, ids=range(len(MISTAKES)))
def test_a_typical_mistake_gets_its_hint(number, told, capsys):
    wrong = ALL[number].mistakes[told]
    check(number, wrong)
    assert "Hint" not in capsys.readouterr().out
    check(number, wrong)
    assert f"Hint: {told}\n" in capsys.readouterr().out


@pytest.mark.parametrize("number", ALL)
def test_what_is_no_answer_at_all_is_refused_in_words(number, capsys):
    for wrong in (None, "?!", {}, [], lambda: None, lambda *_: None, -1.25, np.zeros((0, 3))):
        check(number, wrong)
        said = capsys.readouterr().out
        assert said.startswith(f"{number} is not right yet.\n  "), said
        assert " at 0x" not in said.partition("Hint")[2]


@pytest.mark.parametrize("number", ALL)
def test_dots_wait(number, capsys):
    for _ in range(3):
        check(number, ...)
    said = capsys.readouterr().out.splitlines()
    one = ALL[number]
    assert (
        said == [f"{number} waits for your answer ({one.minutes} minutes, {one.difficulty})."] * 3
    )
    assert one.difficulty in ("easy", "medium", "hard")


@pytest.mark.parametrize("path", sorted(TUTORIALS.glob("*.ipynb")), ids=lambda path: path.stem)
def test_the_lesson_asks_what_is_checked(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    prose, code = (
        "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == kind)
        for kind in ("markdown", "code")
    )
    lesson = f"{int(path.stem[:2])}."
    wanted = [number for number in ALL if number.startswith(lesson)]
    assert re.findall(r'check\("([\d.]+)", ', code) == wanted
    asked = re.findall(r"\*\*Exercise ([\d.]+)\*\* \((\d+) minutes, (\w+)\)", prose)
    assert asked == [(n, str(ALL[n].minutes), ALL[n].difficulty) for n in wanted]


def test_the_solution_is_shown_without_its_decorator(capsys):
    solution("2.2")
    said = capsys.readouterr().out
    assert said.startswith("def ")
    assert all("@" not in source.splitlines()[0] for source in SOURCES.values())


def test_hints_and_lists(capsys):
    hint("2.1")
    assert capsys.readouterr().out == f"{ALL['2.1'].hint}\n"
    exercises(2)
    assert capsys.readouterr().out.count("minutes") == sum(n.startswith("2.") for n in ALL)
    with pytest.raises(KeyError, match=r"no exercise '2.99'"):
        check("2.99", 1)


def test_how_far():
    assert difference(3, 3.0) is None
    assert difference(3.1, 3.0) == "how far: 0.1"
    assert difference(3.1, 3.0, tolerance=0.2) is None
    assert difference([np.nan, 1], [np.nan, 1]) is None
    assert "how far: inf at [0]" in difference([0.0, 1], [np.nan, 1])
    assert difference([[1, 2]], [1, 2]) == "wanted: the shape [2], and this has [1, 2]"
    assert difference([1, 9], [1, 2]) == (
        "how far: 7 at [1], the largest of 1 differences in 2 numbers"
    )
    assert difference("ab", "ac") == "how far: the first difference is at place 1 of 2"
    assert difference(["a"], ["a", "b"]) is not None
    assert difference(1, "a") == "how far: a str is wanted, and this is a int"
    assert difference([[1], [1, 2]], [[1], [1, 2]]) is None
    assert difference(True, True) is None
    assert difference(np.zeros((0, 3)), "a") == ("how far: a str is wanted, and this is a ndarray")
    assert difference(None, 1).startswith("None is no answer")


def test_the_arguments_of_a_function_are_its_own():
    def spoils(x):
        x[:] = 0
        return x

    judge = SameFunction(lambda x: 2 * x, lambda rng: (rng.random(3) + 1,))
    judge(lambda x: x + x)
    with pytest.raises(Exception, match=r"x = \[.*\n  got: \[0. 0. 0.\]"):
        judge(spoils)


def test_other_judges():
    SameValue(lambda: 3)(3)
    Satisfies(lambda word: None if word == "yes" else "say yes")("yes")
    with pytest.raises(Exception, match="got: 'no'\n  say yes"):
        Satisfies(lambda word: None if word == "yes" else "say yes")("no")
    assert len(written("x" * 999)) < 250
    assert written(written) == "the function written"


def test_the_page_for_teachers_knows_how_long_the_exercises_take():
    page = (TUTORIALS / "teaching.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| \[.*\]\((\d\d_\w+\.ipynb)\).*?\| \d+ \| (\d+) \|", page, re.M)
    assert [file for _, file, _ in rows] == sorted(path.name for path in TUTORIALS.glob("*.ipynb"))
    for lesson, _, minutes in rows:
        own = [one.minutes for number, one in ALL.items() if number.startswith(f"{lesson}.")]
        assert sum(own) == int(minutes), lesson
    assert set(re.findall(r"\b\d+\.\d+\b(?!\d)", page.split("## Four hours")[1])) <= set(ALL)
