"""The cases of the classes of models: their scores, their losses, and what decoders do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .cases import Case
from .drawing import draw, draw_ids
from .small import LOGITS, READ, small_case

__all__ = ["task_cases"]

POOLER = ("pooler",)
CLASSES = ("classifier.logits",)
SPANS = ("qa_outputs.start_logits", "qa_outputs.end_logits")
LOSS = ("loss",)


def task_cases() -> Iterator[Case]:
    """Give them in their order."""
    yield from _classes()
    yield from _losses()
    yield from _decoders()
    yield _training()


# The classes


CHOICES = {
    "input_ids": draw_ids("choices", (2, 4, 5), 23, (0,)),
    "attention_mask": draw_ids("choices mask", (2, 4, 5), 2),
}


def _classes() -> Iterator[Case]:
    yield small_case(
        "base", "RobertaModel with its pooler", architecture="RobertaModel", outputs=POOLER
    )
    yield small_case(
        "base-without-pooler",
        "RobertaModel without a pooler",
        architecture="RobertaModel",
        outputs=("encoder.layer.0.output.LayerNorm",),
        options={"add_pooling_layer": False},
    )
    for name, given, outputs in (
        ("RobertaForSequenceClassification", READ, CLASSES),
        ("RobertaForTokenClassification", READ, CLASSES),
        ("RobertaForQuestionAnswering", READ, SPANS),
        ("RobertaForMultipleChoice", CHOICES, CLASSES),
    ):
        yield small_case(
            _dashed(name),
            f"{name}: its scores",
            given,
            architecture=name,
            outputs=outputs,
            **({"num_labels": 4} if "Classification" in name else {}),
        )


def _dashed(name: str) -> str:
    """Write the name of a class in small letters: ``multiple-choice``."""
    words = re.findall("[A-Z][a-z]+", name.removeprefix("RobertaFor"))
    return "-".join(words).lower()


# Losses


def _losses() -> Iterator[Case]:
    labels = [[-100, 3, -100, 9, 2], [22, -100, 0, -100, -100]]
    yield _loss("masked-lm", "-100 does not count", labels)
    yield _loss("no-label", "no label counts: the loss is NaN", [[-100] * 5] * 2)
    decisions = [[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.5, 0.0]]
    numbers = [[1.5, 0.0, -1.0, 2.0], [0.25, 0.0, 1.0, -3.0]]
    for problem, covers, given in (
        ("single_label_classification", "cross-entropy of one class", [3, 0]),
        ("multi_label_classification", "yes or no for each class", decisions),
        ("regression", "mean squared error of several numbers", numbers),
        (None, "a single class makes it a regression of one number", [0.5, -2.25]),
    ):
        yield _loss(
            (problem or "regression_of_one").replace("_", "-"),
            f"problem_type {problem or 'null'}: {covers}",
            given,
            architecture="RobertaForSequenceClassification",
            num_labels=4 if problem else 1,
            problem_type=problem,
            classifier_dropout=0.3,
        )
    tokens = [[-100, 3, 0, 1, -100], [-100, 2, -100, -100, -100]]
    architecture = "RobertaForTokenClassification"
    yield _loss("tokens", "-100 does not count", tokens, architecture=architecture, num_labels=4)
    architecture = "RobertaForMultipleChoice"
    yield _loss(
        "choices", "the right choice of each text", [3, 1], CHOICES, architecture=architecture
    )
    for name, covers, start, end in (
        ("span", "where answers start and end", [1, 0], [4, 2]),
        ("span-beyond", "beyond the end is ignored, below 0 is 0", [-100, 2], [5, 1]),
    ):
        spans = {**READ, "start_positions": start, "end_positions": end}
        architecture = "RobertaForQuestionAnswering"
        yield _loss(name, covers, None, spans, architecture=architecture)


def _loss(name: str, covers: str, labels: Any, given: Any = READ, **more: Any) -> Case:
    called = {**given, "labels": labels} if labels is not None else given
    return small_case(f"loss-{name}", f"the loss: {covers}", called, outputs=LOSS, **more)


# Decoders


def _decoders() -> Iterator[Case]:
    decoder: dict[str, Any] = {"architecture": "RobertaForCausalLM", "is_decoder": True}
    yield small_case(
        "decoder", "RobertaForCausalLM: each token looks back only", **decoder, outputs=LOGITS
    )
    yield small_case(
        "decoder-loss",
        "each token's logits and the label of the next",
        {**READ, "labels": [[0, 7, -100, 11, 2], [0, 5, 2, -100, -100]]},
        **decoder,
        outputs=LOSS,
    )
    yield small_case(
        "decoder-loss-of-items",
        "num_items_in_batch: what the sum of the losses is divided by",
        {**READ, "labels": [[0, 7, -100, 11, 2], [0, 5, 2, -100, -100]], "num_items_in_batch": 3},
        **decoder,
        outputs=LOSS,
    )
    for kind in ("absolute", "relative_key_query"):
        yield small_case(
            f"cache-{kind.replace('_', '-')}",
            "three calls with a cache of keys and values, texts padded on the left; the mask is "
            "that of all tokens so far, and padding is not counted as a position",
            *_STEPS,
            **decoder,
            num_hidden_layers=2,
            position_embedding_type=kind,
            outputs=_of_calls(LOGITS, 3),
        )
    text = draw("encoder", (2, 6, 12), 1.0).tolist()
    across = {
        "encoder_hidden_states": text,
        "encoder_attention_mask": [[1] * 6, [1, 1, 0, 1, 0, 0]],
    }
    yield small_case(
        "cross-attention",
        "add_cross_attention: the decoder looks at six tokens of an encoder's",
        {**READ, **across},
        **decoder,
        add_cross_attention=True,
        outputs=LOGITS,
    )
    yield small_case(
        "cross-attention-cache",
        "the cache keeps the keys and values of the encoder's text, too",
        *({**step, **across} for step in _STEPS),
        **decoder,
        add_cross_attention=True,
        outputs=_of_calls(LOGITS, 3),
    )


_LEFT = [[0, 0, 1, 1], [1, 1, 1, 1]]
_STEPS = (
    {"input_ids": [[1, 1, 0, 7], [0, 9, 21, 4]], "attention_mask": _LEFT},
    {"input_ids": [[12], [6]], "attention_mask": [[*row, 1] for row in _LEFT]},
    {"input_ids": [[13, 3], [8, 10]], "attention_mask": [[*row, 1, 1, 1] for row in _LEFT]},
)


def _of_calls(outputs: tuple[str, ...], calls: int) -> tuple[str, ...]:
    """Name the outputs of all calls."""
    later = (f"call.{k}.{name}" for k in range(1, calls) for name in outputs)
    return (*outputs, *later)


def _training() -> Case:
    return small_case(
        "training",
        "dropout: what is kept is given, as LayerNorm.dropout.kept and so on, and the rest scaled",
        {**READ, "labels": [[-100, 3, -100, 9, 2], [22, -100, 0, -100, -100]], "train": True},
        outputs=LOSS,
        hidden_dropout_prob=0.25,
        attention_probs_dropout_prob=0.5,
    )
