import inspect

import pytest

import minirobert
from minirobert.documentation import documented, entries

SHARED = {"b": "b : str\n    Shared.", "**options": "**options\n    More."}


@documented(SHARED)
def example(a, b, c=1, *, d=2, **options):
    """Do it.

    Twice.

    Parameters
    ----------
    a, d : int
        Own.
    c : int
        Third.

        With a paragraph.

    Returns
    -------
    int

    >>> 1
    1
    """


def test_entries_stand_in_the_order_of_the_signature():
    assert example.__doc__ == inspect.cleandoc(
        """Do it.

        Twice.

        Parameters
        ----------
        a, d : int
            Own.
        b : str
            Shared.
        c : int
            Third.

            With a paragraph.
        **options
            More.

        Returns
        -------
        int

        >>> 1
        1
        """
    ) + "\n"  # fmt: skip
    assert list(inspect.signature(example).parameters) == ["a", "b", "c", "d", "options"]


def test_a_section_is_made_where_there_is_none():
    def one(self, b):
        """Do it.

        Raises
        ------
        ValueError
        """

    one = documented(SHARED)(one)
    lines = one.__doc__.splitlines()
    assert lines[2:6] == ["Parameters", "----------", "b : str", "    Shared."]
    assert lines[7:] == ["Raises", "------", "ValueError"]


def test_what_is_described_nowhere_is_an_error():
    def one(e):
        """Do it."""

    with pytest.raises(ValueError, match="one has a parameter 'e' that is described nowhere"):
        documented(SHARED)(one)


def test_entries_can_be_taken_from_a_docstring():
    assert entries(example)["b"] == "b : str\n    Shared."
    assert list(entries(example)) == ["a", "d", "b", "c", "**options"]
    assert entries(test_a_section_is_made_where_there_is_none) == {}


def test_an_optimised_python_has_no_docstrings():
    def one(e):
        pass

    assert documented(SHARED)(one).__doc__ is None


@pytest.mark.parametrize("name", [n for n in minirobert.__all__ if n.startswith("RobertaFor")])
def test_help_tells_every_argument_of_a_call(name):
    call = getattr(minirobert, name).__call__
    words = inspect.getdoc(call)
    for argument in list(inspect.signature(call).parameters)[1:]:
        assert any(
            argument in line.partition(" : ")[0].split(", ") for line in words.splitlines()
        ), argument
