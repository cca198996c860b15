"""Training of byte-level BPE: learning the merges, and with them the vocabulary, from texts.

The algorithm is that of Sennrich et al. 2016, section 3.2 (arXiv:1508.07909): write every piece of
the texts as single symbols; count all adjacent pairs; join the most frequent pair everywhere; count
again; and so on, until the vocabulary is large enough. Three rules make the result unique, the same
as that of Hugging Face's trainer:

- **Ids.** The special tokens come first, in their order; then the 256 symbols of the byte alphabet,
  by code point; then the results of the merges, in the order in which they are found. Where a merge
  spells a token that is there already, which only a special token can be, that one is used.
- **Counts.** A pair counts once for each place where it stands, in every occurrence of the piece.
  Places may overlap: in "aaa" the pair (a, a) counts twice, though only one of the two can be
  joined, which is the left one.
- **Ties.** Of two pairs with the same count, the one whose left token has the lower id goes first;
  if the left tokens are the same too, the right ones decide.

Training ends when the vocabulary has its size, or when no pair occurs `min_frequency` times.
Special tokens mean nothing here: where a text holds "<mask>", its characters are counted like any
others.

Nothing is counted twice: a merge changes the counts only next to the places where it joins, so the
table of counts is kept, and with it the places at which each pair occurs. The most frequent pair is
found with a heap, which is *lazy*: a pair whose count has fallen stays where it is, and is put back
with its new count when it comes out on top. That suffices because a count never rises: the pairs
that a merge makes all hold its token, which no piece had before.
"""

from __future__ import annotations

import heapq
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeAlias

from ..rules import INTEGER, check, count
from ..sentences import shown
from .added_tokens import AddedToken, as_token, content_of
from .bpe import Pair
from .byte_alphabet import BYTE_TO_CHAR, CHAR_TO_BYTE, text_to_symbols
from .pretokenizer import split_pieces, with_prefix_space
from .texts import check_text

__all__ = ["ROBERTA_SPECIAL_TOKENS", "train_bpe"]

# In the order of roberta-base, so that they get its ids 0 to 3.
ROBERTA_SPECIAL_TOKENS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")

IdPair = tuple[int, int]
Places: TypeAlias = "array[int]"

# Stands between pieces, and where a symbol has become part of the token before it.
NOTHING = -1


def train_bpe(
    texts: Iterable[str | Sequence[str]],
    vocab_size: int = 30_000,
    min_frequency: int = 2,
    special_tokens: Sequence[str | AddedToken] = ROBERTA_SPECIAL_TOKENS,
    *,
    add_prefix_space: bool = False,
    show_progress: bool = True,
    n_texts: int | None = None,
) -> tuple[dict[str, int], list[Pair]]:
    """Learn a vocabulary and merges from texts.

    Parameters
    ----------
    texts : iterable of str, or of lists of str
        The texts, read once, one after the other: a generator will do. No piece crosses from one
        text into the next. A list in it is a batch of texts.
    vocab_size : int
        How many tokens to make, special tokens and byte alphabet included. There are fewer where
        the texts have no pair left to merge.
    min_frequency : int
        How often a pair must occur to be merged; 0 is the same as 1. It is 2 in `tokenizers`, and
        0 in `train_new_from_iterator` of transformers.
    special_tokens : sequence of str or AddedToken
        The tokens with the first ids. Of an `AddedToken` only the content matters here.
    add_prefix_space : bool
        Whether to put a space before each text that does not begin with one.
    show_progress : bool
        Whether to show progress bars on stderr.
    n_texts : int, optional
        How many texts there are, for the progress bar.

    Returns
    -------
    vocab : dict of str to int
        From tokens to ids, by rising id.
    merges : list of (str, str)
        The merges, in order.

    Raises
    ------
    TypeError
        If `texts` is one text, or holds anything but texts.
    ValueError
        If `vocab_size` has no room for the special tokens and the byte alphabet, if a special
        token is empty, repeated or a symbol of the alphabet, or if a text has a lone surrogate.

    Notes
    -----
    The result is that of `tokenizers.ByteLevelBPETokenizer.train_from_iterator`, except that:

    - Counts have no limit. Those of `tokenizers` 0.22.2 have 32 bits: a pair that occurs 2**31
      times or more, as in a hundred gigabytes of English, is lost.
    - What cannot be done as asked is an error. There, a `vocab_size` that is too small is exceeded,
      repeated special tokens are dropped, one that is a symbol of the byte alphabet takes its
      place, and each character of a single `str` is a text.

    Examples
    --------
    >>> vocab, merges = train_bpe(["low lower lowest"], vocab_size=263, show_progress=False)
    >>> merges
    [('l', 'o'), ('lo', 'w')]
    >>> vocab["<s>"], vocab["!"], vocab["low"]
    (0, 5, 262)
    """
    tokens = [*_special_contents(special_tokens), *sorted(BYTE_TO_CHAR)]
    _check_sizes(vocab_size, min_frequency, n_special=len(tokens) - len(BYTE_TO_CHAR))
    ids = {token: index for index, token in enumerate(tokens)}
    corpus = _Corpus(
        count_pieces(texts, add_prefix_space, show_progress, n_texts), ids, min_frequency
    )
    merges: list[Pair] = []
    with _progress("merges", vocab_size - len(ids), show_progress) as progress:
        while len(ids) < vocab_size and (found := corpus.most_frequent()):
            left, right = (tokens[index] for index in found)
            joined = ids.setdefault(left + right, len(ids))
            if joined == len(tokens):
                tokens.append(left + right)
                progress.update()
            merges.append((left, right))
            corpus.merge(found, joined)
    return ids, merges


