"""The command line as a program: whatever it is given, and however it is stopped.

Each run ends in time, with the exit code 0, 2 or 130, at most a few short lines on stderr and no
traceback; what is on stdout is UTF-8, and each of its lines is JSON where that was asked for.
"""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import minirobert
from minirobert import TINY, cli, interrupts
from minirobert.cli import common
from minirobert.pipelines import TASKS
from tests.pipelines.models import saved_for_each_task

SKY = "The sky is <mask>."
LONGEST_LINE = 500  # of stderr
MOST_LINES = 6
IN_TIME = 60  # seconds, on a machine that has other things to do


@pytest.fixture(scope="module")
def directories(tmp_path_factory):
    return {task: str(path) for task, path in saved_for_each_task(tmp_path_factory.mktemp).items()}


def program(arguments, data=b"", streams="", environment=None, **options):
    """Run the program in a shell, which can close its streams."""
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -m minirobert "$@" {streams}', sys.executable, *arguments],
        input=data,
        capture_output=True,
        timeout=IN_TIME,
        check=False,
        env={**BUFFERED, **(environment or {})},
        **options,
    )


#: As most users have it: what is printed is written when it is a lot, or at its end.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def strict_json(line):
    def no_constant(name):
        raise ValueError(f"{name} is no JSON")

    return json.loads(line, parse_constant=no_constant)


def assert_well_behaved(result, arguments=(), codes=(0, 2)):
    errors = result.stderr.decode("utf-8")
    assert result.returncode in codes, errors
    assert "Traceback" not in errors
    lines = errors.splitlines()
    assert len(lines) <= MOST_LINES, errors
    assert all(len(line) <= LONGEST_LINE for line in lines)
    assert all(line.startswith(("minirobert", "usage: ")) for line in lines), errors
    output = result.stdout.decode("utf-8")
    if "--json" in arguments and "--help" not in arguments:
        assert output == "" or output.endswith("\n")
        for line in output.split("\n")[:-1]:
            strict_json(line)


# A fuzzer of commands, options, stdin and streams

