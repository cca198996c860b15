"""The commands ``trace`` and ``compare``, with ports of all kinds, and ``inspect --computed``."""

import inspect
import json
import os
import struct

import numpy as np
import pytest
import transformers

import minirobert
from minirobert import RobertaConfig, RobertaTokenizer
from minirobert.cli import compare as command
from minirobert.intermediates import intermediates
from minirobert.numerics import Trace, arithmetic, compare, trace
from minirobert.numerics.onnx_export import export_onnx
from minirobert.numerics.tensor_file import write_tensors
from tests.numerics.small import small_model, traced
from tests.test_cli import assert_sentence, json_lines

SKY, GRASS = "The sky is <mask>.", "Grass, 日本"
LOGITS = "lm_head.logits"


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Save a small model with the bundled model's tokenizer."""
    path = tmp_path_factory.mktemp("small")
    small_model(vocab_size=8192, num_hidden_layers=1, max_position_embeddings=40).save_pretrained(
        path
    )
    RobertaTokenizer.from_pretrained().save_pretrained(path)
    return str(path)


@pytest.fixture(scope="module")
def model(directory):
    return minirobert.RobertaForMaskedLM.from_pretrained(directory)


@pytest.fixture(scope="module")
def batch(directory):
    tokenizer = RobertaTokenizer.from_pretrained(directory)
    return dict(tokenizer([SKY, GRASS], padding=True, return_tensors="np"))


@pytest.fixture
def port(model, batch, tmp_path):
    """Write a trace, of which a test may change the tensors."""

    def port(change=lambda tensors: None, **more):
        made = trace(model, **batch)
        change(made.tensors)
        path = tmp_path / "port.safetensors"
        Trace(made.tensors, config=model.config, given=made.given, **more).write(path)
        return str(path)

    return port


def spoiled(name, by=1.01):
    def change(tensors):
        tensors[name] = tensors[name] * np.float32(by)

    return change


def bare(*names):
    """Leave out all but the inputs and these tensors."""

    def change(tensors):
        for name in [*tensors]:
            if name not in ("input_ids", "attention_mask", *names):
                del tensors[name]

    return change


# trace


def test_trace(run_well, directory, model, batch, tmp_path):
    out = tmp_path / "t.safetensors"
    said = run_well("trace", directory, SKY, GRASS, "--out", str(out))
    made, expected = Trace.read(out), trace(model, **batch)
    assert list(made.tensors) == list(expected.tensors)
    assert all(np.array_equal(made.tensors[name], one) for name, one in expected.tensors.items())
    assert made.weights == expected.weights
    assert made.architecture == "RobertaForMaskedLM"
    size = sum(one.nbytes for one in made.tensors.values())
    assert said == f"{len(made.tensors)} tensors, {size:,} bytes, in {out}\n"


def test_trace_of_stdin(run_well, stdin, directory, tmp_path):
    one, two = tmp_path / "one.safetensors", tmp_path / "two.safetensors"
    stdin(f"{SKY}\r\n{GRASS}\n")
    run_well("trace", directory, "--out", str(one))
    run_well("trace", directory, SKY, GRASS, "--out", str(two))
    assert one.read_bytes() == two.read_bytes()


def test_options_of_trace(run_well, directory, model, batch, tmp_path):
    out, file = tmp_path / "t.safetensors", tmp_path / "in.json"
    inputs = {"input_ids": [[0, 5, 6, 2]], "token_type_ids": [[0, 1, 1, 1]], "head_mask": None}
    file.write_text(json.dumps(inputs))
    (said,) = json_lines(
        run_well(
            *("trace", directory, "--inputs", str(file), "--out", str(out), "--dtype", "float64"),
            *("--class", "RobertaModel", "--no-pooler", "--no-weights", "--json"),
            *("--device", "cpu", "--keep", "layer.0.*LayerNorm", "*_ids"),
        )
    )
    made = Trace.read(out)
    names = [f"encoder.layer.0.{one}output.LayerNorm" for one in ("attention.", "")]
    ids = ["input_ids", "token_type_ids", "position_ids"]
    assert said == {"file": str(out), "tensors": [*ids, *names]}
    assert list(made.tensors) == said["tensors"]
    assert made.tensors[names[0]].dtype == np.float64
    assert (made.architecture, made.weights) == ("RobertaModel", {})
    assert made.tensors["token_type_ids"].tolist() == inputs["token_type_ids"]


