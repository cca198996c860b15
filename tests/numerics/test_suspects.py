"""Each planted mistake is named, and no other in its place."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
import torch

import minirobert as mr
from minirobert.functional import ACTIVATIONS, layer_norm, log_softmax, softmax
from minirobert.numerics import compare, trace
from minirobert.numerics.replay import round_to
from minirobert.numerics.rows import Explanation
from minirobert.numerics.suspects import _ranked
from minirobert.numerics.suspects.digits import is_in_format
from minirobert.numerics.torch_port import trace_torch
from minirobert.observe import watch
from minirobert.parameters import build_tree, flatten
from tests.equivalence.strategies import with_parameters_of
from tests.numerics.models import drawn_model, vector
from tests.numerics.planted import BY_ID, PLANTED

#: What the best explanation of a step says, for each mistake planted in transformers.
SAID = {
    "tanh-gelu": "the activation is gelu_new, not gelu$",
    "quick-gelu": "the activation is quick_gelu, not gelu$",
    "lm-head-tanh-gelu": "the activation is gelu_new, not gelu$",
    "lm-head-relu": "the activation is relu, not gelu$",
    "lm-head-without-norm": "there is no layer norm$",
    "lm-head-without-bias": "the bias is left out$",
    "decoder-not-tied": "it is a linear map of its input, but with other weights",
    "pooler-on-last-token": "it is of the last token, not the first$",
    "eps-1e-12": "layer_norm_eps is 1e-12, not",
    "eps-1e-6": "layer_norm_eps is 1e-06, not",
    "eps-outside-root": "eps is added outside the root$",
    "unbiased-variance": "the variance is divided by H - 1$",
    "positions-from-0": "positions are counted from 0, not behind padding_idx",
    "positions-one-more": "positions are one more$",
    "positions-one-less": "positions are one less$",
    "positions-from-mask": "positions are counted from the attention mask$",
    "positions-through-padding": "positions are counted through padding$",
    "token-types-off-by-one": "token types are one more|token types 0 and 1 are exchanged",
    "embeddings-times-sqrt-h": r"embeddings are multiplied by sqrt\(H\)$",
    "row-permuted": "rows of the vocabulary have their numbers permuted: of id",
    "no-scale": r"scores are not divided by sqrt\(D\)$",
    "scale-twice": "scores are divided by D: the scale is applied twice$",
    "heads-not-transposed": "heads are split without transpose$",
    "softmax-over-queries": "softmax is over the queries, not the keys$",
    "mask-minus-10000": "masked scores have -10000 added$",
    "padding-attended": "nothing is masked$",
    "key-and-value-swapped": "key and value are exchanged$",
    "transposed-weight": "the weight is transposed$",
    "no-value-bias": "the bias is left out$",
    "no-key-bias": "the bias is left out$",
    "layer-skipped": "a layer is skipped",
    "layers-swapped": "layers 0 and 1 are exchanged$",
    "pre-norm": "pre-LN",
    "residual-after-norm": "the residual is added after the norm$",
    "no-residual": "the residual is left out$",
    "float16-sums": "its numbers are those of float16",
    "tf32-products": "products are of factors rounded to tf32$",
    "dropout-left-on": "dropout is on, with p 0.1$",
    "one-nan": "1 of 1120 numbers is NaN or infinite; the others are right$",
    "other-ids": "the ids are others at 4 of 28 places",
}
#: Of drawn models also this, which is the same mistake in other words, or the same numbers.
ALSO = {
    "decoder-not-tied": "^$",  # of few positions, where other weights would give anything
    "positions-from-0": "positions are",  # with few tokens or pads several are the same
    "positions-one-less": "positions are",
    "positions-through-padding": "positions are",
    "positions-from-mask": "positions are",
    "token-types-off-by-one": "token types",
    "padding-attended": "mask",
    "one-nan": "numbers is NaN or infinite",
    "other-ids": "the ids are others|each id",
    "float16-sums": "float16|tf32",
    "residual-after-norm": "the residual",
    "dropout-left-on": "dropout is on, with p 0.1 elsewhere",
}


def ours(case):
    """Make our model of a case, in float32."""
    model = getattr(mr, case.class_name)(mr.RobertaConfig(**case.config)).astype("float64")
    return with_parameters_of(case.module, model).astype("float32")


def traced(module, case, *mistakes):
    """Trace the module with mistakes in it."""
    arguments = case.arguments
    if not mistakes:
        return trace_torch(module, arguments, weights=False)
    first, *others = mistakes
    with first.planted(module):
        planted = replace(case, arguments=first.arguments(arguments))
        return traced(module, planted, *others)


def best(row):
    return row.explanations[0].text if row.explanations else ""


@pytest.fixture(scope="module", params=["RobertaForMaskedLM", "RobertaModel"])
def shown(request):
    """Give the first vector: the case, its module in float32, our model."""
    case = vector(1, request.param)
    model = ours(case)
    return case, case.in_dtype(torch.float32), model


def test_each_planted_mistake_has_its_words():
    assert SAID.keys() == BY_ID.keys()


@pytest.mark.parametrize("mistake", PLANTED, ids=lambda one: one.id)
def test_planted_mistakes_are_named(shown, mistake):
    case, module, model = shown
    is_base = case.class_name == "RobertaModel"
    if not mistake.matters(module, case.arguments) or is_base != ("pooler" in mistake.id):
        return  # what both models show is tried in one
    rows = compare(model, traced(module, case, mistake), case.arguments).departing
    assert rows
    for row in rows:
        assert re.match(SAID[mistake.id], best(row)), (row.name, row.explanations)


def test_three_at_once_are_all_named():
    case = vector(1)
    model, module = ours(case), case.in_dtype(torch.float32)
    three = [BY_ID[one] for one in ("tanh-gelu", "key-and-value-swapped", "no-residual")]
    rows = compare(model, traced(module, case, *three), case.arguments).departing
    said = {best(row) for row in rows}
    assert said == {
        "the activation is gelu_new, not gelu",
        "key and value are exchanged",
        "the residual is left out",
    }


@pytest.mark.parametrize("seed", [7, 20, 24])  # the last has cross-attention
def test_no_other_mistake_is_named_in_drawn_models(seed):
    case = drawn_model(seed)
    model, module = ours(case), case.in_dtype(torch.float32)
    for mistake in PLANTED[seed % 3 :: 3]:
        if mistake.matters(module, case.arguments):
            rows = compare(model, traced(module, case, mistake), case.arguments).departing
            said = rf"{SAID[mistake.id]}|{ALSO.get(mistake.id, SAID[mistake.id])}"
            for row in rows:
                assert re.search(said, best(row)), (mistake.id, row.name, row.explanations)


def test_a_right_port_is_not_explained(shown):
    case, module, model = shown
    result = compare(model, traced(module, case), case.arguments)
    assert not result.departing
    assert not any(row.explanations for row in result.rows)


def test_nothing_is_looked_for_unasked(shown):
    case, module, model = shown
    port = traced(module, case, BY_ID["tanh-gelu"])
    rows = compare(model, port, case.arguments, explain=False).departing
    assert rows
    assert not any(row.explanations for row in rows)


def test_a_score_of_minus_10000_is_named_where_it_only_loses_digits():
    case = drawn_model(3014)
    model, module = ours(case), case.in_dtype(torch.float32)
    rows = compare(model, traced(module, case, BY_ID["mask-minus-10000"]), case.arguments).departing
    assert [best(row) for row in rows] == ["masked scores have -10000 added"] * 3


def test_rows_that_are_all_the_same_have_no_pattern():
    case = drawn_model(3012)  # of hidden size 1, whose layer norms give their bias
    model, module = ours(case), case.in_dtype(torch.float32)
    rows = compare(model, traced(module, case, BY_ID["pre-norm"]), case.arguments).departing
    assert rows
    assert {best(row) for row in rows if ".self." in row.name} == {""}


def test_sums_in_float16_are_named_in_a_port_of_float16():
    case = drawn_model(3104)
    model, module = ours(case), case.in_dtype(torch.float16)
    rows = compare(model, traced(module, case, BY_ID["float16-sums"]), case.arguments).departing
    assert [best(row) for row in rows] == ["sums or their factors are kept in float16"]


# Where the port does not show the step

FUSED = (".scores", ".scores.masked", ".probabilities")


def kept(port, keeps):
    return replace(port, tensors={name: one for name, one in port.tensors.items() if keeps(name)})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no-scale", "scores are not divided by sqrt(D), at attention.self.scores"),
        ("heads-not-transposed", "heads are split without transpose"),
        ("mask-minus-10000", "masked scores have -10000 added, at attention.self.probabilities"),
    ],
)
def test_mistakes_in_fused_attention_are_named(name, said):
    case = vector(1)
    model, module = ours(case), case.in_dtype(torch.float32)
    port = kept(traced(module, case, BY_ID[name]), lambda one: not one.endswith(FUSED))
    rows = compare(model, port, case.arguments).departing
    assert [row.name.rpartition(".")[2] for row in rows] == ["context"] * 3
    for row in rows:
        assert said in [one.text for one in row.explanations]


READ = ("input_ids", "attention_mask", "token_type_ids")
STATES = (*READ, "embeddings", "0.output.LayerNorm", "2.output.LayerNorm")
LOGITS = (*READ, "lm_head.logits")


@pytest.mark.parametrize(
    ("name", "shows", "said"),
    [
        ("key-and-value-swapped", STATES, "key and value are exchanged, in layer 2"),
        (
            "transposed-weight",
            STATES,
            "the weight is transposed, at roberta.encoder.layer.2.attention.self.query",
        ),
        ("quick-gelu", LOGITS, "the activation is quick_gelu, not gelu, at intermediate"),
        ("layers-swapped", LOGITS, "layers 0 and 1 are exchanged"),
        ("tf32-products", LOGITS, "products are of factors rounded to tf32"),
    ],
)
def test_mistakes_behind_what_is_shown_are_named(name, shows, said):
    case = vector(1)
    model, module = ours(case), case.in_dtype(torch.float32)
    port = kept(traced(module, case, BY_ID[name]), lambda one: one.endswith(shows))
    rows = compare(model, port, case.arguments).departing
    assert rows
    for row in rows:
        assert said in [one.text for one in row.explanations]


def test_an_error_that_anything_might_make_has_no_name():
    case = drawn_model(3002)  # of whose logits two are off, by two budgets at most
    model, module = ours(case), case.in_dtype(torch.float32)
    port = kept(
        traced(module, case, BY_ID["pre-norm"]), lambda one: one.endswith((*READ, "logits"))
    )
    (row,) = compare(model, port, case.arguments).departing
    assert not row.explanations


# Mistakes that are planted in our own model

IDS = np.array([[0, 17, 23, 8, 42, 9, 2], [0, 31, 1, 44, 12, 1, 1], [1, 1, 0, 25, 33, 50, 2]])
MASK = np.array([[1, 1, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]])
TYPES = np.array([[0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 2, 0, 0], [0, 0, 2, 2, 2, 1, 1]])
INPUTS = {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": TYPES}


def own_model(class_name="RobertaForMaskedLM", scale=0.3, **fields):
    config = mr.RobertaConfig(
        **{
            "hidden_size": 24,
            "num_attention_heads": 4,
            "num_hidden_layers": 2,
            "intermediate_size": 40,
            "vocab_size": 61,
            "max_position_embeddings": 30,
            "type_vocab_size": 3,
            "layer_norm_eps": 1e-5,
            **fields,
        }
    )
    model = getattr(mr, class_name)(config)
    rng = np.random.default_rng(1)
    return model._with_weights(
        lambda one: (one + scale * rng.standard_normal(one.shape)).astype(np.float32)
    )


def explained(model, change=None, port=None, inputs=INPUTS):
    """Compare a port, which is a changed model or a model with a watcher, and give what is said."""
    with watch(change) if change else watch():
        one = trace(model if port is None else port, weights=False, **inputs)
    return {
        row.name.removeprefix("roberta."): [one.text for one in row.explanations]
        for row in compare(model, one).departing
    }


def reconfigured(model, **fields):
    return model._with(config=mr.RobertaConfig.from_dict({**model.config.to_dict(), **fields}))


def reweighted(model, change):
    """Change weights: ``change`` is given a dictionary of them, to write into."""
    flat = dict(flatten(model.params))
    change(flat)
    return model._with(params=build_tree(flat))


@pytest.mark.parametrize("name", sorted(ACTIVATIONS))
def test_all_activations_are_told_apart(name):
    model = own_model(num_hidden_layers=1)
    said = explained(model, port=reconfigured(model, hidden_act=name))
    same = ("gelu", "gelu_python")
    if name == "gelu_10":  # which differs beyond 10 alone
        same = (*same, name)
    if name in same:
        assert not said
        return
    formula = ACTIVATIONS[name]
    words = {
        f"the activation is {one}, not gelu" for one in ACTIVATIONS if ACTIVATIONS[one] is formula
    }
    if name == "linear":
        words = {"there is no activation, but must be gelu"}
    (texts,) = said.values()
    assert words & set(texts)
    assert "the activation is gelu_accurate, not gelu" not in texts  # which is gelu_new


@pytest.mark.parametrize("eps", [1e-12, 1e-6, 1e-8, 1e-3, 1e-4])
def test_eps_is_told(eps):
    model = own_model(scale=0.02)
    said = explained(model, port=reconfigured(model, layer_norm_eps=eps))
    told = f"layer_norm_eps is {eps:g}, not 1e-05"
    assert told in said["embeddings.LayerNorm"]
    assert eps < 1e-6 or told == said["embeddings.LayerNorm"][0]


def set_to(name, value):
    """Make a change of weights: one of them is another."""

    def change(flat):
        flat[name] = value(flat)

    return change


SELF = "roberta.encoder.layer.0.attention.self."
OUT = "roberta.encoder.layer.0.output."
WORDS = "roberta.embeddings.word_embeddings.weight"


def exchanged_rows(flat):
    table = flat[WORDS].copy()
    table[[17, 23]] = table[[23, 17]]
    return table


def eight_bits(weight, axis=None):
    step = abs(weight).max(axis=axis, keepdims=True) / 127
    return (np.rint(weight / step) * step).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "value", "where", "said"),
    [
        (
            f"{SELF}key.bias",
            lambda flat: flat[f"{SELF}key.bias"] * 2,
            "encoder.layer.0.attention.self.key.dense",
            "the bias is added twice",
        ),
        (
            f"{OUT}LayerNorm.weight",
            lambda flat: np.ones_like(flat[f"{OUT}LayerNorm.weight"]),
            "encoder.layer.0.output.LayerNorm",
            "the weight of the layer norm is left out",
        ),
        (
            f"{OUT}LayerNorm.bias",
            lambda flat: np.zeros_like(flat[f"{OUT}LayerNorm.bias"]),
            "encoder.layer.0.output.LayerNorm",
            "the bias of the layer norm is left out",
        ),
        (
            f"{OUT}dense.weight",
            lambda flat: flat["roberta.encoder.layer.1.output.dense.weight"],
            "encoder.layer.0.output.dense",
            None,
        ),
        (
            f"{OUT}dense.weight",
            lambda flat: round_to(flat[f"{OUT}dense.weight"].astype(float), "float16"),
            "encoder.layer.0.output.dense",
            "the weight is rounded to float16",
        ),
        (
            f"{OUT}dense.weight",
            lambda flat: eight_bits(flat[f"{OUT}dense.weight"]),
            "encoder.layer.0.output.dense",
            "the weight is quantised to 8 bits, of the whole",
        ),
        (
            f"{OUT}dense.weight",
            lambda flat: eight_bits(flat[f"{OUT}dense.weight"], axis=1),
            "encoder.layer.0.output.dense",
            "the weight is quantised to 8 bits, of each output",
        ),
        (
            f"{OUT}dense.weight",
            lambda flat: flat[f"{OUT}dense.weight"].reshape(40, 24).T,
            "encoder.layer.0.output.dense",
            "the weight is read as [in, out], but stored as [out, in]",
        ),
        (
            WORDS,
            lambda flat: eight_bits(flat[WORDS], axis=1),
            "embeddings.word_embeddings",
            "the table is quantised to 8 bits, of each row",
        ),
        (
            WORDS,
            exchanged_rows,
            "embeddings.word_embeddings",
            "rows of the vocabulary are permuted: id 17 has that of 23, 23 has that of 17",
        ),
        (
            WORDS,
            exchanged_rows,
            "lm_head.logits",
            "rows of the vocabulary are permuted: id 17 has that of 23, 23 has that of 17",
        ),
    ],
)
def test_other_weights_are_told(name, value, where, said):
    model = own_model()
    changed = reweighted(model, set_to(name, lambda flat: np.float32(value(flat))))
    texts = explained(model, port=changed)[where]
    assert said in texts if said else not texts  # half of another layer's weights are no mistake


def test_weights_in_half_precision_are_told_in_every_layer():
    model = own_model(num_hidden_layers=4)
    halves = {
        name: round_to(one.astype(float), "float16").astype(np.float32)
        for name, one in flatten(model.params).items()
    }
    said = explained(model, port=reweighted(model, lambda flat: flat.update(halves)))
    assert "encoder.layer.3.output.LayerNorm" in said
    for texts in said.values():
        assert any(
            re.search("(table|weight|bias) (is|are) rounded to float16$", one) for one in texts
        )


def test_a_number_between_two_integers_may_be_rounded_either_way():
    model, at = own_model(), (17, 0)
    table = flatten(model.params)[WORDS].copy()
    step = abs(table).max() / np.float32(127)
    table[at] = 2.5 * step  # which is rounded to 2, or to 3
    port = eight_bits(table)
    port[at] = 3 * step
    model, port = (
        reweighted(model, set_to(WORDS, lambda flat, one=one: one)) for one in (table, port)
    )
    said = explained(model, port=port)
    assert said["embeddings.word_embeddings"][0] == "the table is quantised to 8 bits, of the whole"
    assert said["lm_head.logits"][0] == "the weight is quantised to 8 bits, of the whole"


def test_an_error_too_large_for_float16_is_not_called_so():
    model = own_model(hidden_size=64, intermediate_size=1024)
    names = f"{OUT}dense.weight", WORDS

    def six_bits(flat):
        for name in names:
            step = abs(flat[name]).max() / 31
            flat[name] = np.rint(flat[name] / step) * step

    said = explained(model, port=reweighted(model, six_bits))
    assert not said["encoder.layer.0.output.dense"]
    assert not said["lm_head.logits"]  # nor is it another decoder


def at(name, function):
    """Make a watcher that changes one tensor: the function is given it, and all before."""
    before = {}

    def change(full, array):
        bare = full.removeprefix("roberta.")
        before[bare] = array
        return np.asarray(function(array, before), array.dtype) if bare == name else None

    return change


LAYER = "encoder.layer.1."
P = f"{LAYER}attention.self.probabilities"
DENSE = f"{LAYER}output.dense"
MIDDLE = f"{LAYER}attention.output.LayerNorm"
GIVEN = "encoder.layer.0.output.LayerNorm"


def one_pass(x, weight, bias, eps):
    mean, square = x.mean(-1, keepdims=True), (x * x).mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(square - mean * mean + np.float32(eps)) * weight + bias


def test_a_trace_of_fewer_digits_than_the_port_computes_in_is_no_mistake():
    model = own_model()
    port = trace(model.astype("float64"), weights=False, **INPUTS).tensors
    with np.errstate(over="ignore"):  # of masked scores
        shown = {name: np.float32(x) if x.dtype.kind == "f" else x for name, x in port.items()}
    rows = compare(model, shown).departing
    assert rows
    for row in rows:
        assert row.name.endswith(".output.sum")
        (one,) = row.explanations
        assert one.is_coarse
        assert one.text == "its terms are shown rounded, but were added unrounded"


def test_a_mask_behind_softmax_is_told_where_the_scores_are_shown_without():
    model, seen = own_model(), {}

    def change(name, array):
        seen[name.rpartition("self.")[2]] = array
        if name.endswith("scores.masked"):
            return seen["scores"]
        return softmax(seen["scores"]) * seen["attend"] if name.endswith("probabilities") else None

    said = explained(model, change)
    assert said[P] == ["the mask is applied after softmax, and nothing normalised again"]
    assert said[P.replace("probabilities", "scores.masked")][0] == (
        "the mask is not applied: padding is attended to"
    )


@pytest.mark.parametrize(
    ("curve", "said"),
    [
        (
            lambda x: x * np.float16(0.5) * (1 + _erf_in_half(x * np.float16(math.sqrt(0.5)))),
            "each operation of the activation is rounded to float16",
        ),
        (
            lambda x: np.float16(0.5) * x * (1 + np.tanh(_within_tanh(x))),
            "the activation is gelu_new, not gelu",
        ),
    ],
)
def test_activations_are_told_that_round_each_operation(curve, said):
    model = own_model(num_hidden_layers=1)
    name = "encoder.layer.0.intermediate"
    change = at(name, lambda x, before: curve(before[f"{name}.dense"]))
    texts = explained(model, change, model.astype("float16"))
    assert list(texts) == [name]
    assert texts[name][0] == said


def _within_tanh(x):
    return x * np.float16(math.sqrt(2 / math.pi)) * (1 + np.float16(0.044715) * x * x)


def _erf_in_half(x):
    return np.vectorize(math.erf, otypes=[np.float16])(x)


SCORES = f"{LAYER}attention.self.scores"
CONTEXT = f"{LAYER}attention.self.context"
VALUE = f"{LAYER}attention.self.value"
TOTAL = f"{LAYER}output.sum"
FEW_DIGITS = "its numbers are those of {}: it is summed or stored in it"
HIDDEN = "it is wrong only where the mask hides the token, which nothing looks at"
CHANGED = [
    (
        "embeddings.sum",
        lambda x, b: b["embeddings.word_embeddings"] + b["embeddings.token_type_embeddings"],
        "the position embeddings are left out",
    ),
    (
        "embeddings.sum",
        lambda x, b: x * np.sqrt(24),
        "the sum of embeddings is multiplied by sqrt(H)",
    ),
    (
        "embeddings.sum",
        lambda x, b: x + (np.sqrt(24) - 1) * b["embeddings.word_embeddings"],
        "embeddings are multiplied by sqrt(H)",
    ),
    ("embeddings", lambda x, b: b["embeddings.sum"], "there is no layer norm"),
    (TOTAL, lambda x, b: b[DENSE] - b[MIDDLE], "the residual is subtracted"),
    (TOTAL, lambda x, b: b[DENSE] + b[GIVEN], "the residual is what the layer was given"),
    (SCORES, lambda x, b: x * np.sqrt(6 / 24), "scores are divided by sqrt(H), not sqrt(D)"),
    (P, lambda x, b: softmax(b[SCORES]), "the mask is not applied: padding is attended to"),
    (P, lambda x, b: softmax(x), "softmax is applied twice"),
    (
        CONTEXT,
        lambda x, b: np.reshape(b[P] @ b[VALUE], x.shape),
        "heads are merged without transpose",
    ),
    (DENSE, lambda x, b: x * 3, "it is 3 times what it must be"),
    (DENSE, lambda x, b: x * 0, "it is all 0: it was never computed"),
    (
        DENSE,
        lambda x, b: x + np.arange(24),
        "the same vector is added at each position, as by another bias",
    ),
    (DENSE, lambda x, b: np.where(MASK[..., None] == 1, x, 0), HIDDEN),
    (
        f"{LAYER}attention.self.query",
        lambda x, b: np.concat([x[:, :3], x[:, 3:] * 2], 1),
        "it is wrong in head 3 alone",
    ),
    (DENSE, lambda x, b: b[f"{LAYER}attention.output.dense"], "it is attention.output.dense"),
    (DENSE, lambda x, b: np.roll(x, 1, 1), "each row stands one place later"),
    (
        "lm_head.logits",
        lambda x, b: round_to(x.astype(float), "bfloat16"),
        FEW_DIGITS.format("bfloat16"),
    ),
    (
        f"{LAYER}intermediate",
        lambda x, b: round_to(x.astype(float), "float16"),
        FEW_DIGITS.format("float16"),
    ),
]


PADDED = MASK == 0


@pytest.mark.parametrize(
    ("masked", "said"),
    [
        (
            lambda scores: scores + np.where(PADDED[:, None, :, None], np.finfo("f4").min, 0),
            "the mask is transposed: it hides queries, not keys",
        ),
        (
            lambda scores: np.where(
                PADDED[:, None, :, None] | PADDED[:, None, None, :], -1e9, scores
            ),
            "the mask hides queries, too, of which nothing is looked at",
        ),
        (lambda scores: scores, "the mask is not applied: padding is attended to"),
    ],
)
@pytest.mark.parametrize("is_shown", [True, False], ids=["scores", "masked scores alone"])
def test_a_wrong_mask_is_told_by_the_scores_that_it_makes(masked, said, is_shown):
    model, name = own_model(), f"{SCORES}.masked"
    with watch(at(name, lambda x, b: masked(b[SCORES]))):
        port = trace(model, weights=False, **INPUTS)
    rows = compare(model, kept(port, lambda one: is_shown or not one.endswith(SCORES))).departing
    texts = {row.name.removeprefix("roberta."): best(row) for row in rows}
    assert HIDDEN not in texts.values()
    if is_shown:
        assert texts[name] == said


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (log_softmax, "these are no logits: log_softmax was applied to them"),
        (softmax, "these are no logits: softmax was applied to them"),
        (np.trunc, "these are integers: the logits were cast or rounded"),
        (lambda x: -x, "it is -1 times what it must be"),
        (lambda x: x / np.sqrt(24), "it is 0.2041241 times what it must be: 1 / sqrt(H)"),
        (lambda x: np.random.default_rng(0).standard_normal(x.shape), None),
    ],
    ids=["log_softmax", "softmax", "integers", "negated", "scaled", "noise"],
)
def test_other_weights_are_not_said_of_what_any_would_fit(function, said):
    """There are fewer positions than numbers in each."""
    model = own_model()
    texts = explained(model, at("lm_head.logits", lambda x, b: function(x)))["lm_head.logits"]
    assert texts == ([said] if said else [])


@pytest.mark.parametrize("name", [SCORES, CONTEXT, DENSE, "lm_head.logits"])
@pytest.mark.parametrize("factor", [1.0004, 0.408 * np.sqrt(6)], ids=str)
def test_a_factor_is_no_loss_of_digits(name, factor):
    texts = explained(own_model(), at(name, lambda x, b: x * factor))[name]
    assert texts == [f"it is {factor:.7g} times what it must be"]


def test_no_others_are_right_where_all_are_nan():
    texts = explained(own_model(), at(DENSE, lambda x, b: x * np.nan))[DENSE]
    assert texts == ["504 of 504 numbers are NaN or infinite"]


def in_half(*arrays):
    return [np.float32(np.float16(one)) for one in arrays]


def test_factors_of_few_digits_are_no_factor_of_all():
    def mixed(x, before):
        p, value = in_half(before[P], before[VALUE])
        return (p @ value).swapaxes(1, 2).reshape(x.shape)

    texts = explained(own_model(), at(CONTEXT, mixed))[CONTEXT]
    assert texts[0] == "sums or their factors are kept in tf32"


@pytest.mark.parametrize(("name", "function", "said"), CHANGED, ids=[one[2] for one in CHANGED])
def test_changed_tensors_are_told(name, function, said):
    texts = explained(own_model(), at(name, function))
    assert said in texts[name], texts[name]


def test_a_variance_in_one_pass_is_a_loss_of_digits():
    model = own_model()
    changed = {"roberta.embeddings.position_embeddings.weight": 40.0}
    model = reweighted(
        model, lambda flat: flat.update({k: flat[k] + np.float32(v) for k, v in changed.items()})
    )
    pair = model.params.roberta.embeddings.LayerNorm
    change = at(
        "embeddings.LayerNorm",
        lambda x, b: one_pass(b["embeddings.sum"], pair.weight, pair.bias, 1e-5),
    )
    with watch(change):
        port = trace(model, weights=False, **INPUTS)
    (row,) = (row for row in compare(model, port).departing if row.name.endswith("s.LayerNorm"))
    assert row.explanations[0].text.startswith("the variance is computed in one pass")
    assert row.explanations[0].is_coarse


@pytest.mark.parametrize("kind", ["relative_key", "relative_key_query"])
def test_distances_are_told(kind):
    other = {"relative_key": "relative_key_query", "relative_key_query": "relative_key"}[kind]
    model = own_model(position_embedding_type=kind)
    said = explained(model, port=reconfigured(model, position_embedding_type=other))
    texts = said["encoder.layer.0.attention.self.scores"]
    assert f"distances are those of {other}, not {kind}" in texts


@pytest.mark.parametrize(("steps", "way"), [(1, "later"), (-1, "earlier")])
def test_ids_that_are_moved_are_told(steps, way):
    model, moved = own_model(num_hidden_layers=0), np.roll(IDS, steps, axis=1)
    moved[:, 0 if steps == 1 else -1] = 7  # where another id comes in
    port = trace(model, weights=False, **{**INPUTS, "input_ids": moved})
    row = compare(model, port, INPUTS)["input_ids"]
    assert best(row) == f"each id stands one place {way}"


def test_a_tied_decoder_is_told():
    model = own_model(tie_word_embeddings=False)
    tied = reweighted(model, set_to("lm_head.decoder.weight", lambda flat: flat[WORDS]))
    texts = explained(model, port=tied)["lm_head.logits"]
    assert "the decoder is tied to the word embeddings, and has not its own weights" in texts


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda hidden: hidden.mean(1), "it is of the mean of all tokens"),
        (
            lambda hidden: (hidden * MASK[..., None]).sum(1) / MASK.sum(1, keepdims=True),
            "it is of the mean of the tokens that are not masked",
        ),
        (
            lambda hidden: hidden[np.arange(3), [0, 0, 2]],
            "it is of the first token that is not masked",
        ),
    ],
)
def test_the_token_of_a_pooler_is_told(function, said):
    model = own_model("RobertaModel")
    pair = model.params.pooler.dense
    last = f"{LAYER}output.LayerNorm"
    change = at("pooler.dense", lambda x, b: function(b[last]) @ pair.weight.T + pair.bias)
    assert said in explained(model, change)["pooler.dense"]


def test_a_head_mask_that_is_left_out_is_told():
    model = own_model()
    change = at(f"{P}.head_mask", lambda x, b: b[P])
    inputs = {**INPUTS, "head_mask": np.array([1.0, 0.0, 0.5, 1.0])}
    name = f"{LAYER}attention.self.context"
    context = at(
        name,
        lambda x, b: np.reshape((b[P] @ b[f"{LAYER}attention.self.value"]).swapaxes(1, 2), x.shape),
    )
    assert "the head mask is left out" in explained(model, context, inputs=inputs)[name]
    assert explained(model, change, inputs=inputs).keys() == {f"{P}.head_mask"}


def test_the_causal_mask_of_a_decoder_is_told():
    model = own_model("RobertaForCausalLM", is_decoder=True, use_cache=False)
    seen = {}

    def change(name, array):
        seen[name] = array
        if name.endswith(".probabilities"):
            scores = seen[name.replace("probabilities", "scores")]
            return softmax(np.where(MASK[:, None, None, :] == 1, scores, np.finfo("f4").min))
        return None

    said = explained(model, change)
    assert "the causal mask is left out" in said[P]


def test_steps_of_a_cache_are_explained():
    model = own_model("RobertaForCausalLM", is_decoder=True)
    wrong = reconfigured(model, hidden_act="relu")
    with watch() as seen:
        first = wrong(IDS[:, :4], use_cache=True)
        wrong(IDS[:, 4:], past_key_values=first.past_key_values)
    own = compare(model, {**seen})
    names = [row.name for row in own.departing]
    assert names == [
        f"{call}roberta.encoder.layer.{i}.intermediate" for call in ("", "call.1.") for i in (0, 1)
    ]
    assert {best(row) for row in own.departing} == {"the activation is relu, not gelu"}


def test_keys_of_a_cache_are_those_of_a_mistake():
    model = own_model("RobertaForCausalLM", is_decoder=True)
    keys, before = {}, {}

    def change(name, array):
        name = name.removeprefix("call.1.")
        before[name] = array
        block = name.rpartition(".")[0]
        if name.endswith("self.key"):
            keys[block] = np.concatenate([keys[block], array], 2) if block in keys else array
        if name.endswith("self.context"):
            mixed = before[f"{block}.probabilities"] @ keys[block]
            return mixed.swapaxes(1, 2).reshape(array.shape)
        return None

    with watch(change), watch() as seen:
        first = model(IDS[:, :4], use_cache=True)
        model(IDS[:, 4:], past_key_values=first.past_key_values)
    rows = compare(model, {**seen}).departing
    assert [best(row) for row in rows] == ["values are the keys"] * 4


def test_what_fits_much_better_stands_before():
    """Behind many steps that are not shown a budget is wide, and much fits by chance."""
    chance, likely, alike = (Explanation(f"a mistake of {r}", r) for r in (0.9, 0.008, 0.011))
    found = {"lm_head.logits": [chance, alike, likely]}
    assert _ranked("lm_head.logits", found) == [alike, likely, chance]


def test_a_guess_whose_bound_would_fit_anything_is_none():
    case = drawn_model(34)  # one number a token: what is normalised is 0, and its bound infinite
    model, module = ours(case), case.in_dtype(torch.float32)
    for row in compare(model, traced(module, case, BY_ID["float16-sums"])).departing:
        assert "pre-LN" not in best(row)


def test_numbers_of_a_format_are_known():
    assert is_in_format(np.array([1.0, 0.1]), "float64")
    assert not is_in_format(np.array([1.0, 0.1]), "float16")


def test_layer_norm_is_what_it_was():
    """The one-pass variance above is right but for its digits."""
    x = np.random.default_rng(0).standard_normal((5, 24)).astype(np.float32)
    one, zero = np.ones(24, np.float32), np.zeros(24, np.float32)
    assert np.allclose(one_pass(x, one, zero, 1e-5), layer_norm(x, one, zero, 1e-5), atol=1e-5)
