"""Finding many strings in a text, however many there are and however alike.

This is the automaton of Aho & Corasick 1975 (Communications of the ACM 18), which reads each
character of a text once. Here it reads from the end to the beginning, and the strings backwards:
so it knows at each character the longest string that *begins* there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

__all__ = ["StringFinder"]


class StringFinder:
    """Finds strings from left to right, without overlap; of those that begin alike the longest.

    >>> [*StringFinder(["a", "abc", "bc", "cc"]).spans("ab abcc", 0, 7)]
    [(0, 1), (3, 6)]
    """

    def __init__(self, strings: Iterable[str]) -> None:
        # A node stands for the end of a string, and knows the nodes of one character more.
        self._longer: list[dict[str, int]] = [{}]
        # The longest string that begins with what a node stands for; 0 if none does.
        self._found = [0]
        for string in strings:
            self._enter(string)
        # The node that stands for as much of the beginning as there is another node for.
        self._shorter = [0] * len(self._found)
        self._link()

    def _enter(self, string: str) -> None:
        node = 0
        for character in reversed(string):
            if character not in self._longer[node]:
                self._longer[node][character] = len(self._longer)
                self._longer.append({})
                self._found.append(0)
            node = self._longer[node][character]
        self._found[node] = len(string)

    def _link(self) -> None:
        """Link each node to its shorter one, those of few characters first."""
        nodes = list(self._longer[0].values())
        for node in nodes:  # which grows meanwhile
            for character, longer in self._longer[node].items():
                shorter = self._step(self._shorter[node], character)
                self._shorter[longer] = shorter
                self._found[longer] = self._found[longer] or self._found[shorter]
                nodes.append(longer)

    def _step(self, node: int, character: str) -> int:
        """Read a character; what does not fit it is given up, the last characters first."""
        while node and character not in self._longer[node]:
            node = self._shorter[node]
        return self._longer[node].get(character, 0)

    def spans(self, text: str, first: int, last: int) -> Iterator[tuple[int, int]]:
        """Find the strings in ``text[first:last]``."""
        lengths: dict[int, int] = {}  # of the longest string that begins there
        root, node = self._longer[0], 0
        for position, character in zip(
            range(last - 1, first - 1, -1), reversed(text[first:last]), strict=True
        ):
            node = self._step(node, character) if node else root.get(character, 0)
            if self._found[node]:
                lengths[position] = self._found[node]
        end = first
        for start in reversed(lengths):
            if start >= end:
                end = start + lengths[start]
                yield start, end
