"""The commands of the pipelines: each prints what its pipeline gives, line by line."""

import io
import json
import re
import shlex
import sys

import numpy as np
import pytest

import minirobert
from minirobert import cli
from minirobert.cli import cures
from minirobert.cli.cures import CURES
from minirobert.pipelines import ALIASES, BUNDLED, TASKS
from minirobert.pipelines.inputs import chunks
from tests.pipelines.models import saved_for_each_task, text_of
from tests.test_cli import (
    Pipe,
    assert_sentence,
    json_lines,
    program,
)

SKY = "The sky is <mask>."
LINES = ["A cat", "naïve 日本 and a longer line", "The <mask> sky", ""]

#: The options of a command, those of the pipeline for the same, and lines with their inputs.
CASES = {
    "fill-mask": [
        (["--top-k", "2"], {"top_k": 2}, {SKY: SKY, "<mask> <mask> 日本": "<mask> <mask> 日本"}),
        (["--targets", " blue", "Ġred"], {"targets": [" blue", "Ġred"]}, {SKY: SKY}),
    ],
    "text-classification": [
        ([], {}, {line: line for line in LINES}),
        (["--top-k", "2"], {"top_k": 2}, {"a\tb c": {"text": "a", "text_pair": "b c"}, "a": "a"}),
        (
            ["--top-k", "all", "--function", "none"],
            {"top_k": None, "function_to_apply": "none"},
            {"a": "a"},
        ),
    ],
    "feature-extraction": [
        ([], {}, {line: line for line in LINES}),
        (["--pooling", "mean"], {"pooling": "mean"}, {line: line for line in LINES}),
        (["--pooling", "word"], {"pooling": "word"}, {line: line for line in LINES}),
        (
            ["--pooling", "cls", "--normalize"],
            {"pooling": "cls", "normalize": True},
            {line: line for line in LINES},
        ),
    ],
    "token-classification": [
        (["--ignore-labels"], {"ignore_labels": []}, {line: line for line in LINES}),
        (
            ["--aggregation-strategy", "max", "--stride", "5", "--ignore-labels", "O", "0"],
            {"aggregation_strategy": "max", "stride": 5, "ignore_labels": ["O", "0"]},
            {line: line for line in [*LINES, "a long line " * 100]},
        ),
        (
            ["--words"],
            {"is_split_into_words": True},
            {line: line.split(" ") for line in [*LINES, "two  spaces"]},
        ),
    ],
    "question-answering": [
        (
            [],
            {},
            {
                "who?\tAnna or Bob": {"question": "who?", "context": "Anna or Bob"},
                "a \t日本\tnaïve": {"question": "a ", "context": "日本\tnaïve"},
            },
        ),
        (
            ["--context-text", "Anna or Bob", "--top-k", "3", "--no-align-to-words"],
            {"top_k": 3, "align_to_words": False},
            {line: {"question": line, "context": "Anna or Bob"} for line in ["who?", "日本\t"]},
        ),
        (
            [
                *("--max-seq-len", "20", "--doc-stride", "3", "--max-answer-len", "2"),
                "--handle-impossible-answer",
            ],
            {
                "max_seq_len": 20,
                "doc_stride": 3,
                "max_answer_len": 2,
                "handle_impossible_answer": True,
            },
            {"who?\t" + "a b c " * 50: {"question": "who?", "context": "a b c " * 50}},
        ),
    ],
    "zero-shot-classification": [
        (
            ["--labels", "sport", "art", "日本"],
            {"candidate_labels": ["sport", "art", "日本"]},
            {line: line for line in LINES[:3]},
        ),
        (
            ["--multi-label", "--hypothesis-template", "{}!", "--labels", "a", "b"],
            {"candidate_labels": ["a", "b"], "multi_label": True, "hypothesis_template": "{}!"},
            {line: line for line in LINES[:3]},
        ),
    ],
    "multiple-choice": [
        (
            [],
            {},
            {
                "a\tb\tc d": {"question": "a", "choices": ["b", "c d"]},
                "a \t日本": {"question": "a ", "choices": ["日本"]},
            },
        ),
        (["--top-k", "1"], {"top_k": 1}, {"a\tb\tc": {"question": "a", "choices": ["b", "c"]}}),
    ],
    "text-generation": [
        (
            ["--greedy", "--max-new-tokens", "3"],
            {"do_sample": False, "max_new_tokens": 3},
            {line: line for line in LINES[:3]},
        ),
        (
            ["--seed", "1", "--min-p", "0.9", "--stop-strings", "a", "e", "--max-new-tokens", "5"],
            {"rng": 1, "min_p": 0.9, "stop_strings": ["a", "e"], "max_new_tokens": 5},
            {LINES[0]: LINES[0]},
        ),
    ],
    "score": [([], {}, {line: line for line in LINES[:2]})],
}
ALL_CASES = [(task, *case) for task in CASES for case in CASES[task]]


