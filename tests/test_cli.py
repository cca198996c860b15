"""The command line, mostly in this process, and as a program where that matters."""

import ast
import io
import json
import os
import re
import select
import shlex
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import entry_points

import numpy as np
import pytest
import tokenizers
import transformers
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

import minirobert
from minirobert import TINY, cli
from minirobert.pipelines import TASKS
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS

transformers.logging.set_verbosity_error()

SKY = "The color of the sky is <mask>."
TWO_MASKS = "A <mask> is a kind of <mask>."
COMMANDS = [
    *(*TASKS, "tokenize", "inspect", "train-tokenizer", "trace", "compare", "compare-tokens"),
    *("explore", "export", "bench", "vectors"),
]


@pytest.fixture(scope="module")
def fill():
    return minirobert.pipeline("fill-mask")


@pytest.fixture(scope="module")
def their_tokenizer():
    return transformers.RobertaTokenizerFast.from_pretrained(TINY)


def program(*arguments, **options):
    return subprocess.run(
        [sys.executable, "-m", "minirobert", *arguments],
        capture_output=True,
        timeout=60,
        check=False,
        **options,
    )


@pytest.fixture
def copy_of_tiny(tmp_path):
    return shutil.copytree(TINY, tmp_path / "model")


# fill-mask


def json_lines(output):
    assert output.endswith("\n")
    return [json.loads(line) for line in output.removesuffix("\n").split("\n")]


@pytest.mark.parametrize(
    "texts",
    [[SKY], [TWO_MASKS], [SKY, TWO_MASKS, "naïve <mask> 日本"]],
    ids=["one", "two", "three"],
)
def test_json_is_what_the_pipeline_returns(run_well, fill, texts):
    output = run_well("fill-mask", "--json", *texts)
    assert json_lines(output) == [fill(text) for text in texts]


def test_json_is_readable_text(run_well):
    assert "naïve" in run_well("fill-mask", "--json", "naïve <mask>")


def test_options_of_fill_mask(run_well, fill):
    output = run_well("fill-mask", SKY, "--json", "--top-k", "7")
    assert json_lines(output) == [fill(SKY, top_k=7)]
    targets = [" blue", "Ġgreen", " red"]
    output = run_well("fill-mask", SKY, "--json", "--top-k", "2", "--targets", *targets)
    assert json_lines(output) == [fill(SKY, top_k=2, targets=targets)]


def test_five_words_by_default(run_well):
    assert len(json_lines(run_well("fill-mask", "--json", SKY))[0]) == 5


def read_table(lines):
    for line in lines:
        score, word, sequence = re.fullmatch(r" +(\S+) +('.*?'|\".*?\") +(.*)", line).groups()
        yield float(score), ast.literal_eval(word), sequence


def assert_table(lines, fillings):
    table = list(read_table(lines))
    assert [row[1:] for row in table] == [(f["token_str"], f["sequence"]) for f in fillings]
    for (score, _, _), filling in zip(table, fillings, strict=True):
        assert abs(score - filling["score"]) <= 0.51e-4
    starts = [line.index(sequence) for line, (_, _, sequence) in zip(lines, table, strict=True)]
    assert len(set(starts)) == 1, "the columns are not aligned"


def test_table_of_a_text(run_well, fill):
    heading, *lines = run_well("fill-mask", "--top-k", "9", SKY).splitlines()
    assert heading == SKY
    assert_table(lines, fill(SKY, top_k=9))


def test_table_of_several_texts_and_masks(run_well, fill):
    lines = run_well("fill-mask", "--top-k", "3", TWO_MASKS, SKY).splitlines()
    first, second = fill(TWO_MASKS, top_k=3)
    assert lines[0] == TWO_MASKS
    assert lines[1].strip() == "mask 1:"
    assert_table(lines[2:5], first)
    assert lines[5].strip() == "mask 2:"
    assert_table(lines[6:9], second)
    assert lines[9] == SKY
    assert_table(lines[10:], fill(SKY, top_k=3))


def test_model_of_a_directory(run_well, copy_of_tiny):
    (copy_of_tiny / "model.safetensors").unlink()
    model = minirobert.RobertaForMaskedLM(minirobert.RobertaConfig.from_pretrained(TINY), seed=3)
    model.save_pretrained(copy_of_tiny)
    output = run_well("fill-mask", "--json", "--model", str(copy_of_tiny), SKY)
    assert json_lines(output) == [minirobert.pipeline("fill-mask", copy_of_tiny)(SKY)]
    assert json_lines(output) != json_lines(run_well("fill-mask", "--json", SKY))


