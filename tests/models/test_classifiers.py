"""What must hold for the models that classify, whatever their numbers are."""

from functools import partial

import numpy as np
import pytest
import torch
import transformers

import minirobert
from minirobert import (
    CheckpointError,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    watch,
)
from minirobert.parameters import flatten
from tests import libraries
from tests.libraries import LIBRARIES, host

FIELDS = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "max_position_embeddings": 14, "initializer_range": 0.5,
    "layer_norm_eps": 1e-5,
}  # fmt: skip
C = 4  # classes; and choices
B, S = 3, 6
RNG = np.random.default_rng(5)
IDS = RNG.integers(2, 23, (B, S))
CHOICES = RNG.integers(2, 23, (B, C, S))
CLASSES = [
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaForQuestionAnswering,
    RobertaForMultipleChoice,
]


def config_of(cls, **more):
    classes = {} if cls is RobertaForQuestionAnswering else {"num_labels": C}
    return RobertaConfig(**{**FIELDS, **classes, **more})


MODELS = {cls: cls(config_of(cls), seed=3).astype("float64") for cls in CLASSES}
EVERY_CLASS = pytest.mark.parametrize("cls", CLASSES)


def ids_of(cls):
    return CHOICES if cls is RobertaForMultipleChoice else IDS


def labels_of(cls):
    """Give the labels of three texts, of which the last two are partly ignored."""
    if cls is RobertaForTokenClassification:
        return {"labels": np.array([[0, 1, 2, 3, 0, 1], [-100, 2, 1, -100, 3, 0], [-100] * 6])}
    if cls is RobertaForQuestionAnswering:
        return {"start_positions": np.array([1, 0, 9]), "end_positions": np.array([5, 6, 2])}
    return {"labels": np.array([3, 1, -100])}


def all_ignored(cls):
    if cls is RobertaForTokenClassification:
        return [{"labels": np.full((B, S), -100)}]
    if cls is RobertaForQuestionAnswering:
        inside, outside = np.array([1, 0, 2]), np.array([S, S + 1, 99])
        return [
            {"start_positions": outside, "end_positions": inside},
            {"start_positions": inside, "end_positions": outside},
        ]
    return [{"labels": np.full(B, -100)}]


def results(output):
    """Give the logits as one array, whose first axis is the texts."""
    return np.stack([value for name, value in output.items() if name.endswith("logits")], axis=1)


close = partial(libraries.close, bound=1e-11, at_least=1.0)


@EVERY_CLASS
def test_texts_do_not_see_each_other(cls):
    model, ids = MODELS[cls], ids_of(cls)
    together = results(model(ids))
    order = [2, 0, 1]
    shuffled = results(model(ids[order]))
    for row in range(B):
        close(results(model(ids[row : row + 1]))[0], together[row])
        close(shuffled[row], together[order[row]])


@EVERY_CLASS
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(cls, side):
    """On the right; on the left not for texts, whose first token would be padding."""
    model, ids = MODELS[cls], ids_of(cls)
    extra = np.ones((*ids.shape[:-1], 3), np.int64)
    padded = np.concatenate([extra, ids] if side == "left" else [ids, extra], axis=-1)
    per_token = cls in (RobertaForTokenClassification, RobertaForQuestionAnswering)
    if side == "left" and not per_token:
        return
    mask = padded != 1
    kept = slice(3, None) if side == "left" else slice(0, S)
    for actual, expected in zip(
        results(model(padded, attention_mask=mask)), results(model(ids)), strict=True
    ):
        if cls is RobertaForQuestionAnswering:
            actual = actual[:, kept]
        elif per_token:
            actual = actual[:, kept, :]
        close(actual, expected)


def test_choices_are_scored_alone():
    model = MODELS[RobertaForMultipleChoice]
    together = model(CHOICES).logits
    order = [1, 3, 0, 2]
    close(model(CHOICES[:, order]).logits, together[:, order])
    close(model(CHOICES[:, 1:2]).logits, together[:, 1:2])


