"""The files of a tokenizer are those that transformers writes and reads."""

import copy
import json
import logging
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from transformers import AutoTokenizer
from transformers import RobertaTokenizer as SlowTokenizer
from transformers import RobertaTokenizerFast as FastTokenizer

from minirobert import AutoTokenizer as AutoMine
from minirobert.tokenization import AddedToken, RobertaTokenizer
from tests.equivalence.texts import (
    DIRECTORIES,
    SMALL_ALPHABET,
    SPECIAL,
    TINY,
    small_vocabularies,
)

# Drawn texts may be longer than the model takes.
pytestmark = pytest.mark.filterwarnings("ignore:a row has", "ignore:Deprecated in 0.10")

logging.getLogger("transformers").setLevel(logging.ERROR)

directories = pytest.mark.parametrize("directory", DIRECTORIES, ids=lambda path: path.name)

FILES = {
    "added_tokens.json",
    "merges.txt",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.json",
}
COLUMNS = {"return_offsets_mapping": True, "return_special_tokens_mask": True}

# Special tokens of other names, from characters that the small vocabularies know.
MASK, CLS = "a’b", "’’"

sides = st.sampled_from(["right", "left"])
settings = st.fixed_dictionaries(
    {},
    optional={
        "add_prefix_space": st.booleans(),
        "trim_offsets": st.booleans(),
        "errors": st.sampled_from(["replace", "ignore", "strict"]),
        "model_max_length": st.integers(1, 600),
        "padding_side": sides,
        "truncation_side": sides,
        "clean_up_tokenization_spaces": st.booleans(),
        "mask_token": st.sampled_from(["<mask>", MASK]),
        "cls_token": st.sampled_from(["<s>", CLS]),
    },
)
added_tokens = st.lists(
    st.builds(
        AddedToken,
        st.text("abé’", min_size=1, max_size=3),
        single_word=st.booleans(),
        lstrip=st.booleans(),
        rstrip=st.booleans(),
        normalized=st.booleans(),
        special=st.booleans(),
    ),
    max_size=3,
    unique_by=lambda token: token.content,
)
small_texts = st.lists(
    st.sampled_from([*SMALL_ALPHABET, *SPECIAL, MASK, CLS, "ab", "aé", " a"])
).map("".join)


@contextmanager
def new_directory():
    with tempfile.TemporaryDirectory(prefix="ré 日本 ") as directory:
        yield Path(directory)


@st.composite
def tokenizers(draw, complete=True):
    """Draw a tokenizer with added tokens and with settings that are not the usual ones."""
    vocab, merges = draw(small_vocabularies(complete))
    new = [token for token in draw(added_tokens) if token.content not in vocab]
    added = dict(enumerate(new, len(vocab)))
    never_split = draw(st.none() | st.sampled_from([t for t in vocab if t not in SPECIAL]))
    if never_split:
        added[vocab[never_split]] = AddedToken(never_split, rstrip=draw(st.booleans()))
    return RobertaTokenizer(
        vocab,
        merges,
        **draw(settings),
        additional_special_tokens=[token.content for token in new if token.special],
        added_tokens_decoder=added,
    )


def assert_same_encoding(mine, theirs, text):
    found, expected = mine(text, **COLUMNS), theirs(text, **COLUMNS)
    for name in expected:
        assert found[name] == expected[name], name


def assert_same_tokenizer(mine, theirs):
    assert mine.get_vocab() == theirs.get_vocab()
    assert mine.special_tokens_map == without_repetitions(theirs.special_tokens_map)
    assert mine.all_special_ids == list(dict.fromkeys(theirs.all_special_ids))
    assert (mine.model_max_length or int(1e30)) == theirs.model_max_length
    for name in ("padding_side", "truncation_side", "clean_up_tokenization_spaces"):
        assert getattr(mine, name) == getattr(theirs, name)


def without_repetitions(special_tokens):
    """Undo what the fast class does with tokens that stand in two files, with and without flags."""
    if "additional_special_tokens" not in special_tokens:
        return special_tokens
    once = list(dict.fromkeys(special_tokens["additional_special_tokens"]))
    return {**special_tokens, "additional_special_tokens": once}


