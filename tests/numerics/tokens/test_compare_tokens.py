"""A port's tokenizer beside this one: the real ones agree, and what is not right is said."""

import json
import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minirobert.numerics.comparison import DepartureError
from minirobert.numerics.tokens import compare_tokens, read_port_rows
from minirobert.numerics.tokens.port_rows import rows_in
from minirobert.numerics.tokens.search import FAMILIES
from minirobert.numerics.tokens.steps import Call, steps_of
from minirobert.numerics.tokens.suspect import STEPS, Case
from minirobert.tokenization import RobertaTokenizer
from tests.equivalence.texts import directories, fast, ours, slow, slow_texts, texts
from tests.numerics.tokens.ports import DIRECTORY, PAIRS, TEXTS

FIRST, SECOND = map(list, zip(*PAIRS, strict=True))


@pytest.fixture
def tokenizer():
    return ours(DIRECTORY)


# What agrees


@directories
def test_both_of_transformers_agree(directory):
    for made in (fast, slow):
        # The slow one strips U+001C to U+001F before <mask>.
        mixed = TEXTS if made is fast else [text for text in TEXTS if "\x1c" not in text]
        comparison = compare_tokens(ours(directory), mixed, made(directory)(mixed).input_ids)
        assert (comparison.agreeing, comparison.first) == (len(mixed), None)
        comparison.raise_for_difference()


@directories
@settings(max_examples=40)
@given(st.lists(slow_texts, max_size=5))
def test_drawn_texts_agree(directory, drawn):
    for made in (fast, slow):
        theirs = [made(directory).encode(text) for text in drawn]
        assert compare_tokens(ours(directory), drawn, theirs).first is None


@pytest.mark.parametrize(
    "options",
    [
        {"add_special_tokens": False},
        {"truncation": True, "max_length": 9},
        {"truncation": "only_first", "max_length": 40},
    ],
)
def test_options_and_pairs_agree(tokenizer, options):
    pairs = [pair for pair in PAIRS if len(tokenizer(pair[1]).input_ids) < 30]
    first, second = map(list, zip(*pairs, strict=True))
    theirs = fast(DIRECTORY)(first, second, **options).input_ids
    assert compare_tokens(tokenizer, first, theirs, second, **options).first is None


def test_offsets_of_transformers_agree(tokenizer):
    theirs = fast(DIRECTORY)(FIRST, SECOND, return_offsets_mapping=True)
    rows = [
        {"input_ids": ids, "offset_mapping": offsets}
        for ids, offsets in zip(theirs.input_ids, theirs.offset_mapping, strict=True)
    ]
    assert compare_tokens(tokenizer, FIRST, rows, SECOND).first is None


def test_arrays_are_rows(tokenizer):
    rows = map(np.asarray, tokenizer(TEXTS).input_ids)
    assert compare_tokens(tokenizer, TEXTS, rows).agreeing == len(TEXTS)


def test_no_texts(tokenizer):
    comparison = compare_tokens(tokenizer, [], [])
    assert (comparison.agreeing, str(comparison)) == (0, "0 of 0 texts are tokenized the same")
    assert comparison.to_json()["verdict"] == "nothing"


# The steps apart are the tokenizer


@settings(max_examples=60)
@given(
    st.lists(texts, min_size=1, max_size=2),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 4, 7]),
    st.sampled_from(["right", "left"]),
)
def test_the_steps_are_those_of_the_tokenizer(drawn, special, prefix, splits, most, side):
    tokenizer = ours(DIRECTORY)
    tokenizer.truncation_side = side
    strategy = "longest_first" if most else "do_not_truncate"
    call = Call(special, strategy, most, side, prefix, splits)
    row = call.encode(tokenizer, drawn)
    assert steps_of(tokenizer, call).row(drawn) == row.ids


@settings(max_examples=60)
@given(st.lists(texts, min_size=1, max_size=2), st.randoms(use_true_random=False))
def test_every_suspect_that_has_an_effect_is_found(drawn, choose):
    """Whatever is changed, that is among the explanations, or one with the same ids is."""
    tokenizer = ours(DIRECTORY)
    steps = steps_of(tokenizer, Call())
    row = steps.row(drawn)
    case = Case(steps, drawn, row, [*row, 5])
    suspects = [suspect for family in FAMILIES for suspect in family(case)]
    suspect = choose.choice(suspects)
    assert suspect.step in STEPS
    port = suspect.change(steps).row(drawn)
    known = set(tokenizer.get_vocab().values())
    if port == row or not known.issuperset(port):
        return
    pairs = drawn[1:] or None
    comparison = compare_tokens(tokenizer, drawn[:1], [port], pairs)
    assert comparison.first.explanations


# What is told of a text that parts


