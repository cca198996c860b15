"""How answers look to people: in colours where the terminal has them, and in a picture."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from ..marking.terminal import has_colours
from .common import Takes
from .options import choice, named, text

__all__ = ["COLOUR", "Picture", "in_colours", "plot_option"]

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


class Picture:
    """The picture of ``--plot``, of the answer to one text: ``draw(answer)`` gives its axes.

    What hinders it is told before anything is computed, as far as it is known then.
    """

    def __init__(self, arguments: argparse.Namespace, draw: Callable[[Any], Any]):
        from ..plots.files import check_picture

        self.path = arguments.plot
        self.draw = draw
        self.answers: list[Any] = []
        check_picture(self.path)
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
