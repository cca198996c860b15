"""The work of each operation grows hardly faster than its input.

Time is no measure on a machine that does other things too. Counted are, instead, the steps of
Python's interpreter, and the bytes that each of them takes: a copy of a text or list is one step,
but takes its size. What goes unseen is a search that copies nothing, such as `in` with a list, or a
pattern that tries much: for that there is `tests.benchmarks.bench_growth`, which measures time, and
here, where it matters, a test of its own.
"""

import sys
import tracemalloc

import pytest

from minirobert import RobertaTokenizer
from minirobert.sentences import LIMIT
from minirobert.tokenization import AddedToken, added_tokens, components
from minirobert.tokenization.added_tokens import AddedTokenSplitter
from minirobert.tokenization.fast.piece_table import (
    MAX_CACHED_BYTES,
    MAX_CACHED_PIECES,
    PieceTable,
)
from tests.growing import OPERATIONS, ours, with_parts

#: n log n is about n^1.2 at these sizes, and n^2 shows as n^1.5 at least where other work is small.
EXPONENT = 1.3
FACTOR = 4

#: Where the usual size is too small for a square to show beside other work, or larger than needed.
SIZES = {
    "an added token as a single word": 600,
    "char_to_token of a whole row": 600,
    "char_to_word of a whole row": 600,
    "word_to_tokens of a whole row": 600,
    "word_to_chars of a whole row": 600,
    "a question on windows of 8 of a context": 1500,
    "save and load n added tokens": 15,
    "add_tokens one by one": 60,  # its words are longer than what is merged without a heap
    "add_special_tokens one by one": 20,
    "explain and print: letters": 300,  # more than are shown after each merge
    "explain as a dictionary: letters": 300,
    "replace in a text": 500,
    "train with n merges on one word": 200,
    "encode: merges that wake up earlier ones": 1000,
}
SIZE = 60

#: What may come only with a larger input, such as a table that is made larger.
ROOM = {"steps": 0, "bytes": 30_000}

#: What the counting itself takes in a step.
OWN = 128


def work(function):
    """Count steps and bytes, of a function and all that it calls."""
    steps = taken = held = 0

    def trace(frame, event, arg):
        nonlocal steps, taken, held
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        steps += 1
        now, highest = tracemalloc.get_traced_memory()
        taken += max(highest - held - OWN, 0)
        tracemalloc.reset_peak()
        held = now
        return trace

    before = sys.gettrace()
    tracemalloc.start()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
        tracemalloc.stop()
    return steps, taken


def check_growth(prepare, size):
    for once in (size, FACTOR * size):
        prepare(once)()  # what happens only once in a process
    small, large = work(prepare(size)), work(prepare(FACTOR * size))
    for what, less, more in zip(("steps", "bytes"), small, large, strict=True):
        assert more <= less * FACTOR**EXPONENT + ROOM[what], (what, less, more)


@pytest.mark.parametrize("name", OPERATIONS)
def test_work_grows_as_the_input(name, times):
    check_growth(OPERATIONS[name], SIZES.get(name, SIZE) * times)


@pytest.mark.parametrize(
    "square",
    [
        lambda n: lambda: [i for i in range(n // 4) for _ in range(n)],  # steps
        lambda n: lambda: [b"." * (100 * n) for i in range(n)],  # copies
    ],
)
def test_a_square_would_be_seen(square):
    with pytest.raises(AssertionError):
        check_growth(square, SIZE)


# What counting cannot see, and what has a limit


@pytest.mark.parametrize("n", [2**10, 2**12])
def test_added_tokens_are_not_tried_one_after_the_other(n, monkeypatch):
    """A pattern of n strings would be compiled; the automaton reads each character once."""
    finder = AddedTokenSplitter([AddedToken(f"a{i}") for i in range(n)])
    monkeypatch.setattr(added_tokens.regex, "compile", None)
    text = f"a a1a{n - 1} a{n}b"
    assert [text[slice(*part[:2])] for part in finder.split(text)] == [
        *("a ", "a1", f"a{n - 1}", " ", f"a{n}"[:-1]),
        text[-2:],
    ]


CATASTROPHIC = {"type": "Split", "pattern": {"Regex": "(a|aa)+$"}, "behavior": "Isolated"}
REPLACING = {"type": "Replace", "pattern": {"Regex": "(a|aa)+$"}, "content": "b"}


@pytest.mark.parametrize("parts", [(None, CATASTROPHIC), (REPLACING, None)])
def test_a_pattern_that_never_ends_is_stopped(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(components, "SECONDS", 0.05)
    with_parts(tmp_path, *parts)
    tokenizer = RobertaTokenizer.from_pretrained(tmp_path)
    assert tokenizer("aaa").input_ids
    with pytest.raises(ValueError, match="again and again") as error:
        tokenizer("a" * 10_000 + "b")
    assert len(str(error.value)) <= LIMIT


def test_a_pair_of_long_texts_makes_only_so_many_rows():
    text = "a b" * 1000
    with pytest.raises(ValueError, match="rows") as error:
        ours()(text, text, max_length=6, truncation=True, return_overflowing_tokens=True)
    assert len(str(error.value)) <= LIMIT


def test_what_is_remembered_of_texts_is_bounded(draw, times):
    for letter in "aé😀":
        table = PieceTable(len)
        for number in range(30_000 * times):
            piece = f"{number:x}" + letter * draw.randint(0, 70)
            assert table[piece] == len(piece)
            if number % 5000 == 0:
                assert sum(len(known.encode()) for known in table) <= MAX_CACHED_BYTES
                assert len(table) <= MAX_CACHED_PIECES


# The results of what has been made quick


def test_a_row_answers_as_a_search_of_it_does(draw, times):
    tokenizer = ours()
    for _ in range(20 * times):
        texts = [
            "".join(draw.choices(["the ", "é", "😀", "  ", "<mask>", "abc"], k=12)) for _ in "12"
        ]
        encodings = tokenizer(
            *texts,
            max_length=draw.randint(8, 40),
            truncation=True,
            stride=draw.randint(0, 1),
            padding="max_length",
            padding_side=draw.choice(["left", "right"]),
            return_overflowing_tokens=True,
        ).encodings
        for row in encodings:
            known = list(zip(row.sequence_ids, row.offsets, row.word_ids, strict=True))
            for text in (0, 1, 2):
                for i in range(-1, 60):
                    of_char = [
                        at for at, (t, (a, b), _) in enumerate(known) if t == text and a <= i < b
                    ]
                    assert row.char_to_token(i, text) == next(iter(of_char), None)
                    of_word = [
                        at for at, (t, _, word) in enumerate(known) if (t, word) == (text, i)
                    ]
                    span = (of_word[0], of_word[-1] + 1) if of_word else None
                    assert row.word_to_tokens(i, text) == span