def count_pieces(
    texts: Iterable[str | Sequence[str]],
    add_prefix_space: bool = False,
    show_progress: bool = False,
    n_texts: int | None = None,
) -> Counter[str]:
    """Count how often each piece occurs in texts; the texts themselves are not kept.

    >>> count_pieces(["a b b", "a"])
    Counter({'a': 2, ' b': 2})
    """
    counts: Counter[str] = Counter()
    _check_iterable(texts)
    with _progress("texts", n_texts, show_progress) as progress:
        for text in _each_text(texts):
            if text:
                counts.update(split_pieces(with_prefix_space(text) if add_prefix_space else text))
            progress.update()
    return counts


class _Corpus:
    """All pieces, one after the other, as ids, with the counts and the places of all pairs.

    A joined token has the place of its first symbol, and knows the places before and behind it. So
    a merge takes as long as the pair has places, however long the pieces are.
    """

    def __init__(
        self, piece_counts: Mapping[str, int], ids: Mapping[str, int], min_frequency: int
    ) -> None:
        self.min_frequency = max(min_frequency, 1)
        self.pair_counts: defaultdict[IdPair, int] = defaultdict(int)
        self.places: dict[IdPair, Places] = {}
        self.heap: list[tuple[int, IdPair]] = []
        self.ids = [NOTHING]
        self.times = [0]  # how often the piece occurs that has this place
        for piece, times in piece_counts.items():
            symbols = [ids[symbol] for symbol in text_to_symbols(piece)]
            self.ids += [*symbols, NOTHING]
            self.times += [times] * (len(symbols) + 1)
        self.before: Places = array("q", range(-1, len(self.ids) - 1))
        self.behind: Places = array("q", range(1, len(self.ids) + 1))
        found: defaultdict[IdPair, Places] = defaultdict(_no_places)
        for place, pair in enumerate(pairwise(self.ids)):
            if NOTHING not in pair:
                self.pair_counts[pair] += self.times[place]
                found[pair].append(place)
        self._queue(found)

    def _queue(self, found: Mapping[IdPair, Places]) -> None:
        """Take up new pairs. The rare ones are left out: they cannot become frequent any more."""
        for pair, places in found.items():
            count = self.pair_counts[pair]
            if count >= self.min_frequency:
                self.places[pair] = places
                # A heap gives its least entry: the highest count, then the lowest ids.
                heapq.heappush(self.heap, (-count, pair))

    def most_frequent(self) -> IdPair | None:
        """Take the pair to merge next off the heap, if there is one."""
        while self.heap:
            queued, pair = self.heap[0]
            count = self.pair_counts[pair]
            if count == -queued:
                return heapq.heappop(self.heap)[1]
            if count >= self.min_frequency:
                heapq.heapreplace(self.heap, (-count, pair))
            else:
                heapq.heappop(self.heap)
                del self.places[pair]
        return None

    def merge(self, pair: IdPair, joined: int) -> None:
        """Put the id `joined` in place of a pair, wherever it stands, from left to right."""
        left, right = pair
        ids = self.ids
        found: defaultdict[IdPair, Places] = defaultdict(_no_places)
        for place in self.places.pop(pair):
            second = self.behind[place]
            if ids[place] != left or ids[second] != right:
                continue  # one of the two belongs to another token by now
            before, behind = self.before[place], self.behind[second]
            ids[place], ids[second] = joined, NOTHING
            self.behind[place], self.before[behind] = behind, place
            if ids[before] != NOTHING:
                self._move((ids[before], left), (ids[before], joined), before, found)
            if ids[behind] != NOTHING:
                self._move((right, ids[behind]), (joined, ids[behind]), place, found)
        del self.pair_counts[pair]
        self._queue(found)

    def _move(self, old: IdPair, new: IdPair, place: int, found: Mapping[IdPair, Places]) -> None:
        """Count another pair at a place from now on."""
        times = self.times[place]
        self.pair_counts[old] -= times
        self.pair_counts[new] += times
        found[new].append(place)


