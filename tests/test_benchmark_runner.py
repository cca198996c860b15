"""That the benchmarks run, with models so small that they tell nothing of speed."""

import json
import sys
from itertools import chain
from pathlib import Path

import pytest
import torch
import transformers

from minirobert.benchmarks.batches import BASE, batch_of
from minirobert.benchmarks.encoder import random_encoder
from minirobert.benchmarks.rows import OURS, Row
from minirobert.benchmarks.turns import in_rounds
from tests.benchmarks import (
    base_models,
    bench_encoder,
    bench_loading,
    bench_pipelines,
    bench_steps,
    runner,
)
from tests.benchmarks import bench_scaling as scaling
from tests.benchmarks.collected import MODULES, chosen, comparisons
from tests.benchmarks.measure import Comparison, Settings
from tests.benchmarks.peaks import peak_memory
from tests.benchmarks.results import Results
from tests.processes import fresh_python

HERE = Path(__file__).parent / "benchmarks"
SMALL = {"hidden_size": 12, "num_attention_heads": 2, "intermediate_size": 8}
CACHES = (
    *(base_models.pair, bench_encoder.encoders, bench_encoder.onnx_session),
    *(bench_loading.saved, bench_pipelines.saved, scaling.encoders),
)
ALL = comparisons()
ABOUT = {"machine": {"processor": "abacus"}, "threads": 2, "quick": True}


@pytest.fixture(scope="module")
def small():
    """Make what has roberta-base's size small, and let no model of another size be kept."""
    before = dict(BASE)
    BASE.update(SMALL, num_hidden_layers=1)
    yield Settings(quick=True, lasting=0.0, rounds=(1, 1))
    BASE.clear()
    BASE.update(before)
    for cached in CACHES:
        cached.cache_clear()


def one_of(name):
    (found,) = (one for one in ALL if one.name == name)
    return found


def test_all_modules_are_collected():
    declaring = {
        path.stem.removeprefix("bench_")
        for path in HERE.glob("bench_*.py")
        if "\nCOMPARISONS = " in path.read_text("utf-8")
    }
    assert set(MODULES) == declaring
    names = [one.name for one in ALL]
    assert len(set(names)) == len(names)
    groups = "encoder pipelines logits loading generation memory start tokenizer training growth"
    assert list(dict.fromkeys(name.partition("/")[0] for name in names)) == groups.split()


def test_comparisons_are_chosen_by_name():
    found = [Comparison(name, name, None) for name in ("a/1", "a/12", "ab/1", "b/1")]
    names = [[one.name for one in chosen(found, only)] for only in ([], ["a"], ["b/1", "a/1"])]
    assert names == [["a/1", "a/12", "ab/1", "b/1"], ["a/1", "a/12"], ["a/1", "b/1"]]
    assert [one.name for one in chosen(found, ["*/1"])] == ["a/1", "ab/1", "b/1"]
    with pytest.raises(ValueError, match=r"no comparison is called c; there are a/1, a/12"):
        chosen(found, ["a", "c"])


@pytest.mark.parametrize(
    ("name", "others"),
    [
        ("encoder/8x128", ["transformers", "onnxruntime"]),
        ("encoder/sentences", ["transformers", "onnxruntime"]),
        ("pipelines/feature-extraction", ["transformers"]),
        ("pipelines/text-classification", ["transformers"]),
        ("logits/one mask", ["transformers"]),
        ("loading/checkpoint", ["transformers"]),
        ("loading/and 1x16", ["transformers"]),
        ("generation/greedy/8x16", ["transformers"]),
        ("generation/sampling/1x16", ["transformers"]),
        ("generation/beams/8x16", ["transformers"]),
        ("start/import", ["NumPy alone"]),
        ("tokenizer/ids", ["tokenizers"]),
        ("tokenizer/offsets", ["tokenizers"]),
        ("growth/length/time/16", ["transformers"]),
    ],
)
def test_a_comparison_can_be_measured(small, name, others):
    one = one_of(name)
    row = one.row(small).to_json()
    assert row["name"] == name
    assert list(row["theirs"]) == others
    assert row["rounds"] == 1
    assert "{" not in row["title"]
    assert row[OURS] > 0
    assert all(other["value"] > 0 for other in row["theirs"].values())


