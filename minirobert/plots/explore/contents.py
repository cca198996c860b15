"""What the page shows, as JSON has it: lists, dictionaries, strings and short numbers."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...arrays import Array, to_numpy
from ...models.base import RobertaPreTrainedModel
from ...models.language_models import LanguageModel, RobertaForCausalLM
from ...observe import watch
from ...sentences import type_name
from ...tokenization import RobertaTokenizer
from . import tokens
from .numbers import Numbers, finite
from .texts import Text, check_counterpart, encoded
from .words import best_words, moved_by_patching

__all__ = ["contents"]

#: Attention weights are written as whole numbers, of which so many are 1.
_WHOLE = 10_000


def contents(
    model: RobertaPreTrainedModel,
    tokenizer: RobertaTokenizer,
    text: str,
    against: str | None,
    progress_bar: bool,
) -> dict[str, Any]:
    """Run a model on a text, and gather what there is to see."""
    one = encoded(model, tokenizer, "text", text)
    other = None if against is None else encoded(model, tokenizer, "against", against)
    if other is not None:
        _check_words(model)
        check_counterpart(tokenizer, one, other)
    found = {
        "text": text,
        "model": type(model).__name__,
        "continues": isinstance(model, RobertaForCausalLM),
        "mask": tokenizer.mask_token_id,
        "chosen": one.chosen,
        **_seen(model, tokenizer, one),
        **_pieces(tokenizer, one),
        "patched": None,
    }
    if other is not None:
        found["patched"] = _patched(model, tokenizer, one, other, found["lens"], progress_bar)
    found["words"] = {i: tokens.label(tokenizer, i) for i in sorted(_named(found["lens"]))}
    return found


def _check_words(model: Any) -> None:
    if not isinstance(model, LanguageModel):
        raise ValueError(
            "against needs a language model, of whose words patching moves the scores, but the "
            f"model is a {type_name(model)}: leave it out, or load a RobertaForMaskedLM"
        )


def _seen(model: RobertaPreTrainedModel, tokenizer: RobertaTokenizer, text: Text) -> dict[str, Any]:
    """Look at a forward pass: rows of the position table, attention, words of each layer."""
    encoder: Any = getattr(model, "roberta", model)
    with watch(keep="position_ids") as seen:
        output = encoder(**text.batch, output_attentions=True, output_hidden_states=True)
    places = _places(seen, len(text.ids))
    return {
        "tokens": tokens.rows(tokenizer, text.encoding, places),
        **_packed([finite(layer)[0] for layer in output.attentions]),
        **_words(model, text, output.hidden_states),
    }


def _places(seen: Mapping[str, Array], length: int) -> Sequence[int | None]:
    """Give each token's row of the position table, or none where there is no table."""
    for array in seen.values():
        places: list[int | None] = to_numpy(array)[0].tolist()
        return places
    return [None] * length


def _packed(attentions: Sequence[Numbers]) -> dict[str, Any]:  # L times [N, S, T]
    """Write attention weights in few bytes: all low bytes, then all high ones, most of them 0."""
    layers = [np.rint(layer * _WHOLE).astype("<u2") for layer in attentions]
    low_high = np.concatenate([layer.reshape(-1, 1) for layer in layers]).view(np.uint8)
    # only runs are looked for: what else repeats among such numbers does so by chance
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    packed = packer.compress(low_high.T.tobytes()) + packer.flush()
    weights = base64.b64encode(packed).decode("ascii")
    return {"heads": list(map(len, layers)), "whole": _WHOLE, "weights": weights}


def _pieces(tokenizer: RobertaTokenizer, text: Text) -> dict[str, Any]:
    """Tell how the tokens came about, or why that is not known."""
    try:
        pieces = tokens.pieces(tokenizer, text.content)
    except ValueError as error:  # of a tokenizer.json with other steps than RoBERTa's
        return {"pieces": [], "first": text.first, "unexplained": str(error)}
    return {"pieces": pieces, "first": text.first, "unexplained": None}


def _words(model: RobertaPreTrainedModel, text: Text, states: Sequence[Array]) -> dict[str, Any]:
    """Find the best words, if the model has a head for them."""
    if not isinstance(model, LanguageModel):
        return {"lens": [], "own": []}
    following: list[int | None] = [*text.ids[1:], None]
    targets = following if isinstance(model, RobertaForCausalLM) else [*text.ids]
    return best_words(model, states, targets)


def _named(lens: Sequence[Sequence[Sequence[float]]]) -> set[int]:
    """Collect the ids of all words."""
    return {int(index) for layer in lens for row in layer for index in row[::2]}


def _patched(
    model: Any, tokenizer: RobertaTokenizer, one: Text, other: Text, lens: Any, progress_bar: bool
) -> dict[str, Any]:
    """Put the states of the text into the other one, and follow its best word."""
    word = lens[-1][one.chosen][0]
    moved = moved_by_patching(
        model, one.batch, other.batch, word=word, position=one.chosen, progress_bar=progress_bar
    )
    labels = [tokens.label(tokenizer, index) for index in other.ids]
    return {"text": other.content, "word": word, "labels": labels, "moved": moved}
