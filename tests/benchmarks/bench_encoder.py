"""A roberta-base-sized encoder against transformers on torch, and against onnxruntime.

python -m tests.benchmarks.bench_encoder [--quick] [--out DIR]
"""

from dataclasses import replace
from functools import lru_cache, partial
from importlib.util import find_spec

import torch

from minirobert import RobertaConfig
from minirobert.benchmarks.batches import BASE, batch_of, sentences
from minirobert.benchmarks.encoder import (
    check_same,
    encoder_row,
    ours,
    random_encoder,
    theirs,
    twin,
)
from minirobert.benchmarks.rows import OURS
from tests.benchmarks.measure import Comparison, run_alone
from tests.benchmarks.threads import THREADS

#: Sequences and tokens of each.
SHAPES = [(1, 8), (1, 16), (1, 32), (1, 128), (1, 512), (8, 128), (32, 32), (2, 512)]
CONFIG = RobertaConfig(**BASE)
BATCHES = [*(batch_of([length] * count, CONFIG) for count, length in SHAPES), sentences(CONFIG)]


@lru_cache(maxsize=1)
def encoders():
    model = random_encoder(**BASE)
    return model, twin(model)


class LastHiddenState(torch.nn.Module):
    """An encoder whose output is one tensor, as a graph of ONNX has it."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, ids, mask):
        return self.encoder(ids, attention_mask=mask).last_hidden_state


@lru_cache(maxsize=1)
def onnx_session(directory):
    """Write the encoder as an ONNX graph, and load that into onnxruntime."""
    import onnxruntime

    path = directory / "encoder.onnx"
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        LastHiddenState(encoders()[1]).eval(),
        (torch.full((2, 9), 5), torch.ones(2, 9, dtype=torch.int64)),
        path,
        dynamo=False,
        opset_version=17,
        input_names=["ids", "mask"],
        output_names=["states"],
        dynamic_axes={"ids": axes, "mask": axes, "states": axes},
    )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def onnx_side(batch, directory):
    session = onnx_session(directory)
    return lambda: session.run(["states"], {"ids": batch.ids, "mask": batch.mask})[0]


def measure(one, settings, batch):
    model, other = encoders()
    sides, notes = {"transformers": theirs(other, batch)}, {}
    if find_spec("onnxruntime") and find_spec("onnx"):
        sides["onnxruntime"] = onnx_side(batch, settings.directory)
    else:
        notes["onnxruntime"] = "not installed"
    sides[OURS] = ours(model, batch)
    expected = sides["transformers"]()
    for side in sides.values():
        check_same(batch, side(), expected)
    row = encoder_row(CONFIG, batch, sides, settings.lasting, settings.rounds)
    return replace(row, title=one.title, notes=notes)


COMPARISONS = [
    Comparison(
        f"encoder/{batch.name}",
        f"encoder, {batch.title}",
        partial(measure, batch=batch),
    )
    for batch in BATCHES
]

if __name__ == "__main__":
    run_alone("encoder")