@EVERY_CLASS
def test_ignored_labels_do_not_count(cls):
    """The texts that are wholly ignored may be left out."""
    model, ids, labels = MODELS[cls], ids_of(cls), labels_of(cls)
    loss = model(ids, **labels).loss
    if cls is RobertaForQuestionAnswering:
        start = model(ids[:2], start_positions=[1, 0], end_positions=[5, 6])
        ends = model(ids[[0, 2]], start_positions=[1, 9], end_positions=[5, 2])
        start_alone = log_probabilities(start.start_logits)[[0, 1], [1, 0]]
        end_alone = log_probabilities(ends.end_logits)[[0, 1], [5, 2]]
        close(loss, -(start_alone.mean() + end_alone.mean()) / 2)
    else:
        close(loss, model(ids[:2], labels=labels["labels"][:2]).loss)


def log_probabilities(logits):
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


@EVERY_CLASS
@pytest.mark.parametrize("library", LIBRARIES)
def test_a_loss_without_labels_is_nan(cls, library):
    for labels in all_ignored(cls):
        placed = {name: library.array(value) for name, value in labels.items()}
        output = library.model(MODELS[cls])(library.array(ids_of(cls)), **placed)
        assert np.isnan(host(output.loss))
        assert all(np.isfinite(host(output[name])).all() for name in output.keys()[1:])


@pytest.mark.parametrize("alone", ["start_positions", "end_positions"])
def test_one_position_gives_no_loss(alone):
    model = MODELS[RobertaForQuestionAnswering]
    assert model(IDS, **{alone: [1, 2, 3]}).loss is None
    with pytest.raises(ValueError, match=f"{alone} has shape"):
        model(IDS, **{alone: [1, 2]})


def test_negative_positions_are_the_first():
    model = MODELS[RobertaForQuestionAnswering]
    first = model(IDS, start_positions=[0, 0, 0], end_positions=[1, 0, 2]).loss
    close(model(IDS, start_positions=[-1, 0, -100], end_positions=[1, -7, 2]).loss, first)


def test_the_problem_is_chosen_anew_by_each_call():
    """In transformers the first call decides for all later ones."""
    model = MODELS[RobertaForSequenceClassification]
    classes, shares = np.array([1, 0, 3]), RNG.random((B, C))
    single, multi = model(IDS, labels=classes).loss, model(IDS, labels=shares).loss
    logits = model(IDS).logits
    close(single, -log_probabilities(logits)[range(B), classes].mean())
    close(multi, np.mean(np.log1p(np.exp(logits)) - shares * logits))
    close(model(IDS, labels=classes).loss, single)
    assert model.config.problem_type is None

    theirs = transformers.RobertaForSequenceClassification(
        transformers.RobertaConfig(**FIELDS, num_labels=C)
    )
    theirs(torch.tensor(IDS), labels=torch.tensor(classes))
    with pytest.raises(ValueError, match="batch_size"):
        theirs(torch.tensor(IDS), labels=torch.tensor(shares))


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_what_transformers_takes_and_this_package_does_not():
    """Differences of labels and losses that tutorials/differences.md lists."""

    def both(cls, fields, ids, arguments):
        theirs = getattr(transformers, cls.__name__)(transformers.RobertaConfig(**FIELDS, **fields))
        tensors = {name: torch.tensor(value) for name, value in arguments.items()}
        with pytest.raises(ValueError, match="must"):
            cls(RobertaConfig(**FIELDS, **fields))(ids, **arguments)
        return theirs(torch.tensor(ids), **tensors)

    three, two_texts = {"num_labels": 3}, IDS[:2]
    flat = {**three, "problem_type": "regression"}
    texts = RobertaForSequenceClassification
    assert both(texts, flat, two_texts, {"labels": np.zeros(3, "float32")}).loss >= 0
    targets = np.array([[1, 0, -100], [0, 0, 0]], "float32")
    assert both(texts, three, two_texts, {"labels": targets}).loss.isfinite()
    tokens = {"labels": np.zeros(2 * S, np.int64)}
    assert both(RobertaForTokenClassification, three, two_texts, tokens).loss >= 0
    mask = {"attention_mask": np.ones((C, S), np.int64)}
    assert both(RobertaForMultipleChoice, {}, CHOICES[:1], mask).logits.shape == (1, C)
    asked = transformers.RobertaForQuestionAnswering(transformers.RobertaConfig(**FIELDS, **three))
    with pytest.raises(ValueError, match="too many values to unpack"):
        asked(torch.tensor(IDS))


