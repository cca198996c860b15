"""Labels: checked against the model, and brought to the shape that their loss takes.

As in `minirobert.models.inputs`, a wrong label is found before any computation.
"""

from __future__ import annotations

from typing import Any

from ..arrays import (
    Array,
    Shape,
    array_namespace,
    astype,
    dtype_name,
    holds,
    index_dtype,
    is_array_api_obj,
    is_integer,
)
from ..checks import check_all, check_integers, check_range, check_shape, place
from ..config import RobertaConfig

__all__ = ["IGNORED", "check_labels", "check_positions", "check_text_labels", "choose_problem_type"]

#: The label of what does not count, in every loss over classes.
IGNORED = -100


def check_labels(
    labels: Any, weights: Array, classes: int, *shapes: Shape, kind: str = "classes"
) -> Array:
    """Check numbers of classes, each in [0, C) or -100 where it does not count.

    Of the shapes that the labels may have they are given the first, as int64. ``kind`` is what they
    count, for the sentence of an error.
    """
    array = place("labels", labels, weights)
    check_integers("labels", array)
    check_shape("labels", array, *shapes)
    array = _int64(array, shapes[0])
    counted = array_namespace(array).where(array == IGNORED, 0, array)
    limit = f"there are {classes} {kind}" if classes != 1 else "there is only this one"
    check_range("labels", counted, classes, limit, f" or {IGNORED}")
    return array


def check_positions(name: str, positions: Any, weights: Array, batch: int) -> Array:
    """Check the positions at which answers start, or end: one for each text, int64 of shape [B].

    Any number is right: `minirobert.losses.span_loss` says what those outside of the text mean.
    """
    positions = place(name, positions, weights)
    check_integers(name, positions)
    check_shape(name, positions, (batch,), (batch, 1))
    return _int64(positions, (batch,))


def choose_problem_type(config: RobertaConfig, labels: Array) -> str:
    """Tell what the labels of texts mean: as the configuration says, or else by their looks.

    >>> import numpy as np
    >>> choose_problem_type(RobertaConfig(num_labels=3), np.array([2, 0]))
    'single_label_classification'
    """
    if config.problem_type is not None:
        return config.problem_type
    if config.num_labels == 1:
        return "regression"
    return "single_label_classification" if is_integer(labels) else "multi_label_classification"


def check_text_labels(
    labels: Any, weights: Array, config: RobertaConfig, batch: int
) -> tuple[Array, str]:
    """Check the labels of texts, and choose the problem that they state.

    They become int64 of shape [B] for a single label, and otherwise numbers of shape [B, C]. Lists
    of numbers have no dtype of their own: they take the model's where a floating-point one is
    needed. `minirobert.models.classifiers` says what the labels of each problem may be.
    """
    array = place("labels", labels, weights)
    xp, classes = array_namespace(array), config.num_labels
    problem = choose_problem_type(config, array)
    kinds, needed = _NEEDED[problem]
    if config.problem_type is None:
        needed += (
            f" (config.problem_type is None, so num_labels {classes} and labels of "
            f"{dtype_name(array)} chose this: set problem_type, or convert the labels)"
        )
    if problem != "single_label_classification" and not is_array_api_obj(labels):
        array = astype(array, weights.dtype)
    if not holds(array, kinds):
        raise TypeError(f"labels has dtype {dtype_name(array)}, but {problem} needs {needed}")
    allowed: list[Shape] = [(batch, classes)]
    if problem == "single_label_classification" or (problem == "regression" and classes == 1):
        allowed = [(batch,), (batch, 1)]
    check_shape("labels", array, *allowed, why=f": {problem} needs {needed}")
    if problem == "single_label_classification":
        return check_labels(array, weights, classes, *allowed), problem
    if problem == "multi_label_classification":
        known = (array >= 0) & (array <= 1)
        check_all("labels", array, known, f"from 0 to 1 (in {problem} no label is ignored)")
    return xp.reshape(array, (batch, classes)), problem


#: problem type: (kinds of dtype, what labels must be)
_NEEDED: dict[str, tuple[str | tuple[str, ...], str]] = {
    "regression": (("bool", "integral", "real floating"), "num_labels numbers for each text"),
    "single_label_classification": ("integral", "an integer for each text, that of its class"),
    "multi_label_classification": (
        "real floating",
        "a floating-point 1 or 0 for each text and class",
    ),
}


def _int64(labels: Array, shape: Shape) -> Array:
    """Convert: an unsigned dtype has no -100."""
    xp = array_namespace(labels)
    return xp.reshape(astype(labels, index_dtype(xp)), shape)
