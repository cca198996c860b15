"""Answers in colours and in pictures: only where they are wanted, and only what was answered."""

import os
import pty
import re
import subprocess
import sys
from itertools import pairwise

import pytest

import minirobert
from minirobert.marking.terminal import visible
from minirobert.pipelines import TASKS
from minirobert.plots.files import save
from tests.pipelines.models import saved_for_each_task
from tests.test_cli import assert_sentence

SKY = "The sky is <mask>."
NASTY = "Anna\x1b[31m red\x1b[0m\x07 \u202e שלום 😀 <script>"
CODES = re.compile(r"\x1b\[[\d;]+m")


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    return saved_for_each_task(tmp_path_factory.mktemp)


@pytest.fixture(autouse=True)
def _no_wishes(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def commands(directories):
    """Give the commands with colours, each with its arguments."""
    entities, answers = (
        str(directories[task]) for task in ("token-classification", "question-answering")
    )
    context = ["--context-text", f"{NASTY} or Bob"]
    return {
        "tokenize": ["tokenize", NASTY],
        "fill-mask": ["fill-mask", f"{NASTY}<mask> or<mask>", "--top-k", "2"],
        "entities": ["token-classification", NASTY, "--model", entities, "--ignore-labels"],
        "words": ["token-classification", NASTY, "--model", entities, "--words", "--ignore-labels"],
        "answers": ["question-answering", f"who\x07 {NASTY}", "--model", answers, *context],
    }


@pytest.mark.parametrize("name", ["tokenize", "fill-mask", "entities", "words", "answers"])
def test_colours_only_where_they_are_wanted(run_well, directories, monkeypatch, name):
    arguments = commands(directories)[name]
    plain = run_well(*arguments)
    assert not CODES.search(plain.replace(NASTY, ""))
    assert run_well(*arguments, "--color", "never") == plain
    assert run_well(*arguments, "--json") == run_well(*arguments, "--json", "--color", "always")
    shown = run_well(*arguments, "--color", "always")
    assert shown != plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run_well(*arguments) == shown
    assert run_well(*arguments, "--color", "never") == plain
    monkeypatch.setenv("NO_COLOR", "1")
    assert run_well(*arguments) == plain
    # nothing of the texts goes to the terminal as it is
    without = CODES.sub("", shown)
    assert all(c.isprintable() or c == "\n" for c in without)
    unlabelled = CODES.sub("", re.sub(r"\x1b\[30;[\d;]+m LABEL_\d+\x1b\[0m", "", shown))
    assert visible(NASTY) in unlabelled


def test_the_table_of_tokens_is_the_same_below_the_text(run_well):
    text = "My café 😀 <mask>"
    plain = run_well("tokenize", text)
    heading, table = run_well("tokenize", text, "--color", "always").split("\n", 1)
    assert CODES.sub("", table) == plain
    assert CODES.sub("", heading) == "<s>My café 😀<mask></s>"
    codes = re.findall(r"\x1b\[([\d;]+)m(.+?)\x1b\[0m", heading)
    assert [code == "2" for code, _ in codes] == [True, *[False] * (len(codes) - 2), True]
    assert all(one != other for (one, _), (other, _) in pairwise(codes))
    of_emoji = [line for line in table.split("\n") if line.endswith("'😀'")]
    assert len({CODES.search(line).group() for line in of_emoji}) == 1


def test_entities_are_marked_in_the_line(run_well, directories):
    arguments = [
        "token-classification",
        "Anna lives",
        "--model",
        str(directories["token-classification"]),
    ]
    arguments += ["--ignore-labels", "--aggregation-strategy", "simple"]
    line, *rows = run_well(*arguments, "--color", "always").splitlines()
    heading, *expected = run_well(*arguments).splitlines()
    assert rows == expected
    found = minirobert.pipeline(
        "token-classification",
        directories["token-classification"],
        ignore_labels=[],
        aggregation_strategy="simple",
    )(heading)
    marks = re.findall(r"\x1b\[1;([\d;]+)m(.*?)\x1b\[0m\x1b\[\1m (.*?)\x1b\[0m", line)
    expected = [(heading[one["start"] : one["end"]], one["entity_group"]) for one in found]
    assert [mark[1:] for mark in marks] == expected


def test_answers_are_marked_in_their_context(run_well, directories, tmp_path):
    context = "Anna is in Rome, and Bob is not."
    file = tmp_path / "context.txt"
    file.write_text(context, encoding="utf-8")
    model = str(directories["question-answering"])
    arguments = ["question-answering", "who?", "--model", model, "--context", str(file)]
    *rows, last = run_well(*arguments, "--color", "always").splitlines()
    assert rows == run_well(*arguments).splitlines()
    answer = re.search(r"'(.*)'$", rows[-1]).group(1)
    assert f"m{answer}\x1b[0m" in last
    unlabelled = re.sub(r"\x1b\[30;[\d;]+m [\d.]+\x1b\[0m", "", last)
    assert CODES.sub("", unlabelled) == context


def on_terminal(*arguments, **variables):
    """Run a command whose stdout is a terminal, and give what it writes there."""
    terminal, end = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    command = [sys.executable, "-m", "minirobert", *arguments]
    with subprocess.Popen(
        command,
        stdout=end,
        stdin=subprocess.DEVNULL,
        env={**environment, "TERM": "xterm", **variables},
    ):
        os.close(end)
        parts = []
        while True:
            try:
                part = os.read(terminal, 4096)
            except OSError:  # the other end is closed
                part = b""
            if not part:
                break
            parts.append(part)
    os.close(terminal)
    return b"".join(parts).decode().replace("\r\n", "\n")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="there are no such terminals here")
