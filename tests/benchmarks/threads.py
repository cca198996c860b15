"""Two threads for every side, which must be told before NumPy and torch are imported."""

import os

THREADS = 2
#: Of the libraries of linear algebra, of torch, and of the Rust of tokenizers.
VARIABLES = (
    *("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS"),
    *("VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"),
)


def limit_threads() -> None:
    """Give this process, and those that it starts, two threads a library."""
    os.environ |= dict.fromkeys(VARIABLES, str(THREADS))
    os.environ["TOKENIZERS_PARALLELISM"] = "true"
