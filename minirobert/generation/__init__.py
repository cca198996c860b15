"""Generation: how a decoder's scores of the next word become a text.

`scores` changes the scores before a word is chosen, `sampling` chooses the words of a text one by
one, `beam_search` keeps several continuations of each text and finds the best, `config` has the
options, and `texts` feeds the model.
"""

from .beam_search import beam_search
from .config import GenerationConfig
from .generate import generate, stream
from .output import GenerateOutput
from .sampling import greedy, sample
from .scores import (
    min_new_tokens,
    no_repeat_ngrams,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from .texts import Texts, prepare

__all__ = [
    "GenerateOutput",
    "GenerationConfig",
    "Texts",
    "beam_search",
    "generate",
    "greedy",
    "min_new_tokens",
    "no_repeat_ngrams",
    "prepare",
    "repetition_penalty",
    "sample",
    "stream",
    "temperature",
    "top_k",
    "top_p",
]
