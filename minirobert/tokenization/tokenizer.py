"""RoBERTa's tokenizer: made, loaded, saved, trained, explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from ..files import TINY, ModelFiles, ModelName
from .added_tokens import AddedToken, AddedTokenSplitter, as_token
from .bpe import Pair
from .calls import CallableTokenizer
from .explain import Explainer, Explanation
from .files.config_files import ADDITIONAL, SETTINGS
from .files.directories import read_directory, write_directory, write_model
from .files.tokenizer_json import TOKENIZER_NAME, read_tokenizer_json
from .files.vocab_and_merges import MERGES_NAME, VOCAB_NAME, FilePath, read_merges, read_vocab
from .texts import check_text
from .trainer import ROBERTA_SPECIAL_TOKENS, train_bpe


class RobertaTokenizer(CallableTokenizer):
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
    other_settings : mapping of str to object, optional
        Entries of tokenizer_config.json that mean nothing here, to be saved again.

    Notes
    -----
    The results are those of transformers' `RobertaTokenizerFast`, with what its slow
    `RobertaTokenizer` has besides. Where those two differ, this class does this:

    - *Letters and numbers* are those that the package `regex` knows, as in the slow class; the fast
      one may know another version of Unicode.
    - *Merges* are made one at a time, as in the fast class. The slow one makes all of a pair before
      it looks for the next, which differs if a merge makes a pair of lower rank; no merges that
      training finds do.
    - *A symbol that the vocabulary lacks* gives ``<unk>``, as in the slow class. The fast one drops
      it, and merges what stands on both sides of it.
    - ``<mask>`` *takes along* the white space of Unicode before it, as in the fast class; in the
      slow one U+001C to U+001F too. `tokenize` and `tokens` give it as it is written, as the slow
      class does; the fast one gives it with that space.
    - `add_prefix_space` puts a space before each stretch of text between added tokens that does not
      begin with a plain one, as in the fast class; in the slow one only before the whole text, and
      not before other white space. It can be given with each call, as in the slow class.
    - *Words* (`is_split_into_words`) need no `add_prefix_space`, as in the slow class, and are then
      encoded as in the fast one. A string in place of words is a `TypeError`, as there.
    - `encode` *takes tokens and ids*, as in the slow class and as documented. The fast one takes a
      list of two strings for a pair.
    - *Windows, words and offsets* are the fast class's; the slow one has none, but returns
      ``overflowing_tokens``, which `truncate_sequences` gives here.
    - *Columns* come in the order of the fast class, and `return_length` counts padding as it does.
      An unknown argument is a `TypeError`, as there.
    - ``longest_first`` leaves an odd token to the second text if the first is not longer, as in the
      fast class.
    - *The pair* ``("a", "")`` is a pair also when it is not in a batch, as in the slow class.
    - *Token type ids* can be asked for without special tokens, as in the fast class.
    - `get_special_tokens_mask` also works for ids without special tokens, as in the slow class.
    - `add_tokens` counts tokens that the vocabulary had already, as in the fast class.
    - `decode` follows `errors`, as in the slow class, and puts spaces around added tokens only if
      asked; the slow class does so unless asked not to.
    - `convert_tokens_to_string` passes characters through that are not of the byte alphabet, as in
      the fast class.
    - *Files* are written as the fast class writes them.

    In these points both contradict their documentation, crash, or lose something silently:

    - *What cannot be done* is a `ValueError` with a sentence: a truncation that cannot be had (the
      slow class returns the text as it was, the fast one raises a bare `Exception`, returns it too
      long, or empties both texts), a `stride` with which windows never end (a panic of the Rust
      code), rows of different lengths as an array (an array of objects), an id that no token has
      (left out, or a `TypeError`), a lone surrogate. An empty batch gives empty columns; a batch
      that mixes texts and pairs is a `TypeError`.
    - *Token type ids* are 0 in every window. There, the second text of a pair has 1 in the windows
      after the first if there are no special tokens.
    - `char_to_word`, `word_to_chars` and the like give None where there is no such word, and count
      negative indices from the end; there, they fail.
    - *The special tokens of a row* are `cls_token` and `sep_token` as they are now; there, changing
      them changes only `build_inputs_with_special_tokens`. A role can only be given to a token of
      the vocabulary; there, any other string silently means ``<unk>``.
    - The first line of merges.txt is skipped only if it is the ``#version`` header, and the last
      one always counts. There, both are dropped whatever they are.
    - `decode` gives added tokens as they are written, also if they are spelled in the byte
      alphabet.
    - `pad` also pads `offset_mapping`, and leaves its argument as it is.
    - *All seven special tokens are always there*: ``"pad_token": null`` means ``<pad>``. There, a
      tokenizer may lack one.
    - *Tokens with names of their own* (``extra_special_tokens``) are additional special tokens
      without one, and are taken only if ``added_tokens_decoder`` has them.
    - `model_max_length` is None where there is no limit, not 10**30.
    - `from_pretrained` takes `add_prefix_space`, `trim_offsets`, `cls_token` and `sep_token` from
      tokenizer.json if tokenizer_config.json does not have them.
    - `train_new_from_iterator` renames additional special tokens, too.
    - ``padding="do_not_pad"`` is the same as ``padding=False`` also where `max_length` is given
      without `truncation`.
    - *Not here* are chat templates, uploads to the hub, what was deprecated long ago
      (`as_target_tokenizer`, `prepare_seq2seq_batch`), what shows the inside of the Rust code
      (`backend_tokenizer`), and `legacy_format` and `filename_prefix` of `save_pretrained`.
    - *A slice* of a `BatchEncoding` is a dictionary of columns; there, a list of rows.
    - *A stride* has to leave room for a token besides the special ones that there are; there, for
      two special tokens also where none are added.
    - Tensors are those of NumPy, CuPy and PyTorch; those of TensorFlow, JAX and MLX are not made.

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
        model_input_names: Sequence[str] = ("input_ids", "attention_mask"),
        padding_side: str = "right",
        truncation_side: str = "right",
        clean_up_tokenization_spaces: bool = False,
        split_special_tokens: bool = False,
        additional_special_tokens: Sequence[str | AddedToken] = (),
        added_tokens_decoder: Mapping[int, AddedToken] | None = None,
        other_settings: Mapping[str, Any] | None = None,
    ) -> None:
        vocab, merges, declared = _read_model(vocab_file, merges_file, tokenizer_file)
        declared.update(added_tokens_decoder or {})
        special_tokens = {
            "bos_token": bos_token,
            "eos_token": eos_token,
            "unk_token": unk_token,
            "sep_token": sep_token,
            "pad_token": pad_token,
            "cls_token": cls_token,
            "mask_token": mask_token,
        }
        super().__init__(vocab, merges, declared, special_tokens, additional_special_tokens)
        self.errors = errors
        self.add_prefix_space = add_prefix_space
        self.trim_offsets = trim_offsets
        self.model_max_length = model_max_length
        self.model_input_names = model_input_names
        self.padding_side = padding_side
        self.truncation_side = truncation_side
        self.clean_up_tokenization_spaces = clean_up_tokenization_spaces
        self.split_special_tokens = split_special_tokens
        self._other_settings = dict(other_settings or {})

    def __getstate__(self) -> dict[str, Any]:
        # Not what has been remembered of the texts so far.
        return {name: value for name, value in vars(self).items() if name != "_encoder"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._make_encoder()

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
    def from_pretrained(
        cls, pretrained_model_name_or_path: ModelName = TINY, **overrides: Any
    ) -> Self:
        """Load a tokenizer from a directory, as this class or transformers saves it, or the hub.

        Parameters
        ----------
        pretrained_model_name_or_path : path or str
            A directory with tokenizer.json, or with vocab.json and merges.txt, or the name of a
            model on the Hugging Face hub; the bundled model by default. The settings come from
            tokenizer_config.json, special_tokens_map.json and added_tokens.json where these exist.
        **overrides
            Arguments of the class that win over what the files say, and the options of
            `minirobert.files.HubOptions`.

        Returns
        -------
        RobertaTokenizer
            The tokenizer.

        Raises
        ------
        FileNotFoundError
            If there is no such directory, or no tokenizer in it, or the hub does not give it.
        ValueError
            If a file is broken.
        """
        files = ModelFiles.of(pretrained_model_name_or_path, overrides)
        return cls(**{**read_directory(files), **overrides})

    @classmethod
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
        """Learn a vocabulary and merges from texts, and make a tokenizer of them.

        Parameters
        ----------
        texts : iterable of str, or of lists of str
            The texts, read once, one after the other: a generator will do.
        vocab_size : int
            How many tokens to make, special tokens and byte alphabet included.
        min_frequency : int
            How often a pair must occur to be merged.
        special_tokens : sequence of str or AddedToken
            The tokens with the first ids. Those without a role become additional special tokens;
            those of `ROBERTA_SPECIAL_TOKENS` that are missing are appended to the vocabulary.
        add_prefix_space : bool
            As for the class, also for training.
        show_progress : bool
            Whether to show progress bars on stderr.
        n_texts : int, optional
            How many texts there are, for the progress bar.
        **options
            The other arguments of the class.

        Returns
        -------
        RobertaTokenizer
            The tokenizer. `train_bpe` says how it is found, and what is checked.

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
        known = tokenizer.all_special_tokens
        without_role = [token for token in special if _content(token) not in known]
        tokenizer.add_special_tokens(
            {ADDITIONAL: without_role}, replace_additional_special_tokens=False
        )
        return tokenizer

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
        """Train a tokenizer with the special tokens and settings of this one on other texts.

        Parameters
        ----------
        text_iterator, vocab_size, min_frequency, show_progress
            As for `train`.
        length : int, optional
            How many texts there are, for the progress bar.
        new_special_tokens : sequence of str or AddedToken, optional
            More special tokens.
        special_tokens_map : mapping of str to str, optional
            New names for special tokens of this one.

        Returns
        -------
        RobertaTokenizer
            The new tokenizer; this one stays as it is.
        """
        names = special_tokens_map or {}

        def renamed(token: AddedToken) -> AddedToken:
            return replace(token, content=names.get(token.content, token.content))

        special = [renamed(token) for token in self.added_tokens_decoder.values() if token.special]
        roles: dict[str, Any] = {name: renamed(token) for name, token in self._named_tokens.items()}
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

    def save_pretrained(self, save_directory: FilePath) -> tuple[str, ...]:
        """Save the tokenizer so that this class and both of transformers can load it.

        An added_tokens.json that was in the directory before, and that this tokenizer has no need
        for, is removed.

        Parameters
        ----------
        save_directory : path
            The directory, made if need be.

        Returns
        -------
        tuple of str
            The files written.
        """
        return write_directory(
            save_directory,
            self._vocabulary,
            self._merges,
            self._special_token_items(),
            {**self._other_settings, **self._settings(), **self.special_tokens_map},
        )

    def save_vocabulary(
        self, save_directory: FilePath, filename_prefix: str | None = None
    ) -> tuple[str, str]:
        """Save vocab.json and merges.txt alone.

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
        """
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        return write_model(save_directory, self._vocabulary, self._merges, prefix)

    def _settings(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in SETTINGS}

    # What happens to a text

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
            The text.
        add_prefix_space, split_special_tokens : bool, optional
            As for the class, for this call only.

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
        return Explainer(
            AddedTokenSplitter(self._vocabulary.added.values()),
            self._vocabulary,
            self.unk_token_id,
            self._ranks,
            self.add_prefix_space if add_prefix_space is None else add_prefix_space,
            self.trim_offsets,
            self.split_special_tokens if split_special_tokens is None else split_special_tokens,
        ).explain(text)

    def _special_token_items(self) -> list[tuple[str, AddedToken]]:
        additional = [(ADDITIONAL, token) for token in self._additional_tokens]
        return [*self._named_tokens.items(), *additional]


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


def _content(token: str | AddedToken) -> str:
    return token if isinstance(token, str) else token.content
