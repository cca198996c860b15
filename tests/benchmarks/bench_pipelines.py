"""Real sentences through pipelines, from text to answer, against those of transformers.

python -m tests.benchmarks.bench_pipelines [--quick] [--out DIR]

The sentences are those of Python's language reference. Each round is another part of them; the
times of all are summed up. transformers' pipeline takes the batch size of 1, 8 and 32 with which
it is fastest on a hundred sentences, ours 32.
"""

import re
from functools import lru_cache, partial
from itertools import cycle

import transformers

import minirobert
from minirobert.benchmarks.rows import OURS, Row
from minirobert.benchmarks.turns import in_rounds, seconds
from tests.benchmarks.base_models import pair
from tests.benchmarks.measure import Comparison, run_alone
from tests.corpora import documentation
from tests.equivalence.texts import DIRECTORIES

SENTENCES, PARTS, QUICK_PARTS = 1000, 8, 1
TRIED, BATCH_SIZES, BATCH_SIZE = 100, (1, 8, 32), 32


def sentences(count=SENTENCES):
    """Cut the paragraphs that begin with a letter into sentences."""
    paragraphs = re.split(r"\n\s*\n", "".join(documentation(10**7)))
    prose = (" ".join(one.split()) for one in paragraphs if re.match(r"[A-Z]", one))
    found = (one for text in prose for one in re.split(r"(?<=[.!?:])\s+(?=[A-Z])", text))
    whole = (one for one in found if 20 <= len(one) <= 600 and one[-1] in ".:!?")
    return list(dict.fromkeys(whole))[:count]


@lru_cache(maxsize=1)
def saved(directory):
    """Save a classifier with random weights, and a tokenizer."""
    pair("RobertaForSequenceClassification")[0].save_pretrained(directory / "classifier")
    tokenizer = transformers.RobertaTokenizerFast.from_pretrained(DIRECTORIES[-1])
    tokenizer.save_pretrained(directory / "classifier")
    return str(directory / "classifier")


def best_batch_size(pipe, texts):
    """Find with which batch size a pipeline is fastest."""
    pipe(texts[:8], batch_size=8)
    return min(BATCH_SIZES, key=lambda size: seconds(lambda: pipe(texts, batch_size=size)))


def measure(one, settings, task):
    texts, count = sentences(), SENTENCES // PARTS
    parts = [texts[start : start + count] for start in range(0, SENTENCES, count)]
    parts = parts[:QUICK_PARTS] if settings.quick else parts
    directory = saved(settings.directory)
    theirs = transformers.pipeline(task, directory, device="cpu")
    size = best_batch_size(theirs, texts[: 32 if settings.quick else TRIED])
    ours = minirobert.pipeline(task, directory, batch_size=BATCH_SIZE)

    def side(pipe):
        given = cycle([parts[-1], *parts])  # the first call of a side is no round
        return lambda: pipe(next(given))

    sides = {"transformers": side(partial(theirs, batch_size=size)), OURS: side(ours)}
    for call in sides.values():
        call()
    times = in_rounds(sides, len(parts))
    title = f"{one.title.format(len(parts) * count)} (theirs: {size})"
    return Row(name=one.name, title=title, sides=times, whole=True)


COMPARISONS = [
    Comparison(
        f"pipelines/{task}",
        f"pipeline {task}, {{:,}} sentences, {BATCH_SIZE} at once",
        partial(measure, task=task),
    )
    for task in ("feature-extraction", "text-classification")
]

if __name__ == "__main__":
    run_alone("pipelines")