LONG = "the sky " * 300


#: What provokes the sentence of each cure of a command, in their order: the arguments, and a model.
SENTENCES = [
    (["fill-mask", SKY], "text-classification"),
    (["fill-mask", SKY], ".."),
    (["multiple-choice", f"a\t{LONG}", "--truncate"], "multiple-choice"),
    (["tokenize", LONG], "text-classification"),
    (["text-classification", "a", "--top-k", "0"], "text-classification"),
    (["multiple-choice", "a\tb", "--top-k", "0"], "multiple-choice"),
]


@pytest.mark.parametrize(("cure", "provoked"), list(zip(CURES, SENTENCES, strict=True)))
def test_a_cure_is_one_that_the_command_has(run, directories, monkeypatch, cure, provoked):
    """Each takes the place of what the library says itself."""
    (of_caller, of_command), (command, model) = cure, provoked
    path = directories["fill-mask"].parent if model == ".." else directories[model]
    _, _, told = run(*command, "--model", str(path))
    monkeypatch.setattr(cures, "CURES", ())
    _, _, said = run(*command, "--model", str(path))
    assert re.search(of_caller, said), said
    assert told == re.sub(of_caller, of_command, said)
    words = ("strict=", "subfolder=", "truncation=", "None")
    assert not any(word in told for word in words), told


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    return saved_for_each_task(tmp_path_factory.mktemp)


CONTEXT = "Anna lives in\r\n東京.\n" * 40


@pytest.fixture
def context_file(tmp_path):
    file = tmp_path / "the context.txt"
    file.write_bytes(CONTEXT.encode())
    return file


def test_every_task_has_a_command():
    assert set(CASES) == set(TASKS) == {task.task for task in cli.tasks.TASK_COMMANDS}


@pytest.mark.parametrize(("alias", "task"), ALIASES.items())
def test_other_names_of_tasks_are_commands(run_well, directories, alias, task):
    rest = ["Anna", "--json", "--model", str(directories[task])]
    assert run_well(alias, *rest) == run_well(task, *rest)
    assert run_well(alias, "--help") == run_well(task, "--help")
    assert f"{task} ({alias})" in run_well("--help")


@pytest.mark.parametrize("batch_size", [1, 3])
@pytest.mark.parametrize(("task", "options", "keywords", "inputs"), ALL_CASES)
def test_json_is_what_the_pipeline_gives(
    run_well, stdin, directories, task, options, keywords, inputs, batch_size
):
    pipe = minirobert.pipeline(task, directories[task], batch_size=batch_size, **keywords)
    batches = chunks(inputs.values(), batch_size)  # a command does not wait for more lines
    expected = [answer for batch in batches for answer in pipe(iter(batch))]
    command = [task, "--json", "--model", str(directories[task]), "--batch-size", str(batch_size)]
    if all(inputs):  # an empty line is a text; as an argument it is one too, but no tab is in it
        assert json_lines(run_well(command[0], *inputs, *command[1:], *options)) == expected
    stdin("".join(line + "\n" for line in inputs))
    assert json_lines(run_well(*command, *options)) == expected


@pytest.mark.parametrize(
    ("task", "options", "keywords", "inputs"),
    [case for case in ALL_CASES if case[0] not in ("text-generation", "score")],  # shown otherwise
)
def test_text_for_people(run_well, directories, task, options, keywords, inputs):
    line = next(iter(inputs))
    output = run_well(task, line, "--model", str(directories[task]), *options)
    heading, *rest = output.splitlines()
    assert heading == line.partition("\t")[0] or task != "multiple-choice"
    numbers = [float(re.match(r"  +(-?\d\.\d{4})( |$)", row)[1]) for row in rest]
    pipe = minirobert.pipeline(task, directories[task], **keywords)
    (found,) = pipe(iter([inputs[line]]))
    if task == "feature-extraction":
        vectors = np.array(found).reshape(-1, np.shape(found)[-1])
        expected = vectors[:, 0]
    elif task == "zero-shot-classification":
        expected = found["scores"]
        assert [row.split(maxsplit=1)[1] for row in rest] == found["labels"]
    else:
        expected = [one["score"] for one in (found if isinstance(found, list) else [found])]
    np.testing.assert_allclose(numbers, expected, rtol=0, atol=0.51e-4)


