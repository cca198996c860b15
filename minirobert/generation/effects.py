"""Options that have no effect beside others, which a warning tells."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..checks import warn
from ..rules import is_among
from ..sentences import listed, shown
from .options import OFF

if TYPE_CHECKING:
    from .config import GenerationConfig

__all__ = ["FOR_DRAWING", "tell_of_no_effect"]

#: The options that only drawing reads.
FOR_DRAWING = (
    *("temperature", "top_k", "top_p", "min_p"),
    *("typical_p", "epsilon_cutoff", "eta_cutoff"),
)
_FOR_BEAMS = ("length_penalty", "early_stopping")
_END = "exponential_decay_length_penalty"


def tell_of_no_effect(
    said: Mapping[str, Any], config: GenerationConfig, defaults: Mapping[str, Any]
) -> None:
    """Tell what a caller says to no effect, of the options, or as ``rng``.

    Parameters
    ----------
    said : mapping
        What the caller says.
    config : GenerationConfig
        What counts.
    defaults : mapping
        The value of each option where nobody says one.
    """

    def tell(names: Collection[str], why: str, what: str, cure: str) -> None:
        lost = [
            f"{name}={shown(said[name], 40)}"
            for name in names
            if not is_among(said.get(name), None, defaults.get(name), OFF.get(name))
        ]
        if lost:
            warn(f"{why}, and what is given for {what} has no effect ({listed(lost)}): {cure}")

    if not config.do_sample:
        cure = "leave it out" if config.num_beams > 1 else "set do_sample=True, or leave it out"
        names = (*FOR_DRAWING, "rng")
        tell(names, "do_sample is False, so nothing is drawn", "drawing", cure)
    if config.num_beams == 1:
        cure = "set num_beams, or leave it out"
        tell(_FOR_BEAMS, "num_beams is 1, so there is no beam search", "it", cure)
    if not config.eos_token_ids:
        why = "eos_token_id names no token, so none ends a text"
        tell([_END], why, "the end", "set eos_token_id, or leave it out")
    for most in ("max", "min"):
        counts, lost = f"{most}_new_tokens", f"{most}_length"
        new = getattr(config, counts)
        if new is not None:
            why = f"{counts} is {shown(new)}, which counts alone"
            tell([lost], why, "the whole length", "leave one of them out")
