"""Operations whose work should grow no faster than their input, each for an input of a size.

`OPERATIONS` has them by name: a function that prepares an input of size n, and gives what is to be
done with it, without arguments. `THEIRS` has the same for transformers' fast tokenizer, for those
that it can do. The tests count their work, the benchmark measures their time.
"""

import json
import pickle
import random
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from minirobert import RobertaTokenizer
from minirobert.files import TINY
from minirobert.generation import StopStrings
from minirobert.pipelines.entities import Token, read_entities, without_overlap
from minirobert.pipelines.text_generation import TextGenerationPipeline
from minirobert.tokenization import AddedToken
from minirobert.tokenization.aligned import Aligned
from minirobert.tokenization.components import NORMALIZERS

OPERATIONS = {}
THEIRS = {}


def operation(name, of=None):
    """Enter the decorated function; `of` says whose it is, ours unless it is THEIRS."""

    def enter(prepare):
        (OPERATIONS if of is None else of)[name] = prepare
        return prepare

    return enter


@cache
def _pickled():
    return pickle.dumps(RobertaTokenizer.from_pretrained(TINY, model_max_length=None))


def ours():
    tokenizer = pickle.loads(_pickled())  # a new one; from its files it takes ten times as long
    tokenizer.encode("")  # makes what is made on demand
    return tokenizer


def theirs():
    from transformers import RobertaTokenizerFast

    return RobertaTokenizerFast.from_pretrained(TINY, model_max_length=10**9)


# Texts without an end to their pieces, or with unusual ones

