"""Windows, words and the ways between tokens and text are those of transformers' fast tokenizer."""

import logging
from functools import cache

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from transformers import RobertaTokenizer as SlowTokenizer

from minirobert.tokenization import RobertaTokenizer
from minirobert.tokenization.rows.truncation import kept_lengths, window_slices
from tests.equivalence.texts import (
    COLUMNS,
    DIRECTORIES,
    directories,
    fast,
    fragments,
    ours,
    sides,
    slow,
    texts,
)
from tests.equivalence.texts import assert_equal_encodings as assert_equal_columns

logging.getLogger("transformers").setLevel(logging.ERROR)

pytestmark = pytest.mark.filterwarnings("ignore:a row has")

word_lists = st.lists(fragments, max_size=6)


def assert_equal_encodings(mine, theirs):
    assert_equal_columns(mine, theirs)
    assert_equal_rows(mine, theirs)


def assert_equal_rows(mine, theirs):
    """Compare all that the rows of two encodings tell about tokens, words and characters."""
    assert len(mine.encodings) == len(theirs.encodings)
    for row, (our, their) in enumerate(zip(mine.encodings, theirs.encodings, strict=True)):
        assert our.ids == their.ids
        assert our.attention_mask == their.attention_mask
        assert our.special_tokens_mask == their.special_tokens_mask
        assert our.offsets == their.offsets
        assert mine.tokens(row) == [without_space(token) for token in theirs.tokens(row)]
        assert mine.word_ids(row) == mine.words(row) == theirs.word_ids(row)
        assert mine.sequence_ids(row) == theirs.sequence_ids(row)
        for token in range(len(our.ids)):
            assert mine.token_to_sequence(row, token) == theirs.token_to_sequence(row, token)
            assert mine.token_to_word(row, token) == theirs.token_to_word(row, token)
            assert mine.token_to_chars(row, token) == theirs.token_to_chars(row, token)
        for sequence in range(our.n_sequences):
            assert_equal_lookups(mine, theirs, row, sequence)


def assert_equal_lookups(mine, theirs, row, sequence):
    end = max((stop for _, stop in mine[row].offsets), default=0)
    for char in range(end + 1):
        for method in ("char_to_token", "char_to_word"):
            found = getattr(mine, method)(row, char, sequence)
            if method == "char_to_word" and found is None:
                continue  # transformers fails
            assert found == getattr(theirs, method)(row, char, sequence), (method, char)
    last = max((word for word in mine.word_ids(row) if word is not None), default=0)
    for word in range(last + 1):
        found = mine.word_to_tokens(row, word, sequence)
        assert found == theirs.word_to_tokens(row, word, sequence)
        if found is not None:  # else transformers fails
            chars = theirs.word_to_chars(row, word, sequence)
            assert mine.word_to_chars(row, word, sequence) == chars
        else:
            assert mine.word_to_chars(row, word, sequence) is None


def without_space(token):
    """Leave out the white space that `<mask>` takes along, as we do."""
    return token.strip() if token.endswith("<mask>") else token


# Texts that are split into words


@directories
@given(words=word_lists, pair=st.none() | word_lists, trim=st.booleans(), special=st.booleans())
def test_words(directory, words, pair, trim, special):
    theirs = fast(directory, add_prefix_space=True, trim_offsets=trim)
    options = {**COLUMNS, "is_split_into_words": True, "add_special_tokens": special}
    assume(pair is None or pair)  # transformers drops an empty second text
    expected = theirs(words, pair, **options)
    for prefix in (False, True):
        mine = ours(directory, add_prefix_space=prefix, trim_offsets=trim)
        assert_equal_encodings(mine(words, pair, **options), expected)
        assert (
            mine.encode(words, pair, is_split_into_words=True, add_special_tokens=special)
            == (expected["input_ids"])
        )


