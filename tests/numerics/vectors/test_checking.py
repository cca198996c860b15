"""What a port scores: its tensors and answers, and what is wrong with them."""

import json
import shutil

import numpy as np
import pytest

from minirobert.numerics.tensor_file import write_tensors
from minirobert.numerics.vectors import Score, check_vectors
from minirobert.numerics.vectors.tensors import BUDGET
from tests.numerics.vectors.written import expected

CASE = "001-every-step"
DENSE = "roberta.encoder.layer.1.intermediate.dense"


@pytest.fixture
def port(tmp_path):
    directory = tmp_path / "port"
    directory.mkdir()
    return directory


def right(vectors, name=CASE):
    """Give the tensors that are expected, in float32."""
    tensors = expected(vectors, name)
    with np.errstate(over="ignore"):  # of what masks a score
        return {
            step: array.astype(np.float32) if array.dtype.kind == "f" else array
            for step, array in tensors.items()
            if not step.startswith(BUDGET)
        }


def score(vectors, port, tensors):
    write_tensors(port / f"{CASE}.safetensors", tensors)
    (one,) = check_vectors(vectors, port, [CASE]).cases
    return one


def answers(vectors, kind):
    """Give the right answers."""
    groups = json.loads((vectors / kind / "cases.json").read_text())["groups"]
    return {group["name"]: [case["expected"] for case in group["cases"]] for group in groups}


def test_what_is_expected_passes(vectors, port):
    for name in (path.name for path in vectors.iterdir() if path.name[0].isdigit()):
        write_tensors(port / f"{name}.safetensors", right(vectors, name))
    for kind in ("tokenizer", "generation"):
        (port / f"{kind}.json").write_text(json.dumps(answers(vectors, kind)))
    found = check_vectors(vectors, port)
    assert str(found) == f"{len(found.cases)} of {len(found.cases)} cases pass (100%)"
    assert found
    assert max(case.ratio for case in found.cases if case.ratio is not None) < 0.5


def test_outputs_are_enough(vectors, port):
    one = score(vectors, port, {"lm_head.logits": right(vectors)["lm_head.logits"]})
    assert (one.verdict, one.compared, one.first) == ("passes", 1, "")


def test_an_output_must_be_there(vectors, port):
    tensors = right(vectors)
    tensors.pop("lm_head.logits")
    one = score(vectors, port, {**tensors, "mine": np.zeros(3)})
    assert (one.verdict, one.first) == ("departs", "lm_head.logits")
    assert one.why == "the port does not have it"
    assert one.unknown == ("mine",)
    found = Score((one,), ("999-mine", "tokenizer/mine"))
    assert str(found).splitlines()[1:3] == [
        f"{CASE} does not have mine",
        "no case is named 999-mine, tokenizer/mine",
    ]


@pytest.mark.parametrize("times", [0.9, 1.1, 50.0])
def test_the_budget_decides(vectors, port, times):
    tensors = expected(vectors, CASE)
    wrong = tensors[DENSE].copy()
    wrong[3, 5, 7] += times * tensors[BUDGET + DENSE][3, 5, 7]
    one = score(vectors, port, {**right(vectors), DENSE: wrong})
    assert one.verdict == ("passes" if times < 1 else "departs")
    assert one.ratio == pytest.approx(times, rel=1e-3)
    if times > 1:
        assert one.first == DENSE
        assert one.why.startswith("at [3, 5, 7] it is ")


def test_the_first_wrong_tensor_is_told(vectors, port):
    tensors = right(vectors)
    for name in ("lm_head.gelu", DENSE, "lm_head.dense"):
        tensors[name] = tensors[name] + 1
    assert score(vectors, port, tensors).first == DENSE


def test_what_has_no_budget_must_be_equal(vectors, port):
    tensors = right(vectors)
    tensors["position_ids"] = tensors["position_ids"] + 1
    one = score(vectors, port, tensors)
    assert (one.first, one.ratio) == ("position_ids", np.inf)


def test_nan_is_wrong_where_a_number_is_expected(vectors, port):
    tensors = right(vectors)
    tensors[DENSE][0, 0, 0] = np.nan
    one = score(vectors, port, tensors)
    assert (one.verdict, one.first, one.ratio) == ("departs", DENSE, np.inf)
    assert "at [0, 0, 0] it is nan" in one.why


