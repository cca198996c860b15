"""Ways to change a module for a while, and what must be there for a mistake to matter."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import numpy as np
import torch

Plant = Callable[[Any, ExitStack], None]
Arguments = dict[str, Any]


def put(stack: ExitStack, owner: Any, name: str, value: Any) -> None:
    """Give an object an attribute of its own until the stack is left."""
    had = name in vars(owner)
    before = vars(owner).get(name)
    setattr(owner, name, value)
    stack.callback(lambda: setattr(owner, name, before) if had else delattr(owner, name))


def hook(stack: ExitStack, handle: Any) -> None:
    stack.callback(handle.remove)


def base(module: Any) -> Any:
    return getattr(module, "roberta", module)


def layers(module: Any) -> Any:
    return base(module).encoder.layer


def norms(module: Any) -> list[Any]:
    return [one for one in module.modules() if isinstance(one, torch.nn.LayerNorm)]


def attentions(module: Any) -> list[Any]:
    return [one for name, one in module.named_modules() if name.endswith("attention.self")]


def has_layers(module: Any, arguments: Arguments) -> bool:
    return len(layers(module)) > 0


def has_two_layers(module: Any, arguments: Arguments) -> bool:
    return len(layers(module)) > 1


def has_lm_head(module: Any, arguments: Arguments) -> bool:
    return hasattr(module, "lm_head")


def has_ids(module: Any, arguments: Arguments) -> bool:
    return arguments.get("input_ids") is not None


def is_wide(module: Any, arguments: Arguments) -> bool:
    return bool(module.config.hidden_size > 1)


def length(arguments: Arguments) -> int:
    given = arguments.get("input_ids")
    return given.shape[-1] if given is not None else arguments["inputs_embeds"].shape[-2]


def both(*needs: Callable[[Any, Arguments], bool]) -> Callable[[Any, Arguments], bool]:
    return lambda module, arguments: all(one(module, arguments) for one in needs)


def sees(module: Any, arguments: Arguments) -> np.ndarray:
    """Tell which keys each query may look at. bool [B, S, T]."""
    size = length(arguments)
    mask = arguments.get("attention_mask")
    if mask is None:
        mask = np.ones((1, size))
    mask = np.asarray(mask)
    if mask.ndim == 3 and "Choice" not in type(module).__name__:
        return mask > 0
    seen = np.broadcast_to(mask.reshape(-1, 1, size) > 0, (mask.size // size, size, size))
    return seen & np.tri(size, dtype=bool) if module.config.is_decoder else seen