@directories
@given(rows=st.lists(st.tuples(word_lists, word_lists.filter(bool)), min_size=1, max_size=3))
def test_batches_of_words(directory, rows):
    mine, theirs = ours(directory), fast(directory, add_prefix_space=True)
    options = {**COLUMNS, "is_split_into_words": True, "padding": True}
    firsts, seconds = map(list, zip(*rows, strict=True))
    expected = theirs(firsts, seconds, **options)
    assert_equal_encodings(mine(firsts, seconds, **options), expected)
    assert mine(rows, **options) == expected
    assert mine.batch_encode_plus(rows, **options) == expected
    assert_equal_encodings(mine(firsts, **options), theirs(firsts, **options))


plain_words = st.lists(
    st.text("abz é’日1½!'", min_size=1, max_size=5) | st.just("<mask>"), max_size=6
)


@directories
@given(words=plain_words.filter(bool))
def test_words_as_in_the_slow_class(directory, words):
    mine, theirs = ours(directory), slow(directory)
    expected = theirs.encode(words, is_split_into_words=True)
    assert mine.encode(words, is_split_into_words=True) == expected


# Windows


def brute_force_windows(length, kept, stride, side):
    """Move a window over a sequence token by token."""
    order = list(range(length)) if side == "right" else list(range(length))[::-1]
    windows = [order[:kept]]
    while windows[-1][-1] != order[-1]:
        start = order.index(windows[-1][0]) + kept - stride
        windows.append(order[start : start + kept])
    return [sorted(window) for window in windows]


@pytest.mark.parametrize("side", ["right", "left"])
def test_windows_against_brute_force(side):
    for length in range(1, 13):
        for kept in range(1, length + 1):
            for stride in range(kept):
                found = [
                    list(range(length))[part] for part in window_slices(length, kept, stride, side)
                ]
                assert found == brute_force_windows(length, kept, stride, side)


def brute_force_longest_first(first, second, budget):
    """Take tokens off the longer sequence, one by one.

    Where both are equally long, the one goes first that was not the longer one at the beginning.
    """
    is_first_longer = first > second
    while first + second > budget:
        if first > second or (first == second and not is_first_longer):
            first -= 1
        else:
            second -= 1
    return [first, second]


def test_longest_first_against_brute_force():
    for first in range(9):
        for second in range(9):
            for budget in range(first + second + 1):
                assert kept_lengths([first, second], budget, "longest_first") == (
                    brute_force_longest_first(first, second, budget)
                )


@st.composite
def window_options(draw, n_special):
    """Draw lengths and strides that leave room to move on."""
    with_special = draw(st.booleans())
    max_length = draw(st.integers(max(n_special * with_special + 1, 2), n_special + 9))
    budget = max_length - n_special * with_special
    # transformers asks for room for two special tokens also where none are added.
    return {
        "max_length": max_length,
        "stride": draw(st.integers(0, min(budget - 1, max_length - 2))),
        "add_special_tokens": with_special,
        "truncation": draw(st.sampled_from([True, "longest_first", "only_first", "only_second"])),
        "padding": draw(st.sampled_from([False, True, "max_length"])),
        "padding_side": draw(sides),
        "return_overflowing_tokens": True,
    }


@directories
@given(data=st.data(), side=sides, is_split=st.booleans(), prefix=st.booleans())
def test_windows(directory, data, side, is_split, prefix):
    options = data.draw(window_options(n_special=2)) | {"is_split_into_words": is_split}
    assume(options["truncation"] != "only_second")
    batch = data.draw(st.lists(word_lists if is_split else texts, min_size=1, max_size=3))
    is_single = data.draw(st.booleans())
    text = batch[0] if is_single else batch
    mine = ours(directory, add_prefix_space=prefix)
    theirs = fast(directory, add_prefix_space=prefix or is_split)
    mine.truncation_side = theirs.truncation_side = side
    expected = theirs(text, **COLUMNS, **options)
    assert_equal_encodings(mine(text, **COLUMNS, **options), expected)


@directories
@given(data=st.data(), first=texts, second=texts.filter(bool), side=sides)
def test_windows_of_pairs(directory, data, first, second, side):
    options = data.draw(window_options(n_special=4))
    mine, theirs = ours(directory), fast(directory)
    mine.truncation_side = theirs.truncation_side = side
    if never_ends(mine, first, second, options):
        with pytest.raises(ValueError, match=r"pass a (smaller|larger)"):
            mine(first, second, **options)
    else:
        # In windows without special tokens, transformers gives the second text the token type 1.
        columns = COLUMNS | {"return_token_type_ids": False}
        expected = theirs(first, second, **columns, **options)
        assert_equal_encodings(mine(first, second, **columns, **options), expected)


