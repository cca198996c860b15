"""What a tokenizer holds, and how it changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..added_tokens import AddedToken
from ..bpe import Pair
from ..rows.batches import Plan
from ..rows.options import CallOptions
from ..settings import SETTINGS, read_setting
from ..special_tokens import SpecialTokens
from ..tokens_in_use import TokensInUse
from ..vocabulary import Vocabulary


class TokenizerState:
    """The vocabulary, the special tokens and the settings."""

    errors: str
    add_prefix_space: bool
    trim_offsets: bool
    model_max_length: int | None
    model_input_names: Sequence[str]
    padding_side: str
    truncation_side: str
    clean_up_tokenization_spaces: bool
    split_special_tokens: bool

    _vocabulary: Vocabulary
    _merges: list[Pair]
    _ranks: Mapping[Pair, int]
    _parts: Mapping[str, Any]  # what tokenizer.json has in place of RoBERTa's own steps
    _special: SpecialTokens
    _in_use: TokensInUse
    _plans: list[tuple[CallOptions, Plan]]  # the last one, if there is one

    @property
    def vocab_size(self) -> int:
        """The number of entries of vocab.json; ``len(tokenizer)`` counts the added tokens too."""
        return len(self._vocabulary.base)

    def __len__(self) -> int:
        return len(self._vocabulary)

    def get_vocab(self) -> dict[str, int]:
        """Give all tokens, added ones included, with their ids, by rising id."""
        return dict(sorted(self._vocabulary.ids.items(), key=lambda entry: entry[1]))

    @property
    def vocab(self) -> dict[str, int]:
        """The same as `get_vocab` gives."""
        return self.get_vocab()

    @property
    def merges(self) -> list[Pair]:
        """The merges, in the order in which training found them."""
        return list(self._merges)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in SETTINGS:
            value = read_setting(name, value)
        super().__setattr__(name, value)
        if name in SETTINGS:
            self._plans = []  # a new one: a call that read the old setting fills the old one

    def __getstate__(self) -> dict[str, Any]:
        # Not what has been remembered of the calls so far.
        return vars(self) | {"_in_use": None, "_plans": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._take(self._vocabulary, self._special)

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in SETTINGS}

    def _take(self, vocabulary: Vocabulary, special: SpecialTokens) -> None:
        """Encode with these from now on.

        All changes in one step: other threads, and code that goes on after an interruption, find
        either the old tokens or the new ones.
        """
        in_use = TokensInUse(vocabulary, special, self._ranks, self._parts)
        vars(self).update(_vocabulary=vocabulary, _special=special, _in_use=in_use, _plans=[])

    def _add(self, tokens: Iterable[AddedToken], special: SpecialTokens | None = None) -> int:
        vocabulary = self._vocabulary.copy()
        count = sum([vocabulary.add(token) for token in tokens])
        self._take(vocabulary, self._special if special is None else special)
        return count
