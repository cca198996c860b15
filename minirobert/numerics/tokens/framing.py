"""Suspects of what makes ids a row: truncation, special tokens around the texts, padding."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import chain

from ...tokenization.special_tokens import with_special_tokens
from .steps import Ids, Known, Steps, shortened
from .suspect import Case, Suspect

__all__ = ["framing_suspects", "padding_suspects", "truncation_suspects"]

#: What BERT's vocabularies have for ``[CLS]`` and ``[SEP]``.
_BERT = (101, 102)

Frame = Callable[[list[Ids], Known], Ids]


def _frames(says: str, frame: Frame) -> Suspect:
    return Suspect(
        "special tokens",
        says,
        lambda steps: replace(steps, frame=lambda sequences: frame(sequences, steps.known)),
    )


def _bare(sequences: list[Ids], _: Known) -> Ids:
    return list(chain.from_iterable(sequences))


def _as_roberta(sequences: list[Ids], known: Known) -> Ids:
    return with_special_tokens(sequences, known.cls, known.sep)


def _as_bert(sequences: list[Ids], known: Known) -> Ids:
    """Lay out ``<s> A </s> B </s>``."""
    return [known.cls, *chain.from_iterable([*ids, known.sep] for ids in sequences)]


def _each_alone(sequences: list[Ids], known: Known) -> Ids:
    """Lay out ``<s> A </s><s> B </s>``."""
    return [i for ids in sequences for i in (known.cls, *ids, known.sep)]


def _with_numbers_of_bert(sequences: list[Ids], _: Known) -> Ids:
    return [_BERT[0], *chain.from_iterable([*ids, _BERT[1]] for ids in sequences)]


def _twice(sequences: list[Ids], known: Known) -> Ids:
    return [known.cls, *_as_roberta(sequences, known), known.sep]


FRAMING = (
    _frames("puts no special tokens around the text", _bare),
    _frames("puts <s> and </s> around the text, though none were asked for", _as_roberta),
    _frames("puts <s> before the text, or the pair, but no </s> behind it",
            lambda sequences, known: _as_roberta(sequences, known)[:-1]),
    _frames("puts </s> behind the text, or the pair, but no <s> before it",
            lambda sequences, known: _as_roberta(sequences, known)[1:]),
    _frames("puts special tokens around the row twice", _twice),
    _frames("puts BERT's 101 and 102 around the text, its [CLS] and [SEP]",
            _with_numbers_of_bert),
)  # fmt: skip
OF_PAIRS = (
    _frames("puts one </s> between the texts of a pair, as BERT does, where RoBERTa has two",
            _as_bert),
    _frames("frames each text of a pair alone, <s> A </s><s> B </s>, where RoBERTa has"
            " <s> A </s></s> B </s>", _each_alone),
    _frames("puts nothing between the texts of a pair",
            lambda sequences, known: [known.cls, *_bare(sequences, known), known.sep]),
    _frames("puts the second text of a pair first",
            lambda sequences, known: _as_roberta(sequences[::-1], known)),
    _frames("leaves the second text of a pair out",
            lambda sequences, known: _as_roberta(sequences[:1], known)),
)  # fmt: skip


def framing_suspects(case: Case) -> Iterator[Suspect]:
    """Give the suspects of the special tokens, those of pairs for pairs."""
    yield from FRAMING
    if len(case.texts) > 1:
        yield from OF_PAIRS


# Truncation


def _shortens(says: str, **how: object) -> Suspect:
    def change(steps: Steps) -> Steps:
        shorten = partial(shortened, known=steps.known, **how)  # type: ignore[arg-type]
        return replace(steps, shorten=shorten)

    return Suspect("truncation", says, change)


def _other_half(sequences: list[Ids], known: Known) -> list[Ids]:
    """Cut a pair to halves of which the first is the larger."""
    return shortened(sequences[::-1], known)[::-1]


def _cut_when_framed(steps: Steps) -> Steps:
    """Cut the row, special tokens and all."""
    most = steps.known.call.max_length
    return replace(steps.finishing(lambda row: row[:most]), shorten=lambda sequences: sequences)


TRUNCATION = (
    _shortens("does not truncate", strategy="do_not_truncate"),
    _shortens("truncates on the left", side="left"),
    _shortens("truncates on the right", side="right"),
    _shortens("truncates without counting the special tokens", n_special=0),
    _shortens("counts two special tokens where a pair has four", n_special=2),
    _shortens("counts three special tokens where a pair has four", n_special=3),
    _shortens("counts four special tokens where one text has two", n_special=4),
    Suspect("truncation", "cuts the row when the special tokens are around it, and loses the last",
            _cut_when_framed),
)  # fmt: skip
OF_PAIRS_THAT_ARE_CUT = (
    _shortens("shortens the longer text of a pair first", strategy="longest_first"),
    _shortens("shortens the first text of a pair alone", strategy="only_first"),
    _shortens("shortens the second text of a pair alone", strategy="only_second"),
    Suspect("truncation", "leaves one token more to the first text of a pair, and one less to the"
            " second, where both are cut to half of an odd number",
            lambda steps: replace(steps, shorten=lambda s: _other_half(s, steps.known))),
)  # fmt: skip


def truncation_suspects(case: Case) -> Iterator[Suspect]:
    """Give the suspects of truncation, and that the row is cut to the length that the port has."""
    if case.steps.known.call.truncation != "do_not_truncate":
        yield from TRUNCATION
        if len(case.texts) > 1:
            yield from OF_PAIRS_THAT_ARE_CUT
    most = len(case.port)
    if most >= len(case.ours):
        return
    for side in ("right", "left"):
        yield _shortens(
            f"truncates to {most} tokens on the {side}",
            max_length=most,
            strategy="longest_first",
            side=side,
        )
    yield Suspect(
        "truncation",
        f"cuts the row behind {most} ids, with the special tokens that stand there",
        lambda steps: steps.finishing(lambda row: row[:most]),
    )


# Padding


def padding_suspects(case: Case) -> Iterator[Suspect]:
    """Suspect that padding is left in a row that is longer than ours, of one id on one side."""
    most = len(case.port)
    if most <= len(case.ours):
        return
    pad = case.steps.known.pad
    for side, index in (("right", case.port[-1]), ("left", case.port[0])):
        name = "<pad>" if index == pad else f"the id {index}, which is not <pad>,"
        yield Suspect(
            "padding",
            f"leaves padding in the row: {name} on the {side}, up to {most} ids",
            partial(_padded, most=most, index=index, side=side),
        )


def _padded(steps: Steps, most: int, index: int, side: str) -> Steps:
    def pad(row: Ids) -> Ids:
        more = [index] * (most - len(row))
        return row + more if side == "right" else more + row

    return steps.finishing(pad)