def contents(directory):
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def read(directory):
    """Read all JSON files; of an additional special token, transformers keeps the text alone."""
    objects = {path.name: json.loads(path.read_text("utf-8")) for path in directory.glob("*.json")}
    additional = objects["special_tokens_map.json"].get("additional_special_tokens", [])
    additional[:] = [entry if isinstance(entry, str) else entry["content"] for entry in additional]
    return objects


# What we write


@given(tokenizer=tokenizers(), text=small_texts)
def test_what_we_save_is_what_the_fast_class_saves(tokenizer, text):
    with new_directory() as mine, new_directory() as theirs:
        tokenizer.save_pretrained(mine)
        fast = FastTokenizer.from_pretrained(mine)
        fast.save_pretrained(theirs)
        assert read(mine) == read(theirs)
        assert {path.name for path in mine.iterdir()} <= FILES
        for name in ("tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"):
            assert (mine / name).read_bytes() == (theirs / name).read_bytes()


@given(tokenizer=tokenizers(), text=small_texts)
def test_every_class_loads_what_we_save(tokenizer, text):
    with new_directory() as directory:
        tokenizer.save_pretrained(directory)
        (directory / "config.json").write_text('{"model_type": "roberta"}')
        fast = FastTokenizer.from_pretrained(directory)
        auto = AutoTokenizer.from_pretrained(directory)
        slow = SlowTokenizer.from_pretrained(directory)
        raw = Tokenizer.from_file(str(directory / "tokenizer.json"))
        again = RobertaTokenizer.from_pretrained(directory)
    assert type(auto) is FastTokenizer
    for theirs in (fast, auto, slow):
        assert_same_tokenizer(tokenizer, theirs)
    assert repr(again) == repr(tokenizer)
    assert again.errors == tokenizer.errors
    for theirs in (fast, auto, again):
        assert_same_encoding(tokenizer, theirs, text)
    encoding = raw.encode(text)
    assert (encoding.ids, encoding.offsets) == tuple(
        tokenizer(text, return_offsets_mapping=True)[name]
        for name in ("input_ids", "offset_mapping")
    )


@given(tokenizer=tokenizers(complete=False), text=small_texts)
def test_unknown_symbols_have_the_same_ids_in_the_fast_class(tokenizer, text):
    with new_directory() as directory:
        tokenizer.save_pretrained(directory)
        fast = FastTokenizer.from_pretrained(directory)
        again = RobertaTokenizer.from_pretrained(directory)
    assert tokenizer.encode(text) == fast.encode(text) == again.encode(text)


@directories
def test_the_real_ones_are_written_byte_for_byte(directory, tmp_path):
    theirs = FastTokenizer.from_pretrained(directory)
    theirs.save_pretrained(tmp_path / "theirs")
    RobertaTokenizer.from_pretrained(tmp_path / "theirs").save_pretrained(tmp_path / "mine")
    assert contents(tmp_path / "mine") == contents(tmp_path / "theirs")


@given(tokenizer=tokenizers(), prefix=st.sampled_from([None, "", "small", "é"]))
def test_the_vocabulary_alone(tokenizer, prefix):
    with new_directory() as mine, new_directory() as theirs:
        tokenizer.save_pretrained(theirs)
        fast = FastTokenizer.from_pretrained(theirs)
        written = tokenizer.save_vocabulary(mine / "new", prefix)
        expected = fast.save_vocabulary(str(theirs), prefix or None)
        for path, other in zip(map(Path, written), map(Path, expected), strict=True):
            assert path.name == other.name
            assert path.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("prefix", ["a/b", "/", "../x"])
def test_a_prefix_is_no_path(prefix, tmp_path):
    with pytest.raises(ValueError, match=r"filename_prefix is .*: it must be part of a name"):
        VALID.save_vocabulary(tmp_path, prefix)
    assert not list(tmp_path.iterdir())


