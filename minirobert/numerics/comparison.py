"""What comes of a comparison: a row for each tensor, in the order of the computation."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from ..config import RobertaConfig
from ..sentences import plain
from .arithmetic import Arithmetic
from .report import report
from .report.html import html
from .report.json_object import as_json
from .report.plot import plot
from .rows import Row
from .steps import outputs

__all__ = ["Comparison", "DepartureError", "OutputRow"]


class DepartureError(AssertionError):
    """A port that departs from the reference by more than rounding."""


@dataclass(frozen=True)
class OutputRow:
    """How far an output is from exact, all steps together.

    Parameters
    ----------
    name : str
    port, own : float
        The root mean square error over that of the tensor, in unit roundoffs: of the port, and of
        the reference in the port's arithmetic (NaN where it cannot compute in it).
    allowed : float
        What rounding of all steps may come to.
    """

    name: str
    port: float
    own: float
    allowed: float


@dataclass(frozen=True, repr=False)
class Comparison:
    """A port beside the reference, tensor by tensor; ``print`` shows it.

    Parameters
    ----------
    rows : tuple of Row
        In the order of the computation, those that the port does not show among them.
    arithmetic : Arithmetic
        Of the port.
    architecture : str
        The class of the model.
    n_layers : int
    unknown : tuple of str
        Names of the port that mean nothing here.
    notes : tuple of str
        What else differs: the configuration, weights.
    outputs : tuple of OutputRow
    made_by : str
        What made the port's trace.
    config : RobertaConfig, optional
        Of the reference.
    """

    rows: tuple[Row, ...]
    arithmetic: Arithmetic
    architecture: str
    n_layers: int
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    outputs: tuple[OutputRow, ...] = ()
    made_by: str = ""
    config: RobertaConfig | None = None

    def __repr__(self) -> str:
        n_rows = f"{len(self.compared)} of {len(self.rows)} tensors compared"
        return f"<Comparison: {self.verdict}, {n_rows}, {len(self.departing)} depart>"

    def __str__(self) -> str:
        return report(self)

    def _repr_html_(self) -> str:
        return html(self)

    def report(self, *, every: bool = False) -> str:
        """Give what is printed: a table, and below it what it means.

        Parameters
        ----------
        every : bool
            Whether each tensor has a line of its own; otherwise those that agree are folded.

        Returns
        -------
        str
        """
        return report(self, every=every)

    def to_json(self) -> dict[str, Any]:
        """Give all of it as an object of JSON, see `minirobert.numerics.report.json_object`.

        Returns
        -------
        dict
        """
        return as_json(self)

    def plot(self, path: str | os.PathLike[str] | None = None) -> Any:
        """Draw each tensor's error over its budget, in the order of the computation.

        Parameters
        ----------
        path : str or path, optional
            Of a picture to write: PNG, SVG, PDF …, by the end of its name.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ModuleNotFoundError
            If matplotlib is not installed.
        ValueError
            If there is no such kind of picture.
        """
        return plot(self, path)

    def __getitem__(self, name: str) -> Row:
        for row in self.rows:
            if row.name in (name, f"roberta.{name}"):
                return row
        raise KeyError(f"there is no tensor {plain(name)}: see minirobert.intermediates")

    @property
    def compared(self) -> tuple[Row, ...]:
        """The rows of what the port shows."""
        return tuple(row for row in self.rows if row.verdict != "missing")

    @property
    def departing(self) -> tuple[Row, ...]:
        """The rows that rounding does not explain."""
        return tuple(row for row in self.rows if row.departs)

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what the port does not show."""
        return tuple(row.name for row in self.rows if row.verdict == "missing")

    @property
    def first(self) -> Row | None:
        """The first row that departs, or None."""
        return next(iter(self.departing), None)

    @property
    def verdict(self) -> str:
        """``"departs"``, ``"rounding"``, ``"exact"``, or ``"nothing"`` where nothing is shown."""
        verdicts = {row.verdict for row in self.compared}
        known = ("departs", "rounding", "exact")
        return next((one for one in known if one in verdicts), "nothing")

    def lacking(self, *required: str) -> tuple[str, ...]:
        """List what must be compared before the port can be said to agree, and was not.

        Parameters
        ----------
        *required : str
            Names; by default those of the results: the logits, or the last hidden state and what
            the pooler makes of it.

        Returns
        -------
        tuple of str

        Raises
        ------
        KeyError
            If there is no such tensor.
        """
        names = [self[name].name for name in required] or outputs(row.name for row in self.rows)
        missing = set(self.missing)
        if "qa_outputs.logits" not in missing:  # of which the others are a part
            missing -= {"qa_outputs.start_logits", "qa_outputs.end_logits"}
        return tuple(name for name in names if name in missing)

    def raise_for_departure(self) -> None:
        """Raise an error if the port departs anywhere.

        Raises
        ------
        DepartureError
            An AssertionError, whose message is the report.
        """
        if self.departing:
            raise DepartureError(report(self))
