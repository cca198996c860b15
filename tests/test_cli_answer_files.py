"""``--out`` of the commands of tasks: answers in files, read again by the usual libraries."""

import csv
import json
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

import minirobert
from minirobert.cli import answer_files
from tests.pipelines.models import saved_for_each_task, their_tokenizer
from tests.test_cli import assert_sentence, json_lines
from tests.test_cli_tasks import ALL_CASES, CASES, SKY

#: Texts that a careless table would tear apart, or take for something else.
ODD = [
    *('a "quoted" word, and another', "two\nlines", "a\rb\r\nc", "  spaces  ", "naïve 日本 👍🏽"),
    *("NA", "", "1", "=1+1", "\u2028\x85\x00", ",", '"', "'", "\t"),
]


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    return saved_for_each_task(tmp_path_factory.mktemp)


def as_list(value):
    return value if isinstance(value, list) else [value]


def rows_of(task, line, answer):
    """Take the answer of a text apart into the rows of a table."""
    if task == "fill-mask":
        masks = answer if isinstance(answer[0], list) else [answer]
        return [{"mask": i + 1, **one} for i, some in enumerate(masks) for one in some]
    if task == "feature-extraction":
        if not answer:
            return []
        if not isinstance(answer[0], list):
            return [{"vector": answer}]
        return list(rows_of_pieces(line, answer))
    if task == "zero-shot-classification":
        pairs = zip(answer["labels"], answer["scores"], strict=True)
        return [{"label": label, "score": score} for label, score in pairs]
    if task == "score":
        return [{name: answer[name] for name in ("score", "perplexity", "num_tokens")}]
    return as_list(answer)


def rows_of_pieces(line, answer):
    """Lead vectors to tokens or words, with transformers' tokenizer."""
    encoding = their_tokenizer()(line, return_offsets_mapping=True)
    if isinstance(answer[0][0], list):
        tokens = their_tokenizer().convert_ids_to_tokens(encoding["input_ids"])
        pieces = zip(tokens, encoding["offset_mapping"], answer[0], strict=True)
        for token, (start, end), vector in pieces:
            yield {"token": token, "start": start, "end": end, "vector": vector}
        return
    for i, vector in enumerate(answer):
        start, end = encoding.word_to_chars(i)
        yield {"word": line[start:end], "start": start, "end": end, "vector": vector}


def read_csv(path):
    """Read a table; all texts in it are quoted, so other cells are numbers."""
    with open(path, encoding="utf-8", newline="") as file:
        columns, *rows = csv.reader(file, quoting=csv.QUOTE_NONNUMERIC)
    return [dict(zip(columns, row, strict=True)) for row in rows]


def with_columns_of_vectors(row):
    vector = row.pop("vector", [])
    return {**row, **{f"vector_{i}": number for i, number in enumerate(np.float32(vector))}}


@pytest.mark.parametrize(
    ("task", "options", "inputs"),
    [(task, options, list(inputs)) for task, options, _, inputs in ALL_CASES],
)
def test_tables_and_lines_have_what_json_has(
    run_well, stdin, directories, tmp_path, task, options, inputs
):
    def saved(*more):
        stdin("".join(line + "\n" for line in inputs))
        return run_well(task, "--model", str(directories[task]), *more, *options)

    answers = json_lines(saved("--json"))
    expected = [
        {"line": number, "text": line, **row}
        for number, (line, answer) in enumerate(zip(inputs, answers, strict=True), 1)
        for row in rows_of(task, line, answer)
    ]
    for suffix in "jsonl", "parquet", "csv":
        path = tmp_path / f"answers.{suffix}"
        texts = "1 text" if len(inputs) == 1 else f"{len(inputs)} texts"
        assert saved("--out", str(path)) == f"{texts}, saved in {path}\n"
    assert json_lines((tmp_path / "answers.jsonl").read_text("utf-8")) == answers
    assert pyarrow.parquet.read_table(tmp_path / "answers.parquet").to_pylist() == expected
    assert read_csv(path) == list(map(with_columns_of_vectors, expected))
    assert {one.name for one in tmp_path.iterdir()} == {
        *("answers.jsonl", "answers.parquet", "answers.csv")
    }


def test_every_task_is_tried():
    assert {task for task, *_ in ALL_CASES} == set(CASES)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "jsonl"])
def test_any_text_comes_back(run_well, tmp_path, suffix):
    path = tmp_path / f"TABLE.{suffix.upper()}"
    run_well("feature-extraction", *ODD, "--pooling", "cls", "--out", str(path))
    vectors = np.float32(minirobert.pipeline("feature-extraction", pooling="cls")(ODD))
    if suffix == "jsonl":
        found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        np.testing.assert_array_equal(np.float32(found), vectors)
        return
    if suffix == "csv":
        table = pd.read_csv(path, keep_default_na=False, dtype={"text": str})
        found = table.iloc[:, 2:].to_numpy()
        assert [row["text"] for row in read_csv(path)] == ODD
    else:
        table = pd.read_parquet(path)
        found = np.stack(table["vector"])
        assert found.dtype == np.float32
    assert table["line"].tolist() == list(range(1, len(ODD) + 1))
    kept = [text for text in ODD if "\0" not in text]  # pandas ends a text at it
    assert [text for text in table["text"] if text in kept] == kept
    np.testing.assert_array_equal(np.float32(found), vectors)