def test_masked_scores_may_be_anything(vectors, port):
    tensors = right(vectors)
    attend = np.broadcast_to(tensors["attend"], (4, 4, 7, 7))
    for name in tensors:
        if name.endswith(".scores"):
            tensors[name] = np.where(attend, tensors[name], -np.inf)
        elif name.endswith(".scores.masked"):
            tensors[name] = np.where(attend, tensors[name], -10000.0)
    assert score(vectors, port, tensors).verdict == "passes"


def test_a_mask_may_have_a_row_for_each_query(vectors, port):
    tensors = right(vectors)
    attend = np.broadcast_to(tensors["attend"], (4, 1, 7, 7)).copy()
    assert score(vectors, port, {**tensors, "attend": attend}).verdict == "passes"
    attend[2, 0, 3, 1] ^= True
    assert score(vectors, port, {**tensors, "attend": attend}).first == "attend"
    assert score(vectors, port, {**tensors, "attend": attend[:3]}).why.startswith("its shape is")


def test_another_shape_is_told(vectors, port):
    tensors = right(vectors)
    name = "roberta.encoder.layer.0.attention.self.query"
    tensors[name] = tensors[name].reshape(4, 7, 24)
    one = score(vectors, port, tensors)
    assert one.first == name
    assert one.why == "its shape is [4, 7, 24], and must be [4, 4, 7, 6]"


def test_a_file_that_is_none_is_told(vectors, port):
    (port / f"{CASE}.safetensors").write_bytes(b"no tensors")
    (one,) = check_vectors(vectors, port, [CASE]).cases
    assert one.verdict == "departs"
    assert "no safetensors file, but a text" in one.why


def test_what_no_case_is_named_is_listed(vectors, port):
    tensors = {"lm_head.logits": right(vectors)["lm_head.logits"]}
    write_tensors(port / "1-every-step.safetensors", tensors)
    (port / "tokenizer.json").write_text('{"mine": []}')
    found = check_vectors(vectors, port, [CASE])
    assert found.unknown == ("1-every-step", "tokenizer/mine")
    assert found.to_json()["unknown"] == [*found.unknown]


def test_nothing_is_missing(vectors, port):
    found = check_vectors(vectors, port)
    assert not found
    assert {case.verdict for case in found.cases} == {"missing"}
    assert found.percent == 0
    assert str(found).startswith(f"missing: {CASE}, ")


# Answers


@pytest.mark.parametrize(
    ("group", "number", "change", "why"),
    [
        ("pairs", 0, lambda rows: rows[0]["input_ids"].pop(), "[0].input_ids has 10 entries, and"),
        ("pairs", 0, lambda rows: rows[0].pop("input_ids"), "[0].input_ids is None, and must"),
        ("texts", 3, lambda rows: rows[0]["offsets"][2].reverse(), "[0].offsets[2][0] is 9, and"),
        ("texts", 3, lambda rows: rows[0].update(words=None), "[0].words is None, and must be"),
        ("windows", 1, lambda rows: rows.pop(), "it has "),
    ],
)
def test_a_wrong_answer_is_told(vectors, port, group, number, change, why):
    right = answers(vectors, "tokenizer")
    change(right[group][number])
    (port / "tokenizer.json").write_text(json.dumps(right))
    found = {case.name: case for case in check_vectors(vectors, port, ["tokenizer/*"]).cases}
    one = found.pop(f"tokenizer/{group}")
    assert (one.verdict, one.first) == ("departs", f"answer {number}")
    assert why in one.why
    assert "(asked {'texts': [" in one.why
    assert all(found.values())
    assert {case.verdict for case in found.values()} == {"passes"}


def test_columns_may_be_left_out(vectors, port):
    rows = [
        [{"input_ids": row["input_ids"]} for row in one]
        for one in answers(vectors, "tokenizer")["pairs"]
    ]
    (port / "tokenizer.json").write_text(json.dumps({"pairs": rows}))
    assert check_vectors(vectors, port, ["tokenizer/pairs"])


