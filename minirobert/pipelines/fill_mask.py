"""The fill-mask pipeline: the words that could stand where ``<mask>`` is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import repeat
from typing import Any, cast

import numpy as np

from ..arrays import array_namespace, move_like
from ..checks import warn
from ..functional import largest, softmax
from ..keywords import takes
from ..models.language_models import RobertaForMaskedLM
from ..rules import STRING, check, integer
from ..sentences import listed, plain, shown
from ..tokenization import RobertaTokenizer
from .base import Batch, Job, Pipeline, Row, on_host, or_else
from .inputs import opened
from .keywords import OF_CALLS, OF_OBJECTS, OF_ROWS
from .results import Filling
from .typed_calls import one_or_many

__all__ = ["FillMaskPipeline", "Filling"]


#: The fillings of a text with one mask, or those of each mask in a text with several.
Fillings = list[Filling] | list[list[Filling]]


#: One word, some, or some for each text.
Targets = str | Sequence[str] | Sequence[Sequence[str]]


class FillMaskPipeline(Pipeline[RobertaForMaskedLM]):
    """Rank the words that could stand in place of each ``<mask>`` of a text.

    Parameters
    ----------
    model : RobertaForMaskedLM
    tokenizer : RobertaTokenizer
    top_k, targets
        Defaults of the call, see `__call__`.
    batch_size, tokenizer_kwargs, progress_bar, threads
        See `Pipeline`.

    Notes
    -----
    As in transformers, each mask of a text with several is ranked on its own, with the others
    still masked.
    """

    task = "fill-mask"

    @takes(OF_OBJECTS | OF_ROWS, Pipeline.__init__)
    def __init__(
        self,
        model: RobertaForMaskedLM,
        tokenizer: RobertaTokenizer,
        *,
        top_k: int = 5,
        targets: Targets | None = None,
        **shared: Any,
    ):
        super().__init__(model, tokenizer, **shared)
        self._known_ids = np.array(sorted(tokenizer.get_vocab().values()))
        self.top_k = self._check_top_k(top_k)
        self.targets = targets

    @one_or_many(str)
    @takes(OF_CALLS | OF_ROWS)
    def __call__(
        self,
        inputs: str | Iterable[str],
        *,
        top_k: int | None = None,
        targets: Targets | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> list[Filling]:
        """Fill the masks of one text, or of several.

        Parameters
        ----------
        inputs : str, list of str, or any iterable of str
            Each with at least one mask token.
        top_k : int, optional
            How many words for each mask, from 1 to the size of the vocabulary; 5 by default.
        targets : str, list of str, or list of lists of str, optional
            Rank only these words. Most begin with a space: ``" blue"``. A list of lists has the
            words of each text.
        batch_size, tokenizer_kwargs, progress_bar : optional
            See `Pipeline`: how many texts to compute at once (1 by default), options of the
            tokenizer's call, and whether to show how many texts are done.

        Returns
        -------
        list of dict
            For one text with one mask: ``score``, ``token``, ``token_str`` and ``sequence`` of each
            word, the most probable first. A text with several masks gives a list of such lists, a
            list of several texts a list of their results, and another iterable an iterator of them.

        Raises
        ------
        ValueError
            If a text has no mask or too many tokens, ``top_k`` is out of range, no target is a
            token, or there are not as many lists of targets as texts.
        TypeError
            If a text is not a string.
        """
        top_k = self._check_top_k(or_else(top_k, self.top_k))
        inputs = opened(inputs)
        allowed = self._allowed(or_else(targets, self.targets), inputs)
        job: Job[Any] = Job(  # of one mask or several, which a text alone can tell
            # texts are encoded in their order
            lambda text, name: [
                {**self._masked_row(text, name, tokenizer_kwargs), "allowed": next(allowed)}
            ],
            self._at_masks,
            lambda _, rows, outputs: self._rank(rows[0], outputs[0], top_k),
        )
        results = self._run(inputs, job, batch_size, progress_bar)
        alone = isinstance(inputs, list | tuple) and len(inputs) == 1
        return cast("list[Filling]", results[0] if alone else results)

    def _masked_row(self, text: str, name: str, options: Mapping[str, Any] | None) -> Row:
        row = self._row(name, text, options=options)
        if self.tokenizer.mask_token_id not in row["input_ids"]:
            mask = str(self.tokenizer.mask_token)
            read = f" in the {len(row['input_ids'])} tokens that are read" if mask in text else ""
            raise ValueError(
                f"{name} has no {plain(mask)} for the model to fill{read}: {shown(text)}"
            )
        return row

    def _at_masks(self, batch: Batch) -> list[np.ndarray[Any, Any]]:  # [B, S] -> B times [M, V]
        """Give the probabilities of every word at each text's masks, in reading order.

        The last layer and the language-model head are run for the masks alone, which are read.
        """
        is_mask = batch["input_ids"] == self.tokenizer.mask_token_id  # [B, S]
        like = self.model.word_embeddings
        xp = array_namespace(like)
        read = move_like(is_mask, like)
        hidden = self.model.hidden_states(**self._placed(batch), read=read)  # [B, S, H]
        rows = xp.reshape(hidden, (-1, hidden.shape[-1]))  # [B S, H]
        masked = xp.take(rows, move_like(np.flatnonzero(is_mask), like), axis=0)  # [B M, H]
        probabilities = on_host(softmax(self.model.lm_head(masked)))  # [B M, V]
        return np.split(probabilities, np.cumsum(is_mask.sum(axis=1))[:-1])

    def _rank(
        self,
        row: Row,
        probabilities: np.ndarray[Any, Any],  # [M, V]
        top_k: int,
    ) -> Fillings:
        """Name the best words of each mask of a text."""
        ids, mask = row["input_ids"], self.tokenizer.mask_token_id
        positions = [i for i, token in enumerate(ids) if token == mask]
        allowed = row["allowed"]
        _, places = largest(probabilities[:, allowed], min(top_k, len(allowed)))
        tokens = allowed[places]  # [M, best]
        scores = np.take_along_axis(probabilities, tokens, axis=1)
        best = zip(positions, tokens.tolist(), scores.tolist(), strict=True)
        fillings = [
            [
                self._filling(ids, position, token, score, len(positions) == 1)
                for token, score in zip(*of_mask, strict=True)
            ]
            for position, *of_mask in best
        ]
        return fillings[0] if len(fillings) == 1 else fillings

    def _filling(
        self, ids: list[int], position: int, token: int, score: float, only_mask: bool
    ) -> Filling:
        """Describe a word: with other masks left in the text, its special tokens are shown."""
        padding = self.tokenizer.pad_token_id
        filled = [id for id in [*ids[:position], token, *ids[position + 1 :]] if id != padding]
        return {
            "score": score,
            "token": token,
            "token_str": self.tokenizer.decode([token]),
            "sequence": self.tokenizer.decode(filled, skip_special_tokens=only_mask),
        }

    def _check_top_k(self, top_k: int) -> int:
        rule = integer(1, len(self.tokenizer)).but(", the number of tokens in the vocabulary")
        return check("top_k", top_k, rule)

    def _allowed(self, targets: Any, inputs: Any) -> Iterator[np.ndarray[Any, Any]]:
        """Give the tokens that are ranked for each text."""
        targets = opened(targets)
        of_each = isinstance(targets, list | tuple) and any(
            isinstance(some, list | tuple) for some in targets
        )
        if targets is None:
            return repeat(self._known_ids)  # the model may have more rows than there are tokens
        vocabulary = self.tokenizer.get_vocab()
        odd: dict[str, list[str]] = {}
        if not of_each:
            ids = self._target_ids(targets, vocabulary, odd)
            self._tell_of_odd_targets(odd)
            return repeat(ids)
        if not isinstance(inputs, str | list | tuple):
            raise TypeError("targets has a list for each text: give the texts as a list, too")
        number = 1 if isinstance(inputs, str) else len(inputs)
        if len(targets) != number:
            raise ValueError(
                f"targets has {len(targets)} lists, but there are {number} texts: give one for "
                "each text, or one list of words for all"
            )
        ids_of_each = [self._target_ids(some, vocabulary, odd) for some in targets]
        self._tell_of_odd_targets(odd)
        return iter(ids_of_each)

    def _target_ids(
        self,
        targets: str | Sequence[str],
        vocabulary: Mapping[str, int],
        odd: dict[str, list[str]],
    ) -> np.ndarray[Any, Any]:
        """Find the token of each target: in the vocabulary as written, or else its first token.

        The targets that are not in the vocabulary are noted, with their tokens.
        """
        if not isinstance(targets, Iterable):
            raise TypeError(f"targets is {shown(targets)}, but must be a str or a list of them")
        found: dict[int, None] = {}  # in order, each once
        for target in [targets] if isinstance(targets, str) else targets:
            check("a target", target, STRING, TypeError)
            if target in vocabulary:
                found[vocabulary[target]] = None
                continue
            ids = self.tokenizer.encode(target, add_special_tokens=False)
            if len(ids) != 1:
                odd[target] = self.tokenizer.convert_ids_to_tokens(ids)
            if ids:
                found[ids[0]] = None
        if not found:
            raise ValueError(f"targets is {shown(targets)}, but must name at least one token")
        return np.array(list(found))

    def _tell_of_odd_targets(self, odd: Mapping[str, Sequence[str]]) -> None:
        """Warn of targets without a token, and of those with several, each kind at once."""
        nothing = [target for target, tokens in odd.items() if not tokens]
        if len(nothing) == 1:
            warn(f"target {shown(nothing[0])} has no token and is left out")
        elif nothing:
            warn(f"targets {listed(nothing, each=shown)} have no token and are left out")
        several = {target: tokens for target, tokens in odd.items() if tokens}
        meant = self._with_a_space(several)
        cure = f" (did you mean {meant}, with a space before it?)" if meant else ""
        if len(several) == 1:
            ((target, tokens),) = several.items()
            warn(
                f"target {shown(target)} is not one token but {len(tokens)} "
                f"({listed(tokens, between=' ')}): {shown(tokens[0])} is used instead{cure}"
            )
        elif several:
            firsts = (f"{shown(word, 40)} ({shown(some[0], 40)})" for word, some in several.items())
            warn(
                f"{len(several)} targets are not one token each, so that the first, in "
                f"parentheses, is used instead: {listed(firsts, 140)}{cure}"
            )

    def _with_a_space(self, targets: Iterable[str]) -> str:
        """List the targets that are one token behind a space, as words within a text are."""
        words = [f" {target}" for target in targets]
        ids = [self.tokenizer.encode(word, add_special_tokens=False) for word in words]
        one = [word for word, tokens in zip(words, ids, strict=True) if len(tokens) == 1]
        return listed(one, 100, " or ", shown)
