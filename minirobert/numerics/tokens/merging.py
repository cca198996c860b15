"""Suspects of the merges: another order, another algorithm, a merge too few or too many."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import islice, pairwise
from typing import Any

from ...sentences import shown
from ...tokenization.bpe import Pair
from ...tokenization.fast.bpe import fast_bpe
from ...tokenization.fast.merge_steps import fast_merge_steps
from .steps import Steps
from .suspect import Case, Suspect

__all__ = ["merging_suspects"]

Symbols = Sequence[str]
Ranks = Mapping[Pair, int]

#: The most symbols of a piece that a slow algorithm is tried on.
_MOST_SYMBOLS = 200
#: The most merges that are tried, one by one, and the most pieces that they are taken from.
_MOST_MERGES, _MOST_PIECES = 64, 16


def _merges(says: str, merge: Callable[[Symbols, Steps], Symbols]) -> Suspect:
    def change(steps: Steps) -> Steps:
        return steps.coding(merge=lambda symbols: merge(symbols, steps))

    return Suspect("merges", says, change)


def _ranks(says: str, ranks: Callable[[Steps], Ranks]) -> Suspect:
    """Merge by other ranks, which are made when they are first needed."""

    def change(steps: Steps) -> Steps:
        made = steps.known.once(says, lambda: ranks(steps))
        return steps.coding(merge=lambda symbols: fast_bpe(symbols, made))

    return Suspect("merges", says, change)


def _one_by_one(choose: Callable[[list[str], Ranks], int | None]) -> Callable[..., Symbols]:
    """Merge the pair at the place that is chosen, again and again."""

    def merge(symbols: Symbols, steps: Steps) -> Symbols:
        tokens = list(symbols)
        if len(tokens) > _MOST_SYMBOLS:
            return tokens
        while (place := choose(tokens, steps.known.ranks)) is not None:
            tokens[place : place + 2] = [tokens[place] + tokens[place + 1]]
        return tokens

    return merge


def _leftmost(tokens: list[str], ranks: Ranks) -> int | None:
    return next((place for place, pair in enumerate(pairwise(tokens)) if pair in ranks), None)


def _last_of_equals(tokens: list[str], ranks: Ranks) -> int | None:
    found = [(ranks[pair], -place) for place, pair in enumerate(pairwise(tokens)) if pair in ranks]
    return -min(found)[1] if found else None


def _longest_match(symbols: Symbols, steps: Steps) -> Symbols:
    """Take the longest token of the vocabulary from the left, as WordPiece does."""
    text, vocab, tokens, place = "".join(symbols), steps.known.vocab, [], 0
    while place < len(text):
        ends = range(min(len(text), place + _MOST_SYMBOLS), place + 1, -1)
        end = next((end for end in ends if text[place:end] in vocab), place + 1)
        tokens.append(text[place:end])
        place = end
    return tokens


def _whole_if_known(symbols: Symbols, steps: Steps) -> Symbols:
    whole = "".join(symbols)
    return [whole] if whole in steps.known.vocab else fast_bpe(symbols, steps.known.ranks)


def _by_id(steps: Steps) -> Ranks:
    vocab = steps.known.vocab
    return {pair: vocab["".join(pair)] for pair in steps.known.ranks if "".join(pair) in vocab}


def _reversed(steps: Steps) -> Ranks:
    return {pair: -rank for pair, rank in steps.known.ranks.items()}


class _With(dict[Pair, int]):
    """Ranks of which one is another, or none, without a copy of all the others."""

    def __init__(self, ranks: Ranks, pair: Pair, rank: int | None) -> None:
        super().__init__()
        self._ranks, self._pair, self._rank = ranks, pair, rank

    def get(self, pair: Pair, default: Any = None) -> Any:
        """Give the rank of a pair: all that merging asks for."""
        if pair != self._pair:
            return self._ranks.get(pair, default)
        return default if self._rank is None else self._rank


def _with(steps: Steps, pair: Pair, rank: int | None) -> Steps:
    """Merge with another rank for a pair, which only concerns pieces that have it in them."""
    ranks = _With(steps.known.ranks, pair, rank)
    return steps.coding(
        merge=lambda symbols: fast_bpe(symbols, ranks), only="".join(pair), others=steps.encode
    )


def _lacks(says: str, choose: Callable[[Steps], Pair | None]) -> Suspect:
    def change(steps: Steps) -> Steps:
        pair = choose(steps)
        return _with(steps, pair, None) if pair else steps

    return Suspect("merges", says, change)


def _at(place: int) -> Callable[[Steps], Pair | None]:
    return lambda steps: steps.known.merges[place] if steps.known.merges else None


def _first_repeat_counts(steps: Steps) -> Ranks:
    if len(steps.known.ranks) == len(steps.known.merges):
        return steps.known.ranks
    ranks: dict[Pair, int] = {}
    for rank, pair in enumerate(steps.known.merges):
        ranks.setdefault(pair, rank)
    return ranks


MERGING = (
    _merges("merges nothing: each byte is a token", lambda symbols, _: symbols),
    _ranks("merges the pair of the highest rank first", _reversed),
    _merges("merges the leftmost pair first, whatever its rank", _one_by_one(_leftmost)),
    _merges("merges the last of several equal pairs first", _one_by_one(_last_of_equals)),
    _merges("takes the longest token that fits, from the left", _longest_match),
    _merges("takes a piece that is a token at once, without merges", _whole_if_known),
    _ranks("ranks a pair by the id of the token that it makes, as tiktoken does, and not by its"
           " line in merges.txt", _by_id),
    _ranks("counts the first place of a merge that is repeated", _first_repeat_counts),
    _lacks("lacks the first merge, as if line 1 of merges.txt were no merge",
           _at(0)),
    _lacks("lacks the last merge, as if merges.txt ended before it",
           _at(-1)),
)  # fmt: skip


def merging_suspects(case: Case) -> Iterator[Suspect]:
    """Give the suspects of the merges, and those of the merges that this text needs."""
    yield from MERGING
    pieces = list(islice(_pieces_that_part(case), _MOST_PIECES))
    merges = dict.fromkeys(pair for piece in pieces for pair in _merges_of(piece, case))
    for pair in islice(merges, _MOST_MERGES):
        yield Suspect(
            "merges",
            f"lacks the merge {_named(pair, case)}",
            partial(_with, pair=pair, rank=None),
        )
    last = len(case.steps.known.merges)
    for pair in _pairs_of_the_port(case):
        verb = "has" if pair in case.steps.known.ranks else "has a merge too many,"
        for where, rank in (("before", -1), ("after", last)):
            yield Suspect(
                "merges",
                f"{verb} {_named(pair, case)} {where} all others",
                partial(_with, pair=pair, rank=rank),
            )


def _named(pair: Pair, case: Case) -> str:
    rank = case.steps.known.ranks.get(pair)
    return shown(" ".join(pair)) + ("" if rank is None else f" (rank {rank})")


def _pieces_that_part(case: Case) -> Iterator[str]:
    """Give pieces that have ids which the port's row lacks: a merge of theirs may be missing."""
    theirs = set(case.port)
    steps = case.steps
    for text in map(steps.read, case.texts):
        for start, end, added in steps.find(text):
            if added is None:
                for piece in steps.cut(steps.prefix(text[start:end], start == 0)):
                    if not theirs.issuperset(steps.encode(piece)):
                        yield piece


def _merges_of(piece: str, case: Case) -> Iterator[Pair]:
    """Give the merges of a piece, the last of which made what the port has not."""
    symbols = case.steps.encode.spell(piece)
    for merge in reversed(list(fast_merge_steps(symbols, case.steps.known.ranks))):
        yield merge.left, merge.right


def _pairs_of_the_port(case: Case) -> Iterator[Pair]:
    """Give the pairs that the port's tokens may have been made of where the rows part."""
    names = {index: token for token, index in case.steps.known.vocab.items()}
    ours = set(case.ours)
    for index in case.port[case.place : case.place + 2]:
        token = names.get(index, "")
        if index not in ours:
            for middle in range(1, min(len(token), 32)):
                yield token[:middle], token[middle:]