# Texts from stdin


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("last_end", [True, False])
def test_a_text_a_line(run_well, stdin, fill, end, last_end):
    texts = [SKY, TWO_MASKS, "naïve <mask>\u2028 日本\x0b end "]
    stdin(end.join(texts) + (end if last_end else ""))
    assert json_lines(run_well("fill-mask", "--json")) == [fill(text) for text in texts]


def test_only_the_end_of_a_line_is_taken_off(run_well, stdin):
    stdin("  a\t\n b \r\r\n\n")
    tokens = [line["tokens"][1:-1] for line in json_lines(run_well("tokenize", "--json"))]
    assert tokens == [["Ġ", "Ġa", "ĉ"], ["Ġb", "Ġ", "č"], []]


def test_no_line_at_all(run_well, stdin):
    stdin("")
    assert run_well("fill-mask") == ""


def test_stdin_is_not_read_where_texts_are_given(run_well, stdin, fill):
    stdin("no mask\n")
    assert json_lines(run_well("fill-mask", "--json", SKY)) == [fill(SKY)]


def test_blank_line(run, stdin, fill):
    stdin(f"{SKY}\n\n{TWO_MASKS}\n")
    code, output, errors = run("fill-mask", "--json")
    assert code == 2
    assert json_lines(output) == [fill(SKY)]
    assert "no <mask>" in errors
    assert errors.count("\n") == 1


class Pipe(io.RawIOBase):
    """The far end of a pipe."""

    def __init__(self):
        self.received = b""

    def writable(self):
        return True

    def write(self, data):
        self.received += bytes(data)
        return len(data)


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "table"])
@pytest.mark.parametrize("command", ["fill-mask", "tokenize"])
def test_an_answer_is_written_before_the_next_line_is_read(monkeypatch, command, form):
    pipe, answers = Pipe(), []

    class Lines(io.StringIO):
        def __iter__(self):
            for _ in range(3):
                yield SKY + "\n"
                answers.append(pipe.received)

    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BufferedWriter(pipe), "utf-8"))
    monkeypatch.setattr(sys, "stdin", Lines())
    assert cli.main([command, *form]) == 0
    assert answers[0]
    assert answers == [answers[0] * count for count in (1, 2, 3)]


