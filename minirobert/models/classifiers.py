"""The models that classify: texts, tokens, the bounds of an answer, choices.

Each is the encoder with one head, written above it, of the formulas in `minirobert.heads` and
`minirobert.losses`. A head that a checkpoint does not have is drawn anew, with a warning: it must
be trained.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ..arrays import Array, Shape
from ..checks import random_generator
from ..config import RobertaConfig
from ..documentation import documented
from ..heads import (
    choice_classifier,
    pooler,
    sequence_classifier,
    span_classifier,
    token_classifier,
)
from ..intermediates import Intermediate, Pass, Row, dropped_rows, pooler_rows
from ..losses import TEXT_LOSSES, cross_entropy, span_loss, token_loss
from ..observe import scope
from ..parameters import ParameterTree, linear_shapes
from .arguments import SHARED, Arguments, Wanted
from .base import RobertaHeadModel, RobertaLabelledModel
from .head import Head
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


class _Classifier(Head):
    """What the heads for texts and for tokens share."""

    name = "classifier"

    def check_config(self, config: RobertaConfig, model: str) -> None:
        """Ask for at least one class."""
        if config.num_labels == 0:
            raise ValueError(
                "num_labels is 0, but a classifier needs at least 1 class (or number to predict): "
                "set num_labels, or name the classes in id2label"
            )

    def dropout(self, config: RobertaConfig) -> float:
        """Give the classifier's own probability, 0 included, or else that of the encoder."""
        given = config.classifier_dropout
        return config.hidden_dropout_prob if given is None else given


class SequenceClassificationHead(_Classifier):
    """A class of the whole text, several, or a regression."""

    output, reads_first = SequenceClassifierOutput, True

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """Two linear maps: a pooler of the head's own, and the classes."""
        hidden = config.hidden_size
        return {
            **linear_shapes("dense", hidden, hidden),
            **linear_shapes("out_proj", config.num_labels, hidden),
        }

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List the first token, the summary made of it, and the logits."""
        p, first = self.dropout(config), Intermediate("[B, H]", "heads.sequence_classifier")
        yield from dropped_rows("classifier.input", first, p, kind)
        yield "classifier.dense", Intermediate("[B, H]", "functional.linear")
        tanh = Intermediate("[B, H]", "functional.tanh")
        yield from dropped_rows("classifier.tanh", tanh, p, kind)
        yield "classifier.logits", Intermediate("[B, C]", "functional.linear")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array]:  # -> [B, C]
        """Score the classes of each text."""
        return (sequence_classifier(hidden, params.classifier, self.dropout(config), rng),)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> tuple[Array, str] | None:
        """Check the labels, and choose the problem that they state."""
        (given,) = labels
        return None if given is None else check_text_labels(given, like, config, shape[0])

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the loss of the problem."""
        given, problem = labels
        return TEXT_LOSSES[problem](logits[0], given)


