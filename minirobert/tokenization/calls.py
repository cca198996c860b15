"""What a call of the tokenizer does: from texts to rows of ids, framed, cut and padded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NoReturn, TypeVar

from ..checks import warn
from .base import TokenizerBase
from .decoding import as_ids
from .rows.batch_encoding import BatchEncoding
from .rows.columns import Call, encode_batch, encode_one, is_plain
from .rows.inputs import Batch, is_sequence_of, read_texts, read_words
from .rows.lengths import check_count, plan_lengths, say_nothing
from .rows.padding import pad_columns, padded_length, read_pad_input
from .rows.tensors import check_tensor_type, tensor_type_of, to_tensors
from .rows.truncation import truncated
from .rows.windows import RowFormat
from .settings import CHECKS, check_side
from .special_tokens import special_token_count, with_special_tokens
from .text_encoder import EncodedText
from .texts import check_text

# One text, a batch of texts, or a batch of pairs; each text may be a list of words.
TextInput = str | Sequence[str] | Sequence[Sequence[str]] | Sequence[Sequence[Sequence[str]]]

T = TypeVar("T")


class CallableTokenizer(TokenizerBase):
    """The half of `RobertaTokenizer` that encodes texts, as its attributes tell it to."""

    add_prefix_space: bool
    trim_offsets: bool
    split_special_tokens: bool
    model_max_length: int | None
    model_input_names: Sequence[str]
    padding_side: str
    truncation_side: str
    _has_warned_of_length = False

    def __setattr__(self, name: str, value: Any) -> None:
        check = CHECKS.get(name)
        super().__setattr__(name, check(name, value) if check else value)

    def __call__(
        self,
        text: TextInput | None = None,
        text_pair: TextInput | None = None,
        text_target: TextInput | None = None,
        text_pair_target: TextInput | None = None,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        *,
        add_prefix_space: bool | None = None,
        split_special_tokens: bool | None = None,
    ) -> BatchEncoding:
        """Encode a text, a pair of texts, a batch of texts or a batch of pairs.

        Parameters
        ----------
        text : str, sequence of str, or sequence of pairs of str
            The text or texts.
        text_pair : str or sequence of str, optional
            The second text of the pair, or those of the batch.
        text_target, text_pair_target : as `text` and `text_pair`, optional
            Texts whose ids are returned as ``labels``, or, without `text`, in place of it.
        add_special_tokens : bool
            Whether to frame the sequences: ``<s> A </s>`` or ``<s> A </s></s> B </s>``.
        padding : bool or str
            True or ``"longest"``: pad to the longest row. ``"max_length"``: pad to `max_length`.
        truncation : bool or str, optional
            True or ``"longest_first"``: shorten the longer text of a pair first. ``"only_first"``,
            ``"only_second"``: shorten that text. None, the default, truncates if `max_length` is
            given and nothing is padded, with a warning.
        max_length : int, optional
            The most tokens of a row, special tokens included; by default `model_max_length`.
        stride : int
            How many tokens a row shares with the next one, where `return_overflowing_tokens` asks
            for the next one.
        is_split_into_words : bool
            Whether each text is a list of words. A space is put before each word that does not
            begin with one.
        pad_to_multiple_of : int, optional
            Pad to a multiple of this number.
        padding_side : str, optional
            ``"right"`` or ``"left"``, by default the attribute of this name.
        return_tensors : str, optional
            ``"np"``, ``"cp"`` or ``"pt"`` for arrays of NumPy, CuPy or PyTorch with int64, by
            default lists.
        return_token_type_ids, return_attention_mask, return_special_tokens_mask : bool
            Whether to return these columns; by default those of the first two that are among
            `model_input_names`, which is only the attention mask. Token type ids are
            always 0. The attention mask is 0 for padding. The special tokens mask is 1 for padding
            and for the special tokens that frame the sequences, 0 for special tokens in the text.
        return_overflowing_tokens : bool
            Whether what truncation cuts off is returned too, as more rows of the same format. The
            column ``overflow_to_sample_mapping`` has for each row the number of its text.
        return_offsets_mapping : bool
            Whether to return for each token the characters ``(start, end)`` that it stands for.
        return_length : bool
            Whether to return the lengths of the rows.
        verbose : bool
            Whether to warn of arguments that have no effect and of rows that are too long.
        add_prefix_space, split_special_tokens : bool, optional
            As for the class, for this call only.

        Returns
        -------
        BatchEncoding
            ``input_ids`` and the other columns: for one text a list of integers, for a batch a list
            of such lists, or arrays ``[B, S]`` in either case.

        Raises
        ------
        TypeError
            If a text is no string.
        ValueError
            If a text has a lone surrogate, if an argument is none of those above, or if a row
            cannot be cut to `max_length`.

        Examples
        --------
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6}
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer("ab", "b").input_ids
        [0, 4, 5, 2, 2, 5, 2]
        >>> tokenizer(["ab", "b"], padding=True).attention_mask
        [[1, 1, 1, 1], [1, 1, 1, 0]]
        >>> windows = tokenizer(
        ...     "abbab", max_length=5, truncation=True, stride=1, return_overflowing_tokens=True
        ... )
        >>> windows.input_ids
        [[0, 4, 5, 5, 2], [0, 5, 4, 5, 2]]
        """
        read = read_words if is_split_into_words else read_texts
        if text is None:
            text, text_pair, text_target = text_target, text_pair_target, None
        if text is None:
            raise TypeError("there is no text: give text or text_target")
        batch = read(text, text_pair)
        targets = None if text_target is None else read(text_target, text_pair_target)
        call = self._call(
            add_special_tokens,
            padding,
            truncation,
            max_length,
            stride,
            pad_to_multiple_of,
            padding_side,
            # The words of a text are words with a space before them, wherever they come from.
            True if is_split_into_words else add_prefix_space,
            split_special_tokens,
            return_tensors,
            return_token_type_ids,
            return_attention_mask,
            return_overflowing_tokens,
            return_special_tokens_mask,
            return_offsets_mapping,
            return_length,
            verbose,
        )
        encoding = self._run(call, batch)
        if targets is not None:
            encoding["labels"] = self._run(call, targets)["input_ids"]
        return encoding

    def encode(
        self,
        text: Any,
        text_pair: Any = None,
        add_special_tokens: bool = True,
        **options: Any,
    ) -> Any:
        """Encode one text or one pair and give only the ids.

        Parameters
        ----------
        text : str, sequence of str, or sequence of int
            The text, its tokens or its ids; its words with ``is_split_into_words=True``.
        text_pair : str, sequence of str, or sequence of int, optional
            The second text of a pair.
        add_special_tokens : bool
            Whether to frame the sequences.
        **options
            The other arguments of a call of the tokenizer.

        Returns
        -------
        list of int
            The ids, or an array ``[1, S]`` with `return_tensors`.

        Examples
        --------
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.encode("a<mask>"), tokenizer.encode(["a", "<mask>"])
        ([0, 4, 5, 2], [0, 4, 5, 2])
        """
        if isinstance(text, str) and text_pair is None and add_special_tokens and not options:
            # The most frequent call, without what is needed for the others.
            check_text(text, "text")
            encoder, framing = self._encoder, self._framing
            ids = encoder.ids(text, self.add_prefix_space, self.split_special_tokens)
            row = with_special_tokens([ids], framing.cls[1], framing.sep[1])
            self._warn_if_too_long(len(row))
            return row
        options["add_special_tokens"] = add_special_tokens
        return self.encode_plus(text, text_pair, **options)["input_ids"]

    def encode_plus(
        self,
        text: Any,
        text_pair: Any = None,
        **options: Any,
    ) -> BatchEncoding:
        """Encode one text or one pair: what `encode` gives, with all columns.

        Parameters
        ----------
        text, text_pair, **options
            As for `encode`.

        Returns
        -------
        BatchEncoding
            As a call of the tokenizer gives it.
        """
        if isinstance(text, str) or options.get("is_split_into_words"):
            _check_single(text, options.get("is_split_into_words", False))
            return self(text, text_pair, **options)
        second = None if text_pair is None else self._known_ids("text_pair", text_pair)
        ids = self._known_ids("text", text)
        return self.prepare_for_model(ids, second, prepend_batch_axis=True, **options)

    def batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], **options: Any
    ) -> BatchEncoding:
        """Encode a batch of texts or of pairs.

        Parameters
        ----------
        batch_text_or_text_pairs : sequence of str, or of pairs of str
            The batch; with ``is_split_into_words=True`` of lists of words, or of pairs of such
            lists.
        **options
            The other arguments of a call of the tokenizer.

        Returns
        -------
        BatchEncoding
            As a call of the tokenizer gives it.
        """
        if not isinstance(batch_text_or_text_pairs, list | tuple):
            raise TypeError(
                f"batch_text_or_text_pairs is of type {type(batch_text_or_text_pairs).__name__}: it"
                " must be a list; for one text, call the tokenizer"
            )
        return self(batch_text_or_text_pairs, **options)

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
        **options
            The other arguments of a call of the tokenizer that are not about texts.

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
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.prepare_for_model([4, 4, 4], truncation=True, max_length=4).input_ids
        [0, 4, 4, 2]
        """
        sequences = [self._checked(ids)]
        if pair_ids is not None:
            sequences.append(self._checked(pair_ids))
        call = self._call(**options)
        encoding = encode_batch(_without_text, [sequences], call, is_single=True)
        if call.tensor_type and not prepend_batch_axis and not call.with_samples:
            for name, array in encoding.items():
                encoding[name] = array.reshape(array.shape[1:])
        return encoding

    def tokenize(
        self,
        text: str | Sequence[str],
        pair: str | Sequence[str] | None = None,
        add_special_tokens: bool = False,
        **options: Any,
    ) -> list[str]:
        """Split a text into tokens.

        Parameters
        ----------
        text : str
            The text.
        pair : str, optional
            The second text of a pair.
        add_special_tokens : bool
            Whether to frame the tokens.
        **options
            The other arguments of a call of the tokenizer.

        Returns
        -------
        list of str
            The tokens, in the byte alphabet.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().tokenize("Hello world")
        ['H', 'ell', 'o', 'Ġworld']
        """
        _check_single(text, options.get("is_split_into_words", False))
        options = {"verbose": False, "add_special_tokens": add_special_tokens, **options}
        return self(text, pair, **options).tokens()

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
        ids : sequence of int
            The ids of a text, without special tokens.
        pair_ids : sequence of int, optional
            Those of the second text of a pair.
        num_tokens_to_remove : int
            How many ids to remove in all.
        truncation_strategy : bool or str
            As `truncation` of a call of the tokenizer.
        stride : int
            How many of the ids that are kept are repeated with those that are removed.

        Returns
        -------
        ids : list of int
            What is left of the first sequence.
        pair_ids : list of int or None
            What is left of the second.
        overflowing : list of int
            What is removed, with `stride` ids of what is left; empty where tokens of both
            sequences are removed.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> RobertaTokenizer.from_pretrained().truncate_sequences([5, 6, 7, 8], None, 2, stride=1)
        ([5, 6], None, [6, 7, 8])
        """
        sequences = [as_ids(ids)] if pair_ids is None else [as_ids(ids), as_ids(pair_ids)]
        kept, overflowing = truncated(
            sequences, num_tokens_to_remove, truncation_strategy, stride, self.truncation_side
        )
        return kept[0], kept[1] if len(kept) > 1 else None, overflowing

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
        padding, max_length, pad_to_multiple_of, padding_side
            As for a call of the tokenizer.
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
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> from minirobert import RobertaTokenizer
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.pad([{"input_ids": [0, 2]}, {"input_ids": [0, 4, 2]}])
        {'input_ids': [[0, 2, 1], [0, 4, 2]], 'attention_mask': [[1, 1, 0], [1, 1, 1]]}
        """
        check_tensor_type(return_tensors)
        side = self._side_to_pad(padding_side)
        plan = plan_lengths(
            padding,
            False,
            max_length,
            pad_to_multiple_of,
            self.model_max_length,
            warn=warn if verbose else say_nothing,
        )
        columns, is_single, library = read_pad_input(encoded_inputs)
        is_masked = _or(return_attention_mask, "attention_mask" in self.model_input_names)
        if is_masked and "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * len(row) for row in columns["input_ids"]]
        lengths = [len(row) for row in columns["input_ids"]]
        length = padded_length(lengths, plan.padding, plan.max_length, plan.pad_to_multiple_of)
        columns = pad_columns(columns, length, self.pad_token_id, side)
        tensor_type = return_tensors or tensor_type_of(library)
        if is_single:
            columns = {name: rows[0] for name, rows in columns.items()}
        return BatchEncoding(to_tensors(columns, tensor_type) if tensor_type else columns)

    # What the methods above have in common

    def _call(
        self,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        stride: int = 0,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        add_prefix_space: bool | None = None,
        split_special_tokens: bool | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
    ) -> Call:
        """Check the arguments of a call, and fill in what the tokenizer was told once for all."""
        check_tensor_type(return_tensors)
        check_count("stride", stride, 0)
        lengths = plan_lengths(
            padding,
            truncation,
            max_length,
            pad_to_multiple_of,
            self.model_max_length,
            stride if return_overflowing_tokens else None,
            warn if verbose else say_nothing,
        )
        row_format = RowFormat(
            lengths,
            self.truncation_side,
            self._side_to_pad(padding_side),
            self._framing,
            add_special_tokens,
            _or(add_prefix_space, self.add_prefix_space),
            self.trim_offsets,
        )
        return Call(
            row_format,
            _or(split_special_tokens, self.split_special_tokens),
            _or(return_token_type_ids, "token_type_ids" in self.model_input_names),
            _or(return_attention_mask, "attention_mask" in self.model_input_names),
            return_special_tokens_mask,
            return_offsets_mapping,
            return_overflowing_tokens,
            return_length,
            return_tensors,
            self._warn_if_too_long if verbose and max_length is None else None,
        )

    def _side_to_pad(self, given: str | None) -> str:
        return self.padding_side if given is None else check_side("padding_side", given)

    def _run(self, call: Call, batch: Batch) -> BatchEncoding:
        encode = partial(
            self._encoder.encode,
            add_prefix_space=call.row_format.add_prefix_space,
            split_special_tokens=call.split_special_tokens,
            with_offsets=call.with_offsets,
            trim_offsets=call.row_format.trim_offsets,
        )
        rows, is_single = batch
        if is_single and is_plain(call):
            text, *pair = rows[0]
            if isinstance(text, str) and not pair:
                return encode_one(self._encoder, encode, text, call)
        return encode_batch(encode, rows, call, is_single)

    def _warn_if_too_long(self, longest: int) -> None:
        if self.model_max_length is None or self._has_warned_of_length:
            return
        if longest > self.model_max_length:
            self._has_warned_of_length = True
            warn(
                f"a row has {longest} tokens, but the model takes {self.model_max_length}: pass"
                " truncation=True (this tokenizer warns once)"
            )

    def _known_ids(self, where: str, tokens: Any) -> list[int]:
        """Read a text that is given as tokens or as ids."""
        if is_sequence_of(str, tokens):
            return self.convert_tokens_to_ids(list(tokens))
        if is_sequence_of(int, tokens) or tokens in ([], ()):
            return list(tokens)
        raise TypeError(
            f"{where} is {tokens!r:.60}: it must be one str, or the tokens or ids of one text; for"
            " a batch, call the tokenizer"
        )

    # How long a row may be

    @property
    def max_len_single_sentence(self) -> int | None:
        """How many tokens of one text the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(1)

    @property
    def max_len_sentences_pair(self) -> int | None:
        """How many tokens of a pair the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(2)

    def _room_for_texts(self, n_texts: int) -> int | None:
        if self.model_max_length is None:
            return None
        return self.model_max_length - special_token_count(n_texts)


def _or(given: T | None, default: T) -> T:
    return default if given is None else given


def _without_text(ids: list[int]) -> EncodedText:
    return EncodedText(ids, _no_text)


def _no_text() -> NoReturn:
    raise ValueError(
        "this row was made from ids, so nothing is known of words and offsets: give the tokenizer"
        " the text"
    )


def _check_single(text: Any, is_split_into_words: bool) -> None:
    if not isinstance(text, list | tuple):
        return
    if not is_split_into_words or any(isinstance(element, list | tuple) for element in text):
        raise TypeError(f"{text!r:.60} is a batch, where one text is wanted: call the tokenizer")
