"""The parameter table against transformers' models, and the tree that it becomes."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel
from minirobert.parameters import (
    CheckpointError,
    build_tree,
    check_shapes,
    flatten,
    initialise,
    map_tree,
    parameter_shapes,
    summary,
)
from tests.equivalence.strategies import configs

ROBERTA_BASE = RobertaConfig(max_position_embeddings=514, type_vocab_size=1)


@given(fields=configs(), pooling=st.booleans())
def test_names_and_shapes_are_those_of_transformers(fields, pooling):
    config = transformers.RobertaConfig(**fields)
    theirs = transformers.RobertaModel(config, add_pooling_layer=pooling).state_dict()
    ours = parameter_shapes(RobertaConfig(**fields), "RobertaModel", add_pooling_layer=pooling)
    assert ours == {name: tuple(tensor.shape) for name, tensor in theirs.items()}

    for name in (
        "RobertaForSequenceClassification", "RobertaForTokenClassification",
        "RobertaForQuestionAnswering", "RobertaForMultipleChoice",
    ):  # fmt: skip
        three = {**fields, "num_labels": 2 if "Question" in name else 3}
        config = transformers.RobertaConfig(**three)
        theirs = getattr(transformers, name)(config).state_dict()
        ours = parameter_shapes(RobertaConfig(**three), name)
        assert ours == {name: tuple(tensor.shape) for name, tensor in theirs.items()}
        assert list(ours) == list(theirs)


@given(fields=configs())
def test_names_and_shapes_of_the_masked_lm(fields):
    config = transformers.RobertaConfig(**fields)
    theirs = transformers.RobertaForMaskedLM(config).state_dict()
    del theirs["lm_head.decoder.bias"]  # another name of lm_head.bias
    if fields["tie_word_embeddings"]:
        del theirs["lm_head.decoder.weight"]  # another name of the word embeddings
    ours = parameter_shapes(RobertaConfig(**fields))
    assert ours == {name: tuple(tensor.shape) for name, tensor in theirs.items()}


def test_roberta_base():
    shapes = parameter_shapes(ROBERTA_BASE)
    assert sum(map(math.prod, shapes.values())) == 124_697_433
    base = parameter_shapes(ROBERTA_BASE, "RobertaModel")
    assert sum(map(math.prod, base.values())) == 124_645_632


def test_an_unknown_architecture_is_named():
    with pytest.raises(ValueError, match="'BertModel' is not one of those here: RobertaModel"):
        parameter_shapes(ROBERTA_BASE, "BertModel")


def test_first_values_follow_the_rules():
    config = RobertaConfig(
        vocab_size=900, hidden_size=60, intermediate_size=70, num_hidden_layers=1,
        initializer_range=0.3, pad_token_id=4, tie_word_embeddings=False,
    )  # fmt: skip
    values = initialise(parameter_shapes(config), config, seed=1)
    for name, array in values.items():
        assert array.dtype == np.float32
        if name.endswith("bias"):
            assert not array.any(), name
        elif "norm" in name.lower():
            assert (array == 1).all(), name
        else:
            drawn = array
            if "word_embeddings" in name or "position_embeddings" in name:
                assert not array[4].any(), name
                drawn = np.delete(array, 4, axis=0)
            assert drawn.all(), name
            spread = 4 * 0.3 / math.sqrt(2 * drawn.size)
            assert abs(drawn.std() - 0.3) < spread, name
            assert abs(drawn.mean()) < 2 * spread, name
    word = values["roberta.embeddings.word_embeddings.weight"]
    assert np.abs(word).max() > 0.9  # the tails are not cut
    torch_model = transformers.RobertaForMaskedLM(
        transformers.RobertaConfig(**config_fields(config))
    )
    for name, tensor in torch_model.state_dict().items():
        if name in values:  # the same tensors are constant there, and the same rows zero
            assert (tensor == 0).all() == (not values[name].any()), name
            assert (tensor == 1).all() == (values[name] == 1).all(), name
            if tensor.ndim == 2:
                zero_rows = torch.nonzero((tensor == 0).all(1)).flatten().tolist()
                assert zero_rows == np.flatnonzero(~values[name].any(axis=1)).tolist(), name


def config_fields(config):
    return {k: v for k, v in config.to_dict().items() if k not in ("dtype", "model_type")}


def test_the_seed_and_the_name_alone_decide():
    config = RobertaConfig(vocab_size=9, hidden_size=12, intermediate_size=5, num_hidden_layers=1)
    one, same, other = (RobertaForMaskedLM(config, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.word_embeddings, same.word_embeddings)
    assert (one.word_embeddings != other.word_embeddings).any()
    base = RobertaModel(config, seed=1)
    np.testing.assert_array_equal(base.word_embeddings, one.word_embeddings)
    layer = one.params.roberta.encoder.layer[0].attention.self
    assert (layer.query.weight != layer.key.weight).any()


@given(fields=configs())
@settings(max_examples=20)
def test_the_tree_is_reversible(fields):
    shapes = parameter_shapes(RobertaConfig(**fields))
    arrays = {name: np.empty(shape) for name, shape in shapes.items()}
    tree = build_tree(arrays)
    back = flatten(tree)
    assert list(back) == list(arrays)
    assert all(back[name] is arrays[name] for name in arrays)
    name = "roberta.embeddings.LayerNorm.bias"
    assert tree.roberta.embeddings.LayerNorm.bias is arrays[name]
    if fields["num_hidden_layers"]:
        layer = tree.roberta.encoder.layer[-1]
        last = fields["num_hidden_layers"] - 1
        name = f"roberta.encoder.layer.{last}.attention.self.key.weight"
        assert layer.attention.self.key.weight is arrays[name]


def test_a_tree_of_more_than_ten_layers_is_in_order():
    names = [f"layer.{i}.bias" for i in range(12)]
    tree = build_tree({name: i for i, name in enumerate(names)})
    assert [layer.bias for layer in tree.layer] == list(range(12))


def test_a_node_can_be_read_but_not_changed():
    tree = build_tree({"dense.weight": 1, "dense.bias": 2})
    assert dict(**tree.dense) == {"weight": 1, "bias": 2}
    assert "dense" in tree
    assert "bias" in dir(tree.dense)
    assert repr(tree.dense) == "ParameterTree(weight, bias)"
    with pytest.raises(AttributeError, match="no parameters named 'wieght' here; there are weight"):
        _ = tree.dense.wieght
    with pytest.raises(AttributeError, match="read-only: build a new tree to change 'weight'"):
        tree.dense.weight = 3
    assert (
        flatten(copy.deepcopy(tree)) == flatten(pickle.loads(pickle.dumps(tree))) == flatten(tree)
    )
    assert flatten(map_tree(lambda value: value * 10, tree)) == {
        "dense.weight": 10,
        "dense.bias": 20,
    }
    assert flatten(build_tree({})) == {}


def test_every_misfit_is_listed_at_once():
    expected = {"a": (2, 3), "b": (4,), "c": (5,)}
    found = {"a": (3, 2), "b": (4,), "d": (1,)}
    with pytest.raises(CheckpointError) as raised:
        check_shapes(expected, found, "given")
    assert str(raised.value).splitlines()[1:] == [
        "  missing: c [5]",
        "  unexpected: d [1]",
        "  wrong shape: a is [3, 2], but must be [2, 3]",
    ]
    config = RobertaConfig(vocab_size=9, hidden_size=12, intermediate_size=5, num_hidden_layers=0)
    flat = flatten(RobertaModel(config).params)
    flat["pooler.dense.bias"] = np.zeros(13)
    with pytest.raises(CheckpointError, match=r"pooler.dense.bias is \[13\], but must be \[12\]"):
        RobertaModel(config, build_tree(flat))


def test_the_printout_adds_up():
    text = summary(parameter_shapes(ROBERTA_BASE))
    assert re.search(
        r"layer\.11\.attention\.self\.query\.weight +\[768, 768\] +float32 +589,824", text
    )
    blocks = text.split("\n\n")[1].splitlines()[1:]
    counts = {line.split()[0]: int(line.split()[2].replace(",", "")) for line in blocks}
    assert counts.pop("total") == sum(counts.values()) == 124_697_433
    assert counts["roberta.encoder.layer.0"] == 7_087_872
    assert blocks[-1].endswith("(475.7 MiB)")
    half = summary({"x.weight": (1 << 20,)}, {"x.weight": "bfloat16"})
    assert half.endswith("(2.0 MiB)")