def test_without_onnxruntime_its_column_says_so(small, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    row = one_of("encoder/1x8").row(small).to_json()
    assert list(row["theirs"]) == ["transformers"]
    assert row["notes"] == {"onnxruntime": "not installed"}


def test_the_graph_of_onnx_takes_every_shape(small):
    for lengths in ([3], [2, 9, 5]):
        batch = batch_of(lengths, bench_encoder.CONFIG)
        found = bench_encoder.onnx_side(batch, small.directory)()
        assert found.shape == (*batch.ids.shape, 12)


def test_sentences_are_sentences():
    found = bench_pipelines.sentences()
    assert len(set(found)) == len(found) == 1000
    assert found == bench_pipelines.sentences()
    assert all(one[-1] in ".:!?" for one in found)
    assert all(one == " ".join(one.split()) for one in found)


def test_the_best_batch_size_is_the_fastest(monkeypatch):
    taken = {1: 3.0, 8: 1.0, 32: 2.0}
    sizes = []

    def pipe(texts, batch_size):
        sizes.append(batch_size)

    monkeypatch.setattr(bench_pipelines, "seconds", lambda call: call() or taken[sizes[-1]])
    assert bench_pipelines.best_batch_size(pipe, ["text"] * 9) == 8


def test_parts_of_the_sentences_come_in_order(small, monkeypatch):
    seen = []

    def in_parts(sides, rounds):
        monkeypatch.setattr(bench_pipelines.minirobert, "pipeline", None)
        return in_rounds(sides, rounds)

    def fake(task, directory, **options):
        return lambda texts, **_: seen.append((options.get("device"), texts))

    monkeypatch.setattr(bench_pipelines, "in_rounds", in_parts)
    monkeypatch.setattr(bench_pipelines.transformers, "pipeline", fake)
    monkeypatch.setattr(bench_pipelines.minirobert, "pipeline", fake)
    monkeypatch.setattr(bench_pipelines, "best_batch_size", lambda *_: 8)
    whole = Settings(lasting=0.0, rounds=(1, 1), quick=False)
    whole.directory = small.directory
    row = one_of("pipelines/text-classification").row(whole)
    assert "1,000 sentences" in row.title
    assert "theirs: 8" in row.title
    for device in ("cpu", None):
        _, *parts = [texts for name, texts in seen if name == device]
        assert list(chain.from_iterable(parts)) == bench_pipelines.sentences()


# Memory


def test_the_peak_of_a_process_is_its_own():
    """And not that of the process that has started it."""
    held = b"x" * (200 << 20)
    tell = "from tests.benchmarks.peaks import peak_memory; print(peak_memory())"
    code = f"x = b'x' * ({{}} << 20); {tell}"
    small, large = (float(fresh_python(code.format(size))) for size in (1, 101))
    assert large - small == pytest.approx(100, abs=10)
    assert small < peak_memory() - 150
    assert len(held)


def test_memory_of_both_sides():
    from tests.benchmarks.bench_memory import peaks

    for side in ("transformers", OURS):
        few, many = peaks(side, [[1, 1, 8], [1, 16, 128]])
        assert 100 < few < many < 2000


# The runner


def row(name, value=1.0):
    return Row(name=name, title=name, sides={"transformers": [2.0 * value], OURS: [value]})


def test_results_of_the_same_machine_are_kept(tmp_path):
    first = Results(tmp_path, ABOUT, keep=False)
    first.peak = 7.0
    first.add(row("a/1"))
    first.add(row("b/1"))
    report = {"machine": MACHINE, **{name: ABOUT[name] for name in ("threads", "quick")}}
    first.about = report
    first.write(["a/1", "b/1"])
    again = Results(tmp_path, report, keep=True)
    assert (again.peak, list(again.rows)) == (7.0, ["a/1", "b/1"])
    again.add(row("a/1", 5.0))
    again.write(["b/1", "a/1", "c/1"])
    written = json.loads((tmp_path / "results.json").read_text())
    assert [(one["name"], one[OURS]) for one in written["rows"]] == [("b/1", 1.0), ("a/1", 5.0)]
    assert "| a/1 | 5,000 ms | 10,000 ms | 2.00 |" in (tmp_path / "table.md").read_text()
    assert not Results(tmp_path, report, keep=False).rows
    assert not Results(tmp_path, report | {"threads": 3}, keep=True).rows


MACHINE = {
    "processor": "abacus", "cores": 1, "system": "wood", "python": "3", "versions": {},
    "blas": {"library": "beads", "version": None},
}  # fmt: skip


def test_a_comparison_that_fails_stops_no_other(tmp_path, monkeypatch, capsys):
    def fail(one, settings):
        raise ZeroDivisionError("no luck")

    monkeypatch.setattr(runner, "matmul_peak", lambda: 5.0)
    todo = [
        Comparison("a/1", "", fail),
        Comparison("growth/batch/time/8", "", lambda one, settings: row(one.name)),
    ]
    results = Results(tmp_path, ABOUT | {"machine": MACHINE}, keep=False)
    assert runner.run(todo, [one.name for one in todo], results, Settings()) == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert "[1/2, 0.0 min] a/1" in errors
    assert "no luck" in errors
    assert [*results.rows] == ["growth/batch/time/8"]
    runner.draw(results, todo, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("results.json", "table.md", "growth.svg"),
    }


def test_the_module_runs(tmp_path):
    """With the threads that it tells, and its own row alone."""
    code = """
import runpy, sys
sys.argv[1:] = ["--quick", "--only", "tokenizer/ids", "--out", sys.argv[1]]
runpy.run_module("tests.benchmarks", run_name="__main__")
"""
    printed = fresh_python(code, str(tmp_path))
    report = json.loads((tmp_path / "results.json").read_text())
    assert [one["name"] for one in report["rows"]] == ["tokenizer/ids"]
    assert (report["threads"], report["machine"]["blas"]["threads"]) == (2, 2)
    assert report["machine"]["versions"]["torch"] == torch.__version__
    assert report["machine"]["versions"]["transformers"] == transformers.__version__
    assert printed == (tmp_path / "table.md").read_text().strip()


@pytest.mark.usefixtures("small")
def test_each_step_has_a_time_in_each_way():
    model = random_encoder(**BASE)
    heading, _, *lines = bench_steps.table((2, 5), model, 1e9, 1)
    assert heading.startswith("| 2x5, ms | formulas | NumPy | ")
    names = [line.split(" | ")[0].strip("|* ") for line in lines]
    assert names == [*bench_steps.ORDER, "all", bench_steps.CALL]
    for way in (bench_steps.of_formulas, lambda call: bench_steps.of_kernels(call, False)):
        taken = way(lambda: model([[5, 6, 7], [8, 9, 9]]))
        assert all(taken[step] > 0 for step in bench_steps.ORDER)
