"""Exercises of lesson 6: the decoder."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from minirobert import RobertaForCausalLM, RobertaTokenizer
from minirobert.functional import log_softmax, softmax

from .judging import Exercise, SameFunction, SameValue, Satisfies

__all__ = ["EXERCISES", "all_texts", "beams", "best_text"]

Table = dict[str, dict[str, float]]
Text = tuple[str, ...]


# 6.1: a mask


def _prefix_mask(length: int, n_first: int) -> Any:  # -> [length, length]
    back = np.arange(length)[:, None] >= np.arange(length)
    first = np.arange(length) < n_first
    return back | (first[:, None] & first)


def _first_see_all(length: int, n_first: int) -> Any:
    return _prefix_mask(length, 0) | (np.arange(length) < n_first)[:, None]


def _lengths(rng: np.random.Generator) -> tuple[Any, ...]:
    length = int(rng.integers(4, 9))
    return length, int(rng.integers(2, length))


# 6.2: bits per byte


def _bits_per_byte(nats: float, text: str) -> float:
    return nats / math.log(2) / len(text.encode("utf-8"))


def _nats_and_text(rng: np.random.Generator) -> tuple[Any, ...]:
    letters = rng.choice(list("aeiou é€😀"), int(rng.integers(5, 20)))
    return float(rng.uniform(5, 90)), "".join(letters)


# 6.3 and 6.4: the cache


def _logits_behind() -> Any:  # -> [3, V]
    decoder = RobertaForCausalLM.from_pretrained(is_decoder=True)
    tokenizer = RobertaTokenizer.from_pretrained()
    texts = [f"<s>The color of the sky is {color}" for color in ("blue", "red", "green")]
    ids = np.array(tokenizer(texts, add_special_tokens=False).input_ids)
    return decoder(ids).logits[:, -1]


def _first_tenfold() -> int:
    hidden, wide = 256, 1024

    def products(n: int, keys: int) -> int:
        return 4 * n * hidden**2 + 2 * n * keys * hidden + 2 * n * hidden * wide

    without = with_cache = 0
    for length in range(1, 129):
        without += products(length, length)
        with_cache += products(1, length)
        if without >= 10 * with_cache:
            return length
    raise AssertionError("no length saves as much")


# 6.6 to 6.8: scores


def _min_p(scores: Any, share: float) -> Any:  # [1, V] -> [1, V]
    lowest = scores.max(axis=-1, keepdims=True) + math.log(share)
    return np.where(scores >= lowest, scores, -np.inf)


def _share_of_all(scores: Any, share: float) -> Any:
    return np.where(softmax(scores) >= share, scores, -np.inf)


def _share_of_scores(scores: Any, share: float) -> Any:
    return np.where(scores >= share * scores.max(axis=-1, keepdims=True), scores, -np.inf)


def _zero_if_dropped(scores: Any, share: float) -> Any:
    return np.where(np.isfinite(_min_p(scores, share)), scores, 0.0)


def _scores_and_share(rng: np.random.Generator) -> tuple[Any, ...]:
    return rng.normal(2, 3, (1, 9)), float(rng.choice([0.02, 0.1, 0.2, 0.5]))


def _in_doubt(scores: Any) -> float:
    return float(np.exp(-(softmax(scores) * log_softmax(scores)).sum()))


def _heat_refused(answer: Any) -> str | None:
    if not callable(answer):
        return "wanted: a function of scores and words"
    rng = np.random.default_rng(0)
    for _ in range(12):
        scores, words = rng.normal(0, 3, (1, 50)), float(rng.uniform(2, 40))
        heat = answer(scores, words)
        got = _in_doubt(scores / float(heat))
        if not abs(got - words) < 0.01 * words:
            return (
                f"for scores of the perplexity {_in_doubt(scores):.2f} and words = {words:.2f}: "
                f"the temperature {float(heat):.4g} gives the perplexity {got:.2f}"
            )
    return None


def _scores_of_one(rng: np.random.Generator) -> tuple[Any, ...]:
    return float(rng.normal(0, 8)), float(rng.uniform(1.1, 2))


# 6.9 and 6.10: beams


def all_texts(table: Table, words: Text = ("It",), probability: float = 1.0) -> dict[Text, float]:
    """Give every text of a table, with its probability."""
    if words[-1] == ".":
        return {words: probability}
    found: dict[Text, float] = {}
    for word, p in table[words[-1]].items():
        found |= all_texts(table, (*words, word), probability * p)
    return found


def best_text(table: Table, length_penalty: float) -> Text:
    """Give the text of the best score: the logarithm over the length to a power."""
    everything = {text: p for text, p in all_texts(table).items() if p > 0}
    return max(
        everything, key=lambda text: math.log(everything[text]) / (len(text) - 1) ** length_penalty
    )


def beams(table: Table, n_beams: int) -> Text:
    """Search with so many beams, as the lesson does by hand."""
    alive: list[tuple[float, Text]] = [(0.0, ("It",))]
    ended: list[tuple[float, Text]] = []
    while alive:
        longer = [
            (total + math.log(p), (*words, word))
            for total, words in alive
            for word, p in table[words[-1]].items()
            if p > 0
        ]
        longer = sorted(longer, reverse=True)[:n_beams]
        ended += [one for one in longer if one[1][-1] == "."]
        alive = [one for one in longer if one[1][-1] != "."]
    return max(ended)[1]


TABLE: Table = {
    "It": {"is": 0.55, "rains": 0.45},
    "is": {"cold": 0.45, "late": 0.4, "again": 0.15},
    "rains": {"again": 0.9, ".": 0.1},
    "cold": {".": 0.9, "again": 0.1},
    "late": {".": 0.8, "again": 0.2},
    "again": {".": 1.0},
}


def _no_table(table: Any) -> str | None:
    """Tell what is wrong with a table of words, if anything is."""
    for word, row in table.items():
        if not math.isclose(sum(row.values()), 1):
            return f"the row of {word!r} sums to {sum(row.values()):.4g}, and must sum to 1"
        for follower in row:
            if follower != "." and follower not in table:
                return f"{follower!r} follows {word!r}, and has no row of its own"
    return None if "It" in table else 'there must be a row of "It", with which all texts begin'


def _lengths_disagree(row: Any) -> str | None:
    table = TABLE | {"rains": row}
    wrong = _no_table(table)
    if wrong:
        return wrong
    shorter, longer = best_text(table, 0.0), best_text(table, 1.0)
    return None if shorter != longer else f"with both the best text is {' '.join(shorter)!r}"


def _two_beams_miss(table: Any) -> str | None:
    wrong = _no_table(table)
    if wrong:
        return wrong
    best, two, three = best_text(table, 0.0), beams(table, 2), beams(table, 3)
    told = f"the best text is {' '.join(best)!r}"
    if two == best:
        return f"{told}, and two beams find it"
    return None if three == best else f"{told}, and three beams find {' '.join(three)!r}"


# 6.11 and 6.12


def _variance(p: float) -> float:
    return p / (1 - p)


def _check_draft(read: Any, prompt: Any, draft: list[int]) -> list[int]:
    logits = read(np.concatenate([prompt, [draft]], axis=1))  # [1, S + n, V]
    chosen = logits[0, prompt.shape[1] - 1 :].argmax(axis=-1).tolist()  # one more than the draft
    agreeing = next((i for i, word in enumerate(draft) if word != chosen[i]), len(draft))
    return chosen[: agreeing + 1]


def _reads_too_late(read: Any, prompt: Any, draft: list[int]) -> list[int]:
    logits = read(np.concatenate([prompt, [draft]], axis=1))
    chosen = logits[0, prompt.shape[1] :].argmax(axis=-1).tolist()
    agreeing = next((i for i, word in enumerate(draft[:-1]) if word != chosen[i]), len(draft) - 1)
    return chosen[: agreeing + 1]


def _forgets_its_own_word(read: Any, prompt: Any, draft: list[int]) -> list[int]:
    return _check_draft(read, prompt, draft)[:-1]


class _Reader:
    """A large model that may be called once: its next word depends on the last two."""

    def __init__(self, seed: int) -> None:
        self.seed, self.calls = seed, 0

    def __call__(self, ids: Any) -> Any:  # [1, S] -> [1, S, V]
        self.calls += 1
        if self.calls > 1:
            raise RuntimeError("the large model is called a second time")
        before = np.concatenate([[[0]], ids[:, :-1]], axis=1)
        return np.eye(11)[_next_word(before, ids, self.seed)]

    def __repr__(self) -> str:
        return "a model that may be called once"


def _next_word(before: Any, last: Any, seed: int) -> Any:
    return (3 * before + 5 * last + seed) % 11


def _drafts(rng: np.random.Generator) -> tuple[Any, ...]:
    seed = int(rng.integers(11))
    prompt = rng.integers(0, 11, (1, int(rng.integers(2, 6))))
    words = prompt[0].tolist()
    for _ in range(int(rng.integers(2, 7))):
        words.append(int(_next_word(words[-2], words[-1], seed)))
    draft = words[prompt.shape[1] :]
    if rng.random() < 0.6:
        wrong = int(rng.integers(len(draft)))
        draft[wrong] = (draft[wrong] + 1) % 11
    return _Reader(seed), prompt, draft


EXERCISES = [
    Exercise(
        number="6.1",
        title="A mask for a prefix",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_prefix_mask, _lengths),
        right="A mask can mix both kinds: ahead and back in the first square, back elsewhere.",
        hint="Begin with the causal mask. Which square of it is to be filled?",
        mistakes={
            "The later tokens may see the first ones anyway. But may the first see ahead of the "
            "square?": _first_see_all,
            "That is the causal mask. The first tokens are to see each other, ahead, too.": (
                lambda length, n_first: _prefix_mask(length, 0)
            ),
        },
    ),
    Exercise(
        number="6.2",
        title="Bits per byte",
        minutes=5,
        difficulty="easy",
        judge=SameFunction(_bits_per_byte, _nats_and_text),
        right="One number for all vocabularies: bits of information for each byte of text.",
        hint="One bit is log 2 nats. And how many bytes has a text?",
        mistakes={
            "Those are nats: how many of them is a bit?": (
                lambda nats, text: nats / len(text.encode("utf-8"))
            ),
            "A character may have several bytes.": (
                lambda nats, text: nats / math.log(2) / len(text)
            ),
            "Divide by log 2, as a nat is more than a bit.": (
                lambda nats, text: nats * math.log(2) / len(text.encode("utf-8"))
            ),
        },
    ),
    Exercise(
        number="6.3",
        title="One prompt, three endings",
        minutes=10,
        difficulty="medium",
        judge=SameValue(_logits_behind, tolerance=1e-4),
        right="The prompt was read once: the cache has three copies of it, one for each ending.",
        hint="After the first call the cache has one row. Which rows do you name three times?",
    ),
    Exercise(
        number="6.4",
        title="Nine tenths saved",
        minutes=5,
        difficulty="easy",
        judge=SameValue(_first_tenfold),
        right="About half the length is the factor, so ten times comes just below twenty.",
        hint="`without` and `with_cache` are arrays: where is the quotient 10 for the first time?",
        mistakes={
            "Place 0 of the arrays is the length 1.": 18,
            "About half the length is near, but not exact: ask the arrays.": 20,
        },
    ),
    Exercise(
        number="6.5",
        title="The first three of the source",
        minutes=5,
        difficulty="easy",
        judge=SameValue([[1, 1, 1, 0, 0, 0, 0]]),
        right="The decoder sees three states. But the encoder has read seven tokens, and each of "
        "the three states knows of all of them.",
        hint="One row for the text, and a 1 or a 0 for each of its seven tokens.",
        mistakes={
            "A mask is of a batch: how many axes has `source`?": [1, 1, 1, 0, 0, 0, 0],
            "1 is a token that is seen.": [[0, 0, 0, 1, 1, 1, 1]],
        },
    ),
    Exercise(
        number="6.6",
        title="min-p",
        minutes=10,
        difficulty="medium",
        judge=SameFunction(_min_p, _scores_and_share),
        right="p ≥ share · max p says of the scores s ≥ max s + log share: softmax is not needed.",
        hint="What is the logarithm of a quotient of two probabilities, in scores?",
        mistakes={
            "At least `share` times as likely as the likeliest word, not as all words.": (
                _share_of_all
            ),
            "Probabilities are the exponentials of scores. What does a factor become?": (
                _share_of_scores
            ),
            "A word that is not kept gets minus infinity: a score of 0 is a good one.": (
                _zero_if_dropped
            ),
        },
    ),
    Exercise(
        number="6.7",
        title="In doubt between ten words",
        minutes=15,
        difficulty="hard",
        judge=Satisfies(_heat_refused),
        right="The perplexity grows with the temperature, so an interval can be halved until it "
        "fits.",
        hint="Try one temperature; if the perplexity is too high, the wanted one is lower. Halve "
        "what is left.",
    ),
    Exercise(
        number="6.8",
        title="A shift that stops the penalty",
        minutes=5,
        difficulty="medium",
        judge=SameFunction(lambda score, penalty: -score, _scores_of_one),
        right="A score of 0 stays as it is. So what the penalty does depends on where the scores "
        "of a model happen to lie, of which its probabilities say nothing.",
        hint="Which number is the same, whether it is multiplied or divided?",
        mistakes={
            "Shifted by that, the score is twice itself. Which score does no factor change?": (
                lambda score, penalty: score
            ),
        },
    ),
    Exercise(
        number="6.9",
        title="Short or long",
        minutes=10,
        difficulty="medium",
        judge=Satisfies(_lengths_disagree),
        right="A long text has the better mean and the worse sum.",
        hint='Behind "rains" the text may end at once, or go on through a row that is nearly sure.',
    ),
    Exercise(
        number="6.10",
        title="Two beams are not enough",
        minutes=15,
        difficulty="hard",
        judge=Satisfies(_two_beams_miss),
        right="What is third now may be best in the end: beams are a bet, not a proof.",
        hint="Three words behind It, the third with a sure continuation, the others with many.",
    ),
    Exercise(
        number="6.11",
        title="How far dropout spreads",
        minutes=5,
        difficulty="medium",
        judge=SameFunction(_variance, lambda rng: (float(rng.uniform(0.05, 0.9)),)),
        right="The mean is 1 and the mean square 1 / (1 - p), so the variance is p / (1 - p).",
        hint="The variance is the mean of the squares less the square of the mean.",
        mistakes={
            "That is the variance of the mask. What is not dropped is made larger, too.": (
                lambda p: p * (1 - p)
            ),
            "That is the mean of the squares. The mean is 1.": lambda p: 1 / (1 - p),
        },
    ),
    Exercise(
        number="6.12",
        title="A draft, checked in one call",
        minutes=20,
        difficulty="hard",
        judge=SameFunction(_check_draft, _drafts, times=60),
        right="A decoder tells the next word behind every token of its text at once.",
        hint="Read the prompt and the draft together. Behind which token is the first word of the "
        "draft asked for?",
        mistakes={
            "The first word of the draft is told behind the last token of the prompt.": (
                _reads_too_late
            ),
            "Behind what agrees comes the one word that the large model would have written.": (
                _forgets_its_own_word
            ),
        },
    ),
]