@pytest.mark.parametrize(
    ("problem_type", "labels"),
    [
        ("regression", RNG.standard_normal((B, C)).tolist()),
        ("single_label_classification", [3, 0, -100]),
        ("multi_label_classification", [[0, 1, 1, 0], [0, 0, 0, 0], [1, 1, 1, 1]]),
    ],
)
@pytest.mark.parametrize("library", LIBRARIES)
def test_lists_of_labels_take_the_models_dtype(library, problem_type, labels):
    config = config_of(RobertaForSequenceClassification, problem_type=problem_type)
    model = library.model(RobertaForSequenceClassification(config))
    loss = model(library.array(IDS), labels=labels).loss
    assert str(loss.dtype).endswith("float32")
    kind = np.int64 if problem_type.startswith("single") else np.float32
    same = model(library.array(IDS), labels=library.array(np.array(labels, kind))).loss
    assert host(loss) == host(same)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint64"])
@pytest.mark.parametrize("library", LIBRARIES)
def test_class_numbers_may_have_any_integer_dtype(library, dtype):
    for cls in (RobertaForSequenceClassification, RobertaForMultipleChoice):
        model, ids = library.model(MODELS[cls]), library.array(ids_of(cls))
        labels = np.array([3, 1, 0])
        expected = model(ids, labels=library.array(labels)).loss
        assert host(model(ids, labels=library.array(labels.astype(dtype))).loss) == host(expected)


def test_one_number_to_predict():
    config = config_of(RobertaForSequenceClassification, num_labels=1)
    model = RobertaForSequenceClassification(config, seed=3)
    wanted = np.array([4, -100, 2])  # -100 is a number like any other
    predicted = model(IDS).logits
    assert predicted.shape == (B, 1)
    loss = model(IDS, labels=wanted).loss
    assert loss.dtype == np.float32
    np.testing.assert_allclose(loss, np.mean((predicted[:, 0] - wanted) ** 2), rtol=1e-6)
    assert model(IDS, labels=wanted[:, None]).loss == loss
    assert model(IDS, labels=wanted.astype(np.float64)).loss.dtype == np.float64


@EVERY_CLASS
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_everything_has_the_models_dtype(cls, dtype):
    output = MODELS[cls].astype(dtype)(
        ids_of(cls), **labels_of(cls), output_hidden_states=True, output_attentions=True
    )
    for name, value in output.items():
        for array in value if isinstance(value, tuple) else (value,):
            assert array.dtype == dtype, name


@EVERY_CLASS
def test_what_is_watched_is_what_is_returned(cls):
    with watch() as seen:
        output = MODELS[cls](ids_of(cls), **labels_of(cls), output_hidden_states=True)
    assert seen["loss"] is output.loss
    assert seen["roberta.embeddings"] is output.hidden_states[0]
    assert seen["roberta.encoder.layer.1.output.LayerNorm"] is output.hidden_states[-1]


@EVERY_CLASS
def test_arguments_stand_in_transformers_order(cls):
    import inspect

    theirs = inspect.signature(getattr(transformers, cls.__name__).forward).parameters
    ours = inspect.signature(cls.__call__).parameters.values()
    positional = [one.name for one in ours if one.kind is not inspect.Parameter.KEYWORD_ONLY]
    assert positional == list(theirs)


@EVERY_CLASS
def test_outputs_have_transformers_fields(cls):
    from dataclasses import fields

    output = type(MODELS[cls](ids_of(cls)))
    theirs = getattr(transformers.modeling_outputs, output.__name__)
    assert [one.name for one in fields(output)] == [one.name for one in fields(theirs)]
    assert getattr(minirobert, output.__name__) is output


