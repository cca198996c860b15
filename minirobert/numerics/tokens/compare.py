"""Comparing a port's tokenizer with this one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from typing import Any

from ...sentences import plain, shown, type_name
from ...tokenization import RobertaTokenizer
from ...tokenization.rows.options import truncation_strategy
from ...tokenization.texts import check_text
from .comparison import TokenComparison, TokenRow
from .port_rows import PortRow, as_port_row, rows_in
from .steps import Call

__all__ = ["compare_rows", "compare_tokens"]

#: What Python's ``splitlines`` takes for the end of a line, and a file does not.
_OTHER_ENDS = "\v\f\x1c\x1d\x1e\x85\u2028\u2029"


def compare_tokens(
    tokenizer: RobertaTokenizer,
    texts: Sequence[str],
    port_ids: Iterable[Any],
    text_pairs: Sequence[str] | None = None,
    *,
    add_special_tokens: bool = True,
    truncation: bool | str = False,
    max_length: int | None = None,
    add_prefix_space: bool | None = None,
    split_special_tokens: bool | None = None,
) -> TokenComparison:
    """Compare the ids that a port gives for texts with ours, and say which rule explains them.

    For a text whose ids part, known mistakes are tried, one after the other: another pattern of
    pieces, other bytes, merges, special tokens, padding and so on. Those that give the port's ids
    are what explains them. A mistake that would also change texts that agree is less likely.

    Parameters
    ----------
    tokenizer : RobertaTokenizer
        The tokenizer, as it should be.
    texts : sequence of str
        The texts.
    port_ids : iterable of lists of int, or of mappings; or mapping
        For each text the ids that the port gives, or a mapping with ``input_ids`` and, optionally,
        ``tokens`` and ``offsets``, which are compared, too. Or what a tokenizer gives for all
        texts, unpadded.
    text_pairs : sequence of str, optional
        The second texts of pairs.
    add_special_tokens, truncation, max_length, add_prefix_space, split_special_tokens
        What the port was told: as for a call of the tokenizer.

    Returns
    -------
    TokenComparison

    Raises
    ------
    TypeError
        If the tokenizer, or a text, is none.
    ValueError
        If there are not as many rows as texts, or a row has an id that is that of no token.

    Examples
    --------
    >>> tokenizer = RobertaTokenizer.from_pretrained()
    >>> print(compare_tokens(tokenizer, ["Hello world"], [[43, 448, 82, 1175]]))
    0 of 1 texts are tokenized the same, 1 otherwise
    <BLANKLINE>
    text 1: 'Hello world'
      the ids part at place 0, a special token
        place  here     id   port     id
      >     0  <s>       0   H        43
            1  H        43   ell     448
            2  ell     448   o        82
            3  o        82   Ġworld 1175
      special tokens: the port puts no special tokens around the text
    """
    if not isinstance(tokenizer, RobertaTokenizer):
        raise TypeError(
            f"tokenizer is of type {type_name(tokenizer)}: it must be a RobertaTokenizer, as"
            " RobertaTokenizer.from_pretrained(directory) gives it"
        )
    values = rows_in(port_ids) if isinstance(port_ids, Mapping) else port_ids
    rows = [as_port_row(value, f"row {number}") for number, value in enumerate(values, 1)]
    call = Call(
        add_special_tokens,
        truncation_strategy(truncation),
        tokenizer.model_max_length if truncation and max_length is None else max_length,
        tokenizer.truncation_side,
        tokenizer.add_prefix_space if add_prefix_space is None else add_prefix_space,
        tokenizer.split_special_tokens if split_special_tokens is None else split_special_tokens,
    )
    pairs = None if text_pairs is None else _listed(text_pairs, "text_pairs")
    return compare_rows(tokenizer, _listed(texts, "texts"), rows, pairs, call)


def compare_rows(
    tokenizer: RobertaTokenizer,
    texts: list[str],
    rows: Sequence[PortRow],
    pairs: list[str] | None,
    call: Call,
    where: str = "row",
    numbers: Sequence[int] | None = None,
) -> TokenComparison:
    """Compare rows that have been read.

    `where` they are counted, for errors, and their `numbers` there, by default from 1 on.
    """
    numbers = range(1, len(texts) + 1) if numbers is None else numbers
    if pairs is not None and len(pairs) != len(texts):
        raise ValueError(f"there are {len(texts):,} texts, but {len(pairs):,} second texts")
    if len(rows) != len(texts):
        raise ValueError(
            f"there are {len(texts):,} texts, but {len(rows):,} rows of ids: the port must give one"
            f" for each text{_why_other_count(texts, len(rows))}"
        )
    columns = [texts] if pairs is None else [texts, pairs]
    together = list(zip(*columns, strict=True))
    for number, of_text, row in zip(numbers, together, rows, strict=True):
        _check_same_text(of_text, row, f"{where} {number}")
    with_offsets = any(row.offsets is not None for row in rows)
    options = {**call.options(), "return_offsets_mapping": with_offsets}
    ours = tokenizer(texts, pairs, **options) if texts else {"input_ids": []}
    spans = ours["offset_mapping"] if texts and with_offsets else [None] * len(texts)
    compared = tuple(
        TokenRow(number, of_text, ids, row, None if row.offsets is None else span)
        for number, of_text, ids, row, span in zip(
            numbers, together, ours["input_ids"], rows, spans, strict=True
        )
    )
    _check_ids(compared, tokenizer, where)
    return TokenComparison(compared, tokenizer, call)


def _listed(texts: Any, name: str) -> list[str]:
    if isinstance(texts, str):
        raise TypeError(f"{name} is one string: give a list of texts")
    listed = list(texts)
    for number, text in enumerate(listed):
        check_text(text, f"{name}[{number}]")
    return listed


def _why_other_count(texts: Sequence[str], count: int) -> str:
    """Guess why a port gives more rows, or fewer."""
    if count == sum(max(len(text.splitlines()), 1) for text in texts):
        found = [c for c in _OTHER_ENDS if any(c in text for text in texts)]
        names = ", ".join(f"U+{ord(character):04X}" for character in found)
        return f"; it seems to take {plain(names)} for the end of a line" if found else ""
    if count == sum(1 for text in texts if text.strip()):
        return "; it seems to leave blank lines out"
    if count == len(texts) + 1:
        return "; one row more: it may take what is behind the last line end for a text, too"
    return ""


def _check_same_text(texts: tuple[str, ...], row: PortRow, where: str) -> None:
    for text, theirs in zip(texts, (row.text, row.text_pair), strict=False):
        if theirs is not None and theirs != text:
            raise ValueError(
                f"{plain(where)} is of the text {shown(theirs, most=60)}, but the text with that"
                f" number is {shown(text, most=60)}: give both files the same texts, in one order"
            )


def _check_ids(rows: Sequence[TokenRow], tokenizer: RobertaTokenizer, where: str) -> None:
    """Refuse ids that no token has: the port has another vocabulary, or counts otherwise."""
    known = frozenset(tokenizer.get_vocab().values())
    used = set(chain.from_iterable(row.port.ids for row in rows))
    if used <= known:
        return
    row = next(row for row in rows if not known.issuperset(row.port.ids))
    unknown = next(index for index in row.port.ids if index not in known)
    more = {theirs - mine for mine, theirs in zip(row.ours, row.port.ids, strict=False)}
    (shift,) = more if len(more) == 1 and len(row.ours) == len(row.port.ids) else (0,)
    hint = f"; each id of this row is {shift} more than here" if shift else ""
    raise ValueError(
        f"{plain(where)} {row.number} has the id {shown(unknown)}, which is that of no token: the"
        f" vocabulary has {len(known):,}, up to {max(known, default=0):,}{hint}; give the model"
        " whose tokenizer the port has"
    )