def _no_places() -> Places:
    return array("q")


def _check_iterable(texts: Any) -> None:
    if isinstance(texts, str | bytes):
        raise TypeError("texts is one text: it must be an iterable of them, such as [text]")
    if not isinstance(texts, Iterable):
        raise TypeError(f"texts is {shown(texts)}: it must be an iterable of str")


def _each_text(texts: Iterable[Any]) -> Iterator[str]:
    for index, entry in enumerate(texts):
        if isinstance(entry, list | tuple):
            for place, text in enumerate(entry):
                check_text(text, f"texts[{index}][{place}]")
                yield text
        else:
            check_text(entry, f"texts[{index}]")
            yield entry


def _special_contents(special_tokens: Any) -> list[str]:
    if not isinstance(special_tokens, list | tuple):
        raise TypeError(f"special_tokens is {shown(special_tokens)}: it must be a list of tokens")
    contents: dict[str, None] = {}  # in order, each once
    for index, token in enumerate(special_tokens):
        where = f"special_tokens[{index}]"
        content = content_of(as_token(token, where))
        check_text(content, where)
        if not content:
            raise ValueError(f"{where} is empty: a special token has at least one character")
        if content in contents:
            raise ValueError(
                f"{where} is {shown(content)}, which is there already: give each token once"
            )
        if content in CHAR_TO_BYTE:
            raise ValueError(
                f"{where} is {content!r}, which stands for the byte {CHAR_TO_BYTE[content]:#04x} in"
                " the byte alphabet: give it more characters, such as"
                f" {f'<{content}>'!r}"
            )
        contents[content] = None
    return list(contents)


def _check_sizes(vocab_size: Any, min_frequency: Any, n_special: int) -> None:
    check("vocab_size", vocab_size, INTEGER, TypeError)
    check("min_frequency", min_frequency, INTEGER, TypeError)
    n_bytes = len(BYTE_TO_CHAR)
    reason = f", for {n_special} special tokens and the {n_bytes} bytes"
    check("vocab_size", vocab_size, count(n_special + n_bytes).but(reason))
    check("min_frequency", min_frequency, count(0))


def _progress(name: str, total: int | None, shown: bool) -> Any:
    from tqdm import tqdm  # 40 ms that importing the package need not take

    return tqdm(desc=name, total=total, disable=not shown)