TEXTS = {
    "one letter": lambda n: "a" * n,
    "random letters": lambda n: "".join(random.Random(n).choices("abcdefghij", k=n)),
    "spaces": lambda n: " " * n,
    "spaces before words": lambda n: (" " * 50 + "word") * (n // 54 + 1),
    "combining marks": lambda n: "e" + "\u0301" * n,
    "families of emoji": lambda n: "👩\u200d👩\u200d👧" * (n // 5 + 1),
    "replacement characters": lambda n: "\ufffd" * n,
    "masks and spaces": lambda n: (" " * 20 + "<mask>") * (n // 26 + 1),
    "half masks": lambda n: "<mask" * (n // 5 + 1),
    "words": lambda n: "The quick brown fox jumps. " * (n // 27 + 1),
}


def _encode(text_of):
    def prepare(n):
        text, tokenizer = text_of(n), ours()
        return lambda: tokenizer(text, return_offsets_mapping=True)["offset_mapping"]

    return prepare


def _encode_theirs(text_of):
    def prepare(n):
        text, tokenizer = text_of(n), theirs()
        return lambda: tokenizer(text, return_offsets_mapping=True)["offset_mapping"]

    return prepare


for _name, _text_of in TEXTS.items():
    OPERATIONS[f"encode: {_name}"] = _encode(_text_of)
    THEIRS[f"encode: {_name}"] = _encode_theirs(_text_of)


@operation("encode: lone surrogates, refused")
def surrogates(n):
    text, tokenizer = "\ud800" * n, ours()

    def refuse():
        try:
            tokenizer(text)
        except ValueError as error:
            return str(error)
        raise AssertionError("must be refused")

    return refuse


@operation("encode: merges that wake up earlier ones")
def waking(n):
    # Each "ab" makes the pair whose turn is first: ("ab", "ab").
    vocab = {token: i for i, token in enumerate(["a", "b", "ab", "abab", "<unk>"])}
    tokenizer = RobertaTokenizer.from_vocab(vocab, [("ab", "ab"), ("a", "b")])
    return lambda: tokenizer("ab" * (n // 2)).input_ids


# Looking into an encoding

EXPLAINED = {"emoji": lambda n: "😀" * (n // 4), "letters": TEXTS["random letters"]}
for _name, _text_of in EXPLAINED.items():

    @operation(f"explain: {_name}")
    def explained(n, text_of=_text_of):
        text, tokenizer = text_of(n), ours()
        return lambda: tokenizer.explain(text).ids

    @operation(f"explain and print: {_name}")
    def explained_in_print(n, text_of=_text_of):
        explanation = ours().explain(text_of(n))
        return lambda: str(explanation)

    @operation(f"explain as a dictionary: {_name}")
    def explained_in_json(n, text_of=_text_of):
        explanation = ours().explain(text_of(n))
        return lambda: json.dumps(explanation.to_dict())


def _ask(name, question):
    """Ask a question about each character, word or token of a text."""
    text_of = TEXTS["words"]

    @operation(f"{name} of a whole row")
    def of_ours(n):
        encoding = ours()(text_of(n))
        return lambda: [question(encoding, i) for i in range(n // 6)]

    @operation(f"{name} of a whole row", THEIRS)
    def of_theirs(n):
        encoding = theirs()(text_of(n))
        return lambda: [question(encoding, i) for i in range(n // 6)]


_ask("char_to_token", lambda encoding, i: encoding.char_to_token(6 * i))
_ask("char_to_word", lambda encoding, i: encoding.char_to_word(6 * i))
_ask("token_to_chars", lambda encoding, i: encoding.token_to_chars(i))
_ask("word_to_tokens", lambda encoding, i: encoding.word_to_tokens(i))
_ask("word_to_chars", lambda encoding, i: encoding.word_to_chars(i))


def _windows(tokenizer, n):
    text = TEXTS["words"](n)
    encoding = tokenizer(
        text,
        max_length=6,
        stride=3,
        truncation=True,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    rows = range(len(encoding["input_ids"]))
    return [
        (encoding.sequence_ids(i), encoding.word_ids(i), encoding.char_to_token(i, 0)) for i in rows
    ]


@operation("windows of 6")
def windows(n):
    tokenizer = ours()
    return lambda: _windows(tokenizer, n)


@operation("windows of 6", THEIRS)
def windows_of_theirs(n):
    tokenizer = theirs()
    return lambda: _windows(tokenizer, n)


@operation("a question on windows of 8 of a context")
def asked_windows(n):
    tokenizer, context = ours(), TEXTS["words"](n)

    def ask():
        encoding = tokenizer(
            "who",
            context,
            max_length=8,
            truncation="only_second",
            return_overflowing_tokens=True,
        )
        return [encoding.sequence_ids(i) for i in range(len(encoding["input_ids"]))]

    return ask


# Added tokens


def _overlapping(n):
    """Make n tokens that begin and end alike."""
    return [f"tok{'en' * (i % 7)}{i}>" for i in range(n)]


def _with_tokens(name, tokens_of, text_of):
    for of, make in ((OPERATIONS, ours), (THEIRS, theirs)):

        @operation(name, of)
        def encode(n, make=make):
            tokenizer = make()
            tokens = tokens_of(n)
            kind = AddedToken if make is ours else _their_token
            tokenizer.add_tokens(
                [kind(token, **flags) for token, flags in tokens], special_tokens=False
            )
            text = text_of(n)
            return lambda: tokenizer(text).input_ids


def _their_token(*arguments, **flags):
    from tokenizers import AddedToken

    return AddedToken(*arguments, **flags)


_with_tokens(
    "n overlapping added tokens in a text of n",
    lambda n: [(token, {}) for token in _overlapping(n // 10)],
    lambda n: "tokenenen7 token8> to" * (n // 21 + 1),
)
_with_tokens(
    "added tokens that nearly match",
    lambda n: [("a" * i + "c", {}) for i in range(1, int(n**0.5))],
    lambda n: "a" * n,
)
_with_tokens(
    "an added token as a single word",
    lambda n: [("ab", {"single_word": True})],
    lambda n: "ab xab " * (n // 7 + 1),
)
_with_tokens(
    "an added token that takes spaces along",
    lambda n: [("[X]", {"lstrip": True, "rstrip": True})],
    lambda n: ("[X]" + " " * 40) * (n // 43 + 1),
)
_with_tokens(
    "a text without any of n added tokens",
    lambda n: [(chr(0x4E00 + i % 20_000) + str(i), {}) for i in range(n // 10)],
    lambda n: "plain " * (n // 6 + 1),
)


@operation("add_tokens one by one")
def added_one_by_one(n):
    tokenizer = ours()

    def add():
        for token in _overlapping(n):
            tokenizer.add_tokens([token])
        return tokenizer("tokenen1>").input_ids

    return add


@operation("add_special_tokens one by one")
def special_one_by_one(n):
    tokenizer = ours()

    def add():
        for token in _overlapping(n):
            tokenizer.add_special_tokens(
                {"additional_special_tokens": [token]}, replace_additional_special_tokens=False
            )
        return tokenizer("tokenen1>").input_ids

    return add


@operation("save and load n added tokens")
def saved(n):
    tokenizer = RobertaTokenizer.from_vocab({"a": 0, "<unk>": 1}, [])
    tokenizer.add_tokens(_overlapping(n))

    def save():
        with TemporaryDirectory() as directory:
            tokenizer.save_pretrained(directory)
            return len(RobertaTokenizer.from_pretrained(directory))

    return save


@operation("save and load n added tokens", THEIRS)
def saved_by_theirs(n):
    tokenizer = theirs()
    tokenizer.add_tokens(_overlapping(n))

    def save():
        with TemporaryDirectory() as directory:
            tokenizer.save_pretrained(directory)
            return len(type(tokenizer).from_pretrained(directory))

    return save


@operation("make n tokens of the vocabulary added ones")
def declared(n):
    vocab = {f"t{i}": i for i in range(n)}
    tokens = {i: AddedToken(token) for token, i in vocab.items()}
    return lambda: len(RobertaTokenizer.from_vocab(vocab, [], added_tokens_decoder=tokens))


# Parts of a tokenizer.json

PARTS = {
    "Replace": ({"type": "Replace", "pattern": {"String": "a"}, "content": "bc"}, None),
    "NFC": ({"type": "NFC"}, None),
    "NFKD": ({"type": "NFKD"}, None),
    "Lowercase": ({"type": "Lowercase"}, None),
    "Prepend": ({"type": "Prepend", "prepend": "x "}, None),
    "Digits": (None, {"type": "Digits", "individual_digits": True}),
    "Split": (
        None,
        {
            "type": "Split",
            "pattern": {"Regex": r"\s+|a"},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
    ),
}


def with_parts(directory, normalizer=None, pre_tokenizer=None):
    """Write a tokenizer.json with parts, and give its path."""
    ours().save_pretrained(directory, legacy_format=False)
    path = Path(directory) / "tokenizer.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["normalizer"] = normalizer
    if pre_tokenizer:
        both = [pre_tokenizer, content["pre_tokenizer"]]
        content["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": both}
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


for _name, _parts in PARTS.items():
    for _of, _is_ours in ((OPERATIONS, True), (THEIRS, False)):

        @operation(f"encode with {_name}", _of)
        def encode_with_parts(n, parts=_parts, is_ours=_is_ours):
            with TemporaryDirectory() as directory:
                with_parts(directory, *parts)
                if is_ours:
                    tokenizer = RobertaTokenizer.from_pretrained(directory, model_max_length=None)
                else:
                    from transformers import PreTrainedTokenizerFast

                    tokenizer = PreTrainedTokenizerFast.from_pretrained(
                        directory, model_max_length=10**9
                    )
            text = "A cafe\u0301 at 12 a " * (n // 16 + 1)
            return lambda: tokenizer(text, return_offsets_mapping=True)["offset_mapping"]


@operation("replace in a text")
def replaced(n):
    part = {"type": "Replace", "pattern": {"String": "a"}, "content": "bc"}
    normalize = NORMALIZERS["Replace"](part)
    return lambda: normalize(Aligned.of("a " * (n // 2)))


# Training


def _train(texts_of, vocab_size=600):
    def prepare(n):
        texts = texts_of(n)
        return lambda: RobertaTokenizer.train(texts, vocab_size, 2, show_progress=False).merges

    return prepare


def _train_theirs(texts_of, vocab_size=600):
    def prepare(n):
        from tokenizers import ByteLevelBPETokenizer

        texts = texts_of(n)
        return lambda: ByteLevelBPETokenizer().train_from_iterator(
            texts, vocab_size, 2, show_progress=False
        )

    return prepare


TRAINED = {
    "one word of n random letters": lambda n: [TEXTS["random letters"](n)],
    "one word of n times a letter": lambda n: ["a" * n],
    "n different words": lambda n: [f" {i:x}".translate(_LETTERS) for i in range(n)],
}
_LETTERS = str.maketrans("0123456789", "ghijklmnop")
for _name, _texts_of in TRAINED.items():
    OPERATIONS[f"train on {_name}"] = _train(_texts_of)
    THEIRS[f"train on {_name}"] = _train_theirs(_texts_of)


@operation("train with n merges on one word")
def trained_to_merges(n):
    text = TEXTS["random letters"](n)
    return lambda: RobertaTokenizer.train([text], 261 + n, 2, show_progress=False).merges


@operation("train with n special tokens")
def trained_with_special_tokens(n):
    special = [f"<{i}>" for i in range(n)]
    return lambda: RobertaTokenizer.train(["a"], 300 + n, 2, special, show_progress=False)


# Decoding


@operation("decode")
def decoded(n):
    ids, tokenizer = [0, 300, 301, 4] * (n // 4), ours()
    return lambda: tokenizer.decode(ids, spaces_between_special_tokens=True)


@operation("decode", THEIRS)
def decoded_by_theirs(n):
    ids, tokenizer = [0, 300, 301, 4] * (n // 4), theirs()
    return lambda: tokenizer.decode(ids)


@operation("decode n rows with n added tokens")
def decoded_rows(n):
    tokenizer = ours()
    tokenizer.add_tokens(_overlapping(n))
    rows = [[len(tokenizer) - 1 - i, 4] for i in range(n)]
    return lambda: tokenizer.batch_decode(rows, spaces_between_special_tokens=True)


@operation("convert to tokens and back")
def converted(n):
    ids, tokenizer = list(range(4, 104)) * (n // 100 + 1), ours()

    def convert():
        tokens = tokenizer.convert_ids_to_tokens(ids)
        return tokenizer.convert_tokens_to_ids(tokens), tokenizer.convert_tokens_to_string(tokens)

    return convert


# Batches


@operation("pad n texts")
def padded(n):
    texts, tokenizer = ["a b"] * n + ["a " * 20], ours()
    return lambda: tokenizer(texts, padding=True).attention_mask


@operation("pad n texts", THEIRS)
def padded_by_theirs(n):
    texts, tokenizer = ["a b"] * n + ["a " * 20], theirs()
    return lambda: tokenizer(texts, padding=True)["attention_mask"]


@operation("cut a pair of long texts")
def cut_pair(n):
    text, tokenizer = TEXTS["words"](n), ours()
    return lambda: tokenizer(text, text[::-1], truncation=True, max_length=100).input_ids


# Generation and pipelines


def _pipeline():
    """Make what reads a stream of tokens, without a model."""
    pipeline = object.__new__(TextGenerationPipeline)
    pipeline.tokenizer = ours()
    return pipeline


@operation("stream n tokens")
def streamed(n):
    pipeline = _pipeline()
    ids = pipeline.tokenizer("The café 😀 is open. " * (n // 8), add_special_tokens=False).input_ids
    return lambda: "".join(pipeline._parts(iter(ids)))


@operation("a stop string of n characters")
def stopping(n):
    tokenizer = ours()
    stop = StopStrings(["b" * n], tokenizer)
    ids = np.array(tokenizer("ab " * n, add_special_tokens=False).input_ids)[None, -n:]
    return lambda: stop(ids)


@operation("entities of n tokens")
def entities(n):
    probabilities = np.array([0.25, 0.75])
    tokens = [Token("a", i, 2 * i, 2 * i + 1, i % 3 > 0, probabilities) for i in range(n)]
    labels = {0: "O", 1: "I-X"}

    def read():
        found = [
            entity
            for strategy in ("simple", "first", "average", "max", "none")
            for entity in read_entities(tokens, strategy, labels, "".join)
        ]
        return without_overlap([{**one, "start": i, "end": i + 3} for i, one in enumerate(found)])

    return read
