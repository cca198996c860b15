"""The command ``export``."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification, models
from tests.test_cli import assert_sentence

IDS, MASK = np.array([[0, 5, 6, 2], [0, 7, 2, 1]]), np.array([[1, 1, 0, 1], [1, 1, 1, 0]])
SIZES = {"vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1}


@pytest.fixture
def classifier(tmp_path):
    """Save a classifier under one of the other names of RoBERTa's architecture."""
    directory = tmp_path / "classifier"
    model = RobertaForSequenceClassification(RobertaConfig(**SIZES, type_vocab_size=2), seed=1)
    model.save_pretrained(directory)
    path = directory / "config.json"
    said = json.loads(path.read_text())
    said |= {
        "architectures": ["XLMRobertaForSequenceClassification"], "model_type": "xlm-roberta",
    }  # fmt: skip
    path.write_text(json.dumps(said))
    return str(directory)


def answer(path, **inputs):
    session = onnxruntime.InferenceSession(path)
    names = [one.name for one in session.get_outputs()]
    return dict(zip(names, session.run(None, inputs), strict=True))


def test_the_bundled_model(run_well, tmp_path):
    out = tmp_path / "tiny.onnx"
    said = run_well("export", "--out", str(out))
    assert said == f"RobertaForMaskedLM in float32, saved in {out}\n"
    logits = answer(out, input_ids=IDS, attention_mask=MASK)["logits"]
    expected = RobertaForMaskedLM.from_pretrained()(IDS, MASK).logits
    np.testing.assert_allclose(logits, expected, atol=3e-5)


def test_all_options_and_the_class_of_the_configuration(run_well, classifier, tmp_path):
    out = str(tmp_path / "model.onnx")
    options = ["--intermediates", "--token-type-ids", "--dtype", "float64", "--json"]
    said = run_well("export", classifier, "--out", out, *options)
    assert json.loads(said) == {
        "class": "RobertaForSequenceClassification", "dtype": "float64", "files": [out],
    }  # fmt: skip
    call = {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": MASK}
    found = answer(out, **call)
    model = RobertaForSequenceClassification.from_pretrained(classifier, dtype="float64")
    np.testing.assert_allclose(found["logits"], model(**call).logits, rtol=1e-12)
    assert found["roberta.encoder.layer.0.attention.self.scores"].shape == (2, 3, 4, 4)


@pytest.mark.parametrize(("options", "outputs"), [([], 2), (["--no-pooler"], 1)])
@pytest.mark.filterwarnings("always:.*has no weights for pooler")
def test_another_class(run, tmp_path, options, outputs):
    out = str(tmp_path / "model.onnx")
    code, _, errors = run("export", "--class", "RobertaModel", "--out", out, *options)
    assert (code, bool(errors)) == (0, not options)  # the pooler is drawn, which is told
    assert len(onnx.load(out).graph.output) == outputs


@pytest.mark.parametrize("kind", models.__all__)
def test_every_class_is_offered(run, kind):
    is_model = kind == "RobertaModel" or kind.startswith("RobertaFor")
    assert (f"{kind}," in run("export", "--help")[1].replace("}", ",")) == is_model


def test_errors_leave_what_was_there(run, classifier, tmp_path, monkeypatch):
    out = tmp_path / "model.onnx"
    out.write_bytes(b"before")
    command = ["export", classifier, "--overwrite", "--out"]
    assert_sentence(run("export", classifier, "--out", str(out)), "is there already", "--overwrite")
    assert_sentence(run(*command, str(tmp_path)), "is a directory")
    assert_sentence(run(*command, str(tmp_path / "no" / "m.onnx")), "there is no directory")
    assert_sentence(run(*command, str(out), "--no-pooler"), "--no-pooler is for RobertaModel")
    assert_sentence(run("export", "nowhere", "--overwrite", "--out", str(out)), "nowhere")
    assert_sentence(run(*command, str(out), "--dtype", "bfloat16"), "bfloat16 is not exported")
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert_sentence(run(*command, str(out)), "pip install onnx")
    assert out.read_bytes() == b"before"
    code, _, errors = run("export", classifier)
    assert code == 2
    assert "--out" in errors
