"""A roberta-base-sized encoder against transformers on torch, two threads each, in one process.

python -m tests.benchmarks.bench_encoder
"""

from tests.benchmarks.measure import THREADS, compare, limit_threads, machine

limit_threads()

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them
import torch  # noqa: E402
import transformers  # noqa: E402

import minirobert  # noqa: E402
from minirobert.parameters import build_tree  # noqa: E402

ROBERTA_BASE = {
    "vocab_size": 50265,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
# batch, tokens, rounds
SHAPES = [(8, 128, 11), (1, 16, 51), (1, 128, 31), (1, 512, 11), (32, 16, 21)]


def main() -> None:
    torch.set_num_threads(THREADS)
    print(machine())
    print(f"torch {torch.__version__}, NumPy {np.__version__}, {THREADS} threads each, float32")
    torch.manual_seed(0)
    theirs = transformers.RobertaModel(
        transformers.RobertaConfig(**ROBERTA_BASE), add_pooling_layer=False
    ).eval()
    weights = {name: tensor.numpy() for name, tensor in theirs.state_dict().items()}
    ours = minirobert.RobertaModel(
        minirobert.RobertaConfig(**ROBERTA_BASE), build_tree(weights), add_pooling_layer=False
    )
    rng = np.random.default_rng(0)
    for batch, length, rounds in SHAPES:
        ids = rng.integers(3, 50000, (batch, length))
        mask = np.ones_like(ids)
        torch_ids, torch_mask = torch.tensor(ids), torch.tensor(mask)

        def run_theirs(ids=torch_ids, mask=torch_mask):
            with torch.inference_mode():
                return theirs(ids, attention_mask=mask).last_hidden_state

        def run_ours(ids=ids, mask=mask):
            return ours(ids, attention_mask=mask).last_hidden_state

        difference = np.abs(run_theirs().numpy() - run_ours()).max()
        assert difference < 1e-4, difference
        compare(f"{batch} x {length} tokens", run_theirs, run_ours, rounds)


if __name__ == "__main__":
    main()
