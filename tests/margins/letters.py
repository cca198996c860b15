"""What a shape says: ``[B, N, K + S, D]``, and what its letters stand for in one call."""

import re

BRACKET = r"\[[^\[\]]*\]"


def letters_in(text):
    """Name the letters and words that stand for axes in the shapes of a text."""
    for bracket in re.findall(BRACKET, text):
        for part in re.split(r"[\s,+-]+", bracket[1:-1]):
            if part not in ("", "or", "...") and not part.isdecimal():
                yield part


class Letters(dict):
    """What the letters of one call stand for, as far as is known; ``...`` stands for several axes.

    >>> letters = Letters()
    >>> letters.fit("[B, S, H]", (2, 3, 5)), letters
    (True, {'B': 2, 'S': 3, 'H': 5})
    >>> letters.fit("[B S, 1 or H] or [H]", (6, 1)), letters.fit("[B, 2 P - 1]", (2, 7))
    (True, True)
    >>> letters["P"], letters.fit("[B, S]", (2, 4)), letters.fit("[K + T]", (9,))
    (4, False, None)
    """

    def fit(self, shapes, size):
        """Compare with an array's shape, and learn from it: None if too little is known to tell."""
        unsure = False
        for shape in re.findall(BRACKET, shapes):
            learnt = Letters(self)
            verdict = learnt._axes_fit([a.strip() for a in shape[1:-1].split(",") if a], size)
            if verdict:
                self.update(learnt)
                return True
            unsure |= verdict is None
        return None if unsure else False

    def _axes_fit(self, axes, size):
        if "..." in axes:
            first, more = axes.index("..."), len(size) - len(axes) + 1
            if self.setdefault("...", size[first : first + more]) != size[first : first + more]:
                return False
            axes, size = axes[:first] + axes[first + 1 :], size[:first] + size[first + more :]
        if len(axes) != len(size):
            return False
        verdicts = [self._axis_fits(axis, n) for axis, n in zip(axes, size, strict=True)]
        return False if False in verdicts else None if None in verdicts else True

    def _axis_fits(self, axis, size):
        choices = [self._rest(choice, size) for choice in axis.split(" or ")]
        if (0, []) in choices:
            return True
        open_choices = [(rest, unknown) for rest, unknown in choices if unknown]
        if len(open_choices) != 1:
            return None if open_choices else False
        rest, unknown = open_choices[0]
        if len(unknown) > 1 or len(unknown[0][1]) > 1:
            return None
        factor, (letter,) = unknown[0]
        self[letter], remainder = divmod(rest, factor)
        return not remainder and self[letter] >= 0

    def _rest(self, choice, size):
        """Take the known terms of a sum from a size: what is left, and factors of what is not."""
        unknown = []
        for sign, product in re.findall(r"([+-]?)([^+-]+)", choice):
            factor, missing = -1 if sign == "-" else 1, []
            for part in product.split():
                if part.isdecimal() or part in self:
                    factor *= self[part] if part in self else int(part)
                else:
                    missing.append(part)
            if missing:
                unknown.append((factor, missing))
            else:
                size -= factor
        return size, unknown
