"""Texts continued by a roberta-base-sized decoder, against transformers on torch.

python -m tests.benchmarks.bench_generation [--quick] [--out DIR]

The words differ, as transformers' positions begin at 0 there (tutorials/differences.md); the work
does not.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import torch

from minirobert.benchmarks.rows import OURS
from tests.benchmarks.base_models import pair
from tests.benchmarks.measure import Comparison, run_alone, timed

NEW, QUICK_NEW = 64, 16
WAYS = {
    "greedy": {"do_sample": False},
    "sampling": {"do_sample": True},
    "beams": {"num_beams": 4, "do_sample": False},
}
#: Batch, and tokens of the prompt.
PROMPTS = [(1, 16), (8, 16), (1, 256)]


def measure(one, settings, way, batch, length):
    theirs, ours = pair("RobertaForCausalLM", is_decoder=True)
    n_new = QUICK_NEW if settings.quick else NEW
    ids = np.random.default_rng(0).integers(5, 50000, (batch, length))
    options = {**WAYS[way], "min_new_tokens": n_new, "max_new_tokens": n_new}
    given = {"input_ids": torch.from_numpy(ids), "attention_mask": torch.ones(batch, length)}

    def run_theirs():
        return theirs.generate(**given, **options)  # inference mode is its own

    def run_ours():
        return ours.generate(ids, rng=0, **options)

    assert run_theirs().shape == run_ours().shape == (batch, length + n_new)
    one = replace(one, title=one.title.format(n_new))
    sides = {"transformers": run_theirs, OURS: run_ours}
    return timed(one, settings, sides, tokens=batch * n_new)


COMPARISONS = [
    Comparison(
        f"generation/{way}/{batch}x{length}",
        f"generation, {way}, {batch}x{length} tokens and {{}} more",
        partial(measure, way=way, batch=batch, length=length),
    )
    for batch, length in PROMPTS
    for way in WAYS
    if length == 16 or way == "greedy"
]

if __name__ == "__main__":
    run_alone("generation")
