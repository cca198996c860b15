"""RoBERTa's tokenizer, and all that it can do.

Here it is made, trained and saved, and explains itself; its other methods stand in `methods`, by
subject. What they do stands in the modules around this one: `text_encoder` (from text to ids),
`rows` (batches), `decoding`, `special_tokens`, `files`, `trainer` and `explain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

from ..documentation import documented, entries
from ..files import TINY, ModelFiles, ModelName
from ..keywords import OF_SAVED_TOKENIZERS, OF_TOKENIZERS, settle, settle_all, takes
from ..rules import BOOLEAN, STRING, check, optional
from .added_tokens import AddedToken, as_token, content_of
from .bpe import Pair, rank_merges
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
from .methods.calls import CallMixin
from .rows.options import OPTIONS
from .settings import OTHER_SETTINGS
from .special_tokens import ADDITIONAL, SPECIAL_TOKEN_NAMES, SpecialTokens
from .texts import check_text
from .trainer import ROBERTA_SPECIAL_TOKENS, train_bpe
from .vocabulary import Vocabulary, as_declared

__all__ = ["RobertaTokenizer", "RobertaTokenizerFast"]


class RobertaTokenizer(CallMixin):
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
        settle_all(others, OF_SAVED_TOKENIZERS, "save_pretrained")
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


# The name of the class in transformers that is written in Rust, for code that asks for it.
RobertaTokenizerFast = RobertaTokenizer


def _prefix(filename_prefix: str | None) -> str:
    check("filename_prefix", filename_prefix, optional(STRING), TypeError)
    return f"{filename_prefix}-" if filename_prefix else ""
