"""The base model, and the base of the models with a head: from arguments to outputs."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar

from ..arrays import Array, Shape
from ..checks import random_generator
from ..config import RobertaConfig
from ..documentation import documented
from ..heads import pooler
from ..model_output import ModelOutput
from ..observe import observe, scope
from ..parameters import HEADS, parameter_shapes
from ..torch_callers import tensor_like
from .arguments import SHARED, Arguments, Wanted
from .head import Head
from .inputs import check_inputs
from .outputs import BaseModelOutputWithPoolingAndCrossAttentions
from .pretrained import RobertaPreTrainedModel
from .reading import first_tokens, score_read

__all__ = [
    "RobertaHeadModel",
    "RobertaLabelledModel",
    "RobertaModel",
    "RobertaPreTrainedModel",
]


@dataclass(frozen=True, repr=False, eq=False)
class RobertaModel(RobertaPreTrainedModel):
    """The encoder or decoder, without a head: hidden states for every token.

    With ``config.is_decoder`` each token looks only back, and with ``config.add_cross_attention``
    also at the text of an encoder.

    Parameters
    ----------
    config : RobertaConfig
    params : ParameterTree, optional
        Drawn from ``seed`` where it is not given.
    seed : int
    add_pooling_layer : bool
        Whether the model has a pooler, which summarises a text by its first token.

    >>> model = RobertaModel.from_pretrained(add_pooling_layer=False)
    >>> model([[0, 100, 200, 2]]).last_hidden_state.shape
    (1, 4, 256)
    """

    add_pooling_layer: bool = True

    @classmethod
    def _shapes(cls, config: RobertaConfig, **options: Any) -> dict[str, Shape]:
        pools = options.get("add_pooling_layer", True)
        return parameter_shapes(config, "RobertaModel", add_pooling_layer=pools)

    @documented(SHARED)
    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        encoder_hidden_states: Any = None,
        encoder_attention_mask: Any = None,
        past_key_values: Any = None,
        use_cache: bool | None = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        cache_position: Any = None,
        *,
        read: Any = None,
        train: bool = False,
        rng: Any = None,
    ) -> BaseModelOutputWithPoolingAndCrossAttentions:
        """Compute the hidden states of a batch of texts.

        Returns
        -------
        BaseModelOutputWithPoolingAndCrossAttentions
            Or with ``return_dict=False`` a tuple: last hidden state, pooled output (None without
            a pooler), then what there is of the cache, the hidden states, the attentions and the
            cross-attentions.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others; see `minirobert.models.inputs`.
        """
        rng = random_generator(train, rng)
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            *(encoder_hidden_states, encoder_attention_mask, past_key_values),
            use_cache=self._use_cache(use_cache),
            cache_position=cache_position,
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        inputs, _ = check_inputs(self.config, self.word_embeddings, arguments)
        if self.add_pooling_layer and inputs.read is not None:
            inputs = inputs._replace(read=inputs.read | first_tokens(inputs.read))
        encoded = self._encode(inputs, wanted, rng)
        last, pooled = encoded.last_hidden_state, None
        if self.add_pooling_layer:
            with scope(self._prefix):
                pooled = pooler(last, self.params.pooler)
        output = BaseModelOutputWithPoolingAndCrossAttentions(
            last,
            pooled,
            encoded.hidden_states,
            inputs.cache,
            encoded.attentions,
            encoded.cross_attentions,
        )
        output = tensor_like(output, arguments, self.word_embeddings)
        if self._choice("use_return_dict", return_dict):
            return output
        # transformers' tuple has the cache before the hidden states, its output behind them. That
        # return_dict=False gives one is not declared: it would blur the type of all other calls.
        last, pooled, hidden_states, *rest = (getattr(output, one.name) for one in fields(output))
        present = (extra for extra in (rest[0], hidden_states, *rest[1:]) if extra is not None)
        return (last, pooled, *present)  # type: ignore[return-value]  # as told above


@dataclass(frozen=True, repr=False, eq=False)
class RobertaHeadModel(RobertaPreTrainedModel):
    """The base of the models with a head: their encoder's weights are named ``roberta.…``.

    A subclass has a `minirobert.models.head.Head` as its ``head``.
    """

    head: ClassVar[Head]
    _prefix: ClassVar[str] = "roberta"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        if hasattr(cls, "head"):
            HEADS.setdefault(cls.__name__, cls.head)

    @classmethod
    def _shapes(cls, config: RobertaConfig, **options: Any) -> dict[str, Shape]:
        return parameter_shapes(config, cls.head)

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        super()._check_config(config)
        if not hasattr(cls, "head"):
            raise TypeError(
                f"{cls.__name__} has no head: use a class of model that has one, such as "
                "RobertaForMaskedLM, or give your own class a head"
            )
        cls.head.check_config(config, cls.__name__)

    @property
    def roberta(self) -> RobertaModel:
        """The encoder, on the same weights; its tensors are observed as ``roberta.…``."""
        params = self.params.roberta
        return RobertaModel._view(
            config=self.config,
            params=params,
            add_pooling_layer="pooler" in params,
            name_or_path=self.name_or_path,
            _prefix="roberta",
        )

    def _answer(self, arguments: Arguments, wanted: Wanted, rng: Any, *labels: Any) -> Any:
        """Check everything, encode, score, compare with the labels, and put the output together."""
        config, head, like = self.config, self.head, self.word_embeddings
        inputs, shape = check_inputs(config, like, arguments, choices=head.choices)
        checked = head.check_labels(labels, like, config, shape)
        if checked is not None and inputs.read is not None:
            raise ValueError("labels and read were both given: leave out read, the loss reads all")
        if head.reads_first and not self._choice(
            "output_hidden_states", wanted.output_hidden_states
        ):
            inputs = inputs._replace(read=first_tokens(inputs.is_token))
        encoded = self._encode(inputs, wanted, rng)
        logits = self._logits(encoded.last_hidden_state, inputs.read, shape, rng)
        loss = None if checked is None else observe("loss", head.loss(logits, checked))
        more = {"past_key_values": inputs.cache, **encoded._asdict()}
        names = [name for name in head.output.__match_args__ if name in more]
        output = head.output(loss, *logits, **{name: more[name] for name in names})
        output = tensor_like(output, (*arguments, *labels), like)
        # transformers' tuple has the cross-attentions also where its output has no such field
        across = None if "cross_attentions" in names else encoded.cross_attentions
        return self._returned(output, wanted, across)

    def _logits(
        self, hidden: Array, read: Array | None, shape: Shape, rng: Any
    ) -> tuple[Array, ...]:
        """Score what is read; of heads that score each token, the others' logits are zero."""

        def score(hidden: Array) -> tuple[Array, ...]:
            return self.head.logits(hidden, self.params, self.config, shape, rng)

        if read is None or self.head.reads_first:
            return score(hidden)
        return score_read(score, hidden, read)

    def _returned(self, output: ModelOutput, wanted: Wanted, *more: Any) -> Any:
        """Give an output as it is, or as the tuple of what it holds and what only tuples have."""
        if self._choice("use_return_dict", wanted.return_dict):
            return output
        return (*output.to_tuple(), *(extra for extra in more if extra is not None))


class RobertaLabelledModel(RobertaHeadModel):
    """The base of the models that are called as most are: with texts, and their labels."""

    @documented(SHARED)
    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        labels: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        train: bool = False,
        rng: Any = None,
    ) -> Any:
        """Score what the head scores, and with labels the loss.

        Parameters
        ----------
        labels : optional
            What the head's ``check_labels`` takes.

        Returns
        -------
        ModelOutput
            Of the head's class. Or with ``return_dict=False`` a tuple: the loss where there are
            labels, the logits, then the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        return self._answer(
            Arguments(
                input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            ),
            Wanted(output_attentions, output_hidden_states, return_dict),
            random_generator(train, rng),
            labels,
        )