def test_a_report(tokenizer):
    ids = tokenizer(["plain", "a naïve day", "plain"]).input_ids
    other = tokenizer("a naive day").input_ids
    comparison = compare_tokens(
        tokenizer, ["plain", "a naïve day", "plain"], [ids[0], other, ids[2]]
    )
    first = comparison.first
    assert (comparison.agreeing, first.number, first.texts) == (2, 2, ("a naïve day",))
    assert first.piece._asdict() == {
        "text": " naïve", "kind": "letters", "start": 1, "end": 7, "of": "text",
    }  # fmt: skip
    assert ids[1][: first.place] == other[: first.place]
    assert ids[1][first.place] != other[first.place]
    assert [str(one) for one in first.explanations] == [
        "text: the port takes accents off the letters",
        "text: the port takes accents off the letters, and writes them in lower case",
    ]
    lines = str(comparison).splitlines()
    assert lines[0] == "2 of 3 texts are tokenized the same, 1 otherwise"
    assert lines[2] == "text 2: 'a naïve day', with U+00EF"
    assert "in ' naïve' (letters), characters 1 to 7, with U+00EF" in lines[3]
    assert sum(line.startswith("  >") for line in lines) == 1
    assert "&#x27; naïve&#x27;" in comparison._repr_html_()
    with pytest.raises(
        DepartureError, match=r"1 of 3 texts .* the first is text 2: text: the port"
    ):
        comparison.raise_for_difference()


def test_the_second_text_of_a_pair(tokenizer):
    port = tokenizer("a", "Hello THERE").input_ids
    first = compare_tokens(tokenizer, ["a"], [port], ["Hello there"]).first
    assert (first.piece.text, first.piece.of) == (" there", "text_pair")
    assert "of the second text" in str(first)
    assert json.dumps(first.to_dict())


def test_code_points_are_counted(tokenizer):
    """A character beyond U+FFFF is one, wherever UTF-16 has two."""
    text = "😀😀 Hello"
    first = compare_tokens(tokenizer, [text], [tokenizer(text.lower()).input_ids]).first
    assert (first.piece.start, first.piece.end) == (2, 8)


def test_the_first_step_of_what_nothing_explains(tokenizer):
    def step(text, port):
        return compare_tokens(tokenizer, [text], [port]).first.step

    assert step("Hello world", [0, 0, *tokenizer("Hello world").input_ids[1:]]) == "special tokens"
    backwards = step("Hello world", tokenizer("dlrow olleH").input_ids)
    assert backwards.startswith("text, or bytes: the port's tokens spell 'dlrow olleH'")
    assert step("Hello", tokenizer(" Hello").input_ids) == "prefix space"
    bytes_of = tokenizer.convert_tokens_to_ids(list("Hello"))
    assert step("Hello", [0, *bytes_of, 2]).startswith("merges, or pieces")


def test_a_token_across_a_border_is_one_of_other_pieces():
    vocab = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "!": 5, "a!": 6, "b": 7}
    tokenizer = RobertaTokenizer.from_vocab(vocab, [("a", "!")])
    first = compare_tokens(tokenizer, ["a!b!"], [[0, 6, 7, 5, 2]]).first
    assert first.step == "pieces: 'a!' reaches from one piece into the next"
    assert any("one piece of the text" in str(one) for one in first.explanations)


def test_rows_that_go_on(tokenizer):
    row = tokenizer("Hello world").input_ids
    first = compare_tokens(tokenizer, ["Hello world"], [row[:3]]).first
    assert first.place == 3
    assert "where this row goes on" in str(first)
    first = compare_tokens(tokenizer, ["Hello world"], [[*row, 9]]).first
    assert "where the port's row goes on" in str(first)


def test_a_mistake_that_would_change_texts_that_agree_is_less_likely(tokenizer):
    texts = ["Hello world hello", "plain ½"]
    ids = [tokenizer.encode(texts[0].lower()), tokenizer.encode(texts[1])]
    comparison = compare_tokens(tokenizer, texts, ids)
    assert {one.would_change for one in comparison.explanations} == {0}
    texts += ["É", "A", "a B <mask>"]
    ids += tokenizer(texts[2:]).input_ids
    comparison = compare_tokens(tokenizer, texts, ids)
    assert {one.would_change for one in comparison.explanations} == {3}
    assert "(it would change 3 of 4 texts that agree)" in str(comparison)


def test_names_of_the_port_are_shown(tokenizer):
    row = {"ids": [0, 5, 2], "tokens": ["<s>", "five", "</s>"]}
    assert "five" in str(compare_tokens(tokenizer, ["x"], [row]))


def test_a_tokenizer_of_other_parts_is_compared_and_not_explained():
    tokenizer = RobertaTokenizer.from_pretrained(
        DIRECTORY, parts={"normalizer": [{"type": "Lowercase"}]}
    )
    comparison = compare_tokens(
        tokenizer, ["Hello", "low"], ours(DIRECTORY)(["Hello", "low"]).input_ids
    )
    assert (comparison.agreeing, comparison.explanations) == (1, [])
    assert "this tokenizer.json has others" in str(comparison)
    assert comparison.first.piece is None


