"""Training gives the vocabulary and the merges that Hugging Face's trainers give."""

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import ByteLevelBPETokenizer

from minirobert import cli
from minirobert.tokenization import AddedToken, train_bpe
from minirobert.tokenization.trainer import ROBERTA_SPECIAL_TOKENS
from tests.corpora import standard_library
from tests.equivalence.texts import TINY, characters, fast, hf_added_token
from tests.equivalence.texts import texts as unusual_texts


def model_of(tokenizer):
    """Give the tokens in the order of their ids, and the merges."""
    model = json.loads(tokenizer.to_str())["model"]
    return in_order(model["vocab"], map(tuple, model["merges"]))


def in_order(vocab, merges):
    return sorted(vocab.items(), key=lambda entry: entry[1]), list(merges)


def theirs(texts, *, add_prefix_space=False, special_tokens=ROBERTA_SPECIAL_TOKENS, **options):
    tokenizer = ByteLevelBPETokenizer(add_prefix_space=add_prefix_space)
    special_tokens = [
        hf_added_token(token) if isinstance(token, AddedToken) else token
        for token in special_tokens
    ]
    tokenizer.train_from_iterator(
        texts, special_tokens=special_tokens, show_progress=False, **options
    )
    return model_of(tokenizer)


def ours(texts, **options):
    vocab, merges = train_bpe(texts, show_progress=False, **options)
    assert list(vocab.values()) == list(range(len(vocab)))
    return in_order(vocab, merges)


def assert_equal_training(texts, **options):
    mine = ours(texts, **options)
    assert mine == theirs(texts, **options)
    return mine


# Few letters and repeated words, so that many pairs have the same count.
words = st.one_of(
    st.text("ab", max_size=12),
    st.text("aab", max_size=60),
    st.text("abcdé", max_size=8),
    st.text("日本語ひら", max_size=6),
    st.text("👍🏽👩\u200d", max_size=6),
    st.sampled_from(
        [*ROBERTA_SPECIAL_TOKENS, "the", "then", "THE", "there", "it's", "<<s>>", "==="]
    ),
)
repeated = st.tuples(words, st.integers(1, 9)).map(lambda pair: [pair[0]] * pair[1])
lists_of_words = st.lists(words | repeated, max_size=9).map(
    lambda parts: " ".join(
        word for part in parts for word in ([part] if isinstance(part, str) else part)
    )
)
corpora = st.lists(
    lists_of_words | lists_of_words | unusual_texts | st.text(characters, max_size=20), max_size=6
)
special_tokens = st.just(ROBERTA_SPECIAL_TOKENS) | st.lists(
    st.sampled_from(
        [*ROBERTA_SPECIAL_TOKENS, AddedToken("<x>", lstrip=True), "aa", "ab", "Ġa", "th", "=="]
    ),
    unique_by=lambda token: token if isinstance(token, str) else token.content,
)
options = st.fixed_dictionaries(
    {
        "min_frequency": st.integers(0, 3),
        "special_tokens": special_tokens,
        "add_prefix_space": st.booleans(),
    }
)


@given(corpora, options, st.integers(0, 60))
@example(["aaa aaaa aaaaa", "aaaaaaa"], {"min_frequency": 0}, 60)
@example(["abab ab"], {"min_frequency": 1, "special_tokens": ["abab", "<s>", "ab"]}, 60)
def test_few_merges(texts, options, n_merges):
    special_tokens = options.get("special_tokens", ROBERTA_SPECIAL_TOKENS)
    assert_equal_training(texts, vocab_size=len(special_tokens) + 256 + n_merges, **options)


@given(corpora, options, st.integers(-2, 2))
def test_sizes_around_the_number_of_tokens_that_there_are(texts, options, more):
    everything, _ = assert_equal_training(texts, **options)
    least = len(options["special_tokens"]) + 256
    size = max(least, len(everything) + more)
    tokens, _ = assert_equal_training(texts, vocab_size=size, **options)
    assert len(tokens) == min(size, len(everything))


@given(corpora)
def test_batches_of_texts(texts):
    batches = [texts[:2], texts[2:]]
    assert ours(batches) == theirs(batches) == ours(texts)


@given(corpora, st.integers(0, 60), st.booleans())
def test_transformers_train_new_from_iterator(texts, n_merges, add_prefix_space):
    size = 5 + 256 + n_merges
    tokenizer = fast(TINY, add_prefix_space=add_prefix_space)
    trained = tokenizer.train_new_from_iterator([texts], size, show_progress=False)
    assert model_of(trained.backend_tokenizer) == ours(
        texts, vocab_size=size, min_frequency=0, add_prefix_space=add_prefix_space
    )


# Files

endings = st.sampled_from(["\n", "\r\n", "\r", "\n\n", "\u2028", "\x85", "\x0b", " \n", ""])
contents = st.lists(st.tuples(lists_of_words | unusual_texts, endings), max_size=6).map(
    lambda lines: "".join(line + ending for line, ending in lines).encode()
)


@given(st.lists(contents, min_size=1, max_size=3), st.booleans())
@example([b"", b"a b\r\n\r\n\na b\r\n", b"\xef\xbb\xbfa"], False)
@example([b"a\r\na\r\nb \n\n"], True)
def test_files_of_the_command_line(files, add_prefix_space):
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        paths = [str(directory / f"{i}.txt") for i in range(len(files))]
        for path, content in zip(paths, files, strict=True):
            Path(path).write_bytes(content)
        tokenizer = ByteLevelBPETokenizer(add_prefix_space=add_prefix_space)
        tokenizer.train(
            paths, vocab_size=300, special_tokens=list(ROBERTA_SPECIAL_TOKENS), show_progress=False
        )
        flags = ["--add-prefix-space"] if add_prefix_space else []
        out = directory / "out"
        code = cli.main(
            ["train-tokenizer", *paths, "--vocab-size", "300", "--out", str(out), *flags]
        )
        assert code == 0
        vocab = json.loads((out / "vocab.json").read_text(encoding="utf-8"))
        _, *merges = (out / "merges.txt").read_text(encoding="utf-8").splitlines()
    assert in_order(vocab, (tuple(merge.split(" ")) for merge in merges)) == model_of(tokenizer)


# Real texts


@cache
def sources(n_bytes):
    return standard_library(n_bytes)


@pytest.mark.parametrize(
    "options",
    [
        {"min_frequency": 0, "vocab_size": 20_000},
        {"min_frequency": 7, "vocab_size": 20_000, "add_prefix_space": True},
        {"vocab_size": 1000, "special_tokens": ["self", "def"]},
    ],
    ids=str,
)
def test_a_megabyte(options):
    tokens, merges = assert_equal_training(sources(1_000_000), **options)
    assert len(merges) > 700
    assert len(tokens) <= options["vocab_size"]


def test_the_standard_library():
    """About 12 MB in Python 3.11."""
    lines = sources(2**30)
    assert sum(map(len, lines)) > 5e6
    tokens, merges = assert_equal_training(lines, vocab_size=30_000)
    assert (len(tokens), len(merges)) == (30_000, 30_000 - 261)


def test_one_long_text():
    assert_equal_training(["".join(sources(300_000))], vocab_size=2000)
