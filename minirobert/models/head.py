"""What a task puts on top of the encoder, as one object: tensors, formula, labels, loss, output.

To add a task, write its `Head` and a class of model that has it. All else follows from the two: the
model's table of parameters, its first values, loading and saving, what is warned of where a
checkpoint lacks the head, the loss and the output of a call.

>>> import numpy as np
>>> from minirobert import RobertaConfig, TokenClassifierOutput
>>> from minirobert.functional import linear
>>> from minirobert.losses import mean_squared_error
>>> from minirobert.models.base import RobertaLabelledModel
>>> class LengthHead(Head):
...     '''How long the word of each token sounds: a number a token.'''
...     name, output = "length", TokenClassifierOutput
...     def shapes(self, config):
...         return {"weight": (1, config.hidden_size), "bias": (1,)}
...     def logits(self, hidden, params, config, shape, rng):
...         return (linear(hidden, **params.length)[:, :, 0],)
...     def check_labels(self, labels, like, config, shape):
...         return labels[0]
...     def loss(self, logits, labels):
...         return mean_squared_error(logits[0], np.asarray(labels))
>>> class RobertaForWordLength(RobertaLabelledModel):
...     head = LengthHead()
>>> model = RobertaForWordLength(RobertaConfig(num_hidden_layers=1, vocab_size=9))
>>> output = model([[0, 5, 6, 2]], labels=[[0.0, 0.3, 0.5, 0.0]])
>>> output.logits.shape, output.loss.shape, list(model.parameter_shapes())[-2:]
((1, 4), (), ['length.weight', 'length.bias'])
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar

from ..arrays import Array, Shape
from ..config import RobertaConfig
from ..intermediates import Pass, Row
from ..parameters import ParameterTree

__all__ = ["Head"]


class Head(ABC):
    """The base of all heads; a head has no state.

    Attributes
    ----------
    name : str
        Of the part of a checkpoint that holds the head's tensors.
    output : subclass of ModelOutput
        What a call returns. Its fields are the loss, the logits, and any of the encoder's results:
        ``past_key_values``, ``hidden_states``, ``attentions``, ``cross_attentions``.
    reads_first : bool
        Whether the logits depend on the last hidden state of the first token alone.
    pools : bool
        Whether the model has a pooler, ``params.roberta.pooler``.
    choices : bool
        Whether each text comes several times, once with each of its choices.
    """

    name: ClassVar[str]
    output: ClassVar[type[Any]]
    reads_first: ClassVar[bool] = False
    pools: ClassVar[bool] = False
    choices: ClassVar[bool] = False

    @abstractmethod
    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """List the head's tensors, by their names behind its own."""

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterable[Row]:
        """List what the head observes: names and tensors, see `minirobert.intermediates`."""
        return ()

    def check_config(self, config: RobertaConfig, model: str) -> None:  # noqa: B027  # may be left out
        """Refuse a configuration that the head cannot serve.

        Parameters
        ----------
        config : RobertaConfig
        model : str
            The name of the model's class, for the sentence.
        """

    @abstractmethod
    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array, ...]:
        """Score whatever the task asks for.

        Parameters
        ----------
        hidden : Array of shape [B, S, H]
            The last hidden states; with choices all those of the first text, then of the second …
        params : ParameterTree
            Of the whole model.
        config : RobertaConfig
        shape : tuple of int
            As the texts came: (B, S), or with choices (B, C, S).
        rng : random generator or None
            Given in training.

        Returns
        -------
        tuple of Arrays
            In the order of the output's fields.
        """

    @abstractmethod
    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Any:
        """Check the labels of a call, before anything is computed.

        Parameters
        ----------
        labels : tuple
            What the call was given.
        like : Array
            A weight of the model: shows its library, device and dtype.
        config : RobertaConfig
        shape : tuple of int
            As of `logits`.

        Returns
        -------
        object
            What `loss` takes, or None where there is to be no loss.
        """

    @abstractmethod
    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Compare logits with labels, as `logits` and `check_labels` give them."""
