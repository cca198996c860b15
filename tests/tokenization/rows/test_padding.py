import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minirobert.tokenization.rows.lengths import LengthPlan
from minirobert.tokenization.rows.padding import (
    pad_columns,
    pad_row,
    padded_length,
    read_pad_input,
)


@pytest.mark.parametrize(
    ("strategy", "max_length", "multiple", "length"),
    [
        ("longest", None, None, 5),
        ("longest", 9, None, 5),
        ("max_length", 9, None, 9),
        ("longest", None, 4, 8),
        ("max_length", 9, 5, 10),
        ("do_not_pad", 9, 4, 0),
    ],
)
def test_lengths(strategy, max_length, multiple, length):
    plan = LengthPlan(strategy, "do_not_truncate", max_length, multiple)
    assert padded_length([3, 5, 4], plan) == length


@given(st.lists(st.integers()), st.integers(0, 20), st.sampled_from(["left", "right"]))
def test_a_padded_row_still_holds_the_row(row, length, side):
    padded = pad_row(row, length, None, side)
    assert len(padded) == max(length, len(row))
    assert [element for element in padded if element is not None] == row
    assert (padded[: len(row)] if side == "right" else padded[len(padded) - len(row) :]) == row


def test_each_column_has_its_own_padding():
    columns = {
        "input_ids": [[5]],
        "attention_mask": [[1]],
        "special_tokens_mask": [[0]],
        "offset_mapping": [[(0, 1)]],
        "label": [7],
    }
    assert pad_columns(columns, 2, 99, "left") == {
        "input_ids": [[99, 5]],
        "attention_mask": [[0, 1]],
        "special_tokens_mask": [[1, 0]],
        "offset_mapping": [[(0, 0), (0, 1)]],
        "label": [7],
    }


def test_inputs():
    assert read_pad_input({"input_ids": [1, 2], "label": 3}) == (
        {"input_ids": [[1, 2]], "label": [3]},
        True,
        None,
    )
    rows = [{"input_ids": np.array([1, 2])}, {"input_ids": np.array([3])}]
    assert read_pad_input(rows) == ({"input_ids": [[1, 2], [3]]}, False, "numpy")
    assert read_pad_input({"input_ids": np.ones((1, 2), int)}) == (
        {"input_ids": [[1, 1]]},
        False,
        "numpy",
    )
    assert read_pad_input({"input_ids": [(1, 2), (3,)]}) == (
        {"input_ids": [(1, 2), (3,)]},
        False,
        None,
    )
    assert read_pad_input({"input_ids": []}) == ({"input_ids": []}, False, None)
    assert read_pad_input([]) == ({"input_ids": []}, False, None)


def test_the_library_is_that_of_the_ids():
    tensors = [{"input_ids": torch.tensor([1, 2]), "label": torch.tensor(0.5)}]
    found = read_pad_input(tensors)
    assert found == ({"input_ids": [[1, 2]], "label": [0.5]}, False, "torch")
    assert type(found.columns["label"][0]) is float
    mixed = {"input_ids": [[1], torch.tensor([2]), np.array([3])]}
    assert read_pad_input(mixed) == ({"input_ids": [[1], [2], [3]]}, False, "torch")


def test_with_ids_in_lists_only_what_is_padded_becomes_lists():
    label = np.array([0.5])
    encoding = {"input_ids": [[1]], "attention_mask": np.array([[0]]), "label": label}
    columns, _, library = read_pad_input(encoding)
    assert library is None
    assert columns["attention_mask"] == [[0]]
    assert columns["label"] is label
    assert isinstance(encoding["attention_mask"], np.ndarray)  # the argument is as it was


@pytest.mark.parametrize(
    ("encoded", "error", "message"),
    [
        (
            {"ids": [1]},
            ValueError,
            "there are no input_ids to pad, only 'ids': give encodings as a call",
        ),
        ({}, ValueError, "there are no input_ids to pad, for the encoding is empty: give enc"),
        ([{}], ValueError, "there are no input_ids to pad, for the encoding is empty"),
        (
            {"input_ids": None},
            TypeError,
            "^input_ids is None: it must be a list or an array, as a call of the tokenizer returns",
        ),
        ({"input_ids": "ab"}, TypeError, "^input_ids is 'ab': it must be a list or an array"),
        ({"input_ids": 5}, TypeError, "^input_ids is 5: it must be a list or an array"),
        ({"input_ids": [[1], 5]}, TypeError, "^row 1 of input_ids is 5: it must be a list"),
        ([{"input_ids": None}], TypeError, "^row 0 of input_ids is None: it must be a list"),
        (
            {"input_ids": ["a"]},
            TypeError,
            "^element 0 of input_ids is 'a': it must be an integer; convert_tokens_to_ids gives",
        ),
        (
            {"input_ids": [[1], [1, 2.5]]},
            TypeError,
            r"^element 1 of row 1 of input_ids is 2\.5: it must be an integer",
        ),
        ({"input_ids": [[[1]]]}, TypeError, r"^element 0 of row 0 of input_ids is \[1\]"),
        (
            {"input_ids": [[1]], "attention_mask": None},
            TypeError,
            "^attention_mask is None: it must be a list",
        ),
        (
            {"input_ids": [1], "attention_mask": 1},
            TypeError,
            "^row 0 of attention_mask is 1: it must be a list",
        ),
        ([1, 2], TypeError, "cannot pad a list: give an encoding or a list of encodings"),
        (3, TypeError, "cannot pad a int"),
        (
            [{"input_ids": [1], "label": 0}, {"input_ids": [1]}],
            ValueError,
            "encoding 1 has no 'label', which encoding 0 has",
        ),
        (
            {"input_ids": [[1, 2]], "attention_mask": [[1]]},
            ValueError,
            "row 0 of attention_mask has 1 elements, but that of input_ids has 2",
        ),
        (
            {"input_ids": [[1], [2]], "attention_mask": [[1]]},
            ValueError,
            "attention_mask has 1 rows, but input_ids has 2",
        ),
    ],
)
def test_broken_inputs(encoded, error, message):
    with pytest.raises(error, match=message):
        read_pad_input(encoded)
