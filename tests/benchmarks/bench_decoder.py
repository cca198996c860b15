"""Cached decoding with a roberta-base-sized decoder against transformers on torch.

A prompt is read, then 128 tokens one by one; the next is the one with the largest logit. Two
threads each, in one process.

python -m tests.benchmarks.bench_decoder
"""

from tests.benchmarks.measure import THREADS, compare, limit_threads, machine

limit_threads()

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them
import torch  # noqa: E402
import transformers  # noqa: E402

import minirobert  # noqa: E402
from minirobert.parameters import build_tree  # noqa: E402
from tests.benchmarks.bench_encoder import ROBERTA_BASE  # noqa: E402

NEW_TOKENS = 128
# batch, tokens of the prompt, rounds
SHAPES = [(1, 16, 7), (1, 256, 5), (8, 16, 5)]


def main() -> None:
    torch.set_num_threads(THREADS)
    print(machine())
    print(f"torch {torch.__version__}, NumPy {np.__version__}, {THREADS} threads each, float32")
    torch.manual_seed(0)
    theirs = transformers.RobertaForCausalLM(
        transformers.RobertaConfig(**ROBERTA_BASE, is_decoder=True)
    ).eval()
    weights = {
        name: tensor.numpy()
        for name, tensor in theirs.state_dict().items()
        if not name.startswith("lm_head.decoder")
    }
    ours = minirobert.RobertaForCausalLM(
        minirobert.RobertaConfig(**ROBERTA_BASE, is_decoder=True), build_tree(weights)
    )
    rng = np.random.default_rng(0)
    for batch, length, rounds in SHAPES:
        ids = rng.integers(3, 50000, (batch, length))
        torch_ids = torch.tensor(ids)

        def run_theirs(ids=torch_ids):
            tokens, cache = [], None
            with torch.inference_mode():
                for _ in range(NEW_TOKENS):
                    output = theirs(ids, past_key_values=cache, use_cache=True)
                    cache, ids = output.past_key_values, output.logits[:, -1:].argmax(-1)
                    tokens.append(ids)
            return torch.cat(tokens, dim=1).numpy()

        def run_ours(ids=ids):
            tokens, cache = [], minirobert.KeyValueCache()
            for _ in range(NEW_TOKENS):
                logits = ours(ids, past_key_values=cache).logits
                ids = logits[:, -1:].argmax(-1)
                tokens.append(ids)
            return np.concatenate(tokens, axis=1)

        assert np.array_equal(run_theirs(), run_ours())
        title = f"{batch} x {length} tokens, then {NEW_TOKENS} more"
        compare(title, run_theirs, run_ours, rounds)


if __name__ == "__main__":
    main()