def never_ends(tokenizer, first, second, options):
    """Tell whether a text that has to be cut is left no more tokens than windows share."""
    lengths = [len(tokenizer.encode(text, add_special_tokens=False)) for text in (first, second)]
    budget = options["max_length"] - 4 * options["add_special_tokens"]
    if sum(lengths) <= budget:
        return False
    kept = {
        "only_first": [budget - lengths[1], lengths[1]],
        "only_second": [lengths[0], budget - lengths[0]],
    }.get(options["truncation"]) or brute_force_longest_first(*lengths, budget)
    pairs = zip(kept, lengths, strict=True)
    return any(count < length and count <= options["stride"] for count, length in pairs)


@directories
@given(text=texts, budget=st.integers(1, 8), data=st.data(), side=sides)
def test_windows_without_what_they_share_are_the_text(directory, text, budget, data, side):
    stride = data.draw(st.integers(0, budget - 1))
    tokenizer = ours(directory)
    tokenizer.truncation_side = side
    windows = tokenizer(
        text,
        add_special_tokens=False,
        truncation=True,
        max_length=budget,
        stride=stride,
        return_overflowing_tokens=True,
    ).input_ids
    assert all(len(window) <= budget for window in windows)
    first, *others = windows
    if side == "right":
        joined = first + [index for window in others for index in window[stride:]]
    else:
        cut = [window[: len(window) - stride] for window in others]
        joined = [index for window in cut[::-1] for index in window] + first
    assert joined == tokenizer.encode(text, add_special_tokens=False)


def test_windows_as_arrays():
    mine, theirs = ours(DIRECTORIES[0]), fast(DIRECTORIES[0])
    options = {
        "max_length": 6,
        "truncation": True,
        "stride": 2,
        "padding": True,
        "return_overflowing_tokens": True,
        "return_tensors": "np",
    }
    texts = ["a b c d e f g h i j", "short"]
    found = mine(texts, **COLUMNS, **options)
    assert found.overflow_to_sample_mapping.tolist()[-2:] == [0, 1]
    assert_equal_encodings(found, theirs(texts, **COLUMNS, **options))


# Other arguments of a call


@directories
@given(text=texts, pair=st.none() | texts.filter(bool), prefix=st.booleans())
def test_special_tokens_that_are_split(directory, text, pair, prefix):
    options = {**COLUMNS, "split_special_tokens": True}
    mine = ours(directory, add_prefix_space=prefix)
    theirs = fast(directory, add_prefix_space=prefix)
    assert_equal_encodings(mine(text, pair, **options), theirs(text, pair, **options))
    always = ours(directory, add_prefix_space=prefix, split_special_tokens=True)
    assert always.encode(text, pair) == theirs.encode(text, pair, split_special_tokens=True)
    assert always.encode(text, split_special_tokens=False) == theirs.encode(text)


@directories
@given(text=texts, pair=st.none() | texts.filter(bool), special=st.booleans())
def test_tokenize(directory, text, pair, special):
    expected = fast(directory).tokenize(text, pair, add_special_tokens=special)
    found = ours(directory).tokenize(text, pair, add_special_tokens=special)
    assert found == [without_space(token) for token in expected]


@directories
@given(text=texts, target=texts, pair=texts.filter(bool))
def test_targets(directory, text, target, pair):
    mine, theirs = ours(directory), fast(directory)
    assert mine(text, text_target=target) == theirs(text, text_target=target)
    assert mine(text_target=target) == theirs(text_target=target)
    both = {"text_target": target, "text_pair_target": pair}
    assert mine(text, **both) == theirs(text, **both)


ids = st.lists(st.integers(5, 99), max_size=9)


