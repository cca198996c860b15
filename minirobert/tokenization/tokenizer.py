"""RoBERTa's tokenizer: from text to ids, framed, cut and padded, and back."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral
from typing import Any, Self, overload

from ..files import TINY
from .added_tokens import AddedToken
from .bpe import Pair, PieceTable
from .config_files import ADDITIONAL, SETTINGS
from .decoding import as_ids, clean_up_tokenization, tokens_to_text
from .directories import read_directory, write_directory, write_model
from .encoding import BatchEncoding, check_tensor_type, to_arrays
from .files import FilePath, read_merges, read_vocab
from .inputs import check_text, read_texts
from .lengths import LengthPlan, plan_lengths, warn_caller
from .padding import pad_columns, padded_length, read_pad_input
from .rows import RowFormat, build_row
from .special_tokens import (
    SPECIAL_TOKEN_NAMES,
    SpecialTokenId,
    SpecialTokenText,
    resolve_special_tokens,
    special_token_count,
    with_special_tokens,
)
from .text_encoder import TextEncoder
from .tokenizer_json import read_tokenizer_json
from .truncation import check_side
from .vocabulary import Vocabulary

# One text, a batch of texts, or a batch of pairs.
TextInput = str | Sequence[str] | Sequence[Sequence[str]]

# What transformers writes as `model_max_length` where there is no limit is beyond this.
NO_LIMIT = 10**20


class RobertaTokenizer:
    """The byte-level BPE tokenizer of RoBERTa (Liu et al. 2019, section 4.4).

    A text is cut at the added tokens in it; what lies between is split into pieces, a piece is
    written in the byte alphabet, and merges turn it into tokens.

    Parameters
    ----------
    vocab_file : path, or mapping of str to int
        The file vocab.json, or what it would hold.
    merges_file : path, or iterable of merges
        The file merges.txt, or the merges themselves, in order, as pairs or as ``"a b"``.
    errors : str
        What `decode` does with bytes that are not UTF-8, as for `bytes.decode`.
    bos_token, eos_token, sep_token, cls_token, unk_token, pad_token, mask_token : str or AddedToken
        The special tokens. Those that the vocabulary lacks are appended to it. Sequences are
        framed by `cls_token` and `sep_token`.
    add_prefix_space : bool
        Whether a text that does not begin with a space gets one, so that its first word is encoded
        like any other. So does the text after each added token.
    trim_offsets : bool
        Whether offsets leave out the white space at the ends of a token.
    tokenizer_file : path, optional
        A tokenizer.json to take the vocabulary, the merges and the added tokens from, in place of
        the two files.
    model_max_length : int, optional
        How many tokens the model takes; None if that is not known.
    padding_side, truncation_side : str
        ``"right"`` or ``"left"``.
    clean_up_tokenization_spaces : bool
        Whether `decode` removes the spaces before English punctuation.
    additional_special_tokens : sequence of str or AddedToken
        More special tokens.
    added_tokens_decoder : mapping of int to AddedToken, optional
        Added tokens and their ids.

    Notes
    -----
    The results are those of transformers' `RobertaTokenizerFast`, but for these points, where that
    class contradicts its documentation, crashes, or loses something silently.

    Where this differs from transformers:

    - A symbol that the vocabulary lacks gives ``<unk>``, as documented and as in the slow class;
      the fast class drops it, and merges what stands on both sides of it.
    - The first line of merges.txt is skipped only if it is the ``#version`` header, and the last
      one always counts. transformers drops the first and the last line whatever they are.
    - The pair ``("a", "")`` is a pair also when it is not in a batch.
    - `add_prefix_space` can be given with each call, as the documentation has it.
    - A truncation that cannot be done is a `ValueError`. The fast class raises a bare `Exception`,
      or returns the text untruncated if `max_length` has no room for the special tokens, or empties
      both texts of an ``"only_first"`` pair if it has no room for more.
    - ``return_tensors="np"`` with rows of different lengths is a `ValueError`, no array of objects.
    - An empty batch gives empty columns; a batch that mixes texts and pairs is a `TypeError`.
    - `tokenize` gives ``<mask>`` without the white space that the token has taken along.
    - `decode` gives added tokens as they are written, also if they are spelled in the byte
      alphabet; follows `errors`; and raises a `ValueError` for an id that no token has.
    - `pad` also pads `offset_mapping`.
    - `build_inputs_with_special_tokens` uses `cls_token` and `sep_token`, like encoding itself.
    - `get_special_tokens_mask` also works for ids without special tokens.
    - `model_max_length` is None where there is no limit, not 10**30.
    - `from_pretrained` takes `add_prefix_space` and `trim_offsets` from tokenizer.json if
      tokenizer_config.json does not have them.
    - ``padding="do_not_pad"`` is the same as ``padding=False`` also where `max_length` is given
      without `truncation`.
    - Special tokens cannot be changed once the tokenizer is built.

    Examples
    --------
    >>> tokenizer = RobertaTokenizer.from_pretrained()
    >>> tokenizer.tokenize("Hello world <mask>!")
    ['H', 'ell', 'o', 'Ġworld', '<mask>', '!']
    >>> encoding = tokenizer("Hello world")
    >>> encoding.input_ids
    [0, 43, 448, 82, 1175, 2]
    >>> tokenizer.decode(encoding.input_ids)
    '<s>Hello world</s>'
    """

    bos_token = SpecialTokenText()
    eos_token = SpecialTokenText()
    unk_token = SpecialTokenText()
    sep_token = SpecialTokenText()
    pad_token = SpecialTokenText()
    cls_token = SpecialTokenText()
    mask_token = SpecialTokenText()

    bos_token_id = SpecialTokenId()
    eos_token_id = SpecialTokenId()
    unk_token_id = SpecialTokenId()
    sep_token_id = SpecialTokenId()
    pad_token_id = SpecialTokenId()
    cls_token_id = SpecialTokenId()
    mask_token_id = SpecialTokenId()

    def __init__(
        self,
        vocab_file: FilePath | Mapping[str, int] | None = None,
        merges_file: FilePath | Iterable[Pair | str] | None = None,
        errors: str = "replace",
        bos_token: str | AddedToken = "<s>",
        eos_token: str | AddedToken = "</s>",
        sep_token: str | AddedToken = "</s>",
        cls_token: str | AddedToken = "<s>",
        unk_token: str | AddedToken = "<unk>",
        pad_token: str | AddedToken = "<pad>",
        mask_token: str | AddedToken = "<mask>",
        add_prefix_space: bool = False,
        *,
        trim_offsets: bool = True,
        tokenizer_file: FilePath | None = None,
        model_max_length: int | None = None,
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
        additional_special_tokens: Sequence[str | AddedToken] = (),
        added_tokens_decoder: Mapping[int, AddedToken] | None = None,
    ) -> None:
        vocab, merges, declared = _read_model(vocab_file, merges_file, tokenizer_file)
        declared.update(added_tokens_decoder or {})
        named = zip(
            SPECIAL_TOKEN_NAMES,
            (bos_token, eos_token, unk_token, sep_token, pad_token, cls_token, mask_token),
            strict=True,
        )
        additional = ((ADDITIONAL, token) for token in additional_special_tokens)
        self._special_tokens = resolve_special_tokens([*named, *additional], declared.values())
        self._named_tokens = dict(self._special_tokens[: len(SPECIAL_TOKEN_NAMES)])
        self._vocabulary = Vocabulary(vocab, declared, (token for _, token in self._special_tokens))
        self._merges = merges
        self._encoder = TextEncoder(self._vocabulary, PieceTable(vocab, merges, self.unk_token_id))
        self._has_warned_of_length = False

        self.errors = _error_handler(errors)
        self.add_prefix_space = add_prefix_space
        self.trim_offsets = trim_offsets
        self.model_max_length = _limit(model_max_length)
        self.padding_side = check_side("padding_side", padding_side)
        self.truncation_side = check_side("truncation_side", truncation_side)
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(vocab_size={self.vocab_size},"
            f" model_max_length={self.model_max_length}, padding_side={self.padding_side!r},"
            f" truncation_side={self.truncation_side!r}, add_prefix_space={self.add_prefix_space},"
            f" special_tokens={self.special_tokens_map})"
        )

    # Making and saving a tokenizer

    @classmethod
    def from_vocab(
        cls, vocab: Mapping[str, int], merges: Iterable[Pair | str], **options: Any
    ) -> Self:
        """Make a tokenizer from a vocabulary and merges in memory.

        Parameters
        ----------
        vocab : mapping of str to int
            From tokens to ids.
        merges : iterable of (str, str) or str
            The merges, in order.
        **options
            The other arguments of the class.

        Returns
        -------
        RobertaTokenizer
            The tokenizer.

        Examples
        --------
        >>> vocab = {"l": 0, "o": 1, "w": 2, "lo": 3, "low": 4}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [("l", "o"), ("lo", "w")])
        >>> tokenizer.tokenize("lowlo")
        ['low', 'lo']
        """
        return cls(vocab, merges, **options)

    @classmethod
    def from_pretrained(cls, directory: FilePath = TINY, **overrides: Any) -> Self:
        """Load a tokenizer from a directory, as this class or transformers saves it.

        Parameters
        ----------
        directory : path
            A directory with tokenizer.json, or with vocab.json and merges.txt; that of the bundled
            model by default. The settings come
            from tokenizer_config.json, special_tokens_map.json and added_tokens.json where these
            exist.
        **overrides
            Arguments of the class that win over what the files say.

        Returns
        -------
        RobertaTokenizer
            The tokenizer.

        Raises
        ------
        FileNotFoundError
            If there is no such directory, or no tokenizer in it.
        ValueError
            If a file is broken.
        """
        return cls(**{**read_directory(directory), **overrides})

    def save_pretrained(self, directory: FilePath) -> tuple[str, ...]:
        """Save the tokenizer so that this class and both of transformers can load it.

        Other files of a tokenizer that was in the directory before, which would contradict the new
        ones, are removed.

        Parameters
        ----------
        directory : path
            The directory, made if need be.

        Returns
        -------
        tuple of str
            The files written.
        """
        return write_directory(
            directory,
            self._vocabulary,
            self._merges,
            self._special_tokens,
            {**{name: getattr(self, name) for name in SETTINGS}, **self.special_tokens_map},
        )

    def save_vocabulary(
        self, directory: FilePath, filename_prefix: str | None = None
    ) -> tuple[str, str]:
        """Save vocab.json and merges.txt alone.

        Parameters
        ----------
        directory : path
            The directory, made if need be.
        filename_prefix : str, optional
            Put before both names, with a hyphen.

        Returns
        -------
        (str, str)
            The two files.
        """
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        return write_model(directory, self._vocabulary, self._merges, prefix)

    # The vocabulary

    @property
    def vocab_size(self) -> int:
        """The number of entries of vocab.json; ``len(tokenizer)`` counts the added tokens too."""
        return len(self._vocabulary.base)

    def __len__(self) -> int:
        return len(self._vocabulary)

    def get_vocab(self) -> dict[str, int]:
        """Give all tokens with their ids, by rising id.

        Returns
        -------
        dict of str to int
            From tokens to ids, added tokens included.
        """
        return dict(sorted(self._vocabulary.ids.items(), key=lambda entry: entry[1]))

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """The special tokens by their names."""
        entries: dict[str, Any] = {
            name: token.content for name, token in self._named_tokens.items()
        }
        additional = [token.content for name, token in self._special_tokens if name == ADDITIONAL]
        return {**entries, ADDITIONAL: additional} if additional else entries

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, each once."""
        return list(dict.fromkeys(token.content for _, token in self._special_tokens))

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.all_special_tokens]

    @overload
    def convert_tokens_to_ids(self, tokens: str) -> int: ...

    @overload
    def convert_tokens_to_ids(self, tokens: list[str] | tuple[str, ...]) -> list[int]: ...

    def convert_tokens_to_ids(self, tokens: str | list[str] | tuple[str, ...]) -> int | list[int]:
        """Look up tokens; one that the vocabulary lacks has the id of ``<unk>``.

        Parameters
        ----------
        tokens : str, list of str or tuple of str
            One token or several, in the byte alphabet.

        Returns
        -------
        int or list of int
            The id or ids.
        """
        if isinstance(tokens, str):
            return self._vocabulary.ids.get(tokens, self.unk_token_id)
        if not isinstance(tokens, list | tuple):
            raise TypeError(f"tokens is {tokens!r}: it must be a str or a list of str")
        for position, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(f"tokens[{position}] is {token!r}: it must be a str")
        return [self.convert_tokens_to_ids(token) for token in tokens]

    @overload
    def convert_ids_to_tokens(self, ids: int, skip_special_tokens: bool = ...) -> str: ...

    @overload
    def convert_ids_to_tokens(
        self, ids: Iterable[int], skip_special_tokens: bool = ...
    ) -> list[str]: ...

    def convert_ids_to_tokens(
        self, ids: int | Iterable[int], skip_special_tokens: bool = False
    ) -> str | list[str]:
        """Look up ids.

        Parameters
        ----------
        ids : int or iterable of int
            One id or several; an array of one axis will do.
        skip_special_tokens : bool
            Whether to leave out special tokens.

        Returns
        -------
        str or list of str
            The token or tokens, in the byte alphabet.

        Raises
        ------
        ValueError
            If no token has such an id.
        """
        if isinstance(ids, Integral):
            return self._vocabulary.token(int(ids))
        tokens = map(self._vocabulary.token, as_ids(ids))
        if not skip_special_tokens:
            return list(tokens)
        added = self._vocabulary.added
        return [token for token in tokens if token not in added or not added[token].special]

    # From text to tokens

    def tokenize(self, text: str, add_prefix_space: bool | None = None) -> list[str]:
        """Split a text into tokens, without special tokens around it.

        Parameters
        ----------
        text : str
            The text.
        add_prefix_space : bool, optional
            As for the class, for this call only.

        Returns
        -------
        list of str
            The tokens, in the byte alphabet.
        """
        check_text(text, "text")
        pieces = self._encoder.pieces(text, self._prefix_space(add_prefix_space))
        return [token for piece in pieces for token in piece.tokens]

    # From texts to rows of ids

    def __call__(
        self,
        text: TextInput,
        text_pair: str | Sequence[str] | None = None,
        *,
        add_special_tokens: bool = True,
        padding: bool | str = False,
        truncation: bool | str | None = None,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        add_prefix_space: bool | None = None,
        return_tensors: str | None = None,
        return_token_type_ids: bool = False,
        return_attention_mask: bool = True,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
    ) -> BatchEncoding:
        """Encode a text, a pair of texts, a batch of texts or a batch of pairs.

        Parameters
        ----------
        text : str, or sequence of str, or sequence of pairs of str
            The text or texts.
        text_pair : str or sequence of str, optional
            The second text of the pair, or those of the batch.
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
        pad_to_multiple_of : int, optional
            Pad to a multiple of this number.
        padding_side : str, optional
            ``"right"`` or ``"left"``, by default the attribute of this name.
        add_prefix_space : bool, optional
            As for the class, for this call only.
        return_tensors : str, optional
            ``"np"`` for NumPy arrays of int64, by default lists.
        return_token_type_ids, return_attention_mask, return_special_tokens_mask : bool
            Whether to return these columns. Token type ids are always 0. The attention mask is 0
            for padding. The special tokens mask is 1 for padding and for the special tokens that
            frame the sequences, 0 for special tokens in the text.
        return_offsets_mapping : bool
            Whether to return for each token the characters ``(start, end)`` that it stands for.
        return_length : bool
            Whether to return the lengths of the rows.

        Returns
        -------
        BatchEncoding
            ``input_ids`` and the other columns: for one text a list of integers, for a batch a list
            of such lists, or arrays ``[B, S]`` in either case.

        Examples
        --------
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer("ab", "b").input_ids
        [0, 4, 5, 2, 2, 5, 2]
        >>> tokenizer(["ab", "b"], padding=True).attention_mask
        [[1, 1, 1, 1], [1, 1, 1, 0]]
        """
        batch = read_texts(text, text_pair)
        check_tensor_type(return_tensors)
        side = self._side_to_pad(padding_side)
        plan = plan_lengths(
            padding, truncation, max_length, pad_to_multiple_of, self.model_max_length
        )
        asked = {
            "input_ids": True,
            "token_type_ids": return_token_type_ids,
            "attention_mask": return_attention_mask,
            "special_tokens_mask": return_special_tokens_mask,
            "offset_mapping": return_offsets_mapping,
        }
        row_format = RowFormat(
            columns=[name for name, is_asked in asked.items() if is_asked],
            lengths=plan,
            truncation_side=check_side("truncation_side", self.truncation_side),
            cls_token_id=self.cls_token_id,
            sep_token_id=self.sep_token_id,
            add_special_tokens=add_special_tokens,
            add_prefix_space=self._prefix_space(add_prefix_space),
            trim_offsets=self.trim_offsets,
        )
        rows = [self._row(texts, row_format) for texts in batch.rows]
        if max_length is None:
            self._warn_if_too_long(rows)
        columns = {name: [row[name] for row in rows] for name in row_format.columns}
        columns = self._padded(columns, plan, side)
        is_flat = batch.is_single and return_tensors is None
        if return_length:
            lengths: list[Any] = [len(row) for row in columns["input_ids"]]
            # Of one text, too, the length is a list, as in transformers.
            columns["length"] = [lengths] if is_flat else lengths
        return _finished(columns, is_flat, return_tensors == "np")

    def encode(self, text: str, text_pair: str | None = None, **options: Any) -> Any:
        """Encode one text or one pair and give only the ids.

        Parameters
        ----------
        text : str
            The text.
        text_pair : str, optional
            The second text of a pair.
        **options
            The other arguments of a call of the tokenizer.

        Returns
        -------
        list of int
            The ids, or an array ``[1, S]`` with ``return_tensors="np"``.

        Examples
        --------
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> RobertaTokenizer.from_vocab(vocab, []).encode("a<mask>")
        [0, 4, 5, 2]
        """
        if not isinstance(text, str):
            raise TypeError(
                f"text is of type {type(text).__name__}: encode takes one str, or two as a pair;"
                " for a batch, call the tokenizer"
            )
        return self(text, text_pair, **options)["input_ids"]

    def pad(
        self,
        encoded_inputs: Mapping[str, Any] | Sequence[Mapping[str, Any]],
        padding: bool | str = True,
        max_length: int | None = None,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_attention_mask: bool = True,
        return_tensors: str | None = None,
    ) -> BatchEncoding:
        """Pad rows that are encoded already, for instance to make a batch of single encodings.

        Parameters
        ----------
        encoded_inputs : mapping, or sequence of mappings
            One encoding or a batch, with ``input_ids``, of lists or arrays. Columns that do not
            run along the tokens stay as they are.
        padding, max_length, pad_to_multiple_of, padding_side
            As for a call of the tokenizer.
        return_attention_mask : bool
            Whether to make an attention mask where there is none.
        return_tensors : str, optional
            As for a call of the tokenizer. Arrays give arrays in any case.

        Returns
        -------
        BatchEncoding
            The padded encoding.

        Examples
        --------
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.pad([{"input_ids": [0, 2]}, {"input_ids": [0, 4, 2]}])
        {'input_ids': [[0, 2, 1], [0, 4, 2]], 'attention_mask': [[1, 1, 0], [1, 1, 1]]}
        """
        check_tensor_type(return_tensors)
        side = self._side_to_pad(padding_side)
        plan = plan_lengths(padding, False, max_length, pad_to_multiple_of, self.model_max_length)
        columns, is_single, is_array = read_pad_input(encoded_inputs)
        if return_attention_mask and "attention_mask" not in columns:
            columns["attention_mask"] = [[1] * len(row) for row in columns["input_ids"]]
        columns = self._padded(columns, plan, side)
        is_flat = is_single and return_tensors is None
        return _finished(columns, is_flat, is_array or return_tensors == "np")

    def _row(self, texts: Sequence[str], row_format: RowFormat) -> dict[str, list[Any]]:
        prefix, with_tokens = row_format.add_prefix_space, "offset_mapping" in row_format.columns
        encoded = [self._encoder.encode(text, prefix, with_tokens) for text in texts]
        return build_row(encoded, row_format)

    def _padded(
        self, columns: dict[str, list[Any]], plan: LengthPlan, side: str
    ) -> dict[str, list[Any]]:
        lengths = [len(row) for row in columns["input_ids"]]
        target = padded_length(lengths, plan.padding, plan.max_length, plan.pad_to_multiple_of)
        return pad_columns(columns, target, self.pad_token_id, side)

    def _prefix_space(self, given: bool | None) -> bool:
        return self.add_prefix_space if given is None else given

    def _side_to_pad(self, given: str | None) -> str:
        return check_side("padding_side", self.padding_side if given is None else given)

    def _warn_if_too_long(self, rows: Sequence[Mapping[str, list[Any]]]) -> None:
        if self.model_max_length is None or self._has_warned_of_length:
            return
        longest = max((len(row["input_ids"]) for row in rows), default=0)
        if longest > self.model_max_length:
            self._has_warned_of_length = True
            warn_caller(
                f"a row has {longest} tokens, but the model takes {self.model_max_length}: pass"
                " truncation=True (this tokenizer warns once)"
            )

    # The special tokens of a sequence

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Tell how many special tokens frame a sequence.

        Parameters
        ----------
        pair : bool
            Whether it is a pair.

        Returns
        -------
        int
            2, or 4 for a pair.
        """
        return special_token_count(2 if pair else 1)

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
            The row.
        """
        sequences = _sequences(token_ids_0, token_ids_1)
        return with_special_tokens(sequences, self.cls_token_id, self.sep_token_id)

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
        token_ids_1 : sequence of int, optional
            The ids of B.
        already_has_special_tokens : bool
            Whether `token_ids_0` is a row that has its special tokens. All special tokens in it
            are marked then, else those that `build_inputs_with_special_tokens` puts in.

        Returns
        -------
        list of int
            The mask of the row.
        """
        if not already_has_special_tokens:
            zeros = [[0] * len(ids) for ids in _sequences(token_ids_0, token_ids_1)]
            return with_special_tokens(zeros, 1, 1)
        if token_ids_1 is not None:
            raise ValueError(
                "token_ids_1 is given although already_has_special_tokens=True: token_ids_0 must"
                " then be the whole row"
            )
        special = set(self.all_special_ids)
        return [int(index in special) for index in token_ids_0]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: Sequence[int], token_ids_1: Sequence[int] | None = None
    ) -> list[int]:
        """Give the token type ids of a row: zeros, for RoBERTa has no others.

        Parameters
        ----------
        token_ids_0 : sequence of int
            The ids of A.
        token_ids_1 : sequence of int, optional
            The ids of B.

        Returns
        -------
        list of int
            As many zeros as the row has tokens.
        """
        return [0] * len(self.build_inputs_with_special_tokens(token_ids_0, token_ids_1))

    # From tokens to text

    def decode(
        self,
        token_ids: int | Iterable[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> str:
        """Turn ids into a text.

        Parameters
        ----------
        token_ids : int, iterable of int, or array
            The ids of one row.
        skip_special_tokens : bool
            Whether to leave out special tokens.
        clean_up_tokenization_spaces : bool, optional
            Whether to remove the spaces before English punctuation, by default as the tokenizer
            was told.

        Returns
        -------
        str
            The text. It is the one that was encoded, special tokens aside, but for the white space
            that ``<mask>`` has taken along.

        Raises
        ------
        ValueError
            If no token has such an id, or, with ``errors="strict"``, if the bytes are not UTF-8.
        """
        tokens = self.convert_ids_to_tokens(as_ids(token_ids), skip_special_tokens)
        text = self.convert_tokens_to_string(tokens)
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        return clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    def batch_decode(
        self,
        sequences: Iterable[int | Iterable[int]],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
    ) -> list[str]:
        """Turn several rows of ids into texts.

        Parameters
        ----------
        sequences : iterable of rows, or array
            The rows; a single id will do as a row.
        skip_special_tokens, clean_up_tokenization_spaces
            As for `decode`.

        Returns
        -------
        list of str
            The texts.
        """
        return [
            self.decode(ids, skip_special_tokens, clean_up_tokenization_spaces) for ids in sequences
        ]

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Turn tokens into a text.

        Parameters
        ----------
        tokens : iterable of str
            The tokens, in the byte alphabet.

        Returns
        -------
        str
            The text.
        """
        return tokens_to_text(tokens, self._vocabulary.added, self.errors)


