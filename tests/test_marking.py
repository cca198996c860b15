"""Marked texts: in a notebook and on a terminal it is the text that is shown, and nothing else."""

import io
import pickle
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minirobert
from minirobert import marked, pipeline
from minirobert.marking import Mark, Marked, MarkedText
from minirobert.marking.marks import AROUND, LONG, parts
from minirobert.marking.terminal import has_colours, painted, visible
from tests.marked_pages import harmless

ANNA = "Anna lives in Rome, not in <b>.\nשלום 😀 \x1b[31m\x00\u202e end"
ENTITIES = [
    {"entity_group": "PER", "score": 0.99871, "word": "Anna", "start": 0, "end": 4},
    {"entity_group": "LOC", "score": 0.9, "word": " Rome", "start": 14, "end": 18},
    {"entity_group": "<i>", "score": 0.5, "word": " <b>", "start": 27, "end": 30},
]
SKY = "The color of the sky is <mask>."


@pytest.fixture(autouse=True)
def _no_colours(monkeypatch):
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)


def escaped(text):
    """Escape what is no text, as a notebook shows it: spaces of all kinds are text."""
    return "".join(c if _is_text(c) else repr(c)[1:-1] for c in text)


def _is_text(c):
    return c.isprintable() or c in "\n\t\u200c\u200d" or unicodedata.category(c) == "Zs"


def unpainted(text):
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@st.composite
def marked_texts(draw):
    text = draw(st.text(max_size=40) | st.just(ANNA))
    place = st.integers(0, len(text))
    spans = draw(st.lists(st.tuples(place, place).map(sorted), max_size=6))
    return MarkedText(text, [Mark(*span, f"<{i}>", "&", i) for i, span in enumerate(spans)])


@given(marked_texts())
def test_all_of_a_text_is_shown(one):
    page = harmless(Marked([one])._repr_html_())
    assert page.text == escaped(one.text)
    label = r"\x1b\[30;[\d;]*m <\d>\x1b\[0m"
    on_terminal = re.sub(label, "", painted(one.before, parts(one)))
    assert unpainted(on_terminal) == visible(one.text)
    assert all(c.isprintable() or c == "\n" for c in unpainted(on_terminal))


@given(marked_texts())
def test_each_character_has_the_first_mark_that_covers_it(one):
    at = 0
    for text, mark, ends, left_out in parts(one):
        assert one.text[at : at + len(text)] == text
        assert not left_out
        for place in range(at, at + len(text)):
            covering = [other for other in one.marks if other.start <= place < other.end]
            assert mark is (covering[0] if covering else None)
        at += len(text)
        assert ends == (mark is not None and at == mark.end)
    assert at == len(one.text)


@pytest.mark.parametrize("place", [0, 5000, 9990])
def test_of_a_long_text_what_is_near_the_marks_is_shown(place):
    text = "".join(chr(97 + i % 26) for i in range(10_000))
    one = MarkedText(text, [Mark(place, place + 10)])
    found = [*parts(one)]
    shown = sum(len(part.text) for part in found)
    assert shown + sum(part.left_out for part in found) == 10_000
    assert text[max(place - AROUND, 0) : place + 10 + AROUND] in "".join(p.text for p in found)
    assert shown <= 10 + 2 * AROUND
    page = harmless(Marked([one])._repr_html_())
    assert (
        f"{found[0].left_out or found[-1].left_out or found[-2].left_out:,} characters"
        in " ".join(page.asides)
    )
    assert next(part.text for part in parts(MarkedText(text))) == text[:LONG]
    whole = MarkedText(text[:LONG], [])
    assert [part.text for part in parts(whole)] == [text[:LONG]]


# Results


def test_entities():
    found = marked(ENTITIES, ANNA)
    page = harmless(found._repr_html_())
    assert page.text == escaped(ANNA)
    assert page.asides == ["PER", "LOC", "<i>"]
    assert page.titles == ["PER, 0.9987", "LOC, 0.9000", "<i>, 0.5000"]
    colours = [style["style"].split(";")[0] for tag, style in page.tags if tag == "mark"]
    assert len(set(colours)) == 3
    assert str(found).startswith(
        "[Anna PER] lives in [Rome LOC], not in [<b> <i>].\nשלום 😀 \\x1b[31m"
    )
    again = [{**one, "entity": f"{tag}-PER"} for one, tag in zip(ENTITIES, "BIB", strict=True)]
    again = [{k: v for k, v in one.items() if k != "entity_group"} for one in again]
    page = harmless(marked(again, ANNA)._repr_html_())
    assert len({style["style"] for tag, style in page.tags if tag == "mark"}) == 1
    assert str(marked([], "nothing")) == "nothing"


