"""The feature-extraction pipeline: vectors of a text's tokens or words, or one for the text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np

from ..arrays import Array, array_namespace, astype, half_in_float32, move_like, to_numpy
from ..keywords import takes
from ..models.base import RobertaModel
from ..models.reading import first_tokens
from ..rules import check, one_of
from ..tokenization import BatchEncoding, RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, flag, or_else
from .keywords import OF_CALLS, OF_OBJECTS, OF_VECTORS
from .typed_calls import one_or_many

__all__ = ["FeatureExtractionPipeline", "mean_pooling", "unit_length", "word_pooling"]

POOLING = one_of("mean", "cls", "word", None)


class FeatureExtractionPipeline(Pipeline[RobertaModel]):
    """Give the last hidden states of a text, a vector for each word, or one for the whole text.

    Parameters
    ----------
    model : RobertaModel
    tokenizer : RobertaTokenizer
    pooling, normalize, return_tensors
        Defaults of the call, see `__call__`.
    batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.
    truncation, tokenize_kwargs : optional
        More of ``tokenizer_kwargs``, under their names in transformers.

    Notes
    -----
    The result of a text never depends on the other texts. In transformers, with a ``batch_size`` of
    more than 1, it has rows for the padding too. And there the first output of any model is taken,
    for a masked language model the logits; here the model is a `RobertaModel` (every model with a
    head has one, as ``model.roberta``).

    >>> from minirobert import pipeline
    >>> embed = pipeline("feature-extraction", pooling="mean", normalize=True, return_tensors=True)
    >>> one, other = embed(["The cat sleeps.", "A cat is asleep."])
    >>> one.shape, bool(one @ other > 0.5)
    ((256,), True)

    With ``pooling="word"`` there is a vector for each word of the text. The tokenizer tells which
    word is which: its pieces have the numbers of `word_ids`, and the text of each is

    >>> text = "Anna isn't in Rome."
    >>> vectors = embed(text, pooling="word")
    >>> encoding = embed.tokenizer(text)
    >>> words = [word for word in dict.fromkeys(encoding.word_ids()) if word is not None]
    >>> [text[slice(*encoding.word_to_chars(word))] for word in words]
    ['Anna', 'isn', "'t", 'in', 'Rome', '.']
    >>> vectors.shape
    (6, 256)
    """

    task = "feature-extraction"

    @takes(OF_OBJECTS | OF_VECTORS, Pipeline.__init__)
    def __init__(
        self,
        model: RobertaModel,
        tokenizer: RobertaTokenizer,
        *,
        pooling: str | None = None,
        normalize: bool = False,
        return_tensors: bool = False,
        truncation: bool | str | None = None,
        tokenize_kwargs: Mapping[str, Any] | None = None,
        **shared: Any,
    ):
        super().__init__(model, tokenizer, **shared)
        self.tokenizer_kwargs = _options(self.tokenizer_kwargs, tokenize_kwargs, truncation)
        self.pooling = check("pooling", pooling, POOLING)
        self.normalize = normalize
        self.return_tensors = return_tensors

    @one_or_many(str)
    @takes(OF_CALLS | OF_VECTORS)
    def __call__(
        self,
        inputs: str | Iterable[str],
        *,
        pooling: str | None = None,
        normalize: bool | None = None,
        return_tensors: bool | None = None,
        truncation: bool | str | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        tokenize_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> Any:
        """Compute the vectors of one text, or of several.

        Parameters
        ----------
        inputs : str, list of str, or any iterable of str
        pooling : str, optional
            ``"mean"`` gives one vector a text, the mean over its tokens, ``<s>`` and ``</s>``
            included; ``"cls"`` that of its first token. ``"word"`` gives one a word, the mean over
            its tokens; ``<s>`` and ``</s>`` are in no word. A word is what the tokenizer's
            ``word_ids`` count: a piece that it takes apart by itself, such as letters with the
            space before them, digits, other signs, an ending as in ``isn't`` (``isn`` and ``'t``),
            further spaces, or a special token within the text. By default there is a vector a
            token.
        normalize : bool, optional
            Whether each vector gets the length 1, so that products of vectors are cosines.
        return_tensors : bool, optional
            True gives NumPy arrays in place of lists.
        truncation : bool or str, optional
            Of the tokenizer's call.
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many texts to compute at once (1 by default), options of the
            tokenizer's call, and whether to show how many texts are done.
        tokenize_kwargs : dict, optional
            More of ``tokenizer_kwargs``, under the name in transformers.

        Returns
        -------
        list or array of floats
            Of shape [1, S, H] for one text, where S counts its tokens; with ``pooling`` of shape
            [H], or for words [W, H], where W counts them: there may be none. A list of texts gives
            a list of these, another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a text has too many tokens, or an option is not known.
        TypeError
            If a text is no str.
        """
        pooling = check("pooling", or_else(pooling, self.pooling), POOLING)
        normalize = flag("normalize", normalize, self.normalize)
        arrays = flag("return_tensors", return_tensors, self.return_tensors)
        more = None if tokenize_kwargs is None else self._options(tokenize_kwargs)
        options = _options(self._options(tokenizer_kwargs), more, truncation)

        is_padded = pooling in (None, "word")  # whose vectors are told by their places

        def answer(_: str, rows: Sequence[Row], outputs: Sequence[Any]) -> Any:
            vectors = outputs[0]
            if pooling == "word":
                vectors = _of_words(vectors, rows[0], normalize)
            elif not pooling:  # what the batch has padded is not of this text
                vectors = vectors[None, : len(rows[0]["input_ids"])]
            return vectors if arrays else vectors.tolist()

        job = Job(
            lambda text, name: [self._row(name, text, options=options, is_padded=is_padded)],
            lambda batch: self._vectors(
                batch, pooling, normalize and pooling != "word", bool(options.get("padding"))
            ),
            answer,
        )
        return self._run(inputs, job, batch_size, progress_bar)

    def _vectors(
        self, batch: Batch, pooling: str | None, normalize: bool, is_padded: bool
    ) -> np.ndarray[Any, Any]:  # [B, S] -> [B, S, H], with pooling [B, H]
        """Give the vectors of a batch, computed for what is read alone.

        That is padding only where the tokenizer was asked for it.
        """
        placed = self._placed(batch)
        read: Any = None if is_padded and not pooling else "tokens"
        if pooling == "cls":
            read = first_tokens(placed["input_ids"])
        hidden = self.model(**placed, read=read).last_hidden_state  # [B, S, H]
        if pooling == "mean":
            hidden = mean_pooling(hidden, placed["attention_mask"])
        elif pooling == "cls":
            hidden = hidden[:, 0, :]
        return to_numpy(unit_length(hidden) if normalize else hidden)


@half_in_float32
def mean_pooling(hidden: Array, attention_mask: Array) -> Array:  # [B, S, H], [B, S] -> [B, H]
    """Average the hidden states of each text over its tokens, padding left out.

    As in Reimers & Gurevych 2019 (Sentence-BERT, arXiv:1908.10084), section 3. A text without
    tokens gets zeros.

    >>> mean_pooling(np.array([[[1.0, 2.0], [3.0, 6.0], [9.0, 9.0]]]), np.array([[1, 1, 0]]))
    array([[2., 4.]])
    """
    xp = array_namespace(hidden)
    weights = astype(attention_mask, hidden.dtype)[:, :, None]  # [B, S, 1]
    counts = xp.sum(weights, axis=1)  # [B, 1]
    return xp.sum(hidden * weights, axis=1) / xp.where(counts > 0, counts, xp.ones_like(counts))


@half_in_float32
def word_pooling(hidden: Array, words: Sequence[int | None]) -> Array:  # [S, H] -> [W, H]
    """Average the hidden states of each word over its tokens, in the order of the words.

    Parameters
    ----------
    hidden : array of floats, [S, H]
    words : sequence of int or None
        The number of each token's word, as the tokenizer's ``word_ids`` give it; None of a token
        that is in no word.

    Returns
    -------
    array of floats, [W, H]
        Of W words.

    >>> word_pooling(np.array([[9.0], [1.0], [3.0], [5.0]]), [None, 0, 0, 1])
    array([[2.],
           [5.]])
    """
    xp = array_namespace(hidden)
    found = [word for word in dict.fromkeys(words) if word is not None]
    numbers = np.array([-1 if word is None else word for word in words])
    is_of = np.array(found, dtype=int)[:, None] == numbers  # [W, S]
    shares = is_of / is_of.sum(axis=1, keepdims=True)  # [W, S]
    return xp.matmul(astype(move_like(shares, hidden), hidden.dtype), hidden)


@half_in_float32
def unit_length(vectors: Array) -> Array:  # [..., H] -> [..., H]
    """Divide each vector by its length, so that the product of two is the cosine between them.

    >>> unit_length(np.array([3.0, 4.0]))
    array([0.6, 0.8])
    """
    xp = array_namespace(vectors)
    squares = xp.sum(vectors * vectors, axis=-1, keepdims=True)  # [..., 1]
    return vectors / xp.sqrt(xp.where(squares > 0, squares, xp.ones_like(squares)))


def _of_words(
    hidden: np.ndarray[Any, Any], row: Row, normalize: bool
) -> np.ndarray[Any, Any]:  # [S, H] -> [W, H]
    """Give the vectors of a text's words; behind its tokens the batch is padded."""
    encoding = cast(BatchEncoding, row)
    words = encoding.word_ids()
    vectors = word_pooling(hidden[: len(words)], words)
    return to_numpy(unit_length(vectors) if normalize else vectors)


def _options(
    options: Mapping[str, Any], more: Mapping[str, Any] | None, truncation: bool | str | None
) -> Mapping[str, Any]:
    """Bring the ways to give options of the tokenizer together."""
    options = {**options, **(more or {})}
    if truncation is None:
        return options
    if more is not None and "truncation" in more:
        raise ValueError("truncation was given twice, by itself and in tokenize_kwargs: give one")
    return {**options, "truncation": truncation}
