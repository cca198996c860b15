"""What a trace says of itself that is not so of the reference."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..models.pretrained import RobertaPreTrainedModel
from ..sentences import plain, shown
from .replay import round_to
from .traces import Trace, digest, host

__all__ = ["notes_on"]


def notes_on(reference: RobertaPreTrainedModel, port: Trace) -> tuple[str, ...]:
    """Tell what a trace says of itself that is not so of the reference.

    Parameters
    ----------
    reference : RobertaPreTrainedModel
    port : Trace

    Returns
    -------
    tuple of str
        Sentences: of the class, the configuration, the weights.
    """
    notes = []
    name = type(reference).__name__
    if port.architecture not in (None, name):
        notes.append(f"class: the port is a {plain(port.architecture)}, the reference a {name}")
    if port.config is not None:
        own, its = reference.config.to_dict(), port.config.to_dict()
        for key in own:
            if key not in _NO_MATTER and own[key] != its.get(key):
                notes.append(
                    f"config: {plain(key)} is {shown(its.get(key))} in the port, and "
                    f"{shown(own[key])} here"
                )
    return (*notes, *_on_weights(reference, port))


def _on_weights(reference: RobertaPreTrainedModel, port: Trace) -> Iterator[str]:
    """Tell which weights are not the reference's, nor these rounded as the port stores them."""
    own_weights = dict(reference.named_parameters()) if port.weights else {}
    for key, value in own_weights.items():
        said, own = port.weights.get(key), host(value)
        stored = round_to(own.astype(np.float64), port.arithmetic.store)
        if said not in (None, digest(own), digest(stored)):
            turned = [digest(one.T) for one in (own, stored) if own.ndim == 2]
            yield f"weights: {plain(key)} {'is the transpose' if said in turned else 'differs'}"


#: Fields of a configuration that do not change what is computed.
_NO_MATTER = frozenset(
    {
        *("architectures", "transformers_version", "dtype", "torch_dtype", "use_cache"),
        *("_name_or_path", "return_dict", "output_attentions", "output_hidden_states"),
        *("chunk_size_feed_forward", "id2label", "label2id", "initializer_range"),
        *("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"),
    }
)