def test_pairs_and_choices(run, run_well, directory, tmp_path):
    tokenizer = RobertaTokenizer.from_pretrained(directory)
    out = tmp_path / "t.safetensors"
    run_well("trace", directory, "a b\t日本", "c\td", "--pair", "--out", str(out))
    pairs = tokenizer(["a b", "c"], ["日本", "d"], padding=True, return_tensors="np")
    assert np.array_equal(Trace.read(out).tensors["input_ids"], pairs["input_ids"])
    asked = ["q\ta b c\td", "long question\tx\t日"]
    options = ["--class", "RobertaForMultipleChoice", "--out", str(out), "--overwrite"]
    code, _, errors = run("trace", directory, *asked, *options)
    assert (code, "no weights for" in errors) == (0, True)
    first, second = ["q", "q", *["long question"] * 2], ["a b c", "d", "x", "日"]
    flat = tokenizer(first, second, padding=True, return_tensors="np")["input_ids"]
    assert np.array_equal(Trace.read(out).tensors["input_ids"], flat.reshape(2, 2, -1))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--keep", "frob.*"], ["no tensor has a name like 'frob.*'", "inspect --computed"]),
        (["--inputs", "INPUTS"], ["both texts and --inputs"]),
        (["--class", "RobertaFrob"], ["invalid choice"]),
        (["--pair"], ["'The sky is <mask>.' is no pair", "tab"]),
        (["--class", "RobertaForMultipleChoice"], ["a question and its choices"]),
        (["--no-pooler"], ["--no-pooler is for RobertaModel"]),
        (["--device", "cuda:99"], ["cuda"]),
    ],
)
@pytest.mark.filterwarnings("ignore:.*no weights for")
def test_trace_writes_nothing_after_an_error(run, directory, tmp_path, arguments, words):
    inputs, out = tmp_path / "in.json", tmp_path / "t.safetensors"
    inputs.write_text("{}")
    given = [str(inputs) if word == "INPUTS" else word for word in arguments]
    code, output, errors = run("trace", directory, SKY, "--out", str(out), *given)
    assert (code, output) == (2, "")
    assert all(word in errors for word in words), errors
    assert not out.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[1]", ["holds a JSON array"]),
        ("{}", ["neither input_ids nor inputs_embeds"]),
        ('{"input_ids": [[0]], "frob": 1}', ["'frob'", "attention_mask"]),
        ('{"input_ids": [[0, 1], [2]]}', ["input_ids"]),
        ('{"input_ids": [["a"]]}', ["input_ids"]),
        ('{"input_ids": 7}', ["input_ids"]),
    ],
)
def test_inputs_that_are_none(run, directory, tmp_path, content, words):
    path, out = tmp_path / "in.json", tmp_path / "t.safetensors"
    path.write_text(content)
    result = run("trace", directory, "--inputs", str(path), "--out", str(out))
    assert_sentence(result, *words)
    assert not out.exists()


def test_trace_writes_over_nothing(run, run_well, directory, tmp_path):
    out = tmp_path / "t.safetensors"
    out.write_bytes(b"mine")
    arguments = ["trace", directory, SKY, "--out"]
    assert_sentence(run(*arguments, str(out)), "is there already", "--overwrite")
    assert out.read_bytes() == b"mine"
    run_well(*arguments, str(out), "--overwrite")
    assert len(out.read_bytes()) > 9
    assert_sentence(run(*arguments, str(tmp_path)), "is a directory")
    os.mkfifo(tmp_path / "pipe")
    pipe = run(*arguments, str(tmp_path / "pipe"), "--overwrite")
    assert_sentence(pipe, "is a device or a pipe")
    assert_sentence(run(*arguments, str(tmp_path / "x" / "y")), "there is no directory")


def test_the_bundled_model_is_the_default(run_well, tmp_path):
    inputs, out = tmp_path / "in.json", tmp_path / "t.safetensors"
    inputs.write_text('{"input_ids": [[0, 5, 2]]}')
    for name in ([], ["bundled"]):
        run_well("trace", *name, "--inputs", str(inputs), "--out", str(out), "--overwrite")
        assert Trace.read(out).tensors[LOGITS].shape == (1, 3, 8192)


