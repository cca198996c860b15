"""All comparisons of speed and memory, in one table.

    python -m tests.benchmarks                            # about half an hour on two quiet cores
    python -m tests.benchmarks --quick                    # fewer rounds and texts
    python -m tests.benchmarks --only encoder logits      # rows by their names, or their beginnings

Where numba is installed, it is used; ``NUMBA_DISABLE_JIT=1`` leaves it out.

The rows are written into DIR (build/benchmarks) as soon as each is measured: ``results.json`` has
all numbers, ``table.md`` what is told of them, ``growth.svg`` how time and memory grow. With
``--only``, rows of before that were measured on this machine with the same versions stay there.
"""

import sys

from tests.benchmarks.threads import limit_threads

limit_threads()

from tests.benchmarks.runner import main  # noqa: E402  # which imports NumPy

if __name__ == "__main__":
    sys.exit(main(__doc__))