@pytest.mark.parametrize("rows", [1, 2, 3, 4, 100])
def test_groups_of_a_parquet_file(run_well, tmp_path, monkeypatch, rows):
    monkeypatch.setattr(answer_files, "GROUP", rows)
    path = tmp_path / "a.parquet"
    run_well("fill-mask", SKY, SKY, "--top-k", "2", "--out", str(path))
    assert pyarrow.parquet.read_table(path)["line"].to_pylist() == [1, 1, 2, 2]
    assert pyarrow.parquet.ParquetFile(path).num_row_groups == -(-4 // rows)


@pytest.mark.parametrize("pooling", [[], ["--pooling", "word"]])
def test_pieces_of_a_text_that_is_cut(run_well, tmp_path, pooling):
    path, text = tmp_path / "a.parquet", "naïve " * 200
    run_well("feature-extraction", text, "--truncate", *pooling, "--out", str(path))
    encoding = their_tokenizer()(text, truncation=True, max_length=128, return_offsets_mapping=True)
    spans = encoding["offset_mapping"]
    if pooling:
        spans = [encoding.word_to_chars(i) for i in range(max(encoding.word_ids()[1:-1]) + 1)]
    table = pd.read_parquet(path)
    assert table[["start", "end"]].to_numpy().tolist() == [list(span) for span in spans]
    assert len(spans) == (26 if pooling else 128)


# Arrays


@pytest.mark.parametrize("name", ["a.npy", "a.NPY"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_an_array_has_a_row_for_each_text(run_well, stdin, tmp_path, pooling, name):
    texts, path = ["A cat", "naïve 日本", ""], tmp_path / name
    stdin("".join(f"{text}\n" for text in texts))
    run_well("feature-extraction", "--pooling", pooling, "--batch-size", "2", "--out", str(path))
    vectors = minirobert.pipeline("feature-extraction", pooling=pooling)(texts)
    found = np.load(path)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, np.float32(vectors), atol=1e-5)


def test_an_array_of_tokens_has_as_many_of_each_text(run, run_well, tmp_path):
    path = tmp_path / "a.npy"
    run_well("feature-extraction", "The sky", "A cat", "--out", str(path))
    vectors = minirobert.pipeline("feature-extraction")(["The sky", "A cat"])
    np.testing.assert_array_equal(np.load(path), np.float32(vectors)[:, 0])
    before = path.read_bytes()
    command = ["feature-extraction", "The sky", "A cat", "A", "--out", str(path), "--overwrite"]
    words = ["text 3 has the shape [3, 256], but text 1 has [4, 256]", "--pooling mean", ".jsonl"]
    assert_sentence(run(*command), *words)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("dtype", "stored"),
    [("float16", "float16"), ("bfloat16", "float32"), ("float64", "float64")],
)
def test_dtypes_of_arrays(run_well, tmp_path, dtype, stored):
    path = tmp_path / "a.npy"
    run_well("feature-extraction", "A", "--pooling=cls", "--dtype", dtype, "--out", str(path))
    embed = minirobert.pipeline("feature-extraction", dtype=dtype, pooling="cls")
    assert np.load(path).dtype == stored
    assert np.load(path).tolist() == [embed("A")]
    table = tmp_path / "a.parquet"
    run_well("feature-extraction", "A", "--pooling=cls", "--dtype", dtype, "--out", str(table))
    assert np.stack(pd.read_parquet(table)["vector"]).tolist() == [embed("A")]


# Texts without an answer, or none at all


@pytest.mark.filterwarnings("default")
def test_texts_that_are_left_out(run, stdin, tmp_path):
    def saved(name, *command):
        stdin(b"The <mask>\n\xff\nno mask\nA <mask>\n")
        code, output, errors = run(*command, "--errors=skip", "--out", str(tmp_path / name))
        assert code == 0
        assert output.startswith("2 texts" if command[0] == "fill-mask" else "3 texts")
        return errors

    saved("a.csv", "fill-mask", "--top-k=1")
    assert [row["line"] for row in read_csv(tmp_path / "a.csv")] == [1, 4]
    assert "left out (null in the file)" in saved("a.jsonl", "fill-mask", "--top-k=1")
    lines = json_lines((tmp_path / "a.jsonl").read_text("utf-8"))
    assert [one and one[0]["token_str"] for one in lines][1:3] == [None, None]
    assert lines[3][0]["sequence"].startswith("A")
    saved("a.parquet", "fill-mask", "--top-k=1")
    table = pyarrow.parquet.read_table(tmp_path / "a.parquet")
    assert table["line"].to_pylist() == [1, 4]
    errors = saved("a.npy", "feature-extraction", "--pooling=mean")
    assert "line 2 of stdin is not UTF-8" in errors
    assert "left out (NaN in the array)" in errors
    assert np.isnan(np.load(tmp_path / "a.npy")).all(axis=1).tolist() == [False, True, False, False]


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("lines", [b"", b"\xff\n"])
def test_no_answer_at_all(run, stdin, tmp_path, lines):
    def saved(name):
        stdin(lines)
        path = tmp_path / name
        code, output, _ = run("feature-extraction", "--errors=skip", "--json", "--out", str(path))
        assert (code, json.loads(output)) == (0, {"texts": 0, "file": str(path)})
        return path

    assert pd.read_csv(saved("a.csv")).columns.tolist() == ["line", "text"]
    assert pd.read_parquet(saved("a.parquet")).shape == (0, 2)
    assert saved("a.jsonl").read_bytes() == b"null\n" * len(lines[:1])
    assert np.load(saved("a.npy")).shape == (len(lines[:1]), 256)


@pytest.mark.filterwarnings("default")
def test_numbers_that_json_has_not(tmp_path):
    answer_file = answer_files._Lines(tmp_path / "a.jsonl", answer_files.Form(list))
    with pytest.warns(UserWarning, match="null stands in the JSON"):
        answer_file.take(1, "a", np.array([1.5, np.nan], np.float32))
    answer_file.close()
    assert (tmp_path / "a.jsonl").read_text() == "[1.5, null]\n"


@pytest.mark.parametrize(
    ("task", "options", "inputs"),
    [(task, options, list(inputs)) for task, options, _, inputs in ALL_CASES],
)
def test_an_empty_table_has_the_columns_and_types_of_others(
    run_well, stdin, directories, tmp_path, task, options, inputs
):
    def saved(name, lines):
        stdin("".join(line + "\n" for line in lines))
        path = tmp_path / name
        run_well(task, "--model", str(directories[task]), "--out", str(path), *options)
        return path

    full = pyarrow.parquet.read_table(saved("full.parquet", inputs)).schema
    if task == "feature-extraction":  # whose columns depend on the model
        full = pa.schema([full.field("line"), full.field("text")])
    assert pyarrow.parquet.read_table(saved("empty.parquet", [])).schema.equals(full)
    assert pd.read_csv(saved("empty.csv", [])).columns.tolist() == full.names


# Errors


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_errors_leave_what_was_there(run, stdin, tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    path.write_bytes(b"before")
    stdin(f"{SKY}\n" * 3 + "no mask\n")
    command = ["fill-mask", "--out", str(path)]
    assert_sentence(run(*command), "is there already", "--overwrite")
    assert_sentence(run(*command, "--overwrite"), "line 4 of stdin", "no <mask>")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("a.txt", ["'.txt'", ".npy", ".jsonl", ".csv", ".parquet"]),
        ("answers", ["ends in ''"]),
        ("a.npy", ["feature-extraction alone", ".jsonl, .csv or .parquet"]),
        ("nowhere/a.csv", ["there is no directory"]),
    ],
)
def test_wrong_names_are_told_before_the_model_is_read(run, tmp_path, name, words):
    command = ["fill-mask", SKY, "--model", "nowhere", "--out", str(tmp_path / name)]
    assert_sentence(run(*command), *words)


