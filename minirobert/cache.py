"""The key/value cache: what a decoder keeps of the tokens that it has read.

A decoder's token looks only back, so the keys and values of a token never change once they are
computed. With a cache, the next call computes those of the new tokens alone.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import singledispatch
from typing import Any

from .arrays import (
    Array,
    array_namespace,
    astype,
    device_of,
    index_dtype,
    is_array_api_obj,
    is_writeable,
)
from .checks import check_range, integers
from .rules import INTEGER, check
from .sentences import shown

__all__ = ["KeyValueCache", "LayerCache", "rows_of"]

_FIRST_CAPACITY = 64


class LayerCache:
    """The keys and values of one layer, in buffers that are larger than what they hold.

    A buffer that is full is replaced by one of twice its size, so that appending n tokens one by
    one copies fewer than 2 n in all, and not all of the past at every step.
    """

    def __init__(self) -> None:
        self._keys: Array | None = None  # [B, N, capacity, D]
        self._values: Array | None = None  # [B, N, capacity, D]
        # what held both before rows were selected; the next selection may write over it
        self._spare: tuple[Array | None, Array | None] = None, None
        #: K, how many tokens had been read when the forward pass began.
        self.past = 0
        #: Keys and values of the encoder's texts, each [B, N, E, D]: computed once.
        self.cross: tuple[Array, Array] | None = None

    def write(self, key: Array, value: Array) -> tuple[Array, Array]:
        """Put new tokens behind the past, and give all keys and values.

        Parameters
        ----------
        key, value : Array of shape [B, N, S, D]

        Returns
        -------
        keys, values : Array of shape [B, N, K + S, D]
            Views of the buffers.
        """
        past, end = self.past, self.past + key.shape[2]
        self._keys = _appended(self._keys, key, past, end)
        self._values = _appended(self._values, value, past, end)
        return self.read(end)

    def read(self, length: int) -> tuple[Array, Array]:
        """Give the keys and values of the first ``length`` tokens, as views of the buffers."""
        if self._keys is None or self._values is None:
            raise ValueError("the cache is empty: no token was read with it yet")
        return self._keys[:, :, :length, :], self._values[:, :, :length, :]

    def selected(self, rows: Array, length: int) -> LayerCache:
        """Give these rows of the batch alone, in this order; one may be named more than once."""
        xp, layer = array_namespace(rows), LayerCache()
        spare, layer._spare = self._spare, (self._keys, self._values)
        layer._keys, layer._values = map(rows_of, self.read(length), (rows, rows), spare)
        if self.cross is not None:
            keys, values = self.cross
            layer.cross = xp.take(keys, rows, axis=0), xp.take(values, rows, axis=0)
        return layer

    def convert(self, function: Callable[[Array], Array]) -> None:
        """Exchange each array for what a function makes of it."""
        self._spare = None, None
        if self._keys is not None and self._values is not None:
            self._keys, self._values = function(self._keys), function(self._values)
        if self.cross is not None:
            self.cross = function(self.cross[0]), function(self.cross[1])


@singledispatch
def rows_of(
    x: Array, rows: Array, spare: Array | None = None
) -> Array:  # [B, N, K, D], [X], [Y, N, capacity, D] -> [X, N, K or more, D]
    """Take rows of the batch, with room for others behind their K tokens, or without.

    The result may be put into an array that nobody needs.
    """
    return array_namespace(x).take(x, rows, axis=0)


def _appended(buffer: Array | None, new: Array, past: int, end: int) -> Array:
    """Give a buffer that holds ``new`` behind the first ``past`` tokens of this one."""
    if not is_writeable(new):  # where nothing can be written over, nothing is gained by room for it
        xp = array_namespace(new)
        return new if buffer is None else xp.concat([buffer[:, :, :past, :], new], axis=2)
    buffer = _with_room(buffer, new, past, end)
    buffer[:, :, past:end, :] = new
    return buffer


def _with_room(buffer: Array | None, like: Array, past: int, end: int) -> Array:
    """Give the buffer where ``end`` tokens fit, or else a larger one with the first ``past``."""
    if buffer is not None and buffer.shape[2] >= end:
        return buffer
    xp = array_namespace(like)
    batch, n_heads, _, size = like.shape
    shape = (batch, n_heads, max(2 * past, end, _FIRST_CAPACITY), size)
    larger = xp.empty(shape, dtype=like.dtype, device=device_of(like))
    if buffer is not None:
        larger[:, :, :past, :] = buffer[:, :, :past, :]
    return larger


class KeyValueCache:
    """What the layers of a decoder keep of the tokens that it has read, of a batch of texts.

    Make an empty one, or take that of a model's output, and give it to the next call as
    ``past_key_values`` with the tokens that follow. The call extends it in place.

    Its length changes only once a forward pass is through: one that was interrupted has read
    nothing. Threads that share a model have a cache each.

    >>> from minirobert import RobertaConfig, RobertaForCausalLM
    >>> config = RobertaConfig(vocab_size=9, num_hidden_layers=1, is_decoder=True)
    >>> model = RobertaForCausalLM(config)
    >>> cache = KeyValueCache()
    >>> _ = model([[0, 5, 6]], past_key_values=cache)
    >>> step = model([[7]], past_key_values=cache)
    >>> step.logits.shape, cache
    ((1, 1, 9), KeyValueCache(batch 1, 4 tokens, 1 layer))
    """

    def __init__(self) -> None:
        self.layers: list[LayerCache] = []
        #: bool [B, K]: False where padding was read, which does not count for positions.
        self.is_token: Array | None = None
        #: bool [B or 1, 1, 1 or S, E]: where the last call looked in the encoder's text.
        self.cross_attend: Array | None = None
        #: Whether the layers have keys and values of an encoder's text, since a pass was through.
        self.has_text = False

    def get_seq_length(self) -> int:
        """Give K, the number of tokens in the cache, padding included."""
        return 0 if self.is_token is None else int(self.is_token.shape[1])

    @property
    def batch_size(self) -> int | None:
        """B, or None while the cache is empty."""
        return None if self.is_token is None else int(self.is_token.shape[0])

    @property
    def n_tokens(self) -> Array | int:
        """How many tokens each row has read without padding, int64 [B, 1]; 0 if it is empty."""
        if self.is_token is None:
            return 0
        xp = array_namespace(self.is_token)
        return xp.sum(astype(self.is_token, index_dtype(xp)), axis=1, keepdims=True)

    def open(self, n_layers: int) -> list[LayerCache]:
        """Give the layers for a forward pass: new ones until a first pass was through."""
        if self.is_token is None:
            self.layers = [LayerCache() for _ in range(n_layers)]
        for layer in self.layers:
            layer.past = self.get_seq_length()
            if not self.has_text:  # else of a pass that was interrupted
                layer.cross = None
        return self.layers

    def advance(self, is_token: Array, cross_attend: Array | None = None) -> None:  # bool [B, S]
        """Count the tokens that every layer has written, and remember the encoder's mask.

        All at once, and last: an interruption before has changed nothing.
        """
        xp = array_namespace(is_token)
        has_text = bool(self.layers) and self.layers[0].cross is not None
        if cross_attend is None:
            cross_attend = self.cross_attend
        elif cross_attend is not self.cross_attend:  # it may be the caller's own
            cross_attend = xp.asarray(cross_attend, copy=True)
        if self.is_token is not None:
            is_token = xp.concat([self.is_token, is_token], axis=1)
        self.is_token, self.cross_attend, self.has_text = is_token, cross_attend, has_text

    def convert(self, function: Callable[[Array], Array]) -> None:
        """Exchange each array for what a function makes of it: the same in another library."""
        for layer in self.layers:
            layer.convert(function)
        if self.is_token is not None:
            self.is_token = function(self.is_token)
        if self.cross_attend is not None:
            self.cross_attend = function(self.cross_attend)

    def crop(self, length: int) -> None:
        """Forget all but the first tokens.

        Parameters
        ----------
        length : int
            How many to keep, padding included, from 0 to K. A negative number forgets so many.

        Raises
        ------
        ValueError
            If the cache does not hold so many.
        TypeError
            If the length is no integer.
        """
        check("length", length, INTEGER.but(", a number of tokens"), TypeError)
        past = self.get_seq_length()
        keep = past + length if length < 0 else length
        if not 0 <= keep <= past:
            raise ValueError(
                f"length is {shown(length)}, but the cache holds {past} tokens: give a number from "
                f"{-past} to {past}"
            )
        if keep == 0:
            self.layers, self.is_token, self.cross_attend, self.has_text = [], None, None, False
        elif self.is_token is not None:
            self.is_token = self.is_token[:, :keep]

    def reorder_cache(self, beam_idx: Any) -> None:
        """Make row i what row ``beam_idx[i]`` was.

        Parameters
        ----------
        beam_idx : integers of any length
            Rows of the batch, at least one. Naming each several times makes the batch larger.

        Raises
        ------
        ValueError
            If there is no such row, or none is named.
        TypeError
            If they are no integers.
        """
        if self.is_token is None:
            return
        xp = array_namespace(self.is_token)
        rows = integers("beam_idx", beam_idx, self.is_token, "[rows]", 1)
        batch = self.batch_size or 0
        check_range("beam_idx", rows, batch, f"the cache holds {batch} texts")
        rows = astype(rows, index_dtype(xp))
        layers = [layer.selected(rows, self.get_seq_length()) for layer in self.layers]
        is_token, attend = xp.take(self.is_token, rows, axis=0), self.cross_attend
        if attend is not None and attend.shape[0] > 1:  # one serves all
            attend = xp.take(attend, rows, axis=0)
        self.layers, self.is_token, self.cross_attend = layers, is_token, attend

    @classmethod
    def from_legacy_cache(cls, past_key_values: Sequence[Sequence[Array | None]]) -> KeyValueCache:
        """Copy what older code passes around: a tuple of a tuple of arrays for each layer.

        Parameters
        ----------
        past_key_values : L times (key, value) or (key, value, cross key, cross value)
            Of shape [B, N, K, D], the latter two [B, N, E, D] or None. Which of the tokens are
            padding is not known, so all are counted as text: give ``position_ids`` if some are not.

        Raises
        ------
        ValueError
            If the arrays do not fit together.
        """
        cache = cls()
        for i, layer in enumerate(cache.open(len(past_key_values))):
            key, value, *cross = _layer_arrays(i, past_key_values)
            layer.write(key, value)
            if cross and cross[0] is not None:
                copies = [array_namespace(one).asarray(one, copy=True) for one in cross]
                layer.cross = copies[0], copies[1]
        if cache.layers:
            xp = array_namespace(key)
            shape = (key.shape[0], key.shape[2])
            cache.advance(xp.ones(shape, dtype=xp.bool, device=device_of(key)))
        return cache

    def to_legacy_cache(self) -> tuple[tuple[Array, ...], ...]:
        """Copy the arrays into a tuple for each layer, as `from_legacy_cache` takes them.

        Returns
        -------
        L times (key, value) or (key, value, cross key, cross value)
            Of shape [B, N, K, D], the latter two [B, N, E, D].
        """
        return tuple(
            tuple(array_namespace(array).asarray(array, copy=True) for array in self[i])
            for i in range(len(self.layers))
        )

    def parts(self) -> tuple[Any, ...]:
        """Give the arrays that it holds, as a tree for libraries that look for arrays in one."""
        layers = tuple(self) if self.is_token is not None else ()
        return layers, self.is_token, self.cross_attend

    @classmethod
    def of_parts(cls, parts: tuple[Any, ...], has_text: bool) -> KeyValueCache:
        """Put together what `parts` gives, or whatever such a library has in the arrays' places."""
        cache = cls()
        arrays, cache.is_token, cache.cross_attend = parts
        cache.layers, cache.has_text = [LayerCache() for _ in arrays], has_text
        for layer, (key, value, *cross) in zip(cache.layers, arrays, strict=True):
            layer._keys, layer._values = key, value
            layer.cross = (cross[0], cross[1]) if cross else None
        return cache

    def __copy__(self) -> KeyValueCache:
        """Copy the buffers, too: both go on behind the same tokens, each in its own way."""
        return copy.deepcopy(self)

    def __getitem__(self, layer: int) -> tuple[Array, ...]:
        """Give the keys and values of a layer, which the next call may overwrite."""
        one = self.layers[layer]
        text = one.cross if self.has_text else None
        return (*one.read(self.get_seq_length()), *(text or ()))

    def __iter__(self) -> Iterator[tuple[Array, ...]]:
        return (self[i] for i in range(len(self.layers)))

    def __len__(self) -> int:
        return len(self.layers)

    def __bool__(self) -> bool:
        return True  # an empty cache is a cache all the same

    def __repr__(self) -> str:
        if self.is_token is None:
            return "KeyValueCache(empty)"
        batch, past = self.is_token.shape
        layers = f"{len(self.layers)} layer" + "s" * (len(self.layers) != 1)
        return f"KeyValueCache(batch {batch}, {past} tokens, {layers})"


def _is_layer(arrays: Any) -> bool:
    """Tell two arrays, or four, of which the latter two may be None."""
    if not isinstance(arrays, Sequence) or len(arrays) not in (2, 4):
        return False
    given = arrays[:2] if all(one is None for one in arrays[2:]) else arrays
    return all(is_array_api_obj(one) and not isinstance(one, type) for one in given)


def _layer_arrays(i: int, past_key_values: Sequence[Any]) -> Sequence[Any]:
    """Check the arrays of one layer; pruned layers may have fewer heads than others."""
    arrays: Sequence[Any] = past_key_values[i]
    if not _is_layer(arrays):
        raise ValueError(
            f"past_key_values[{i}] must be (key, value) or (key, value, cross key, cross value), "
            "each an array"
        )
    key, value, first = (tuple(one.shape) for one in (*arrays[:2], past_key_values[0][0]))
    if len(key) != 4 or key != value or key[:1] + key[2:] != first[:1] + first[2:]:
        raise ValueError(
            f"past_key_values[{i}] has key and value of shapes {list(key)} and {list(value)}, but "
            "all layers must have the same [batch, heads, tokens, head size]"
        )
    return arrays
