"""What a module of torch computes, tensor by tensor under our names, seen through hooks.

The module is not changed: hooks look at what goes into its modules and comes out of them, and are
taken away again. Attention's softmax is no module; a mode of torch sees all functions that are
called, and so the scores and probabilities. Fused attention has neither.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from ..names.paths import own_path
from .places import Place, places

__all__ = ["Seen", "hooked"]

#: Functions that put a mask on scores. The last write over the scores.
_MASKING = {
    *("add", "__add__", "__radd__", "masked_fill", "where"),
    *("add_", "__iadd__", "masked_fill_"),
}
#: A number that is added to a score to hide it is at most this.
_HIDES = -1000


class Seen:
    """The tensors of a forward pass, in the order in which they came.

    Attributes
    ----------
    tensors : dict of str to list of Tensor
        By our names; one for each call of the module, on the host.
    """

    def __init__(self) -> None:
        self.tensors: dict[str, list[Any]] = {}
        self._sources: dict[str, str] = {}

    def keep(self, name: str, source: str, tensor: Any) -> None:
        """Keep a copy, as what comes after may write over it; the first source of a name counts."""
        if self._sources.setdefault(name, source) == source:
            self.tensors.setdefault(name, []).append(_copy(tensor))


@contextmanager
def hooked(module: Any, architecture: str | None, has_head_mask: bool) -> Iterator[Seen]:
    """See what a module computes inside the block.

    Parameters
    ----------
    module : torch.nn.Module
    architecture : str, optional
        Its class, one of transformers'.
    has_head_mask : bool
        Whether attention multiplies its probabilities by a head mask.

    Yields
    ------
    Seen
    """
    seen = Seen()
    functions = _Functions(seen)
    handles: list[Any] = []
    try:
        for theirs, part in module.named_modules():
            path = own_path(theirs, architecture)
            found = list(places(path, architecture))
            if not has_head_mask:
                found = [place for place in found if not place.name.endswith("head_mask")]
            handles += _ModuleHooks(seen, path, found).registered(part) if found else []
            if path.endswith("attention.self"):
                handles += functions.registered(path, part)
        with functions.watched():
            yield seen
    finally:
        for handle in handles:
            handle.remove()


class _ModuleHooks:
    """What looks at one module, which may be called several times."""

    def __init__(self, seen: Seen, path: str, found: list[Place]) -> None:
        self._seen = seen
        self._path = path
        self._arguments = [place for place in found if place.part in ("input", "mask")]
        self._outputs = [place for place in found if place.part not in ("input", "mask")]
        self._calls = 0

    def registered(self, module: Any) -> list[Any]:
        return [
            module.register_forward_pre_hook(self._before, with_kwargs=True),
            module.register_forward_hook(self._after),
        ]

    def _before(self, module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        for place in self._arguments:
            if place.part == "mask":
                self._keep(place, _attend(module, args, kwargs))
            else:
                self._keep(place, next(iter((*args, *kwargs.values())), None))

    def _after(self, module: Any, args: tuple[Any, ...], output: Any) -> None:
        outputs = (*output, None) if isinstance(output, tuple | list) else (output, None)
        for place in self._outputs:
            if place.part != "dropped" or (module.training and getattr(module, "p", 1) > 0):
                self._keep(place, outputs[place.part == "second output"])
        self._calls += 1

    def _keep(self, place: Place, value: Any) -> None:
        if _is_tensor(value) and place.call in (None, self._calls):
            self._seen.keep(place.name, f"{self._path} {place.part}", value)


def _attend(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Tell where an attention may look, from its mask. bool [1 or B, 1, 1 or S, T]."""
    try:
        given = inspect.signature(module.forward).bind_partial(*args, **kwargs).arguments
    except TypeError:  # the call itself will say so
        return None
    mask: Any = given.get("attention_mask", kwargs.get("attention_mask"))
    if not _is_tensor(mask) or mask.ndim != 4:
        return None
    attend = mask if str(mask.dtype) == "torch.bool" else mask == 0
    first = attend[:, :, :1]  # an encoder's, which fused attention is given for each query
    return first if bool((attend == first).all()) else attend


class _Functions:
    """What looks at the functions that are called within an attention."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._path = ""  # of the attention that is under way
        self._masked: list[tuple[Any, Any]] = []  # what was masked, and what it was before

    def registered(self, path: str, module: Any) -> list[Any]:
        return [
            module.register_forward_pre_hook(lambda *_: self._go(path)),
            module.register_forward_hook(lambda *_: self._go("")),
        ]

    def _go(self, path: str) -> None:
        self._path = path
        self._masked.clear()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Let all functions of torch that this thread calls be seen."""
        overrides: Any = import_module("torch.overrides")
        look = self._call

        class Watch(overrides.TorchFunctionMode):  # type: ignore[misc]
            def __torch_function__(
                self, function: Any, types: Any, args: Any = (), kwargs: Any = None
            ) -> Any:
                return look(function, args, kwargs or {})

        with Watch():
            yield

    def _call(self, function: Any, args: Any, kwargs: Any) -> Any:
        """Call a function, and see whether it makes scores or probabilities."""
        name = getattr(function, "__name__", "")
        if not self._path or name not in {*_MASKING, "softmax"}:
            return function(*args, **kwargs)
        values = [one for one in (*args, *kwargs.values()) if _is_tensor(one)]
        if name in ("add_", "__iadd__", "masked_fill_"):
            values = list(map(_copy, values))
        result = function(*args, **kwargs)
        if name == "softmax":
            self._softmax(values[0], result)
        else:
            self._mask(values, result)
        return result

    def _mask(self, values: list[Any], result: Any) -> None:
        scores = [one for one in values if one.shape == result.shape and not _is_mask(one)]
        if len(scores) == 1 and any(map(_is_mask, values)):
            self._masked.append((result, scores[0]))

    def _softmax(self, masked: Any, probabilities: Any) -> None:
        """Keep what was masked, what it was before, and what it has become. All [B, N, S, T]."""
        scores = next((before for one, before in self._masked if one is masked), masked)
        found = {"scores": scores, "scores.masked": masked, "probabilities": probabilities}
        for name, tensor in found.items():
            self._seen.keep(f"{self._path}.{name}", "softmax", tensor)


def _is_mask(tensor: Any) -> bool:
    """Tell a mask from scores: it is boolean, or adds nothing where it does not hide."""
    if tensor.dtype.is_floating_point:
        return bool(((tensor == 0) | (tensor <= _HIDES)).all())
    return True


def _is_tensor(value: Any) -> bool:
    return hasattr(value, "detach") and hasattr(value, "ndim")


def _copy(tensor: Any) -> Any:
    return tensor.detach().to("cpu", copy=True)
