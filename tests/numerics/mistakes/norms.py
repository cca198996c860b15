"""Mistakes of layer norms."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch

from tests.numerics.mistakes.ground import Arguments, Plant, is_wide, norms, put


def eps(value: float) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        for norm in norms(module):
            put(stack, norm, "eps", value)

    return plant


def other_eps(value: float) -> Callable[[Any, Arguments], bool]:
    return lambda module, arguments: (
        module.config.layer_norm_eps != value and is_wide(module, arguments)
    )


def norm(scale: Callable[[torch.Tensor, float], torch.Tensor]) -> Plant:
    """Divide by another number than the square root of variance and eps."""

    def plant(module: Any, stack: ExitStack) -> None:
        for one in norms(module):

            def forward(x: torch.Tensor, one: Any = one) -> torch.Tensor:
                centred = x - x.mean(-1, keepdim=True)
                return centred / scale(x, one.eps) * one.weight + one.bias

            put(stack, one, "forward", forward)

    return plant


def eps_outside(x: torch.Tensor, eps: float) -> torch.Tensor:
    return x.var(-1, keepdim=True, unbiased=False).sqrt() + eps


def unbiased(x: torch.Tensor, eps: float) -> torch.Tensor:
    return (x.var(-1, keepdim=True, unbiased=True) + eps).sqrt()


NORMS = ("LayerNorm", "lm_head.layer_norm")
