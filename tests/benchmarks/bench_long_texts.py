"""How time and memory grow with one text that no border of a piece divides, and with many texts.

python -m tests.benchmarks.bench_long_texts [DIR]

DIR holds vocab.json and merges.txt; by default it is the bundled tokenizer. Each figure comes from
a process of its own, and so from empty caches; memory is what the peak of the process rises by.
"""

import random
import resource
import subprocess
import sys
import time

from minirobert import RobertaTokenizer
from minirobert.files import TINY

SIZES = (10**4, 10**5, 10**6)


def letters(n):
    return "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz", k=n))


ONE_TEXT = {
    "no space": lambda n: ("thequickbrownfoxjumpsoverthelazydog" * (n // 35 + 1))[:n],
    "random letters": letters,
    "the same character": lambda n: "a" * n,
    "spaces": lambda n: " " * n,
    "the same emoji": lambda n: "😀" * n,
}


def many_texts(n):
    """Make texts of words that never come back, the worst for a cache: n characters in all."""
    for start in range(0, n // 10, 100):
        yield " ".join(str(word).zfill(9) for word in range(start, start + 100))


def measure(name, n, directory, offsets):
    """Encode, with offsets or to ids alone; print the time and how far the peak of memory rose."""
    tokenizer = RobertaTokenizer.from_pretrained(directory, model_max_length=None)
    texts = many_texts(n) if name == "many texts" else [ONE_TEXT[name](n)]
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    for text in texts:
        tokenizer(text, return_offsets_mapping=offsets)
    taken = time.perf_counter() - start
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory
    print(f"{n:>10,}: {taken:6.3f} s {memory / 1024:5.0f} MiB ", end="")


def main(directory=TINY):
    for offsets in (False, True):
        print("with offsets" if offsets else "ids")
        for name in (*ONE_TEXT, "many texts"):
            print(f"{name:20}", end="", flush=True)
            for n in SIZES if name in ONE_TEXT else (10**5, 10**6, 10**7):
                command = [sys.executable, "-m", "tests.benchmarks.bench_long_texts"]
                arguments = [name, str(n), directory, *["offsets"] * offsets]
                subprocess.run([*command, *arguments], check=True)
            print()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[1], int(sys.argv[2]), sys.argv[3], "offsets" in sys.argv)
    else:
        main(*sys.argv[1:])