class RobertaForSequenceClassification(RobertaLabelledModel):
    """The encoder with a classifier of whole texts, such as sentiment; or a regression.

    ``config.num_labels`` is C, the number of classes (or of numbers to predict).

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, num_labels=3)
    >>> model = RobertaForSequenceClassification(config)
    >>> output = model([[0, 5, 6, 2], [0, 7, 2, 1]], labels=[2, 0])
    >>> output.logits.shape, output.loss.shape
    ((2, 3), ())
    """

    head = SequenceClassificationHead()

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
    ) -> SequenceClassifierOutput:
        """Score the classes of each text, and with labels the loss.

        Parameters
        ----------
        labels : optional
            What they are, and their loss, depends on ``config.problem_type``:

            - ``"regression"``: numbers of shape [B, C], for C = 1 also [B]; mean squared error;
            - ``"single_label_classification"``: integers of shape [B] or [B, 1], the class of each
              text in [0, C), or -100 where it does not count; cross-entropy;
            - ``"multi_label_classification"``: floating-point numbers of shape [B, C], 1 where the
              text belongs to the class, else 0; binary cross-entropy;
            - None: the first where C is 1, otherwise the second for integers, and the third for
              floating-point numbers. Each call decides anew.

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
        arguments = Arguments(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: SequenceClassifierOutput = self._answer(
            arguments, wanted, random_generator(train, rng), labels
        )
        return output


class TokenClassificationHead(_Classifier):
    """A class of each token."""

    output = TokenClassifierOutput

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """One linear map: the classes."""
        return {"weight": (config.num_labels, config.hidden_size), "bias": (config.num_labels,)}

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List what is classified, and the logits."""
        hidden = Intermediate("[B, S, H]", "heads.token_classifier")
        yield from dropped_rows("classifier.input", hidden, self.dropout(config), kind)
        yield "classifier.logits", Intermediate("[B, S, C]", "functional.linear")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array]:  # -> [B, S, C]
        """Score the classes of each token."""
        return (token_classifier(hidden, params.classifier, self.dropout(config), rng),)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Array | None:
        """Check that each is a class, or ignored."""
        (given,) = labels
        return None if given is None else check_labels(given, like, config.num_labels, shape)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean cross-entropy of the tokens that count."""
        return token_loss(logits[0], labels)


class RobertaForTokenClassification(RobertaLabelledModel):
    """The encoder with a classifier of tokens, such as the names of people and places.

    ``config.num_labels`` is C, the number of classes.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9, num_labels=3)
    >>> RobertaForTokenClassification(config)([[0, 5, 6, 2]]).logits.shape
    (1, 4, 3)
    """

    head = TokenClassificationHead()

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
        read: Any = None,
        train: bool = False,
        rng: Any = None,
    ) -> TokenClassifierOutput:
        """Score the classes of each token, and with labels the loss.

        Parameters
        ----------
        labels : integers of shape [B, S], optional
            The class of each token in [0, C), or -100 where it does not count. The loss is the
            cross-entropy of all counted tokens.

        Returns
        -------
        TokenClassifierOutput
            Or with ``return_dict=False`` a tuple, as of `RobertaForSequenceClassification`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: TokenClassifierOutput = self._answer(
            arguments, wanted, random_generator(train, rng), labels
        )
        return output


class QuestionAnsweringHead(Head):
    """The first and the last token of the answer."""

    name, output = "qa_outputs", QuestionAnsweringModelOutput

    def check_config(self, config: RobertaConfig, model: str) -> None:
        """Ask for two bounds."""
        if config.num_labels != 2:
            raise ValueError(
                f"num_labels is {config.num_labels}, but {model} needs 2, one score for the start "
                "and one for the end of the answer: set num_labels=2"
            )

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """One linear map: start and end."""
        return {"weight": (config.num_labels, config.hidden_size), "bias": (config.num_labels,)}

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List the logits of both bounds, together and apart."""
        yield "qa_outputs.logits", Intermediate("[B, S, 2]", "functional.linear")
        for bound in ("start_logits", "end_logits"):
            yield f"qa_outputs.{bound}", Intermediate("[B, S]", "heads.span_classifier")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array, Array]:  # -> [B, S], [B, S]
        """Score each token as the start and as the end."""
        return span_classifier(hidden, params.qa_outputs)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> tuple[Array, Array] | None:
        """Check both positions; there is a loss only where both are given."""
        names = ("start_positions", "end_positions")
        start, end = (
            None if given is None else check_positions(name, given, like, shape[0])
            for name, given in zip(names, labels, strict=True)
        )
        return None if start is None or end is None else (start, end)

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the mean of the cross-entropies of both bounds."""
        return span_loss(*logits, *labels)


