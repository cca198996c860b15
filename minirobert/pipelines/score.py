"""The score pipeline: how likely a text is, token by token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..checks import warn
from ..keywords import takes
from ..models.language_models import LanguageModel, RobertaForCausalLM, RobertaForMaskedLM
from ..sentences import plain, shown
from ..tokenization import RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, or_else
from .keywords import OF_CALLS, OF_OBJECTS, OF_ROWS
from .likelihoods import log_likelihoods, pseudo_log_likelihoods
from .results import TextScore, TokenScore
from .typed_calls import one_or_many

__all__ = ["ScorePipeline", "TextScore", "TokenScore"]


class ScorePipeline(Pipeline[LanguageModel]):
    """Score texts by how likely a language model holds each of their tokens.

    Parameters
    ----------
    model : RobertaForMaskedLM or RobertaForCausalLM
        The encoder tells each token from all others of the text: the score is a
        pseudo-log-likelihood. The decoder tells it from those before it: a log-likelihood.
    tokenizer : RobertaTokenizer
    batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`. The encoder computes a text anew for each of its tokens, so many of these
        copies at once.

    Notes
    -----
    Special tokens, such as ``<s>`` and ``</s>``, are seen by the model, but not scored. Scores of
    the two kinds of models cannot be compared, nor those of different tokenizers. To the encoder
    the tokens of one word tell each other, so a rare word of several may have a high score (Kauf &
    Ivanova 2023, arXiv:2305.10588).

    Source: Salazar et al. 2020 (arXiv:1910.14659). transformers has no such pipeline.

    >>> from minirobert import pipeline
    >>> score = pipeline("score")
    >>> score("Grass is green.")["score"] > score("Grass is loud.")["score"]
    True
    """

    task = "score"
    may_be_empty = True

    @takes(OF_OBJECTS | OF_ROWS)
    def __init__(
        self,
        model: LanguageModel,
        tokenizer: RobertaTokenizer,
        **shared: Any,
    ):
        super().__init__(model, tokenizer, **shared)
        if isinstance(model, RobertaForMaskedLM) and tokenizer.mask_token_id is None:
            raise ValueError(
                "the tokenizer has no mask_token, behind which RobertaForMaskedLM could tell words"
            )

    @one_or_many(str)
    @takes(OF_CALLS | OF_ROWS)
    def __call__(
        self,
        inputs: str | Iterable[str],
        *,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> TextScore:
        """Score one text, or several.

        Parameters
        ----------
        inputs : str, list of str, or any iterable of str
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many texts, or copies of them, to compute at once (1 by default),
            options of the tokenizer's call, and whether to show how many texts are done.

        Returns
        -------
        dict
            ``score``, the sum of the natural logarithms of the tokens' probabilities;
            ``perplexity``; ``num_tokens``; and ``tokens``, a list with ``log_probability``,
            ``token``, ``token_str``, ``start`` and ``end`` of each. A list of texts gives a list of
            these, another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a text has no token to score, too many tokens, or a mask, whose word is not known.
        TypeError
            If a text is not a string.
        """
        size = or_else(batch_size, self.batch_size)
        job = Job(
            lambda text, name: [self._scorable(text, name, tokenizer_kwargs)],
            lambda batch: self._log_probabilities(batch, size),
            lambda _, rows, outputs: self._score(rows[0], outputs[0]),
        )
        return self._run(inputs, job, batch_size, progress_bar)

    def _scorable(self, text: str, name: str, options: Mapping[str, Any] | None) -> Row:
        options = {**self._options(options), "return_offsets_mapping": True}
        row = self._row(name, text, options=options)
        ids, tokenizer = row["input_ids"], self.tokenizer
        if tokenizer.mask_token_id in ids:
            mask = plain(tokenizer.mask_token)
            raise ValueError(
                f"{name} has {mask}, which hides the token to score: put a word in its place, in "
                f"{shown(text)}"
            )
        if not self._is_scored(np.array([ids])).any():
            raise ValueError(f"{name} has no token to score: {shown(text)}")
        if tokenizer.unk_token_id in ids:
            unknown = plain(tokenizer.unk_token)
            warn(f"{name} has {unknown}, which is seen by the model, but not scored")
        return row

    def _is_scored(self, ids: np.ndarray[Any, Any]) -> Any:  # [B, S] -> bool [B, S]
        """Choose the words; a decoder cannot tell the first token, which it begins with."""
        is_word = ~np.isin(ids, self.tokenizer.all_special_ids)
        if isinstance(self.model, RobertaForCausalLM):
            is_word[:, :1] = False
        return is_word

    def _log_probabilities(
        self, batch: Batch, batch_size: int
    ) -> np.ndarray[Any, Any]:  # [B, S] -> [B, S]
        ids, attend = batch["input_ids"], batch["attention_mask"]
        scored = self._is_scored(ids)
        if isinstance(self.model, RobertaForCausalLM):
            return log_likelihoods(self.model, ids, scored, attend)
        mask: Any = self.tokenizer.mask_token_id  # not None, see __init__
        return pseudo_log_likelihoods(self.model, ids, scored, mask, attend, batch_size)

    def _score(self, row: Row, log_probabilities: np.ndarray[Any, Any]) -> TextScore:
        ids, offsets = row["input_ids"], row["offset_mapping"]
        tokens: list[TokenScore] = [
            {
                "log_probability": float(log_probabilities[i]),
                "token": ids[i],
                "token_str": self.tokenizer.decode([ids[i]]),
                "start": offsets[i][0],
                "end": offsets[i][1],
            }
            for i in np.flatnonzero(self._is_scored(np.array([ids]))[0])
        ]
        score = sum(token["log_probability"] for token in tokens)
        with np.errstate(over="ignore"):  # infinite where a model is as sure as it is wrong
            perplexity = float(np.exp(-score / len(tokens)))
        return {
            "score": score,
            "perplexity": perplexity,
            "num_tokens": len(tokens),
            "tokens": tokens,
        }
