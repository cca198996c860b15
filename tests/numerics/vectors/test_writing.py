"""The vectors as they are written: what they cover, and that every machine writes the same."""

import errno
import hashlib
import json
import re
from dataclasses import fields

import numpy as np
import pytest

import minirobert
from minirobert.config import RobertaConfig
from minirobert.config_fields import ACTIVATION_NAMES
from minirobert.generation.processors import CHANGES, CHANGES_OF_DRAWING, LAST_CHANGES
from minirobert.numerics import Trace
from minirobert.numerics.tensor_file import read_tensors
from minirobert.numerics.vectors import write_vectors, writing
from minirobert.numerics.vectors.mistakes import MISTAKES
from minirobert.numerics.vectors.tensors import BUDGET
from minirobert.parameters import HEADS
from minirobert.tokenization.rows.options import CallOptions
from tests.numerics.vectors.written import cases, expected

#: Of all that is in the vectors but the budgets. Where it changes, so must VERSION.
SHA = "18672b69df17f43d2f6b6d6050a79f389bf9b2a3261834ef3811380c751aeebf"
#: Of the budgets, and of the mistakes that they show. It changes with the bounds.
SHA_OF_BUDGETS = "60fbdb2b69ddf22cb057330de01bf435785b65c90058a9664a4359c8860d2106"

#: Fields of a configuration that change nothing of what is computed.
NO_MATTER = {
    *("initializer_range", "use_cache", "output_attentions", "output_hidden_states", "return_dict"),
    *("id2label", "label2id", "architectures", "dtype", "model_type", "extra", "bos_token_id"),
    *("eos_token_id",),
}


def manifest(directory):
    return json.loads((directory / "manifest.json").read_text())


def digests(directory):
    return manifest(directory)["sha256"]


def test_every_machine_writes_these_bytes(vectors):
    """Here it was one without the instructions of today's processors."""
    values, budgets = hashlib.sha256(), hashlib.sha256()
    for path in digests(vectors):
        if path.endswith("expected.safetensors"):
            for name, array in expected(vectors, path.partition("/")[0]).items():
                digest = budgets if name.startswith(BUDGET) else values
                digest.update(name.encode() + array.tobytes())
        elif path != "README.md":
            values.update((vectors / path).read_bytes())
    shown = [case["shows"] for case in manifest(vectors)["cases"]]
    budgets.update(json.dumps(shown).encode())
    assert (values.hexdigest(), budgets.hexdigest()) == (SHA, SHA_OF_BUDGETS)


def test_the_manifest_names_all_files(vectors):
    there = {path.relative_to(vectors).as_posix() for path in vectors.rglob("*") if path.is_file()}
    assert there == {*digests(vectors), "manifest.json"}
    assert sum((vectors / path).stat().st_size for path in there) < 20e6


def test_json_is_ascii(vectors):
    for path in vectors.rglob("*.json"):
        json.loads(path.read_bytes().decode("ascii"))


def test_every_mistake_shows(vectors):
    """By 50 budgets in some case, and in its outputs, unless the manifest says why it cannot."""
    shown = [one for case in manifest(vectors)["cases"] for one in case["shows"]]
    for mistake in MISTAKES:
        own = [one for one in shown if one["mistake"] == mistake.name]
        assert max(one["budgets"] for one in own) >= 50, mistake.name
        assert max(one["of_outputs"] for one in own) >= 29 or "remark" in own[0], mistake.name
    (remarked,) = {one["mistake"] for one in shown if "remark" in one}
    assert remarked == "key without its bias"


def test_every_field_of_the_configuration_is_covered():
    usual = RobertaConfig()
    for field in {one.name for one in fields(RobertaConfig)} - NO_MATTER:
        values = {repr(getattr(case.config, field)) for case in cases().values()}
        assert len(values) > 1 or values != {repr(getattr(usual, field))}, field
    assert {case.config.hidden_act for case in cases().values()} == set(ACTIVATION_NAMES)
    kinds = {case.config.position_embedding_type for case in cases().values()}
    assert kinds == {"absolute", "relative_key", "relative_key_query"}
    assert {0, 1, 5} <= {case.config.pad_token_id for case in cases().values()}


