"""Many lines: those that cannot be answered in a file of their own, and a bar on a terminal."""

import json
import os
import pty
import subprocess
import sys
import termios
from functools import partial

import pytest

from minirobert.cli import progress
from tests.test_cli import assert_sentence, json_lines

SKY = "The sky is <mask>."
LINES = b"The <mask>\n\xff\xfe <mask>\nno mask\nA <mask>\nno \xc3\xa9 mask\r\n\xff"
NOT_UTF_8 = "not UTF-8: it has the byte 0xff at position 0"
NO_MASK = "the text has no <mask> for the model to fill: "


def records(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --skip-errors


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("batch_size", ["1", "2", "9"])
@pytest.mark.parametrize("policy", [[], ["--errors", "strict"], ["--errors", "skip"]])
def test_lines_without_an_answer_are_told_in_a_file(run, stdin, tmp_path, batch_size, policy):
    stdin(LINES)
    file = tmp_path / "skipped"
    options = ["--json", "--skip-errors", str(file), "--batch-size", batch_size, *policy]
    code, output, errors = run("fill-mask", *options)
    assert code == 0
    assert [bool(one) for one in json_lines(output)] == [True, False, False, True, False, False]
    assert records(file) == [
        {"line": 2, "text": "\ufffd\ufffd <mask>", "error": NOT_UTF_8},
        {"line": 3, "text": "no mask", "error": f"{NO_MASK}'no mask'"},
        {"line": 5, "text": "no é mask", "error": f"{NO_MASK}'no é mask'"},
        {"line": 6, "text": "\ufffd", "error": NOT_UTF_8},
    ]
    assert errors == (
        "minirobert: warning: lines of stdin that are left out (null in the JSON): 4, as "
        f"{file} tells\n"
    )


@pytest.mark.filterwarnings("default")
def test_lines_that_are_mended_are_answered(run, stdin, tmp_path):
    stdin(LINES)
    file = tmp_path / "skipped"
    code, output, errors = run(
        *("fill-mask", "--json", "--top-k=1", "--errors=replace", "--skip-errors", str(file))
    )
    assert code == 0
    assert [bool(one) for one in json_lines(output)] == [True, True, False, True, False, False]
    assert json_lines(output)[1][0]["sequence"].startswith("\ufffd\ufffd")
    assert [one["line"] for one in records(file)] == [3, 5, 6]
    first, summary, second = errors.splitlines()
    assert "line 2 of stdin is not UTF-8" in first
    assert "read with U+FFFD" in first
    assert "2 lines of stdin are read with U+FFFD in place of such bytes: 2, 6" in summary
    assert "left out (null in the JSON): 3" in second


def test_nothing_wrong_is_an_empty_file(run_well, tmp_path):
    file = tmp_path / "skipped"
    run_well("fill-mask", SKY, "--skip-errors", str(file))
    assert file.read_bytes() == b""


@pytest.mark.filterwarnings("default")
def test_texts_of_the_command_line_are_numbered_too(run, tmp_path):
    file = tmp_path / "skipped"
    code, _, errors = run("fill-mask", SKY, "no\nmask", "\udcff", "--skip-errors", str(file))
    assert (code, "texts of the command line that are left out: 2" in errors) == (0, True)
    assert [(one["line"], one["text"]) for one in records(file)] == [(2, "no\nmask"), (3, "\ufffd")]


@pytest.mark.filterwarnings("default")
def test_answers_and_what_is_skipped_in_files(run, stdin, tmp_path):
    stdin(LINES)
    out, file = tmp_path / "a.csv", tmp_path / "b.jsonl"
    code, output, _ = run("fill-mask", "--out", str(out), "--skip-errors", str(file))
    assert (code, output) == (0, f"2 texts, saved in {out}\n")
    assert len(records(file)) == 4
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.csv", "b.jsonl"]


def test_the_file_is_a_new_one(run, stdin, tmp_path):
    file = tmp_path / "a.jsonl"
    command = ["fill-mask", SKY, "no mask", "--model", "nowhere", "--skip-errors", str(file)]
    (tmp_path / "link").symlink_to(tmp_path)
    same = ["--out", str(tmp_path / "link" / "a.jsonl")]
    assert_sentence(run(*command, *same), "--out and by --skip-errors", "two different")
    file.write_bytes(b"before")
    assert_sentence(run(*command), "is there already", "--overwrite")
    assert_sentence(run(*command[:-1], str(tmp_path)), "is a directory")
    assert_sentence(run("fill-mask", *command[3:], "--top-k", "0", "--overwrite"))
    assert file.read_bytes() == b"before"


# The bar


@pytest.fixture
def terminals(monkeypatch):
    """Make terminals of streams, and others not; a bar is shown at once."""
    monkeypatch.setattr(progress, "DELAY", 0)

    def terminals(*names):
        for name in ("stdout", "stderr"):
            answer = partial(bool, name in names)
            monkeypatch.setattr(getattr(sys, name), "isatty", answer, raising=False)

    return terminals


@pytest.fixture
def file_as_stdin(monkeypatch, tmp_path):
    def file_as_stdin(content):
        (tmp_path / "lines").write_bytes(content)
        stream = open(tmp_path / "lines", encoding="utf-8")  # noqa: SIM115  # closed below
        monkeypatch.setattr(sys, "stdin", stream)

    yield file_as_stdin
    sys.stdin.close()


@pytest.mark.parametrize("end", ["", "\n"])
@pytest.mark.parametrize("batch_size", ["1", "2"])
def test_a_bar_on_a_terminal(run, file_as_stdin, terminals, batch_size, end):
    terminals("stderr")
    content = f"{SKY}\n{SKY}\n{SKY}{end}".encode()
    file_as_stdin(content)
    command = ["fill-mask", "--json", "--batch-size", batch_size]
    code, output, errors = run(*command)
    assert (code, len(json_lines(output))) == (0, 3)
    assert "100%" in errors
    assert "3/3" in errors
    file_as_stdin(content)
    assert run(*command, "--quiet") == (0, output, "")


def test_a_bar_without_an_end(run, stdin, terminals, tmp_path):
    terminals("stderr", "stdout")
    stdin(f"{SKY}\n" * 3)
    code, output, errors = run("fill-mask", "--out", str(tmp_path / "a.csv"))
    assert (code, output.startswith("3 texts, saved")) == (0, True)
    assert "3 lines [" in errors
    assert "/3" not in errors


def test_where_there_is_no_bar(run_well, stdin, terminals, tmp_path):
    terminals("stderr")
    run_well("fill-mask", SKY, SKY)  # the texts are seen
    terminals("stdout", "stderr")
    stdin(SKY)
    run_well("fill-mask")  # as are the answers
    terminals("stdout")
    stdin(SKY)
    run_well("fill-mask", "--out", str(tmp_path / "a.csv"))


def test_lines_are_counted_and_none_is_read(monkeypatch, tmp_path):
    path = tmp_path / "lines"
    path.write_bytes(b"one\ntwo\r\n\nfour")
    with open(path, encoding="utf-8") as file:
        monkeypatch.setattr(sys, "stdin", file)
        for block in (1, 2, 3, 1000):
            monkeypatch.setattr(progress, "BLOCK", block)
            assert progress.lines_left() == 4
        assert os.lseek(file.fileno(), 4, os.SEEK_SET) == 4  # as after `read` of a shell
        assert progress.lines_left() == 3
        assert file.buffer.read() == b"two\r\n\nfour"
        assert progress.lines_left() == 0


def test_a_warning_stands_above_the_bar():
    """Run the program on a terminal of its own, of which each line is whole."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    code = "import sys; from minirobert import cli; cli.progress.DELAY = 0; "
    code += "sys.exit(cli.main(['fill-mask', '--json', '--errors', 'skip']))"
    lines = f"{SKY}\nno mask\n{SKY}\n".encode()
    result = subprocess.run(
        [sys.executable, "-c", code], input=lines, stdout=subprocess.PIPE, stderr=theirs, timeout=60
    )
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 1 << 16):
            said += part
    except OSError:  # its end
        pass
    os.close(ours)
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 3
    assert b"lines [" not in result.stdout
    shown = said.decode().replace("\r\n", "\n").split("\n")
    warnings = [line.rpartition("\r")[2] for line in shown if "warning" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("minirobert: warning: line 2 of stdin: the text has no <mask>")
    assert "3 lines [" in said.decode()
