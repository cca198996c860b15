"""A new task is a head and a class of model; and any class of model can be the base of another."""

import copy
import pickle
from dataclasses import dataclass

import numpy as np
import pytest

import minirobert
from minirobert import (
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaPreTrainedModel,
    TokenClassifierOutput,
    watch,
)
from minirobert.checks import check_shape, place
from minirobert.functional import linear
from minirobert.intermediates import Intermediate, Pass, intermediates
from minirobert.losses import mean_squared_error
from minirobert.models.auto import AutoModelBase
from minirobert.models.base import RobertaLabelledModel
from minirobert.models.head import Head
from minirobert.observe import observe
from minirobert.parameters import linear_shapes, parameter_shapes
from tests.libraries import LIBRARIES, host

CONFIG = RobertaConfig(
    vocab_size=23, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=7,
    initializer_range=0.5,
)  # fmt: skip
IDS = np.array([[0, 7, 8, 9, 2], [0, 5, 2, 1, 1]])


class RankHead(Head):
    """How rare each word is: a number a token."""

    name, output = "rank", TokenClassifierOutput

    def shapes(self, config):
        return linear_shapes("dense", 1, config.hidden_size)

    def intermediates(self, config, kind):
        return [("rank.logits", Intermediate("[B, S]", "functional.linear"))]

    def logits(self, hidden, params, config, shape, rng):
        return (observe("rank.logits", linear(hidden, **params.rank.dense)[:, :, 0]),)

    def check_labels(self, labels, like, config, shape):
        (given,) = labels
        if given is None:
            return None
        ranks = place("labels", given, like)
        check_shape("labels", ranks, shape)
        return ranks

    def loss(self, logits, labels):
        return mean_squared_error(logits[0], labels)


class RobertaForRanks(RobertaLabelledModel):
    """All that a new task needs besides its head."""

    head = RankHead()


class AutoModelForRanks(AutoModelBase, model=RobertaForRanks):
    pass


MODEL = RobertaForRanks(CONFIG).astype("float64")


@pytest.mark.parametrize("library", LIBRARIES)
def test_it_computes(library):
    model, ids = library.model(MODEL), library.array(IDS)
    labels = np.random.default_rng(0).standard_normal((2, 5))
    output = model(ids, labels=library.array(labels), output_hidden_states=True)
    dense = MODEL.params.rank.dense
    expected = host(output.hidden_states[-1]) @ dense.weight[0] + dense.bias[0]
    np.testing.assert_allclose(host(output.logits), expected, rtol=0, atol=1e-13)
    np.testing.assert_allclose(host(output.loss), ((expected - labels) ** 2).mean(), rtol=1e-12)
    assert model(ids).loss is None
    loss, logits = model(ids, labels=library.array(labels), return_dict=False)
    assert loss.shape == ()
    assert logits.shape == (2, 5)


def test_its_tables_are_known():
    shapes = parameter_shapes(CONFIG, "RobertaForRanks")
    assert list(shapes) == list(MODEL.parameter_shapes())
    assert shapes["rank.dense.weight"] == (1, 12)
    assert not any("pooler" in name for name in shapes)
    with watch() as seen:
        MODEL(IDS)
    assert list(seen) == list(intermediates(CONFIG, "RobertaForRanks", kind=Pass()))


def test_it_is_saved_and_loaded(tmp_path):
    MODEL.save_pretrained(tmp_path)
    assert RobertaConfig.from_pretrained(tmp_path).architectures == ["RobertaForRanks"]
    for cls in (RobertaForRanks, AutoModelForRanks):
        again = cls.from_pretrained(tmp_path, dtype="float64")
        assert type(again) is RobertaForRanks
        np.testing.assert_array_equal(again(IDS).logits, MODEL(IDS).logits)
    body = RobertaModel.from_pretrained(tmp_path, add_pooling_layer=False, dtype="float64")
    np.testing.assert_array_equal(body(IDS).last_hidden_state, MODEL.hidden_states(IDS))


