"""What a comparison shows, as text, HTML, JSON and a picture, and what it advises."""

import json
import math
import re
import sys
from dataclasses import fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaForQuestionAnswering, RobertaModel
from minirobert.numerics import Arithmetic, Comparison, DepartureError, Row, compare
from minirobert.numerics.comparison import OutputRow
from minirobert.numerics.report import json_object, number
from minirobert.numerics.report.advice import advice
from minirobert.numerics.rows import Explanation
from minirobert.numerics.steps import short
from tests.numerics.small import BATCH, LAYER, only, small_model, traced

TWO_MISTAKES = {"layer.1.attention.self.value": lambda x: x[:, ::-1], "lm_head.gelu": abs}


@pytest.fixture(scope="module")
def model():
    return small_model()


@pytest.fixture(scope="module")
def right(model):
    return compare(model, traced(model))


@pytest.fixture(scope="module")
def wrong(model):
    everywhere = {".intermediate": lambda x: x * 1.001, **TWO_MISTAKES}
    return compare(model, traced(model, everywhere), explain=False)


def made_up(*rows, **more):
    """Make a comparison of rows that no port has shown."""
    return Comparison(rows, Arithmetic("float32"), "RobertaForMaskedLM", 1, **more)


def departing(name, **more):
    more = {"ratio": 500.0, "shape": (2, 3, 7, 11), "dtype": "float32", **more}
    return Row(name, "departs", **more)


def table(text):
    """Read the lines of the table: name, ratio and verdict."""
    lines = text.split("\n\n")[1].splitlines()[1:]
    return [(line[:40].strip(), line[59:70].strip(), line[70:].strip()) for line in lines
            if not line.startswith("    ")]  # fmt: skip


# Text


def test_tensors_that_agree_are_folded(right):
    text = str(right)
    assert [(name, verdict) for name, _, verdict in table(text)] == [
        ("inputs (4)", "exact"),
        ("embeddings (6)", "rounding"),
        ("layers 0 to 2 (54)", "rounding"),
        ("lm_head (4)", "rounding"),
    ]
    assert "68 of 68 tensors compared" in text.splitlines()[0]
    worst = max(row.ratio for row in right.rows if "layer." in row.name)
    assert table(text)[2][1] == number(worst)
    assert "explains all that is shown" in text


def test_departures_stand_at_their_place(wrong):
    text = str(wrong)
    assert [(name, verdict) for name, _, verdict in table(text)] == [
        ("inputs (4)", "exact"),
        ("embeddings (6)", "rounding"),
        ("layer 0 (14)", "rounding"),
        ("layer.0.intermediate", "departs"),
        ("layers 0 to 1 (8)", "inherits"),
        ("layer.1.attention.self.value", "departs"),
        ("layers 1 to 2 (28)", "inherits"),
        ("lm_head.dense", "inherits"),
        ("lm_head.gelu", "departs"),
        ("lm_head (2)", "inherits"),
    ]
    assert "the same in layers 1, 2 (ratio up to " in text
    worst = wrong["lm_head.gelu"]
    flat = re.sub(r"\s+", " ", text)
    assert f"worst at text {worst.at[0]}, token {worst.at[1]}, unit {worst.at[2]}: yours" in flat
    assert "layer.1.attention.self.value, lm_head.gelu" in flat
    n_inherited = sum(row.inherited for row in wrong.rows)
    assert f"{n_inherited} tensors behind it inherit the error" in flat
    assert "Its formula is minirobert.functional.ACTIVATIONS." in flat


def test_lines_have_80_columns(model, right, wrong):
    bare = compare(model, only(traced(model), "lm_head.logits"))
    for one in (right, wrong, bare):
        for every in (False, True):
            assert all(len(line) <= 80 for line in one.report(every=every).splitlines())


def test_every_tensor_may_have_a_line(wrong):
    names = [name for name, _, _ in table(wrong.report(every=True))]
    assert len(names) == len(wrong.compared)
    assert names[4:7] == [
        f"embeddings.{one}_embeddings" for one in ("word", "token_type", "position")
    ]


