"""A roberta-base-sized checkpoint, loaded by both sides while its pages are in memory.

python -m tests.benchmarks.bench_loading [--quick] [--out DIR]

Who reads a file only when its weights are used is found out by a forward pass behind it.
"""

from functools import lru_cache, partial

import torch
import transformers

import minirobert
from minirobert.benchmarks.batches import batch_of
from minirobert.benchmarks.rows import OURS
from tests.benchmarks.base_models import pair
from tests.benchmarks.measure import Comparison, run_alone, timed


@lru_cache(maxsize=1)
def saved(directory):
    pair("RobertaForMaskedLM")[0].save_pretrained(directory / "checkpoint")
    return str(directory / "checkpoint")


def measure(one, settings, and_use):
    directory = saved(settings.directory)
    batch = batch_of([16], pair("RobertaForMaskedLM")[1].config)

    def run_theirs():
        model = transformers.RobertaForMaskedLM.from_pretrained(directory)
        with torch.inference_mode():
            return model(torch.from_numpy(batch.ids)) if and_use else model

    def run_ours():
        model = minirobert.RobertaForMaskedLM.from_pretrained(directory)
        return model(batch.ids) if and_use else model

    return timed(one, settings, {"transformers": run_theirs, OURS: run_ours})


COMPARISONS = [
    Comparison("loading/checkpoint", "loading a checkpoint", partial(measure, and_use=False)),
    Comparison(
        "loading/and 1x16",
        "loading it, and the logits of 16 tokens",
        partial(measure, and_use=True),
    ),
]

if __name__ == "__main__":
    run_alone("loading")
