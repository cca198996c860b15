"""The cases of generation: whole texts, what options do to scores, and how a word is drawn."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ...generation import GenerationConfig, Steering
from ...generation.processors import score_processor
from ...generation.sampling import sample
from ..traces import host
from .cases import Answers, Case
from .drawing import Scales, draw
from .portable import portable
from .small import SMALL

__all__ = ["generation_cases", "score_cases"]

PROMPTS = {
    "input_ids": [[1, 1, 0, 7, 21], [0, 9, 21, 4, 13]],
    "attention_mask": [[0, 0, 1, 1, 1], [1, 1, 1, 1, 1]],
}
DECODER = {**SMALL, "is_decoder": True, "num_hidden_layers": 2, "tie_word_embeddings": False}


def generation_cases() -> Iterator[Case]:
    """Give the cases whose output is texts: the likeliest words, and beam searches."""
    across = {
        "encoder_hidden_states": draw("encoder of texts", (2, 6, 12), 1.0).tolist(),
        "encoder_attention_mask": [[1] * 6, [1, 1, 0, 1, 0, 0]],
    }
    ends: dict[str, Any] = {"eos_token_id": [2, 8]}
    soon = {"num_return_sequences": 3, "early_stopping": True, "length_penalty": 0.5, **ends}
    longest = {"early_stopping": "never", "length_penalty": 2.0, **ends}
    repeats = {"no_repeat_ngram_size": 2, "repetition_penalty": 1.5}
    for name, covers, more, options in (
        ("greedy", "the likeliest word each time, prompts padded on the left", {}, {}),
        ("greedy-ends", "a text that ends is padded", {}, {"eos_token_id": [2, 21]}),
        ("greedy-no-repeats", "options that change scores", {}, repeats),
        ("greedy-cross", "a decoder that looks at an encoder's text", across, {}),
        ("beams", "the best text of each prompt", {}, {"num_beams": 3}),
        ("beams-all", "all beams, which end soon", {}, {"num_beams": 3, **soon}),
        ("beams-longest", "length_penalty 2", {}, {"num_beams": 4, **longest}),
    ):
        yield Case(
            name,
            covers,
            {**DECODER, "add_cross_attention": bool(more)},
            ({**PROMPTS, **more},),
            architecture="RobertaForCausalLM",
            outputs=("sequences", "sequences_scores") if "num_beams" in options else ("sequences",),
            scales=Scales(1.5, 1.0, 0.1),
            generate={"max_new_tokens": 6, "eos_token_id": None, **options},
        )


#: Of the next word of two texts; two words are equally likely.
SCORES = np.clip(draw("scores", (2, 12), 2.0, 2.0**-4), -6.0, 6.0)
SCORES[0, 3] = SCORES[0, 7]
TEXTS = [[4, 9, 3, 4], [0, 5, 3, 5]]
#: Of which the prompt has two tokens, and six new ones come at most.
PROMPT, AT_MOST = 2, 6

_CHANGES: tuple[dict[str, Any], ...] = (
    {"repetition_penalty": 1.25},
    {"encoder_repetition_penalty": 1.5},
    {"no_repeat_ngram_size": 2},
    {"encoder_no_repeat_ngram_size": 1},
    {"bad_words_ids": [[8], [3, 4, 6], [9, 3, 4, 2]]},
    {"sequence_bias": [[[8], -2.5], [[3, 4, 1], 3.5]]},
    {"suppress_tokens": [1, 3]},
    {"begin_suppress_tokens": [1, 3]},
    {"min_new_tokens": 3, "eos_token_id": [2, 5]},
    {"min_length": 5, "eos_token_id": 2},
    {"forced_bos_token_id": 5},
    {"forced_eos_token_id": 2},
    {"exponential_decay_length_penalty": [1, 1.5], "eos_token_id": 2},
    {"renormalize_logits": True},
    {"temperature": 0.5},
    {"top_k": 3},
    {"top_p": 0.75},
    {"min_p": 0.125},
    {"typical_p": 0.5},
    {"epsilon_cutoff": 0.03125},
    {"eta_cutoff": 0.0625},
    {"temperature": 2.0, "top_k": 9, "top_p": 0.875, "repetition_penalty": 1.25},
)
#: Of these what is left to draw from is changed, so that words are drawn.
_OF_DRAWING = {
    *("temperature", "top_k", "top_p", "min_p", "typical_p", "epsilon_cutoff", "eta_cutoff")
}


def score_cases() -> Iterator[Answers]:
    """Give for each option what it makes of scores, and which words some numbers draw.

    None stands for minus infinity, which JSON does not have.
    """
    begun, all_prompt = _given(TEXTS, AT_MOST), _given(_short(TEXTS), AT_MOST)
    changed = [
        {"change": change, **given, "expected": _changed(change, given)}
        for change in _CHANGES
        for given in (begun, all_prompt)
    ]
    last, forced = _given(TEXTS, 3), {"forced_eos_token_id": 2}  # the word to choose is the last
    changed.append({"change": forced, **last, "expected": _changed(forced, last)})
    draws = [one for one in changed if one["change"].keys() & _OF_DRAWING]
    others = [one for one in changed if one not in draws]
    yield Answers("scores", "what options do to the scores of the next word", {}, others)
    yield Answers("filters", "from which words the next one is drawn", {}, draws)
    yield Answers("drawing", "which word a number from 0 to 1 falls on", {}, list(_drawings()))


def _drawings() -> Iterator[dict[str, Any]]:
    for uniform in ([0.0, 0.25], [0.5, 0.75], [0.9375, 0.984375]):
        drawn = host(sample(portable(SCORES), portable(uniform)))
        yield {"scores": SCORES.tolist(), "uniform": uniform, "expected": drawn.tolist()}


def _given(texts: list[list[int]], at_most: int) -> dict[str, Any]:
    return {
        "scores": SCORES.tolist(),
        "input_ids": texts,
        "prompt": min(PROMPT, len(texts[0])),
        "at_most": at_most,
    }


def _short(texts: list[list[int]]) -> list[list[int]]:
    return [text[:1] for text in texts]


def _changed(change: dict[str, Any], given: dict[str, Any]) -> list[list[float | None]]:
    draws = bool(change.keys() & _OF_DRAWING)
    config = GenerationConfig(**{"top_k": 0, **change}, do_sample=draws)
    process = score_processor(config, Steering(), given["prompt"], given["at_most"])
    scores = host(process(portable(given["input_ids"]), portable(given["scores"])))
    return [[None if one == -math.inf else one for one in row] for row in scores.tolist()]
