import json

import pytest

from minirobert.files import write_files
from minirobert.tokenization.files.vocab_and_merges import (
    merges_text,
    object_text,
    read_merges,
    read_vocab,
    vocab_text,
)

VOCAB = {"a": 0, "b": 1, "ab": 2, "abb": 3}


@pytest.fixture
def file(tmp_path):
    def write(content):
        path = tmp_path / "file"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("vocab", "message"),
    [
        ({"a": "0"}, "the id of 'a' is '0', but must be an integer"),
        ({"a": 0.0}, r"the id of 'a' is 0\.0, but must be an integer"),
        ({"a": True}, "the id of 'a' is True, but must be an integer"),
        ({"a": None}, "the id of 'a' is None, but must be an integer"),
        ({"a": -1}, "the id of 'a' is -1, but must be an integer from 0"),
        ({"a": 2**32}, "the id of 'a' is 4294967296, but must be an integer from 0 to 4294967295"),
        ({"a": 0, "b": 0}, "'b' and 'a' have the same id 0"),
        ({"\ud800": 0}, r"'\\ud800' is not a string of valid characters"),
    ],
)
def test_broken_vocabularies(file, vocab, message):
    with pytest.raises(ValueError, match=f"the vocabulary: {message}"):
        read_vocab(vocab)
    with pytest.raises(ValueError, match=f"file: {message}"):
        read_vocab(file(json.dumps(vocab)))


def test_vocabularies_of_other_keys():
    with pytest.raises(ValueError, match="5 is not a string"):
        read_vocab({5: 0})


@pytest.mark.parametrize(
    "content",
    [
        "#version: 0.2\na b\nab b\n",
        "#version: 0.2\na b\nab b",
        "a b\nab b\n",
        "a b\nab b",
        "#version: 0.2\r\na b\r\nab b\r\n",
        "a b\nab b\n\n\n",
    ],
)
def test_no_merge_is_lost(file, content):
    assert read_merges(file(content), VOCAB) == [("a", "b"), ("ab", "b")]


def test_merges_in_memory():
    assert read_merges(["a b", ("ab", "b"), ["a", "b"]], VOCAB) == [("a", "b"), ("ab", "b")]
    assert read_merges([], VOCAB) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("#version: 0.2\na b\n\nab b\n", "line 3: '' is no merge"),
        ("#version: 0.2\na\n", "line 2: 'a' is no merge"),
        ("a b b\n", "line 1: 'a b b' is no merge"),
        ("a  b\n", "line 1: 'a  b' is no merge"),
        ("a b\nb x\n", "line 2: the merge of 'b' and 'x' needs the token 'x'"),
        ("#version\nb a\n", "line 2: the merge of 'b' and 'a' needs the token 'ba'"),
        (b"\xff", "is not UTF-8"),
    ],
)
def test_broken_merges(file, content, message):
    with pytest.raises(ValueError, match=f"file.*{message}"):
        read_merges(file(content), VOCAB)


def test_a_merge_whose_parts_are_missing():
    for merge in ("a x", "x a"):
        with pytest.raises(ValueError, match="needs the token 'x', which the vocabulary lacks"):
            read_merges([merge], {"a": 0, "ax": 1, "xa": 2})


@pytest.mark.parametrize("merge", ["ab", ("a", "b", "b"), ("a", 5), ("", "a"), 7, None])
def test_broken_merges_in_memory(merge):
    with pytest.raises(ValueError, match=r"merge 1: .* is no merge"):
        read_merges(["a b", merge], VOCAB)


def test_what_is_written_is_read(tmp_path):
    assert vocab_text({"é": 1, "Ġa": 0}) == '{"Ġa":0,"é":1}'
    assert merges_text([("a", "b"), ("ab", "b")]) == "#version: 0.2\na b\nab b\n"
    assert object_text({"b": "é", "a": {}}) == '{\n  "a": {},\n  "b": "é"\n}\n'
    written = write_files(tmp_path, {"x": "é\n", "y": ""})
    assert written == (str(tmp_path / "x"), str(tmp_path / "y"))
    assert (tmp_path / "x").read_bytes() == "é\n".encode()
    (tmp_path / "merges.txt").write_text(merges_text([("a", "b")]))
    assert read_merges(tmp_path / "merges.txt", VOCAB) == [("a", "b")]


def test_a_file_that_cannot_be_written_leaves_all_old_ones(tmp_path):
    write_files(tmp_path, {"x": "old", "y": "old"})
    with pytest.raises(UnicodeEncodeError):
        write_files(tmp_path, {"x": "new", "y": "\ud800"})
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"x": "old", "y": "old"}


def test_what_has_no_utf8_is_written_as_an_escape(tmp_path):
    value = {"a": "\ud800", "b": "é"}
    write_files(tmp_path, {"x": object_text(value)})
    assert json.loads((tmp_path / "x").read_bytes()) == value
