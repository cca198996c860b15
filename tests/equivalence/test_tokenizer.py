"""The tokenizer gives what transformers' tokenizers give."""

import copy
import json
import logging
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, example, given
from hypothesis import strategies as st
from tokenizers.pre_tokenizers import ByteLevel
from transformers import RobertaTokenizer as SlowTokenizer
from transformers import RobertaTokenizerFast as FastTokenizer

from minirobert.tokenization import AddedToken, RobertaTokenizer
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, text_to_symbols
from minirobert.tokenization.pretokenizer import split_pieces
from tests.equivalence.texts import (
    COLUMNS,
    DIRECTORIES,
    ROBERTA_BASE,
    SMALL_ALPHABET,
    SPECIAL,
    TINY,
    a_few_merges,
    assert_equal_encodings,
    directories,
    fast,
    hf_added_token,
    ours,
    plain_texts,
    quietly,
    sides,
    slow,
    slow_texts,
    small_vocabularies,
    texts,
    write_vocabulary,
)

# Drawn texts may be longer than the model takes; both tokenizers say so, once.
pytestmark = pytest.mark.filterwarnings("ignore:a row has")

logging.getLogger("transformers").setLevel(logging.ERROR)


def as_list(row):
    return row.tolist() if isinstance(row, np.ndarray) else row


# Texts


@directories
@given(data=st.data(), add_prefix_space=st.booleans(), trim_offsets=st.booleans())
def test_one_text(directory, data, add_prefix_space, trim_offsets):
    text = data.draw(texts)
    options = {"add_prefix_space": add_prefix_space, "trim_offsets": trim_offsets}
    mine, theirs = ours(directory, **options), fast(directory, **options)
    assert_equal_encodings(mine(text, **COLUMNS), theirs(text, **COLUMNS))
    assert mine.encode(text) == theirs.encode(text)  # the way that makes no offsets
    tokens = [token.strip() if "<mask>" in token else token for token in theirs.tokenize(text)]
    assert mine.tokenize(text) == tokens


@directories
@given(first=texts, second=texts.filter(bool), add_special_tokens=st.booleans())
def test_a_pair(directory, first, second, add_special_tokens):
    options = {**COLUMNS, "add_special_tokens": add_special_tokens}
    mine = ours(directory)(first, second, **options)
    theirs = fast(directory)(first, second, **options)
    assert_equal_encodings(mine, theirs)


@directories
@given(text=slow_texts)
def test_one_text_as_in_the_slow_class(directory, text):
    mine, theirs = ours(directory), slow(directory)
    assert mine.encode(text) == theirs.encode(text)
    assert mine.tokenize(text) == theirs.tokenize(text)


@directories
@given(text=plain_texts.filter(lambda text: not text[:1].isspace() or text[0] == " "))
def test_prefix_space_in_the_call_as_in_the_slow_class(directory, text):
    assert ours(directory).encode(text, add_prefix_space=True) == slow(directory).encode(
        text, add_prefix_space=True
    )


@directories
@given(text=plain_texts)
def test_decoding_an_encoded_text_gives_the_text(directory, text):
    tokenizer = ours(directory)
    ids = tokenizer.encode(text, add_special_tokens=False)
    assert tokenizer.decode(ids) == text
    assert tokenizer.unk_token_id not in ids


@directories
@given(before=texts, space=st.text("\t\n \x85\xa0\u2003\u3000", max_size=4), after=texts)
def test_white_space_before_the_mask_leaves_no_trace(directory, before, space, after):
    assume(not before or not unicodedata.category(before[-1]).startswith("Z"))
    assume(not before[-1:].isspace())
    tokenizer = ours(directory)
    with_space = tokenizer.encode(f"{before}{space}<mask>{after}")
    assert with_space == tokenizer.encode(f"{before}<mask>{after}")


@given(text=texts)
@example(text="it's it'S WE'LL we'll")
def test_pieces(text):
    assert [text_to_symbols(piece) for piece in split_pieces(text)] == pieces_of_transformers(text)


def pieces_of_transformers(text):
    splitter = ByteLevel(add_prefix_space=False, use_regex=True)
    return [piece for piece, _ in splitter.pre_tokenize_str(text)]