@pytest.mark.parametrize(("off", "verdict"), [(1e-6, "passes"), (1e-4, "departs")])
def test_scores_may_be_rounded(vectors, port, off, verdict):
    right = answers(vectors, "generation")
    for row in right["scores"][0]:
        row[:] = [score + off for score in row]
    (port / "generation.json").write_text(json.dumps(right))
    one, *_ = check_vectors(vectors, port, ["generation/*"]).cases
    assert one.verdict == verdict


@pytest.mark.parametrize("given", [[], 3, None, "no"])
def test_a_list_of_answers_must_be_whole(vectors, port, given):
    (port / "generation.json").write_text(json.dumps({"drawing": given}))
    (one,) = check_vectors(vectors, port, ["generation/drawing"]).cases
    assert one.verdict == ("missing" if given is None else "departs")
    assert not one.first
    if given is not None:
        assert "must be a list of 3 answers" in one.why


# Bad use


def test_vectors_must_be_as_they_were_written(vectors, port, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(vectors, copy)
    path = copy / CASE / "config.json"
    path.write_text(path.read_text().replace("1e-05", "1e-12"))
    with pytest.raises(ValueError, match=rf"{CASE}/config.json in .* is not as it was written"):
        check_vectors(copy, port)
    (copy / "manifest.json").write_text('{"version": "2"}')
    with pytest.raises(ValueError, match="holds vectors of version '2', but this is version 1"):
        check_vectors(copy, port)
    for rest in ({}, {"sha256": [], "cases": 5}, {"sha256": {}, "cases": [{"name": CASE}]}):
        (copy / "manifest.json").write_text(json.dumps({"version": "1", **rest}))
        with pytest.raises(ValueError, match=r"manifest\.json in .* is not as it was written"):
            check_vectors(copy, port)


def test_sentences_of_bad_use(vectors, port, tmp_path):
    with pytest.raises(NotADirectoryError, match="is no directory: give that of the results"):
        check_vectors(vectors, tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match=r"has no manifest.json: give the directory of the"):
        check_vectors(port, port)
    with pytest.raises(ValueError, match=r"no case is named 'every': manifest.json lists them"):
        check_vectors(vectors, port, ["every"])


# The command


def test_the_command_scores(vectors, port, run, run_well):
    tensors = right(vectors)
    write_tensors(port / f"{CASE}.safetensors", tensors)
    command = ("vectors", "--check", str(vectors), "--port", str(port))
    assert run_well(*command, "--only", CASE) == "1 of 1 cases pass (100%)\n"
    code, printed, errors = run(*command)
    assert (code, errors) == (1, "")
    assert printed.splitlines()[-1].startswith("1 of ")
    tensors[DENSE][0, 0, 0] = np.inf
    write_tensors(port / f"{CASE}.safetensors", tensors)
    code, printed, errors = run(*command, "--only", CASE, "tokenizer/pairs", "--json")
    assert (code, errors) == (1, "")
    found = json.loads(printed)
    assert {key: found[key] for key in found if key != "cases"} == {
        "version": 1,
        "passed": 0,
        "of": 2,
        "percent": 0.0,
        "unknown": [],
    }
    assert [case["verdict"] for case in found["cases"]] == ["departs", "missing"]
    assert found["cases"][0]["ratio"] is None  # JSON has no infinity


@pytest.mark.parametrize(
    "arguments",
    [(), ("--out", "a", "--check", "b"), ("--check", "a"), ("--port", "b"), ("--only", "c")],
)
def test_the_command_must_be_told_what_to_do(run, arguments):
    code, printed, errors = run("vectors", *arguments)
    assert (code, printed) == (2, "")
    assert errors == (
        "minirobert: give --out DIR to write the vectors, or --check DIR and --port DIR to score a "
        "port\n"
    )


def test_the_command_writes(run, run_well, tmp_path, monkeypatch):
    monkeypatch.setattr("minirobert.numerics.vectors.writing.all_cases", lambda: iter(()))
    out = tmp_path / "out"
    said = run_well("vectors", "--out", str(out))
    assert said == f"the vectors are in {out}: README.md there explains them\n"
    assert sorted(path.name for path in out.iterdir()) == [
        *("README.md", "generation", "manifest.json", "tokenizer")
    ]
    code, printed, errors = run("vectors", "--out", str(out))
    assert (code, printed) == (2, "")
    assert "is not empty: give a new directory" in errors
