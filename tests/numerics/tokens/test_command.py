"""The command ``compare-tokens``."""

import json

import pytest

from minirobert import TINY
from tests.equivalence.texts import fast
from tests.numerics.tokens.ports import PAIRS, TEXTS

LINES = [text for text in TEXTS if "\n" not in text and not text.endswith("\r")]


@pytest.fixture
def files(tmp_path):
    """Write texts and rows, giving the arguments that compare them."""

    def files(texts, rows, *options):
        (tmp_path / "texts").write_text("".join(f"{t}\n" for t in texts), newline="\n")
        (tmp_path / "ids.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        names = "--port", str(tmp_path / "ids.jsonl"), str(tmp_path / "texts")
        return "compare-tokens", "bundled", *names, *options

    return files


@pytest.mark.filterwarnings("ignore:line 1")
def test_all_agree(run_well, files):
    ids = fast(TINY)(LINES).input_ids
    said = f"{len(LINES)} of {len(LINES)} texts are tokenized the same\n"
    assert run_well(*files(LINES, ids)) == said
    found = json.loads(run_well(*files(LINES, ids, "--json")))
    assert (found["verdict"], found["departing"]) == ("agree", [])


def test_what_tokenize_prints_can_be_compared(run_well, files, stdin, tmp_path):
    stdin("".join(f"{line}\n" for line in LINES))
    (tmp_path / "ours.jsonl").write_text(run_well("tokenize", "--json"))
    command = list(files(LINES, []))
    command[3] = str(tmp_path / "ours.jsonl")
    assert run_well(*command).startswith(f"{len(LINES)} of {len(LINES)}")


def test_one_parts(run, files):
    ids = fast(TINY)([text.lower() for text in LINES]).input_ids
    code, output, errors = run(*files(LINES, ids))
    assert (code, errors) == (1, "")
    assert output.count("\ntext ") == 1
    code, output, _ = run(*files(LINES, ids, "--all"))
    assert (code, output.count("\ntext ") > 1) == (1, True)
    code, output, _ = run(*files(LINES, ids, "--all", "--json"))
    found = json.loads(output)
    assert (code, found["verdict"]) == (1, "part")
    assert len(found["departing"]) == found["texts"] - found["agreeing"]


@pytest.mark.parametrize(
    ("options", "called"),
    [
        (["--no-special-tokens"], {"add_special_tokens": False}),
        (["--truncate"], {"truncation": True}),
        (["--max-length", "7"], {"truncation": True, "max_length": 7}),
        (
            ["--truncation-strategy", "only_second", "--max-length", "90"],
            {"truncation": "only_second", "max_length": 90},
        ),
    ],
)
def test_options(run_well, files, options, called):
    pairs = [(a, b) for a, b in PAIRS if not set("\t\n\r") & set(a + b)]
    first, second = map(list, zip(*pairs, strict=True))
    ids = fast(TINY)(first, second, **called).input_ids
    lines = [f"{a}\t{b}" for a, b in pairs]
    assert run_well(*files(lines, ids, "--pair", *options)).startswith(f"{len(lines)} of")


def test_options_of_the_tokenizer(run_well, files):
    their = fast(TINY)
    their.truncation_side = "left"
    ids = their(LINES, truncation=True, max_length=5).input_ids
    arguments = files(LINES, ids, "--max-length", "5", "--truncation-side", "left")
    assert run_well(*arguments).startswith(f"{len(LINES)} of")
    prefixed = fast(TINY, add_prefix_space=True)(LINES).input_ids
    assert run_well(*files(LINES, prefixed, "--add-prefix-space")).startswith(f"{len(LINES)} of")
    split = [fast(TINY).encode(text, split_special_tokens=True) for text in ["a <mask>", "<s>"]]
    code = run_well(*files(["a <mask>", "<s>"], split, "--split-special-tokens"))
    assert code.startswith("2 of 2")


def test_texts_in_json(run_well, files):
    texts = [*TEXTS, "a\nb\r\nc"]
    ids = fast(TINY)(texts).input_ids
    lines = [json.dumps(text if n % 2 else {"text": text}) for n, text in enumerate(texts)]
    assert run_well(*files(lines, ids, "--jsonl")).startswith(f"{len(texts)} of")
    ids = fast(TINY)(*map(list, zip(*PAIRS, strict=True))).input_ids
    lines = [
        json.dumps([a, b] if n % 2 else {"text": a, "text_pair": b})
        for n, (a, b) in enumerate(PAIRS)
    ]
    assert run_well(*files(lines, ids, "--jsonl")).startswith(f"{len(PAIRS)} of")


def test_texts_of_stdin(run_well, files, stdin):
    stdin("low\nlower\n")
    arguments = files([], fast(TINY)(["low", "lower"]).input_ids)
    assert run_well(*arguments[:-1], "-") == "2 of 2 texts are tokenized the same\n"


@pytest.mark.filterwarnings("default")
def test_lines_that_are_not_utf8(run, files, tmp_path):
    ids = fast(TINY)(["low", "x", "lower"]).input_ids
    arguments = files([], ids)
    (tmp_path / "texts").write_bytes(b"low\ncaf\xe9\nHigh\n")
    code, _, errors = run(*arguments)
    assert code == 2
    assert "line 2 is not UTF-8" in errors
    code, output, errors = run(*arguments, "--errors", "skip", "--json")
    assert code == 1
    assert (json.loads(output)["texts"], json.loads(output)["departing"][0]["number"]) == (2, 3)
    assert "it is left out" in errors


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("content", "rows"), [(b"", []), (b"\xff\n\xfe\n", [[0, 2], [0, 2]])])
def test_nothing_to_compare(run, files, tmp_path, content, rows):
    arguments = files([], rows, "--errors", "skip", "--json")
    (tmp_path / "texts").write_bytes(content)
    code, output, errors = run(*arguments)
    assert (code, json.loads(output)["verdict"]) == (3, "nothing")
    assert "there was no text to compare" in errors


@pytest.mark.parametrize(
    ("texts", "rows", "options", "says"),
    [
        (["a", "b"], [[0, 2]], [], "there are 2 texts, but 1 rows of ids"),
        (["a"], [[0, 9999]], [], "ids.jsonl, line 1 has the id 9999, which is that of no token"),
        (["a"], [["x"]], [], "ids.jsonl, line 1 is ['x'], but must be the list of the ids"),
        (["a"], [[0, 2]], ["--pair"], "line 1 is no pair: put a tab between its two texts"),
        (["a"], [[0, 2]], ["--jsonl"], "line 1 is no JSON"),
        (["[1]"], [[0, 2]], ["--jsonl"], "line 1 has [1]: each line is a text, a list of two"),
        (['"a"', '["a", "b"]'], [[0], [0]], ["--jsonl"], "line 2 of"),
        (["a"], [[0, 2]], ["--max-length", "1"], "max_length=1 has no room for the 2 special"),
        (["a"], [[0, 2]], ["--truncation-side", "left"], "says nothing without --truncate or"),
        (["a"], [[0, 2]], ["--truncation-strategy", "first"], "invalid choice: 'first'"),
    ],
)
def test_bad_use(run, files, texts, rows, options, says):
    code, output, errors = run(*files(texts, rows, *options))
    assert (code, output) == (2, "")
    assert says in errors


def test_other_commands_do_not_load_it(tmp_path):
    from tests.processes import fresh_python

    code = "import sys, minirobert.cli; print(any('numerics' in name for name in sys.modules))"
    assert fresh_python(code).strip() == "False"