def test_a_link_stays_and_its_file_is_written(run, run_well, tmp_path):
    target, link = tmp_path / "real" / "t.jsonl", tmp_path / "a.jsonl"
    link.symlink_to("real/t.jsonl")
    command = ["fill-mask", SKY, "--out", str(link)]
    assert_sentence(run(*command), f"there is no directory '{target.parent}'")
    target.parent.mkdir()
    run_well(*command)
    first = target.read_bytes()
    assert first == run_well("fill-mask", SKY, "--json").encode()
    assert_sentence(run(*command), "is there already", "--overwrite")
    run_well(*command, "--overwrite", "--top-k", "1")
    assert target.read_bytes() != first
    assert link.is_symlink()


def test_links_that_lead_nowhere_good(run, tmp_path):
    link = tmp_path / "a.csv"
    command = ["fill-mask", SKY, "--model", "nowhere", "--out", str(link)]
    link.symlink_to("a.csv")
    assert_sentence(run(*command), "is there already")
    link.unlink()
    link.symlink_to("a.txt")
    assert_sentence(run(*command), "a.txt' ends in '.txt'")
    assert [one.name for one in tmp_path.iterdir()] == ["a.csv"]


def test_parquet_needs_pyarrow(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    command = ["fill-mask", SKY, "--out", str(tmp_path / "a.parquet")]
    assert_sentence(run(*command), "pip install pyarrow", ".csv")


def test_stdin_that_cannot_be_read_is_no_fault_of_the_file(run, stdin, tmp_path, monkeypatch):
    stdin("")

    def fail(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys.stdin.buffer, "readline", fail, raising=False)
    assert_sentence(run("fill-mask", "--out", str(tmp_path / "a.csv")), "stdin cannot be read")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written_is_told(run, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(answer_files._Csv, "add", fail)
    result = run("fill-mask", SKY, "--out", str(tmp_path / "a.csv"))
    assert_sentence(result, "No space left on device", "nothing was saved: make room")
    assert not list(tmp_path.iterdir())
