"""The command ``bench``: what it prints, with torch and without. What it measures is not tested."""

import json
import sys

import pytest

from minirobert import RobertaConfig
from minirobert.benchmarks import batches, encoder, machine
from minirobert.cli import bench
from minirobert.kernels.compiled import uses_numba

QUICK = ("bench", "--quick")
SMALL = {"num_hidden_layers": 1, "hidden_size": 12, "intermediate_size": 8, "vocab_size": 90}


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    """Measure next to nothing."""
    monkeypatch.setattr(bench, "QUICKLY", 0.0)
    monkeypatch.setattr(machine, "matmul_peak", lambda: 1e9)
    monkeypatch.setattr(batches, "BASE", batches.BASE | SMALL)


def without(monkeypatch, name):
    monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.parametrize("hidden", ["torch", "transformers"])
def test_times_of_our_own(run_well, monkeypatch, hidden):
    without(monkeypatch, hidden)
    about, weights, why, blank, heads, *rows = run_well(*QUICK).splitlines()
    assert machine.machine()["processor"] in about
    assert weights == (
        "random weights of roberta-base's size, float32; NumPy multiplies float32 matrices at 1 "
        "GFLOP/s"
    )
    assert "not both installed" in why
    assert blank == ""
    assert heads.split() == ["minirobert", "tokens/s", "of", "matmul", "peak"]
    assert [row.split("  ")[0] for row in rows] == [
        *("1 sequence of 16 tokens", "1 sequence of 128 tokens", "8 sequences of 128 tokens"),
        "32 sentences, of 30 tokens each in the mean, of 97 at most",
    ]


def test_times_of_both(run_well):
    pytest.importorskip("torch")
    pytest.importorskip("transformers")
    about, _, ratio, _, heads, *rows = run_well(*QUICK).splitlines()
    assert "torch 2" in about
    assert "theirs / ours" in ratio
    assert heads.split()[:3] == ["minirobert", "transformers", "ratio"]
    assert len(rows) == 4


def test_json(run_well, monkeypatch):
    without(monkeypatch, "torch")
    report = json.loads(run_well(*QUICK, "--json"))
    assert (report["size"], report["matmul_peak"]) == ("base", 1e9)
    numba = {"numba"} if uses_numba() else set()
    assert report["machine"]["versions"].keys() == {"minirobert", "numpy", *numba}
    names = [f"encoder/{name}" for name in ("1x16", "1x128", "8x128", "sentences")]
    assert [row["name"] for row in report["rows"]] == names
    for row, tokens in zip(report["rows"], (16, 128, 1024, 948), strict=True):
        assert row["theirs"] == {}
        assert row["tokens_per_second"] == pytest.approx(tokens / row["minirobert"])
        assert row["share_of_peak"] == pytest.approx(row["flops_per_second"] / 1e9)


def test_the_bundled_model(run_well, monkeypatch):
    without(monkeypatch, "torch")
    short = batches.batch_of([5], RobertaConfig(vocab_size=90), "short")
    monkeypatch.setattr(batches, "sentences", lambda config: short)
    monkeypatch.setattr(batches, "batch_of", lambda lengths, config: short)
    about = run_well(*QUICK, "--size", "bundled").splitlines()[1]
    assert about.startswith("the bundled model, float32")


def test_threads(run_well):
    report = json.loads(run_well(*QUICK, "--json", "--threads", "1"))
    assert report["machine"]["blas"]["threads"] == 1


def test_threads_that_cannot_be(run):
    code, output, errors = run(*QUICK, "--threads", "0")
    assert (code, output) == (2, "")
    assert "threads is 0" in errors
    assert errors.count("\n") == 1


def test_sides_that_differ_are_not_compared(run, monkeypatch):
    pytest.importorskip("torch")
    theirs = encoder.theirs
    monkeypatch.setattr(
        encoder, "theirs", lambda other, batch: lambda: theirs(other, batch)() + 0.5
    )
    with pytest.raises(ArithmeticError, match=r"differ by 5\.0e-01"):
        run(*QUICK)


def test_a_bar_on_a_terminal(run, monkeypatch):
    without(monkeypatch, "torch")
    monkeypatch.setattr(bench, "is_terminal", lambda name: name == "stderr")
    assert "row" in run(*QUICK)[2]
    assert run(*QUICK, "--quiet")[2] == ""