@directories
@given(first=ids, second=st.none() | ids, max_length=st.none() | st.integers(4, 12), side=sides)
def test_ids_as_in_the_slow_class(directory, first, second, max_length, side):
    mine, theirs = ours(directory), slow(directory)
    mine.truncation_side = theirs.truncation_side = side
    total = len(first) + len(second or [])
    budget = (max_length or 99) - (2 if second is None else 4)
    # Where both have to be cut to an odd number of tokens, the two classes differ.
    assume(second is None or total <= budget or budget % 2 == 0)
    options = {"truncation": max_length is not None, "max_length": max_length}
    expected = theirs.prepare_for_model(first, second, **options)
    found = mine.prepare_for_model(first, second, **options)
    assert found == {name: expected[name] for name in found}
    assert mine.encode(first, second, **options) == expected["input_ids"]
    tokens = [mine.convert_ids_to_tokens(sequence) for sequence in (first, second or [])]
    if second is not None and all(tokens):
        assert mine.encode(*tokens, **options) == theirs.encode(*tokens, **options)


@pytest.mark.parametrize("prepend_batch_axis", [True, False])
@pytest.mark.parametrize("return_tensors", [None, "np", "pt"])
def test_the_axis_of_the_batch_as_in_the_slow_class(return_tensors, prepend_batch_axis):
    mine, theirs = ours(DIRECTORIES[0]), slow(DIRECTORIES[0])
    options = {"return_tensors": return_tensors, "prepend_batch_axis": prepend_batch_axis}
    for sequences in ([[5, 6]], [[5], [6, 7]]):
        found = mine.prepare_for_model(*sequences, **options)
        expected = theirs.prepare_for_model(*sequences, **options)
        for name in found:
            assert type(found[name]) is type(expected[name])
            assert np.array_equal(found[name], expected[name])
    found, expected = (one.encode([5, 6], return_tensors=return_tensors) for one in (mine, theirs))
    assert np.array_equal(found, expected)


@directories
@given(first=ids, second=ids, data=st.data(), side=sides, stride=st.integers(0, 4))
def test_truncating_ids_as_in_the_slow_class(directory, first, second, data, side, stride):
    mine, theirs = ours(directory), slow(directory)
    mine.truncation_side = theirs.truncation_side = side
    strategy = data.draw(st.sampled_from(["only_first", "only_second", "do_not_truncate"]))
    longest = len(second if strategy == "only_second" else first)
    removed = data.draw(st.integers(0, max(longest - 1, 0)))
    arguments = (first, second, removed, strategy, stride)
    assert mine.truncate_sequences(*arguments) == theirs.truncate_sequences(*arguments)


@cache
def with_added_tokens(make, directory):
    tokenizer = make.from_pretrained(directory)
    tokenizer.add_tokens(["new", "Ġb"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["[X]", "[Y]"]})
    return tokenizer


@directories
@given(data=st.data(), skip=st.booleans(), spaces=st.booleans())
def test_decoding_with_spaces_as_in_the_slow_class(directory, data, skip, spaces):
    mine = with_added_tokens(RobertaTokenizer, directory)
    theirs = with_added_tokens(SlowTokenizer, directory)
    parts = st.sampled_from(["new", "[X]", "[Y]", "<mask>", "</s>", "a", "Ġb", "Ġa", "Ã", "©"])
    ids = mine.convert_tokens_to_ids(data.draw(st.lists(parts, max_size=8)))
    options = {"skip_special_tokens": skip, "spaces_between_special_tokens": spaces}
    assert mine.decode(ids, **options) == theirs.decode(ids, **options)
    assert mine.batch_decode([ids], **options) == theirs.batch_decode([ids], **options)


@directories
def test_what_decodes_to_nothing_as_in_the_slow_class(directory):
    special = {"additional_special_tokens": ["[X]"]}
    mine = RobertaTokenizer.from_pretrained(directory, errors="ignore", **special)
    theirs = SlowTokenizer.from_pretrained(directory, errors="ignore", **special)
    ids = mine.convert_tokens_to_ids(["[X]", "Ã", "[X]"])
    options = {"spaces_between_special_tokens": True}
    assert mine.decode(ids, **options) == theirs.decode(ids, **options) == "[X] [X]"
