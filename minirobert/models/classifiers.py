"""The models that classify: texts, tokens, the bounds of an answer, choices.

Each is the encoder with one head of `minirobert.heads` and one loss of `minirobert.losses`. A head
that a checkpoint does not have is drawn anew, with a warning: it must be trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..checks import random_generator
from ..config import RobertaConfig
from ..functional import dropout
from ..heads import (
    choice_classifier,
    pooler,
    sequence_classifier,
    span_classifier,
    token_classifier,
)
from ..losses import TEXT_LOSSES, cross_entropy, span_loss, token_loss
from ..observe import observe, scope
from .base import RobertaHeadModel
from .labels import check_labels, check_positions, check_text_labels
from .outputs import (
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)

__all__ = [
    "RobertaForMultipleChoice",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
]


def _classifier_dropout(config: RobertaConfig) -> float:
    given = config.classifier_dropout
    return config.hidden_dropout_prob if given is None else given


def _check_some_labels(config: RobertaConfig) -> None:
    if config.num_labels == 0:
        raise ValueError(
            "num_labels is 0, but a classifier needs at least 1 class (or number to predict): set "
            "num_labels, or name the classes in id2label"
        )


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForSequenceClassification(RobertaHeadModel):
    """The encoder with a classifier of whole texts, such as sentiment; or a regression.

    ``config.num_labels`` is C, the number of classes (or of numbers to predict).

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, num_labels=3)
    >>> model = RobertaForSequenceClassification(config)
    >>> output = model([[0, 5, 6, 2], [0, 7, 2, 1]], labels=[2, 0])
    >>> output.logits.shape, output.loss.shape
    ((2, 3), ())
    """

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        super()._check_config(config)
        _check_some_labels(config)

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
    ) -> SequenceClassifierOutput:
        """Score the classes of each text, and with labels the loss.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            See `RobertaModel.__call__`.
        labels : optional
            What they are, and their loss, depends on ``config.problem_type``:

            - ``"regression"``: numbers of shape [B, C], for C = 1 also [B]; mean squared error;
            - ``"single_label_classification"``: integers of shape [B] or [B, 1], the class of each
              text in [0, C), or -100 where it does not count; cross-entropy;
            - ``"multi_label_classification"``: floating-point numbers of shape [B, C], 1 where the
              text belongs to the class, else 0; binary cross-entropy;
            - None: the first where C is 1, otherwise the second for integers, and the third for
              floating-point numbers. Each call decides anew.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.
        train, rng
            See `RobertaModel.__call__`.

        Returns
        -------
        SequenceClassifierOutput
            Or with ``return_dict=False`` a tuple: the loss where there are labels, the logits, then
            the hidden states and the attentions where they were asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        rng = random_generator(train, rng)
        inputs = self._inputs(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        problem = ""
        if labels is not None:
            labels, problem = check_text_labels(
                labels, self.word_embeddings, self.config, inputs.shape[0]
            )
        encoded = self._encode(inputs, output_hidden_states, output_attentions, rng)
        logits = sequence_classifier(
            encoded.last_hidden_state, self.params.classifier, _classifier_dropout(self.config), rng
        )  # [B, C]
        loss = None if labels is None else observe("loss", TEXT_LOSSES[problem](logits, labels))
        output = SequenceClassifierOutput(loss, logits, encoded.hidden_states, encoded.attentions)
        return self._returned(output, return_dict)


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForTokenClassification(RobertaHeadModel):
    """The encoder with a classifier of tokens, such as the names of people and places.

    ``config.num_labels`` is C, the number of classes.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, num_labels=3)
    >>> RobertaForTokenClassification(config)([[0, 5, 6, 2]]).logits.shape
    (1, 4, 3)
    """

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        super()._check_config(config)
        _check_some_labels(config)

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
    ) -> TokenClassifierOutput:
        """Score the classes of each token, and with labels the loss.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            See `RobertaModel.__call__`.
        labels : integers of shape [B, S], optional
            The class of each token in [0, C), or -100 where it does not count. The loss is the
            cross-entropy of all counted tokens.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.
        train, rng
            See `RobertaModel.__call__`.

        Returns
        -------
        TokenClassifierOutput
            Or with ``return_dict=False`` a tuple, as of `RobertaForSequenceClassification`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        rng = random_generator(train, rng)
        inputs = self._inputs(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        if labels is not None:
            classes = self.config.num_labels
            labels = check_labels(labels, self.word_embeddings, classes, inputs.shape)
        encoded = self._encode(inputs, output_hidden_states, output_attentions, rng)
        hidden = dropout(encoded.last_hidden_state, _classifier_dropout(self.config), rng)
        logits = token_classifier(hidden, self.params.classifier)  # [B, S, C]
        loss = None if labels is None else observe("loss", token_loss(logits, labels))
        output = TokenClassifierOutput(loss, logits, encoded.hidden_states, encoded.attentions)
        return self._returned(output, return_dict)


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForQuestionAnswering(RobertaHeadModel):
    """The encoder with a head that finds the first and last token of the answer to a question.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9)
    >>> output = RobertaForQuestionAnswering(config)([[0, 5, 2, 2, 7, 6, 2]])
    >>> output.start_logits.shape, output.end_logits.shape
    ((1, 7), (1, 7))
    """

    @classmethod
    def _check_config(cls, config: RobertaConfig) -> None:
        super()._check_config(config)
        if config.num_labels != 2:
            raise ValueError(
                f"num_labels is {config.num_labels}, but {cls.__name__} needs 2, one score for the "
                "start and one for the end of the answer: set num_labels=2"
            )

    def __call__(
        self,
        input_ids: Any = None,
        attention_mask: Any = None,
        token_type_ids: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        start_positions: Any = None,
        end_positions: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        train: bool = False,
        rng: Any = None,
    ) -> QuestionAnsweringModelOutput:
        """Score each token as the start and as the end of the answer, and with both known the loss.

        Parameters
        ----------
        input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
            See `RobertaModel.__call__`. A text is the question and the text with the answer.
        start_positions, end_positions : integers of shape [B] or [B, 1], optional
            Where the answer of each text starts, and the position of its last token. One outside of
            the text is ignored, a negative one is read as 0; see `minirobert.losses.span_loss`.
            There is a loss only where both are given.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.
        train, rng
            See `RobertaModel.__call__`.

        Returns
        -------
        QuestionAnsweringModelOutput
            Or with ``return_dict=False`` a tuple: the loss where both positions are given, the
            start logits, the end logits, then the hidden states and the attentions where they were
            asked for.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        rng = random_generator(train, rng)
        inputs = self._inputs(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        weights, batch = self.word_embeddings, inputs.shape[0]
        if start_positions is not None:
            start_positions = check_positions("start_positions", start_positions, weights, batch)
        if end_positions is not None:
            end_positions = check_positions("end_positions", end_positions, weights, batch)
        encoded = self._encode(inputs, output_hidden_states, output_attentions, rng)
        start, end = span_classifier(
            encoded.last_hidden_state, self.params.qa_outputs
        )  # [B, S], [B, S]
        loss = None
        if start_positions is not None and end_positions is not None:
            loss = observe("loss", span_loss(start, end, start_positions, end_positions))
        output = QuestionAnsweringModelOutput(
            loss, start, end, encoded.hidden_states, encoded.attentions
        )
        return self._returned(output, return_dict)


@dataclass(frozen=True, repr=False, eq=False)
class RobertaForMultipleChoice(RobertaHeadModel):
    """The encoder with a pooler and a score, to choose among texts, such as possible answers.

    C is the number of choices of each text; calls may differ in it.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9)
    >>> choices = [[[0, 5, 2, 2, 7, 2], [0, 5, 2, 2, 8, 2], [0, 5, 2, 2, 6, 2]]]
    >>> RobertaForMultipleChoice(config)(choices, labels=[1]).logits.shape
    (1, 3)
    """

    def __call__(
        self,
        input_ids: Any = None,
        token_type_ids: Any = None,
        attention_mask: Any = None,
        labels: Any = None,
        position_ids: Any = None,
        head_mask: Any = None,
        inputs_embeds: Any = None,
        output_attentions: bool | None = None,
        output_hidden_states: bool | None = None,
        return_dict: bool | None = None,
        *,
        train: bool = False,
        rng: Any = None,
    ) -> MultipleChoiceModelOutput:
        """Score each choice, and with labels the loss.

        The arguments stand in transformers' order, which differs from that of the other models.

        Parameters
        ----------
        input_ids : integers of shape [B, C, S]
        token_type_ids : integers of shape [B, C, S], optional
        attention_mask : 0 and 1 of shape [B, C, S], optional
        labels : integers of shape [B], optional
            The right choice of each text in [0, C), or -100 where it does not count. The loss is
            the cross-entropy over the choices.
        position_ids : integers of shape [S], [1, 1, S] or [B, C, S], optional
        head_mask : numbers of shape [N] or [L, N], optional
        inputs_embeds : floats of shape [B, C, S, H], optional
            In place of ``input_ids``.
        output_attentions, output_hidden_states, return_dict : bool, optional
            By default as the configuration says.
        train, rng
            See `RobertaModel.__call__`.

        Returns
        -------
        MultipleChoiceModelOutput
            Or with ``return_dict=False`` a tuple, as of `RobertaForSequenceClassification`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        rng = random_generator(train, rng)
        inputs = self._inputs(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            choices=True,
        )
        batch, n_choices, _ = inputs.shape
        if labels is not None:
            labels = check_labels(labels, self.word_embeddings, n_choices, (batch,), kind="choices")
        encoded = self._encode(inputs, output_hidden_states, output_attentions, rng)
        with scope("roberta"):
            pooled = pooler(encoded.last_hidden_state, self.params.roberta.pooler)  # [B C, H]
        pooled = dropout(pooled, self.config.hidden_dropout_prob, rng)
        logits = choice_classifier(pooled, self.params.classifier, n_choices)  # [B, C]
        loss = None if labels is None else observe("loss", cross_entropy(logits, labels))
        output = MultipleChoiceModelOutput(loss, logits, encoded.hidden_states, encoded.attentions)
        return self._returned(output, return_dict)