def test_a_checkpoint_without_it_gives_a_new_one_and_says_so():
    with pytest.warns(UserWarning, match=r"no weights for rank.dense.weight, rank.dense.bias") as w:
        model = RobertaForRanks.from_pretrained()
    assert [warning.filename for warning in w] == [__file__]
    assert model([[0, 5, 2]]).logits.shape == (1, 3)
    with pytest.raises(minirobert.CheckpointError, match=r"missing: rank.dense.weight"):
        RobertaForRanks.from_pretrained(strict=True)


def test_it_is_changed_as_others_are():
    larger = MODEL.resize_token_embeddings(29)
    np.testing.assert_array_equal(larger(IDS).logits, MODEL(IDS).logits)
    pruned = MODEL.prune_heads({0: [1]})
    silent = MODEL(IDS, head_mask=[[1, 0, 1], [1, 1, 1]])
    np.testing.assert_allclose(pruned(IDS).logits, silent.logits, rtol=0, atol=1e-12)
    for other in (pickle.loads(pickle.dumps(MODEL)), copy.deepcopy(MODEL)):
        np.testing.assert_array_equal(other(IDS).logits, MODEL(IDS).logits)


def test_a_wrong_label_is_told():
    with pytest.raises(ValueError, match=r"labels has shape \[2\], but must have \[2, 5\]"):
        MODEL(IDS, labels=[1.0, 2.0])


def test_a_class_of_model_can_be_the_base_of_another(tmp_path):
    class Mine(RobertaForSequenceClassification):
        """With a threshold."""

        def yes(self, ids):
            return self(ids).logits[:, 1] > 0

    with pytest.warns(UserWarning, match=r"no weights for classifier"):
        model = Mine.from_pretrained(num_labels=2)
    assert model.yes([[0, 5, 2]]).shape == (1,)
    assert list(model.parameter_shapes()) == list(
        parameter_shapes(model.config, "RobertaForSequenceClassification")
    )
    model.save_pretrained(tmp_path)
    again = Mine.from_pretrained(tmp_path)
    assert repr(again).startswith("Mine(")
    assert type(again.astype("float16")) is Mine
    theirs = RobertaForSequenceClassification.from_pretrained(tmp_path)
    np.testing.assert_array_equal(theirs([[0, 5, 2]]).logits, model([[0, 5, 2]]).logits)


def test_a_subclass_may_have_fields_of_its_own():
    @dataclass(frozen=True, repr=False, eq=False)
    class Tempered(RobertaForMaskedLM):
        temperature: float = 1.0

        def __call__(self, *args, **kwargs):
            return super().__call__(*args, **kwargs).logits / self.temperature

    ids = [[0, 5, 2]]
    plain = RobertaForMaskedLM.from_pretrained()(ids).logits
    model = Tempered.from_pretrained(temperature=2.0)
    np.testing.assert_array_equal(model(ids), plain / 2)
    np.testing.assert_array_equal(model.to("cpu")(ids), plain / 2)
    assert model.num_parameters() == 5_364_736

    @dataclass(frozen=True, repr=False, eq=False)
    class Shared(RobertaModel):
        note: str = ""

    assert "pooler" not in Shared(CONFIG, add_pooling_layer=False, note="x").params


def test_the_body_is_not_checked_again(monkeypatch):
    monkeypatch.setattr("minirobert.models.module.check_shapes", lambda *args: 1 / 0)
    roberta = MODEL.roberta
    assert roberta.params is MODEL.params.roberta
    np.testing.assert_array_equal(roberta(IDS).last_hidden_state, MODEL.hidden_states(IDS))
    assert MODEL.astype("float32").dtype == "float32"


def test_a_class_without_a_head_says_so():
    class Headless(RobertaLabelledModel):
        pass

    for make in (Headless, lambda config: Headless.from_pretrained()):
        with pytest.raises(TypeError, match="Headless has no head: use a class of model that has"):
            make(CONFIG)
    with pytest.raises(ValueError, match="'RobertaPreTrainedModel' is not one of those here"):
        RobertaPreTrainedModel(CONFIG)
    with pytest.raises(TypeError, match="abstract"):
        type("Half", (Head,), {"name": "half"})()
