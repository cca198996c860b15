"""What is known of a tensor by its name agrees with what is computed."""

import numpy as np
import pytest

import minirobert
from minirobert import RobertaConfig, watch
from minirobert.intermediates import Pass, intermediates
from minirobert.numerics import steps
from tests.equivalence.strategies import CLASSES


def direct_sources(model, arguments):
    """Find what each tensor is made of, by changing one tensor and holding all others."""
    with watch() as plain:
        model(**arguments)
    made = {name: [] for name in plain}
    for changed in plain:
        new = other(plain[changed])
        if new is None:
            continue

        def hold(name, array, changed=changed, new=new):
            if name != changed and not same(array, plain[name]):
                made[name].append(changed)
            return new if name == changed else plain[name]

        with watch(hold):
            model(**arguments)
    return made


def other(array):
    """Change a tensor so that all that is made of it changes."""
    if array.dtype.kind == "f":
        return array + np.random.default_rng(1).uniform(0.5, 1.5, array.shape)
    return ~array if array.dtype == bool else array[..., ::-1]


def same(one, two):
    return one.shape == two.shape and np.array_equal(one, two)


FIELDS = {
    "vocab_size": 13, "hidden_size": 6, "num_attention_heads": 3,
    "intermediate_size": 5, "max_position_embeddings": 12, "type_vocab_size": 2,
    "initializer_range": 0.5,
}  # fmt: skip
DROPOUT = {"hidden_dropout_prob": 0.3, "attention_probs_dropout_prob": 0.3}
RELATIVE = {"position_embedding_type": "relative_key"}
IDS = [[5, 6, 7, 1, 1], [8, 5, 9, 10, 2]]


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("more", [{}, DROPOUT, RELATIVE], ids=["plain", "dropout", "relative"])
def test_sources_are_what_a_change_of_them_changes(class_name, more):
    config = RobertaConfig(**FIELDS, **more, num_hidden_layers=1 if more else 2)
    ids = [IDS] if "Choice" in class_name else IDS
    labels = {
        "RobertaModel": {},
        "RobertaForQuestionAnswering": {"start_positions": [1, 2], "end_positions": [2, 3]},
        "RobertaForSequenceClassification": {"labels": [0, 1]},
        "RobertaForMultipleChoice": {"labels": [1]},
        "RobertaForTokenClassification": {"labels": [[0, 1, 1, 0, 1]] * 2},
    }.get(class_name, {"labels": IDS})
    if class_name == "RobertaForCausalLM":
        encoded = np.random.default_rng(2).normal(size=(2, 4, 6))
        config.is_decoder = config.add_cross_attention = True
        labels["encoder_hidden_states"] = encoded
    model = getattr(minirobert, class_name)(config).astype("float64")
    arguments = {
        "input_ids": ids, "attention_mask": np.array(ids) % 5 != 1,
        "token_type_ids": np.array(ids) % 2, "head_mask": [0.5, 0.5, 0.9],
        "train": bool(more), "rng": 1, **labels,
    }  # fmt: skip
    found = direct_sources(model, arguments)
    assert len(found) > 25
    for name, parts in steps.sources(found).items():
        if name != "position_ids":  # made before the ids are observed
            assert sorted(parts) == sorted(found[name]), name


@pytest.mark.parametrize("class_name", CLASSES)
@pytest.mark.parametrize("cross", [False, True])
def test_every_name_has_a_formula_and_a_section(class_name, cross):
    config = RobertaConfig(num_hidden_layers=3, hidden_dropout_prob=0.1, chunk_size_feed_forward=2)
    kind = Pass(train=True, head_mask=True, labels=True, cross=cross, length=2)
    table = steps.formulas(config, class_name)
    for name, one in intermediates(config, class_name, kind=kind).items():
        whole = name.replace("chunk.0.", "")
        assert table[steps.kind(whole)].formula == one.formula
        assert table[steps.kind(f"call.3.{whole}")].formula == one.formula
        assert steps.section(f"step.3.{whole}") == "step.3." + steps.section(whole)
    sections = {steps.section(name) for name in intermediates(config, class_name, kind=kind)}
    heads = {"lm_head", "classifier", "qa_outputs", "pooler", "loss"}
    assert sections <= {"inputs", "embeddings", "layer", *heads}


def test_places_in_words():
    words = steps.in_words
    assert words((1, 2), "[B, H]") == "text 1, unit 2"
    assert words((3, 1), "[B C, H]") == "row 3, unit 1"
    assert words((0, 0, 5, 2), "[1 or B, 1, 1 or S, T]") == "text 0, query 5, key 2"
    assert words((1, 2, 3, 4), "[B, N, E, D]") == "text 1, head 2, key 3, unit 4"
    assert words((1, 2, 3, 4), "[B, N, S, D]") == "text 1, head 2, token 3, unit 4"
    assert words((1, 2, 9), "[B, S, V]") == "text 1, token 2, word 9"
    assert words((1, 2), "[B, S, V]") == ""
    assert words((), "[]") == ""


def test_unseen_steps():
    names = list(intermediates(RobertaConfig(num_hidden_layers=1)))
    made = steps.sources(names)
    scope = "roberta.encoder.layer.0.attention.self."
    fused = {scope + one for one in ("scores", "scores.masked", "probabilities")}
    found = steps.unseen(f"{scope}context", made, fused)
    assert found == [f"{scope}{one}" for one in ("scores", "scores.masked", "probabilities")]
    assert steps.unseen(f"{scope}value", made, fused) == []
    # The key is not seen, though what stands right before the scores is.
    assert steps.unseen(f"{scope}scores", made, {f"{scope}key"}) == [f"{scope}key"]
    assert steps.unseen("lm_head.logits", made, set(names) - {"lm_head.logits"}) == names[:-1]
