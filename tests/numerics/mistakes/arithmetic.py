"""Sums in fewer digits, dropout that was left on, and a NaN."""

import math
from contextlib import ExitStack
from typing import Any

import torch
from torch.nn import functional

from tests.numerics.mistakes.ground import Arguments, hook, layers, put


def float16_sums(module: Any, stack: ExitStack) -> None:
    """Sum one product in float16, term by term."""
    one = layers(module)[-1].intermediate.dense

    def forward(x: torch.Tensor) -> torch.Tensor:
        total = torch.zeros((*x.shape[:-1], one.out_features), dtype=torch.float16)
        for k in range(one.in_features):
            total = (total + x[..., k : k + 1] * one.weight[:, k]).half()
        return (total + one.bias).to(x.dtype)

    put(stack, one, "forward", forward)


def tf32(x: torch.Tensor) -> torch.Tensor:
    """Round to 10 bits behind the first, ties to even."""
    bits = x.float().contiguous().view(torch.int32)
    rounded = (bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF
    return rounded.view(torch.float32).to(x.dtype)


def tf32_products(module: Any, stack: ExitStack) -> None:
    for one in module.modules():
        if isinstance(one, torch.nn.Linear):
            put(
                stack,
                one,
                "forward",
                lambda x, one=one: functional.linear(tf32(x), tf32(one.weight), one.bias),
            )


def is_full(module: Any, arguments: Arguments) -> bool:
    return next(module.parameters()).dtype in (torch.float32, torch.float64)


LINEAR = (
    *("self.query", "self.key", "self.value", "output.dense", "intermediate.dense"),
    *("lm_head.dense", "lm_head.logits", "pooler.dense"),
    *("classifier.dense", "classifier.logits", "qa_outputs.*"),
)


def dropout_left_on(module: Any, stack: ExitStack) -> None:
    stack.enter_context(torch.random.fork_rng(devices=[]))
    torch.manual_seed(0)
    for one in module.modules():
        if isinstance(one, torch.nn.Dropout):
            put(stack, one, "training", True)


def has_dropout(module: Any, arguments: Arguments) -> bool:
    return any(one.p > 0 for one in module.modules() if isinstance(one, torch.nn.Dropout))


def one_nan(module: Any, stack: ExitStack) -> None:
    def after(_: Any, args: Any, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        output[0, -1, -1] = math.nan
        return output

    hook(stack, layers(module)[-1].intermediate.dense.register_forward_hook(after))


def nothing(module: Any, stack: ExitStack) -> None:
    """Leave the model as it is."""