def test_a_terminal_gets_colours_and_a_pipe_does_not(run_well):
    plain = run_well("tokenize", "The sky")
    shown = run_well("tokenize", "The sky", "--color", "always")
    assert on_terminal("tokenize", "The sky") == shown
    assert on_terminal("tokenize", "The sky", TERM="dumb") == plain
    assert on_terminal("tokenize", "The sky", NO_COLOR="1") == plain


# Pictures


@pytest.fixture
def drawn(monkeypatch):
    """Keep the axes that a command draws."""
    kept = []

    def keep(figure, path):
        kept.append(figure.axes)
        save(figure, path)

    monkeypatch.setattr("minirobert.plots.files.save", keep)
    return kept


@pytest.mark.parametrize("looks", [(), ("--json",)])
def test_pictures(run_well, tmp_path, drawn, looks):
    picture = tmp_path / "picture.png"
    for arguments in (["score", "Grass $is$ green"], ["fill-mask", SKY], ["tokenize", NASTY]):
        plain = run_well(*arguments, *looks)
        assert run_well(*arguments, *looks, "--plot", str(picture)) == plain
        assert picture.read_bytes().startswith(b"\x89PNG")
        picture.unlink()
    (scores,), (words,), (tokens,) = drawn
    found = minirobert.pipeline("score")("Grass $is$ green")
    values = [one["log_probability"] for one in found["tokens"]]
    assert [bar.get_height() for bar in scores.patches] == values
    fillings = minirobert.pipeline("fill-mask")(SKY)
    assert [bar.get_width() for bar in words.patches] == [one["score"] for one in fillings]
    ids = minirobert.RobertaTokenizer.from_pretrained()(NASTY).input_ids
    assert [text.get_text() for text in tokens.texts[1::2]] == list(map(str, ids))


def test_a_picture_of_merges(run_well, tmp_path, drawn):
    run_well("tokenize", " unbelievable", "--explain", "--plot", str(tmp_path / "a.png"))
    ((tree,),) = drawn
    (piece,) = minirobert.RobertaTokenizer.from_pretrained().explain(" unbelievable").pieces
    assert len(tree.lines) == len(piece.merges)


