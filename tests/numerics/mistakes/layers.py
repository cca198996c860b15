"""Mistakes of whole layers: what is added, left out, or exchanged."""

from contextlib import ExitStack
from typing import Any

import torch
from torch.nn import functional

from tests.numerics.mistakes.ground import Arguments, Plant, has_layers, is_wide, layers, put


def swapped_key_and_value(module: Any, stack: ExitStack) -> None:
    one = layers(module)[-1].attention.self
    key, value = one.key.forward, one.value.forward
    put(stack, one.key, "forward", value)
    put(stack, one.value, "forward", key)


def transposed_weight(module: Any, stack: ExitStack) -> None:
    query = layers(module)[-1].attention.self.query
    put(stack, query, "forward", lambda x: functional.linear(x, query.weight.T, query.bias))


def has_square_weight(module: Any, arguments: Arguments) -> bool:
    if not has_layers(module, arguments) or not is_wide(module, arguments):
        return False
    rows, columns = layers(module)[-1].attention.self.query.weight.shape
    return bool(rows == columns)


def no_bias(name: str) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        one = getattr(layers(module)[-1].attention.self, name)
        put(stack, one, "forward", lambda x: functional.linear(x, one.weight))

    return plant


def skipped_layer(module: Any, stack: ExitStack) -> None:
    put(stack, layers(module)[0], "forward", lambda hidden, *_, **__: (hidden,))


def swapped_layers(module: Any, stack: ExitStack) -> None:
    stacked = layers(module)
    first, second = stacked[0], stacked[1]
    stacked[0], stacked[1] = second, first

    def back() -> None:
        stacked[0], stacked[1] = first, second

    stack.callback(back)


def pre_norm(module: Any, stack: ExitStack) -> None:
    """Normalise what goes into each step, not what comes out of it."""
    for layer in layers(module):

        def forward(
            hidden: torch.Tensor,
            attention_mask: Any = None,
            head_mask: Any = None,
            encoder_hidden_states: Any = None,
            encoder_attention_mask: Any = None,
            *_: Any,
            layer: Any = layer,
            **__: Any,
        ) -> Any:
            texts = [(layer.attention, attention_mask, None)]
            if encoder_hidden_states is not None:
                texts.append((layer.crossattention, encoder_attention_mask, encoder_hidden_states))
            for block, seen, text in texts:
                normed = block.output.LayerNorm(hidden)
                context, _ = block.self(normed, seen, head_mask, text)
                hidden = hidden + block.output.dropout(block.output.dense(context))
            normed = layer.output.LayerNorm(hidden)
            expanded = layer.intermediate(normed)
            return (hidden + layer.output.dropout(layer.output.dense(expanded)),)

        put(stack, layer, "forward", forward)


def residual_after_norm(module: Any, stack: ExitStack) -> None:
    block = layers(module)[-1].attention.output
    put(
        stack,
        block,
        "forward",
        lambda x, residual: block.LayerNorm(block.dropout(block.dense(x))) + residual,
    )


def no_residual(module: Any, stack: ExitStack) -> None:
    block = layers(module)[-1].output
    put(stack, block, "forward", lambda x, _: block.LayerNorm(block.dropout(block.dense(x))))


#: What first sees the output of the last layer.
HEADS = ("lm_head.dense", "pooler.dense", "classifier.input", "qa_outputs.logits")
