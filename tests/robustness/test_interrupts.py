"""An interruption at any line of the package: what follows is as if it had not been."""

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from minirobert import (
    AddedToken,
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaTokenizer,
    kernels,
    watch,
)
from minirobert.functional import gelu
from minirobert.pipelines import FillMaskPipeline, TextGenerationPipeline
from tests.robustness.outcomes import PACKAGE, arrays_of

SIZES: dict[str, Any] = {
    "vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 60,
}  # fmt: skip
DECODER = RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True, add_cross_attention=True))
ENCODER = RobertaForMaskedLM(RobertaConfig(**SIZES))
VOCAB = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6, "ab": 7, "Ġ": 8}
IDS = np.array([[0, 5, 6, 7], [0, 4, 8, 2]])
TEXTS = np.random.default_rng(0).normal(size=(2, 3, 8)).astype("float32")


def interrupted(action: Callable[[], Any], at: int) -> int:
    """Do something, interrupted before the line of the package with this number; count the lines.

    It is counted from 1; 0 interrupts nothing.
    """
    lines = 0

    def trace(frame: Any, event: str, argument: Any) -> Any:
        nonlocal lines
        if not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line":
            lines += 1
            if lines == at:
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        action()
    except KeyboardInterrupt:
        assert lines == at
    finally:
        sys.settrace(before)
    return lines


def small_tokenizer() -> RobertaTokenizer:
    return RobertaTokenizer.from_vocab(VOCAB, [("a", "b")])


def state(tokenizer: RobertaTokenizer) -> Any:
    """Give all that a tokenizer shows."""
    encoding = tokenizer(["ab<x>b", "x <y><mask>"], padding=True, return_offsets_mapping=True)
    one = tokenizer("ab<y>").input_ids
    return dict(encoding), one, tokenizer.get_vocab(), repr(tokenizer), encoding[0].tokens


def numbers(found: Any) -> list[Any]:
    return [array.tolist() for array in arrays_of(found)]


def full_cache() -> KeyValueCache:
    cache = KeyValueCache()
    DECODER(IDS, past_key_values=cache)
    return cache


def step_of(cache: KeyValueCache, **options: Any) -> Callable[[], Any]:
    return lambda: DECODER(IDS[:, :2], past_key_values=cache, **options)


def what_a_cache_holds(cache: KeyValueCache) -> Any:
    """Give its arrays, and what a step makes of a copy of it."""
    if cache.batch_size is None:
        return None
    copied = KeyValueCache.from_legacy_cache(cache.to_legacy_cache())
    n_new = np.full((cache.batch_size, 1), 5)
    return numbers(cache), len(cache), numbers(DECODER(n_new, past_key_values=copied).logits)


def with_another_text(cache: KeyValueCache) -> Any:
    """Give what a cache holds, and where it has no text of an encoder, a step with one."""
    held = what_a_cache_holds(cache)
    if cache.has_text:
        return held
    return held, numbers(step_of(cache, encoder_hidden_states=2 * TEXTS)().logits)


def see() -> Any:
    with watch() as seen, kernels.disabled():
        ENCODER(IDS)
    return seen


def what_is_seen(_: Any) -> Any:
    """Give the names under which tensors are seen, and whether kernels run."""
    with watch() as seen:
        ENCODER(IDS)
    x = np.linspace(-3, 3, 50, dtype=np.float32)
    with kernels.disabled():
        exact = gelu(x)
    return list(seen), bool((gelu(x) == exact).all())


def texts_of(pipeline: Any) -> Any:
    return (
        pipeline("a<mask> b") if isinstance(pipeline, FillMaskPipeline) else pipeline("a b", rng=0)
    )


def generations(pipeline: Any) -> Any:
    model = pipeline.model
    steps = [step.tolist() for step in model.stream(IDS[:, :3], max_new_tokens=2, rng=0)]
    return steps, model.generate(IDS[:, :3], num_beams=2, max_new_tokens=3).tolist()


def fill() -> FillMaskPipeline:
    return FillMaskPipeline(ENCODER, small_tokenizer(), top_k=3)


def write() -> TextGenerationPipeline:
    return TextGenerationPipeline(DECODER, small_tokenizer(), max_new_tokens=3)


#: What is made, what is done with it, and what it then shows: as before the interruption, or after.
CASES: dict[str, tuple[Callable[[], Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "encoding": (small_tokenizer, state, state),
    "adding a token": (small_tokenizer, lambda t: t.add_tokens(["<x>", "<y>"]), state),
    "adding a special token": (
        small_tokenizer,
        lambda t: t.add_special_tokens({"pad_token": AddedToken("<x>"), "cls_token": "<y>"}),
        state,
    ),
    "taking a role": (small_tokenizer, lambda t: setattr(t, "pad_token", "<mask>"), state),
    "losing a role": (small_tokenizer, lambda t: setattr(t, "cls_token", None), state),
    "a setting": (small_tokenizer, lambda t: setattr(t, "padding_side", "left"), state),
    "a step": (full_cache, lambda c: step_of(c)(), what_a_cache_holds),
    "a first step": (KeyValueCache, lambda c: step_of(c)(), what_a_cache_holds),
    "a step with the text of an encoder": (
        full_cache,
        lambda c: step_of(c, encoder_hidden_states=TEXTS)(),
        with_another_text,
    ),
    "another order": (full_cache, lambda c: c.reorder_cache([1, 0, 1]), what_a_cache_holds),
    "fewer tokens": (full_cache, lambda c: c.crop(2), what_a_cache_holds),
    "no tokens": (full_cache, lambda c: c.crop(0), what_a_cache_holds),
    "watching": (lambda: None, lambda _: see(), what_is_seen),
    "filling masks": (fill, texts_of, texts_of),
    "continuing texts": (write, texts_of, lambda p: (texts_of(p), generations(p))),
    "generating": (write, generations, generations),
}


@pytest.mark.parametrize("case", CASES)
def test_what_follows_an_interruption(case, draw, times):
    make, act, show = CASES[case]
    made = make()
    n_lines = interrupted(lambda: act(made), at=0)
    allowed = show(make()), show(made)
    for at in draw.sample(range(1, n_lines + 1), min(n_lines, 25 * times)):
        made = make()
        interrupted(lambda made=made: act(made), at)
        assert show(made) in allowed, f"interrupted before line {at} of {n_lines}"
