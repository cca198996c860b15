"""A forward pass of the encoder here, and the same on torch, with the very same weights."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from ..config import RobertaConfig
from ..models.base import RobertaModel
from ..parameters import flatten
from .batches import Batch, flops
from .rows import Row
from .turns import Side, in_turn

__all__ = ["check_same", "encoder_row", "has_torch", "ours", "random_encoder", "theirs", "twin"]


def random_encoder(**fields: Any) -> RobertaModel:
    """Draw an encoder without a pooler.

    Parameters
    ----------
    **fields
        Of its configuration.

    Returns
    -------
    RobertaModel
    """
    return RobertaModel(RobertaConfig(**fields), add_pooling_layer=False)


def ours(model: RobertaModel, batch: Batch) -> Side:
    """Make the call of this package: the last hidden states of all tokens.

    Parameters
    ----------
    model : RobertaModel
    batch : Batch

    Returns
    -------
    callable
        Gives an array of shape [B, S, H].
    """
    return lambda: model.hidden_states(batch.ids, batch.mask, read="tokens")


def has_torch() -> bool:
    """Tell whether there is something to compare with: torch and transformers.

    Returns
    -------
    bool
    """
    return all(find_spec(name) is not None for name in ("torch", "transformers"))


def twin(model: RobertaModel) -> Any:
    """Make transformers' encoder of the weights of ours, which both then share.

    Parameters
    ----------
    model : RobertaModel

    Returns
    -------
    transformers.RobertaModel
    """
    torch, transformers = import_module("torch"), import_module("transformers")
    config = transformers.RobertaConfig(**model.config.to_dict())
    other = transformers.RobertaModel(config, add_pooling_layer=False)
    weights = {name: torch.from_numpy(array) for name, array in flatten(model.params).items()}
    other.load_state_dict(weights, assign=True)
    return other.eval()


def theirs(other: Any, batch: Batch) -> Side:
    """Make the call of transformers on torch.

    Parameters
    ----------
    other : transformers.RobertaModel
    batch : Batch

    Returns
    -------
    callable
        Gives a tensor of shape [B, S, H].
    """
    torch = import_module("torch")
    ids, mask = torch.from_numpy(batch.ids), torch.from_numpy(batch.mask)

    def call() -> Any:
        with torch.inference_mode():
            return other(ids, attention_mask=mask).last_hidden_state

    return call


def check_same(batch: Batch, ours: Any, theirs: Any) -> None:
    """Check that two sides compute the same, so that their times may be compared.

    Parameters
    ----------
    batch : Batch
        Whose padding counts for nothing.
    ours, theirs : arrays of shape [B, S, H]

    Raises
    ------
    ArithmeticError
        If they differ by more than rounding.
    """
    tokens = batch.mask == 1
    worst = float(np.abs(np.asarray(ours)[tokens] - np.asarray(theirs)[tokens]).max())
    if not worst < 1e-3:
        raise ArithmeticError(
            f"the hidden states of both sides differ by {worst:.1e}, so that their times tell "
            "nothing: report this as a bug"
        )


def encoder_row(
    config: RobertaConfig,
    batch: Batch,
    sides: Mapping[str, Side],
    lasting: float,
    rounds: tuple[int, int] = (5, 31),
) -> Row:
    """Measure forward passes of a batch.

    Parameters
    ----------
    config : RobertaConfig
        Of the encoders.
    batch : Batch
    sides : mapping of str to callable
    lasting, rounds
        As of `minirobert.benchmarks.turns.in_turn`.

    Returns
    -------
    Row
    """
    return Row(
        name=f"encoder/{batch.name}",
        title=batch.title,
        sides=in_turn(sides, lasting, rounds),
        tokens=sum(batch.lengths),
        flops=flops(config, batch.lengths),
    )