def test_a_picture_of_several_masks(run_well, tmp_path, drawn):
    arguments = [
        "fill-mask",
        "A <mask> is a <mask>.",
        "--top-k",
        "3",
        "--plot",
        str(tmp_path / "a.svg"),
    ]
    run_well(*arguments)
    (axes,) = drawn
    assert [ax.get_title() for ax in axes] == ["mask 1", "mask 2"]
    for ax, fillings in zip(
        axes, minirobert.pipeline("fill-mask")("A <mask> is a <mask>.", top_k=3), strict=True
    ):
        assert [bar.get_width() for bar in ax.patches] == [one["score"] for one in fillings]


def test_a_line_of_stdin_is_drawn(run_well, stdin, tmp_path):
    picture = tmp_path / "a.pdf"
    stdin("Grass is green\n")
    run_well("score", "--plot", str(picture))
    assert picture.read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("arguments", "content", "sentence"),
    [
        (
            ["score", "a", "b", "--plot", "a.png"],
            None,
            "--plot draws one text, but there are several",
        ),
        (["tokenize", "--plot", "a.png"], "a\nb\n", "--plot draws one text, but there are several"),
        (["tokenize", "--plot", "a.png", "--errors", "skip"], b"\xff\n", "nothing to draw"),
        (["score", "a", "--plot", "a.xyz"], None, "a.xyz is no name of a picture"),
        (["score", "a", "--plot", "a"], None, "a is no name of a picture"),
        (["score", "a", "--plot", "nowhere/a.png"], None, "there is no directory 'nowhere'"),
        (["score", "a", "--plot", ""], None, "the name is empty"),
        (["score", "a", "--color", "always"], None, "unrecognized argument"),
        (["tokenize", "a", "--color", "red"], None, "invalid choice"),
        (
            ["tokenize", "a b", "--explain", "--plot", "a.png"],
            None,
            "the text has 2: give one word",
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(
    run, stdin, tmp_path, monkeypatch, arguments, content, sentence
):
    monkeypatch.chdir(tmp_path)
    if content is not None:
        stdin(content)
    code, _, errors = run(*arguments)
    assert code == 2
    assert sentence in errors
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", [["score", "Grass"], ["fill-mask", SKY], ["tokenize", "Grass"]])
def test_a_picture_is_a_new_file(run, run_well, tmp_path, command):
    picture = tmp_path / "a.png"
    picture.write_bytes(b"mine")
    plot = ["--plot", str(picture)]
    nothing_is_read = [*command, "--model", "nowhere"]
    assert_sentence(run(*nothing_is_read, *plot), "is there already", "--overwrite")
    missing = ["--plot", str(tmp_path / "x" / "a.png")]
    assert_sentence(run(*nothing_is_read, *missing), "there is no directory")
    assert picture.read_bytes() == b"mine"
    run_well(*command, *plot, "--overwrite")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_answers_and_their_picture_are_two_files(run, tmp_path):
    files = [f"{option}={tmp_path / 'a.png'}" for option in ("--plot", "--skip-errors")]
    assert_sentence(run("score", "a", *files), "--skip-errors and by --plot", "two different")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", ["score", "fill-mask", "tokenize", "compare"])
def test_overwrite_of_no_file(run, command):
    words = ["bundled", "a", "--dtype", "float16"] if command == "compare" else ["a"]
    assert_sentence(run(command, *words, "--overwrite"), "--overwrite says nothing without --")


def test_without_matplotlib_nothing_is_computed(run, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.backend_bases", None)
    monkeypatch.chdir(tmp_path)
    result = run("score", "a", "--plot", "a.png")
    assert_sentence(result, "pictures take matplotlib", "pip install")
    assert result[1] == ""
    assert run("score", "a")[0] == 0


def test_which_commands_have_these_options(run):
    helps = {name: run(name, "--help")[1] for name in (*TASKS, "tokenize")}
    marked = {name for name, text in helps.items() if "--color" in text}
    assert marked == {"tokenize", "fill-mask", "token-classification", "question-answering"}
    assert {name for name, text in helps.items() if "--plot" in text} == {
        "tokenize",
        "fill-mask",
        "score",
    }