def test_every_assigned_character_is_in_the_same_class():
    assigned = (char for char in map(chr, range(0x110000)) if is_assigned(char))
    text = "".join(f"a{char}1{char}!{char}\n" for char in assigned)
    assert [text_to_symbols(piece) for piece in split_pieces(text)] == pieces_of_transformers(text)


def is_assigned(char):
    return unicodedata.category(char) not in ("Cn", "Cs", "Co")


# Batches: padding and truncation

STRATEGIES = [True, False, None, "longest_first", "only_first", "only_second", "do_not_truncate"]


@st.composite
def call_options(draw):
    return {
        "padding": draw(st.sampled_from([True, False, "longest", "max_length"])),
        "truncation": draw(st.sampled_from(STRATEGIES)),
        "max_length": draw(st.none() | st.integers(1, 12)),  # for transformers 0 is no limit
        "pad_to_multiple_of": draw(st.none() | st.integers(1, 5)),
        "padding_side": draw(st.none() | sides),
        "add_special_tokens": draw(st.booleans()),
    }


def truncation_of(options):
    if options["truncation"] is None and options["padding"] is False:
        return options["max_length"] is not None
    return options["truncation"]


def is_unmatched(theirs, options):
    """Tell whether rows are truncated to a length that `pad_to_multiple_of` does not divide."""
    pads = options["padding"] not in (False, "do_not_pad")
    max_length = options["max_length"] or theirs.model_max_length
    cuts = truncation_of(options) not in (None, False, "do_not_truncate")
    return pads and cuts and max_length % (options["pad_to_multiple_of"] or 1) != 0


def is_impossible(theirs, rows, options):
    """Tell whether a row cannot be truncated: transformers fails, or gives a longer one."""
    cuts = truncation_of(options)
    if cuts in (None, False, "do_not_truncate"):
        return False
    max_length = options["max_length"] or theirs.model_max_length
    for row in rows:
        special = len(row) * 2 * options["add_special_tokens"]
        if max_length < special:
            return True
        lengths = [len(theirs.encode(text, add_special_tokens=False)) for text in row]
        excess = sum(lengths) + special - max_length
        if excess <= 0:
            continue
        if cuts == "only_second" and len(row) == 1:
            return True
        is_one_sided = len(row) == 2 and cuts in ("only_first", "only_second")
        if is_one_sided and excess >= lengths[cuts == "only_second"]:
            return True
    return False


@directories
@given(data=st.data(), options=call_options(), truncation_side=sides, is_pair=st.booleans())
def test_batches(directory, data, options, truncation_side, is_pair):
    one = st.tuples(texts, texts.filter(bool)) if is_pair else st.tuples(texts)
    rows = data.draw(st.lists(one, min_size=1, max_size=4))
    mine, theirs = ours(directory, model_max_length=9), fast(directory, model_max_length=9)
    mine.truncation_side = theirs.truncation_side = truncation_side
    columns = [list(column) for column in zip(*rows, strict=True)]
    if is_unmatched(theirs, options):
        for tokenizer in (mine, theirs):
            with pytest.raises(ValueError, match="multiple"):
                quietly(tokenizer, *columns, **options)
        return
    if is_impossible(theirs, rows, options):
        with pytest.raises(ValueError, match=r"pass|use truncation"):
            quietly(mine, *columns, **options)
        return
    expected = quietly(theirs, *columns, **COLUMNS, **options)
    assert_equal_encodings(quietly(mine, *columns, **COLUMNS, **options), expected)
    if is_pair:
        assert quietly(mine, rows, **options) == quietly(mine, *columns, **options)


@directories
@given(first=texts, second=texts.filter(bool), max_length=st.integers(4, 20))
def test_truncated_prefix_space_offsets(directory, first, second, max_length):
    mine, theirs = ours(directory, add_prefix_space=True), fast(directory, add_prefix_space=True)
    for side in ("left", "right"):
        mine.truncation_side = theirs.truncation_side = side
        options = {**COLUMNS, "truncation": True, "max_length": max_length}
        assert_equal_encodings(mine(first, second, **options), theirs(first, second, **options))