def test_every_class_is_covered():
    heads = {name for name in HEADS if hasattr(minirobert, name)}  # others are those of tests
    assert {case.architecture for case in cases().values()} == {"RobertaModel", *heads}
    with_loss = {case.architecture for case in cases().values() if "loss" in case.outputs}
    assert with_loss == heads
    assert {case.config.problem_type for case in cases().values()} == {
        *("regression", "single_label_classification", "multi_label_classification", None)
    }


def test_every_option_of_a_call_of_the_tokenizer_is_covered(vectors):
    groups = json.loads((vectors / "tokenizer/cases.json").read_text())["groups"]
    options = {name for group in groups for case in group["cases"] for name in case["options"]}
    settings = {name for group in groups for name in group["settings"]}
    columns = {name for name in CallOptions._fields if name.startswith("return_")}
    about_arrays = {*columns, "verbose"} - {"return_overflowing_tokens"}
    assert set(CallOptions._fields) - about_arrays <= options | settings


def test_every_option_of_generation_is_covered(vectors):
    groups = json.loads((vectors / "generation/cases.json").read_text())["groups"]
    changes = {
        name for group in groups for case in group["cases"] for name in case.get("change", ())
    }
    functions = {"prefix_allowed_tokens_fn", "logits_processor"}
    known = {*CHANGES, *CHANGES_OF_DRAWING, *LAST_CHANGES} - functions - {"remove_invalid_values"}
    assert known <= changes
    page = (vectors / "README.md").read_text("utf-8")
    assert {name for name in (*known, *ACTIVATION_NAMES) if f"`{name}`" not in page} == set()


def test_the_files_are_a_model_and_a_trace(vectors):
    for name, case in cases().items():
        trace = Trace.read(vectors / name / "expected.safetensors")
        assert trace.architecture == case.architecture
        assert trace.config == case.config == RobertaConfig.from_pretrained(vectors / name)
        assert set(case.outputs) <= trace.tensors.keys()
        weights = read_tensors(vectors / name / "model.safetensors")
        assert set(weights.dtypes.values()) == {"float32"}
        assert all(np.any(one) for one in weights.tensors.values())


def test_each_number_has_a_budget(vectors):
    for name in cases():
        tensors = expected(vectors, name)
        inputs = set(json.loads((vectors / name / "inputs.json").read_text())["calls"][0])
        for step, array in tensors.items():
            own = step.removeprefix("call.1.").removeprefix("call.2.")
            if step.startswith(BUDGET) or own in inputs or array.dtype.kind != "f":
                continue
            if own.endswith(("_embeddings", "distance_embedding")):  # rows of tables
                assert BUDGET + step not in tensors
                continue
            if np.all(np.isnan(array)):
                continue
            budget = tensors[BUDGET + step]
            assert budget.shape == array.shape
            assert np.all((budget > 0) | (array == 0)), step  # a masked head is 0
            if not own.endswith((".scores", ".scores.masked")):
                assert np.all(budget <= 1e-3 * np.max(abs(array))), step


def test_the_page_explains_every_tensor(vectors):
    page = (vectors / "README.md").read_text("utf-8")
    steps = {step for name in cases() for step in expected(vectors, name)}
    for last in {step.removesuffix(".kept").rpartition(".")[2] for step in steps}:
        assert re.search(rf"`[^`]*\b{last}`", page), last


def test_a_directory_that_holds_something_is_refused(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ValueError, match="is not empty: give a new directory"):
        write_vectors(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_full_disk_leaves_nothing(tmp_path, monkeypatch):
    def write_tensors(path, *_, **__):
        assert (path.parent / "config.json").exists()
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "write_tensors", write_tensors)
    with pytest.raises(OSError, match="No space left"):
        write_vectors(tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