def test_many_texts_take_little_time(tokenizer):
    """Where nothing explains any of them, they are not all searched, one by one."""
    draw = random.Random(0)
    many = [" ".join(draw.choices(TEXTS, k=2)) for _ in range(500)]
    theirs = tokenizer([text[::-1] for text in many]).input_ids
    begin = time.process_time()
    comparison = compare_tokens(tokenizer, many, theirs)
    assert "no mistake that is known here gives the port's row" in str(comparison)
    assert time.process_time() - begin < 20


# Offsets


def units(text, unit):
    return len(text.encode("utf-16-le")) // 2 if unit == "utf-16" else len(text.encode())


@pytest.mark.parametrize(
    ("unit", "says"),
    [("utf-16", "in 16-bit units of UTF-16"), ("utf-8", "in bytes of UTF-8")],
)
def test_offsets_in_other_units(tokenizer, unit, says):
    text = "😀 naïve <mask> day"
    row = tokenizer(text, return_offsets_mapping=True)
    offsets = [
        [units(text[:start], unit), units(text[:end], unit)] for start, end in row.offset_mapping
    ]
    port = [{"input_ids": row.input_ids, "offsets": offsets}]
    comparison = compare_tokens(tokenizer, [text], port)
    assert says in comparison.first.offsets[0]
    assert (comparison.first.place, comparison.first.step) == (None, "offsets")
    assert "the ids agree, but not the offsets" in str(comparison)
    assert comparison.to_json()["departing"][0]["place"] is None


def test_offsets_with_white_space_and_other_ends(tokenizer):
    text = "a  day here"
    row = tokenizer(text, return_offsets_mapping=True)
    whole = RobertaTokenizer.from_pretrained(DIRECTORY, trim_offsets=False)
    spans = whole(text, return_offsets_mapping=True).offset_mapping
    for offsets, says in (
        (spans, "with the white space of a token"),
        ([(a, b - 1) if b else (a, b) for a, b in row.offset_mapping], "including the end"),
        ([(a, b - a) for a, b in row.offset_mapping], "a start and a length"),
    ):
        port = [{"input_ids": row.input_ids, "offsets": offsets}]
        assert says in compare_tokens(tokenizer, [text], port).first.offsets[0]
    odd = [{"input_ids": row.input_ids, "offsets": [(7, 9)] * len(row.input_ids)}]
    first = compare_tokens(tokenizer, [text], odd).first
    assert first.offsets == ()
    assert "first wrong: offsets" in str(first)


# JSON


def test_json(tokenizer):
    ids = tokenizer([text.lower() for text in TEXTS]).input_ids
    comparison = compare_tokens(tokenizer, TEXTS, ids)
    told = json.loads(json.dumps(comparison.to_json(all_texts=True)))
    assert (told["version"], told["verdict"], told["texts"]) == (1, "part", len(TEXTS))
    assert len(told["departing"]) == told["texts"] - told["agreeing"] > 1
    assert told["explanations"][0]["mistakes"] == [
        {"step": "text", "says": "writes the text in lower case"}
    ]
    assert told["explanations"][0]["explains"] == len(told["departing"])
    first = told["departing"][0]
    assert (first["text"], first["ids"]) == (TEXTS[0], tokenizer(TEXTS[0]).input_ids)
    assert len(comparison.to_json()["departing"]) == 1
    assert set(first) == {
        *("number", "text", "place", "piece", "step", "ids", "tokens", "port_ids", "port_tokens"),
        "explanations",
    }


# What cannot be compared


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[0, 2], [0, 2]], "there are 1 texts, but 2 rows of ids"),
        (
            [[0, 8192, 2]],
            "row 1 has the id 8192, which is that of no token: the vocabulary has 8,192",
        ),
        ([[0, -1]], r"row 1 is \[0, -1\], but must be the list of the ids of one text"),
        ([[0, 1.5]], "row 1 is .* but must be the list of the ids"),
        ([[[0, 2]]], "row 1 is .* but must be the list of the ids"),
        (["0 2"], "row 1 is '0 2'"),
        ([{"tokens": ["a"]}], r"row 1 has no 'input_ids', but only \['tokens'\]"),
        ([{"ids": [0, 2], "tokens": ["<s>"]}], "row 1 has 1 tokens, but 2 ids"),
        ([{"ids": [0, 2], "tokens": "ab"}], "row 1: tokens is 'ab', but must be a list of strings"),
        ([{"ids": [0], "offsets": [[0, 1, 2]]}], "row 1: offsets is .* a list of pairs"),
        ([{"ids": [0], "offsets": [[0, 1], [1, 2]]}], "row 1 has 2 offsets, but 1 ids"),
        ([{"ids": [0], "text": "b"}], "row 1 is of the text 'b', but the text with that number"),
        ([{"ids": [0], "text": 3}], "row 1: text is 3, but must be a string"),
    ],
)
def test_rows_that_are_none(tokenizer, rows, says):
    with pytest.raises(ValueError, match=says):
        compare_tokens(tokenizer, ["a"], rows)


