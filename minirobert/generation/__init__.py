"""Generation: how a decoder's scores of the next word become a text.

`scores` changes the scores before a word is chosen, `filters` leaves only the likely words to draw
from, and `processors` puts both in their order. `sampling` chooses the words of a text one by one,
`beam_search` keeps several continuations of each text and finds the best, and `stopping` ends them.
`config` has the options, `steering` the functions of a caller's, and `texts` feeds the model.
"""

from .beam_search import beam_search
from .config import GenerationConfig
from .filters import (
    epsilon_cutoff,
    eta_cutoff,
    min_p,
    temperature,
    top_k,
    top_p,
    typical_p,
)
from .generate import generate, stream
from .output import GenerateOutput, transition_scores
from .processors import score_processor
from .prompts import prepare
from .sampling import greedy, sample
from .scores import (
    exponential_decay_length_penalty,
    force_tokens,
    min_new_tokens,
    no_repeat_ngrams,
    remove_invalid_values,
    repetition_penalty,
    sequence_bias,
    suppress_tokens,
)
from .steering import Steering
from .stopping import StopStrings
from .texts import Texts

__all__ = [
    "GenerateOutput",
    "GenerationConfig",
    "Steering",
    "StopStrings",
    "Texts",
    "beam_search",
    "epsilon_cutoff",
    "eta_cutoff",
    "exponential_decay_length_penalty",
    "force_tokens",
    "generate",
    "greedy",
    "min_new_tokens",
    "min_p",
    "no_repeat_ngrams",
    "prepare",
    "remove_invalid_values",
    "repetition_penalty",
    "sample",
    "score_processor",
    "sequence_bias",
    "stream",
    "suppress_tokens",
    "temperature",
    "top_k",
    "top_p",
    "transition_scores",
    "typical_p",
]
