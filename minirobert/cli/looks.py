"""How answers look to people: in colours where the terminal has them, and in a picture."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..marking.terminal import has_colours
from .common import Takes
from .new_files import checked_new
from .options import choice, named, text

__all__ = ["COLOUR", "Picture", "checked_picture", "in_colours", "plot_option"]

COLOUR = choice(
    "--color",
    ("auto", "always", "never"),
    "mark texts in colours: on a terminal that has them, unless NO_COLOR is set (auto, the "
    "default), always or never",
    default="auto",
)


def in_colours(arguments: argparse.Namespace) -> bool:
    """Tell whether answers are to be shown in colours."""
    return not arguments.json and has_colours(arguments.color)


def plot_option(what: str) -> Any:
    """Add ``--plot``."""
    return text("--plot", "FILE", f"draw {what} into a picture, as picture.png", type=named)


def checked_picture(arguments: argparse.Namespace) -> Path:
    """Give the file of ``--plot``; what hinders it is told before anything is computed."""
    from ..plots.files import check_picture

    path = checked_new(arguments, "plot")
    check_picture(path)
    return path


class Picture:
    """The picture of ``--plot``, of the answer to one text: ``draw(answer)`` gives its axes.

    What hinders it is told before anything is computed, as far as it is known then.
    """

    def __init__(self, arguments: argparse.Namespace, draw: Callable[[Any], Any]):
        self.path = checked_picture(arguments)
        self.draw = draw
        self.answers: list[Any] = []
        if len(arguments.texts) > 1:
            raise self._several()

    def take(self, answer: Any) -> None:
        """Take the answer to draw; there may be no other."""
        if self.answers:
            raise self._several()
        self.answers.append(answer)

    def beside(self, into: Takes) -> Takes:
        """Take the answer to draw, and hand all of them on."""
        return _Beside(self, into)

    def _several(self) -> ValueError:
        return ValueError("--plot draws one text, but there are several: give one of them")

    def write(self) -> None:
        """Write the picture."""
        from ..plots.files import save

        if not self.answers:
            raise ValueError("--plot has nothing to draw: no text was answered")
        save(self.draw(self.answers[0]).figure, self.path)


class _Beside:
    """Hands answers on, and shows them to a picture."""

    def __init__(self, picture: Picture, into: Takes):
        self.picture = picture
        self.into = into
        self.instead = into.instead

    def take(self, number: int, text: str, answer: Any) -> None:
        self.into.take(number, text, answer)
        self.picture.take(answer)

    def leave_out(self) -> None:
        self.into.leave_out()
