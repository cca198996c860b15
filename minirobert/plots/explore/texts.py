"""The texts of the page, ready for the model: encoded, and checked against each other."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ...arrays import Array, move_like
from ...models import RobertaForCausalLM
from ...models.base import RobertaPreTrainedModel
from ...sentences import plain, shown
from ...tokenization import BatchEncoding, RobertaTokenizer

__all__ = ["Text", "check_counterpart", "encoded"]


class Text(NamedTuple):
    """A text as the model is called with it."""

    content: str
    encoding: BatchEncoding
    ids: list[int]  # S of them
    batch: dict[str, Array]  # [1, S], where the model is
    chosen: int  # the position whose words are shown first
    is_asked: bool  # whether the text asks for a word there

    @property
    def first(self) -> int:
        """Count the special tokens before the text's own."""
        parts = self.encoding.sequence_ids()
        return next((i for i, part in enumerate(parts) if part is not None), 0)


def encoded(
    model: RobertaPreTrainedModel, tokenizer: RobertaTokenizer, name: str, content: str
) -> Text:
    """Encode a text as the pipelines do: one to continue has nothing behind it."""
    limit = model.config.max_sequence_length
    # told a limit, the tokenizer does not warn of long texts: the error below says which
    options: dict[str, Any] = {"truncation": False, "max_length": limit, "return_tensors": "np"}
    encoding = tokenizer([content], return_offsets_mapping=True, **options)
    ids = encoding["input_ids"]  # [1, S]
    if isinstance(model, RobertaForCausalLM):
        ends = [i + 1 for i, part in enumerate(encoding.sequence_ids()) if part is not None]
        ids = ids[:, : max(ends, default=1)]
    length = ids.shape[1]
    if length > limit:
        raise ValueError(
            f"{name} has {length} tokens, but the model takes at most {limit}: shorten it"
        )
    batch = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
    placed = {key: move_like(array, model.word_embeddings) for key, array in batch.items()}
    chosen, is_asked = _chosen(model, ids[0].tolist(), tokenizer.mask_token_id)
    return Text(content, encoding, ids[0].tolist(), placed, chosen, is_asked)


def _chosen(model: RobertaPreTrainedModel, ids: list[int], mask: int | None) -> tuple[int, bool]:
    """Choose the last token of a text to continue, or else the first mask, or the first token."""
    if isinstance(model, RobertaForCausalLM):
        return len(ids) - 1, True
    if mask in ids:
        return ids.index(mask), True
    return min(1, len(ids) - 1), False


def check_counterpart(tokenizer: RobertaTokenizer, text: Text, against: Text) -> None:
    """Refuse texts that cannot be patched position by position."""
    if not text.is_asked:
        raise ValueError(
            f"text is {shown(text.content, 60)}, without a {plain(tokenizer.mask_token)} at which "
            "patching could score a word: put one into it"
        )
    if len(against.ids) != len(text.ids):
        raise ValueError(
            f"text has {len(text.ids)} tokens and against {len(against.ids)}, but they must have "
            "as many, so that each position has its counterpart: choose words of as many tokens "
            "(minirobert tokenize shows them)"
        )