# compare: what comes out


def test_a_port_that_agrees(run_well, directory, model, batch, port):
    said = run_well("compare", directory, "--port", port())
    assert said == f"{compare(model, Trace.read(port()))}\n"
    assert "explains all that is shown" in said
    run_well("compare", directory, SKY, GRASS, "--port", port())


def test_a_port_that_departs(run, directory, port):
    place = "roberta.encoder.layer.0.intermediate"
    code, output, errors = run("compare", directory, "--port", port(spoiled(place)))
    assert (code, errors) == (1, "")
    assert "The first step that departs is layer.0.intermediate." in output


def test_other_inputs(run, directory, port):
    code, output, errors = run("compare", directory, SKY, "Grass, 中国", "--port", port())
    assert (code, errors) == (1, "")
    assert "The port has other input_ids" in output


def test_too_little_to_compare(run, directory, port):
    code, _, errors = run("compare", directory, "--port", port(bare("lm_head.dense")))
    assert code == 3
    assert f"not compared: {LOGITS}" in errors
    assert "--require" in errors
    assert run("compare", directory, "--port", port(bare()))[0] == 3
    assert_sentence(
        run("compare", directory, "--port", port(), "--require", "frob"), "no tensor frob"
    )


def test_what_is_required(run, run_well, directory, port):
    few = port(bare(LOGITS, "lm_head.dense"))
    run_well("compare", directory, "--port", few)
    run_well("compare", directory, "--port", few, "--require", LOGITS, "lm_head.dense")
    code, _, errors = run("compare", directory, "--port", few, "--require", "embeddings", LOGITS)
    assert (code, "not compared: roberta.embeddings" in errors) == (3, True)


def test_a_departure_counts_more_than_what_is_missing(run, directory, port):
    def change(tensors):
        spoiled("lm_head.dense")(tensors)
        del tensors[LOGITS]

    assert run("compare", directory, "--port", port(change))[0] == 1


def test_json_of_compare(run, directory, model, port):
    path = port(spoiled("lm_head.gelu"))
    code, output, errors = run("compare", directory, "--port", path, "--json")
    assert (code, errors) == (1, "")
    assert json_lines(output) == [compare(model, path).to_json()]


def test_all_tensors_and_a_picture(run_well, directory, model, port, tmp_path):
    picture = tmp_path / "errors.png"
    said = run_well("compare", directory, "--port", port(), "--all", "--plot", str(picture))
    assert said == compare(model, port()).report(every=True) + "\n"
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_picture_is_a_new_file(run, run_well, directory, port, tmp_path):
    picture = tmp_path / "errors.png"
    picture.write_bytes(b"mine")
    arguments = ["compare", directory, "--port", "nowhere", "--plot"]
    assert_sentence(run(*arguments, str(picture)), "is there already", "--overwrite")
    assert_sentence(run(*arguments, str(tmp_path / "x" / "a.png")), "there is no directory")
    assert picture.read_bytes() == b"mine"
    arguments[3] = port()
    run_well(*arguments, str(picture), "--overwrite")
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_arithmetic_of_the_port(run, run_well, directory, model, batch, port):
    half = trace(model.astype("float16"), **batch).tensors

    def in_float32(tensors):
        for name, one in half.items():
            tensors[name] = one.astype("float32") if one.dtype == "float16" else one

    path = port(in_float32)
    assert run("compare", directory, "--port", path)[0] == 1
    said = run_well("compare", directory, "--port", path, "--arithmetic", "float16")
    assert "1 layer, float16: " in said
    said = run_well("compare", directory, "--port", port(), "--accumulate", "tf32")
    assert "1 layer, float32, summed in tf32: " in said


def test_formats_are_those_there_are():
    assert {*command.FORMATS, "tf32"} == {*arithmetic.FORMATS}


# compare: ports


