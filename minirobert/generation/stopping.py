"""When a text is to end, besides with a token that ends it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..arrays import Array, array_namespace, astype, device_of, to_numpy
from ..checks import check_shape, place
from ..sentences import shown
from .config import GenerationConfig
from .steering import Steering, StoppingCriterion

__all__ = ["StopStrings", "Stopping"]

_PARTIAL = "\N{REPLACEMENT CHARACTER}"


class StopStrings:
    """Ends a text with the token that completes one of some strings.

    The string may begin in the prompt, and the token may go on behind it.

    Parameters
    ----------
    strings : sequence of str
    tokenizer : RobertaTokenizer
    """

    def __init__(self, strings: Sequence[str], tokenizer: Any) -> None:
        self._strings = strings
        self._to_text = tokenizer.convert_tokens_to_string
        self._tokens = {number: token for token, number in tokenizer.get_vocab().items()}
        #: No string has more tokens, for each has a byte at least.
        self._longest = max(len(one.encode()) for one in strings)

    def __call__(self, input_ids: Array, scores: Any = None) -> list[bool]:
        """Tell of each text, [B, T], whether its last token completes a string."""
        return [self._completes(row) for row in to_numpy(input_ids)[:, -self._longest :].tolist()]

    def _completes(self, ids: list[int]) -> bool:
        tokens: list[str] = []
        for number in ids:
            if number in self._tokens:
                tokens.append(self._tokens[number])
            else:  # it parts what stands around it
                tokens.clear()
        text = self._to_text(tokens)
        found = [text.rfind(one) + len(one) for one in self._strings if one in text]
        # A character whose last byte the token brings was not there before.
        return bool(found) and max(found) > len(self._to_text(tokens[:-1]).rstrip(_PARTIAL))


class Stopping:
    """All that ends texts by more than their last token; false where there is nothing.

    Parameters
    ----------
    config : GenerationConfig
    steering : Steering
    """

    def __init__(self, config: GenerationConfig, steering: Steering) -> None:
        self._criteria: list[StoppingCriterion] = []
        if config.max_time is not None:
            end = time.monotonic() + config.max_time
            self._criteria.append(lambda input_ids, scores: time.monotonic() > end)
        if config.all_stop_strings:
            if steering.tokenizer is None:
                raise ValueError(
                    f"stop_strings is {shown(config.stop_strings)}, but without a tokenizer it is "
                    "not known how tokens are written: give tokenizer, too"
                )
            if not hasattr(steering.tokenizer, "convert_tokens_to_string"):
                kind = type(steering.tokenizer).__name__
                raise TypeError(f"tokenizer is a {kind}, but must be a RobertaTokenizer")
            self._criteria.append(StopStrings(config.all_stop_strings, steering.tokenizer))
        self._criteria += steering.criteria

    def __bool__(self) -> bool:
        return bool(self._criteria)

    def __call__(self, input_ids: Array, scores: tuple[Array, ...] | None) -> Array:
        """Tell which texts, [B, T], are to end: bool [B]."""
        xp = array_namespace(input_ids)
        rows = (int(input_ids.shape[0]),)
        ending = xp.zeros(rows, dtype=xp.bool, device=device_of(input_ids))
        for criterion in self._criteria:
            name = "what a stopping criterion gives"
            found = place(name, criterion(input_ids, scores), input_ids)
            check_shape(name, found, rows, ())
            ending = ending | astype(found, xp.bool)
        return ending
