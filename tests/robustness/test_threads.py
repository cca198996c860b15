"""Many threads and processes with one model, one tokenizer and one pipeline: results as alone."""

import subprocess
import sys
import threading
from random import Random
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

SIZES: dict[str, Any] = {
    "vocab_size": 8192, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 60,
}  # fmt: skip
WORDS = [*("The", "sky", "<x1>", "grass", "<x2>", "green,"), *("<mask>", "<x3>", "unbelievable")]


@pytest.fixture(autouse=True)
def _often():
    """Let threads take turns after every few instructions."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*actions: Any) -> None:
    """Run functions in threads of their own, and raise what they raise."""
    errors: list[BaseException] = []

    def run(action: Any) -> None:
        try:
            action()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        raise error


def steps(model: RobertaForCausalLM, ids: np.ndarray) -> Any:
    """Read a text in two calls, then continue it, in some ways."""
    cache = KeyValueCache()
    model(ids[:, :2], past_key_values=cache)
    last = model(ids[:, 2:], past_key_values=cache).logits
    drawn = model.generate(ids, do_sample=True, rng=0, max_new_tokens=2)
    found = model.generate(ids, num_beams=2, max_new_tokens=2)
    with kernels.disabled(), watch() as seen:
        model(ids)
    return last.tolist(), drawn.tolist(), found.tolist(), list(seen)


def test_a_model(draw, times):
    model = RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True))
    numbers = np.random.default_rng(draw.randrange(2**32))
    texts = [numbers.integers(5, 8192, (2, 4)) for _ in range(8)]
    alone = [steps(model, ids) for ids in texts]

    def go(i: int) -> None:
        for _ in range(3 * times):
            assert steps(model, texts[i]) == alone[i]

    at_once(*[lambda i=i: go(i) for i in range(8)])


def test_a_pipeline(draw, times):
    tokenizer = RobertaTokenizer.from_pretrained()
    pipeline = FillMaskPipeline(RobertaForMaskedLM(RobertaConfig(**SIZES)), tokenizer)
    texts = [" ".join([*draw.choices(WORDS, k=5), "<mask>"]) for _ in range(8)]
    alone = [pipeline(one) for one in texts]

    def go(i: int) -> None:
        for _ in range(3 * times):
            assert pipeline(texts[i]) == alone[i]

    at_once(*[lambda i=i: go(i) for i in range(8)])


def everything(tokenizer: RobertaTokenizer, text: str) -> Any:
    encoding = tokenizer(text, return_offsets_mapping=True)
    return (
        *(encoding.input_ids, encoding.offset_mapping, encoding.tokens(), tokenizer.encode(text)),
        tokenizer([text, "a"], padding=True).input_ids,
    )


def test_a_tokenizer_to_which_tokens_are_added(draw, times):
    """Each part of a call has the tokens of before or of after, and nothing in between."""
    texts = [" ".join(draw.choices(WORDS, k=12)) for _ in range(8)]
    stages = [RobertaTokenizer.from_pretrained() for _ in range(4)]
    for n, stage in enumerate(stages):
        stage.add_tokens([f"<x{i + 1}>" for i in range(n)])
    allowed = [
        list(zip(*[everything(stage, one) for stage in stages], strict=True)) for one in texts
    ]
    for _ in range(times):
        tokenizer = RobertaTokenizer.from_pretrained()
        done = threading.Event()

        def encode(seed: int, tokenizer: Any = tokenizer, done: Any = done) -> None:
            drawing = Random(seed)
            while not done.is_set():
                i = drawing.randrange(len(texts))
                for part, known in zip(everything(tokenizer, texts[i]), allowed[i], strict=True):
                    assert part in known
                assert tokenizer.cls_token_id == 0
                assert 8192 <= len(tokenizer.get_vocab()) <= 8195

        def change(tokenizer: Any = tokenizer, done: Any = done) -> None:
            try:
                for n in range(1, 4):
                    tokenizer.add_tokens([f"<x{n}>"])
                    threading.Event().wait(0.02)
            finally:
                done.set()

        at_once(change, *[lambda i=i: encode(i) for i in range(7)])
        assert everything(tokenizer, texts[0]) == everything(stages[-1], texts[0])


def test_a_setting_that_another_thread_changes(times):
    """Once it is set, all calls that begin follow it: none remembers what was before."""
    tokenizer = RobertaTokenizer.from_pretrained()
    prefixed, plain = [0, 261, 2], [0, 68, 2]
    done = threading.Event()

    def encode() -> None:
        while not done.is_set():
            assert tokenizer("a").input_ids in (plain, prefixed)

    def change() -> None:
        try:
            for i in range(400 * times):
                tokenizer.add_prefix_space = i % 2 == 0
                assert tokenizer("a").input_ids == (prefixed if i % 2 == 0 else plain)
        finally:
            done.set()

    at_once(change, *[encode for _ in range(7)])


FORKED = """
import multiprocessing, os, sys, asyncio
import numpy as np
from minirobert import RobertaForMaskedLM, RobertaTokenizer
from minirobert.pipelines import FillMaskPipeline

tokenizer = RobertaTokenizer.from_pretrained()
model = RobertaForMaskedLM.from_pretrained()
fill = FillMaskPipeline(model, tokenizer)
text = "The sky is <mask>."

def answer(pipeline):
    return pipeline(text), pipeline.tokenizer(text).input_ids

if __name__ == "__main__":
    a = np.ones((600, 600), np.float32); a @ a  # the threads of BLAS have started
    expected = answer(fill)
    for way in "fork", "spawn":
        with multiprocessing.get_context(way).Pool(1) as pool:
            found = pool.map_async(answer, [fill] * 2).get(100)
        print(found == [expected] * 2)
    print(asyncio.run(asyncio.to_thread(answer, fill)) == expected)
"""


def test_processes(tmp_path):
    script = tmp_path / "forked.py"
    script.write_text(FORKED)
    result = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=300)
    assert result.stdout.split() == ["True"] * 3, result.stderr