def test_why_there_may_be_other_rows(tokenizer):
    for given_texts, count, says in (
        (["a\x85b", "c"], 3, "it seems to take U+0085 for the end of a line"),
        (["a", "", "b"], 2, "it seems to leave blank lines out"),
        (["a", "b"], 3, "one row more"),
    ):
        with pytest.raises(ValueError, match="rows of ids") as error:
            compare_tokens(tokenizer, given_texts, [[0, 2]] * count)
        assert says in str(error.value)


def test_ids_beyond_the_vocabulary_that_are_all_higher(tokenizer):
    row = [index + 8000 for index in tokenizer("Hello world").input_ids]
    with pytest.raises(ValueError, match="each id of this row is 8000 more than here"):
        compare_tokens(tokenizer, ["Hello world"], [row])


def test_what_is_no_text_or_tokenizer(tokenizer):
    with pytest.raises(TypeError, match="texts is one string"):
        compare_tokens(tokenizer, "abc", [[0]])
    with pytest.raises(TypeError, match=r"texts\[1\] is of type int"):
        compare_tokens(tokenizer, ["a", 5], [[0], [0]])
    with pytest.raises(TypeError, match="it must be a RobertaTokenizer"):
        compare_tokens(fast(DIRECTORY), ["a"], [[0]])
    with pytest.raises(ValueError, match="there are 1 texts, but 2 second texts"):
        compare_tokens(tokenizer, ["a"], [[0]], ["b", "c"])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"[0, 2", "ids.jsonl, line 2 is no JSON: Expecting ',' delimiter in column 6 of '"),
        (b"", "ids.jsonl, line 2 is no JSON"),
        (b"\xff", "ids.jsonl, line 2 is not UTF-8: byte 1"),
        (b"[" * 100_000, "ids.jsonl, line 2 has a number that is too long, or lists nested"),
        (b"[" + b"9" * 5000 + b"]", "ids.jsonl, line 2 has a number that is too long"),
        (b"null", "ids.jsonl, line 2 is None, but must be the list of the ids"),
        (b"[0, NaN]", "ids.jsonl, line 2 is .*nan.* but must be the list"),
        (b'{"input_ids": [0, true]}', "ids.jsonl, line 2: input_ids is"),
    ],
)
def test_lines_that_are_none(tmp_path, line, says):
    (tmp_path / "ids.jsonl").write_bytes(b"[0, 2]\n" + line + b"\n")
    with pytest.raises(ValueError, match=says):
        read_port_rows(tmp_path / "ids.jsonl")


def test_rows_of_all_texts_at_once(tokenizer, tmp_path):
    texts = ["The sky", "is blue.", ""]
    whole = tokenizer(texts, return_offsets_mapping=True)
    whole["ids_of"] = ["a", "b", "c"]  # means nothing
    assert str(compare_tokens(tokenizer, texts, whole)) == "3 of 3 texts are tokenized the same"
    path = tmp_path / "ids.json"
    for value in (dict(whole), whole["input_ids"]):
        path.write_text(json.dumps(value))
        assert [row.ids for row in read_port_rows(path)] == whole["input_ids"]
    path.write_text("[0, 2]\n[[0], [2]]\n")
    assert [row.ids for row in read_port_rows(path)] == [[0, 2], [0], [2]]
    arrays = tokenizer(["a b", "c d"], return_tensors="np")
    assert len(rows_in(arrays)) == 2


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        read_port_rows(tmp_path / "none")
    with pytest.raises(IsADirectoryError, match="give a file of JSON lines"):
        read_port_rows(tmp_path)
    with pytest.raises(OSError, match="is a device"):
        read_port_rows("/dev/zero")


@settings(max_examples=40)
@given(texts, st.booleans(), st.booleans())
def test_pieces_are_those_that_explain_shows(text, prefix, splits):
    tokenizer = ours(DIRECTORY)
    steps = steps_of(tokenizer, Call(add_prefix_space=prefix, split_special_tokens=splits))
    explained = tokenizer.explain(text, prefix, splits).pieces
    assert list(steps.pieces(text)) == [
        (piece.text, *piece.offsets, piece.kind == "added token") for piece in explained
    ]
    for piece in explained:
        if piece.kind != "added token":
            alone = tokenizer.explain(piece.text, False, True).pieces
            assert alone[0].kind == piece.kind
