"""What the README shows is what happens."""

import re
import shlex
from contextlib import nullcontext
from pathlib import Path

import pytest

from minirobert.cli import main
from tests.test_pages import without_numbers

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_first_command_prints_what_is_shown(capsys):
    first = blocks("sh")[0]
    text = re.search(r'minirobert fill-mask "(.*)"', first).group(1)
    assert main(["fill-mask", text]) == 0
    assert capsys.readouterr().out == blocks("text")[0]


def test_the_command_that_compares_prints_what_is_shown(capsys):
    (command,) = (one for one in blocks("sh") if one.startswith("minirobert compare"))
    assert main(shlex.split(command)[1:]) == 0
    assert without_numbers(capsys.readouterr().out) == without_numbers(blocks("text")[1])


def test_the_python_examples_give_what_their_comments_say(tmp_path, monkeypatch, capsys):
    (tmp_path / "corpus.txt").write_text(README, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    names, n_shown = {}, 0
    for code in blocks("python"):
        new_head = "num_labels" in code
        with pytest.warns(match="no weights for classifier") if new_head else nullcontext():
            exec(compile(code, "README.md", "exec"), names)
        shown = re.findall(r"^(\S.*?) +# (\([\d, ]+\))$", code, re.MULTILINE)
        n_shown += len(shown)
        for expression, value in shown:
            assert str(eval(expression, names)) == value
    assert n_shown == 7
    best = names["fill"]("Do you <mask> how to swim?", top_k=2)[0]
    assert best["token_str"] == " know"
    assert f"{best['score']:.3f}…" in README
    assert "merge" in capsys.readouterr().out
    first = names["result"].first
    for said in (first.name.removeprefix("roberta.encoder."), first.explanations[0].text):
        assert f"# {said}\n" in README
    assert (tmp_path / "my-tokenizer" / "tokenizer.json").is_file()


def test_every_file_that_it_names_is_there():
    root = Path(__file__).parents[1]
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        if not target.startswith("http"):
            assert (root / target).exists(), target