# What we read


@given(
    tokenizer=tokenizers(),
    absent=st.sets(st.sampled_from(sorted(FILES))),
    strips_decoder=st.booleans(),
    text=small_texts,
)
def test_loading_some_of_the_files(tokenizer, absent, strips_decoder, text):
    if tokenizer.mask_token != "<mask>":  # then "<mask>" has unknown symbols: they are tested alone
        text = text.replace("<mask>", "")
    # The fast class takes these from tokenizer_config.json alone.
    names = ("add_prefix_space", "trim_offsets", "cls_token")
    options = {name: getattr(tokenizer, name) for name in names}
    with new_directory() as directory:
        tokenizer.save_pretrained(directory)
        if strips_decoder:
            rewrite(directory / "tokenizer_config.json", lambda x: x.pop("added_tokens_decoder"))
        for name in absent:
            (directory / name).unlink(missing_ok=True)
        if "tokenizer.json" in absent and absent & {"vocab.json", "merges.txt"}:
            with pytest.raises(FileNotFoundError, match="there is no tokenizer in"):
                RobertaTokenizer.from_pretrained(directory)
            return
        mine = RobertaTokenizer.from_pretrained(directory, **options)
        theirs = FastTokenizer.from_pretrained(directory, **options)
    assert_same_tokenizer(mine, theirs)
    assert_same_encoding(mine, theirs, text)


def rewrite(path, change):
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


sections = st.fixed_dictionaries(
    {
        "truncation": st.none()
        | st.fixed_dictionaries(
            {
                "direction": st.sampled_from(["Left", "Right"]),
                "max_length": st.integers(5, 9),
                "strategy": st.sampled_from(["LongestFirst", "OnlyFirst", "OnlySecond"]),
                "stride": st.integers(0, 2),
            }
        ),
        "padding": st.none()
        | st.fixed_dictionaries(
            {
                "strategy": st.just("BatchLongest") | st.builds(lambda n: {"Fixed": n}, st.just(9)),
                "direction": st.sampled_from(["Left", "Right"]),
                "pad_to_multiple_of": st.none() | st.just(8),
                "pad_id": st.integers(0, 3),
                "pad_type_id": st.integers(0, 1),
                "pad_token": st.sampled_from(["<pad>", "<unk>"]),
            }
        ),
    }
)


@given(tokenizer=tokenizers(), sections=sections, has_config=st.booleans(), text=small_texts)
def test_the_last_call_before_saving_is_not_followed(tokenizer, sections, has_config, text):
    names = ("add_prefix_space", "trim_offsets", "cls_token")
    options = {name: getattr(tokenizer, name) for name in names}
    with new_directory() as directory:
        tokenizer.save_pretrained(directory)
        rewrite(directory / "tokenizer.json", lambda content: content.update(sections))
        if not has_config:
            (directory / "tokenizer_config.json").unlink()
        mine = RobertaTokenizer.from_pretrained(directory, **options)
        theirs = FastTokenizer.from_pretrained(directory, **options)
    assert_same_tokenizer(mine, theirs)
    assert_same_encoding(mine, theirs, text)
    batch = [text, "ab"]
    calls = [{}, {"padding": True}, {"padding": "max_length", "max_length": 12, "truncation": True}]
    for call in calls:
        assert mine(batch, return_token_type_ids=True, **call) == dict(
            theirs(batch, return_token_type_ids=True, **call)
        )


def special(name):
    return {"SpecialToken": {"id": name, "type_id": 0}}


def sequence(name):
    return {"Sequence": {"id": name, "type_id": 0}}


