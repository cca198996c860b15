from enum import Enum

import pytest

from minirobert.tokenization.settings import SETTINGS, read_setting


@pytest.mark.parametrize("unknown", ["middle", None, 0])
def test_unknown_sides(unknown):
    with pytest.raises(ValueError, match=r"padding_side is .*, but must be one of 'right', 'left'"):
        read_setting("padding_side", unknown)


def test_sides_from_enums():
    class Side(str, Enum):  # noqa: UP042, as that of transformers is
        LEFT = "left"

    side = read_setting("truncation_side", Side.LEFT)
    assert (type(side), side) == (str, "left")


@pytest.mark.parametrize("name", SETTINGS)
def test_an_error_is_of_one_form(name):
    setting = SETTINGS[name]
    with pytest.raises(setting.error) as caught:
        read_setting(name, object)
    assert str(caught.value) == f"{name} is {object!r}, but must be {setting.rule.sentence}"