def test_a_trace_written_by_hand(run_well, directory, model, batch, tmp_path):
    """Write a file with what every language has: JSON and bytes."""
    logits = model(**batch).logits
    tensors = {
        "logits": ("F32", logits.astype("<f4")),
        "input_ids": ("I32", batch["input_ids"].astype("<i4")),
        "attention_mask": ("BOOL", batch["attention_mask"].astype(bool)),
    }
    header, data = {"__metadata__": {"minirobert.trace": "1", "made_by": "hand"}}, b""
    for name, (dtype, array) in tensors.items():
        end = len(data) + array.nbytes
        header[name] = {"dtype": dtype, "shape": array.shape, "data_offsets": [len(data), end]}
        data += array.tobytes()
    text = json.dumps(header).encode()
    path, names = tmp_path / "hand.safetensors", tmp_path / "map.json"
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)
    names.write_text('[["logits", "lm_head.logits"]]')
    said = run_well("compare", directory, "--port", str(path), "--names", str(names))
    assert "port: hand" in said
    assert f"{LOGITS} " in said
    run_well("compare", directory, "--port", str(path), "--names", "transformers")


def test_names_that_are_not_known(run, directory, port):
    def renamed(tensors):
        tensors["blk.0.attn_q"] = tensors.pop("roberta.encoder.layer.0.attention.self.query")

    path = port(renamed)
    code, output, _ = run("compare", directory, "--port", path)
    assert (code, "unknown names (1): blk.0.attn_q" in output) == (0, True)
    assert_sentence(run("compare", directory, "--port", path, "--names", "frob"), "frob")


@pytest.mark.parametrize(
    ("tensors", "metadata", "words"),
    [
        ({}, {}, "the port's trace has no tensors"),
        ({"input_ids": np.array([[0, 2]])}, {"weights": "[1]"}, "weights is '[1]', but must be"),
    ],
)
def test_a_trace_with_nothing_to_compare_is_told(
    directory, run, tmp_path, tensors, metadata, words
):
    path = tmp_path / "port.safetensors"
    write_tensors(path, tensors, metadata={"minirobert.trace": "1", **metadata})
    assert_sentence(run("compare", directory, "--port", str(path)), words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ([], ["float32: 29 of 29 tensors", "eager attention"]),
        (["--attention", "sdpa"], ["float32: 26 of 29 tensors", "sdpa attention"]),
        (["--attention", "sdpa", "--dtype", "float16"], ["float16: 26 of 29 tensors"]),
        (["--dtype", "bfloat16", "--device", "cpu"], ["bfloat16: 29 of 29 tensors"]),
        (["--dtype", "float64"], ["float64: 29 of 29 tensors"]),
    ],
)
def test_a_model_of_torch(run_well, directory, options, words):
    said = run_well("compare", directory, SKY, GRASS, "--torch", directory, *options)
    assert all(word in said for word in words), said
    assert "explains all that is shown" in said
    assert "weights:" not in said  # those of halves are rounded


def test_another_model_of_torch(run, directory, tmp_path):
    their = transformers.RobertaForMaskedLM.from_pretrained(directory, hidden_act="gelu_new")
    their.save_pretrained(tmp_path / "their")
    code, output, errors = run(
        "compare", directory, SKY, "--torch", str(tmp_path / "their"), "--json"
    )
    (found,) = json_lines(output)
    assert (code, errors) == (1, "")
    assert found["first"] == "roberta.encoder.layer.0.intermediate"
    assert any("hidden_act" in note for note in found["notes"])


@pytest.mark.parametrize("options", [[], ["--optimised"]])
def test_an_onnx_file(run_well, directory, model, tmp_path, options):
    path = tmp_path / "model.onnx"
    export_onnx(model, path)
    said = run_well("compare", directory, SKY, GRASS, "--onnx", str(path), *options)
    assert "port: onnxruntime" in said
    assert (
        compare(model, path, {"input_ids": [[0, 5, 2]], "attention_mask": [[1, 1, 1]]}).departing
        == ()
    )


@pytest.mark.parametrize("options", [["--dtype", "float16"], ["--device", "cpu"]])
def test_this_package_elsewhere(run_well, directory, options):
    said = run_well("compare", directory, SKY, *options)
    assert "32 of 32 tensors" in said
    assert "port: minirobert" in said