@given(tokenizer=tokenizers(), first=small_texts, second=small_texts)
def test_a_template_that_is_that_of_roberta(tokenizer, first, second):
    cls, sep = tokenizer.cls_token, tokenizer.sep_token
    single = [special(cls), sequence("A"), special(sep)]
    template = {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, special(sep), sequence("B"), special(sep)],
        "special_tokens": {
            token: {"id": token, "ids": [index], "tokens": [token]}
            for token, index in ((cls, tokenizer.cls_token_id), (sep, tokenizer.sep_token_id))
        },
    }
    byte_level = {"type": "ByteLevel", "use_regex": True, "trim_offsets": True}
    byte_level["add_prefix_space"] = tokenizer.add_prefix_space
    trimmed = {"type": "Sequence", "processors": [byte_level, template]}
    with new_directory() as directory:
        tokenizer.save_pretrained(directory)
        path = directory / "tokenizer.json"
        (directory / "tokenizer_config.json").unlink()
        for processor in (template, trimmed):
            rewrite(path, lambda content, value=processor: content.update(post_processor=value))
            raw = Tokenizer.from_file(str(path))
            mine = RobertaTokenizer.from_pretrained(directory, mask_token=tokenizer.mask_token)
            expected = raw.encode(first, second)
            found = mine(first, second, return_offsets_mapping=True)
            assert found["input_ids"] == expected.ids
            assert found["offset_mapping"] == expected.offsets


# Broken files

VALID = RobertaTokenizer(
    {token: index for index, token in enumerate([*SPECIAL, "a", "b", "ab"])},
    [("a", "b")],
    additional_special_tokens=["[X]"],
    added_tokens_decoder={8: AddedToken("word")},
)
KEYS = ["type", "content", "id", "direction", "a", "0", "<s>"]
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 12)
    | st.sampled_from([10**30, 2.5, float("nan"), -float("inf"), "\ud800"])
    | st.sampled_from(["", "a", "ab", "a b", "<s>", "ByteLevel", "Sequence", "BPE", "content"]),
    lambda children: (
        st.lists(children, max_size=3)
        | st.dictionaries(st.sampled_from(KEYS), children, max_size=3)
    ),
    max_leaves=5,
)


def places(value, way=()):
    """List the ways to all nodes of a JSON value."""
    children = []
    if isinstance(value, dict | list):
        children = value.items() if isinstance(value, dict) else enumerate(value)
    return [way, *(place for key, child in children for place in places(child, (*way, key)))]


# What is contradicted by another file may also be told in a warning.
@pytest.mark.filterwarnings(
    "ignore:.*added tokens have the ids", "ignore:.*has other flags", "ignore:.*frames texts"
)
@pytest.mark.parametrize("name", sorted(FILES - {"merges.txt"}))
@given(data=st.data())
def test_broken_files_get_a_sentence_that_names_them(name, data):
    with new_directory() as directory:
        VALID.save_pretrained(directory)
        if name != "tokenizer.json":
            (directory / "tokenizer.json").unlink()
        if name in ("special_tokens_map.json", "added_tokens.json"):
            (directory / "tokenizer_config.json").unlink()
        content = json.loads((directory / name).read_text("utf-8"))
        for _ in range(data.draw(st.integers(1, 2))):
            content = changed(content, data)
        (directory / name).write_text(json.dumps(content), "utf-8")
        message = complaint(directory)
    # A token that vocab.json lacks is missed in merges.txt; `errors` is read by the class itself.
    assert message is None or any(
        known in message for known in (name, "/merges.txt, line", "errors is")
    )


def complaint(directory):
    try:
        tokenizer = RobertaTokenizer.from_pretrained(directory)
    except (ValueError, TypeError) as error:
        return str(error)
    tokenizer.save_pretrained(directory / "again")
    again = RobertaTokenizer.from_pretrained(directory / "again")
    assert again.encode("ab word") == tokenizer.encode("ab word")
    return None


def changed(content, data):
    """Replace or delete a drawn node."""
    *way, last = data.draw(st.sampled_from(places({"": content})[1:]))
    root = {"": copy.deepcopy(content)}
    parent = root
    for key in way:
        parent = parent[key]
    if data.draw(st.booleans()) and way:
        del parent[last]
    else:
        parent[last] = data.draw(values)
    return root[""]


