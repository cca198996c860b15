"""`generate` of a roberta-base-sized decoder against transformers on torch.

Prompts of 16 tokens, and so many more: greedy, drawn, and by 4 beams. Two threads each, in one
process; NUMBA_DISABLE_JIT=1 leaves out what numba compiles. The texts differ, for transformers
counts their positions from 0: `tests.equivalence.test_generation` compares them.

With words behind it, only what has them all in its title: ``"batch 8" "64 new"``.

python -m tests.benchmarks.bench_generate
"""

import sys

from tests.benchmarks.measure import THREADS, compare, limit_threads, machine

limit_threads()

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them
import torch  # noqa: E402
import transformers  # noqa: E402

import minirobert  # noqa: E402
from minirobert.kernels import compiled  # noqa: E402
from minirobert.parameters import build_tree  # noqa: E402
from tests.benchmarks.bench_encoder import ROBERTA_BASE  # noqa: E402

PROMPT, ROUNDS = 16, 3
WAYS = {
    "greedy": {},
    "drawn from 50": {"do_sample": True, "top_k": 50},
    "drawn from the top 0.9": {"do_sample": True, "top_k": 0, "top_p": 0.9},
    "4 beams": {"num_beams": 4},
}
# batch, new tokens
SHAPES = [(1, 64), (1, 128), (8, 64), (8, 128)]


def models():
    """Make the same decoder twice, with weights that are drawn."""
    torch.manual_seed(0)
    theirs = transformers.RobertaForCausalLM(
        transformers.RobertaConfig(**ROBERTA_BASE, is_decoder=True)
    ).eval()
    weights = {
        name: tensor.numpy()
        for name, tensor in theirs.state_dict().items()
        if not name.startswith("lm_head.decoder")
    }
    config = minirobert.RobertaConfig(**ROBERTA_BASE, is_decoder=True)
    ours = minirobert.RobertaForCausalLM(config, build_tree(weights))
    for model in (theirs, ours):
        model.generation_config.eos_token_id = None  # all texts become equally long
    return theirs, ours


def main() -> None:
    torch.set_num_threads(THREADS)
    print(machine())
    numba = "numba" if compiled._compiled() else "no numba"
    print(f"torch {torch.__version__}, NumPy {np.__version__}, {numba}, {THREADS} threads each")
    theirs, ours = models()
    rng = np.random.default_rng(0)
    for batch, n_new in SHAPES:
        ids = rng.integers(3, 50000, (batch, PROMPT))
        torch_ids = torch.tensor(ids)
        for name, options in WAYS.items():

            def run_theirs(ids=torch_ids, n=n_new, options=options):
                mask = torch.ones_like(ids)
                return theirs.generate(ids, attention_mask=mask, max_new_tokens=n, **options)

            def run_ours(ids=ids, n=n_new, options=options):
                return ours.generate(ids, max_new_tokens=n, rng=0, **options)

            title = f"batch {batch}, {n_new} new, {name}"
            if any(word not in title for word in sys.argv[1:]):
                continue
            compare(title, run_theirs, run_ours, ROUNDS)


if __name__ == "__main__":
    main()
