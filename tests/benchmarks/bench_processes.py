"""A roberta-base-sized model in a process of its own: to load it, a first pass, the most memory.

python -m tests.benchmarks.bench_processes [--rounds N] [--no-numba]

transformers maps the file, and reads it in the first pass; this package copies and checks all of it
when it loads.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time

from tests.benchmarks.measure import THREADS, limit_threads, machine

limit_threads()
SIDES = ("theirs", "ours")
SHAPES = [(1, 16), (8, 128), (64, 512)]
SAVE = """
import sys
from transformers import RobertaConfig, RobertaModel
config = RobertaConfig(vocab_size=50265, max_position_embeddings=514, type_vocab_size=1)
RobertaModel(config, add_pooling_layer=False).save_pretrained(sys.argv[1])
"""


def child(side, directory, batch, length):
    """Load and compute in this process, and print milliseconds and MiB."""
    import numpy as np

    ids = np.random.default_rng(0).integers(3, 50000, (batch, length))
    if side == "ours":
        from minirobert import RobertaModel

        call = lambda model: model(ids)  # noqa: E731
    else:
        import torch
        from transformers import RobertaModel

        torch.set_num_threads(THREADS)

        def call(model):
            with torch.inference_mode():
                model(torch.tensor(ids))

    start = time.perf_counter()
    model = RobertaModel.from_pretrained(directory, add_pooling_layer=False)
    loaded = time.perf_counter()
    call(model)
    end = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(1e3 * (loaded - start), 1e3 * (end - loaded), peak)


def measured(*arguments):
    command = [sys.executable, "-m", "tests.benchmarks.bench_processes", *map(str, arguments)]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    return [float(number) for number in result.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-numba", action="store_true", help="hide numba, if it is installed")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.no_numba:
        sys.modules["numba"] = None
    if options.child:
        side, directory, batch, length = options.child
        child(side, directory, int(batch), int(length))
        return
    print(machine())
    flags = ["--no-numba"] if options.no_numba else []
    with tempfile.TemporaryDirectory() as directory:
        # this process stays small: a child's peak begins with that of its parent
        subprocess.run([sys.executable, "-c", SAVE, directory], check=True)
        for batch, length in SHAPES:
            rounds = [
                [measured(*flags, "--child", side, directory, batch, length) for side in SIDES]
                for _ in range(options.rounds)
            ]
            for i, what in enumerate(("loading, ms", "a first pass, ms", "peak, MiB")):
                their, our = (statistics.median(one[k][i] for one in rounds) for k in (0, 1))
                title = f"{batch} x {length} tokens: {what}"
                ratio = f"ours / theirs {our / their:.2f}"
                print(f"{title:36}  theirs {their:8.0f}  ours {our:8.0f}  {ratio}", flush=True)


if __name__ == "__main__":
    main()