def test_details_of_a_departure():
    explained = (
        Explanation("the activation is gelu_new, not gelu", 0.4),
        Explanation("the variance is computed in one pass", 0.5, is_coarse=True),
    )
    name = f"{LAYER}.0.attention.self.scores"
    row = departing(
        name, at=(1, 2, 6, 10), port=0.84134, expected=0.84181, max_abs=4.7e-4, mean_abs=1e-5,
        ulp=310.0, cosine=0.9999, budget=9.4e-7, explanations=explained,
    )  # fmt: skip
    other = departing(name.replace("0", "5"), ratio=3.0)
    text = re.sub(r"\s+", " ", str(made_up(row, other)))
    assert "layer.0.attention.self.scores 4.7e-04 9.4e-07 500 departs shape [2, 3, 7, 11]" in text
    assert "worst at text 1, head 2, query 6, key 10: yours 0.84134, here 0.84181" in text
    assert "error at most 4.7e-04, in the mean 1.0e-05; 310 ulp; cosine 0.999900" in text
    assert "fits: the activation is gelu_new, not gelu (ratio 0.4)" in text
    assert "one pass (ratio 0.5); it loses digits, and is no mistake" in text
    assert "the same in layer 5 (ratio up to 3)" in text
    assert "A known mistake explains it: the activation is gelu_new, not gelu." in text


def test_scores_that_should_be_masked_are_not_measured():
    for name, measures in (("scores", True), ("scores.masked", False)):
        text = str(made_up(departing(f"{LAYER}.0.attention.self.{name}")))
        assert ("cosine" in text) == measures


def test_the_heads_of_a_context():
    scope = f"{LAYER}.0.attention.self"
    scores = Row(f"{scope}.scores", "missing", shape=(2, 3, 7, 7))
    context = departing(f"{scope}.context", at=(1, 4, 9), shape=(2, 7, 12))
    assert "text 1, token 4, head 2, unit 1" in re.sub(r"\s+", " ", str(made_up(scores, context)))


def test_shapes_and_infinities():
    text = str(made_up(departing("lm_head.dense", reason="shape")))
    assert "shape [2, 3, 7, 11], but must be [B, S, H]" in text
    assert "another shape than here" in text
    text = str(made_up(departing("lm_head.dense", reason="range", port=math.inf, ratio=math.inf)))
    assert "yours inf" in text
    assert "overflow" in text


def test_what_else_is_told(model):
    port = only(traced(model), "lm_head.logits")
    tensors = {**port.tensors, **{f"blk.{i}.attn_q": np.zeros(3) for i in range(2)}}
    text = str(compare(model, replace(port, tensors=tensors, made_by="my port 日本")))
    flat = re.sub(r"\s+", " ", text)
    assert "port: my port 日本" in text
    assert "unknown names (2): blk.0.attn_q, blk.1.attn_q" in flat
    assert "not shown (66): token_type_ids, position_ids, attend, embeddings.*, " in flat
    assert "layer.{0..2}.*, lm_head.dense" in flat
    assert "lm_head.logits: yours is " in flat
    assert "66 steps are not shown" in flat


def test_weights_and_notes_are_told_in_short():
    notes = [f"weights: {LAYER}.{i}.output.dense.weight differs" for i in range(9)]
    notes += ["weights: lm_head.dense.weight is the transpose", "config: layer_norm_eps is 1 …"]
    text = str(made_up(departing("lm_head.dense"), notes=tuple(notes)))
    assert "weights: 9 differs: layer.{0..8}.output.dense.weight" in text
    assert "weights: 1 is the transpose: lm_head.dense.weight" in text
    assert "The configurations differ" in text


def test_no_character_of_a_name_disturbs_the_terminal():
    text = str(made_up(departing("lm_head.gelu"), unknown=("a\x1b\nb",), made_by="c\r\x1b"))
    assert text.replace("\n", "").isprintable()
    assert "a\\x1b\\nb" in text


@given(st.floats())
def test_numbers_are_short(x):
    assert len(number(x)) <= 9
    if math.isfinite(x) and abs(x) < 1e308 and x:
        assert abs(float(number(x).replace(",", "")) / x - 1) < 0.06


# Advice


@pytest.mark.parametrize(
    ("dtype", "words"),
    [
        ("float16", "In float16 mistakes as small"),
        ("float32", "cannot be told in float32"),
        ("float64", "the very same"),
    ],
)
def test_advice_on_what_cannot_be_told(model, dtype, words):
    said = advice(compare(model, model.astype(dtype), BATCH))
    assert words in said
    assert ("run the port in float64" in said) == (dtype != "float64")


