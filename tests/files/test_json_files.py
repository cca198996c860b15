"""JSON files: what is read, what is refused and how that is told, and what can be saved again."""

import copy
import json
import sys
import time

import pytest

from minirobert.files import json_text, naming, read_json, settings_text
from minirobert.files.json_values import MAX_DEPTH, check_standard, is_too_deep


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "x.json"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_json(path)

    return read


LONG = "1" * 5000


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            f'{{"a": {{"b": [1, -{LONG}]}}}}',
            r"x\.json: a\.b\[1\] has a number of more than 4,300 d",
        ),
        (f'{{"a": {LONG}, "a": 1}}', r"x\.json has a number of more than 4,300 digits"),
        (f"[{LONG}]", r"x\.json: \[0\] has a number of more than 4,300 digits"),
        (f'{{"a": {LONG}, "b": }}', r"x\.json is not JSON: "),
        (f'{{"a": {LONG}, "b": {"[" * 900}{"]" * 900}}}', "'b' has .*nested more than 100 deep"),
        (
            '{"a": 1, "b": ' + "[" * 200 + "]" * 200 + "}",
            "x.json: 'b' has .*nested more than 100 deep",
        ),
        (
            '{"a":\n {"b":' + "[" * 99 + "]" * 99 + "}}",
            "'a' has arrays or .* in line 2, column 105",
        ),
        ("[" * 300_000, "nested more than 100 deep, in line 1, column 101"),
        (
            '{"a": "[[' + "[" * 200 + '"',
            "is not JSON: Expecting ',' delimiter in line 1, column 211",
        ),
        ("\ufeff{}", r"begins with a byte order mark \(BOM\).*save it as UTF-8 without"),
        ("{}".encode("utf-16"), "is not UTF-8, but UTF-16: save it as UTF-8"),
        (b"{\0}\0", "is not JSON: .* in line 1, column 2"),
        (" \n", "is not JSON, but blank"),
        ('{"a": 1,}', "in line 1, column [89]"),
        ('{"a": 1 // one\n}', "in line 1, column 9"),
    ],
)
def test_what_is_refused(read, content, message):
    with pytest.raises(ValueError, match=message) as raised:
        read(content)
    assert len(str(raised.value)) <= 500


def test_a_file_of_brackets_alone_is_refused_at_once(read):
    start = time.process_time()
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        read(b"[" * 50_000_000)
    assert time.process_time() - start < 10


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(200_000_000)
    with pytest.raises(
        ValueError, match=r"x\.json has 200,000,000 bytes, where a file of settings"
    ):
        read_json(path)


def test_what_python_takes_is_kept(read):
    content = '{"a": NaN, "b": [-Infinity, 1e400], "c": "\\ud800", "d": %s}' % ("9" * 4300)
    value = read(content)
    assert read(content) == value  # NaN, too, is the same
    assert read(settings_text(value, "x.json")) == value


def test_the_last_of_two_keys_counts(read):
    with pytest.warns(
        UserWarning, match=r"x\.json has 'c', 'a' more than once in one object: the"
    ) as told:
        assert read('{"a": 1, "b": {"c": 2, "c": 3}, "a": {"b": 4}}') == {
            "a": {"b": 4},
            "b": {"c": 3},
        }
    assert len(told) == 1


def nested(depth):
    value = 1
    for number in range(depth):
        value = [value] if number % 2 else {"a": value}
    return value


def test_the_limit_of_depth():
    assert not is_too_deep(nested(MAX_DEPTH))
    assert is_too_deep(nested(MAX_DEPTH + 1))
    # What is not too deep can be copied, compared, printed and written.
    value = nested(MAX_DEPTH)
    assert copy.deepcopy(value) == value == json.loads(json_text(value))
    assert repr(value)


def test_a_list_that_holds_itself_is_too_deep():
    several = []
    several += [several] * 50
    assert is_too_deep(several)


def test_what_json_cannot_hold():
    with pytest.raises(ValueError, match=r"b is \{1\}, which x\.json cannot hold"):
        settings_text({"a": 1, "b": {1}}, "x.json")
    with pytest.raises(
        ValueError, match=r"b is an integer of about 5,001 digits, which x\.json cannot"
    ):
        settings_text({"b": 10**5000}, "x.json")
    with pytest.raises(ValueError, match="a key is"):
        settings_text({"a": 1, 2: 3}, "x.json")


@pytest.mark.parametrize("value", [float("nan"), float("-inf"), "\ud800", {"\udfff": 1}])
def test_what_other_libraries_do_not_take_for_json(value):
    check_standard({"a": [1.5, None, "é", True]}, "here")
    with pytest.raises(ValueError, match=r"^here: .*a.* is .*no JSON for the library"):
        check_standard({"a": [value]}, "here")


def test_the_file_is_named_once(tmp_path):
    path = tmp_path / "config.json"
    for said in ("a is 5", f"{path}: a is 5"):
        with pytest.raises(ValueError, match="a is 5") as raised, naming(path):
            raise ValueError(said)
        assert str(raised.value) == f"{path}: a is 5"
    with pytest.raises(ValueError, match=r"^a is 5$"), naming(path, given={"a": 5}):
        raise ValueError("a is 5")


def test_without_a_limit_of_digits(read):
    most = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)
    try:
        assert read(f'{{"a": {LONG}}}') == {"a": int(LONG)}
    finally:
        sys.set_int_max_str_digits(most)
