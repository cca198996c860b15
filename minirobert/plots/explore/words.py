"""The words of the page: the best of each layer, and where in the model one of them travels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays import Array, to_numpy
from ...functional import largest, softmax
from ...looking import patch
from ...models.language_models import LanguageModel
from .numbers import Numbers, finite

__all__ = ["best_words", "moved_by_patching"]

#: Of all probabilities.
_DECIMALS = 4
#: How many words of a layer there are, and of the last, which is the model's answer.
_FEW, _MANY = 5, 10


def best_words(
    model: LanguageModel, states: Sequence[Array], targets: Sequence[int | None]
) -> dict[str, Any]:  # L + 1 times [1, S, H]
    """Find the best words of each layer at each position, those of `minirobert.logit_lens`.

    ``lens[layer][position]`` is a list of ids, each with its probability behind it, the embeddings
    first. ``own[position]`` has the probability of the target, the word of the text itself, and
    its rank.
    """
    lens = []
    for hidden in states:  # one after the other: all logits of a long text are many
        chances = to_numpy(softmax(finite(model.lm_head(hidden))[0]))  # [S, V]
        lens.append(_best(chances, _MANY if hidden is states[-1] else _FEW))
    own = [_standing(row, word) for row, word in zip(chances, targets, strict=True)]
    return {"lens": lens, "own": own}


def _best(chances: Numbers, count: int) -> list[list[float]]:  # [positions, V]
    """List the best words at each position, each an id and its probability, one after the other."""
    values, ids = largest(chances, min(count, chances.shape[1]))
    rounded = np.round(to_numpy(values).astype(float), _DECIMALS)
    return [
        [number for pair in zip(*row, strict=True) for number in pair]
        for row in zip(to_numpy(ids).tolist(), rounded.tolist(), strict=True)
    ]


def _standing(chances: Numbers, word: int | None) -> list[float] | None:  # [V]
    """Give a word's probability, and its rank among all words."""
    if word is None:
        return None
    return [round(float(chances[word]), _DECIMALS), int((chances > chances[word]).sum()) + 1]


def moved_by_patching(
    model: LanguageModel,
    clean: Mapping[str, Any],
    corrupt: Mapping[str, Any],
    *,
    word: int,
    position: int,
    progress_bar: bool,
) -> list[list[float]]:
    """Patch the embeddings, and what each layer gives, at each position: [L + 1, S]."""
    layers = range(model.config.num_hidden_layers)
    names = ["roberta.embeddings"]
    names += (f"roberta.encoder.layer.{i}.output.LayerNorm" for i in layers)
    moved = [
        finite(patch(model, clean, corrupt, name, word=word, position=position))[0]
        for name in _progress(names, progress_bar)
    ]
    return [[round(one, _DECIMALS) for one in row] for row in np.stack(moved).tolist()]


def _progress(names: list[str], bar: bool) -> Iterable[str]:
    if not bar:
        return names
    from tqdm import tqdm  # 40 ms that most calls do not need

    shown: Iterable[str] = tqdm(names, unit="layer", desc="patching")
    return shown
