"""Docstrings whose parameters are described once, though several functions have them."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = ["documented", "entries"]

Function = TypeVar("Function", bound=Callable[..., Any])

_HEADING = re.compile(r"^(?=[A-Z][A-Za-z ]*\n-+$)", re.MULTILINE)
_PARAMETERS = "Parameters\n----------\n"
_STARS = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}


def documented(shared: Mapping[str, str]) -> Callable[[Function], Function]:
    """Complete the docstring of a function by the parameters that others describe, too.

    The file states a shared parameter once, and ``help`` tells it for each function that has it, in
    the order of the signature. What the function's own docstring describes is left as it is.

    Parameters
    ----------
    shared : mapping of str to str
        For the name of a parameter, its entry in NumPy's style: ``"name : type"``, and below it
        the indented description.

    Returns
    -------
    callable
        A decorator that gives the same function.

    Raises
    ------
    ValueError
        When a function is decorated, if one of its parameters is described nowhere.

    >>> @documented({"seed": "seed : int" + chr(10) + "    Of the random numbers."})
    ... def draw(seed=0):
    ...     "Draw a number."
    >>> draw.__doc__.splitlines()[-2:]
    ['seed : int', '    Of the random numbers.']
    """

    def complete(function: Function) -> Function:
        if function.__doc__ is not None:  # as it is in an optimised Python
            function.__doc__ = _completed(function, shared)
        return function

    return complete


def entries(described: object) -> dict[str, str]:
    """Take the parameters out of a docstring, for functions that share them.

    Parameters
    ----------
    described : class or function

    Returns
    -------
    dict of str to str
        The entry of each parameter, by its name; empty in an optimised Python.
    """
    found = {}
    for section in _HEADING.split(inspect.cleandoc(described.__doc__ or "")):
        if section.startswith(_PARAMETERS):
            for entry in re.split(r"\n(?=\S)", section.removeprefix(_PARAMETERS).strip()):
                for name in entry.partition("\n")[0].partition(" : ")[0].split(", "):
                    found[name] = entry
    return found


def _completed(function: Callable[..., Any], shared: Mapping[str, str]) -> str:
    summary, *sections = _HEADING.split(inspect.cleandoc(function.__doc__ or ""))
    own = entries(function)
    texts: list[str] = []
    for name, parameter in inspect.signature(function).parameters.items():
        if name in ("self", "cls"):
            continue
        if parameter.kind in _STARS:
            name = _STARS[parameter.kind] + name
        if name not in own and name not in shared:
            raise ValueError(
                f"{function.__qualname__} has a parameter {name!r} that is described nowhere: "
                "describe it in its docstring, or with those that are shared"
            )
        entry = own[name] if name in own else textwrap.dedent(shared[name]).strip("\n")
        if entry not in texts:  # one entry may describe several
            texts.append(entry)
    rest = [section.rstrip() for section in sections if not section.startswith(_PARAMETERS)]
    return "\n\n".join([summary.rstrip(), _PARAMETERS + "\n".join(texts), *rest]) + "\n"