def test_advice_where_all_is_exact():
    row = Row("lm_head.logits", "exact", shape=(2, 7, 31))
    assert advice(made_up(row)).startswith("All that is shown is the very same, number for number.")


def test_advice_where_only_the_end_is_off():
    row = Row("lm_head.logits", "rounding", ratio=0.9)
    end = OutputRow("lm_head.logits", 50.0, math.nan, 20.0)
    text = str(made_up(row, outputs=(end,)))
    assert "yours is 50 u from exact; rounding explains up to 20" in text
    assert "further from exact than rounding explains" in re.sub(r"\s+", " ", text)


def test_advice_on_inputs_that_differ(model):
    ids = BATCH["input_ids"] + (BATCH["input_ids"] == 9)
    result = compare(model, traced(model, input_ids=ids), {**BATCH, "attention_mask": None})
    assert result.first.name == "input_ids"
    assert advice(result) == (
        "The port has other input_ids than the reference, so nothing behind says anything: give "
        "both the same."
    )


def test_advice_where_nothing_is_known():
    empty = made_up(Row("lm_head.logits", "missing"))
    assert empty.verdict == "nothing"
    assert "Nothing could be compared" in str(empty)
    assert made_up().to_json()["verdict"] == "nothing"


@pytest.mark.parametrize(
    "place",
    [
        "embeddings.sum",
        "layer.0.attention.self.key",
        "layer.1.output.dense",
        "layer.2.output.LayerNorm",
    ],
)
def test_following_the_advice_finds_the_mistake(model, place):
    port = traced(model, {place: lambda x: x + np.sin(3 * x)})
    shown = ["lm_head.logits"]
    for _ in range(9):
        found = compare(model, only(port, *shown), explain=False).to_json()
        if found["next"] is None:
            break
        assert found["next"] not in shown
        assert f" {short(found['next'])} into the trace" in found["advice"]
        shown.append(found["next"])
    assert found["first"].endswith(place)


# JSON


def test_json_is_strict_and_complete(wrong):
    found = json.loads(json.dumps(wrong.to_json(), allow_nan=False))
    assert (found["version"], found["verdict"], found["layers"]) == (1, "departs", 3)
    assert [one["name"] for one in found["tensors"]] == [row.name for row in wrong.rows]
    by_name = {one["name"]: one for one in found["tensors"]}
    dense = by_name[f"{LAYER}.2.output.sum"]
    residual = f"{LAYER}.2.attention.output.LayerNorm"
    assert sorted(dense["inputs"]) == [residual, f"{LAYER}.2.output.dense"]
    assert (dense["local"], dense["inherited"]) == (True, True)
    first = by_name[found["first"]]
    assert (first["status"], first["axes"]) == ("departs", "[B, S, I]")
    assert first["formula"] == "functional.ACTIVATIONS"
    groups = {one["kind"]: one["layers"] for one in found["groups"]}
    assert groups["layer.*.intermediate"] == [0, 1, 2]
    assert groups["lm_head.gelu"] == []
    assert found["arithmetic"] == {"store": "float32", "accumulate": "float32"}
    assert re.fullmatch("[0-9a-f]{64}", found["config_sha256"])


def test_every_key_is_documented(wrong):
    found = wrong.to_json()
    said = json_object.__doc__
    keys = {*found, *found["tensors"][0], *found["groups"][0], *found["outputs"][0]}
    keys |= {"text", "ratio", "coarse", "store", "accumulate"}
    assert all(f"``{key}``" in said or f'"{key}"' in said for key in keys)
    measured = {one.name for one in fields(Row)} - {"verdict"}
    assert measured <= {*found["tensors"][0], *said.split("``")}


def test_numbers_that_json_does_not_have(model):
    row = departing("lm_head.dense", reason="range", port=-math.inf, ratio=math.inf, ulp=math.nan)
    end = OutputRow("lm_head.dense", math.inf, math.nan, 3.0)
    found = json.loads(json.dumps(made_up(row, outputs=(end,)).to_json(), allow_nan=False))
    one = found["tensors"][0]
    assert (one["port"], one["ratio"], one["ulp"]) == ("-Infinity", "Infinity", "NaN")
    assert found["outputs"][0]["own_vs_exact_u"] is None
    assert found["config_sha256"] is None