def test_program_streams():
    process = subprocess.Popen(
        [sys.executable, "-m", "minirobert", "fill-mask", "--json", "--top-k", "1"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        for word in ("sky", "grass"):
            process.stdin.write(f"The {word} is <mask>.\n".encode())
            process.stdin.flush()
            assert select.select([process.stdout], [], [], 30)[0], "no answer within 30 seconds"
            (filling,) = json.loads(process.stdout.readline())
            assert filling["sequence"].startswith(f"The {word} is ")
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.parametrize("form", [["--json"], []], ids=["json", "table"])
def test_reader_that_has_seen_enough(form):
    arguments = [sys.executable, "-m", "minirobert", "tokenize", *form]
    lines = b"many words in a line that fill a pipe " * 3 + b"\n"
    with subprocess.Popen(
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        reader, process.stdout = process.stdout, None
        process.stdin.write(lines * 100)
        process.stdin.flush()
        assert reader.readline()
        reader.close()
        _, errors = process.communicate(lines * 2000, timeout=60)
    assert errors == b""
    assert process.returncode == 0


# tokenize

UNUSUAL = " Héllo  wörld <mask> 👍🏽 don't\t日本"


def test_tokens_equal_transformers(run_well, their_tokenizer):
    texts = ["Hello world", UNUSUAL, ""]
    lines = json_lines(run_well("tokenize", "--json", *texts))
    for text, line in zip(texts, lines, strict=True):
        encoding = their_tokenizer(text, return_offsets_mapping=True)
        assert line == {
            "tokens": their_tokenizer.convert_ids_to_tokens(encoding["input_ids"]),
            "ids": encoding["input_ids"],
            "offsets": [list(span) for span in encoding["offset_mapping"]],
        }


def test_table_of_tokens(run_well, their_tokenizer):
    text = UNUSUAL.replace("\t", " ")  # whose token would look like a gap of the table
    heading, *lines = run_well("tokenize", text).splitlines()
    encoding = their_tokenizer(text, return_offsets_mapping=True)
    ids, spans = encoding["input_ids"], encoding["offset_mapping"]
    tokens = their_tokenizer.convert_ids_to_tokens(ids)
    assert heading.split() == ["token", "id", "start", "end", "text"]
    for line, token, id, span in zip(lines, tokens, ids, spans, strict=True):
        piece = [repr(text[slice(*span)])] if span[1] > span[0] else []
        assert line.split(maxsplit=4) == [token, str(id), *map(str, span), *piece]


def test_tokenizer_of_a_directory(run_well, copy_of_tiny):
    (copy_of_tiny / "merges.txt").write_text("#version: 0.2\n")
    output = run_well("tokenize", "--json", "--model", str(copy_of_tiny), "words")
    assert json_lines(output)[0]["tokens"][1:-1] == list("words")


def test_explained_tokens(run_well, their_tokenizer):
    (line,) = json_lines(run_well("tokenize", "--explain", "--json", UNUSUAL))
    tokens = [token for piece in line["pieces"] for token in piece["tokens"]]
    encoding = their_tokenizer(UNUSUAL, add_special_tokens=False, return_offsets_mapping=True)
    assert [token["id"] for token in tokens] == encoding["input_ids"]
    assert [tuple(token["offsets"]) for token in tokens] == encoding["offset_mapping"]
    assert run_well("tokenize", "--explain", "It") == (
        "'It'  letters, characters 0 to 2\n"
        "  bytes    49 74\n"
        "  symbols  I t\n"
        "  merge    397  I + t  ->  It\n"
        "  token    It  657  characters 0 to 2\n"
    )


# inspect


def tensors_of(model):
    """List the tensors of transformers' model, a tied one once."""
    return {name: list(p.shape) for name, p in model.named_parameters(remove_duplicate=True)}


def test_inspect_as_json(run_well):
    model = transformers.RobertaForMaskedLM.from_pretrained(TINY)
    listed = json.loads(run_well("inspect", "--json"))
    assert {name: tensor["shape"] for name, tensor in listed.items()} == tensors_of(model)
    with safe_open(TINY / "model.safetensors", "np") as file:
        stored = {file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
    assert stored == {"F16"}
    assert {tensor["dtype"] for tensor in listed.values()} == {"float16"}


def test_inspect_as_a_table(run_well):
    model = transformers.RobertaForMaskedLM.from_pretrained(TINY)
    output = run_well("inspect")
    for name, parameter in model.named_parameters():
        (line,) = re.findall(rf"^{re.escape(name)} .*$", output, re.MULTILINE)
        assert f" {list(parameter.shape)} " in line
        assert line.endswith(f"float16  {parameter.numel():>10,}")
    total = output.splitlines()[-1]
    assert total.split()[:3] == [
        "total",
        str(len(tensors_of(model))),
        f"{model.num_parameters():,}",
    ]
    assert f"({2 * model.num_parameters() / 2**20:.1f} MiB)" in total


def test_inspect_a_directory_of_another_class(run_well, tmp_path):
    config = transformers.RobertaConfig(
        vocab_size=23,
        hidden_size=6,
        num_hidden_layers=2,
        num_attention_heads=3,
        intermediate_size=5,
    )
    model = transformers.RobertaModel(config)
    model.save_pretrained(tmp_path, max_shard_size="1KB")
    assert (tmp_path / "model.safetensors.index.json").is_file()
    listed = json.loads(run_well("inspect", "--json", str(tmp_path)))
    assert {name: tensor["shape"] for name, tensor in listed.items()} == tensors_of(model)
    assert {tensor["dtype"] for tensor in listed.values()} == {"float32"}


def test_inspect_needs_no_weights_with_a_config(run_well, tmp_path):
    roberta_base = transformers.RobertaConfig(
        vocab_size=50265, max_position_embeddings=514, type_vocab_size=1
    )
    roberta_base.save_pretrained(tmp_path)
    total = run_well("inspect", str(tmp_path / "config.json")).splitlines()[-1]
    assert "124,697,433" in total
    assert f"({124_697_433 * 4 / 2**20:.1f} MiB)" in total
    listed = json.loads(run_well("inspect", "--json", str(tmp_path / "config.json")))
    assert sum(np.prod(tensor["shape"]) for tensor in listed.values()) == 124_697_433


@pytest.mark.parametrize("options", [(), ("--json",), ("--computed",)])
def test_inspect_refuses_json_that_is_no_config(run, run_well, copy_of_tiny, options):
    (copy_of_tiny / "empty.json").write_text("{}")
    for name in ("vocab.json", "empty.json"):
        result = run("inspect", str(copy_of_tiny / name), *options)
        assert_sentence(result, f"{name}' is no config.json", "no model_type", "no field of")
    (copy_of_tiny / "few.json").write_text('{"num_hidden_layers": 1}')
    assert run_well("inspect", str(copy_of_tiny / "few.json"), *options)


# train-tokenizer

CORPUS = "low lower lowest\r\n\nlow 日本 newest\nwidest <mask>"


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.txt"
    path.write_bytes(CORPUS.encode())
    return str(path)


def trained_by_tokenizers(
    *files, special_tokens=ROBERTA_SPECIAL_TOKENS, add_prefix_space=False, **options
):
    """Give the vocabulary and the lines of merges.txt."""
    tokenizer = tokenizers.ByteLevelBPETokenizer(add_prefix_space=add_prefix_space)
    tokenizer.train(
        list(files), special_tokens=list(special_tokens), show_progress=False, **options
    )
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [" ".join(merge) for merge in model["merges"]]


def saved(directory):
    header, *merges = (directory / "merges.txt").read_text(encoding="utf-8").splitlines()
    assert header == "#version: 0.2"
    return json.loads((directory / "vocab.json").read_text(encoding="utf-8")), merges


def test_train_tokenizer(run_well, corpus, tmp_path):
    out = tmp_path / "new" / "tokenizer"
    output = run_well("train-tokenizer", corpus, "--vocab-size", "264", "--out", str(out))
    assert output == f"264 tokens, 3 merges, saved in {out}\n"
    assert saved(out) == trained_by_tokenizers(corpus, vocab_size=264)
    theirs = transformers.RobertaTokenizerFast.from_pretrained(out)
    (line,) = json_lines(run_well("tokenize", "--json", "--model", str(out), CORPUS))
    assert line["ids"] == theirs(CORPUS)["input_ids"]
    assert theirs.mask_token_id in line["ids"]


def test_train_tokenizer_as_json(run_well, corpus, tmp_path):
    out = tmp_path / "out"
    output = run_well("train-tokenizer", corpus, "--vocab-size=264", f"--out={out}", "--json")
    (result,) = json_lines(output)
    assert (result["tokens"], result["merges"]) == (264, 3)
    assert sorted(result["files"]) == sorted(map(str, out.iterdir()))


def test_options_of_train_tokenizer(run_well, corpus, tmp_path):
    out, other = tmp_path / "out", tmp_path / "other.txt"
    other.write_text("lowest\n")
    special_tokens = ["<s>", "<pad>", "</s>", "<unk>", "<x>"]
    output = run_well(
        *("train-tokenizer", corpus, str(other), "--vocab-size", "400", "--out", str(out)),
        *("--min-frequency", "3", "--special-tokens", *special_tokens, "--add-prefix-space"),
    )
    assert saved(out) == trained_by_tokenizers(
        *(corpus, str(other)),
        vocab_size=400,
        min_frequency=3,
        special_tokens=special_tokens,
        add_prefix_space=True,
    )
    vocab, merges = saved(out)
    first, second = output.splitlines()
    # <mask> comes last: every RoBERTa tokenizer has it.
    assert first == f"{len(vocab) + 1} tokens, {len(merges)} merges, saved in {out}"
    assert "no pair is left that occurs 3 times" in second
    tokenizer = minirobert.RobertaTokenizer.from_pretrained(out)
    assert tokenizer.mask_token_id == len(vocab)
    assert "<x>" in tokenizer.all_special_tokens
    assert tokenizer.add_prefix_space


def test_train_tokenizer_shows_progress_on_a_terminal(run, monkeypatch, corpus, tmp_path):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    arguments = ["train-tokenizer", corpus, "--vocab-size", "264", "--out", str(tmp_path / "out")]
    code, output, errors = run(*arguments)
    assert code == 0
    assert output.count("\n") == 1
    assert "texts: 4" in errors
    assert run(*arguments, "--quiet") == (0, output, "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere.txt"], ["there is no file 'nowhere.txt'"]),
        (["DIRECTORY"], ["is a directory"]),
        (["CORPUS", "LATIN"], ["latin.txt, line 3 is not UTF-8", "0xe9", "position 3"]),
        (["CORPUS", "--vocab-size", "260"], ["vocab_size is 260", "at least 261"]),
        (["CORPUS", "--min-frequency", "-1"], ["min_frequency is -1"]),
        (["CORPUS", "--special-tokens", "<s>", "<s>"], ["'<s>'", "once"]),
        (["CORPUS", "--special-tokens", "\udcff"], ["surrogate"]),
    ],
)
def test_train_tokenizer_writes_nothing_after_an_error(run, corpus, tmp_path, arguments, words):
    latin, out = tmp_path / "latin.txt", tmp_path / "out"
    latin.write_bytes(b"a\r\n\ncaf\xe9\n")
    names = {"CORPUS": corpus, "LATIN": str(latin), "DIRECTORY": str(tmp_path)}
    command = ["train-tokenizer", "--vocab-size", "300", "--out", str(out)]
    assert_sentence(run(*command, *(names.get(word, word) for word in arguments)), *words)
    assert not out.exists()


def test_train_tokenizer_checks_all_names_before_it_reads(run, corpus, tmp_path):
    latin = tmp_path / "latin.txt"
    latin.write_bytes(b"\xe9")
    command = ["train-tokenizer", "--vocab-size", "300", str(latin)]
    assert_sentence(run(*command, "--out", corpus), f"{corpus!r} is a file", "directory")
    assert_sentence(run(*command, "nowhere.txt", "--out", str(tmp_path)), "nowhere.txt")


# Help, version, errors


def test_version(run):
    assert run("--version") == (0, f"minirobert {minirobert.__version__}\n", "")


def test_help(run):
    code, output, errors = run("--help")
    assert (code, errors) == (0, "")
    assert all(command in output for command in COMMANDS)


def test_without_a_command_there_is_the_help(run, monkeypatch):
    assert run() == (2, "", run("--help")[1])
    monkeypatch.setattr(sys, "argv", ["minirobert"])
    assert cli.main() == 2


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_has_examples_that_parse(run, command):
    code, output, errors = run(command, "--help")
    assert (code, errors) == (0, "")
    examples = output.partition("examples:\n")[2].splitlines()
    assert len(examples) >= 2
    assert all(line.startswith(f"  minirobert {command}") for line in examples)


@pytest.mark.parametrize("command", ["fill-mask", "feature-extraction", "tokenize"])
def test_examples_work(run, run_well, stdin, monkeypatch, tmp_path, command):
    monkeypatch.chdir(tmp_path)
    for line in re.findall(r"^  minirobert (.*)$", run(command, "--help")[1], re.MULTILINE):
        words = shlex.split(line.removesuffix(" < lines.txt"))
        stdin(SKY + "\n")
        output = run_well(*words)
        assert (
            json_lines(output) if "--json" in words else output.count("\n") > ("--out" not in words)
        )


def test_installed_command():
    (command,) = entry_points(group="console_scripts", name="minirobert")
    assert command.load() is cli.main


def assert_sentence(result, *words):
    """Check that a command has failed with one sentence on stderr, and nothing else."""
    code, output, errors = result
    assert code == 2
    assert output == ""
    assert errors.startswith("minirobert: ")
    assert errors.count("\n") == 1
    assert errors.endswith("\n")
    for word in words:
        assert word in errors


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fill-mask", "No mask."], ["no <mask>", "'No mask.'"]),
        (["fill-mask", ""], ["no <mask>", "''"]),
        (["fill-mask", SKY, "--top-k", "0"], ["top_k is 0", "from 1 to 8192"]),
        (["fill-mask", SKY, "--top-k", "8193"], ["top_k is 8193", "from 1 to 8192"]),
        (["fill-mask", "\udcff <mask>"], ["text 1", "not UTF-8", "0xff at position 0", "iconv"]),
        (["fill-mask", SKY, "--targets", "\udcff"], ["surrogate", "U+DCFF"]),
        (["tokenize", "a \udcff"], ["text 1", "not UTF-8", "0xff at position 2", "iconv"]),
        *(
            ([*words, "nowhere"], ["nowhere"])
            for words in (["inspect"], ["tokenize", "a", "--model"])
        ),
        (["fill-mask", SKY, "--model", "nowhere"], ["nowhere"]),
        (["inspect", os.devnull], [os.devnull]),
    ],
)
def test_errors_are_a_sentence(run, arguments, words):
    assert_sentence(run(*arguments), *words)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["frobnicate"], "'frobnicate'"),
        (["fil-mask", SKY], "'vectors'): did you mean fill-mask?"),
        (["tokenise"], "did you mean tokenize?"),
        (["inspect", "a", "b"], "unrecognized argument 'b' (it has --help, --json, "),
        (["fill-mask", "--top-kk=3"], "'--top-kk=3': did you mean --top-k? (it has --help, --js"),
        (["fill-mask", SKY, "--dtype", "floatt32"], "did you mean float32?"),
        (["fill-mask", SKY, "--top-k", "many"], "'many'"),
        (["fill-mask", SKY, "--frobnicate"], "--frobnicate"),
        (["text-classification", "--model", "DIR", "--top-k", "many"], "'many' is neither"),
        (["text-generation", "--model", "DIR", "--seed", "-1"], "'-1' is no seed"),
        (["text-generation", "--model", "DIR", "--seed", "x"], "at least 0"),
        (["train-tokenizer", "--vocab-size", "300", "--out", "out"], "FILE"),
        (["train-tokenizer", "corpus.txt"], "--vocab-size, --out"),
    ],
)
def test_errors_of_usage(run, arguments, words):
    code, output, errors = run(*arguments)
    assert (code, output) == (2, "")
    assert errors.startswith("usage: minirobert")
    assert words in errors.splitlines()[-1]


