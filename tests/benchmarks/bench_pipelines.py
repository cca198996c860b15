"""Pipelines of a roberta-base-sized model against transformers', two threads each, in one process.

python -m tests.benchmarks.bench_pipelines [--sentences N] [--rounds N] [--no-numba]

The texts are sentences of Python's language reference, about 34 tokens each; with both sides goes
all that a user waits for, from the texts to Python's lists. The weights are drawn. The tokenizer is
that of MINIROBERT_ROBERTA_BASE, or the bundled one.
"""

import argparse
import random
import re
import sys
from functools import partial
from pydoc_data.topics import topics

from tests.benchmarks.measure import THREADS, compare, limit_threads, machine

limit_threads()
if "--no-numba" in sys.argv:
    sys.modules["numba"] = None  # as if it were not installed

import numpy as np  # noqa: E402  # the threads are limited before NumPy starts them
import torch  # noqa: E402
import transformers  # noqa: E402

import minirobert  # noqa: E402
from minirobert.parameters import build_tree  # noqa: E402
from tests.equivalence.texts import DIRECTORIES  # noqa: E402

ROBERTA_BASE = {
    "vocab_size": 50265,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}
DIRECTORY = DIRECTORIES[-1]
TASKS = {
    "feature-extraction": ("RobertaModel", {"add_pooling_layer": False}),
    "text-classification": ("RobertaForSequenceClassification", {}),
}


def sentences(number):
    """Draw sentences of Python's language reference."""
    text = re.sub(r"\s+", " ", " ".join(topics.values()))
    found = re.split(r"(?<=[.!?:]) (?=[A-Z])", text)
    kept = [s for s in found if 15 <= len(s) <= 400 and sum(map(str.isalpha, s)) > 0.6 * len(s)]
    kept = list(dict.fromkeys(kept))
    random.Random(0).shuffle(kept)
    return kept[:number]


def models(class_name, options):
    """Make the same model of both libraries."""
    torch.manual_seed(0)
    config = transformers.RobertaConfig(**ROBERTA_BASE)
    theirs = getattr(transformers, class_name)(config, **options).eval()
    state = theirs.state_dict().items()
    weights = {name: x.numpy() for name, x in state if "lm_head.decoder" not in name}
    ours = getattr(minirobert, class_name)
    return theirs, ours(minirobert.RobertaConfig(**ROBERTA_BASE), build_tree(weights), **options)


def both(task, class_name, options):
    """Make the pipelines of a task."""
    theirs, ours = models(class_name, options)
    their_tokenizer = transformers.RobertaTokenizerFast.from_pretrained(DIRECTORY)
    our_tokenizer = minirobert.RobertaTokenizer.from_pretrained(DIRECTORY)
    return (
        transformers.pipeline(task, model=theirs, tokenizer=their_tokenizer, device="cpu"),
        minirobert.pipeline(task, ours, our_tokenizer),
    )


def compare_texts(texts, rounds):
    for task, (class_name, options) in TASKS.items():
        theirs, ours = both(task, class_name, options)
        for size in (1, 8, 32):
            title = f"{task}, theirs with batch_size {size}"
            run = partial(theirs, texts, batch_size=size), partial(ours, texts, batch_size=32)
            compare(title, *run, rounds)


def compare_masks(rounds):
    """One mask in 128 tokens: the logits of all words, and the pipeline's answer."""
    theirs, ours = both("fill-mask", "RobertaForMaskedLM", {})
    tokenizer = ours.tokenizer
    words = tokenizer(" ".join(topics.values()), add_special_tokens=False, verbose=False).input_ids
    text = tokenizer.decode(words[:60]) + "<mask>" + tokenizer.decode(words[61:126])
    batch = tokenizer(text, return_tensors="np")
    is_mask = batch["input_ids"] == tokenizer.mask_token_id
    given = {name: torch.tensor(array) for name, array in batch.items()}

    def their_logits():
        with torch.inference_mode():
            return theirs.model(**given).logits[0, torch.tensor(is_mask[0])]

    def our_logits():
        return ours.model(**batch, read=is_mask).logits[is_mask]

    assert np.abs(their_logits().numpy() - our_logits()).max() < 1e-3
    length = is_mask.shape[1]
    compare(f"logits of a mask in {length} tokens", their_logits, our_logits, rounds)
    compare(f"fill-mask, {length} tokens", partial(theirs, text), partial(ours, text), rounds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sentences", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--no-numba", action="store_true", help="hide numba, if it is installed")
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    transformers.logging.set_verbosity_error()
    print(machine())
    print(f"torch {torch.__version__}, NumPy {np.__version__}, {THREADS} threads each, float32")
    compare_masks(7 * options.rounds)
    compare_texts(sentences(options.sentences), options.rounds)


if __name__ == "__main__":
    main()
