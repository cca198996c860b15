"""Mistakes of attention and of its mask."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import torch
from torch.nn import functional

from tests.numerics.mistakes.ground import (
    Arguments,
    Plant,
    attentions,
    base,
    has_layers,
    length,
    put,
    sees,
)


def attention(
    scale: Callable[[torch.Tensor, int], torch.Tensor] = lambda scores, d: scores / math.sqrt(d),
    axis: int = -1,
    transposed: bool = True,
) -> Plant:
    """Compute attention as transformers does, but for one thing."""

    def plant(module: Any, stack: ExitStack) -> None:
        for one in attentions(module):

            def split(x: torch.Tensor, one: Any = one) -> torch.Tensor:  # [B, S, H] -> [B, N, S, D]
                n, d = one.num_attention_heads, one.attention_head_size
                if not transposed:
                    return x.reshape(x.shape[0], n, -1, d)
                return x.reshape(x.shape[0], -1, n, d).transpose(1, 2)

            def forward(
                hidden_states: torch.Tensor,
                attention_mask: Any = None,
                head_mask: Any = None,
                encoder_hidden_states: Any = None,
                *_: Any,
                one: Any = one,
                split: Any = split,
                **__: Any,
            ) -> Any:
                text = hidden_states if encoder_hidden_states is None else encoder_hidden_states
                query, key, value = map(
                    split, (one.query(hidden_states), one.key(text), one.value(text))
                )
                scores = with_distances(one, query @ key.mT, query, key)
                scores = scale(scores, one.attention_head_size)
                scores = scores if attention_mask is None else scores + attention_mask
                probabilities = one.dropout(functional.softmax(scores, dim=axis))
                if head_mask is not None:
                    probabilities = probabilities * head_mask
                context = (probabilities @ value).transpose(1, 2).flatten(2)
                return context, probabilities

            put(stack, one, "forward", forward)

    return plant


def with_distances(
    one: Any, scores: torch.Tensor, query: torch.Tensor, key: torch.Tensor
) -> torch.Tensor:
    """Add what depends on distances, in the order in which transformers adds it."""
    if one.position_embedding_type == "absolute":
        return scores
    distance = torch.arange(query.shape[2])[:, None] - torch.arange(key.shape[2])
    rows = one.distance_embedding(distance + one.max_position_embeddings - 1).to(query.dtype)
    scores = scores + torch.einsum("bhld,lrd->bhlr", query, rows)
    if one.position_embedding_type == "relative_key_query":
        scores = scores + torch.einsum("bhrd,lrd->bhlr", key, rows)
    return scores


def has_scale(module: Any, arguments: Arguments) -> bool:
    config = module.config
    return has_layers(module, arguments) and config.hidden_size > config.num_attention_heads


def has_several_heads(module: Any, arguments: Arguments) -> bool:
    several = any(one.num_attention_heads > 1 for one in attentions(module))
    return several and length(arguments) > 1


def has_several_keys(module: Any, arguments: Arguments) -> bool:
    return has_layers(module, arguments) and length(arguments) > 1


def mask(change: Callable[[Any, Any, Any], Any]) -> Plant:
    """Change the mask that is added to the scores of every layer."""

    def plant(module: Any, stack: ExitStack) -> None:
        owner = base(module)
        right = owner.get_extended_attention_mask
        put(
            stack,
            owner,
            "get_extended_attention_mask",
            lambda given, shape, *_, **__: change(right, given, shape),
        )

    return plant


def minus_10000(right: Any, given: Any, shape: Any) -> Any:
    return right(given, shape).clamp(min=-10000)


def attend_to_padding(right: Any, given: Any, shape: Any) -> Any:
    return right(torch.ones_like(given), shape)


def has_blind_query(module: Any, arguments: Arguments) -> bool:
    """Tell whether a query sees no key: only there do scores beside -10000 count."""
    blind = ~sees(module, arguments).any(-1)
    return has_several_keys(module, arguments) and bool(blind.any())


def has_hidden_key(module: Any, arguments: Arguments) -> bool:
    everything = sees(module, {**arguments, "attention_mask": None})
    hidden = everything & ~sees(module, arguments)
    return has_several_keys(module, arguments) and bool(hidden.any())