@directories
@given(batch=st.lists(texts, min_size=1, max_size=3), is_single=st.booleans())
def test_arrays(directory, batch, is_single):
    text = batch[0] if is_single else batch
    options = {**COLUMNS, "padding": True, "return_tensors": "np"}
    assert_equal_encodings(ours(directory)(text, **options), fast(directory)(text, **options))


@given(
    lengths=st.lists(st.integers(0, 9), min_size=2, max_size=2),
    budget=st.integers(0, 18),
    truncation_side=sides,
)
def test_longest_first_of_all_lengths(lengths, budget, truncation_side):
    directory = DIRECTORIES[0]
    mine, theirs = ours(directory), fast(directory)
    mine.truncation_side = theirs.truncation_side = truncation_side
    first, second = ("a\n" * (length // 2) + "a" * (length % 2) for length in lengths)
    assume(second)
    options = {"truncation": True, "max_length": budget + 4}
    assert mine(first, second, **options) == theirs(first, second, **options)


@directories
@given(
    data=st.data(),
    padding=st.sampled_from([True, "max_length"]),
    max_length=st.none() | st.integers(1, 20),
    multiple=st.none() | st.integers(1, 5),
    side=sides,
    kind=st.sampled_from(["columns", "rows", "single", "arrays"]),
)
def test_pad(directory, data, padding, max_length, multiple, side, kind):
    mine, theirs = ours(directory), fast(directory)
    rows = data.draw(st.lists(st.lists(st.integers(0, 99), min_size=1), min_size=1, max_size=3))
    batch = {"input_ids": rows, "token_type_ids": [[0] * len(row) for row in rows]}
    if data.draw(st.booleans()):
        batch["attention_mask"] = [[data.draw(st.integers(0, 1)) for _ in row] for row in rows]
        batch["special_tokens_mask"] = batch["attention_mask"]
    if kind == "single":
        batch = {name: column[0] for name, column in batch.items()}
    elif kind == "rows":
        batch = [
            {name: batch[name][index] for name in batch} | {"label": 5}
            for index in range(len(rows))
        ]
    elif kind == "arrays":
        batch = {name: [np.array(row) for row in column] for name, column in batch.items()}
    options = {
        "padding": padding,
        "max_length": max_length,
        "pad_to_multiple_of": multiple,
        "padding_side": side,
    }
    expected = quietly(theirs.pad, copy.deepcopy(batch), **options)  # it changes its argument
    if kind == "arrays" and len({len(row) for row in expected["input_ids"]}) > 1:
        with pytest.raises(ValueError, match="do not make one array"):
            quietly(mine.pad, batch, **options)
        return
    found = quietly(mine.pad, batch, **options)
    assert set(found) == set(expected)
    for name in expected:
        assert list(map(as_list, found[name])) == list(map(as_list, expected[name]))
        assert isinstance(found[name], np.ndarray) == (kind == "arrays")


@pytest.mark.parametrize("return_tensors", [None, "np", "pt"])
@pytest.mark.parametrize("make", [list, np.array, torch.tensor])
@pytest.mark.parametrize(
    "label", [5, 0.5, True, [0.5, 1.0], np.array([0.5, 1.0], np.float32), torch.tensor(0.5)]
)
@pytest.mark.parametrize("is_single", [True, False])
def test_arrays_of_pad(return_tensors, make, label, is_single):
    mine, theirs = ours(DIRECTORIES[0]), fast(DIRECTORIES[0])
    rows = [{"input_ids": make([5, 6]), "label": label}, {"input_ids": make([5]), "label": label}]
    encoding = rows[0] if is_single else rows
    options = {"padding": "max_length", "max_length": 4, "return_tensors": return_tensors}
    found = mine.pad(encoding, **options)
    if make is np.array and is_single:  # theirs takes no ids of NumPy that are not in a batch
        assert type(found.input_ids) is (torch.Tensor if return_tensors == "pt" else np.ndarray)
        return
    expected = theirs.pad(copy.deepcopy(encoding), **options)
    assert list(found) == list(expected)
    for name in found:
        assert type(found[name]) is type(expected[name])
        assert getattr(found[name], "dtype", None) == getattr(expected[name], "dtype", None)
        assert np.array_equal(found[name], expected[name])


# Decoding


@directories
@given(data=st.data(), skip_special_tokens=st.booleans(), clean_up=st.booleans())
def test_decoding_any_ids(directory, data, skip_special_tokens, clean_up):
    mine, theirs = ours(directory), fast(directory)
    special = st.sampled_from(mine.all_special_ids)
    alphabet = st.sampled_from(mine.convert_tokens_to_ids(list(text_to_symbols("é😀a .'s"))))
    anything = st.integers(0, len(mine) - 1)
    ids = data.draw(st.lists(special | alphabet | anything, max_size=20))
    options = {
        "skip_special_tokens": skip_special_tokens,
        "clean_up_tokenization_spaces": clean_up,
    }
    assert mine.decode(ids, **options) == theirs.decode(ids, **options)
    assert mine.decode(np.array(ids, dtype=int), **options) == theirs.decode(ids, **options)
    assert mine.batch_decode([ids, ids[1:]], **options) == theirs.batch_decode(
        [ids, ids[1:]], **options
    )
    tokens = theirs.convert_ids_to_tokens(ids, skip_special_tokens)
    assert mine.convert_ids_to_tokens(ids, skip_special_tokens) == tokens
    assert mine.convert_tokens_to_string(tokens) == theirs.convert_tokens_to_string(tokens)


@directories
@given(data=st.data(), errors=st.sampled_from(["replace", "ignore", "strict", "backslashreplace"]))
def test_decoding_errors_as_in_the_slow_class(directory, data, errors):
    mine, theirs = ours(directory, errors=errors), slow(directory, errors=errors)
    symbols = data.draw(st.lists(st.sampled_from(sorted(BYTE_TO_CHAR) + SPECIAL), max_size=12))
    ids = mine.convert_tokens_to_ids(symbols)
    if errors == "strict" and "\N{REPLACEMENT CHARACTER}" in ours(directory).decode(ids):
        for tokenizer in (mine, theirs):
            with pytest.raises(UnicodeDecodeError, match="utf-8"):
                tokenizer.decode(ids)
    else:
        assert mine.decode(ids) == theirs.decode(ids)


# Special and added tokens


@directories
@given(first=st.lists(st.integers(0, 99), max_size=5), second=st.lists(st.integers(0, 99)))
def test_special_tokens_around_ids(directory, first, second):
    mine, theirs = ours(directory), slow(directory)
    for sequences in ([first], [first, second]):
        for method in (
            "build_inputs_with_special_tokens",
            "create_token_type_ids_from_sequences",
            "get_special_tokens_mask",
        ):
            assert getattr(mine, method)(*sequences) == getattr(theirs, method)(*sequences)
    row = mine.build_inputs_with_special_tokens(first, second)
    assert mine.get_special_tokens_mask(
        row, already_has_special_tokens=True
    ) == theirs.get_special_tokens_mask(row, already_has_special_tokens=True)


@directories
def test_vocabulary(directory):
    mine = ours(directory)
    for theirs in (fast(directory), slow(directory)):
        assert mine.get_vocab() == theirs.get_vocab()
        assert mine.vocab_size == theirs.vocab_size
        assert len(mine) == len(theirs)
        assert mine.special_tokens_map == theirs.special_tokens_map
        assert mine.all_special_tokens == theirs.all_special_tokens
        assert mine.all_special_ids == theirs.all_special_ids
        for name in ("bos", "eos", "unk", "sep", "pad", "cls", "mask"):
            for attribute in (f"{name}_token", f"{name}_token_id"):
                assert getattr(mine, attribute) == getattr(theirs, attribute)
        for pair in (False, True):
            assert mine.num_special_tokens_to_add(pair) == theirs.num_special_tokens_to_add(pair)
        assert mine.convert_tokens_to_ids(["a", "zzz", "<mask>"]) == theirs.convert_tokens_to_ids(
            ["a", "zzz", "<mask>"]
        )


added_tokens = st.builds(
    AddedToken,
    st.text("ab<>_é", min_size=1, max_size=3),
    single_word=st.booleans(),
    lstrip=st.booleans(),
    rstrip=st.booleans(),
    normalized=st.booleans(),
    special=st.booleans(),
)


@given(
    tokens=st.lists(added_tokens, max_size=4, unique_by=lambda token: token.content),
    text=st.lists(
        st.sampled_from(["a", "b", "<", ">", "_", "é", " ", "\n", "<mask>", "<s>", "c"])
    ).map("".join),
    add_prefix_space=st.booleans(),
)
def test_added_tokens(tokens, text, add_prefix_space):
    entries = [*BYTE_TO_CHAR, *SPECIAL, "ab", "Ġa"]
    vocab = {token: index for index, token in enumerate(entries)}
    tokens = [token for token in tokens if token.content not in vocab]
    added = {len(vocab) + index: token for index, token in enumerate(tokens)}
    with tempfile.TemporaryDirectory() as directory:
        write_vocabulary(Path(directory), vocab, [("a", "b"), ("Ġ", "a")])
        options = {"add_prefix_space": add_prefix_space}
        mine = RobertaTokenizer.from_pretrained(directory, added_tokens_decoder=added, **options)
        theirs = FastTokenizer.from_pretrained(directory, **options)
    theirs.add_tokens([hf_added_token(token) for token in tokens])
    found, expected = mine(text, **COLUMNS), theirs(text, **COLUMNS)
    assert_equal_encodings(found, expected)
    if not any("é" in token.content for token in tokens):
        for skip in (False, True):
            assert mine.decode(found["input_ids"], skip) == theirs.decode(found["input_ids"], skip)


@given(data=st.data(), text=texts)
def test_adding_special_tokens(data, text):
    contents = data.draw(st.permutations(["<u>", "<v>", "[P]", "[M]", "a"]))
    tokens = {
        "additional_special_tokens": contents[:2],
        "pad_token": contents[2],
        "mask_token": hf_added_token(AddedToken(contents[3], rstrip=True, special=True)),
    }
    in_order = {name: tokens[name] for name in data.draw(st.permutations(list(tokens)))}
    mine, theirs = (
        make.from_pretrained(a_few_merges()) for make in (RobertaTokenizer, FastTokenizer)
    )
    mine.add_special_tokens(in_order)
    theirs.add_special_tokens(in_order)
    assert mine.get_added_vocab() == theirs.get_added_vocab()
    assert mine.special_tokens_map == theirs.special_tokens_map
    text += "[M] <u><v> [P]"
    assert mine(text).input_ids == theirs(text).input_ids


def test_tokens_of_the_tokenizers_library():
    theirs = hf_added_token(AddedToken("zqxj", lstrip=True, single_word=True))
    mask = hf_added_token(AddedToken("[M]", rstrip=True, special=True))
    made = RobertaTokenizer.from_pretrained(DIRECTORIES[0], mask_token=mask)
    assert made.special_tokens_map_extended["mask_token"] == AddedToken(
        "[M]", rstrip=True, special=True
    )
    assert made.add_tokens(theirs) == made.add_tokens([hf_added_token(AddedToken("yqxj"))]) == 1
    assert made.added_tokens_decoder[len(made) - 2] == AddedToken(
        "zqxj", lstrip=True, single_word=True
    )


@pytest.mark.parametrize(
    "config",
    [
        {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]},
        {
            "mask_token": {"__type": "AddedToken", "content": "<mask>", "rstrip": True},
            "added_tokens_decoder": {
                "8191": {"content": "<mask>", "lstrip": True, "special": True, "normalized": False}
            },
        },
    ],
    ids=["columns", "flags in two places"],
)
def test_configurations_of_transformers(config, tmp_path):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((DIRECTORIES[0] / name).read_bytes())
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    mine, theirs = (
        RobertaTokenizer.from_pretrained(tmp_path),
        FastTokenizer.from_pretrained(tmp_path),
    )
    text = "a <mask> b"
    assert dict(mine(text)) == dict(theirs(text))
    mine.save_pretrained(tmp_path / "again")
    for make in (RobertaTokenizer, FastTokenizer):
        assert dict(make.from_pretrained(tmp_path / "again")(text)) == dict(theirs(text))


@pytest.mark.parametrize("normalized", [True, False])
@pytest.mark.parametrize("neighbour_is_normalized", [True, False])
def test_a_single_word_next_to_another_added_token(normalized, neighbour_is_normalized):
    tokens = [
        AddedToken("xx", single_word=True, normalized=normalized),
        AddedToken("foo", special=True, normalized=neighbour_is_normalized),
    ]
    mine, theirs = RobertaTokenizer.from_pretrained(TINY), FastTokenizer.from_pretrained(TINY)
    mine.add_tokens(tokens)
    theirs.add_tokens([hf_added_token(token) for token in tokens])
    for text in ("fooxx", "xxfoo", "fooxxfoo", "fooxx b", "afooxxb", "foo xx"):
        assert mine.tokenize(text) == theirs.tokenize(text)


# Other vocabularies


small_texts = st.lists(st.sampled_from([*SMALL_ALPHABET, *SPECIAL, "ab", "aa", " a"])).map("".join)


@given(model=small_vocabularies(complete=False), text=small_texts)
def test_small_vocabularies_with_unknown_symbols(model, text):
    with tempfile.TemporaryDirectory() as directory:
        write_vocabulary(Path(directory), *model)
        mine = RobertaTokenizer.from_pretrained(directory)
        theirs = SlowTokenizer.from_pretrained(directory)
    assert mine.tokenize(text) == theirs.tokenize(text)
    assert mine.encode(text) == theirs.encode(text)
    assert mine(text, return_offsets_mapping=True)["input_ids"] == theirs.encode(text)


@given(model=small_vocabularies(complete=True), text=small_texts, add_prefix_space=st.booleans())
def test_small_vocabularies(model, text, add_prefix_space):
    with tempfile.TemporaryDirectory() as directory:
        write_vocabulary(Path(directory), *model)
        options = {"add_prefix_space": add_prefix_space}
        mine = RobertaTokenizer.from_pretrained(directory, **options)
        theirs = FastTokenizer.from_pretrained(directory, **options)
    assert_equal_encodings(mine(text, **COLUMNS), theirs(text, **COLUMNS))


def test_special_tokens_that_the_vocabulary_lacks(tmp_path):
    write_vocabulary(tmp_path, {"a": 0, "b": 1, "<s>": 2}, [])
    mine, theirs = (
        RobertaTokenizer.from_pretrained(tmp_path),
        SlowTokenizer.from_pretrained(tmp_path),
    )
    assert mine.get_vocab() == theirs.get_vocab()
    assert len(mine) == len(theirs)
    assert mine.vocab_size == theirs.vocab_size


# Saving and loading

SAVED_TEXTS = ["Hello  world", "a <mask> b", "x new tok [X]  [Y] y", "<s>é</s>", "\t[M] tok"]


@pytest.fixture
def elaborate(tmp_path):
    tokenizer = FastTokenizer.from_pretrained(
        DIRECTORIES[0],
        add_prefix_space=True,
        trim_offsets=False,
        mask_token="[M]",
        padding_side="left",
        truncation_side="left",
        model_max_length=77,
    )
    tokenizer.add_tokens(["new tok", hf_added_token(AddedToken("tok", single_word=True))])
    special = [AddedToken("[X]", special=True), AddedToken("[Y]", lstrip=True, special=True)]
    tokenizer.add_special_tokens({"additional_special_tokens": list(map(hf_added_token, special))})
    return tokenizer


def assert_same_tokenizer(mine, theirs):
    assert mine.get_vocab() == theirs.get_vocab()
    assert mine.special_tokens_map == theirs.special_tokens_map
    for name in ("model_max_length", "padding_side", "truncation_side", "add_prefix_space"):
        assert getattr(mine, name) == getattr(theirs, name)
    for text in SAVED_TEXTS:
        assert mine.encode(text) == theirs.encode(text)
        if theirs.is_fast:
            assert_equal_encodings(mine(text, **COLUMNS), theirs(text, **COLUMNS))
            ids = mine.encode(text)
            assert mine.decode(ids) == theirs.decode(ids)
            assert mine.decode(ids, True) == theirs.decode(ids, True)


@pytest.mark.parametrize("legacy_format", [True, False])
def test_loading_what_the_fast_class_saves(elaborate, tmp_path, legacy_format):
    elaborate.save_pretrained(tmp_path, legacy_format=legacy_format)
    assert_same_tokenizer(RobertaTokenizer.from_pretrained(tmp_path), elaborate)


def test_loading_tokenizer_json_without_its_configuration(elaborate, tmp_path):
    elaborate.save_pretrained(tmp_path, legacy_format=False)
    (tmp_path / "tokenizer_config.json").unlink()
    mine = RobertaTokenizer.from_pretrained(
        tmp_path, model_max_length=77, padding_side="left", truncation_side="left"
    )
    assert_same_tokenizer(mine, elaborate)
    direct = RobertaTokenizer(
        tokenizer_file=tmp_path / "tokenizer.json", mask_token="[M]", add_prefix_space=True
    )
    assert [direct.encode(text) for text in SAVED_TEXTS] == [
        elaborate.encode(text) for text in SAVED_TEXTS
    ]


@pytest.mark.parametrize("file", ["tokenizer.json", "tokenizer_config.json"])
def test_loading_without_one_of_the_files(elaborate, tmp_path, file):
    elaborate.save_pretrained(tmp_path)
    (tmp_path / file).unlink()
    mine = RobertaTokenizer.from_pretrained(tmp_path)
    assert mine.get_vocab() == elaborate.get_vocab()
    for text in SAVED_TEXTS:
        assert mine.encode(text) == elaborate.encode(text)


def test_loading_what_the_slow_class_saves(elaborate, tmp_path):
    elaborate.save_pretrained(tmp_path / "fast")
    theirs = SlowTokenizer.from_pretrained(tmp_path / "fast", add_prefix_space=False)
    theirs.save_pretrained(tmp_path / "slow")
    mine = RobertaTokenizer.from_pretrained(tmp_path / "slow")
    assert_same_tokenizer(mine, theirs)


def test_transformers_loads_what_we_save(elaborate, tmp_path):
    elaborate.save_pretrained(tmp_path / "theirs")
    mine = RobertaTokenizer.from_pretrained(tmp_path / "theirs")
    mine.save_pretrained(tmp_path / "mine")
    assert_same_tokenizer(mine, FastTokenizer.from_pretrained(tmp_path / "mine"))
    again = RobertaTokenizer.from_pretrained(tmp_path / "mine")
    assert_same_tokenizer(again, elaborate)
    theirs = SlowTokenizer.from_pretrained(tmp_path / "mine")
    assert theirs.get_vocab() == mine.get_vocab()
    assert theirs.special_tokens_map == mine.special_tokens_map


@directories
def test_saving_and_loading_the_bundled_ones(directory, tmp_path):
    ours(directory).save_pretrained(tmp_path)
    for theirs in (
        FastTokenizer.from_pretrained(tmp_path),
        SlowTokenizer.from_pretrained(tmp_path),
    ):
        assert theirs.get_vocab() == ours(directory).get_vocab()
        for text in ("Hello world", "a <mask> b", "naïve 日本語"):
            assert theirs.encode(text) == ours(directory).encode(text)
    assert (tmp_path / "merges.txt").read_bytes() == (directory / "merges.txt").read_bytes()


# Published ids

if ROBERTA_BASE:

    @pytest.mark.parametrize(
        ("text", "ids"),
        [
            ("Hello world", [0, 31414, 232, 2]),
            (" Hello world", [0, 20920, 232, 2]),
            ("A, <mask> AllenNLP sentence.", [0, 250, 6, 50264, 3823, 487, 21992, 3645, 4, 2]),
            (
                "Hello world! cécé herlolip",
                [0, 31414, 232, 328, 740, 1140, 12695, 69, 46078, 1588, 2],
            ),
        ],
    )
    def test_published_ids(text, ids):
        assert ours(DIRECTORIES[1]).encode(text) == ids