@pytest.mark.parametrize("command", ["fill-mask", "tokenize", "inspect"])
def test_corrupt_files(run, copy_of_tiny, command):
    if command == "tokenize":
        file, text = copy_of_tiny / "vocab.json", ["word"]
    else:
        file, text = copy_of_tiny / "model.safetensors", [SKY]
    file.write_bytes(file.read_bytes()[:-100])
    model = [str(copy_of_tiny)] if command == "inspect" else [*text, "--model", str(copy_of_tiny)]
    assert_sentence(run(command, *model), str(file))


def test_directory_without_weights(run, copy_of_tiny):
    (copy_of_tiny / "model.safetensors").unlink()
    assert_sentence(run("inspect", str(copy_of_tiny)), str(copy_of_tiny), "model.safetensors")


def test_inspect_weights_that_are_integers(run, copy_of_tiny):
    tensors = load_file(copy_of_tiny / "model.safetensors")
    tensors["lm_head.bias"] = tensors["lm_head.bias"].astype(np.int64)
    save_file(tensors, copy_of_tiny / "model.safetensors")
    _, output, errors = run("inspect", str(copy_of_tiny))
    assert "int64" in output or "lm_head.bias" in errors


@pytest.mark.parametrize("command", ["fill-mask", "tokenize"])
def test_terminal_as_stdin(run, monkeypatch, command):
    terminal = io.StringIO(SKY)
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stdin", terminal)
    assert_sentence(run(command), "no text")