@pytest.mark.parametrize("text", ["", "{", "[]", "5", '{"a":' * 100_000, "\xff", '{"errors": 5}'])
def test_what_is_no_json_object(tmp_path, text):
    VALID.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        old = (tmp_path / name).read_bytes()
        (tmp_path / name).write_text(text, encoding="latin-1")
        with pytest.raises(ValueError, match=name):
            RobertaTokenizer.from_pretrained(tmp_path)
        (tmp_path / name).write_bytes(old)


# Failures of the disk


@given(tokenizer=tokenizers(), old=tokenizers(), call=st.sampled_from(["write", "rename"]))
def test_a_full_disk_leaves_the_old_tokenizer(tokenizer, old, call):
    with new_directory() as directory, pytest.MonkeyPatch.context() as patch:
        old.save_pretrained(directory)
        (directory / "config.json").write_text("{}")
        before = contents(directory)
        fails_when_called(patch, call, 0 if call == "rename" else 3)
        with pytest.raises(OSError, match="no space"):
            tokenizer.save_pretrained(directory)
        assert contents(directory) == before


@given(tokenizer=tokenizers(), old=tokenizers(), number=st.integers(1, 4))
def test_a_failure_halfway_leaves_the_old_tokenizer(tokenizer, old, number):
    with new_directory() as directory, new_directory() as new:
        old.save_pretrained(directory)
        tokenizer.save_pretrained(new)
        before = contents(directory)
        with pytest.MonkeyPatch.context() as patch:
            fails_when_called(patch, "rename", number)
            with pytest.raises(OSError, match="no space"):
                tokenizer.save_pretrained(directory)
        found = [path for path in directory.iterdir() if not path.name.startswith(".")]
        assert {path.name: path.read_bytes() for path in found if path.is_file()} == before
        tokenizer.save_pretrained(directory)
        assert contents(directory) == contents(new)


def fails_when_called(patch, call, number):
    """Let a call fail after it has succeeded so many times."""
    owner, name = (os, "replace") if call == "rename" else (Path, "write_text")
    original, left = getattr(owner, name), iter(range(number))

    def failing(*args, **kwargs):
        if next(left, None) is None:
            raise OSError(28, "there is no space left")
        return original(*args, **kwargs)

    patch.setattr(owner, name, failing)


@given(tokenizer=tokenizers(), old=tokenizers())
def test_saving_over_another_tokenizer(tokenizer, old):
    with new_directory() as directory, new_directory() as new:
        old.save_pretrained(directory)
        tokenizer.save_pretrained(new)
        tokenizer.save_pretrained(directory)
        assert contents(directory) == contents(new)


