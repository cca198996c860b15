"""Suspects of the ids: the port has the same tokens under other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from ...sentences import listed
from ...tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE
from .steps import Ids, Steps
from .suspect import Case, Suspect

__all__ = ["numbering_suspects", "renumbering"]


def _numbers(says: str, vocab: Callable[[Steps], Mapping[str, int]]) -> Suspect:
    def change(steps: Steps) -> Steps:
        made = steps.known.once(says, lambda: vocab(steps))
        unknown = steps.known.unk

        def number(tokens: Sequence[str]) -> Ids:
            return [made.get(token, unknown) for token in tokens]

        return steps.coding(number=number)

    return Suspect("ids", says, change)


def _in_order_of_merges(first_merge: int) -> Callable[[Steps], Mapping[str, int]]:
    """Give the numbers that GPT-2 gives: to printable bytes, other bytes, merges."""
    octets = sorted(range(256), key=lambda octet: octet not in PRINTABLE)
    alphabet = {BYTE_TO_CHAR[octet]: index for index, octet in enumerate(octets)}

    def vocab(steps: Steps) -> Mapping[str, int]:
        made = map("".join, steps.known.merges)
        return alphabet | {token: first_merge + rank for rank, token in enumerate(made)}

    return vocab


def _in_order_of_bytes(steps: Steps) -> Mapping[str, int]:
    """Give symbols the number of their byte, and what is merged that of its line."""
    alphabet = {char: octet for octet, char in enumerate(BYTE_TO_CHAR)}
    return {**_in_order_of_merges(256)(steps), **alphabet}


NUMBERING = (
    _numbers("gives the ids of GPT-2's encoder.json, in the order of the merges; fairseq's"
             " dict.txt, which numbers them by how often they occur, is not applied",
             _in_order_of_merges(256)),
    _numbers("numbers the tokens in the order of the merges, and counts the line #version of"
             " merges.txt as one", _in_order_of_merges(257)),
    _numbers("numbers the tokens as tiktoken does: bytes by their value, then the merges in order",
             _in_order_of_bytes),
)  # fmt: skip


def numbering_suspects(case: Case) -> Iterator[Suspect]:
    """Give the suspects of the ids, and that all are so much higher as the first that parts is."""
    yield from NUMBERING
    if case.place < min(len(case.ours), len(case.port)):
        more = case.port[case.place] - case.ours[case.place]
        much = f"{abs(more)} {'higher' if more > 0 else 'lower'} than here"
        others = f"gives every id {much}, but those of added and special tokens"

        def higher(ids: Ids) -> Ids:
            return [index + more for index in ids]

        yield Suspect("ids", f"gives every id {much}", lambda steps: steps.finishing(higher))
        yield Suspect("ids", others, lambda steps: _others_higher(steps, more))


def _others_higher(steps: Steps, more: int) -> Steps:
    before = steps.encode.number
    return steps.coding(number=lambda tokens: [index + more for index in before(tokens)])


def renumbering(case: Case) -> Iterator[Suspect]:
    """Suspect that tokens are numbered otherwise, where that is all there is: the last resort."""
    if len(case.ours) != len(case.port):
        return
    numbers = dict(zip(case.ours, case.port, strict=True))
    is_consistent = [numbers[index] for index in case.ours] == case.port
    if not is_consistent or len(set(numbers.values())) < len(numbers):
        return
    moved = {mine: theirs for mine, theirs in numbers.items() if mine != theirs}
    names = listed((f"{mine} is {theirs}" for mine, theirs in moved.items()), room=80)
    yield Suspect(
        "ids",
        f"has other ids for the same tokens: {names}",
        lambda steps: steps.finishing(lambda row: [moved.get(i, i) for i in row]),
    )