def test_answers():
    context = "Anna is in Rome."
    answer = {"score": 0.75, "start": 11, "end": 15, "answer": "Rome"}
    assert str(marked(answer, context)) == "Anna is in [Rome 0.7500]."
    longer = {"score": 0.2, "start": 8, "end": 15, "answer": "in Rome"}
    assert str(marked([answer, longer], context)) == "Anna is [in ][Rome 0.7500]."
    nothing = {"score": 0.9, "start": 0, "end": 0, "answer": ""}
    assert str(marked(nothing, context)) == context


def test_fillings():
    found = pipeline("fill-mask")(SKY, top_k=3)
    lines = str(marked(found)).split("\n")
    for line, one in zip(lines, found, strict=True):
        assert line == f"{one['score']:.4f}  The color of the sky is[{one['token_str']}]."
    page = harmless(marked(found)._repr_html_())
    assert page.text == "".join(one["sequence"] for one in found)


def test_a_word_that_is_there_twice_is_marked_behind_what_leads_to_the_mask():
    text = "The sky is blue, the sea is <mask>."
    one = [{"score": 0.5, "token_str": " blue", "sequence": text.replace(" <mask>", " blue")}]
    assert str(marked(one, text)).endswith("the sea is[ blue].")
    assert "[" not in str(marked(one))
    both = pipeline("fill-mask")("A <mask> is a <mask>.", targets=[" is"])
    (first,), (second,) = both
    lines = str(marked([[first], [second]], "A <mask> is a <mask>.")).split("\n")
    assert lines == [
        f"{first['score']:.4f}  <s>A[ is] is a<mask>.</s>",
        f"{second['score']:.4f}  <s>A<mask> is a[ is].</s>",
    ]


def test_scores():
    text = "Grass is loud."
    found = pipeline("score")(text)
    page = harmless(marked(found, text)._repr_html_())
    assert page.text == text
    values = [float(title.rpartition(" ")[2]) for title in page.titles]
    assert values == [round(token["log_probability"], 4) for token in found["tokens"]]
    strengths = [
        float(re.search(r",([\d.]+)\)", style["style"])[1])
        for tag, style in page.tags
        if tag == "mark"
    ]
    assert max(strengths) == strengths[values.index(min(values))]


def test_results_of_several_texts():
    several = marked([ENTITIES[:1], []], ["Anna", "Nobody"])
    assert str(several) == "[Anna PER]\nNobody"
    assert repr(several) == str(several)
    assert pickle.loads(pickle.dumps(several)) == several
    assert minirobert.marked is marked


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((ENTITIES,), "text is None, but the result does not have it: give the text"),
        ((ENTITIES, "Anna"), "of the characters 14 to 18, but the text has 4: give the text"),
        ((ENTITIES, ["Anna"]), "there are 1 texts, but the result is .*: give a list"),
        ((ENTITIES, 7), "text is 7, but must be a string, or a list of strings"),
        (([1], "a"), r"the result is \[1\], but must be of token-classification"),
        (("Anna", "a"), "the result is 'Anna', but must be of"),
        (({"label": "A", "score": 1.0}, "a"), "the result is {'label'.*, but must be of"),
        (([ENTITIES[0], {}], ANNA), "the result is .*, but must be of"),
        (([[{"token_str": "a"}]],), "the result is .*, but must be of"),
        ((None, "a"), "the result is None, but"),
    ],
)
def test_what_cannot_be_marked_is_told(arguments, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        marked(*arguments)


# Terminals


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("variables", "when", "expected"),
    [
        ({}, "auto", True),
        ({"TERM": "dumb"}, "auto", False),
        ({"TERM": "xterm"}, "auto", True),
        ({"NO_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": ""}, "auto", True),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, "auto", False),
        ({"NO_COLOR": "1"}, "always", True),
        ({"FORCE_COLOR": "1"}, "never", False),
    ],
)
def test_whether_a_terminal_has_colours(monkeypatch, variables, when, expected):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert has_colours(when, Terminal()) == expected


def test_what_is_no_terminal_has_no_colours_unless_forced(monkeypatch):
    assert not has_colours(stream=io.StringIO())
    closed = io.StringIO()
    closed.close()
    assert not has_colours(stream=closed)
    monkeypatch.setattr("sys.stdout", None)
    assert not has_colours()
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert has_colours(stream=io.StringIO())


def test_colours_end_with_each_line(monkeypatch):
    monkeypatch.setattr("sys.stdout", Terminal())
    shown = str(Marked([MarkedText("a\nb", [Mark(0, 3, "X")])]))
    assert unpainted(shown) == "a\nb X"
    for line in shown.split("\n"):
        assert line.startswith("\x1b[1;30;48;5;153m")
        assert line.endswith("\x1b[0m")
