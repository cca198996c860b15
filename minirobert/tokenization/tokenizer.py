"""RoBERTa's tokenizer, and all that it can do.

What each method does stands in the modules around this one: `text_encoder` (from text to ids),
`rows` (batches), `decoding`, `special_tokens`, `files`, `trainer` and `explain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from numbers import Integral
from typing import Any, ClassVar, NoReturn, Self, overload

from ..checks import warn
from ..documentation import documented, entries
from ..files import TINY, ModelFiles, ModelName
from ..keywords import OF_SAVED_TOKENIZERS, OF_TOKENIZERS, settle, takes
from ..rules import BOOLEAN, STRING, check, optional
from ..sentences import shown, type_name
from .added_tokens import AddedToken, as_token, content_of, is_added_token
from .bpe import Pair, rank_merges
from .decoding import (
    as_ids,
    as_lists,
    check_tokens,
    clean_up_tokenization,
    is_iterable,
    spaced_text,
    tokens_to_text,
)
from .encoded_text import EncodedText
from .explain import Explanation, explain
from .files.classes import ROBERTA
from .files.directories import (
    TOKENIZER_FILES,
    read_directory,
    read_model,
    write_directory,
    write_model,
)
from .files.tokenizer_json import TOKENIZER_NAME, check_parts
from .files.vocab_and_merges import MERGES_NAME, VOCAB_NAME, FilePath
from .layout import keeps_first_space
from .rows.batch_encoding import BatchEncoding
from .rows.batches import Plan, encode_batch, pad_batch
from .rows.columns import ID
from .rows.inputs import Batch, check_one_text, is_split, read_ids, read_texts, read_words
from .rows.lengths import NOTHING_TO_DO, plan_lengths
from .rows.options import OPTIONS, CallOptions, are_equal, other_options
from .rows.truncation import truncated
from .rows.windows import RowFormat
from .settings import OTHER_SETTINGS, SETTINGS, read_setting
from .special_tokens import (
    ADDITIONAL,
    SPECIAL_TOKEN_NAMES,
    SpecialTokenId,
    SpecialTokens,
    SpecialTokenText,
    without_special_tokens,
)
from .texts import check_text
from .tokens_in_use import TokensInUse
from .trainer import ROBERTA_SPECIAL_TOKENS, train_bpe
from .vocabulary import Vocabulary, as_declared

__all__ = ["RobertaTokenizer", "RobertaTokenizerFast"]

# One text, a batch of texts, or a batch of pairs; each text may be a list of words.
TextInput = str | Sequence[str] | Sequence[Sequence[str]] | Sequence[Sequence[Sequence[str]]]


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
        The special tokens; None where there is none. Those that the vocabulary lacks are appended
        to it. Sequences are framed by `cls_token` and `sep_token`, if there are both.
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
    model_input_names : sequence of str
        The columns that a call returns unless it is told otherwise.
    padding_side, truncation_side : str
        ``"right"`` or ``"left"``.
    clean_up_tokenization_spaces : bool
        Whether `decode` removes the spaces before English punctuation.
    split_special_tokens : bool
        Whether special tokens in a text are encoded like any other text.
    additional_special_tokens : sequence of str or AddedToken
        More special tokens.
    added_tokens_decoder : mapping of int to AddedToken, optional
        Added tokens and their ids.
    parts : mapping of str to object, optional
        What tokenizer.json has in place of RoBERTa's usual parts: ``normalizer``,
        ``pre_tokenizer`` and ``post_processor``, each a list of its steps, and ``ignore_merges``.
    other_settings : mapping of str to object, optional
        Entries of tokenizer_config.json that mean nothing here, to be saved again.

    Notes
    -----
    This is one class for both of transformers'. The results are those of `RobertaTokenizerFast`,
    with what its slow `RobertaTokenizer` has besides, such as `add_prefix_space` for a single call.
    ``tutorials/differences.md`` tells where those two differ and what this class does, and where it
    differs from both, each with the lines that show it.

    Several threads may share a tokenizer, and one of them may add tokens or change a setting while
    others encode: the calls that begin later follow it.

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

    vocab_files_names: ClassVar[Mapping[str, str]] = {
        "vocab_file": VOCAB_NAME,
        "merges_file": MERGES_NAME,
        "tokenizer_file": TOKENIZER_NAME,
    }
    pad_token_type_id = 0
    is_fast = True

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

    _vocabulary: Vocabulary
    _special: SpecialTokens
    _in_use: TokensInUse
    _plans: list[tuple[CallOptions, Plan]]  # the last one, if there is one
    _has_warned_of_length = False

    # Making a tokenizer

    @takes(OF_TOKENIZERS)
    def __init__(
        self,
        vocab_file: FilePath | Mapping[str, int] | None = None,
        merges_file: FilePath | Iterable[Pair | str] | None = None,
        errors: str = "replace",
        bos_token: str | AddedToken | None = "<s>",
        eos_token: str | AddedToken | None = "</s>",
        sep_token: str | AddedToken | None = "</s>",
        cls_token: str | AddedToken | None = "<s>",
        unk_token: str | AddedToken | None = "<unk>",
        pad_token: str | AddedToken | None = "<pad>",
        mask_token: str | AddedToken | None = "<mask>",
        add_prefix_space: bool = False,
        *,
        trim_offsets: bool = True,
        tokenizer_file: FilePath | None = None,
        model_max_length: int | None = None,
        model_input_names: Sequence[str] = ("input_ids", "attention_mask"),
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
        split_special_tokens: bool = False,
        additional_special_tokens: Sequence[str | AddedToken] = (),
        added_tokens_decoder: Mapping[int, AddedToken] | None = None,
        parts: Mapping[str, Any] | None = None,
        other_settings: Mapping[str, Any] | None = None,
    ) -> None:
        vocab, self._merges, declared, self._parts = read_model(
            vocab_file, merges_file, tokenizer_file
        )
        declared.update(as_declared(added_tokens_decoder))
        if parts is not None:
            self._parts = check_parts(parts) or self._parts
        named = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "unk_token": unk_token,
            "sep_token": sep_token,
            "pad_token": pad_token,
            "cls_token": cls_token,
            "mask_token": mask_token,
        }
        special = SpecialTokens(named, additional_special_tokens, declared.values())
        tokens = [token for _, token in special.items()]
        self._ranks = rank_merges(self._merges)
        self._take(Vocabulary(vocab, declared, tokens), special)
        self.errors = errors
        self.add_prefix_space = add_prefix_space
        self.trim_offsets = trim_offsets
        self.model_max_length = model_max_length
        self.model_input_names = model_input_names
        self.padding_side = padding_side
        self.truncation_side = truncation_side
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.split_special_tokens = split_special_tokens
        check("other_settings", other_settings, OTHER_SETTINGS)
        self._other_settings = dict(other_settings or {})

    @classmethod
    def from_pretrained(
        cls,
        pretrained_model_name_or_path: ModelName = TINY,
        *,
        tokenizer_class: str = ROBERTA,
        **overrides: Any,
    ) -> Self:
        """Load a tokenizer from a directory, as this class or transformers saves it, or the hub.

        Parameters
        ----------
        pretrained_model_name_or_path : path or str
            A directory with tokenizer.json, or with vocab.json and merges.txt, or the name of a
            model on the Hugging Face hub; the bundled model by default. The settings come from
            tokenizer_config.json, special_tokens_map.json and added_tokens.json where these exist.
        tokenizer_class : str
            The class of transformers to take what no file says from, above all the special tokens:
            those of a ``GPT2Tokenizer`` are others than RoBERTa's. `AutoTokenizer` finds it.
        **overrides
            Arguments of the class that win over what the files say, and the options of
            `minirobert.files.HubOptions`. What else transformers takes has no effect, as
            ``use_fast``, or is refused with the cure: see `minirobert.keywords`.

        Raises
        ------
        FileNotFoundError
            If there is no such directory, or no tokenizer in it, or the hub does not give it.
        ValueError
            If a file is broken.
        """
        settle(overrides, OF_TOKENIZERS)
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        return files.together(
            TOKENIZER_FILES,
            lambda: cls(**{**read_directory(files, tokenizer_class), **overrides}),
        )

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

        Examples
        --------
        >>> vocab = {"l": 0, "o": 1, "w": 2, "lo": 3, "low": 4}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [("l", "o"), ("lo", "w")])
        >>> tokenizer.tokenize("lowlo")
        ['low', 'lo']
        """
        return cls(vocab, merges, **options)

    @classmethod
    @documented(entries(train_bpe))
    def train(
        cls,
        texts: Iterable[str | Sequence[str]],
        vocab_size: int = 30_000,
        min_frequency: int = 2,
        special_tokens: Sequence[str | AddedToken] = ROBERTA_SPECIAL_TOKENS,
        *,
        add_prefix_space: bool = False,
        show_progress: bool = True,
        n_texts: int | None = None,
        **options: Any,
    ) -> Self:
        """Learn a vocabulary and merges from texts with `train_bpe`, and make a tokenizer of them.

        Parameters
        ----------
        special_tokens : sequence of str or AddedToken
            The tokens with the first ids. Those without a role become additional special tokens;
            those of `ROBERTA_SPECIAL_TOKENS` that are missing are appended to the vocabulary.
        add_prefix_space : bool
            As for the class, also for training.
        **options
            The other arguments of the class.

        Examples
        --------
        >>> texts = ["low lower lowest", "slow slower slowest"]
        >>> tokenizer = RobertaTokenizer.train(texts, vocab_size=265, show_progress=False)
        >>> tokenizer.tokenize("lowest, slow!")
        ['lowe', 'st', ',', 'Ġ', 's', 'low', '!']
        """
        vocab, merges = train_bpe(
            texts,
            vocab_size,
            min_frequency,
            special_tokens,
            add_prefix_space=add_prefix_space,
            show_progress=show_progress,
            n_texts=n_texts,
        )
        special = [as_token(token, "special_tokens") for token in special_tokens]
        declared = {
            vocab[token.content]: replace(token, special=True)
            for token in special
            if isinstance(token, AddedToken)
        }
        options["added_tokens_decoder"] = declared | (options.get("added_tokens_decoder") or {})
        tokenizer = cls(vocab, merges, add_prefix_space=add_prefix_space, **options)
        known = set(tokenizer.all_special_tokens)
        without_role = [token for token in special if content_of(token) not in known]
        tokenizer.add_special_tokens(
            {ADDITIONAL: without_role}, replace_additional_special_tokens=False
        )
        return tokenizer

    @documented(entries(train_bpe))
    def train_new_from_iterator(
        self,
        text_iterator: Iterable[str | Sequence[str]],
        vocab_size: int,
        length: int | None = None,
        new_special_tokens: Sequence[str | AddedToken] | None = None,
        special_tokens_map: Mapping[str, str] | None = None,
        *,
        min_frequency: int = 0,
        show_progress: bool = True,
    ) -> Self:
        """Train a new tokenizer with the special tokens and settings of this one on other texts.

        Parameters
        ----------
        text_iterator : iterable of str, or of lists of str
            As `texts` for `train`.
        length : int, optional
            How many texts there are, for the progress bar.
        new_special_tokens : sequence of str or AddedToken, optional
            More special tokens.
        special_tokens_map : mapping of str to str, optional
            New names for special tokens of this one.

        """
        if self._parts:
            raise ValueError(
                "training is for RoBERTa's own steps, but the tokenizer.json of this tokenizer has"
                f" others: {', '.join(self._parts)}; use train, which makes a tokenizer without"
                " them"
            )
        names = special_tokens_map or {}

        def renamed(token: AddedToken) -> AddedToken:
            return replace(token, content=names.get(token.content, token.content))

        special = [renamed(token) for token in self.added_tokens_decoder.values() if token.special]
        roles: dict[str, Any] = dict.fromkeys(SPECIAL_TOKEN_NAMES)
        roles |= {name: renamed(token) for name, token in self._special.named.items()}
        return self.train(
            text_iterator,
            vocab_size,
            min_frequency,
            [*special, *(new_special_tokens or ())],
            show_progress=show_progress,
            n_texts=length,
            other_settings=self._other_settings,
            **self._settings(),
            **roles,
        )

    # From texts to ids. The options of a call are documented by `CallOptions`.

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
            row = in_use.framing.row([ids], ID)
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

    # From ids to texts

    def decode(
        self,
        token_ids: int | Iterable[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = False,
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
        spaces_between_special_tokens : bool
            Whether to put spaces around added tokens, but for those with a role such as
            ``<mask>``. The slow class of transformers does so by default, the fast one never.

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
        tokens, added = self._vocabulary.tokens_of(as_ids(token_ids)), self._vocabulary.added
        if skip_special_tokens:
            tokens = without_special_tokens(tokens, added)
        if spaces_between_special_tokens:
            text = spaced_text(tokens, self._in_use.set_apart, added, self.errors)
        else:
            text = tokens_to_text(tokens, added, self.errors)
        if clean_up_tokenization_spaces is None:
            clean_up_tokenization_spaces = self.clean_up_tokenization_spaces
        return clean_up_tokenization(text) if clean_up_tokenization_spaces else text

    @documented(entries(decode))
    def batch_decode(
        self,
        sequences: Iterable[int | Iterable[int]],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = False,
    ) -> list[str]:
        """Turn several rows of ids into texts.

        Parameters
        ----------
        sequences : iterable of rows, or array
            The rows; a single id will do as a row.

        Returns
        -------
        list of str
        """
        if isinstance(sequences, str) or not is_iterable(sequences):
            raise TypeError(
                f"sequences is {shown(sequences)}: it must be rows of ids; decode reads one row"
            )
        how = (skip_special_tokens, clean_up_tokenization_spaces, spaces_between_special_tokens)
        return [self.decode(ids, *how) for ids in sequences]

    # From tokens to ids and back

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
        """
        if isinstance(tokens, str):
            unknown: int = self.unk_token_id
            return self._vocabulary.ids.get(tokens, unknown)
        if not isinstance(tokens, list | tuple):
            raise TypeError(f"tokens is {shown(tokens)}: it must be a str or a list of str")
        for position, token in enumerate(tokens):
            if not isinstance(token, str):
                raise TypeError(f"tokens[{position}] is {shown(token)}: it must be a str")
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
            In the byte alphabet.

        Raises
        ------
        ValueError
            If no token has such an id.
        """
        ids = as_lists("ids", ids)
        if isinstance(ids, Integral):
            return self._vocabulary.token(int(ids))
        tokens = self._vocabulary.tokens_of(as_ids(ids))
        if skip_special_tokens:
            return without_special_tokens(tokens, self._vocabulary.added)
        return tokens

    def convert_tokens_to_string(self, tokens: Iterable[str]) -> str:
        """Turn tokens into a text.

        Parameters
        ----------
        tokens : iterable of str
            The tokens, in the byte alphabet.

        Returns
        -------
        str
        """
        return tokens_to_text(check_tokens(tokens), self._vocabulary.added, self.errors)

    # The vocabulary

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

    # Added tokens and special tokens

    def add_tokens(
        self,
        new_tokens: str | AddedToken | Sequence[str | AddedToken],
        special_tokens: bool = False,
    ) -> int:
        """Add tokens that are found in a text before it is split into pieces.

        A model needs a row of its embedding for each new id.

        Parameters
        ----------
        new_tokens : str, AddedToken or sequence of them
            The tokens. One that the vocabulary has keeps its id, and is from now on never split.
        special_tokens : bool
            Whether strings among them become special tokens, which decoding can leave out.

        Returns
        -------
        int
            How many of them were not added tokens before, or had other flags.

        Examples
        --------
        >>> tokenizer = RobertaTokenizer.from_pretrained()
        >>> tokenizer.add_tokens(["Kyiv"])
        1
        >>> tokenizer.tokenize("to Kyiv!")
        ['to', 'Ġ', 'Kyiv', '!']
        """
        given: Any = new_tokens
        if isinstance(given, str) or is_added_token(given):
            given = [given]
        if not isinstance(given, list | tuple):
            raise TypeError(
                f"new_tokens is {shown(given)}: it must be a str, an AddedToken or a list of them"
            )
        tokens = [as_token(token, "new_tokens") for token in given]
        return self._add(
            AddedToken(token, special=special_tokens) if isinstance(token, str) else token
            for token in tokens
        )

    def add_special_tokens(
        self,
        special_tokens_dict: Mapping[str, Any],
        replace_additional_special_tokens: bool = True,
    ) -> int:
        """Add special tokens, and give them the roles of ``pad_token`` and so on.

        Parameters
        ----------
        special_tokens_dict : mapping of str to str or AddedToken
            For each role its new token; for ``"additional_special_tokens"`` a list. A string is a
            token that takes no white space along, also as ``mask_token``.
        replace_additional_special_tokens : bool
            Whether the list of additional special tokens is replaced. If it is, the old ones are
            still found in texts.

        Returns
        -------
        int
            How many of them were not added tokens before, or had other flags.

        Examples
        --------
        >>> tokenizer = RobertaTokenizer.from_pretrained()
        >>> tokenizer.add_special_tokens({"pad_token": "[PAD]"})
        1
        >>> tokenizer.pad_token_id == len(tokenizer) - 1
        True
        """
        special = self._special.copy()
        tokens = special.take(special_tokens_dict, replace_additional_special_tokens)
        return self._add(tokens, special)

    @property
    def added_tokens_encoder(self) -> dict[str, int]:
        """The added tokens, special ones included, and their ids, by rising id."""
        ids = self._vocabulary.ids
        return {token: ids[token] for token in sorted(self._vocabulary.added, key=ids.__getitem__)}

    @property
    def added_tokens_decoder(self) -> dict[int, AddedToken]:
        """The ids of the added tokens, and the tokens with their flags."""
        added = self._vocabulary.added
        return {index: added[content] for content, index in self.added_tokens_encoder.items()}

    def get_added_vocab(self) -> dict[str, int]:
        """Give the same as `added_tokens_encoder`."""
        return self.added_tokens_encoder

    @property
    def special_tokens_map(self) -> dict[str, Any]:
        """The special tokens by their names."""
        entries: dict[str, Any] = {
            name: token.content for name, token in self._special.named.items()
        }
        additional = self.additional_special_tokens
        return {**entries, ADDITIONAL: additional} if additional else entries

    @property
    def special_tokens_map_extended(self) -> dict[str, Any]:
        """The special tokens by their names, with their flags."""
        additional = list(self._special.additional)
        return {**self._special.named, **({ADDITIONAL: additional} if additional else {})}

    @property
    def all_special_tokens(self) -> list[str]:
        """The special tokens, each once."""
        return [token.content for token in self.all_special_tokens_extended]

    @property
    def all_special_tokens_extended(self) -> list[AddedToken]:
        """The special tokens, each once, with their flags."""
        return self._special.unique()

    @property
    def all_special_ids(self) -> list[int]:
        """The ids of `all_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.all_special_tokens]

    @property
    def additional_special_tokens(self) -> list[str]:
        """The special tokens that have no role of their own."""
        return [token.content for token in self._special.additional]

    @additional_special_tokens.setter
    def additional_special_tokens(self, tokens: Sequence[str | AddedToken]) -> None:
        self.add_special_tokens({ADDITIONAL: tokens})

    @property
    def additional_special_tokens_ids(self) -> list[int]:
        """The ids of `additional_special_tokens`."""
        return [self._vocabulary.ids[token] for token in self.additional_special_tokens]

    # The special tokens of a row

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
        """
        sequences = [self._checked(ids) for ids in _one_or_two(token_ids_0, token_ids_1)]
        return self._in_use.framing.row(sequences, ID)

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
        return self._in_use.framing.special_token_count(2 if pair else 1)

    @property
    def max_len_single_sentence(self) -> int | None:
        """How many tokens of one text the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(1)

    @property
    def max_len_sentences_pair(self) -> int | None:
        """How many tokens of a pair the model takes besides the special ones; None if unknown."""
        return self._room_for_texts(2)

    # Padding and truncating what is encoded already

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
        >>> RobertaTokenizer.from_pretrained().truncate_sequences([5, 6, 7, 8], None, 2, stride=1)
        ([5, 6], None, [6, 7, 8])
        """
        sequences = [as_ids(each) for each in _one_or_two(ids, pair_ids)]
        kept, overflowing = truncated(
            sequences, num_tokens_to_remove, truncation_strategy, stride, self.truncation_side
        )
        return kept[0], kept[1] if len(kept) > 1 else None, overflowing

    # Saving

    def save_pretrained(
        self,
        save_directory: FilePath,
        legacy_format: bool | None = None,
        filename_prefix: str | None = None,
        **others: Any,
    ) -> tuple[str, ...]:
        """Save the tokenizer so that this class and both of transformers can load it.

        All files of the tokenizer that was in the directory before are exchanged at once, and those
        that this one does not have are removed: whatever fails, and whenever the process is killed,
        the directory holds the old tokenizer or the new one. `minirobert.files.exchange` says how,
        and where this holds.

        Parameters
        ----------
        save_directory : path
            The directory, made if need be.
        legacy_format : bool, optional
            False leaves out vocab.json, merges.txt and added_tokens.json, and True tokenizer.json,
            which only newer programs read; by default all are written.
        filename_prefix : str, optional
            Put before all names, with a hyphen. `from_pretrained` reads files without a prefix.
        **others
            Keywords of transformers that have no effect; ``push_to_hub=True`` is refused.

        Returns
        -------
        tuple of str
            The files written.

        Raises
        ------
        OSError
            If the files cannot be written, as on a full disk.
        """
        settle(others, OF_SAVED_TOKENIZERS)
        if others:
            raise TypeError(
                f"save_pretrained got an unexpected keyword argument {shown(min(others))}"
            )
        return write_directory(
            save_directory,
            self._vocabulary,
            self._merges,
            self._special.items(),
            {**self._other_settings, **self._settings(), **self.special_tokens_map},
            check("legacy_format", legacy_format, optional(BOOLEAN)),
            _prefix(filename_prefix),
            self._parts,
        )

    def save_vocabulary(
        self, save_directory: FilePath, filename_prefix: str | None = None
    ) -> tuple[str, str]:
        """Save vocab.json and merges.txt alone, both at once.

        Parameters
        ----------
        save_directory : path
            The directory, made if need be.
        filename_prefix : str, optional
            Put before both names, with a hyphen.

        Returns
        -------
        (str, str)
            The two files.

        Raises
        ------
        OSError
            If they cannot be written, as on a full disk.
        """
        prefix = _prefix(filename_prefix)
        return write_model(save_directory, self._vocabulary, self._merges, prefix)

    # Explaining

    @documented(OPTIONS)
    def explain(
        self,
        text: str,
        add_prefix_space: bool | None = None,
        split_special_tokens: bool | None = None,
    ) -> Explanation:
        """Show the path of a text to its tokens, without special tokens around it.

        Parameters
        ----------
        text : str

        Returns
        -------
        Explanation
            For each piece of the text its bytes, its symbols, each merge with its rank, and its
            tokens with their ids and offsets. It can be printed.

        Examples
        --------
        >>> vocab = {"l": 0, "o": 1, "w": 2, "lo": 3, "low": 4, "Ġ": 5}
        >>> tokenizer = RobertaTokenizer.from_vocab(vocab, [("l", "o"), ("lo", "w")])
        >>> print(tokenizer.explain("low"))
        'low'  letters, characters 0 to 3
          bytes    6c 6f 77
          symbols  l o w
          merge    0  l + o  ->  lo w
          merge    1  lo + w  ->  low
          token    low  4  characters 0 to 3
        """
        check_text(text, "text")
        check("add_prefix_space", add_prefix_space, optional(BOOLEAN), TypeError)
        check("split_special_tokens", split_special_tokens, optional(BOOLEAN), TypeError)
        if self._parts:
            raise ValueError(
                "explain shows RoBERTa's own steps, but the tokenizer.json of this tokenizer has"
                f" others: {', '.join(self._parts)}; tokenize gives its tokens"
            )
        return explain(
            text,
            self._in_use.encoder,
            self.add_prefix_space if add_prefix_space is None else add_prefix_space,
            self.split_special_tokens if split_special_tokens is None else split_special_tokens,
            self.trim_offsets,
        )

    def __repr__(self) -> str:
        return (
            f"{type(self).__name__}(vocab_size={self.vocab_size},"
            f" model_max_length={self.model_max_length}, padding_side={self.padding_side!r},"
            f" truncation_side={self.truncation_side!r}, add_prefix_space={self.add_prefix_space},"
            f" special_tokens={self.special_tokens_map})"
        )

    # What the methods above have in common

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

        All changes in one step, so that other threads, and who goes on after an interruption, find
        the old tokens or the new ones.
        """
        in_use = TokensInUse(vocabulary, special, self._ranks, self._parts)
        vars(self).update(_vocabulary=vocabulary, _special=special, _in_use=in_use, _plans=[])

    def _add(self, tokens: Iterable[AddedToken], special: SpecialTokens | None = None) -> int:
        vocabulary = self._vocabulary.copy()
        count = sum([vocabulary.add(token) for token in tokens])
        self._take(vocabulary, self._special if special is None else special)
        return count

    def _plan(self, options: CallOptions) -> Plan:
        """Work out what options come to; of many calls, one after the other, for the first."""
        plans = self._plans
        for told, plan in plans:
            if are_equal(told, options):
                return plan
        in_use = self._in_use
        side, prefix = options.padding_side, options.add_prefix_space
        prefix = self.add_prefix_space if prefix is None else prefix
        keeps = keeps_first_space(self._parts)
        splits = options.split_special_tokens
        row_format = RowFormat(
            lengths=plan_lengths(options.checked(), self.model_max_length),
            truncation_side=self.truncation_side,
            padding_side=self.padding_side if side is None else side,
            framing=in_use.framing,
            add_special_tokens=options.add_special_tokens,
            keeps_first_space=prefix if keeps is None else keeps,
            trim_offsets=self.trim_offsets,
        )
        if row_format.lengths.padding != "do_not_pad" and self.pad_token is None:
            raise ValueError(
                "this tokenizer has no padding token: give it one, such as tokenizer.pad_token ="
                " tokenizer.eos_token, or tokenizer.add_special_tokens({'pad_token': '<pad>'})"
            )
        encode = in_use.encoder.encoding(
            prefix,
            self.split_special_tokens if splits is None else splits,
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
        if not all(map(self._vocabulary.tokens.__contains__, several)):
            self.convert_ids_to_tokens(several)  # raises the error
        return several


# The name of the class in transformers that is written in Rust, for code that asks for it.
RobertaTokenizerFast = RobertaTokenizer


def _prefix(filename_prefix: str | None) -> str:
    check("filename_prefix", filename_prefix, optional(STRING), TypeError)
    return f"{filename_prefix}-" if filename_prefix else ""


def _one_or_two(first: Sequence[int], second: Sequence[int] | None) -> list[Sequence[int]]:
    return [first] if second is None else [first, second]


def _without_text(ids: list[int]) -> EncodedText:
    return EncodedText(ids, _no_text)


def _no_text() -> NoReturn:
    raise ValueError(
        "this row was made from ids, so nothing is known of words and offsets: give the tokenizer"
        " the text"
    )