def test_other_classes(run_well, directory, tmp_path):
    with pytest.warns(match="no weights for"):
        model = minirobert.RobertaForQuestionAnswering.from_pretrained(directory)
    model.save_pretrained(tmp_path)
    RobertaTokenizer.from_pretrained().save_pretrained(tmp_path)
    own = str(tmp_path)
    said = run_well("compare", own, "who?\tA cat", "--pair", "--torch", own, "--dtype", "float64")
    assert "RobertaForQuestionAnswering" in said
    said = run_well(
        *("compare", own, SKY, "--dtype", "float16", "--class", "RobertaModel", "--no-pooler")
    )
    assert "RobertaModel, 1 layer, float16: 28 of 28" in said


def test_a_torch_module_and_a_file_in_python(model, batch, directory, port):
    module = transformers.RobertaForMaskedLM.from_pretrained(directory, attn_implementation="eager")
    assert len(compare(model, module, batch).compared) == 29
    with pytest.raises(ValueError, match="the port must be run"):
        compare(model, module)
    with pytest.raises(TypeError, match="port is a int"):
        compare(model, 7)
    assert compare(model, port()).verdict == "rounding"
    tensors = traced(model, **batch).tensors
    own = {name.replace("lm_head.logits", "logits"): one for name, one in tensors.items()}
    assert compare(model, own, names=[["logits", LOGITS]]).unknown == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["TEXT"], ["there is no port", "--port FILE"]),
        (["--port", "nowhere.safetensors"], ["nowhere.safetensors"]),
        (["--port", "PORT", "--onnx", "x"], ["not allowed with"]),
        (["--port", "PORT", "--dtype", "float16"], ["--dtype says nothing with --port"]),
        (["--onnx", "x.onnx", "--device", "cpu"], ["--device says nothing with --onnx"]),
        (["--port", "PORT", "--attention", "sdpa"], ["--attention says nothing without --torch"]),
        (["--port", "PORT", "--optimised"], ["--optimised says nothing without --onnx"]),
        (["TEXT", "--torch", "MODEL", "--names", "x"], ["--names says nothing without --port"]),
        (["TEXT", "--torch", "nowhere"], ["nowhere"]),
        (["TEXT", "--onnx", "nowhere.onnx"], ["nowhere.onnx"]),
        (["TEXT", "--onnx", "/dev/zero"], ["'/dev/zero' is no file", "ONNX"]),
        (["TEXT", "--device", "cuda:99"], ["cuda"]),
        (["--port", "PORT", "--plot", "a.xyz"], ["a.xyz is no name of a picture"]),
        (["--port", "CONFIG"], ["config.json"]),
        (["--port", "WEIGHTS"], ["is no trace", "minirobert.trace"]),
    ],
)
def test_errors_of_compare(run, directory, port, arguments, words):
    names = {
        "PORT": port(), "TEXT": SKY, "MODEL": directory, "CONFIG": f"{directory}/config.json",
        "WEIGHTS": f"{directory}/model.safetensors",
    }  # fmt: skip
    code, output, errors = run("compare", directory, *(names.get(one, one) for one in arguments))
    assert (code, output) == (2, "")
    assert all(word in errors for word in words), errors


def test_compare_reads_stdin(run_well, stdin, directory):
    stdin(f"{SKY}\n{GRASS}\n")
    assert "input" in run_well("compare", directory, "--dtype", "float16")


def test_stdin_without_a_line(run, stdin, directory):
    stdin("")
    assert_sentence(run("compare", directory, "--dtype", "float16"), "there is no text")


# inspect --computed


def test_names_of_what_is_computed(run_well, directory, tmp_path):
    config = RobertaConfig.from_pretrained(directory)
    table = intermediates(config, "RobertaForMaskedLM")
    lines = [
        line.rsplit("  ", 2) for line in run_well("inspect", directory, "--computed").splitlines()
    ]
    assert [line[0].split("  ")[0] for line in lines[1:]] == [*table]
    (found,) = json_lines(run_well("inspect", directory, "--computed", "--json"))
    assert found == {name: one._asdict() for name, one in table.items()}
    path = tmp_path / "config.json"
    config.chunk_size_feed_forward = 3
    config.to_json_file(path)
    said = run_well("inspect", str(path), "--computed", "--class", "RobertaForTokenClassification")
    assert "classifier.logits" in said
    assert "chunk" not in said


def test_modules_are_loaded_when_they_are_needed():
    assert "numerics" not in inspect.getsource(command).partition("def ")[0]
