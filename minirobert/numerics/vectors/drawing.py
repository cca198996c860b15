"""Numbers that are the same wherever they are drawn, and are exact in float32.

Python promises that ``random.Random(text).random()`` gives the same numbers for ever; NumPy's
generators may change from one version to the next. What is drawn is rounded to a multiple of a
power of 2, so that few digits write it, and no format of 24 bits rounds it again.
"""

from __future__ import annotations

import math
from random import Random
from typing import Any, NamedTuple

import numpy as np

from ...arrays import Shape
from ...config import RobertaConfig
from ...parameters import parameter_shapes

__all__ = ["USUAL", "Scales", "draw", "draw_ids", "draw_weights"]

Numbers = np.ndarray[Any, Any]

#: What drawn numbers are multiples of.
STEP = 2.0**-14


class Scales(NamedTuple):
    """How large the weights of a case are: standard deviations."""

    maps: float = 0.3  # of linear maps
    tables: float = 0.5  # of embeddings
    biases: float = 0.3
    step: float = STEP  # what all of them are multiples of


USUAL = Scales()


def draw(key: str, shape: Shape, scale: float = 1.0, step: float = STEP) -> Numbers:
    """Draw numbers evenly around 0.

    Parameters
    ----------
    key : str
        The seed.
    shape : tuple of int
    scale : float
        Their standard deviation.
    step : float
        They are multiples of this.

    Returns
    -------
    float64 NumPy array
    """
    random = Random(key)
    uniform = np.array([random.random() for _ in range(math.prod(shape))])
    drawn = np.rint((2.0 * uniform - 1.0) * (math.sqrt(3.0) * scale / step)) * step
    return drawn.reshape(shape) + 0.0  # no -0


def draw_ids(key: str, shape: Shape, below: int, avoid: tuple[int, ...] = ()) -> list[Any]:
    """Draw ids from 0 on, without some."""
    allowed = [index for index in range(below) if index not in avoid]
    random = Random(key)
    drawn = [allowed[int(random.random() * len(allowed))] for _ in range(math.prod(shape))]
    nested: list[Any] = np.array(drawn).reshape(shape).tolist()
    return nested


def draw_weights(
    key: str, config: RobertaConfig, architecture: str, scales: Scales, **options: Any
) -> dict[str, Numbers]:
    """Draw all weights of a model, so that each of them counts: no bias is 0, and no norm 1.

    Returns
    -------
    dict of str to float32 NumPy array
    """
    shapes = parameter_shapes(config, architecture, **options)
    return {
        name: _drawn(f"{key} {name}", name, shape, scales).astype(np.float32)
        for name, shape in shapes.items()
    }


def _drawn(key: str, name: str, shape: Shape, scales: Scales) -> Numbers:
    if name.endswith("embeddings.weight"):
        return draw(key, shape, scales.tables, scales.step)
    if name.endswith(("LayerNorm.weight", "layer_norm.weight")):
        return 1.0 + draw(key, shape, 0.2, scales.step)
    return draw(key, shape, scales.biases if name.endswith("bias") else scales.maps, scales.step)
