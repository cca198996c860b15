"""Mistakes of the activation, and of the heads."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch.nn import functional

from tests.numerics.mistakes.ground import (
    Arguments,
    Plant,
    base,
    has_layers,
    is_wide,
    layers,
    length,
    put,
)


def activation(function: Callable[[torch.Tensor], torch.Tensor]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        for layer in layers(module):
            put(stack, layer.intermediate.intermediate_act_fn, "forward", function)

    return plant


def tanh_gelu(x: torch.Tensor) -> torch.Tensor:
    return functional.gelu(x, approximate="tanh")


def quick_gelu(x: torch.Tensor) -> torch.Tensor:
    return x * torch.sigmoid(1.702 * x)


def is_exact_gelu(module: Any, arguments: Arguments) -> bool:
    return module.config.hidden_act in ("gelu", "gelu_python") and has_layers(module, arguments)


def head_activation(function: Callable[[torch.Tensor], torch.Tensor]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        head = module.lm_head
        put(
            stack,
            head,
            "forward",
            lambda x, **_: head.decoder(head.layer_norm(function(head.dense(x)))),
        )

    return plant


def head_without_norm(module: Any, stack: ExitStack) -> None:
    put(stack, module.lm_head.layer_norm, "forward", lambda x: x)


def head_without_bias(module: Any, stack: ExitStack) -> None:
    decoder = module.lm_head.decoder
    put(stack, decoder, "forward", lambda x: functional.linear(x, decoder.weight))


def decoder_not_tied(module: Any, stack: ExitStack) -> None:
    decoder = module.lm_head.decoder
    generator = torch.Generator().manual_seed(0)
    other = torch.randn(decoder.weight.shape, generator=generator).to(decoder.weight)
    other = other * decoder.weight.std()
    put(stack, decoder, "forward", lambda x: functional.linear(x, other, decoder.bias))


def pooler_on_last(module: Any, stack: ExitStack) -> None:
    pooler = base(module).pooler
    put(stack, pooler, "forward", lambda x: pooler.activation(pooler.dense(x[:, -1])))


def has_pooler(module: Any, arguments: Arguments) -> bool:
    pools = base(module).pooler is not None
    return pools and is_wide(module, arguments) and length(arguments) > 1
