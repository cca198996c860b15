"""How a kernel takes its formula's place, and how a reader gives the place back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

__all__ = ["disabled", "kernel_of"]

P = ParamSpec("P")
R = TypeVar("R")

_disabled: ContextVar[bool] = ContextVar("kernels disabled", default=False)


@contextmanager
def disabled() -> Iterator[None]:
    """Run the formulas, not the kernels, as long as the block lasts.

    So a debugger steps into the formula, and a profile shows it. The block holds for the thread or
    task that opened it alone, and blocks may stand in one another.

    >>> import numpy as np
    >>> from minirobert import kernels
    >>> from minirobert.functional import gelu
    >>> x = np.linspace(-3, 3, 7, dtype=np.float32)
    >>> with kernels.disabled():
    ...     exact = gelu(x)
    >>> bool(np.abs(gelu(x) - exact).max() < 1e-6)
    True
    """
    before = _disabled.get()
    try:  # also around what sets it: an interruption leaves nothing behind
        _disabled.set(True)
        yield
    finally:
        _disabled.set(before)


def kernel_of(
    formula: Any, array_type: type, suits: Callable[..., bool]
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function compute a formula for arrays of a type, where its arguments suit it.

    Parameters
    ----------
    formula : function of this package
        Made with ``singledispatch``.
    array_type : type
        Of the first argument.
    suits : function
        Told the arguments, it says whether the kernel takes them; if not, the formula does.

    Returns
    -------
    decorator
        Of the kernel.
    """

    def register(kernel: Callable[P, R]) -> Callable[P, R]:
        exact: Callable[P, R] = formula.dispatch(object)

        @wraps(kernel)
        def either(*args: P.args, **kwargs: P.kwargs) -> R:
            if _disabled.get() or not suits(*args, **kwargs):
                return exact(*args, **kwargs)
            return kernel(*args, **kwargs)

        formula.register(array_type, either)
        return either

    return register
