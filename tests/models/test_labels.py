"""Bad labels, and what else heads refuse, get a sentence before any computation."""

import warnings

import numpy as np
import pytest

from minirobert import (
    RobertaConfig,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    watch,
)
from minirobert.models.labels import choose_problem_type
from tests.libraries import LIBRARIES, STRICT

FIELDS = {
    "vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
IDS = np.array([[0, 5, 6, 7, 2], [0, 7, 2, 1, 1]])  # B, S = 2, 5
CHOICES = np.stack([IDS, IDS, IDS, IDS], axis=1)  # B, C, S = 2, 4, 5
EMBEDS = np.zeros((2, 4, 5, 12), np.float32)
SHARES = np.zeros((2, 3))


def text(num_labels=3, problem_type=None):
    config = RobertaConfig(**FIELDS, num_labels=num_labels, problem_type=problem_type)
    return RobertaForSequenceClassification(config)


TOKENS = RobertaForTokenClassification(RobertaConfig(**FIELDS, num_labels=3))
ANSWERS = RobertaForQuestionAnswering(RobertaConfig(**FIELDS))
CHOOSER = RobertaForMultipleChoice(RobertaConfig(**FIELDS))

CHOSEN = (
    r"\(config.problem_type is None, so num_labels 3 and labels of {} chose this: set problem_type"
)


def at(array, where, value):
    changed = np.array(array)
    changed[where] = value
    return changed


BAD = {
    "a class too large": (
        text(),
        {"labels": np.array([0, 3])},
        ValueError,
        r"labels\[1\] is 3, but must be from 0 to 2 or -100 \(there are 3 classes\)",
    ),
    "a negative class": (text(), {"labels": np.array([-1, 0])}, ValueError, r"labels\[0\] is -1"),
    "the only class": (
        text(1, "single_label_classification"),
        {"labels": np.array([0, 1])},
        ValueError,
        r"labels\[1\] is 1, but must be from 0 to 0 or -100 \(there is only this one\)",
    ),
    "too few labels": (
        text(),
        {"labels": np.array([0])},
        ValueError,
        r"labels has shape \[1\], but must have \[2\] or \[2, 1\]: single_label_classification "
        r"needs an integer for each text, that of its class " + CHOSEN.format("int64"),
    ),
    "several labels as integers": (
        text(),
        {"labels": SHARES.astype(int)},
        ValueError,
        r"labels has shape \[2, 3\], but must have \[2\] or \[2, 1\]: single",
    ),
    "one label as a float": (
        text(),
        {"labels": np.array([0.0, 1.0])},
        ValueError,
        r"labels has shape \[2\], but must have \[2, 3\]: multi_label_classification needs a "
        r"floating-point 1 or 0 for each text and class " + CHOSEN.format("float64"),
    ),
    "booleans": (
        text(),
        {"labels": SHARES > 0},
        TypeError,
        "labels has dtype bool, but multi_label_classification needs a floating-point 1 or 0 "
        "for each text and class " + CHOSEN.format("bool"),
    ),
    "floats for a single label": (
        text(3, "single_label_classification"),
        {"labels": np.array([0.0, 1.0])},
        TypeError,
        "labels has dtype float64, but single_label_classification needs an integer for each "
        "text, that of its class$",
    ),
    "integers for several labels": (
        text(3, "multi_label_classification"),
        {"labels": SHARES.astype(int)},
        TypeError,
        "labels has dtype int64, but multi_label_classification needs a floating-point 1 or 0 "
        "for each text and class$",
    ),
    "several labels of which one is ignored": (
        text(3, "multi_label_classification"),
        {"labels": at(SHARES, (1, 2), -100.0)},
        ValueError,
        r"labels\[1, 2\] is -100.0, but must be from 0 to 1 \(in multi_label_classification no "
        r"label is ignored\)",
    ),
    "several labels of which one is NaN": (
        text(),
        {"labels": at(SHARES, (0, 1), np.nan)},
        ValueError,
        r"labels\[0, 1\] is nan, but must be from 0 to 1",
    ),
    "several labels of too few classes": (
        text(3, "multi_label_classification"),
        {"labels": SHARES[:, :2]},
        ValueError,
        r"labels has shape \[2, 2\], but must have \[2, 3\]: multi",
    ),
    "one number for three to predict": (
        text(3, "regression"),
        {"labels": np.array([0.5, 1.5])},
        ValueError,
        r"labels has shape \[2\], but must have \[2, 3\]: regression needs num_labels numbers "
        "for each text$",
    ),
    "two numbers for one to predict": (
        text(1),
        {"labels": SHARES[:, :2]},
        ValueError,
        r"labels has shape \[2, 2\], but must have \[2\] or \[2, 1\]: regression needs",
    ),
    "complex numbers to predict": (
        text(1),
        {"labels": np.array([1j, 2j])},
        TypeError,
        "labels has dtype complex128, but regression needs num_labels numbers",
    ),
    "names of classes": (
        text(),
        {"labels": ["POSITIVE", "NEGATIVE"]},
        ValueError,
        "labels is no array of numbers",
    ),
    "a token's class too large": (
        TOKENS,
        {"labels": at(IDS * 0, (1, 3), 3)},
        ValueError,
        r"labels\[1, 3\] is 3, but must be from 0 to 2 or -100 \(there are 3 classes\)",
    ),
    "a class for each text, not token": (
        TOKENS,
        {"labels": np.array([0, 1])},
        ValueError,
        r"labels has shape \[2\], but must have \[2, 5\]",
    ),
    "floats for tokens": (
        TOKENS,
        {"labels": IDS * 0.0},
        TypeError,
        "labels has dtype float64, but must hold integers: use int64 or int32",
    ),
    "positions of other texts": (
        ANSWERS,
        {"start_positions": np.array([1, 2]), "end_positions": np.array([1, 2, 3])},
        ValueError,
        r"end_positions has shape \[3\], but must have \[2\] or \[2, 1\]",
    ),
    "float positions": (
        ANSWERS,
        {"start_positions": np.array([1.0, 2.0]), "end_positions": np.array([1, 2])},
        TypeError,
        "start_positions has dtype float64, but must hold integers",
    ),
    "a choice too large": (
        CHOOSER,
        {"input_ids": CHOICES, "labels": np.array([0, 4])},
        ValueError,
        r"labels\[1\] is 4, but must be from 0 to 3 or -100 \(there are 4 choices\)",
    ),
    "a label for each choice": (
        CHOOSER,
        {"input_ids": CHOICES, "labels": np.zeros((2, 4), int)},
        ValueError,
        r"labels has shape \[2, 4\], but must have \[2\]",
    ),
    "ids without choices": (
        CHOOSER,
        {},
        ValueError,
        r"input_ids has 2 axes \(shape \[2, 5\]\), but must be \[batch, choices, sequence\]: "
        r"write input_ids\[None, :\] for a batch of one",
    ),
    "embeds without choices": (
        CHOOSER,
        {"input_ids": None, "inputs_embeds": EMBEDS[:, 0]},
        ValueError,
        r"inputs_embeds has shape \[2, 5, 12\], but must have \[batch, choices, sequence, 12\]",
    ),
    "no choices": (CHOOSER, {"input_ids": CHOICES[:, :0]}, ValueError, "input_ids is empty"),
    "an id of a choice": (
        CHOOSER,
        {"input_ids": at(CHOICES, (1, 3, 2), 20)},
        ValueError,
        r"input_ids\[1, 3, 2\] is 20, but must be from 0 to 19 \(vocab_size is 20\)",
    ),
    "a mask without choices": (
        CHOOSER,
        {"input_ids": CHOICES, "attention_mask": IDS * 0},
        ValueError,
        r"attention_mask has shape \[2, 5\], but must have \[2, 4, 5\]",
    ),
    "one mask for all choices": (
        CHOOSER,
        {"input_ids": CHOICES, "attention_mask": IDS[:1] * 0},
        ValueError,
        r"attention_mask has shape \[1, 5\], but must have \[2, 4, 5\]$",
    ),
    "half a mask of a choice": (
        CHOOSER,
        {"input_ids": CHOICES, "attention_mask": at(CHOICES * 0.0, (0, 2, 1), 0.5)},
        ValueError,
        r"attention_mask\[0, 2, 1\] is 0.5",
    ),
    "a token type of a choice": (
        CHOOSER,
        {"input_ids": CHOICES, "token_type_ids": at(CHOICES * 0, (0, 1, 2), 2)},
        ValueError,
        r"token_type_ids\[0, 1, 2\] is 2, but must be from 0 to 1",
    ),
    "token types without choices": (
        CHOOSER,
        {"input_ids": CHOICES, "token_type_ids": IDS * 0},
        ValueError,
        r"token_type_ids has 2 axes \(shape \[2, 5\]\), but must be \[batch, choices, sequence\]",
    ),
    "a position of a choice": (
        CHOOSER,
        {"input_ids": CHOICES, "position_ids": at(CHOICES * 0, (1, 1, 2), 9)},
        ValueError,
        r"position_ids\[1, 1, 2\] is 9, but must be from 0 to 8",
    ),
    "positions without choices": (
        CHOOSER,
        {"input_ids": CHOICES, "position_ids": IDS * 0},
        ValueError,
        r"position_ids has 2 axes .* must be \[sequence\] or \[batch, choices, sequence\]",
    ),
    "too few positions of choices": (
        CHOOSER,
        {"input_ids": CHOICES, "position_ids": np.arange(4)},
        ValueError,
        r"position_ids has shape \[1, 1, 4\], but must have \[1, 1, 5\] or \[2, 4, 5\]",
    ),
    "choices without a model for them": (
        text(),
        {"input_ids": CHOICES},
        ValueError,
        r"input_ids has 3 axes \(shape \[2, 4, 5\]\), but must be \[batch, sequence\]$",
    ),
}  # fmt: skip


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("case", BAD)
def test_a_sentence_before_any_computation(case, library):
    model, arguments, error, sentence = BAD[case]
    arguments = {"input_ids": IDS, **arguments}
    placed = {
        name: library.array(value) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    with watch() as seen, pytest.raises(error, match=sentence):
        library.model(model)(**placed)
    assert not seen


def test_labels_of_another_library_are_named():
    with pytest.raises(ValueError, match="labels is a array_api_strict array on device"):
        text()(IDS, labels=STRICT.array(np.array([0, 1])))
    with pytest.raises(ValueError, match="end_positions is a array_api_strict array on device"):
        ANSWERS(IDS, start_positions=[0, 1], end_positions=STRICT.array(np.array([0, 1])))


@pytest.mark.parametrize("num_labels", [0, 1, 3])
def test_an_answer_has_a_start_and_an_end(num_labels, tmp_path):
    config = RobertaConfig(**FIELDS, num_labels=num_labels)
    sentence = (
        f"num_labels is {num_labels}, but RobertaForQuestionAnswering needs 2, one score for the "
        "start and one for the end of the answer: set num_labels=2"
    )
    with pytest.raises(ValueError, match=sentence):
        RobertaForQuestionAnswering(config)
    RobertaModel(config).save_pretrained(tmp_path)
    no_warning_before = warnings.catch_warnings(action="error")  # about a new head
    with no_warning_before, pytest.raises(ValueError, match=sentence):
        RobertaForQuestionAnswering.from_pretrained(tmp_path)
    with pytest.warns(UserWarning, match="qa_outputs"):
        RobertaForQuestionAnswering.from_pretrained(tmp_path, num_labels=2)


@pytest.mark.parametrize("cls", [RobertaForSequenceClassification, RobertaForTokenClassification])
def test_a_classifier_has_a_class(cls):
    with pytest.raises(ValueError, match="num_labels is 0, but a classifier needs at least 1"):
        cls(RobertaConfig(**FIELDS, num_labels=0))


@pytest.mark.parametrize(
    ("num_labels", "dtype", "problem_type"),
    [
        (1, "int64", "regression"),
        (1, "float32", "regression"),
        (3, "int64", "single_label_classification"),
        (3, "uint8", "single_label_classification"),
        (3, "float32", "multi_label_classification"),
        (2, "float64", "multi_label_classification"),
    ],
)
def test_the_looks_of_labels_tell_their_problem(num_labels, dtype, problem_type):
    labels = np.zeros((2, num_labels), dtype)
    assert choose_problem_type(RobertaConfig(num_labels=num_labels), labels) == problem_type
    for said in ("regression", "single_label_classification", "multi_label_classification"):
        config = RobertaConfig(num_labels=num_labels, problem_type=said)
        assert choose_problem_type(config, labels) == said


@pytest.mark.parametrize("library", LIBRARIES)
def test_labels_with_an_axis_of_one(library):
    ids, column = library.array(IDS), library.array(np.array([[1], [2]]))
    flat = library.array(np.array([1, 2]))
    for model in (text(), text(1)):
        model = library.model(model)
        assert float(model(ids, labels=column).loss) == float(model(ids, labels=flat).loss)
    model = library.model(ANSWERS)
    one = model(ids, start_positions=column, end_positions=flat).loss
    assert float(one) == float(model(ids, start_positions=flat, end_positions=column).loss)
