"""Every lesson runs from its first cell to its last, and prints what stands in it."""

import json
import re

import nbformat
import pytest

from tests.pages import without_numbers
from tutorials import run

LESSONS = run.lessons()


def text_of(value):
    """Give what is compared of a text: as a terminal shows it, without numbers and addresses."""
    lines = (line.rpartition("\r")[2] for line in value.split("\n"))
    return without_numbers(re.sub(r"0x[0-9a-f]+", "0", "\n".join(lines)))


def text_outputs(cell):
    """Give the texts of a cell: what it prints, and what it shows, of which pictures only exist."""
    streams = {output.name: "" for output in cell.outputs if output.output_type == "stream"}
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream":
            streams[output.name] += output.text
        else:
            data = sorted(output.data.items())
            shown.append({kind: kind.startswith("text/") and text_of(it) for kind, it in data})
    return {name: text_of(text) for name, text in streams.items()}, shown


def stale(committed, executed):
    """Say which cells have other outputs than those that are committed."""
    for old, new in zip(run.code_cells(committed), run.code_cells(executed), strict=True):
        before, now = text_outputs(old), text_outputs(new)
        if before != now and "varies" not in new.metadata.get("tags", []):
            yield f"{run.place(new)}: committed are {before}, now it gives {now}"


def test_there_are_lessons():
    assert LESSONS


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson(path):
    committed = run.read(path)
    assert any(cell.outputs for cell in run.code_cells(committed)), (
        f"{path.name} is committed without outputs: python -m tutorials.run tutorials/{path.name}"
    )
    # The other half of the tests runs beside it.
    old = list(stale(run.normal(committed), run.executed(path, 2 * run.LIMIT)))
    assert not old, "\n".join([f"python -m tutorials.run tutorials/{path.name}:", *old])


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_lesson_is_in_normal_form(path):
    is_normal = path.read_text(encoding="utf-8") == run.written(run.normal(run.read(path)))
    assert is_normal, f"python -m tutorials.run tutorials/{path.name}"


# What runs them


def notebook(path, *sources, **cell):
    """Write a lesson of code cells, as an editor leaves it that knows neither ids nor order."""
    cells = [
        {"source": source, "cell_type": "code", "outputs": [], "metadata": {}, **cell}
        | {"execution_count": 40 - number}
        for number, source in enumerate(sources)
    ]
    lesson = {"nbformat": 4, "nbformat_minor": 4, "metadata": {"title": "?"}, "cells": cells}
    path.write_text(json.dumps(lesson), encoding="utf-8")
    return path


def run_well(path, capsys):
    assert run.main([str(path)]) == 0
    assert capsys.readouterr().err == ""
    return run.read(path)


PICTURE = "import matplotlib.pyplot as plt\nplt.plot([1, 2]);"
NOISE = "import sys\nprint('\\r 10%|#', file=sys.stderr, flush=True, end='')\nprint(object())\n3"


def test_what_is_written_is_the_same_each_time(tmp_path, capsys):
    path = notebook(
        tmp_path / "own.ipynb", "import warnings\nx = 1", "", PICTURE, NOISE,
        "warnings.warn('rather old')", metadata={"collapsed": True, "tags": ["varies"]},
    )  # fmt: skip
    lesson = run_well(path, capsys)
    first, empty, picture, noise, warning = lesson.cells
    assert [cell.execution_count for cell in lesson.cells] == [1, None, 2, 3, 4]
    assert [cell.id for cell in lesson.cells] == [f"cell-0{number}" for number in range(5)]
    assert all(cell.metadata == {"tags": ["varies"]} for cell in lesson.cells)
    assert set(lesson.metadata) == {"kernelspec", "language_info"}
    assert first.outputs == empty.outputs == []
    assert set(picture.outputs[-1].data) == {"image/png", "text/plain"}
    streams = {output.name: output.text for output in noise.outputs[:-1]}
    assert streams == {"stdout": "<object object at 0x…>\n", "stderr": "\r 10%|#"}
    assert noise.outputs[-1].execution_count == 3
    assert re.fullmatch(r"<cell>:1: UserWarning: rather old\n.*\n", warning.outputs[0].text)
    before = path.read_bytes()
    assert before.endswith(b"}\n")
    run_well(path, capsys)
    assert path.read_bytes() == before


def test_a_lesson_runs_where_it_stands_and_with_this_package(tmp_path, capsys):
    (tmp_path / "beside.py").write_text("import minirobert\nfile = minirobert.__file__\n")
    lesson = run_well(notebook(tmp_path / "own.ipynb", "import beside\nbeside.file"), capsys)
    assert lesson.cells[0].outputs[0].data["text/plain"].startswith(f"'{run.HERE.parent}")


@pytest.mark.parametrize(
    ("source", "limit", "said"),
    [
        ("y = x + 1\ny", 60, "cell [2], 'y = x + 1': NameError: name 'x' is not defined"),
        ("while True: pass", 2, "cell [2], 'while True: pass': the lesson has not ended after 2 "),
        ("import os; os._exit(1)", 60, "cell [2], 'import os; os._exit(1)': the kernel died"),
    ],
)
def test_a_cell_that_fails_is_named_and_nothing_is_written(tmp_path, capsys, source, limit, said):
    path = notebook(tmp_path / "own.ipynb", "1", source, metadata={"tags": ["raises-exception"]})
    before = path.read_bytes()
    assert run.main([str(path), "--limit", str(limit)]) == 1
    assert f"own.ipynb, {said}" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_a_file_that_is_not_there(tmp_path, capsys):
    with pytest.raises(SystemExit):
        run.main([str(tmp_path / "none.ipynb")])
    assert "none.ipynb' is no file" in capsys.readouterr().err


# What finds that outputs are stale


def printed(text, *tags, name="stdout"):
    output = nbformat.v4.new_output("stream", name=name, text=text)
    cell = nbformat.v4.new_code_cell("f()", outputs=[output], metadata={"tags": [*tags]})
    return nbformat.v4.new_notebook(cells=[cell])


@pytest.mark.parametrize(
    ("old", "new", "differ"),
    [
        (printed("0.25 blue"), printed("0.24 blue"), False),
        (printed("0.25 blue"), printed("0.25 red"), True),
        (printed("<f at 0x7f>"), printed("<f at 0xa3b>"), False),
        (printed("red", "varies"), printed("blue", "varies"), False),
        (printed("red"), printed("red", name="stderr"), True),
        (printed("  1%|#\r 99%|##\n"), printed("\r100%|##\n"), False),
        (printed(""), nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("f()")]), True),
    ],
)
def test_what_is_stale(old, new, differ):
    assert bool(list(stale(old, new))) == differ
