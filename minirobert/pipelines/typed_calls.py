"""The types of calls: an input gives a result, a list a list of them, an iterator an iterator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, overload

__all__ = ["Calls", "one_or_many"]

Options = ParamSpec("Options")
One = TypeVar("One")
Result = TypeVar("Result")


class Calls(Protocol[One, Options, Result]):
    """A pipeline's call, with the options of its own; the inputs come first, without their name.

    What arrays, series and other collections give is not known to a type checker.
    """

    @overload
    def __call__(self, inputs: One, /, *args: Options.args, **kwargs: Options.kwargs) -> Result: ...
    @overload
    def __call__(
        self, inputs: list[One] | tuple[One, ...], /, *args: Options.args, **kwargs: Options.kwargs
    ) -> list[Result]: ...
    @overload
    def __call__(
        self, inputs: Iterator[One], /, *args: Options.args, **kwargs: Options.kwargs
    ) -> Iterator[Result]: ...
    @overload
    def __call__(
        self, inputs: Iterable[Any], /, *args: Options.args, **kwargs: Options.kwargs
    ) -> Any: ...


def one_or_many(
    one: type[One],
) -> Callable[[Callable[Concatenate[Any, Any, Options], Result]], Calls[One, Options, Result]]:
    """Tell a type checker that a call that is written for one input takes several, too.

    Nothing happens at run time.
    """
    return lambda call: call  # type: ignore[return-value]  # what it is told, see above
