"""The fill-mask pipeline: the words that could stand where ``<mask>`` is."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from numbers import Integral
from typing import Any, TypedDict

import numpy as np

from ..arrays import array_namespace, move_like, to_numpy
from ..functional import softmax
from ..language_models import RobertaForMaskedLM
from ..tokenization import BatchEncoding, RobertaTokenizer

__all__ = ["FillMaskPipeline", "Filling"]


class Filling(TypedDict):
    """One word for a mask."""

    score: float  # its probability among all words of the vocabulary
    token: int  # its id
    token_str: str  # its text, with the space before it
    sequence: str  # the text with the word in place of the mask


#: The fillings of a text with one mask, or those of each mask in a text with several.
Fillings = list[Filling] | list[list[Filling]]


class FillMaskPipeline:
    """Rank the words that could stand in place of each ``<mask>`` of a text.

    Parameters
    ----------
    model : RobertaForMaskedLM
    tokenizer : RobertaTokenizer
    top_k, targets, batch_size, tokenizer_kwargs, progress_bar
        Defaults of the call, see `__call__`.

    Notes
    -----
    As in transformers, each mask of a text with several is ranked on its own, with the others
    still masked.
    """

    task = "fill-mask"

    def __init__(
        self,
        model: RobertaForMaskedLM,
        tokenizer: RobertaTokenizer,
        *,
        top_k: int = 5,
        targets: str | Sequence[str] | None = None,
        batch_size: int = 1,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool = False,
    ):
        if len(tokenizer) > model.config.vocab_size:
            raise ValueError(
                f"the tokenizer has {len(tokenizer)} tokens, but the model's vocab_size is "
                f"{model.config.vocab_size}: they do not belong together"
            )
        self.model = model
        self.tokenizer = tokenizer
        self._known_ids = sorted(tokenizer.get_vocab().values())
        self.top_k = self._check_top_k(top_k)
        self.targets = targets
        self.batch_size = batch_size
        self.tokenizer_kwargs = {} if tokenizer_kwargs is None else tokenizer_kwargs
        self.progress_bar = progress_bar

    def __call__(
        self,
        inputs: str | Sequence[str],
        *,
        top_k: int | None = None,
        targets: str | Sequence[str] | None = None,
        batch_size: int | None = None,
        tokenizer_kwargs: Mapping[str, Any] | None = None,
        progress_bar: bool | None = None,
    ) -> Any:
        """Fill the masks of one text, or of several.

        Parameters
        ----------
        inputs : str or list of str
            Each with at least one mask token.
        top_k : int, optional
            How many words for each mask, from 1 to the size of the vocabulary; 5 by default.
        targets : str or list of str, optional
            Rank only these words. Most begin with a space: ``" blue"``.
        batch_size : int, optional
            How many texts to compute at once, padded to one length; 1 by default.
        tokenizer_kwargs : dict, optional
            Options of the tokenizer's call, such as ``{"truncation": True}``.
        progress_bar : bool, optional
            Show how many texts of a list are done, on stderr.

        Returns
        -------
        list of dict
            For one text with one mask: ``score``, ``token``, ``token_str`` and ``sequence`` of each
            word, the most probable first. A text with several masks gives a list of such lists, and
            a list of several texts a list of their results.

        Raises
        ------
        ValueError
            If a text has no mask or too many tokens, ``top_k`` is out of range, or no target is a
            token.
        TypeError
            If a text is not a string.
        """
        texts = _texts(inputs)
        top_k = self._check_top_k(self.top_k if top_k is None else top_k)
        targets = self.targets if targets is None else targets
        allowed = None if targets is None else self._target_ids(targets)
        batch_size = self.batch_size if batch_size is None else batch_size
        if not isinstance(batch_size, Integral) or batch_size < 1:
            raise ValueError(f"batch_size is {batch_size!r}, but must be an integer of at least 1")
        options = self.tokenizer_kwargs if tokenizer_kwargs is None else tokenizer_kwargs
        encoded = self._encode(texts, options)
        shown = self.progress_bar if progress_bar is None else progress_bar
        results = [
            self._rank(ids, positions, probabilities, top_k, allowed)
            for ids, positions, probabilities in _progress(
                self._probabilities(encoded, batch_size), len(encoded), shown
            )
        ]
        return results[0] if len(results) == 1 else results

    def _encode(self, texts: list[str], options: Mapping[str, Any]) -> list[BatchEncoding]:
        """Encode every text, and check them all before anything is computed."""
        limit = self.model.config.max_sequence_length
        if not options.keys() & {"padding", "truncation", "max_length"}:
            # told a limit, the tokenizer does not warn of long texts: the error below says which
            options = {**options, "truncation": False, "max_length": limit}
        encoded = [self.tokenizer(text, **options) for text in texts]
        for i, ids in enumerate(encoding["input_ids"] for encoding in encoded):
            which = f"text {i}" if len(texts) > 1 else "the text"
            if self.tokenizer.mask_token_id not in ids:
                raise ValueError(
                    f"{which} has no {self.tokenizer.mask_token} for the model to fill: "
                    f"{_shortened(texts[i])}"
                )
            if len(ids) > limit:
                raise ValueError(
                    f"{which} has {len(ids)} tokens, but the model takes at most {limit}: shorten "
                    "it, or truncate it with tokenizer_kwargs={'truncation': True, 'max_length': "
                    f"{limit}}}"
                )
        return encoded

    def _probabilities(
        self, encoded: list[BatchEncoding], batch_size: int
    ) -> Iterator[tuple[list[int], list[int], np.ndarray[Any, Any]]]:
        """Give each text's ids, its mask positions [M], and the probabilities there [M, V]."""
        mask_token_id = self.tokenizer.mask_token_id
        for start in range(0, len(encoded), batch_size):
            chunk = encoded[start : start + batch_size]
            batch = self.tokenizer.pad(chunk, return_tensors="np")
            probabilities = self._at_masks(batch["input_ids"], batch["attention_mask"])
            for encoding in chunk:
                ids = encoding["input_ids"]
                positions = [i for i, token in enumerate(ids) if token == mask_token_id]
                yield ids, positions, probabilities[: len(positions)]
                probabilities = probabilities[len(positions) :]

    def _at_masks(
        self, input_ids: np.ndarray[Any, Any], attention_mask: np.ndarray[Any, Any]
    ) -> np.ndarray[Any, Any]:  # [B, S], [B, S] -> [M, V]
        """Give the probabilities of every word at every mask of a batch, in reading order.

        The language-model head is run for the masks alone: at other positions nobody reads it.
        """
        like = self.model.word_embeddings
        xp = array_namespace(like)
        output = self.model.roberta(move_like(input_ids, like), move_like(attention_mask, like))
        hidden = output.last_hidden_state  # [B, S, H]
        where = np.flatnonzero(input_ids == self.tokenizer.mask_token_id)  # [M]
        rows = xp.reshape(hidden, (-1, hidden.shape[-1]))  # [B S, H]
        masked = xp.take(rows, move_like(where, like), axis=0)  # [M, H]
        return to_numpy(softmax(self.model.lm_head(masked)))

    def _rank(
        self,
        ids: list[int],
        positions: list[int],
        probabilities: np.ndarray[Any, Any],  # [M, V]
        top_k: int,
        allowed: list[int] | None,
    ) -> Fillings:
        """Name the best words of each mask of a text."""
        known = self._known_ids if allowed is None else allowed  # the model may have more rows
        candidates = np.array(known)
        fillings = []
        for position, row in zip(positions, probabilities, strict=True):
            order = np.argsort(-row[candidates], kind="stable")[:top_k]
            fillings.append(
                [
                    self._filling(ids, position, int(token), float(row[token]), len(positions) == 1)
                    for token in candidates[order]
                ]
            )
        return fillings[0] if len(fillings) == 1 else fillings

    def _filling(
        self, ids: list[int], position: int, token: int, score: float, only_mask: bool
    ) -> Filling:
        """Describe a word: with other masks left in the text, its special tokens are shown."""
        filled = [*ids[:position], token, *ids[position + 1 :]]
        filled = [id for id in filled if id != self.tokenizer.pad_token_id]
        return {
            "score": score,
            "token": token,
            "token_str": self.tokenizer.decode([token]),
            "sequence": self.tokenizer.decode(filled, skip_special_tokens=only_mask),
        }

    def _check_top_k(self, top_k: int) -> int:
        if not isinstance(top_k, Integral) or not 1 <= top_k <= len(self.tokenizer):
            raise ValueError(
                f"top_k is {top_k!r}, but must be from 1 to {len(self.tokenizer)}, the number of "
                "tokens in the vocabulary"
            )
        return top_k

    def _target_ids(self, targets: str | Sequence[str]) -> list[int]:
        """Find the token of each target: in the vocabulary as written, or else its first token."""
        if not isinstance(targets, Iterable):
            raise TypeError(f"targets is {targets!r}, but must be a str or a list of them")
        vocabulary = self.tokenizer.get_vocab()
        found: dict[int, None] = {}  # in order, each once
        for target in [targets] if isinstance(targets, str) else targets:
            if target in vocabulary:
                found[vocabulary[target]] = None
                continue
            ids = self.tokenizer.encode(target, add_special_tokens=False)
            if not ids:
                warnings.warn(f"target {target!r} has no token and is left out", stacklevel=3)
                continue
            if len(ids) > 1:
                tokens = self.tokenizer.convert_ids_to_tokens(ids)
                warnings.warn(
                    f"target {target!r} is not one token but {len(ids)} ({' '.join(tokens)}): "
                    f"{tokens[0]!r} is used instead",
                    stacklevel=3,
                )
            found[ids[0]] = None
        if not found:
            raise ValueError(f"targets is {targets!r}, but must name at least one token")
        return list(found)


def _texts(inputs: Any) -> list[str]:
    """Make a list of one text or several."""
    if isinstance(inputs, str):
        return [inputs]
    if not isinstance(inputs, Iterable) or isinstance(inputs, bytes):
        raise TypeError(f"inputs is {inputs!r}, but must be a str or a list of them")
    texts = list(inputs)
    for i, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(f"text {i} is {text!r}, but must be a str")
    return texts


def _progress(results: Iterator[Any], total: int, shown: bool) -> Iterator[Any]:
    if not shown:
        return results
    from tqdm import tqdm  # 40 ms that most calls do not need

    return iter(tqdm(results, total=total, unit="text"))


def _shortened(text: str) -> str:
    return repr(text if len(text) <= 60 else text[:57] + "...")
