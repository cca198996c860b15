"""Batches of tokens of many shapes, and how much arithmetic they take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, TypeAlias

import numpy as np

from ..config import RobertaConfig

__all__ = ["BASE", "Batch", "batch_of", "flops", "sentence_lengths", "sentences"]

NDArray: TypeAlias = "np.ndarray[Any, Any]"

#: The fields of roberta-base's configuration that are not RobertaConfig's defaults.
BASE = {
    "vocab_size": 50265,
    "max_position_embeddings": 514,
    "type_vocab_size": 1,
    "layer_norm_eps": 1e-5,
}


@dataclass(frozen=True, eq=False)
class Batch:
    """Sequences of random tokens, padded at their ends.

    Parameters
    ----------
    name, title : str
        As ``"8x128"`` and ``"8 sequences of 128 tokens"``.
    ids, mask : integers of shape [B, S]
    """

    name: str
    title: str
    ids: NDArray
    mask: NDArray

    @property
    def lengths(self) -> list[int]:
        """How many tokens each sequence has."""
        return [int(n) for n in self.mask.sum(axis=1)]


def batch_of(
    lengths: Sequence[int], config: RobertaConfig, name: str = "", title: str = ""
) -> Batch:
    """Draw a batch.

    Parameters
    ----------
    lengths : sequence of int
        Of the sequences.
    config : RobertaConfig
        Of whose vocabulary the tokens are.
    name, title : str, optional
        Where all sequences are of one length, they tell that.

    Returns
    -------
    Batch

    >>> batch_of([3, 5], RobertaConfig(), "pair").mask
    array([[1, 1, 1, 0, 0],
           [1, 1, 1, 1, 1]])
    """
    count, longest = len(lengths), max(lengths)
    mask = (np.arange(longest) < np.array(lengths)[:, None]).astype(np.int64)
    drawn = np.random.default_rng(0).integers(5, config.vocab_size, (count, longest))
    sequences = "1 sequence" if count == 1 else f"{count} sequences"
    return Batch(
        name or f"{count}x{longest}",
        title or f"{sequences} of {longest} tokens",
        np.where(mask == 1, drawn, config.pad_token_id),
        mask,
    )


def sentences(config: RobertaConfig) -> Batch:
    """Draw 32 sequences as long as sentences are; three of ten places are tokens.

    Parameters
    ----------
    config : RobertaConfig

    Returns
    -------
    Batch
    """
    title = "32 sentences, of 30 tokens each in the mean, of 97 at most"
    return batch_of(sentence_lengths(), config, "sentences", title)


def sentence_lengths() -> list[int]:
    """Give 32 lengths as sentences have them: those of a log-normal distribution.

    Returns
    -------
    list of int
        Quantiles, in a drawn order.

    >>> lengths = sentence_lengths()
    >>> sum(lengths) / len(lengths), max(lengths)
    (29.625, 97)
    """
    count, mean, longest = 32, 30, 97
    # The mean is exp(mu + sigma**2 / 2), the last quantile exp(mu + z * sigma).
    z, gap = NormalDist().inv_cdf(1 - 0.5 / count), math.log(longest / mean)
    sigma = z - math.sqrt(z**2 - 2 * gap)
    normal = NormalDist(math.log(mean) - sigma**2 / 2, sigma)
    quantiles = [math.exp(normal.inv_cdf((i + 0.5) / count)) for i in range(count)]
    return [int(n) for n in np.random.default_rng(0).permutation(np.rint(quantiles))]


def flops(config: RobertaConfig, lengths: Iterable[int]) -> int:
    """Count the operations of an encoder's matrix products: a product and a sum are two.

    Parameters
    ----------
    config : RobertaConfig
    lengths : iterable of int
        Of the sequences; what is padded need not be computed.

    Returns
    -------
    int

    >>> flops(RobertaConfig(), [1, 1]) == 2 * flops(RobertaConfig(), [1])
    True
    """
    hidden, between = config.hidden_size, config.intermediate_size
    maps = 4 * hidden**2 + 2 * hidden * between  # query, key, value, output; up and down
    each = (n * maps + 2 * n * n * hidden for n in lengths)  # scores and context: n * n * H each
    return 2 * config.num_hidden_layers * sum(each)