@pytest.mark.parametrize("handler", ["strict", "surrogateescape"])
def test_stdin_that_is_not_utf_8(handler):
    environment = {**os.environ, "PYTHONIOENCODING": f"utf-8:{handler}"}
    result = program("fill-mask", input=b"caf\xe9 <mask>\n", env=environment)
    assert_sentence((result.returncode, result.stdout.decode(), result.stderr.decode()))


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("arguments", "code", "lines"),
    [(["No mask."], 2, 0), ([SKY, "--json", "--targets", "xyzzy"], 0, 1)],
    ids=["error", "warning"],
)
def test_stderr_that_is_closed(capsys, monkeypatch, arguments, code, lines):
    monkeypatch.setattr(sys, "stderr", None)
    assert cli.main(["fill-mask", *arguments]) == code
    assert capsys.readouterr().out.count("\n") == lines


def test_program_fails_with_a_sentence():
    result = program("fill-mask", b"caf\xe9 <mask>")
    assert_sentence(
        (result.returncode, result.stdout.decode(), result.stderr.decode()), "position 3"
    )


def test_interrupt(run, monkeypatch):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli.task_command, "pipeline", interrupt)
    assert run("fill-mask", SKY) == (130, "", "")


def test_mistakes_of_the_package_are_not_hidden(monkeypatch):
    def fail(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(cli.task_command, "pipeline", fail)
    with pytest.raises(ZeroDivisionError):
        cli.main(["fill-mask", SKY])


# Warnings


@pytest.mark.filterwarnings("default")
def test_warnings_are_a_line(run, fill):
    code, output, errors = run("fill-mask", "--json", SKY, "--targets", "", " blue", "xyzzy")
    with pytest.warns(UserWarning, match="xyzzy"):
        expected = fill(SKY, targets=[" blue", "xyzzy"])
    assert code == 0
    assert json_lines(output) == [expected]
    lines = errors.splitlines()
    assert len(lines) == 2
    assert all(line.startswith("minirobert: warning: ") for line in lines)
    assert "''" in lines[0]
    assert "'xyzzy'" in lines[1]


def test_program_warns_once_for_many_texts():
    result = program("fill-mask", "--json", SKY, TWO_MASKS, "--targets", "xyzzy")
    assert result.returncode == 0
    assert result.stdout.count(b"\n") == 2
    assert result.stderr.count(b"\n") == 1
    assert result.stderr.startswith(b"minirobert: warning: target 'xyzzy'")


@pytest.mark.filterwarnings("default")
def test_text_too_long(run):
    assert_sentence(run("fill-mask", SKY * 30), "128")


def test_main_leaves_warnings_as_they_were(run_well):
    before = warnings.showwarning
    run_well("tokenize", "word")
    assert warnings.showwarning is before


def test_program_speaks_utf8_whatever_the_system_speaks():
    latin = {**os.environ, "PYTHONIOENCODING": "latin-1"}
    result = program("tokenize", "--json", env=latin, input="日\n".encode())
    assert result.returncode == 0
    tokens = json.loads(result.stdout.decode("utf-8"))["tokens"]
    assert "".join(tokens[1:-1]) == "æĹ¥"


def test_the_wrong_line_is_named(run, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SKY}\nno mask here\n"))
    code, output, errors = run("fill-mask", "--json")
    assert code == 2
    assert len(output.splitlines()) == 1
    assert errors.startswith("minirobert: line 2 of stdin: the text has no <mask>")


def test_inspect_shows_what_is_there(run, tmp_path):
    """Also of a model without the language-model head or the pooler."""
    minirobert.RobertaModel.from_pretrained(add_pooling_layer=False).save_pretrained(tmp_path)
    code, output, _ = run("inspect", "--json", str(tmp_path))
    assert code == 0
    listed = json.loads(output)
    assert sum("note" not in tensor for tensor in listed.values()) == 69
    missing = [name for name, tensor in listed.items() if tensor.get("note") == "missing"]
    assert missing == ["pooler.dense.weight", "pooler.dense.bias"]
    code, output, _ = run("inspect", str(tmp_path / "model.safetensors"))
    assert code == 0
    assert re.search(r"pooler\.dense\.bias +\[256\] +256  missing", output)
    assert output.splitlines()[-1].split()[:2] == ["total", "69"]  # what is there
    code, _, errors = run("inspect", str(TINY / "README.md"))
    assert code == 2
    assert "is neither a safetensors file nor a config.json" in errors


def test_inspect_any_safetensors_file(run, tmp_path):
    import torch
    from safetensors.torch import save_file

    tensors = {
        "bert.a": torch.zeros(2, 3, dtype=torch.float8_e4m3fn),
        "bert.b": torch.ones(5, dtype=torch.bool),
        "c": torch.zeros((), dtype=torch.int64),
        "d": torch.zeros(1, dtype=torch.complex64),
        "e": torch.zeros(0, dtype=torch.bfloat16),
    }
    path = tmp_path / "other.safetensors"
    save_file(tensors, path)
    code, output, _ = run("inspect", "--json", str(path))
    assert code == 0
    listed = json.loads(output)
    assert {name: listed[name]["shape"] for name in listed} == {
        name: list(tensor.shape) for name, tensor in tensors.items()
    }
    assert {name: listed[name]["dtype"] for name in listed} == {
        name: str(tensor.dtype).removeprefix("torch.") for name, tensor in tensors.items()
    }
    code, output, _ = run("inspect", str(path))
    size = sum(tensor.nbytes for tensor in tensors.values())
    assert (code, f"({size} bytes)" in output) == (0, True)


def test_inspect_marks_what_does_not_fit(run, copy_of_tiny):
    import torch
    from safetensors.torch import load_file, save_file

    tensors = load_file(copy_of_tiny / "model.safetensors")
    del tensors["lm_head.bias"]
    tensors |= {"crf.x": torch.zeros(2), "qa_outputs.bias": torch.zeros(2)}
    tensors["lm_head.dense.bias"] = torch.zeros(3)
    save_file(tensors, copy_of_tiny / "model.safetensors")
    code, output, _ = run("inspect", "--json", str(copy_of_tiny))
    assert code == 0
    notes = {name: one["note"] for name, one in json.loads(output).items() if "note" in one}
    assert notes == {
        "lm_head.bias": "missing",
        "crf.x": "unexpected",
        "qa_outputs.bias": "unused",
        "lm_head.dense.bias": "wrong shape: must be [256]",
    }


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_closed_streams(closed):
    command = f"{shlex.quote(sys.executable)} -m minirobert tokenize {closed}"
    result = subprocess.run(["sh", "-c", command], capture_output=True, check=False)
    assert result.returncode == 2
    assert result.stderr.startswith(b"minirobert: ")
    assert result.stderr.count(b"\n") == 1


# text-generation


@pytest.fixture(scope="module")
def decoder_directory(tmp_path_factory):
    """Save a decoder whose words are drawn from all of the vocabulary, bytes too."""
    config = minirobert.RobertaConfig(
        vocab_size=8192,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=4,
        is_decoder=True,
    )
    directory = tmp_path_factory.mktemp("decoder")
    minirobert.RobertaForCausalLM(config).save_pretrained(directory)
    minirobert.RobertaTokenizer.from_pretrained(TINY).save_pretrained(directory)
    return str(directory)


def test_a_generated_text_is_what_the_pipeline_gives(run_well, decoder_directory):
    options = ["--model", decoder_directory, "--max-new-tokens", "9", "--seed", "5"]
    call = minirobert.pipeline(
        "text-generation", decoder_directory, max_new_tokens=9, rng=np.random.default_rng(5)
    )
    expected = call(["The sky", "", "naïve"])
    assert json_lines(run_well("text-generation", "--json", *options, "The sky", "", "naïve")) == (
        expected
    )
    lines = "".join(one[0]["generated_text"] + "\n" for one in expected)
    assert run_well("text-generation", *options, "The sky", "", "naïve") == lines
    assert (
        run_well("text-generation", "--batch-size", "2", *options, "The sky", "", "naïve") == lines
    )


def test_likeliest_texts(run_well, decoder_directory):
    options = ["--model", decoder_directory, "--max-new-tokens", "4", "The sky"]
    call = minirobert.pipeline("text-generation", decoder_directory, max_new_tokens=4)
    greedy = call("The sky", do_sample=False)[0]["generated_text"]
    assert run_well("text-generation", "--greedy", *options) == greedy + "\n"
    beams = call("The sky", num_beams=3, num_return_sequences=2)
    output = run_well(
        "text-generation", "--num-beams", "3", "--num-return-sequences", "2", *options
    )
    assert output == "".join(one["generated_text"] + "\n" for one in beams)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--greedy", "--temperature", "2"], ["--temperature says nothing with --greedy"]),
        (["--greedy", "--top-k", "2"], ["--top-k says nothing with --greedy"]),
        (["--greedy", "--top-p", "0.5"], ["--top-p says nothing with --greedy"]),
        (["--greedy", "--min-p", "0.5"], ["--min-p says nothing with --greedy"]),
        (["--greedy", "--seed", "2"], ["--seed says nothing with --greedy"]),
        *(
            (["--num-beams", "3", flag, "1"], [f"{flag} says nothing with --num-beams, which"])
            for flag in ("--temperature", "--top-k", "--top-p", "--min-p", "--seed")
        ),
        (["--greedy", "--num-beams", "3", "--seed", "1"], ["--seed says nothing with --greedy"]),
        (
            ["--greedy", "--num-return-sequences", "3"],
            ["only one likeliest text: leave out --greedy, or give --num-beams 3"],
        ),
        (
            ["--num-beams", "2", "--num-return-sequences", "3"],
            ["only a choice of 2 beams: give --num-beams 3"],
        ),
    ],
)
def test_options_of_generation_that_do_not_agree(run, options, words):
    assert_sentence(run("text-generation", "a", "--model", "nowhere", *options), *words)


