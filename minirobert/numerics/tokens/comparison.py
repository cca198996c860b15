"""The ids of a port's tokenizer beside those of this one, text by text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from ...sentences import plain
from ...tokenization import RobertaTokenizer
from ...tokenization.offsets import Offsets
from ..comparison import DepartureError
from .departure import Departure
from .offsets import OurOffsets, explained_offsets
from .port_rows import PortRow
from .ranking import Agreed, Explanation, Parted, ranked
from .steps import Call, Steps, steps_of

__all__ = ["VERSION", "TokenComparison", "TokenRow"]

#: The version of what `TokenComparison.to_json` gives.
VERSION = 1
#: The most explanations in the table below a report.
_MOST_LISTED = 10


class TokenRow(NamedTuple):
    """A text, or a pair, with both rows of ids; `offsets` are ours where the port has some."""

    number: int
    texts: tuple[str, ...]
    ours: list[int]
    port: PortRow
    offsets: list[Offsets] | None

    @property
    def has_same_ids(self) -> bool:
        """Whether the ids are the same."""
        return self.ours == self.port.ids

    @property
    def agrees(self) -> bool:
        """Whether the ids are the same, and the offsets, where the port has some."""
        return self.has_same_ids and self.offsets == self.port.offsets


@dataclass(frozen=True)
class TokenComparison:
    """What `compare_tokens` finds; printed, it is a report.

    Attributes
    ----------
    rows : tuple of TokenRow
        All texts, in their order.
    tokenizer : RobertaTokenizer
        What our ids come from.
    call : Call
        How it was called.
    """

    rows: tuple[TokenRow, ...]
    tokenizer: RobertaTokenizer
    call: Call

    @cached_property
    def agreeing(self) -> int:
        """How many texts agree."""
        return len(self.rows) - len(self._departing)

    @property
    def verdict(self) -> str:
        """What is found: ``"agree"``, ``"part"``, or ``"nothing"`` where there are no texts."""
        if not self.rows:
            return "nothing"
        return "part" if self._departing else "agree"

    @cached_property
    def explanations(self) -> list[Explanation]:
        """What explains the texts whose ids part, the likeliest mistake first.

        Of a tokenizer.json with other parts than RoBERTa's nothing is explained.
        """
        if self._steps is None:
            return []
        parted = [
            Parted(row.texts, row.ours, row.port.ids)
            for row in self._departing
            if not row.has_same_ids
        ]
        agreed = [Agreed(row.texts, row.ours) for row in self.rows if row.has_same_ids]
        return ranked(self._steps, parted, agreed) if parted else []

    @cached_property
    def departing(self) -> tuple[Departure, ...]:
        """The texts that do not agree, in their order, each with what explains it."""
        number_of_parted = iter(range(len(self._departing)))
        return tuple(
            self._departure(row, None if row.has_same_ids else next(number_of_parted))
            for row in self._departing
        )

    @property
    def first(self) -> Departure | None:
        """The first text that does not agree; None where all do."""
        return self.departing[0] if self._departing else None

    def raise_for_difference(self) -> None:
        """Raise an error if a text does not agree.

        Raises
        ------
        DepartureError
            An AssertionError, with the number of texts, the first of them, and what explains it.
        """
        if self._departing:
            first = self.departing[0]
            why = f": {plain(first.explanations[0], 200)}" if first.explanations else ""
            raise DepartureError(
                f"{len(self._departing):,} of {len(self.rows):,} texts are tokenized otherwise;"
                f" the first is text {first.number:,}{why}"
            )

    def to_json(self, *, all_texts: bool = False) -> dict[str, Any]:
        """Give the report in lists and dictionaries, as JSON has them.

        Parameters
        ----------
        all_texts : bool
            Whether ``departing`` has all texts that do not agree, or only the first.

        Returns
        -------
        dict
            With these entries:

            - ``version``: 1;
            - ``verdict``: ``"agree"``, ``"part"``, or ``"nothing"`` where there are no texts;
            - ``texts``, ``agreeing``: how many there are, and how many of them agree;
            - ``call``: what the tokenizer was told: ``add_special_tokens``, ``truncation``,
              ``max_length``, ``truncation_side``, ``add_prefix_space``, ``split_special_tokens``;
            - ``explanations``: a list, the likeliest first, of objects with ``mistakes`` (each
              with its ``step`` and what it ``says``; several are made together), ``explains`` (how
              many of the texts whose ids part), ``would_change`` (how many of those that agree
              would not if the port made this mistake) and ``asked`` (how many of them were tried);
            - ``departing``: a list of objects with the ``number`` of the text (from 1), ``text``
              (and ``text_pair``), the ``place`` of the first id that parts (from 0; null where
              only offsets do), the ``piece`` that it stands in (null at a special token; its
              ``text``, ``kind``, ``start`` and ``end`` in code points, and ``of`` which text), the
              first ``step`` that must be another one, ``ids`` and ``tokens`` here, ``port_ids``
              and ``port_tokens``, and ``explanations`` as sentences.
        """
        return {
            "version": VERSION,
            "verdict": self.verdict,
            "texts": len(self.rows),
            "agreeing": self.agreeing,
            "call": self.call._asdict(),
            "explanations": [one.to_dict() for one in self.explanations],
            "departing": [one.to_dict() for one in self._told(all_texts)],
        }

    def report(self, *, all_texts: bool = False) -> str:
        """Write the report: the counts, the first text that parts, or all, and what explains them.

        Parameters
        ----------
        all_texts : bool

        Returns
        -------
        str
        """
        return "\n".join(self._lines(all_texts))

    def __str__(self) -> str:
        return self.report()

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"

    @cached_property
    def _departing(self) -> list[TokenRow]:
        return [row for row in self.rows if not row.agrees]

    @cached_property
    def _steps(self) -> Steps | None:
        """Take the tokenizer apart, if it has RoBERTa's own steps."""
        try:
            self.tokenizer.explain("")
        except ValueError:  # of a tokenizer.json with other parts
            return None
        return steps_of(self.tokenizer, self.call)

    def _told(self, all_texts: bool) -> Sequence[Departure]:
        return self.departing if all_texts else self.departing[:1]

    def _departure(self, row: TokenRow, number: int | None) -> Departure:
        """Put together what is known of a text, the `number`th of those whose ids part."""
        return Departure(
            row.number,
            row.texts,
            row.ours,
            row.port.ids,
            row.port.tokens,
            tuple(one for one in self.explanations if number in one.explains),
            self._ways_to_count(row) if number is None else (),
            self.tokenizer,
            self.call,
            self._steps,
        )

    def _ways_to_count(self, row: TokenRow) -> tuple[str, ...]:
        numbers = self.call.encode(self.tokenizer, row.texts).sequence_ids
        trimmed, whole = (self._offsets(row.texts, trim_offsets) for trim_offsets in (True, False))
        ours = OurOffsets(row.offsets or [], trimmed, whole, numbers, row.texts)
        return tuple(explained_offsets(ours, row.port.offsets or []))

    def _offsets(self, texts: Sequence[str], trim_offsets: bool) -> list[Offsets]:
        """Give the offsets of a row without the white space of tokens, or with it."""
        before = self.tokenizer.trim_offsets
        self.tokenizer.trim_offsets = trim_offsets
        try:
            return self.call.encode(self.tokenizer, texts).offsets
        finally:
            self.tokenizer.trim_offsets = before

    def _lines(self, all_texts: bool) -> Iterator[str]:
        parting = len(self._departing)
        yield (
            f"{self.agreeing:,} of {len(self.rows):,} texts are tokenized the same"
            + (f", {parting:,} otherwise" if parting else "")
        )
        for departure in self._told(all_texts):
            yield ""
            yield str(departure)
        if self._departing and self._steps is None:
            yield "\nmistakes are known of RoBERTa's own steps, and this tokenizer.json has others"
        if parting > 1 and self.explanations:
            yield ""
            yield from self._summary()

    def _summary(self) -> Iterator[str]:
        """Count what each mistake explains, and what it would change."""
        parting = sum(not row.has_same_ids for row in self._departing)
        yield f"of the {parting:,} texts whose ids part, so many are explained by each mistake:"
        for one in self.explanations[:_MOST_LISTED]:
            yield f"  {len(one.explains):>6,}  {one.sentence()}"
        left = parting - len(frozenset().union(*(one.explains for one in self.explanations)))
        if left:
            yield f"  {left:>6,}  by none that is known here, or was tried"