def test_what_is_not_shown_makes_a_step_less_local(model):
    scope = f"{LAYER}.1.attention.self."
    port = traced(model)
    fused = [one for one in port.tensors if not one.endswith((".scores", ".masked", "abilities"))]
    found = compare(model, only(port, *fused)).to_json()
    tensors = {one["name"]: one for one in found["tensors"]}
    assert tensors[f"{scope}scores"] | {"shape": 0} == {
        "name": f"{scope}scores", "status": "missing", "shape": 0, "axes": "[B, N, S, T]",
        "formula": "attention.self_attention", "inputs": [f"{scope}query", f"{scope}key"],
        "local": True,
    }  # fmt: skip
    assert not tensors[f"{scope}context"]["local"]
    assert tensors[f"{LAYER}.1.attention.output.dense"]["local"]


# HTML


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.text = [], [], ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data + "\n"


def test_html(wrong):
    page = Page(wrong._repr_html_())
    assert page.tags.count("tr") == len(wrong.compared) + 2
    assert "script" not in page.tags
    for row in wrong.compared:
        assert row.name in page.text
    assert "inherits" in page.text
    assert "head " in page.text


def test_html_is_escaped():
    name = "<script>&\"'"
    row = departing("lm_head.dense", reason="range", explanations=(Explanation(name, 0.1),))
    result = made_up(row, unknown=(name,), notes=(name,), made_by=name)
    page = Page(result._repr_html_())
    assert "script" not in page.tags
    assert page.text.count(name) == 4


# Picture


def test_picture(wrong, tmp_path):
    path = tmp_path / "errors.png"
    figure = wrong.plot(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert sum(len(one.get_offsets()) for one in axes.collections) == len(wrong.compared)
    marks = [text.get_text() for text in axes.get_xticklabels()]
    assert marks == ["inputs", "embeddings", "layer 0", "layer 1", "layer 2", "lm_head"]
    wrong.plot(tmp_path / "errors.svg")
    assert (tmp_path / "errors.svg").read_text(encoding="utf-8").startswith("<?xml")


def test_infinite_ratios_have_a_place():
    row = departing("lm_head.dense", reason="range", ratio=math.inf)
    (axes,) = made_up(row, Row("lm_head.gelu", "exact")).plot().axes
    heights = [one.get_offsets()[0][1] for one in axes.collections]
    assert all(0 < height < 1e10 for height in heights)


def test_a_picture_that_cannot_be_drawn(wrong, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"errors\.xyz is no name of a picture.*\.png"):
        wrong.plot(tmp_path / "errors.xyz")
    with pytest.raises(OSError, match="make the directory first"):
        wrong.plot(tmp_path / "nowhere" / "errors.png")
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        wrong.plot()
    assert not list(tmp_path.iterdir())


# The object


def test_a_departure_raises_the_report(right, wrong):
    right.raise_for_departure()
    with pytest.raises(DepartureError) as caught:
        wrong.raise_for_departure()
    assert str(caught.value) == str(wrong)
    assert issubclass(DepartureError, AssertionError)


def test_repr_is_short(wrong):
    assert repr(wrong) == "<Comparison: departs, 68 of 68 tensors compared, 5 depart>"


def test_what_is_required(model, right):
    assert right.lacking() == ()
    logits = compare(model, only(traced(model), "lm_head.logits"))
    assert logits.lacking() == ()
    assert logits.lacking("embeddings", "lm_head.logits") == ("roberta.embeddings",)
    assert compare(model, only(traced(model), "lm_head.dense")).lacking() == ("lm_head.logits",)
    with pytest.raises(KeyError, match="no tensor frob"):
        logits.lacking("frob")


def test_results_of_other_classes():
    base = small_model(RobertaModel, num_hidden_layers=1)
    state = "encoder.layer.0.output.LayerNorm"
    port = traced(base)
    assert compare(base, only(port, "embeddings")).lacking() == (state, "pooler")
    assert compare(base, only(port, state, "pooler")).lacking() == ()
    asked = small_model(RobertaForQuestionAnswering, num_hidden_layers=1)
    port, ends = traced(asked), [f"qa_outputs.{one}_logits" for one in ("start", "end")]
    assert compare(asked, only(port, ends[0])).lacking() == (ends[1],)
    assert compare(asked, only(port, *ends)).lacking() == ()
    assert compare(asked, only(port, "qa_outputs.logits")).lacking() == ()