class RobertaForQuestionAnswering(RobertaHeadModel):
    """The encoder with a head that finds the first and last token of the answer to a question.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9)
    >>> output = RobertaForQuestionAnswering(config)([[0, 5, 2, 2, 7, 6, 2]])
    >>> output.start_logits.shape, output.end_logits.shape
    ((1, 7), (1, 7))
    """

    head = QuestionAnsweringHead()

    @documented(SHARED)
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
        read: Any = None,
        train: bool = False,
        rng: Any = None,
    ) -> QuestionAnsweringModelOutput:
        """Score each token as the start and as the end of the answer, and with both known the loss.

        Parameters
        ----------
        start_positions, end_positions : integers of shape [B] or [B, 1], optional
            Where the answer of each text starts, and the position of its last token. One outside of
            the text is ignored, a negative one is read as 0; see `minirobert.losses.span_loss`.
            There is a loss only where both are given.

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
        arguments = Arguments(
            *(input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds),
            read=read,
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: QuestionAnsweringModelOutput = self._answer(
            arguments, wanted, random_generator(train, rng), start_positions, end_positions
        )
        return output


class MultipleChoiceHead(Head):
    """A score of each choice, from the pooler."""

    name, output, reads_first = "classifier", MultipleChoiceModelOutput, True
    pools, choices = True, True

    def shapes(self, config: RobertaConfig) -> dict[str, Shape]:
        """One score, the same for all choices."""
        return {"weight": (1, config.hidden_size), "bias": (1,)}

    def intermediates(self, config: RobertaConfig, kind: Pass) -> Iterator[Row]:
        """List the summary of each choice, and the logits of those of one text."""
        for name, one in pooler_rows(config.hidden_dropout_prob, kind):
            yield f"roberta.{name}", Intermediate(one.axes.replace("B", "B C"), one.formula)
        yield "classifier.logits", Intermediate("[B, C]", "heads.choice_classifier")

    def logits(
        self, hidden: Array, params: ParameterTree, config: RobertaConfig, shape: Shape, rng: Any
    ) -> tuple[Array]:  # [B C, S, H] -> [B, C]
        """Pool each choice, and set those of one text side by side."""
        with scope("roberta"):
            pooled = pooler(hidden, params.roberta.pooler, config.hidden_dropout_prob, rng)
        return (choice_classifier(pooled, params.classifier, shape[1]),)

    def check_labels(
        self, labels: tuple[Any, ...], like: Array, config: RobertaConfig, shape: Shape
    ) -> Array | None:
        """Check that each is one of the choices, or ignored."""
        (given,) = labels
        batch, n_choices, _ = shape
        if given is None:
            return None
        return check_labels(given, like, n_choices, (batch,), kind="choices")

    def loss(self, logits: tuple[Array, ...], labels: Any) -> Array:
        """Take the cross-entropy over the choices."""
        return cross_entropy(logits[0], labels)


class RobertaForMultipleChoice(RobertaHeadModel):
    """The encoder with a pooler and a score, to choose among texts, such as possible answers.

    C is the number of choices of each text; calls may differ in it.

    >>> config = RobertaConfig(num_hidden_layers=1, vocab_size=9)
    >>> choices = [[[0, 5, 2, 2, 7, 2], [0, 5, 2, 2, 8, 2], [0, 5, 2, 2, 6, 2]]]
    >>> RobertaForMultipleChoice(config)(choices, labels=[1]).logits.shape
    (1, 3)
    """

    head = MultipleChoiceHead()

    @documented(SHARED)
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
        inputs_embeds : floats of shape [B, C, S, H], optional
            In place of ``input_ids``.

        Returns
        -------
        MultipleChoiceModelOutput
            Or with ``return_dict=False`` a tuple, as of `RobertaForSequenceClassification`.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit the model or the others.
        """
        arguments = Arguments(
            input_ids, attention_mask, token_type_ids, position_ids, head_mask, inputs_embeds
        )
        wanted = Wanted(output_attentions, output_hidden_states, return_dict)
        output: MultipleChoiceModelOutput = self._answer(
            arguments, wanted, random_generator(train, rng), labels
        )
        return output
