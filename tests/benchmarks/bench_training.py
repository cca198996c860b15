"""Training a tokenizer against the tokenizers library, whose trainer is Rust, on the same texts.

python -m tests.benchmarks.bench_training [FILE] [MEGABYTES] [VOCAB_SIZE]

Without a file, the texts are the lines of the standard library's sources. The Rust trainer may use
all cores; TOKENIZERS_PARALLELISM=false keeps it to one.
"""

import io
import json
import sys
from dataclasses import replace
from pathlib import Path

import tokenizers

from minirobert.benchmarks.rows import OURS
from minirobert.benchmarks.turns import seconds
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS, count_pieces, train_bpe
from tests.benchmarks.measure import Comparison, compare, machine, timed
from tests.corpora import standard_library

ROUNDS = 5


def read_lines(path, n_bytes):
    """Read the whole lines in the first bytes of a file."""
    with Path(path).open("rb") as file:
        content = file.read(n_bytes)
    end = content.rfind(b"\n") + 1 or len(content)
    return [line.decode("utf-8") for line in io.BytesIO(content[:end])]


def main(path=None, megabytes="10", vocab_size="8261"):
    n_bytes, vocab_size = int(float(megabytes) * 1e6), int(vocab_size)
    lines = read_lines(path, n_bytes) if path else standard_library(n_bytes)
    print(f"{machine()}, tokenizers {tokenizers.__version__}")
    print(
        f"{path or 'the standard library'}: {sum(len(line.encode()) for line in lines) / 1e6:.1f}"
        f" MB, {len(lines):,} lines, {len(count_pieces(lines)):,} different pieces"
    )

    def run_theirs():
        tokenizer = tokenizers.ByteLevelBPETokenizer()
        tokenizer.train_from_iterator(
            lines,
            vocab_size=vocab_size,
            special_tokens=list(ROBERTA_SPECIAL_TOKENS),
            show_progress=False,
        )
        return tokenizer

    def run_ours():
        return train_bpe(lines, vocab_size=vocab_size, show_progress=False)

    model = json.loads(run_theirs().to_str())["model"]
    vocab, merges = run_ours()
    assert (vocab, merges) == (model["vocab"], list(map(tuple, model["merges"])))
    print(f"of which ours counts the pieces in {1e3 * seconds(lambda: count_pieces(lines)):.0f} ms")
    compare(f"{len(merges):,} merges", run_theirs, run_ours, ROUNDS)


def measure(one, settings):
    lines = standard_library(10**6 if settings.quick else 10**7)
    options = {"vocab_size": 8261, "show_progress": False}

    def run_theirs():
        tokenizer = tokenizers.ByteLevelBPETokenizer()
        special = list(ROBERTA_SPECIAL_TOKENS)
        tokenizer.train_from_iterator(lines, special_tokens=special, **options)

    sides = {"tokenizers": run_theirs, OURS: lambda: train_bpe(lines, **options)}
    megabytes = sum(len(line.encode()) for line in lines) / 1e6
    return timed(replace(one, title=one.title.format(megabytes)), settings, sides)


COMPARISONS = [Comparison("training/8,000 merges", "8,000 merges of {:.0f} MB of code", measure)]

if __name__ == "__main__":
    main(*sys.argv[1:])
