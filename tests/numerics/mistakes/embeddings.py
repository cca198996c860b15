"""Mistakes of positions, token types, embeddings and ids."""

import inspect
import math
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch

from tests.numerics.mistakes.ground import Arguments, Plant, base, has_ids, hook


def right_positions(ids: Any, mask: Any, pad: int) -> Any:
    token = (ids != pad).long()
    return torch.cumsum(token, 1) * token + pad


def from_zero(ids: Any, mask: Any, pad: int) -> Any:
    return torch.arange(ids.shape[1]).expand(ids.shape)


def one_more(ids: Any, mask: Any, pad: int) -> Any:
    return right_positions(ids, mask, pad) + 1


def one_less(ids: Any, mask: Any, pad: int) -> Any:
    return right_positions(ids, mask, pad) - 1


def from_mask(ids: Any, mask: Any, pad: int) -> Any:
    token = (mask > 0).long()
    return torch.cumsum(token, 1) * token + pad


def through_padding(ids: Any, mask: Any, pad: int) -> Any:
    return torch.arange(ids.shape[1]).expand(ids.shape) + pad + 1


def positions(count: Callable[[Any, Any, int], Any]) -> Plant:
    def plant(module: Any, stack: ExitStack) -> None:
        owner = base(module)
        names = list(inspect.signature(owner.forward).parameters)

        def before(_: Any, args: Any, kwargs: Any) -> Any:
            given = {**dict(zip(names, args, strict=False)), **kwargs}
            ids, mask = given["input_ids"], given.get("attention_mask")
            mask = torch.ones_like(ids) if mask is None else mask
            return args, {**kwargs, "position_ids": count(ids, mask, module.config.pad_token_id)}

        hook(stack, owner.register_forward_pre_hook(before, with_kwargs=True))

    return plant


def other_positions(count: Callable[[Any, Any, int], Any]) -> Callable[[Any, Arguments], bool]:
    def matters(module: Any, arguments: Arguments) -> bool:
        config = module.config
        if not has_ids(module, arguments) or arguments.get("position_ids") is not None:
            return False
        ids = torch.as_tensor(arguments["input_ids"])
        ids = ids.reshape(-1, ids.shape[-1])
        mask = arguments.get("attention_mask")
        mask = torch.ones_like(ids) if mask is None else torch.as_tensor(mask)
        if config.position_embedding_type != "absolute" or mask.numel() != ids.numel():
            return False
        mask = mask.reshape(ids.shape)
        wrong = count(ids, mask, config.pad_token_id)
        fits = bool(wrong.min() >= 0 and wrong.max() < config.max_position_embeddings)
        return fits and not torch.equal(wrong, right_positions(ids, mask, config.pad_token_id))

    return matters


def token_types_off_by_one(module: Any, stack: ExitStack) -> None:
    table = base(module).embeddings.token_type_embeddings
    n = table.num_embeddings
    hook(stack, table.register_forward_pre_hook(lambda _, args: ((args[0] + 1) % n,)))


def times_sqrt_h(module: Any, stack: ExitStack) -> None:
    table = base(module).embeddings.word_embeddings
    factor = math.sqrt(module.config.hidden_size)
    hook(stack, table.register_forward_hook(lambda _, args, rows: rows * factor))


def permuted_row(module: Any, stack: ExitStack) -> None:
    """Turn the row of the first token."""
    table = base(module).embeddings.word_embeddings

    def after(_: Any, args: Any, rows: torch.Tensor) -> torch.Tensor:
        ids = args[0]
        return torch.where((ids == ids[0, 0])[..., None], rows.roll(1, -1), rows)

    hook(stack, table.register_forward_hook(after))


def other_ids(arguments: Arguments) -> Arguments:
    """Make the ids of a text whose first word is another token, as without a space before it."""
    ids = np.array(arguments["input_ids"])
    ids[..., -1] = np.where(ids[..., -1] > 0, ids[..., -1] - 1, 1)
    return {**arguments, "input_ids": ids}
