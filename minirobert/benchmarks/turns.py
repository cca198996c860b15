"""Sides measured in turn, so that a machine that drifts drifts for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = ["Side", "Spread", "in_rounds", "in_turn", "ratios", "seconds", "spread"]

#: What is timed.
Side: TypeAlias = Callable[[], Any]

#: Seconds of a look at whether this process is at rest, and how often it is looked at most.
LOOK, LOOKS = 0.02, 50
#: Seconds that a turn should take: what is over sooner is called again.
TURN = 0.1
#: Seconds of a call that tells how long the next will take though it is the first: that allocates,
#: and asks what kind of machine this is.
LONG = 1.0


class Spread(NamedTuple):
    """The median of some numbers, and between what the middle 80% of them are."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Sum numbers up.

    Parameters
    ----------
    values : sequence of float
        At least one.

    Returns
    -------
    Spread

    >>> spread([3, 1, 2, 5, 4])
    Spread(median=3.0, low=1.4, high=4.6)
    """
    low, median, high = np.percentile(values, [10, 50, 90]).tolist()
    return Spread(median, low, high)


def ratios(theirs: Sequence[float], ours: Sequence[float]) -> Spread:
    """Give the ratio theirs / ours, which is taken round by round.

    Parameters
    ----------
    theirs, ours : sequence of float
        Of the same rounds.

    Returns
    -------
    Spread
        Of times: above 1 we are faster.

    >>> ratios([2.0, 4.0, 9.0], [1.0, 2.0, 3.0]).median
    2.0
    """
    return spread([their / our for their, our in zip(theirs, ours, strict=True)])


def seconds(function: Side) -> float:
    """Time one call.

    Parameters
    ----------
    function : callable

    Returns
    -------
    float
    """
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def in_turn(
    sides: Mapping[str, Side], lasting: float, rounds: tuple[int, int] = (5, 31)
) -> dict[str, list[float]]:
    """Time each side in each round, once all have been called.

    Parameters
    ----------
    sides : mapping of str to callable
    lasting : float
        Seconds that all rounds should take together.
    rounds : tuple of int
        At least so many, and at most.

    Returns
    -------
    dict of str to list of float
        The seconds that a call took: for each side, a number of each round.

    >>> list(in_turn({"ours": list, "theirs": tuple}, 0.0, rounds=(2, 2)))
    ['ours', 'theirs']
    """
    once = {name: _once(function) for name, function in sides.items()}
    calls = {name: max(1, round(TURN / taken)) for name, taken in once.items()}
    turns = sum(LOOK + calls[name] * once[name] for name in sides)
    least, most = rounds
    return in_rounds(sides, min(most, max(least, int(lasting / turns))), calls)


def _once(function: Side) -> float:
    """Find out how long a call takes that is not the first."""
    taken = seconds(function)
    return max(taken if taken > LONG else seconds(function), 1e-6)


def in_rounds(
    sides: Mapping[str, Side],
    rounds: int,
    calls: Mapping[str, int] | None = None,
    time_one: Callable[[Side], float] = seconds,
) -> dict[str, list[float]]:
    """Time each side in each round, without calling it before.

    Parameters
    ----------
    sides : mapping of str to callable
    rounds : int
    calls : mapping of str to int, optional
        How often each is called in a round; its time is the mean.
    time_one : callable
        What times a function.

    Returns
    -------
    dict of str to list of float
        As of `in_turn`.
    """
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, function in sides.items():
            _rest()
            times[name].append(_mean(function, 1 if calls is None else calls[name], time_one))
    return times


def _mean(function: Side, calls: int, time_one: Callable[[Side], float]) -> float:
    return time_one(lambda: [function() for _ in range(calls)]) / calls


def _rest() -> None:
    """Wait until no thread of this process is busy.

    The threads of a library that has just computed look out for more work, tens of milliseconds of
    it, and would take the processor from the next side.
    """
    for _ in range(LOOKS):
        before = time.process_time()
        time.sleep(LOOK)
        if time.process_time() - before < LOOK / 10:
            return
