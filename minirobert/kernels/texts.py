"""Which tokens of a batch are computed, and in what order.

Of a batch whose texts are of different lengths most may be padding. What no token looks at and
nobody reads need not be computed: the tokens that are left stand side by side, as the columns of a
matrix ``[H, M]``, texts of the same shape next to each other so that one product serves them all.
"""

from __future__ import annotations

from itertools import accumulate, groupby
from typing import Any, NamedTuple, TypeAlias

import numpy as np

__all__ = ["Group", "Run", "Text", "chosen", "grouped"]

NDArray: TypeAlias = np.ndarray[Any, Any]

#: Tokens of a group: enough that products are fast, few enough that what lies between two of them
#: stays in the cache.
_GROUP = 512
#: How much larger than the mean the largest of several groups at once may be: two threads that
#: share each product lose about as much to each other as one loses that waits for the other.
_LARGEST = 1.1


class Text(NamedTuple):
    """One text of a batch."""

    tokens: NDArray  # [columns]: places in the batch of all texts; the keys come first
    keys: int  # how many of them may be looked at
    asked: NDArray | None  # [asked]: which of the columns are read in the end; None for all
    is_blind: bool  # no key is left, so that each token looks at all of them alike
    attend: NDArray | None  # bool [columns, T], where each token has keys of its own

    @property
    def shape(self) -> tuple[int, int, int, bool]:
        """What texts have in common that are computed as one."""
        asked = len(self.tokens) if self.asked is None else len(self.asked)
        return len(self.tokens), self.keys, asked, self.is_blind


class Run(NamedTuple):
    """Texts of the same shape, side by side."""

    n_texts: int
    first: int  # column of the group
    length: int  # columns of each text
    keys: int  # of which so many may be looked at, the first ones
    first_asked: int  # column of what is asked for in the end
    asked: int  # columns of each text among them
    is_blind: bool
    attend: NDArray | None  # bool [texts, 1, T, columns], where tokens have their own keys
    attend_asked: NDArray | None  # bool [texts, 1, T, asked], of what is asked for


class Group(NamedTuple):
    """Texts that go through a layer together."""

    tokens: NDArray  # [M]: places in the batch
    runs: list[Run]
    asked: NDArray | None  # [asked]: the columns that are read in the end; None for all

    @property
    def read(self) -> NDArray:
        """Places in the batch of what is read in the end."""
        return self.tokens if self.asked is None else self.tokens[self.asked]


def chosen(attend: NDArray, read: NDArray | None, batch: int, length: int) -> list[Text]:
    """Choose the tokens that are computed.

    Parameters
    ----------
    attend : boolean array of shape [B or 1, 1, 1 or S, S]
    read : boolean array of shape [B, S], optional
        What is read of the last hidden states; by default all.
    batch, length : int
        B and S.

    Returns
    -------
    list of Text
        Those of the same shape one after the other. Each token that is read or looked at is in one
        of them.
    """
    texts = [
        _text(b, attend[b % len(attend), 0], None if read is None else read[b], length)
        for b in range(batch)
        if read is None or read[b].any()
    ]
    return sorted(texts, key=lambda text: text.shape)


def grouped(texts: list[Text], threads: int = 1) -> tuple[list[Group], bool]:
    """Divide texts into groups of about 512 tokens.

    Parameters
    ----------
    texts : list of Text
    threads : int
        How many may compute a group each.

    Returns
    -------
    groups : list of Group
    at_once : bool
        Whether the threads should do so, as they have about as much to do.
    """
    total = sum(len(text.tokens) for text in texts)
    n_groups = -(-total // _GROUP)
    n_even = -(-n_groups // threads) * threads
    parts = _parts(texts, n_even)
    largest = max((sum(len(text.tokens) for text in part) for part in parts), default=0)
    at_once = threads > 1 and largest * n_even <= _LARGEST * total
    return [_group(part) for part in (parts if at_once else _parts(texts, n_groups))], at_once


def _parts(texts: list[Text], n_parts: int) -> list[list[Text]]:
    """Divide texts into at most so many parts of about as many tokens, none of them empty."""
    ends = list(accumulate(len(text.tokens) for text in texts))
    parts: list[list[Text]] = [[] for _ in range(n_parts)]
    for text, end in zip(texts, ends, strict=True):
        middle = end - len(text.tokens) / 2
        parts[int(middle * n_parts / ends[-1])].append(text)
    return [part for part in parts if part]


def _text(b: int, attend: NDArray, read: NDArray | None, length: int) -> Text:
    """Choose the tokens of a text: its keys, and what is read."""
    places = np.arange(b * length, (b + 1) * length)
    if len(attend) > 1 or (read is None and attend.all()):
        own = attend if len(attend) > 1 else None
        return Text(places, length, None if read is None else read.nonzero()[0], False, own)
    is_key = attend[0]
    is_blind = not is_key.any()
    if is_blind:
        is_key = np.ones_like(is_key)
    others = ~is_key if read is None else read & ~is_key
    order = np.concatenate([is_key.nonzero()[0], others.nonzero()[0]])
    asked = None if read is None or read[order].all() else read[order].nonzero()[0]
    return Text(places[order], int(is_key.sum()), asked, is_blind, None)


def _group(texts: list[Text]) -> Group:
    """Set texts side by side, those of the same shape as one run."""
    runs: list[Run] = []
    asked: list[NDArray] = []
    first = first_asked = 0
    for shape, same in groupby(texts, key=lambda text: text.shape):
        some = list(same)
        length, keys, n_asked, is_blind = shape
        columns = [np.arange(length) if text.asked is None else text.asked for text in some]
        asked += [first + i * length + column for i, column in enumerate(columns)]
        masks = [text.attend.T for text in some if text.attend is not None]  # [T, columns]
        of_asked = [mask[:, column] for mask, column in zip(masks, columns, strict=False)]
        runs.append(
            Run(
                *(len(some), first, length, keys, first_asked, n_asked, is_blind),
                np.stack(masks)[:, None] if masks else None,
                np.stack(of_asked)[:, None] if masks else None,
            )
        )
        first += len(some) * length
        first_asked += len(some) * n_asked
    tokens = np.concatenate([text.tokens for text in texts])
    return Group(tokens, runs, None if first_asked == first else np.concatenate(asked))
