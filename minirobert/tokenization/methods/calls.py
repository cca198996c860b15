"""From texts to ids. The options of a call are documented by `CallOptions`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ...documentation import documented, entries
from ...rules import BOOLEAN, check
from ...sentences import type_name
from ..rows.batch_encoding import BatchEncoding
from ..rows.batches import encode_batch
from ..rows.columns import id_of
from ..rows.inputs import check_one_text, is_split, read_ids, read_texts, read_words
from ..rows.options import OPTIONS, CallOptions, other_options
from ..texts import check_text
from .rows import RowMixin

# One text, a batch of texts, or a batch of pairs; each text may be a list of words.
TextInput = str | Sequence[str] | Sequence[Sequence[str]] | Sequence[Sequence[Sequence[str]]]


class CallMixin(RowMixin):
    """Encodes texts, one, a pair or a batch."""

    @documented(OPTIONS)
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
        is_split_into_words : bool
            Whether each text is a list of words. A space is put before each word that does not
            begin with one.

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
        >>> from minirobert import RobertaTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6}
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
        if is_split_into_words is not False:
            check("is_split_into_words", is_split_into_words, BOOLEAN, TypeError)
        read = read_words if is_split_into_words else read_texts
        if text is None:
            text, text_pair, text_target = text_target, text_pair_target, None
        if text is None:
            raise TypeError("there is no text: give text or text_target")
        batch = read(text, text_pair)
        targets = None if text_target is None else read(text_target, text_pair_target)
        options = CallOptions(
            add_special_tokens=add_special_tokens,
            padding=padding,
            truncation=truncation,
            max_length=max_length,
            stride=stride,
            pad_to_multiple_of=pad_to_multiple_of,
            padding_side=padding_side,
            return_tensors=return_tensors,
            return_token_type_ids=return_token_type_ids,
            return_attention_mask=return_attention_mask,
            return_overflowing_tokens=return_overflowing_tokens,
            return_special_tokens_mask=return_special_tokens_mask,
            return_offsets_mapping=return_offsets_mapping,
            return_length=return_length,
            verbose=verbose,
            # The words of a text are words with a space before them, wherever they come from.
            add_prefix_space=True if is_split_into_words else add_prefix_space,
            split_special_tokens=split_special_tokens,
        )
        plan = self._plan(options)
        encoding = encode_batch(batch, plan)
        if targets is not None:
            encoding["labels"] = encode_batch(targets, plan)["input_ids"]
        return encoding

    @documented(OPTIONS | other_options("add_special_tokens"))
    def encode(
        self, text: Any, text_pair: Any = None, add_special_tokens: bool = True, **options: Any
    ) -> Any:
        """Encode one text or one pair and give only the ids.

        Parameters
        ----------
        text : str, sequence of str, or sequence of int
            The text, its tokens or its ids; its words with ``is_split_into_words=True``.
        text_pair : str, sequence of str, or sequence of int, optional
            The second text of a pair.

        Returns
        -------
        list of int
            The ids, or an array ``[1, S]`` with `return_tensors`.

        Examples
        --------
        >>> from minirobert import RobertaTokenizer
        >>> vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "<mask>": 5}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [])
        >>> tokenizer.encode("a<mask>"), tokenizer.encode(["a", "<mask>"])
        ([0, 4, 5, 2], [0, 4, 5, 2])
        """
        is_usual = text_pair is None and add_special_tokens is True and not options
        if isinstance(text, str) and is_usual:
            # The most frequent call, without what is needed for the others.
            check_text(text, "text")
            in_use = self._in_use
            ids = in_use.encoder.ids(text, self.add_prefix_space, self.split_special_tokens)
            row = in_use.framing.row([ids], id_of)
            self._warn_if_too_long(len(row))
            return row
        options["add_special_tokens"] = add_special_tokens
        return self.encode_plus(text, text_pair, **options)["input_ids"]

    @documented(OPTIONS | other_options("add_special_tokens"))
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
        pair : str, optional
            The second text of a pair.

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
        check_one_text(text, is_split(options))
        options = {"verbose": False, "add_special_tokens": add_special_tokens, **options}
        return self(text, pair, **options).tokens()

    @documented(entries(encode) | other_options())
    def encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:
        """Encode one text or one pair: what `encode` gives, with all columns.

        Returns
        -------
        BatchEncoding
        """
        if isinstance(text, str) or is_split(options):
            check_one_text(text, is_split(options))
            return self(text, text_pair, **options)
        to_ids = self.convert_tokens_to_ids
        second = None if text_pair is None else read_ids("text_pair", text_pair, to_ids)
        ids = read_ids("text", text, to_ids)
        return self.prepare_for_model(ids, second, prepend_batch_axis=True, **options)

    @documented(other_options())
    def batch_encode_plus(
        self, batch_text_or_text_pairs: Sequence[Any], **options: Any
    ) -> BatchEncoding:
        """Encode a batch of texts or of pairs.

        Parameters
        ----------
        batch_text_or_text_pairs : sequence of str, or of pairs of str
            The batch; with ``is_split_into_words=True`` of lists of words, or of pairs of such
            lists.

        Returns
        -------
        BatchEncoding
        """
        if not isinstance(batch_text_or_text_pairs, list | tuple):
            raise TypeError(
                f"batch_text_or_text_pairs is of type {type_name(batch_text_or_text_pairs)}: it"
                " must be a list; for one text, call the tokenizer"
            )
        return self(batch_text_or_text_pairs, **options)
