"""The steps from a text to its row of ids, each a function of its own that another may replace.

`TextEncoder` is the definition of a text's ids, and is fast; here the same steps stand apart, so
that a port's mistake can be put in the place of one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, TypeVar

from ...tokenization import AddedToken, RobertaTokenizer
from ...tokenization.added_tokens import AddedTokenSplitter, Segment
from ...tokenization.bpe import Pair, rank_merges
from ...tokenization.byte_alphabet import text_to_symbols
from ...tokenization.fast.bpe import fast_bpe
from ...tokenization.fast.piece_table import PieceTable
from ...tokenization.pretokenizer import split_pieces, with_prefix_space
from ...tokenization.rows.encoding import Encoding
from ...tokenization.rows.truncation import kept_lengths, kept_slice
from ...tokenization.special_tokens import with_special_tokens

__all__ = ["NO_ID", "Call", "Ids", "Known", "PieceCoder", "Steps", "shortened", "steps_of"]

Ids = list[int]
T = TypeVar("T")

#: What stands for a token that the vocabulary lacks where there is no ``<unk>``: no port has it.
NO_ID = -1


class Call(NamedTuple):
    """What the tokenizer was told besides the texts, after all defaults."""

    add_special_tokens: bool = True
    truncation: str = "do_not_truncate"
    max_length: int | None = None
    truncation_side: str = "right"
    add_prefix_space: bool = False
    split_special_tokens: bool = False

    def options(self) -> dict[str, Any]:
        """Give them as the tokenizer is told: `truncation_side` is its own attribute."""
        options = self._asdict()
        del options["truncation_side"]
        return {**options, "verbose": False}

    def encode(self, tokenizer: RobertaTokenizer, texts: Sequence[str]) -> Encoding:
        """Encode one text, or a pair, to a row that knows where its tokens come from."""
        text, pair = texts if len(texts) > 1 else (texts[0], None)
        row: Encoding = tokenizer(text, pair, **self.options())[0]
        return row


@dataclass(frozen=True)
class Known:
    """What a tokenizer is made of, for those that make another of it."""

    vocab: Mapping[str, int]
    merges: Sequence[Pair]
    ranks: Mapping[Pair, int]
    added: Sequence[AddedToken]
    cls: int
    sep: int
    pad: int | None
    unk: int
    mask: str | None
    call: Call
    made: dict[str, object] = field(default_factory=dict)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Make what takes long, such as other ranks, when it is first asked for."""
        if name not in self.made:
            self.made[name] = make()
        found: T = self.made[name]  # type: ignore[assignment]  # one name, one type
        return found

    @property
    def n_special(self) -> dict[int, int]:
        """How many special tokens frame one text, and two."""
        return {1: 2, 2: 4} if self.call.add_special_tokens else {1: 0, 2: 0}


@dataclass(frozen=True)
class PieceCoder:
    """From a piece of a text to ids: its symbols, merged to tokens, which are looked up.

    Where only some pieces can come out otherwise than from `others`, these are those whose symbols
    have the string `only` in them.

    >>> coder = PieceCoder(str, lambda symbols: list(symbols), lambda ts: [ord(t) for t in ts])
    >>> coder("ab")
    [97, 98]
    """

    spell: Callable[[str], Sequence[str]]
    merge: Callable[[Sequence[str]], Sequence[str]]
    number: Callable[[Sequence[str]], Ids]
    only: str = ""
    others: Callable[[str], Ids] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "_table", PieceTable(self._encoded))

    def __call__(self, piece: str) -> Ids:
        """Encode a piece, or remember it."""
        table: PieceTable[Ids] = vars(self)["_table"]
        return table[piece]

    def _encoded(self, piece: str) -> Ids:
        symbols = self.spell(piece)
        if self.others and self.only not in "".join(symbols):
            return self.others(piece)
        return self.number(self.merge(symbols))