# The name of the class in transformers that is written in Rust, for code that asks for it.
RobertaTokenizerFast = RobertaTokenizer


def _read_model(
    vocab_file: FilePath | Mapping[str, int] | None,
    merges_file: FilePath | Iterable[Pair | str] | None,
    tokenizer_file: FilePath | None,
) -> tuple[dict[str, int], list[Pair], dict[int, AddedToken]]:
    if tokenizer_file is not None and vocab_file is None and merges_file is None:
        content = read_tokenizer_json(tokenizer_file)
        return content.vocab, content.merges, content.added_tokens
    if tokenizer_file is not None or vocab_file is None or merges_file is None:
        raise ValueError("a tokenizer needs vocab_file and merges_file, or tokenizer_file alone")
    vocab = read_vocab(vocab_file)
    return vocab, read_merges(merges_file, vocab), {}


def _error_handler(errors: str) -> str:
    try:
        codecs.lookup_error(errors)
    except LookupError:
        raise ValueError(
            f"errors is {errors!r}: it must be one that bytes.decode knows, such as 'replace',"
            " 'ignore' or 'strict'"
        ) from None
    return errors


def _limit(model_max_length: float | None) -> int | None:
    if model_max_length is None:
        return None
    if not isinstance(model_max_length, int | float) or not model_max_length >= 1:
        raise ValueError(
            f"model_max_length is {model_max_length!r}: it must be an integer of at least 1, or"
            " None"
        )
    return None if model_max_length > NO_LIMIT else int(model_max_length)


def _sequences(first: Sequence[int], second: Sequence[int] | None) -> list[Sequence[int]]:
    return [first] if second is None else [first, second]


def _finished(columns: dict[str, list[Any]], is_flat: bool, as_arrays: bool) -> BatchEncoding:
    result = {name: rows[0] for name, rows in columns.items()} if is_flat else columns
    return to_arrays(result) if as_arrays else BatchEncoding(result)
