"""Rows of ids: their special tokens, their length, their padding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from ...checks import warn
from ...documentation import documented, entries
from ...rules import BOOLEAN, check
from ..decoding import as_ids
from ..encoded_text import EncodedText
from ..layout import keeps_first_space
from ..rows.batch_encoding import BatchEncoding
from ..rows.batches import Plan, encode_batch, pad_batch
from ..rows.columns import id_of
from ..rows.inputs import Batch
from ..rows.lengths import NOTHING_TO_DO, plan_lengths
from ..rows.options import OPTIONS, CallOptions, are_equal, other_options
from ..rows.truncation import truncated
from ..rows.windows import Framing, RowFormat
from .conversions import ConversionMixin

T = TypeVar("T")


class RowMixin(ConversionMixin):
    """Makes rows of ids: frames, cuts and pads them."""

    _has_warned_of_length = False

    def build_inputs_with_special_tokens(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Frame ids: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A.
        token_ids_1 : sequence of int, optional
            The ids of B.

        Returns
        -------
        list of int

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().build_inputs_with_special_tokens([5, 6], [7])
        [0, 5, 6, 2, 2, 7, 2]
        """
        sequences = [self._checked(ids) for ids in _one_or_two(token_ids_0, token_ids_1)]
        return self._in_use.framing.row(sequences, id_of)

    @documented(entries(build_inputs_with_special_tokens))
    def get_special_tokens_mask(
        self,
        token_ids_0: Sequence[int],
        token_ids_1: Sequence[int] | None = None,
        already_has_special_tokens: bool = False,
    ) -> list[int]:
        """Mark special tokens with 1 and the others with 0.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A, or of a whole row.
        already_has_special_tokens : bool
            Whether `token_ids_0` is a row that has its special tokens. All special tokens in it
            are marked then, else those that `build_inputs_with_special_tokens` puts in.

        Returns
        -------
        list of int

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().get_special_tokens_mask([5, 6], [7])
        [1, 0, 0, 1, 1, 0, 1]
        """
        check("already_has_special_tokens", already_has_special_tokens, BOOLEAN, TypeError)
        if not already_has_special_tokens:
            zeros = [[0] * len(as_ids(ids)) for ids in _one_or_two(token_ids_0, token_ids_1)]
            return self._in_use.framing.row(zeros, lambda _: 1)
        if token_ids_1 is not None:
            raise ValueError(
                "token_ids_1 is given although already_has_special_tokens=True: token_ids_0 must"
                " then be the whole row"
            )
        special = set(self.all_special_ids)
        return [int(index in special) for index in as_ids(token_ids_0)]

    @documented(entries(build_inputs_with_special_tokens))
    def create_token_type_ids_from_sequences(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Give the token type ids of a row: zeros, for RoBERTa has no others.

        Returns
        -------
        list of int
        """
        sequences = [self._checked(ids) for ids in _one_or_two(token_ids_0, token_ids_1)]
        return self._in_use.framing.type_ids([len(ids) for ids in sequences])

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Tell how many special tokens frame a sequence: 2, or 4 for a pair."""
        check("pair", pair, BOOLEAN, TypeError)
        return self._in_use.framing.special_token_count(2 if pair else 1)

    @property
    def max_len_single_sentence(self) -> int | None:
        """How many tokens of one text the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(1)

    @property
    def max_len_sentences_pair(self) -> int | None:
        """How many tokens of a pair the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(2)

    @documented(other_options())
    def prepare_for_model(
        self,
        ids: Sequence[int],
        pair_ids: Sequence[int] | None = None,
        *,
        prepend_batch_axis: bool = False,
        **options: Any,
    ) -> BatchEncoding:
        """Cut, frame and pad ids as a call of the tokenizer does with those of a text.

        Parameters
        ----------
        ids : sequence of int
            The ids of a text, as `convert_tokens_to_ids` gives them.
        pair_ids : sequence of int, optional
            The ids of the second text of a pair.
        prepend_batch_axis : bool
            Whether arrays are ``[1, S]``, as a call of the tokenizer gives them, and not ``[S]``.
            With `return_overflowing_tokens` there may be several rows, and arrays are ``[B, S]``.

        Returns
        -------
        BatchEncoding
            As a call of the tokenizer gives it. Of words and offsets nothing is known.

        Raises
        ------
        ValueError
            If no token has one of the ids, or as a call of the tokenizer.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.prepare_for_model([4, 4, 4], truncation=True, max_length=4).input_ids
        [0, 4, 4, 2]
        """
        sequences = [self._checked(each) for each in _one_or_two(ids, pair_ids)]
        told = CallOptions(**options)
        plan = self._plan(told)._replace(encode=_without_text)
        encoding = encode_batch(Batch[list[int]]([tuple(sequences)], True), plan)
        if told.return_tensors and not (prepend_batch_axis or told.return_overflowing_tokens):
            for name, array in encoding.items():
                encoding[name] = array.reshape(array.shape[1:])
        return encoding

    @documented(OPTIONS)
    def pad(
        self,
        encoded_inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool | None = None,
        return_tensors: str | None = None,
        verbose: bool = True,
    ) -> BatchEncoding:
        """Pad rows that are encoded already, for instance to make a batch of single encodings.

        Parameters
        ----------
        encoded_inputs : mapping, or sequence of mappings
            One encoding or a batch, with ``input_ids``, of lists or arrays. Columns that do not
            run along the tokens stay as they are.
        max_length : int, optional
            The length to pad to with ``"max_length"``; by default `model_max_length`.
        return_attention_mask : bool, optional
            Whether to make an attention mask where there is none; by default if `model_input_names`
            has it.
        return_tensors : str, optional
            As for a call of the tokenizer; by default arrays give arrays of the same library, those
            of PyTorch on the CPU, and lists give lists.
        verbose : bool
            Whether to warn of arguments that have no effect.

        Returns
        -------
        BatchEncoding
            The padded encoding. One encoding gives lists of integers or arrays ``[S]``, a batch
            lists of lists or arrays ``[B, S]``.

        Raises
        ------
        TypeError
            If the ids are no integers.
        ValueError
            If there are no ids, if columns that are padded differ in length from the ids, or if
            other columns make no array of numbers where arrays are asked for.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.pad([{"input_ids": [0, 2]}, {"input_ids": [0, 4, 2]}])
        {'input_ids': [[0, 2, 1], [0, 4, 2]], 'attention_mask': [[1, 1, 0], [1, 1, 1]]}
        """
        options = CallOptions(
            padding=padding,
            truncation=False,
            max_length=max_length,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_attention_mask=return_attention_mask,
            return_tensors=return_tensors,
            verbose=verbose,
        )
        return pad_batch(encoded_inputs, self._plan(options))

    def truncate_sequences(
        self,
        ids: Sequence[int],
        pair_ids: Sequence[int] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: bool | str = "longest_first",
        stride: int = 0,
    ) -> tuple[list[int], list[int] | None, list[int]]:
        """Shorten one sequence of ids, or two, by a number of tokens.

        Parameters
        ----------
        ids, pair_ids : sequence of int
            The ids of a text, and of the second text of a pair, without special tokens.
        num_tokens_to_remove : int
            How many ids to remove in all.
        truncation_strategy : bool or str
            As `truncation` of a call of the tokenizer.
        stride : int
            How many of the ids that are kept are repeated with those that are removed.

        Returns
        -------
        ids, pair_ids : list of int
            What is left of both; None where there is no second one.
        overflowing : list of int
            What is removed, with `stride` ids of what is left; empty where tokens of both
            sequences are removed.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().truncate_sequences([5, 6, 7, 8], None, 2, stride=1)
        ([5, 6], None, [6, 7, 8])
        """
        sequences = [as_ids(each) for each in _one_or_two(ids, pair_ids)]
        kept, overflowing = truncated(
            sequences, num_tokens_to_remove, truncation_strategy, stride, self.truncation_side
        )
        return kept[0], kept[1] if len(kept) > 1 else None, overflowing

    def _plan(self, options: CallOptions) -> Plan:
        """Resolve options; the plan of the last call is reused if they are equal."""
        plans = self._plans
        for told, plan in plans:
            if are_equal(told, options):
                return plan
        in_use = self._in_use
        prefix = _given(options.add_prefix_space, self.add_prefix_space)
        row_format = self._row_format(options, prefix, in_use.framing)
        encode = in_use.encoder.encoding(
            prefix,
            _given(options.split_special_tokens, self.split_special_tokens),
            options.return_offsets_mapping,
            row_format.trim_offsets,
        )
        is_checked = options.verbose and options.max_length is None
        plan = Plan(
            options,
            row_format,
            names=options.columns(self.model_input_names),
            encode=encode,
            check_longest=self._warn_if_too_long if is_checked else None,
        )
        if row_format.lengths is NOTHING_TO_DO:  # else there may be warnings, again each time
            plans[:] = [(options, plan)]
        return plan

    def _row_format(self, options: CallOptions, prefix: bool, framing: Framing) -> RowFormat:
        lengths = plan_lengths(options.checked(), self.model_max_length)
        if lengths.padding != "do_not_pad" and self.pad_token is None:
            raise ValueError(
                "this tokenizer has no padding token: give it one, such as tokenizer.pad_token ="
                " tokenizer.eos_token, or tokenizer.add_special_tokens({'pad_token': '<pad>'})"
            )
        return RowFormat(
            lengths=lengths,
            truncation_side=self.truncation_side,
            padding_side=_given(options.padding_side, self.padding_side),
            framing=framing,
            add_special_tokens=options.add_special_tokens,
            keeps_first_space=_given(keeps_first_space(self._parts), prefix),
            trim_offsets=self.trim_offsets,
        )

    def _warn_if_too_long(self, longest: int) -> None:
        if self.model_max_length is None or self._has_warned_of_length:
            return
        if longest > self.model_max_length:
            self._has_warned_of_length = True
            warn(
                f"a row has {longest} tokens, but the model takes {self.model_max_length}: pass"
                " truncation=True (this tokenizer warns once)"
            )

    def _room_for_texts(self, n_texts: int) -> int | None:
        if self.model_max_length is None:
            return None
        return self.model_max_length - self._in_use.framing.special_token_count(n_texts)

    def _checked(self, ids: Any) -> list[int]:
        """Read ids, each of which must be that of a token."""
        several = as_ids(ids)
        self._vocabulary.tokens_of(several)
        return several


def _given(value: T | None, default: T) -> T:
    return default if value is None else value


def _one_or_two(first: Sequence[int], second: Sequence[int] | None) -> list[Sequence[int]]:
    return [first] if second is None else [first, second]


def _without_text(ids: list[int]) -> EncodedText:
    return EncodedText(ids, _no_text)


def _no_text() -> NoReturn:
    raise ValueError(
        "this row was made from ids, so nothing is known of words and offsets: give the tokenizer"
        " the text"
    )
