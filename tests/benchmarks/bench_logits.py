"""The logits of one mask among 128 tokens, of a roberta-base-sized model.

python -m tests.benchmarks.bench_logits [--quick] [--out DIR]
"""

import numpy as np
import torch

from minirobert.benchmarks.batches import batch_of
from minirobert.benchmarks.rows import OURS
from tests.benchmarks.base_models import pair
from tests.benchmarks.measure import Comparison, run_alone, timed

LENGTH, MASK = 128, 77


def measure(one, settings):
    theirs, ours = pair("RobertaForMaskedLM")
    batch = batch_of([LENGTH], ours.config)
    given = {
        "input_ids": torch.from_numpy(batch.ids),
        "attention_mask": torch.from_numpy(batch.mask),
    }

    def run_theirs():
        with torch.inference_mode():
            return theirs(**given).logits[0, MASK]

    is_mask = np.arange(LENGTH)[None, :] == MASK

    def run_ours():
        return ours(batch.ids, attention_mask=batch.mask, read=is_mask).logits[0, MASK]

    np.testing.assert_allclose(run_ours(), run_theirs().numpy(), atol=1e-3)
    return timed(one, settings, {"transformers": run_theirs, OURS: run_ours})


COMPARISONS = [Comparison("logits/one mask", f"logits of one mask in {LENGTH} tokens", measure)]

if __name__ == "__main__":
    run_alone("logits")
