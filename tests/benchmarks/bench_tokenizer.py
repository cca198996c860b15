"""The tokenizer against the tokenizers library, which is Rust, on the same texts.

python -m tests.benchmarks.bench_tokenizer [--tokenizer DIR] [--megabytes N] [FILE ...]

DIR holds vocab.json and merges.txt; by default it is that of MINIROBERT_ROBERTA_BASE, or the
bundled tokenizer. Each line of a FILE is a text. Without files, the texts are English (Python's
language reference), source code (the standard library) and random characters of Unicode.

The ids of both sides are compared first. Ours uses one thread, and so does the Rust side but where
a line says two: the time of one thread is that of the processor, which other programs change least,
of two that of the clock. But for the first line of each, both sides have seen the words before.
"""

import argparse
import logging
import os
import sys
import time
import warnings
from functools import partial
from pathlib import Path

os.environ["RAYON_NUM_THREADS"] = "2"
os.environ["TOKENIZERS_PARALLELISM"] = "false"

import tokenizers
from transformers import RobertaTokenizerFast

from minirobert import RobertaTokenizer
from minirobert.benchmarks.rows import OURS
from minirobert.benchmarks.turns import seconds
from tests.benchmarks.measure import Comparison, compare, machine, timed
from tests.corpora import cut, documentation, random_characters, standard_library
from tests.equivalence.texts import DIRECTORIES

ROUNDS = 9


def texts_of(path, n_bytes):
    lines = Path(path).read_text(encoding="utf-8", errors="ignore").splitlines(keepends=True)
    return cut([line for line in lines if line.strip()], n_bytes)


def processor_seconds(function):
    start = time.process_time()
    function()
    return time.process_time() - start


def rust_batch(rust, texts, *, threads):
    os.environ["TOKENIZERS_PARALLELISM"] = str(threads > 1).lower()  # which is read at each call
    return rust.encode_batch(texts)


def load_rust(directory):
    return RobertaTokenizerFast.from_pretrained(directory).backend_tokenizer


def compare_on(name, texts, directory):
    mine, *fresh_mine = (RobertaTokenizer.from_pretrained(directory) for _ in range(ROUNDS + 2))
    rust, *fresh_rust = (load_rust(directory) for _ in range(ROUNDS + 2))
    size = sum(len(text.encode()) for text in texts)
    print(f"\n{name}: {size / 1e6:.1f} MB, {len(texts):,} texts")
    differing = sum(rust.encode(text).ids != mine.encode(text) for text in texts)
    print(f"texts whose ids differ: {differing}")

    def run(title, theirs, ours, threads=1):
        compare(title, theirs, ours, ROUNDS, processor_seconds if threads == 1 else seconds)

    run(
        "ids, first time (empty caches)",
        lambda: [row.ids for row in map(fresh_rust.pop().encode, texts)],
        lambda: list(map(fresh_mine.pop().encode, texts)),
    )
    run(
        "ids, one text at a time",
        lambda: [rust.encode(text).ids for text in texts],
        lambda: [mine.encode(text) for text in texts],
    )
    run(
        "offsets, one text at a time",
        lambda: [rust.encode(text).offsets for text in texts],
        lambda: [mine(text, return_offsets_mapping=True).offset_mapping for text in texts],
    )
    for threads in (1, 2):
        run(
            f"ids, one batch (theirs: threads={threads})",
            lambda n=threads: [row.ids for row in rust_batch(rust, texts, threads=n)],
            lambda: mine(texts).input_ids,
            threads,
        )
        run(
            f"offsets, one batch (theirs: threads={threads})",
            lambda n=threads: [row.offsets for row in rust_batch(rust, texts, threads=n)],
            lambda: mine(texts, return_offsets_mapping=True).offset_mapping,
            threads,
        )


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokenizer", default=str(DIRECTORIES[-1]))
    parser.add_argument("--megabytes", type=float, default=2)
    parser.add_argument("files", nargs="*")
    options = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    logging.disable()
    directory, n_bytes = options.tokenizer, int(1e6 * options.megabytes)
    print(f"{machine()}, tokenizers {tokenizers.__version__}, {directory}")
    corpora = {file: texts_of(file, n_bytes) for file in options.files} or {
        "English": documentation(n_bytes),
        "source code": standard_library(n_bytes),
        "random characters": random_characters(n_bytes),
    }
    for name, texts in corpora.items():
        compare_on(name, texts, directory)
    print()
    compare(
        "loading vocabulary and merges",
        lambda: load_rust(directory),
        lambda: RobertaTokenizer.from_pretrained(directory),
        ROUNDS,
    )


WAYS = {
    "ids": (lambda rust, texts: [row.ids for row in rust_batch(rust, texts, threads=1)], {}),
    "offsets": (
        lambda rust, texts: [row.offsets for row in rust_batch(rust, texts, threads=1)],
        {"return_offsets_mapping": True},
    ),
}


def measure(one, settings, way):
    texts = documentation(200_000 if settings.quick else 1_000_000)
    rust, mine = load_rust(DIRECTORIES[-1]), RobertaTokenizer.from_pretrained(DIRECTORIES[-1])
    run_theirs, options = WAYS[way]
    sides = {"tokenizers": lambda: run_theirs(rust, texts), OURS: lambda: mine(texts, **options)}
    return timed(one, settings, sides)


COMPARISONS = [
    Comparison(
        f"tokenizer/{way}",
        f"tokenizer, {way} of a batch of English, one thread",
        partial(measure, way=way),
    )
    for way in WAYS
]

if __name__ == "__main__":
    main(sys.argv[1:])
