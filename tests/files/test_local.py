"""Reading and writing whole files."""

import os

import pytest

from minirobert.files import model_directory, read_json, read_text, write_text


def test_missing_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file nowhere in"):
        read_text(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_text(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff{}", "is not UTF-8: byte 0xff at position 0"),
        ('{"a": 0,\n "b": }', "is not JSON: .* in line 2, column 7"),
        ("", "is not JSON, but empty: the download or copy did not finish"),
        ("<!DOCTYPE html>", r"is not JSON, but a web page .*: .* hf download"),
        ("version https://git-lfs", "is not JSON, but a pointer of git-lfs.*: git lfs pull"),
        (b"PK\x03\x04", "is not JSON, but a zip archive"),
        ('["a"]', "holds a JSON array, but must hold an object"),
        ('"a"', "holds a JSON string, but must hold an object"),
        ("5", "holds a JSON number, but must hold an object"),
        ("true", "holds a JSON boolean, but must hold an object"),
        ("null", "holds a JSON null, but must hold an object"),
    ],
)
def test_broken_json(tmp_path, content, message):
    path = tmp_path / "x.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=message):
        read_json(path)


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "file"
    write_text(path, "old")

    def fail(source, target):
        raise OSError("no space left")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no space left"):
        write_text(path, "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["file"]
    assert path.read_text() == "old"


def test_a_directory_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'FacebookAI/roberta-base' is no directory.*hf d"):
        model_directory("FacebookAI/roberta-base")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="is a file: give the directory"):
        model_directory(tmp_path / "file")