@pytest.mark.parametrize("command", sorted(set(TASKS) - set(BUNDLED)))
def test_examples_work(run, run_well, stdin, directories, context_file, command):
    examples = re.findall(r"^  minirobert (.*)$", run(command, "--help")[1], re.MULTILINE)
    assert len(examples) >= 2
    for example in examples:
        stdin("a\tb\n")
        words = example.removesuffix(" < lines.txt").replace("$'", "'").replace("\\t", "\t")
        words = words.replace("DIR", shlex.quote(str(directories[command])))
        words = words.replace("FILE", shlex.quote(str(context_file)))
        assert run_well(*shlex.split(words))


def test_likelihoods_for_people(run_well):
    (found,) = json_lines(run_well("score", "The sky", "--json"))
    one, other = (token["log_probability"] for token in found["tokens"])
    assert run_well("score", "The sky").splitlines() == [
        "The sky",
        f"  {found['score']:.4f}  perplexity {found['perplexity']:.4f}, 2 tokens",
        f"  {one:9.4f}  'The'",
        f"  {other:9.4f}  ' sky'",
    ]


# Streams


def test_a_batch_is_answered_before_the_next_line_is_read(monkeypatch):
    pipe, answers = Pipe(), []

    class Lines(io.StringIO):
        def __iter__(self):
            for _ in range(5):
                answers.append(pipe.received.count(b"\n"))
                yield SKY + "\n"

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe), "utf-8"))
    monkeypatch.setattr(sys, "stdin", Lines())
    assert cli.main(["fill-mask", "--json", "--batch-size", "2"]) == 0
    assert answers == [0, 0, 2, 2, 4]
    assert pipe.received.count(b"\n") == 5


@pytest.mark.parametrize("batch_size", ["1", "2", "9"])
def test_lines_before_a_wrong_one_are_answered(run, stdin, batch_size):
    stdin(f"{SKY}\n{SKY}\n{SKY}\nno mask\n{SKY}\n")
    code, output, errors = run("fill-mask", "--json", "--batch-size", batch_size)
    assert code == 2
    assert len(json_lines(output)) == 3
    assert errors.startswith("minirobert: line 4 of stdin: the text has no <mask>")
    assert errors.count("\n") == 1


def test_lines_before_one_that_cannot_be_read_are_answered(run, monkeypatch):
    class Lines(io.StringIO):
        def __iter__(self):
            yield SKY + "\n"
            yield from [b"caf\xe9".decode()]

    monkeypatch.setattr(sys, "stdin", Lines())
    code, output, errors = run("fill-mask", "--json", "--batch-size", "4")
    assert code == 2
    assert len(json_lines(output)) == 1
    assert errors.startswith("minirobert: stdin is not UTF-8")


def test_wrong_line_of_choices(run, stdin, directories):
    stdin("a\tb\nno choice\n")
    model = str(directories["multiple-choice"])
    code, output, errors = run("multiple-choice", "--json", "--model", model, "--batch-size", "2")
    assert code == 2
    assert len(json_lines(output)) == 1
    assert errors.startswith("minirobert: line 2 of stdin: there are no choices in 'no choice'")


# Questions


@pytest.mark.parametrize("batch_size", [1, 3])
def test_questions_about_a_file(run_well, stdin, directories, context_file, batch_size):
    questions = ["Where does Anna live?", "who?"]
    model = directories["question-answering"]
    pipe = minirobert.pipeline("question-answering", model, batch_size=batch_size)
    expected = pipe(question=questions, context=CONTEXT)
    options = ["--json", "--model", str(model), "--context", str(context_file)]
    options += ["--batch-size", str(batch_size)]
    assert json_lines(run_well("question-answering", *questions, *options)) == expected
    stdin("".join(question + "\n" for question in questions))
    assert json_lines(run_well("question-answering", *options)) == expected


def test_answers_for_people(run_well, directories):
    model = str(directories["question-answering"])
    arguments = ["question-answering", "who?\tAnna or Bob", "--model", model]
    (answer,) = json_lines(run_well(*arguments, "--json"))
    heading, row = run_well(*arguments).splitlines()
    assert heading == "who?"
    assert row.split(maxsplit=2)[1:] == [
        f"{answer['start']}-{answer['end']}",
        repr(answer["answer"]),
    ]


def test_entities_for_people(run_well, directories):
    model = str(directories["token-classification"])
    options = ["--model", model, "--aggregation-strategy", "simple"]
    heading, *rows = run_well("token-classification", "Anna lives", *options).splitlines()
    assert heading == "Anna lives"
    assert len(rows) == 1
    assert rows[0].split(maxsplit=1)[1] in (
        "LABEL_0  0-10  'Anna lives'",
        "LABEL_1  0-10  'Anna lives'",
    )