@dataclass(frozen=True)
class Steps:
    """All steps, in order; `known` is what they were made of.

    Attributes
    ----------
    read : callable
        From the text to the text that is encoded.
    find : callable
        Cuts it at added tokens.
    prefix : callable
        From an ordinary stretch, and whether it begins the text, to the one that is split.
    cut : callable
        Splits that into pieces.
    encode : PieceCoder
        From a piece to ids.
    encode_added : callable
        From an added token to ids.
    shorten : callable
        From the ids of one text, or two, to those that are kept.
    frame : callable
        From these to the row, with its special tokens.
    finish : callable
        From that row to the one that is given: here it is the same.
    """

    known: Known
    read: Callable[[str], str]
    find: Callable[[str], Sequence[Segment]]
    prefix: Callable[[str, bool], str]
    cut: Callable[[str], list[str]]
    encode: PieceCoder
    encode_added: Callable[[str], Ids]
    shorten: Callable[[list[Ids]], list[Ids]]
    frame: Callable[[list[Ids]], Ids]
    finish: Callable[[Ids], Ids]

    def ids(self, text: str) -> Ids:
        """Encode one text, without special tokens around it."""
        text = self.read(text)
        ids: Ids = []
        for start, end, added in self.find(text):
            if added:
                ids += self.encode_added(added.content)
                continue
            for piece in self.cut(self.prefix(text[start:end], start == 0)):
                ids += self.encode(piece)
        return ids

    def pieces(self, text: str) -> Iterator[tuple[str, int, int, bool]]:
        """Give each piece, with where it begins and ends in the text, and whether it is added."""
        for start, end, added in self.find(text):
            found = text[start:end]
            if added:
                yield found, start, end, True
                continue
            prefixed = self.prefix(found, start == 0)
            new = len(prefixed) - len(found)
            for piece in self.cut(prefixed):
                length = len(piece) - new
                yield piece, start, start + max(length, 1), False
                start, new = start + length, 0

    def row(self, texts: Sequence[str]) -> Ids:
        """Encode one text, or a pair, to the row that the tokenizer gives."""
        return self.finish(self.frame(self.shorten([self.ids(text) for text in texts])))

    def finishing(self, change: Callable[[Ids], Ids]) -> Steps:
        """Give the same steps with a change of the row at their end."""
        before = self.finish
        return replace(self, finish=lambda row: change(before(row)))

    def coding(self, **changes: Any) -> Steps:
        """Give the same steps with another way from a piece to ids."""
        changes = {"only": "", "others": None, **changes}
        return replace(self, encode=replace(self.encode, **changes))


def steps_of(tokenizer: RobertaTokenizer, call: Call) -> Steps:
    """Take a tokenizer apart.

    >>> tokenizer = RobertaTokenizer.from_pretrained()
    >>> steps_of(tokenizer, Call()).row(["Hello world"]) == tokenizer("Hello world").input_ids
    True
    """
    known = _known(tokenizer, call)
    splitter = AddedTokenSplitter(known.added)
    unknown = known.unk
    return Steps(
        known,
        read=lambda text: text,
        find=partial(splitter.split, split_special_tokens=call.split_special_tokens),
        prefix=lambda text, _: with_prefix_space(text) if call.add_prefix_space else text,
        cut=split_pieces,
        encode=PieceCoder(
            text_to_symbols,
            lambda symbols: fast_bpe(symbols, known.ranks),
            lambda tokens: [known.vocab.get(token, unknown) for token in tokens],
        ),
        encode_added=lambda content: [known.vocab[content]],
        shorten=lambda sequences: shortened(sequences, known),
        frame=lambda sequences: _framed(sequences, known),
        finish=lambda row: row,
    )


def _known(tokenizer: RobertaTokenizer, call: Call) -> Known:
    def id_of(role: str) -> int:
        index = getattr(tokenizer, f"{role}_token_id")
        return NO_ID if index is None else index

    merges = tokenizer.merges
    return Known(
        vocab=tokenizer.get_vocab(),
        merges=merges,
        ranks=rank_merges(merges),
        added=list(tokenizer.added_tokens_decoder.values()),
        cls=id_of("cls"),
        sep=id_of("sep"),
        pad=tokenizer.pad_token_id,
        unk=id_of("unk"),
        mask=tokenizer.mask_token,
        call=call,
    )


def shortened(
    sequences: list[Ids],
    known: Known,
    *,
    max_length: int | None = None,
    strategy: str | None = None,
    side: str | None = None,
    n_special: int | None = None,
) -> list[Ids]:
    """Cut texts to the length of a row; what is not given is as in the call."""
    call = known.call
    most = call.max_length if max_length is None else max_length
    strategy = call.truncation if strategy is None else strategy
    if most is None or strategy == "do_not_truncate":
        return sequences
    room = most - (known.n_special[len(sequences)] if n_special is None else n_special)
    lengths = [len(ids) for ids in sequences]
    kept = kept_lengths(lengths, max(room, 0), strategy)
    side = call.truncation_side if side is None else side
    slices = (kept_slice(*counts, side) for counts in zip(lengths, kept, strict=True))
    return [ids[part] for ids, part in zip(sequences, slices, strict=True)]


def _framed(sequences: list[Ids], known: Known) -> Ids:
    if not known.call.add_special_tokens:
        return [index for ids in sequences for index in ids]
    return with_special_tokens(sequences, known.cls, known.sep)