def test_only_says_nothing_of_what_is_written(run, tmp_path):
    result = run("vectors", "--out", str(tmp_path / "new"), "--only", "zzz*")
    assert_sentence(result, "--only says nothing with --out")
    assert not list(tmp_path.iterdir())


def test_a_text_is_printed_as_it_comes(decoder_directory):
    """The first words are there before the last are computed."""
    command = [
        "text-generation",
        "The sky",
        "--model",
        decoder_directory,
        "--max-new-tokens",
        "400",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "minirobert", *command], stdout=subprocess.PIPE
    ) as process:
        first = os.read(process.stdout.fileno(), 7)
        assert first == b"The sky"
        chunks = 0
        while os.read(process.stdout.fileno(), 1 << 16):
            chunks += 1
    assert chunks > 3
    assert process.returncode == 0


def test_generation_warns_and_errs_in_sentences(run, decoder_directory):
    done = program("text-generation", "a", "--model", str(TINY), "--max-new-tokens", "2")
    assert done.returncode == 0
    assert done.stderr.startswith(b"minirobert: warning: the config.json in ")
    code, _, error = run("text-generation", "a", "--model", decoder_directory, "--temperature", "0")
    assert code == 2
    assert error.startswith("minirobert: temperature is 0.0, but must be a number above 0")