@EVERY_CLASS
def test_the_encoder_inside(cls):
    model = MODELS[cls]
    states = model(ids_of(cls), output_hidden_states=True).hidden_states[-1]
    inner = model.roberta(ids_of(cls).reshape(-1, S))
    close(inner.last_hidden_state, states)
    assert (inner.pooler_output is not None) == (cls is RobertaForMultipleChoice)


def head_names(cls):
    return [name for name in MODELS[cls].parameter_shapes() if not name.startswith("roberta.e")]


@EVERY_CLASS
def test_a_base_checkpoint_gets_a_new_head(cls, tmp_path):
    base = RobertaModel(RobertaConfig(**FIELDS), seed=8)
    base.save_pretrained(tmp_path)
    missing = [name for name in head_names(cls) if "pooler" not in name]
    with pytest.warns(UserWarning, match="has no weights for .* initialised from seed 4") as seen:
        model = cls.from_pretrained(tmp_path, num_labels=config_of(cls).num_labels, seed=4)
    assert seen[0].filename == __file__
    assert f"no weights for {', '.join(missing)}:" in str(seen[0].message)
    fresh = flatten(cls(model.config, seed=4).params)
    for name, array in flatten(model.params).items():
        body = flatten(base.params).get(name.removeprefix("roberta."))
        np.testing.assert_array_equal(array, fresh[name] if body is None else body, err_msg=name)
    with pytest.raises(CheckpointError, match=f"missing: {missing[0]}"):
        cls.from_pretrained(tmp_path, num_labels=model.config.num_labels, strict=True)


@EVERY_CLASS
def test_a_head_checkpoint_has_a_base_model(cls, tmp_path):
    MODELS[cls].save_pretrained(tmp_path)
    base = RobertaModel.from_pretrained(tmp_path, add_pooling_layer=False, dtype="float64")
    ids = ids_of(cls).reshape(-1, S)
    close(base(ids).last_hidden_state, MODELS[cls].roberta(ids).last_hidden_state)
    if cls is RobertaForMultipleChoice:
        pooled = RobertaModel.from_pretrained(tmp_path, dtype="float64", strict=True)(ids)
        close(pooled.pooler_output, MODELS[cls].roberta(ids).pooler_output)


@EVERY_CLASS
@pytest.mark.parametrize("other", [RobertaForMaskedLM, *CLASSES])
def test_from_one_head_to_another(cls, other, tmp_path):
    if cls is other:
        return
    source = other(config_of(other, num_labels=2), seed=8)
    source.save_pretrained(tmp_path)
    if {cls, other} == {RobertaForTokenClassification, RobertaForMultipleChoice}:
        # both call their only map "classifier"
        with pytest.raises(CheckpointError, match=r"wrong shape: classifier\.weight is \["):
            cls.from_pretrained(tmp_path)
        return
    with pytest.warns(UserWarning, match="has no weights for") as seen:
        model = cls.from_pretrained(tmp_path)
    assert f"no weights for {', '.join(head_names(cls))}:" in str(seen[0].message)
    np.testing.assert_array_equal(
        flatten(model.params)["roberta.embeddings.word_embeddings.weight"], source.word_embeddings
    )


@EVERY_CLASS
def test_what_is_saved_is_read_back(cls, tmp_path):
    model = MODELS[cls]
    model.save_pretrained(tmp_path)
    again = cls.from_pretrained(tmp_path, dtype="auto", strict=True)
    assert again.config.architectures == [cls.__name__]
    assert again.config.num_labels == model.config.num_labels
    close(results(again(ids_of(cls))), results(model(ids_of(cls))))


def test_another_number_of_labels_is_a_wrong_shape(tmp_path):
    MODELS[RobertaForSequenceClassification].save_pretrained(tmp_path)
    with pytest.raises(
        CheckpointError, match=r"classifier\.out_proj\.bias is \[4\], but must be \[7\]"
    ):
        RobertaForSequenceClassification.from_pretrained(tmp_path, num_labels=7)
