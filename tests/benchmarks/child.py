"""The memory of one side, measured in a process that has nothing else.

python -m tests.benchmarks.child SIDE [[LAYERS, BATCH, LENGTH], ...]

The shapes must grow. Prints the peak of the process after a forward pass of each, in MiB.
"""

import json
import sys

from tests.benchmarks.peaks import peak_memory


def run_ours(layers, batch, length):
    from minirobert.benchmarks.batches import BASE, batch_of
    from minirobert.benchmarks.encoder import ours, random_encoder

    model = random_encoder(**BASE, num_hidden_layers=layers)
    ours(model, batch_of([length] * batch, model.config))()


def run_theirs(layers, batch, length):
    import torch
    import transformers

    # As in minirobert.benchmarks.batches, which would bring NumPy's side along.
    fields = {"vocab_size": 50265, "max_position_embeddings": 514, "type_vocab_size": 1}
    config = transformers.RobertaConfig(**fields, num_hidden_layers=layers)
    model = transformers.RobertaModel(config, add_pooling_layer=False).eval()
    ids = torch.randint(5, 50000, (batch, length))
    with torch.inference_mode():
        model(ids, attention_mask=torch.ones_like(ids))


def main(side, shapes):
    run = {"minirobert": run_ours, "transformers": run_theirs}[side]
    peaks = []
    for shape in json.loads(shapes):
        run(*shape)
        peaks.append(peak_memory())
    print(json.dumps(peaks))


if __name__ == "__main__":
    main(*sys.argv[1:])
