"""Warnings that point to the user's line, not to one of this package."""

from __future__ import annotations

import sys
import warnings
from types import FrameType

from .sentences import cut

__all__ = ["warn"]

#: Between a user's line and this package: they call constructors, read streams and import modules.
_GO_BETWEENS = ("copy", "dataclasses", "functools", "importlib", "tqdm")


def warn(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn, and point to the line of the user's that led here.

    Lines of this package are not the user's, and neither are those of ``dataclasses`` and the like,
    nor the constructors that it writes.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and _is_inside(frame):
        frame = frame.f_back
    warnings.warn_explicit(
        cut(message),
        category,
        frame.f_code.co_filename,
        frame.f_lineno,
        frame.f_globals.get("__name__", "<string>"),  # as in code that exec runs
        frame.f_globals.setdefault("__warningregistry__", {}),
    )


def _is_inside(frame: FrameType) -> bool:
    module = frame.f_globals.get("__name__", "").partition(".")[0]
    code = frame.f_code
    is_written = (code.co_filename, code.co_name) == ("<string>", "__init__")
    return module == __package__ or module in _GO_BETWEENS or is_written
