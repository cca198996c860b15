"""A forward pass computes what the table says: these names, in this order, of these shapes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig, RobertaModel, watch
from minirobert.arrays import AXES
from minirobert.intermediates import Pass, intermediates
from tests.equivalence.strategies import CLASSES, batches, configs, labelled
from tests.libraries import NUMPY


def shape_of(axes, sizes):
    """Give the shapes that axes in letters allow: ``"[B, 1 or S, N D]"``."""
    return [
        {
            np.prod([sizes.get(one) or int(one) for one in choice.split()])
            for choice in axis.split(" or ")
        }
        for axis in axes[1:-1].split(", ")
        if axis
    ]


def sizes_of(config, arguments, class_name, name):
    """Give the size of each letter, for one tensor."""
    first = arguments.get("input_ids", arguments.get("inputs_embeds"))
    batch, *choices, length = first.shape[: 3 if "Choice" in class_name else 2]
    layer = int(name.partition("layer.")[2].partition(".")[0] or 0) if "layer." in name else 0
    heads = (
        len(config.kept_heads(layer)) if ".attention.self" in name else config.num_attention_heads
    )
    return {
        "B": batch,
        "C": choices[0] if choices else config.num_labels,
        "D": config.head_size,
        "E": np.shape(arguments.get("encoder_hidden_states", np.zeros((0, 0))))[1],
        "H": config.hidden_size,
        "I": config.intermediate_size,
        "N": heads,
        "S": length,
        "T": length,
        "V": config.vocab_size,
    }


@pytest.mark.parametrize("class_name", CLASSES)
@given(data=st.data())
def test_the_table_is_what_is_computed(class_name, data):
    fields = {
        **data.draw(labelled(data.draw(configs()), class_name)),
        "hidden_dropout_prob": data.draw(st.sampled_from([0.0, 0.1])),
        "attention_probs_dropout_prob": data.draw(st.sampled_from([0.0, 0.1])),
        "classifier_dropout": data.draw(st.sampled_from([None, 0.0, 0.2])),
        "is_decoder": class_name == "RobertaForCausalLM",
        "chunk_size_feed_forward": data.draw(st.sampled_from([0, 0, 1, 2, 5])),
    }
    fields["add_cross_attention"] &= fields["is_decoder"]
    heads, layers = fields["num_attention_heads"], fields["num_hidden_layers"]
    arguments = data.draw(batches(fields, class_name, "float32")).ours(NUMPY, "float32")
    if heads > 1 and layers and "head_mask" not in arguments and data.draw(st.booleans()):
        fields["pruned_heads"] = {layers - 1: [heads - 1]}
    config, train = RobertaConfig(**fields), data.draw(st.booleans())
    model = getattr(minirobert, class_name)(config)
    with watch() as seen:
        output = model(**arguments, train=train, rng=1)
    first = arguments.get("input_ids", arguments.get("inputs_embeds"))
    kind = Pass(
        ids="input_ids" in arguments,
        train=train,
        head_mask="head_mask" in arguments,
        labels=output.get("loss") is not None,
        cross="encoder_hidden_states" in arguments,
        length=first.shape[2 if "Choice" in class_name else 1],
    )
    table = intermediates(config, class_name, kind=kind)
    assert list(seen) == list(table)
    for name, array in seen.items():
        allowed = shape_of(table[name].axes, sizes_of(config, arguments, class_name, name))
        assert len(allowed) == array.ndim, name
        fits = [size in sizes for size, sizes in zip(array.shape, allowed, strict=True)]
        assert all(fits), f"{name}: {table[name].axes}, but {array.shape}"


def test_its_letters_are_in_the_legend_and_its_formulas_exist():
    config = RobertaConfig(is_decoder=True, add_cross_attention=True, num_hidden_layers=1)
    for class_name in CLASSES:
        kind = Pass(train=True, head_mask=True, labels=True, cross=True)
        for name, one in intermediates(config, class_name, kind=kind).items():
            words = one.axes[1:-1].replace(",", "").split()
            assert set(words) - {"or", "1", "2"} <= set(AXES), name
            module, _, function = one.formula.rpartition(".")
            module = __import__(f"minirobert.{module or function}", fromlist=["x"])
            assert hasattr(module, function) or not one.formula.count("."), one.formula


def test_what_is_not_known_is_told():
    with pytest.raises(ValueError, match="architecture 'RobertaForRhymes' is not one of those"):
        intermediates(RobertaConfig(), "RobertaForRhymes")
    with pytest.raises(ValueError, match=r"depends on its length: give it, as Pass\(length="):
        intermediates(RobertaConfig(chunk_size_feed_forward=3))


def test_a_cached_text_of_an_encoder_is_not_computed_again():
    config = RobertaConfig(
        vocab_size=9, hidden_size=6, num_attention_heads=2, num_hidden_layers=1,
        intermediate_size=5, is_decoder=True, add_cross_attention=True,
    )  # fmt: skip
    model = RobertaModel(config, add_pooling_layer=False)
    first = model([[0, 5]], encoder_hidden_states=np.zeros((1, 3, 6), np.float32))
    with watch() as seen:
        model([[6]], past_key_values=first.past_key_values)
    kind = Pass(cross=True, cached_cross=True)
    table = intermediates(config, "RobertaModel", add_pooling_layer=False, kind=kind)
    assert list(seen) == list(table)
    assert seen["encoder.layer.0.attention.self.scores"].shape == (1, 2, 1, 3)