def test_question_without_a_context(run, stdin, directories):
    model = ["--model", str(directories["question-answering"])]
    stdin("a\tb\nno context\n")
    code, output, errors = run("question-answering", "--json", *model)
    assert code == 2
    assert len(json_lines(output)) == 1
    assert errors.startswith("minirobert: line 2 of stdin: there is no context in 'no context'")


def test_wrong_file_of_a_context(run, directories, tmp_path):
    model = ["--model", str(directories["question-answering"])]
    file = tmp_path / "latin.txt"
    assert_sentence(run("question-answering", "a", *model, "--context", str(file)), "latin.txt")
    file.write_bytes(b"caf\xe9")
    assert_sentence(run("question-answering", "a", *model, "--context", str(file)), "not UTF-8")
    file.write_bytes(b"")
    assert_sentence(run("question-answering", "a", *model, "--context", str(file)), "is empty")
    for wrong in tmp_path, tmp_path / "nothing":
        result = run("question-answering", "a", *model, "--context", str(wrong))
        assert_sentence(result, repr(str(wrong)), "cannot be read", "give --context")


def test_long_text_warns_that_only_its_beginning_is_labelled(run, directories):
    model = str(directories["token-classification"])
    code, output, errors = run("token-classification", text_of(200), "--json", "--model", model)
    assert code == 0
    assert json_lines(output)
    assert errors.startswith("minirobert: warning: the text has more than the 128 tokens")


# Options of all

#: The others cut texts, or read them in windows, without being told to.
CAN_TRUNCATE = [
    *("feature-extraction", "fill-mask", "multiple-choice", "score", "text-classification"),
]


@pytest.mark.parametrize("task", CAN_TRUNCATE)
def test_truncate(run, directories, task):
    line = {"fill-mask": "<mask> "}.get(task, "") + text_of(200)
    line += "\ta\tb" if task == "multiple-choice" else ""
    command = [task, line, "--json", "--model", str(directories[task])]
    assert_sentence(run(*command), "takes at most 128: shorten it, or give --truncate\n")
    code, output, errors = run(*command, "--truncate")
    assert (code, errors) == (0, "")
    assert json_lines(output)


def test_truncate_shortens_the_question_and_no_choice(run_well, directories):
    line = text_of(200) + "\tsky sky sky\tsky"
    model = directories["multiple-choice"]
    options = {"truncation": "only_first", "max_length": 128}
    pipe = minirobert.pipeline("multiple-choice", model, tokenizer_kwargs=options)
    expected = pipe({"question": text_of(200), "choices": ["sky sky sky", "sky"]})
    output = run_well("multiple-choice", line, "--json", "--truncate", "--model", str(model))
    assert json_lines(output) == [expected]


@pytest.mark.parametrize("device", ["cpu", "-1"])
@pytest.mark.parametrize("dtype", ["float16", "float64", "auto"])
def test_device_and_dtype(run_well, device, dtype):
    (found,) = json_lines(
        run_well("fill-mask", SKY, "--json", "--device", device, "--dtype", dtype)
    )
    assert found == minirobert.pipeline("fill-mask", dtype=dtype)(SKY)


@pytest.mark.parametrize("device", ["tpu", "4096"])
def test_unknown_device(run, device):
    assert_sentence(run("fill-mask", SKY, "--device", device), device)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["text-classification", "a"], "required: --model"),
        (["multiple-choice", "a\tb"], "required: --model"),
        (["token-classification", "a"], "required: --model"),
        (["token-classification", "a", "--aggregation-strategy", "foo"], "'foo'"),
        (["question-answering", "a", "--context", "b", "--context-text", "c"], "not allowed with"),
        (["zero-shot-classification", "a", "--model", "b"], "required: --labels"),
        (["text-classification", "a", "--model", "b", "--top-k", "most"], "'most'"),
        (["text-classification", "a", "--model", "b", "--function", "foo"], "'foo'"),
        (["feature-extraction", "a", "--pooling", "max"], "'max'"),
        (["fill-mask", SKY, "--dtype", "int8"], "'int8'"),
    ],
)
def test_errors_of_usage(run, arguments, words):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert words in errors.splitlines()[-1]


def test_errors_are_a_sentence(run, directories):
    assert_sentence(run("fill-mask", SKY, "--batch-size", "0"), "batch_size is 0")
    model = str(directories["feature-extraction"])
    code, output, errors = run("text-classification", "a", "--model", model)
    assert (code, output) == (2, "")
    assert "missing: classifier" in errors


def test_program():
    result = program("feature-extraction", "--pooling", "mean", "--json", input="日本\n".encode())
    assert (result.returncode, result.stderr) == (0, b"")
    assert len(json.loads(result.stdout)) == 256