LINES = [
    *(
        b"The <mask> is blue.",
        b"",
        b" ",
        b"\0<mask>\0",
        b"caf\xe9 <mask>",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(b"\xef\xbb\xbf<mask>", b"a\rb", "a\u2028b <mask> \x85".encode(), b"q\tcontext\tc", b"\t\t"),
    *("日本 <mask> 👍🏽".encode(), b"<mask>" * 400, b"no mask", b"x" * 3000, b"a b " * 2000, b"."),
    *(b"</s><s><pad>", b"\x1b[31m", b"{}", b"\xf4\x90\x80\x80"),
]
ENDS = [b"\n", b"\n", b"\n", b"\r\n", b"\r", b"\n\n"]
STREAMS = [
    *("", "", "", "", ">&-", "<&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full"),
    *("2>/dev/full", ">/dev/full 2>/dev/full", "</dev/null", "0>/dev/null", "</dev/zero"),
]
ENVIRONMENTS = [
    *({}, {}, {"LC_ALL": "C"}, {"PYTHONIOENCODING": "ascii"}, {"PYTHONUNBUFFERED": "1"}),
    *(
        {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "latin-1:strict"},
    ),
    {"PYTHONWARNINGS": "error::UserWarning"},
]
OPTIONS = {
    **{
        name: [["--json"], ["--errors", "skip"], ["--errors=replace"], ["--skip-errors", "OUT"]]
        for name in TASKS
    },
    "tokenize": [["--json"], ["--errors", "skip"], ["--errors=replace"]],
    "inspect": [["--json"]],
    "train-tokenizer": [["--json"], ["--errors", "skip"], ["--errors=replace"], ["--quiet"]],
    "compare-tokens": [["--json"], ["--errors", "skip"], ["--errors=replace"], ["--all"]],
    "trace": [["--json"], ["--overwrite"], ["--keep", "*.sum"], ["--pair"], ["--no-weights"]],
    "compare": [["--json"], ["--all"], ["--require", "embeddings"], ["--no-explain"]],
}
#: Lines of what a port gives for texts.
ROWS = [
    *(b"[0, 300, 2]\n", b"[0, 2]\n", b'{"input_ids": [0, 43, 2]}\n', b"[]\n", b"\n", b"{}\n"),
    *(b"[-1]\n", b"[1e9]\n", b"[99999]\n", b"\xff\n", b"[[0]]\n", b"[" * 5000 + b"\n", b"null\n"),
    *(
        b"[" + b"9" * 5000 + b"]\n",
        b'{"ids": [5], "text": "low low"}\n',
        b'{"ids": [1], "offsets": 1}',
    ),
]
OF_TASKS = [
    *(["--batch-size", size] for size in ("0", "2", "9", "9" * 30)),
    *(["--top-k", k] for k in ("1", "0", "-1", "9" * 5000, "many")),
    *(
        ["--truncate"],
        ["--dtype", "float16"],
        ["--dtype", "x" * 5000],
        ["--help"],
        ["--frob" * 999],
    ),
    *(["--model", name] for name in ("", ".", "/dev/zero", "/dev/null", "FIFO", "FILE", "\udcff")),
    *(["--out", name] for name in ("a.csv", "a.jsonl", "a.npy", "a.parquet", "FILE", "no/a.csv")),
]


FILES = ("", ".", "/dev/zero", "/dev/null", "FIFO", "FILE", "\udcff")


def drawn_arguments(draw, directories, tmp_path):
    command = draw.choice(list(OPTIONS))
    arguments = [command]
    if command in directories:
        arguments += ["--model", directories[command]]
        arguments += draw.choice(OF_TASKS) if draw.random() < 0.4 else []
    if command == "zero-shot-classification":
        arguments += ["--labels", "sport", "art"]
    if command == "text-generation":
        arguments += ["--max-new-tokens", "3"]
    if command == "tokenize" and draw.random() < 0.3:
        arguments += ["--explain"]
    if command == "question-answering" and draw.random() < 0.5:
        arguments += draw.choice([["--context-text", "a b"], ["--context", "FILE"]])
    if command == "inspect":
        arguments += draw.choice([[], ["FILE"], [""], ["/dev/zero"], ["FIFO"], ["."], [str(TINY)]])
    if command == "train-tokenizer":
        out = draw.choice(["OUT", "OUT", "", "FILE", "/proc/self/x", "/dev/full", "o" * 300])
        arguments += [draw.choice(["FILE", "FILE", "/dev/zero", ".", ""]), "--out", out]
        arguments += ["--vocab-size", draw.choice(["270", "0", "9" * 40])]
    if command == "compare-tokens":
        model = draw.choice(["bundled", "bundled", str(TINY), "", ".", "/dev/zero"])
        port = draw.choice(["IDS", "IDS", "IDS", "FILE", "/dev/zero", ".", "", "nowhere"])
        file = draw.choice(["FILE", "FILE", "-", "/dev/zero", ".", "", "o" * 300])
        arguments += [model, "--port", port, file]
        arguments += draw.choice([[], ["--pair"], ["--jsonl"], ["--max-length", "3"]])
    if command in ("trace", "compare"):
        arguments += [directories["fill-mask"]]
        ways = [["--dtype", "float16"], ["--device", "cuda:7"], []]
        ways += [[way, file] for way in ("--port", "--onnx", "--inputs") for file in FILES]
        arguments += draw.choice(ways[:2] if command == "trace" else ways)
    if command == "trace":
        arguments += ["--out", draw.choice(["OUT", "OUT", "", "FIFO", ".", "o" * 300])]
    for option in OPTIONS[command]:
        arguments += option if draw.random() < 0.4 else []
    names = {name: str(tmp_path / name) for name in ("FIFO", "FILE", "IDS", "OUT")}
    return [names.get(word, word) for word in arguments]


def drawn_lines(draw):
    lines = [draw.choice(LINES) for _ in range(draw.randrange(6))]
    data = b"".join(line + draw.choice(ENDS) for line in lines)
    return data if draw.random() < 0.7 else data + draw.choice(LINES)


def test_whatever_it_is_given(draw, times, directories, tmp_path):
    os.mkfifo(tmp_path / "FIFO")
    (tmp_path / "FILE").write_bytes(
        b"low lower\ncaf\xe9\n" if draw.random() < 0.5 else b"low low\n"
    )
    (tmp_path / "IDS").write_bytes(b"".join(draw.choices(ROWS, k=draw.choice([1, 2, 2, 2, 3]))))
    for _ in range(6 * times):
        arguments = drawn_arguments(draw, directories, tmp_path)
        streams, environment = draw.choice(STREAMS), draw.choice(ENVIRONMENTS)
        try:
            result = program(arguments, drawn_lines(draw), streams, environment, cwd=tmp_path)
            codes = (0, 1, 2, 3) if arguments[0].startswith("compare") else (0, 2)
            assert_well_behaved(result, arguments, codes)
        except (AssertionError, subprocess.TimeoutExpired) as error:
            error.add_note(f"{arguments} {streams} {environment}")
            raise


# Which answers come, and what stands for the others


def answers_of(run, stdin, lines, *arguments):
    """Run a command on lines, giving the exit code, its answers, and what it says."""
    stdin(lines)
    code, output, errors = run(*arguments)
    return code, [strict_json(line) for line in output.splitlines()], errors


def drawn_numbered_lines(draw):
    """Draw lines that are right, no UTF-8, or no question of the task."""
    kinds = draw.choices(["right", "no UTF-8", "no mask"], [6, 1, 1], k=draw.randrange(1, 40))
    texts = {"right": b"The %d is <mask>.", "no UTF-8": b"%d <mask> \xe9\xff", "no mask": b"%d"}
    return kinds, [texts[kind] % number for number, kind in enumerate(kinds)]


@pytest.mark.filterwarnings("default")
def test_no_answer_is_lost(draw, times, run, stdin):
    fill = minirobert.pipeline("fill-mask", top_k=1)
    for policy in ["strict", "skip", "skip", "replace"] * times:
        kinds, lines = drawn_numbered_lines(draw)
        batch_size = draw.choice([1, 5, 40])
        wrong = {"strict": {"no UTF-8", "no mask"}, "replace": {"no mask"}}.get(policy, set())
        first = next((i for i, kind in enumerate(kinds) if kind in wrong), None)
        is_left_out = {"no UTF-8", "no mask"} if policy == "skip" else {}
        expected = [
            None if kind in is_left_out else fill(line.decode("utf-8", "replace"))
            for kind, line in zip(kinds[:first], lines[:first], strict=True)
        ]
        arguments = ["fill-mask", "--json", "--top-k=1", f"--batch-size={batch_size}"]
        data = b"\n".join(lines) + b"\n"
        code, found, said = answers_of(run, stdin, data, *arguments, "--errors", policy)
        assert code == (0 if first is None else 2)
        assert [one and one[0]["sequence"] for one in found] == [
            one and one[0]["sequence"] for one in expected
        ]
        if first is not None:
            assert f"minirobert: line {first + 1} of stdin" in said.splitlines()[-1]
        mended = {"no UTF-8": policy != "strict", "no mask": policy == "skip", "right": False}
        seen = [kind for kind in kinds[:first] if mended[kind]]
        if seen or first is None:  # one of the same batch may be told, too
            assert ("warning: line" in said) == bool(seen)
        if first is None and len(seen) > 1:
            assert f"warning: {len(seen)} lines of stdin are " in said


def test_strict_names_the_line_and_the_way_out(run, stdin):
    lines = b"a\n" * 499 + b"caf\xe9\n" + b"b\n"
    code, found, said = answers_of(run, stdin, lines, "tokenize", "--json")
    assert (code, len(found)) == (2, 499)
    assert said == (
        "minirobert: line 500 of stdin is not UTF-8: it has the byte 0xe9 at position 3; convert "
        "it, for instance with iconv, or give --errors replace or --errors skip\n"
    )


@pytest.mark.filterwarnings("default")
def test_lines_that_are_left_out_are_named(run, stdin):
    lines = b"a\n" + b"\xff\n" * 1000
    code, found, said = answers_of(run, stdin, lines, "tokenize", "--json", "--errors", "skip")
    assert code == 0
    assert found[1:] == [None] * 1000
    first, last = said.splitlines()
    assert first.startswith("minirobert: warning: line 2 of stdin is not UTF-8: it has the byte")
    assert last == (
        "minirobert: warning: 1,000 lines of stdin are left out (null in the JSON): 2, 3, 4, 5, 6 "
        "… and 995 more"
    )
    stdin(lines)
    _, output, _ = run("tokenize", "--errors", "skip")
    assert len(output.splitlines()) == 4  # a heading, and the three tokens of the first line


def test_an_error_of_the_options_is_that_of_no_line(run, stdin):
    stdin(f"{SKY}\n" * 3)
    code, output, said = run("fill-mask", "--top-k", "0", "--errors", "skip")
    assert (code, output) == (2, "")
    assert said.startswith("minirobert: top_k is 0")


@pytest.mark.filterwarnings("default")
def test_texts_of_the_command_line(run):
    code, output, said = run("fill-mask", "--json", SKY, "no mask", "--errors", "skip")
    assert code == 0
    assert output.splitlines()[1] == "null"
    assert said.startswith("minirobert: warning: text 2: the text has no <mask>")
    code, output, said = run("tokenize", "--json", "caf\udce9", "--errors", "replace")
    assert (code, json.loads(output)["offsets"][-2]) == (0, [3, 4])
    assert said.startswith("minirobert: warning: text 1 is not UTF-8: it has the byte 0xe9")


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("policy", ["strict", "replace", "skip"])
def test_training_on_lines_that_are_not_utf8(run, tmp_path, policy):
    file, out = tmp_path / "corpus.txt", tmp_path / "out"
    file.write_bytes(b"low low\n" + b"low\xff\n" * 9 + b"low low\n")
    arguments = ["train-tokenizer", str(file), "--vocab-size", "300", "--out", str(out)]
    code, _, said = run(*arguments, "--errors", policy)
    assert said.startswith(f"minirobert: {'' if policy == 'strict' else 'warning: '}{file}, line 2")
    assert (code, out.exists()) == ((2, False) if policy == "strict" else (0, True))
    if code == 0:
        assert f"9 lines of {file} are " in said
        with_mark = "ï¿½" in (out / "vocab.json").read_text(encoding="utf-8")
        assert with_mark == (policy == "replace")


# Numbers that JSON has not


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("task", ["fill-mask", "feature-extraction", "text-classification"])
def test_nan_is_null(run, directories, tmp_path, task):
    model = shutil.copytree(directories[task], tmp_path / "model")
    tensors = load_file(model / "model.safetensors")
    (name,) = (name for name in tensors if name.endswith("layer.1.output.dense.bias"))
    tensors[name].fill(np.finfo("float32").max)  # finite, but not what it is added up to
    save_file(tensors, model / "model.safetensors")
    code, output, said = run(task, SKY, SKY, "--json", "--model", str(model))
    assert code == 0
    assert len(output.splitlines()) == 2
    assert all("null" in line and strict_json(line) for line in output.splitlines())
    assert said.count("null stands in the JSON") == 1


def test_all_else_of_json_stays(capsys):
    value = {"a": [1.5, (True, None, "NaN")], "b": {"c": -1e300}}
    with pytest.warns(UserWarning, match="null stands"):
        common.print_json([value, float("nan"), -float("inf")])
    assert capsys.readouterr().out == json.dumps([value, None, None]) + "\n"


# Told to stop

#: Works until it is stopped.
BUSY = [
    *(["fill-mask", "--json"], ["tokenize", "--json"], ["feature-extraction", "--json"]),
    *(["text-generation"], ["train-tokenizer"], ["fill-mask", "--batch-size", "8"]),
]


def hear_control_c():
    """Undo what a shell does to what runs in the background, and so to this test: ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Stopped:
    """The program, stopped by signals, and what it left."""

    def __init__(self, arguments, tmp_path):
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minirobert", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=BUFFERED,
            cwd=tmp_path,
            preexec_fn=hear_control_c,
        )
        self.output, self.errors = io.BytesIO(), io.BytesIO()
        streams = {self.output: self.process.stdout, self.errors: self.process.stderr}
        self.threads = [
            threading.Thread(target=self._read, args=one, daemon=True) for one in streams.items()
        ]
        for thread in (threading.Thread(target=self._write, daemon=True), *self.threads):
            thread.start()

    def _write(self):
        with suppress(OSError):
            while True:
                self.process.stdin.write(SKY.encode() + b"\n")

    def _read(self, found, stream):
        for part in iter(lambda: os.read(stream.fileno(), 1 << 16), b""):
            found.write(part)

    def stop(self, number, times, pause):
        for _ in range(times):
            self.process.send_signal(number)
            time.sleep(pause)
        try:
            self.returncode = self.process.wait(20)
        finally:
            self.process.kill()
        for thread in self.threads:
            thread.join(20)
        self.stdout, self.stderr = self.output.getvalue(), self.errors.getvalue()


def busy_arguments(draw, directories, tmp_path):
    arguments = draw.choice(BUSY)
    if arguments[0] in directories:
        return [*arguments, "--model", directories[arguments[0]]]
    if arguments[0] == "train-tokenizer":
        words = ("".join(draw.choices("abcdefghij", k=5)) for _ in range(50_000))
        (tmp_path / "corpus.txt").write_text(" ".join(words))
        return [*arguments, "corpus.txt", "--vocab-size", "5000", "--out", "out"]
    return arguments


@pytest.mark.parametrize("latest", [0.6, 4], ids=["start", "work"])
def test_control_c(draw, times, directories, tmp_path, latest):
    for _ in range(2 * times):
        arguments = busy_arguments(draw, directories, tmp_path)
        stopped = Stopped(arguments, tmp_path)
        delay = draw.uniform(0.02, latest)
        time.sleep(delay)
        stopped.stop(signal.SIGINT, draw.choice([1, 2, 3]), draw.choice([0, 0.001, 0.05]))
        if is_of_python(stopped):
            continue
        assert stopped.stderr == b"", (arguments, delay)
        assert_well_behaved(stopped, arguments, codes=(130,))
        left = {path.name for path in tmp_path.iterdir()} - {"corpus.txt"}
        assert left <= {"out"}
        assert not left or len(list((tmp_path / "out").iterdir())) >= 4


def is_of_python(stopped):
    """Tell whether Python was starting or ending, without a line of the package to run."""
    first_import = f'{minirobert.__file__}", line 3'
    errors = stopped.stderr.decode()
    of_package = os.path.dirname(minirobert.__file__) in errors and first_import not in errors
    return stopped.returncode in (1, -signal.SIGINT) and not of_package


def test_a_reader_that_does_not_read(tmp_path):
    """What is printed waits for it, but Control-C does not."""
    command = [sys.executable, "-m", "minirobert", "tokenize", "--json", "word " * 20_000]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, preexec_fn=hear_control_c) as process:
        assert os.read(process.stdout.fileno(), 1) == b"{"
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
        assert b"Traceback" not in process.stderr.read()


def test_what_is_printed_is_whole():
    """A line that is being printed comes to its end, if there is a reader."""
    command = [sys.executable, "-m", "minirobert", "tokenize", "--json", "word " * 20_000]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, **pipes, preexec_fn=hear_control_c) as process:
        start = os.read(process.stdout.fileno(), 100)
        process.send_signal(signal.SIGINT)
        strict_json(start + process.stdout.read())
        assert process.wait(10) == 130


def test_other_signals(draw, tmp_path):
    stopped = Stopped(["fill-mask", "--json"], tmp_path)
    while not stopped.output.tell():
        time.sleep(0.01)
    number = draw.choice([signal.SIGTERM, signal.SIGHUP])
    stopped.stop(number, 2, 0.01)
    assert (stopped.returncode, stopped.stderr) == (-number, b"")


def test_a_signal_that_the_caller_ignores(tmp_path):
    """As a shell does for what runs in the background, and nohup."""
    command = f'trap "" INT; exec {sys.executable} -m minirobert tokenize --json'
    with subprocess.Popen(
        ["sh", "-c", command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdin.write(b"a\n")
        process.stdin.flush()
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin.write(b"b\n")
        process.stdin.close()
        assert process.stdout.readline()
        assert process.wait(20) == 0


def test_programs_that_import_the_package_keep_their_handlers():
    code = (
        "import signal, minirobert.cli; "
        "print(minirobert.cli.main(['tokenize', 'a', '--json']), "
        "signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "minirobert"], capture_output=True, preexec_fn=hear_control_c
    )
    assert done.stdout.splitlines()[-1] == b"0 True"


@pytest.mark.parametrize(
    ("argv", "orig_argv", "expected"),
    [
        (["-m", "x"], ["python", "-m", "minirobert", "x"], True),
        (["-m"], ["python", "-Xdev", "-mminirobert"], True),
        (["/usr/bin/minirobert", "-m"], ["python", "/usr/bin/minirobert", "-m"], True),
        (["C:\\Scripts\\minirobert.exe".replace("\\", os.sep)], ["python"], True),
        (["-m", "minirobert"], ["python", "-m", "mytool", "minirobert"], False),
        (["-m"], ["python", "-m", "pytest"], False),
        (["minirobert.py"], ["python", "minirobert.py"], False),
        (["-c", "minirobert"], ["python", "-c", "…", "minirobert"], False),
        ([], ["python"], False),
    ],
)
def test_which_process_is_the_program(monkeypatch, argv, orig_argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    assert interrupts._is_program() is expected


# Long input


@pytest.mark.parametrize(
    ("command", "unit"),
    [
        *(("fill-mask", "a"), ("tokenize", "the sky "), ("token-classification", "日")),
        *(("multiple-choice", "the sky "), ("text-generation", "."), ("question-answering", "\t")),
    ],
)
def test_long_lines_take_time_by_their_length(run, stdin, directories, command, unit):
    model = ["--model", directories[command]] if command in directories else []
    run(command, *model)  # imports what it needs
    times = []
    for length in (10_000, 160_000):
        stdin(unit * (length // len(unit)))
        start = time.process_time()
        run(command, *model)
        times.append(time.process_time() - start)
    assert times[1] < 16 * 3 * (times[0] + 0.05)


def test_a_line_without_end(draw):
    result = program(
        ["tokenize", "--errors", draw.choice(["strict", "skip"])], streams="</dev/zero"
    )
    assert_well_behaved(result, codes=(2,))
    assert b"line 1 of stdin has more than 50,000,000 bytes" in result.stderr


# Errors of the system and of Python


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "not enough memory: give less at once"),
        (MemoryError("Unable to allocate 8 GiB"), "not enough memory: Unable to allocate 8 GiB"),
        (RecursionError("maximum recursion depth"), "nested too deeply"),
        (OverflowError("Python int too large"), "a number is too large"),
        (PermissionError(13, "Permission denied", "model.safetensors"), "denied: 'model.safet"),
        (ValueError("a\nb\x1b[31m\udcff" + "x" * 9999), "a b\\x1b[31m\\udcffx"),
    ],
)
def test_a_sentence_for_each(run, monkeypatch, error, words):
    def fail(*_, **__):
        raise error

    monkeypatch.setattr(cli.task_command, "pipeline", fail)
    code, output, said = run("fill-mask", SKY)
    assert (code, output) == (2, "")
    assert words in said
    assert said.count("\n") == 1
    assert len(said) <= LONGEST_LINE + 1


@pytest.mark.parametrize(
    ("arguments", "program", "words"),
    [
        (["x" * 99_999], "minirobert", "'train-tokenizer'"),
        (["fill-mask", "--top-k", "9" * 99_999], "minirobert fill-mask", "argument --top-k"),
        (["fill-mask", "--dtype", "\x1b\n" * 999], "minirobert fill-mask", "\\x1b"),
        (["tokenize", "--model", ""], "minirobert tokenize", "the name is empty"),
        (["tokenize", "a", *["--frob"] * 9_999], "minirobert tokenize", "argument '--frob' (it"),
        (
            ["text-generation", "--model", "a", f"--{'x' * 999}"],
            "minirobert text-generation",
            "(it has",
        ),
    ],
)
def test_errors_of_usage_are_short(run, arguments, program, words):
    code, output, said = run(*arguments)
    usage, sentence = said.splitlines()
    assert (code, output) == (2, "")
    assert usage.startswith(f"usage: {program} [options] ")
    assert sentence.startswith(f"{program}: error: ")
    assert words in sentence
    assert sentence.endswith(f"; {program} --help tells more")
    assert len(sentence) <= LONGEST_LINE


@pytest.mark.parametrize(
    ("arguments", "unbuffered"),
    [(["tokenize", "a"], ""), (["--help"], "1"), (["inspect", "--json"], "1")],
)
def test_stdout_that_is_full(arguments, unbuffered):
    result = program(arguments, b"", ">/dev/full", {"PYTHONUNBUFFERED": unbuffered})
    assert_well_behaved(result, codes=(2,))
    assert b"stdout cannot be written (No space left on device)" in result.stderr


def test_a_directory_that_is_gone(tmp_path):
    command = f'rmdir {tmp_path}; exec "$0" -m minirobert tokenize a --json'
    environment = {name: value for name, value in BUFFERED.items() if name != "HOME"}
    result = subprocess.run(
        ["sh", "-c", command, sys.executable], cwd=tmp_path, env=environment, capture_output=True
    )
    assert (result.returncode, result.stderr) == (0, b"")
