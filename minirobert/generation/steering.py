"""What a caller brings to a generation besides numbers: functions, and a tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from ..arrays import Array
from ..rules import NONE, Rule, check, either, list_of, optional

__all__ = ["NO_STEERING", "LogitsProcessor", "Steering", "StoppingCriterion"]

#: Takes the texts, [B, T], and the scores of the next word, [B, V], and gives other scores.
LogitsProcessor: TypeAlias = Callable[[Array, Array], Array]
#: Takes the texts, [B, T], and gives whether each is to end, bool [B], or True for all.
StoppingCriterion: TypeAlias = Callable[[Array, Any], Any]

_FUNCTION = Rule(callable, "a function")
_FUNCTIONS = either(NONE, _FUNCTION, list_of(_FUNCTION, "a list of functions"))


@dataclass(frozen=True, kw_only=True)
class Steering:
    """Functions that a generation calls at each step.

    With beams or several sequences for a text, they see a row for each of them.

    Parameters
    ----------
    logits_processor : function or list of functions, optional
        Each is given ``(input_ids, scores)``, the texts so far [B, T] and the scores of the next
        word [B, V], and gives the scores to go on with. What the options do comes before, and for
        drawing behind.
    stopping_criteria : function or list of functions, optional
        Each is given ``(input_ids, scores)``: the texts with their new token and, with
        ``output_scores``, the scores of all steps, or else None. It tells which texts are to end:
        bool [B], or one for all.
    prefix_allowed_tokens_fn : function, optional
        It is given ``(batch_id, input_ids)``, the number of a text and its tokens [T], and gives
        the ids that may come next.
    tokenizer : RobertaTokenizer, optional
        For ``stop_strings``.

    Raises
    ------
    TypeError
        If something is no function.
    """

    logits_processor: LogitsProcessor | Sequence[LogitsProcessor] | None = None
    stopping_criteria: StoppingCriterion | Sequence[StoppingCriterion] | None = None
    prefix_allowed_tokens_fn: Callable[[int, Array], Sequence[int]] | None = None
    tokenizer: Any = None

    def __post_init__(self) -> None:
        for name in ("logits_processor", "stopping_criteria"):
            check(name, getattr(self, name), _FUNCTIONS, TypeError)
        name = "prefix_allowed_tokens_fn"
        check(name, getattr(self, name), optional(_FUNCTION), TypeError)

    @property
    def processors(self) -> list[LogitsProcessor]:
        """The functions that change scores."""
        return _several(self.logits_processor)

    @property
    def criteria(self) -> list[StoppingCriterion]:
        """The functions that end texts."""
        return _several(self.stopping_criteria)


NO_STEERING = Steering()


def _several(given: Any) -> list[Any]:
    if given is None:
        return []
    return list(given) if isinstance(given, list | tuple) else [given]
