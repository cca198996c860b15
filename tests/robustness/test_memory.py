"""Long use in little memory: nothing is kept of calls that are over, or that went wrong."""

import gc
import os
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from minirobert import (
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaTokenizer,
    kernels,
    watch,
)
from minirobert.pipelines import FillMaskPipeline
from minirobert.tokenization.fast import piece_table

SIZES: dict[str, Any] = {
    "vocab_size": 8192, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 60,
}  # fmt: skip
TOKENIZER = RobertaTokenizer.from_pretrained()
ENCODER = RobertaForMaskedLM(RobertaConfig(**SIZES))
DECODER = RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True))
FILL = FillMaskPipeline(ENCODER, TOKENIZER)
IDS = np.array([[0, 5, 6]])


def refused(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        call()


def seen() -> None:
    with watch(), kernels.disabled():
        ENCODER(IDS)


def in_a_new_cache() -> None:
    cache = KeyValueCache()
    DECODER(IDS, past_key_values=cache)
    DECODER(IDS, past_key_values=cache)
    cache.reorder_cache([0, 0])


#: What is done again and again, and how often for a measurement.
CALLS: dict[str, tuple[Callable[[int], Any], int]] = {
    "a forward pass": (lambda i: ENCODER(IDS, output_hidden_states=True), 30),
    "a wrong call": (lambda i: refused(lambda: ENCODER(IDS + 10_000 + i)), 100),
    "a cache": (lambda i: in_a_new_cache(), 10),
    "a generation": (lambda i: DECODER.generate(IDS, max_new_tokens=2, do_sample=True, rng=i), 6),
    "a beam search": (lambda i: DECODER.generate(IDS, max_new_tokens=2, num_beams=2), 5),
    "a stream that is left": (lambda i: next(DECODER.stream(IDS, max_new_tokens=9)), 10),
    "watching": (lambda i: seen(), 10),
    "a text": (lambda i: TOKENIZER(f"one text of {i % 50}"), 300),
    "offsets": (lambda i: TOKENIZER(f"a{i % 50}", return_offsets_mapping=True)[0].tokens, 100),
    "a wrong text": (lambda i: refused(lambda: TOKENIZER(f"{i} \ud800")), 100),
    "a pipeline": (lambda i: FILL("The <mask> is blue."), 10),
    "a pipeline's error": (lambda i: refused(lambda: FILL(f"no mask {i}")), 30),
    "a model from its files": (lambda i: RobertaForMaskedLM.from_pretrained(), 2),
    "a tokenizer from its files": (lambda i: RobertaTokenizer.from_pretrained(), 1),
}


def n_open_files() -> int:
    """Count the open files of this process, and the files that are mapped into its memory."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    return len(os.listdir("/proc/self/fd")) + sum(".safetensors" in line for line in maps)


@pytest.mark.parametrize("name", CALLS)
def test_nothing_is_kept(name, times):
    call, n = CALLS[name]

    def go() -> tuple[int, int]:
        for i in range(n * times):
            call(i)
        gc.collect()
        return tracemalloc.get_traced_memory()[0], n_open_files()

    tracemalloc.start()
    try:
        go()
        before, files = go()
        after, more_files = go()
    finally:
        tracemalloc.stop()
    assert after - before < 20_000, f"{n * times} times kept {after - before:,} bytes"
    assert more_files <= files


def test_words_that_never_come_back(monkeypatch):
    """What a tokenizer remembers of them is forgotten when there is too much of it."""
    monkeypatch.setattr(piece_table, "MAX_CACHED_PIECES", 100)
    tokenizer = RobertaTokenizer.from_pretrained()
    table = tokenizer._in_use.encoder._ids_of_piece.__self__
    longest = 0
    for i in range(1000):
        tokenizer.encode(f"w{i}")
        longest = max(longest, len(table))
    assert longest == 100


@pytest.mark.parametrize("call", [lambda m: m(IDS), lambda m: refused(lambda: m(IDS - 9))])
def test_a_model_goes_when_it_is_not_held(call):
    """At once, and not only when cycles are collected: its weights may fill the memory."""
    model = RobertaForMaskedLM(RobertaConfig(**SIZES))
    held = weakref.ref(model)
    gc.disable()
    try:
        call(model)
        del model
        assert held() is None
    finally:
        gc.enable()