def test_settings_of_transformers_are_kept(tmp_path):
    theirs = FastTokenizer.from_pretrained(TINY)
    theirs.chat_template = "{{ messages }}"
    theirs.save_pretrained(tmp_path / "theirs")
    config = json.loads((tmp_path / "theirs" / "tokenizer_config.json").read_text())
    config |= {"stride": 3, "chat_template": "{{ messages }}", "auto_map": {"a": ["b"]}}
    (tmp_path / "theirs" / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = RobertaTokenizer.from_pretrained(tmp_path / "theirs")
    for _ in range(2):
        tokenizer.save_pretrained(tmp_path / "mine")
        saved = json.loads((tmp_path / "mine" / "tokenizer_config.json").read_text())
        assert saved == config
        tokenizer = RobertaTokenizer.from_pretrained(tmp_path / "mine")


# Files that say less than others, or something else


MARKED = ["Hello <mask> world  <mask>!", " <s>a</s> <mask>\n<x> <y>b"]


def token(content, **flags):
    usual = dict.fromkeys(("lstrip", "rstrip", "single_word", "special"), False)
    return {"content": content, "normalized": True, **usual, **flags}


class Files:
    """The files of a directory, to be edited."""

    def __init__(self, directory):
        FastTokenizer.from_pretrained(TINY).save_pretrained(directory)
        (directory / "config.json").write_text('{"model_type": "roberta"}')
        self.directory = directory

    def remove(self, *names):
        for name in names:
            (self.directory / name).unlink()

    def edit(self, name, change):
        rewrite(self.directory / name, change)

    def configure(self, **entries):
        self.edit("tokenizer_config.json", lambda config: config.update(entries))

    def forget(self, *entries):
        self.edit("tokenizer_config.json", lambda config: [config.pop(name) for name in entries])

    def strip_mask(self, lstrip):
        def change(content):
            for entry in content["added_tokens"]:
                if entry["content"] == "<mask>":
                    entry.update(lstrip=lstrip, normalized=not lstrip)

        self.edit("tokenizer.json", change)

    def declare(self, *entries):
        """Name added tokens in tokenizer.json."""
        entries = [{"id": index, **token(content)} for content, index in entries]
        self.edit("tokenizer.json", lambda content: content["added_tokens"].extend(entries))

    def decode(self, **entries):
        """Name added tokens in tokenizer_config.json."""
        tokens = {str(index): token(content) for content, index in entries.items()}
        self.edit(
            "tokenizer_config.json", lambda config: config["added_tokens_decoder"].update(tokens)
        )

    def both(self):
        mine = AutoMine.from_pretrained(self.directory)
        theirs = AutoTokenizer.from_pretrained(self.directory)
        for text in MARKED:
            assert mine(text)["input_ids"] == theirs(text)["input_ids"]
        assert mine.get_vocab() == theirs.get_vocab()
        assert set(mine.all_special_ids) == set(theirs.all_special_ids)
        return mine, theirs


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


def unflagged(content):
    content.update({name: entry["content"] for name, entry in content.items()})


CONFIG, OLDER = "tokenizer_config.json", "special_tokens_map.json"
NAMINGS = {
    "nothing": lambda files: files.remove(CONFIG, OLDER),
    "flags in the older file": lambda files: files.remove(CONFIG),
    "strings in the older file": lambda files: (
        files.remove(CONFIG),
        files.edit(OLDER, unflagged),
    ),
    "no mask in the older file": lambda files: (
        files.remove(CONFIG),
        files.edit(OLDER, lambda content: content.pop("mask_token")),
    ),
    "the configuration, without flags": lambda files: (
        files.remove(OLDER),
        files.forget("added_tokens_decoder"),
    ),
    "no mask in the configuration": lambda files: (
        files.remove(OLDER),
        files.forget("added_tokens_decoder", "mask_token"),
    ),
    "flags of nothing": lambda files: (
        files.remove(OLDER),
        files.configure(added_tokens_decoder={}),
    ),
    "flags of an unnamed mask": lambda files: (files.remove(OLDER), files.forget("mask_token")),
    "another mask": lambda files: (
        files.remove(OLDER),
        files.forget("added_tokens_decoder"),
        files.configure(mask_token="<y>"),
    ),
    "no mask at all": lambda files: files.configure(mask_token=None, pad_token=None),
    "a mask with flags": lambda files: (
        files.remove(OLDER),
        files.forget("added_tokens_decoder"),
        files.configure(mask_token={"__type": "AddedToken", **token("<mask>", rstrip=True)}),
    ),
}


@pytest.mark.filterwarnings("ignore:.* has other flags than tokenizer.json")
@pytest.mark.parametrize("lstrip", [True, False])
@pytest.mark.parametrize("naming", NAMINGS)
def test_whether_a_mask_takes_white_space_along(files, naming, lstrip):
    files.strip_mask(lstrip)
    NAMINGS[naming](files)
    mine, theirs = files.both()
    assert mine.mask_token == theirs.mask_token
    assert mine.special_tokens_map == theirs.special_tokens_map


NUMBERINGS = {
    "a gap": lambda files: (files.declare(("<x>", 8200), ("<y>", 8195)), files.remove(CONFIG)),
    "a gap, with a configuration": lambda files: files.declare(("<x>", 8200), ("<y>", 8195)),
    "a gap in the configuration": lambda files: files.decode(**{"<x>": 8200, "<y>": 8195}),
    "another id": lambda files: (files.declare(("<x>", 8192)), files.decode(**{"<x>": 8193})),
    "ids swapped": lambda files: (
        files.declare(("<x>", 8192), ("<y>", 8193)),
        files.decode(**{"<x>": 8193, "<y>": 8192}),
    ),
    "one id for two": lambda files: (
        files.declare(("<x>", 8192)),
        files.decode(**{"<y>": 8192}),
    ),
    "one id for two in one file": lambda files: files.declare(("<x>", 8192), ("<y>", 8192)),
    "the id of a word": lambda files: files.decode(**{"<x>": 500}),
    "the id of a word in tokenizer.json": lambda files: files.declare(("<x>", 500)),
    "a word with another id": lambda files: files.decode(the=9000),
    "no tokenizer.json": lambda files: (
        files.remove("tokenizer.json"),
        files.decode(**{"<x>": 8200, "the": 9000, "<y>": 500}),
    ),
    "the older file": lambda files: (
        files.forget("added_tokens_decoder"),
        (files.directory / "added_tokens.json").write_text('{"<x>": 8200, "<y>": 8195}'),
    ),
}


@pytest.mark.parametrize("numbering", NUMBERINGS)
def test_added_tokens_follow_the_vocabulary(files, numbering):
    NUMBERINGS[numbering](files)
    with pytest.warns(UserWarning, match="not all added tokens have the ids that are declared"):
        mine, _ = files.both()
    mine.save_pretrained(files.directory)
    assert Files.both(files)[0].get_vocab() == mine.get_vocab()


@pytest.mark.parametrize("role", ["cls_token", "sep_token"])
@pytest.mark.parametrize("content", ["<pad>", "<x>"])
def test_tokenizer_json_says_what_frames_texts(files, role, content):
    files.configure(**{role: content, "additional_special_tokens": [content]})
    with pytest.warns(UserWarning, match=rf"{role} is '{content}' .* frames texts with '"):
        mine, theirs = files.both()
    assert mine("a", "b")["input_ids"] == theirs("a", "b")["input_ids"]


@pytest.mark.parametrize("extra", [[], ["<x>"], ["<x>", {"content": "<y>", "rstrip": True}]])
def test_extra_special_tokens_in_a_list(files, extra):
    """As transformers 5 writes them; version 4 has the same tokens as additional ones."""
    files.configure(extra_special_tokens=extra)
    mine = RobertaTokenizer.from_pretrained(files.directory)
    additional = [entry if isinstance(entry, str) else "<y>" for entry in extra]
    assert mine.additional_special_tokens == additional
    mine.save_pretrained(files.directory)
    again, theirs = files.both()
    assert again.additional_special_tokens == theirs.additional_special_tokens == additional


DEAD = {
    "name_or_path": "/home/me/model", "tokenizer_file": "/cache/tokenizer.json", "init_inputs": [],
    "special_tokens_map_file": "/cache/special_tokens_map.json", "vocab_file": None,
    "merges_file": "/x", "device_map": "cuda",
}  # fmt: skip
ALIVE = {
    "processor_class": "P", "is_local": True, "backend": "tokenizers", "do_lower_case": True,
    "add_bos_token": False, "max_length": 128, "stride": 0, "pad_token_type_id": 0,
    "truncation_strategy": "longest_first", "pad_to_multiple_of": None, "special_tokens": ["<s>"],
}  # fmt: skip


def test_what_else_stands_in_the_configuration(files):
    files.configure(**ALIVE, max_len=77)
    files.forget("model_max_length")
    (files.directory / "chat_template.jinja").write_text("{{ x }}")
    _, theirs = files.both()
    files.configure(**DEAD)  # with these, transformers looks where they point to
    mine = RobertaTokenizer.from_pretrained(files.directory)
    assert mine.model_max_length == theirs.model_max_length == 77
    texts = ["a b", "a"]
    assert mine(texts, padding=True) == dict(theirs(texts, padding=True))
    mine.save_pretrained(files.directory / "mine")
    theirs.save_pretrained(files.directory / "theirs", save_jinja_files=False)
    configs = [
        json.loads((files.directory / who / CONFIG).read_text()) for who in ("mine", "theirs")
    ]
    del configs[1]["max_len"]  # which is an older name
    kept = {name: value for name, value in configs[1].items() if value is not None}
    assert configs[0] == kept
    assert not DEAD.keys() & configs[0].keys()


@pytest.mark.parametrize("legacy_format", [None, False, True])
@pytest.mark.parametrize("prefix", [None, "my"])
def test_which_files_are_written(tmp_path, legacy_format, prefix):
    theirs = FastTokenizer.from_pretrained(TINY)
    mine = RobertaTokenizer.from_pretrained(TINY)
    options = {"legacy_format": legacy_format, "filename_prefix": prefix, "push_to_hub": False}
    for one, name in ((mine, "mine"), (theirs, "theirs")):
        one.add_tokens(["<x>"])
        one.save_pretrained(tmp_path / name, **options)
    assert contents(tmp_path / "mine") == contents(tmp_path / "theirs")
    mine.save_pretrained(tmp_path / "mine", safe_serialization=True)
    mine.save_pretrained(tmp_path / "mine", **options)  # none of the other format is left
    left = {path.removeprefix("my-") for path in contents(tmp_path / "mine")}
    assert (legacy_format is False) is not ("vocab.json" in left) or prefix
    with pytest.raises(ValueError, match="push_to_hub is True, but must be False: write"):
        mine.save_pretrained(tmp_path, push_to_hub=True)
    with pytest.raises(TypeError, match="save_pretrained has no argument 'foo'"):
        mine.save_pretrained(tmp_path, foo=1)


@pytest.mark.parametrize("load", [RobertaTokenizer.from_pretrained, AutoMine.from_pretrained])
def test_keywords_that_change_nothing(load):
    examples = {
        "use_fast": False, "do_lower_case": False, "legacy": True, "trust_remote_code": True,
        "tokenizer_type": "roberta", "config": None, "from_slow": True, "device_map": "auto",
        "add_bos_token": False, "truncation": None, "clean_up_tokenization_spaces": True,
    }  # fmt: skip
    loaded = load(TINY, **examples, max_len=9, use_auth_token=None, padding_side="left")
    theirs = AutoTokenizer.from_pretrained(TINY, max_len=9, padding_side="left")
    assert (loaded.model_max_length, loaded.padding_side) == (9, "left")
    assert loaded(["a b", "c"], padding=True) == dict(theirs(["a b", "c"], padding=True))
    for name, value in {"do_lower_case": True, "max_length": 9, "add_bos_token": True}.items():
        with pytest.raises(ValueError, match=f"{name} is {value}, but must be "):
            load(TINY, **{name: value})


def test_an_added_token_as_a_string():
    assert str(AddedToken("<x>", lstrip=True)) == str(transformers.AddedToken("<x>")) == "<x>"


@pytest.mark.parametrize("others", [[], ["<video>"], ["<image>"]])
def test_tokens_with_names_of_their_own_are_special(tmp_path, others):
    """But here they have none: see the document of differences."""
    FastTokenizer.from_pretrained(
        TINY, extra_special_tokens={"image_token": "<image>"}, additional_special_tokens=others
    ).save_pretrained(tmp_path / "theirs")
    fast = FastTokenizer.from_pretrained(tmp_path / "theirs")
    ours = RobertaTokenizer.from_pretrained(tmp_path / "theirs")
    ours.save_pretrained(tmp_path / "ours")
    again = FastTokenizer.from_pretrained(tmp_path / "ours")
    ids = fast("a <image><video> b")["input_ids"]
    mask = fast.get_special_tokens_mask(ids, already_has_special_tokens=True)
    for one in (ours, again):
        assert set(one.all_special_tokens) == set(fast.all_special_tokens)
        assert one("a <image><video> b")["input_ids"] == ids
        assert one.get_special_tokens_mask(ids, already_has_special_tokens=True) == mask
    assert again.image_token == "<image>"
