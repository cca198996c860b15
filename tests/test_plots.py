"""Pictures: what is drawn, read back from matplotlib, is what was given."""

import sys
import warnings

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from minirobert import RobertaTokenizer, plots
from minirobert.plots.canvas import readable
from tests.libraries import STRICT, host
from tests.processes import fresh_python

rng = np.random.default_rng(0)
#: A space, the bytes of a letter, of a part of one, of one that the font lacks, what is no
#: mathematics, and a new line.
TOKENS = ["<s>", "Ġsky", "Ã¶", "Ġä½", "ä¸Ń", r"$\frac$", "Ċ"]
SHOWN = ["<s>", "␣sky", "ö", "␣ä½", r"\u4e2d", r"$\frac$", r"\n"]


def drawn(shape):
    values = rng.random(shape)
    return values / values.sum(axis=-1, keepdims=True)


def image(ax):
    (picture,) = ax.images
    return np.ma.filled(picture.get_array(), np.nan)


def texts(axis):
    return [label.get_text() for label in axis.get_ticklabels()]


def test_one_head():
    weights = drawn((7, 3))
    ax = plots.attention(STRICT.array(weights), TOKENS, ["a", "b", "Ġc"])
    np.testing.assert_array_equal(image(ax), weights)
    assert (texts(ax.yaxis), texts(ax.xaxis)) == (SHOWN, ["a", "b", "␣c"])
    square = plots.attention(drawn((7, 7)), TOKENS)
    assert texts(square.xaxis) == SHOWN
    assert texts(plots.attention(weights).xaxis) == ["0", "1", "2"]


def test_all_heads_at_a_glance():
    layers = [drawn((n_heads, 4, 5)) for n_heads in (2, 3)]  # one was pruned
    ax = plots.attention_grid([torch.tensor(layer) for layer in layers])
    found = image(ax)
    assert found.shape == (2 * 5 - 1, 3 * 6 - 1)
    assert np.isfinite(found).sum() == (2 + 3) * 4 * 5
    for i, row in zip((0, 1), ax.get_yticks(), strict=True):
        for head, column in zip(layers[i], ax.get_xticks(), strict=False):
            top, left = int(row - 1.5), int(column - 2)
            np.testing.assert_array_equal(found[top : top + 4, left : left + 5], head)


def test_the_lens():
    logits, words = rng.normal(size=(3, 7, 11)), [f" {chr(97 + i)}" for i in range(11)]
    ax = plots.logit_lens(torch.tensor(logits), words.__getitem__, TOKENS)
    expected = torch.tensor(logits).softmax(-1).max(-1)
    np.testing.assert_allclose(image(ax), host(expected.values), rtol=1e-12)
    found = {text.get_position(): text.get_text() for text in ax.texts}
    assert found == {
        (s, i): words[expected.indices[i, s]].replace(" ", "␣") for i in range(3) for s in range(7)
    }
    assert texts(ax.yaxis) == ["embeddings", "layer 0", "layer 1"]
    assert texts(ax.xaxis) == SHOWN
    assert not ax.yaxis_inverted()


def test_patching():
    moved = rng.normal(size=(2, 7))
    ax = plots.patching(moved, ["roberta.embeddings", "roberta.encoder.layer.0.output"], TOKENS)
    np.testing.assert_array_equal(image(ax), moved)
    assert texts(ax.yaxis) == ["embeddings", "layer.0.output"]
    assert ax.images[0].get_clim() == (-np.abs(moved).max(), np.abs(moved).max())
    plots.patching(np.zeros((2, 7)))  # where nothing moves


def test_probabilities():
    values = drawn(7)
    ax = plots.probabilities(values, TOKENS)
    np.testing.assert_array_equal([bar.get_width() for bar in ax.patches], values)
    assert texts(ax.yaxis) == SHOWN
    assert ax.yaxis_inverted()
    assert [float(text.get_text()) for text in ax.texts] == [round(one, 3) for one in values]


def test_rows_of_a_table():
    table = rng.normal(size=(9, 4)).astype("float32")
    table[1] = 0
    found = image(plots.position_similarity(table))
    others = np.delete(np.delete(found, 1, 0), 1, 1)
    cosine = torch.nn.functional.cosine_similarity
    rows = torch.tensor(np.delete(table, 1, 0)).double()
    np.testing.assert_allclose(others, cosine(rows[:, None], rows[None], dim=-1), atol=1e-12)
    assert np.isnan(found[1]).all()
    assert np.isnan(found[:, 1]).all()
    ax = plots.row_norms(table)
    norms, zeros = (line.get_xydata() for line in ax.lines)
    np.testing.assert_allclose(norms[:, 1], torch.tensor(table).double().norm(dim=1))
    np.testing.assert_array_equal(zeros, [[1, 0]])
    assert ax.get_legend().get_texts()[0].get_text() == "all zeros: row 1"
    assert plots.row_norms(table[2:]).get_legend() is None


def test_what_is_given_is_drawn_on():
    ax, other = Figure().subplots(2)
    assert plots.attention(drawn((7, 7)), TOKENS, ax=ax) is ax
    assert plots.logit_lens(np.ones((2, 7, 1)), lambda _: r"$\frac$", ax=other) is other
    with warnings.catch_warnings(action="error"):  # of letters that the font lacks
        ax.figure.draw_without_rendering()


def test_many_tokens_are_labelled_now_and_then():
    ax = plots.attention(drawn((130, 130)), [f"t{i}" for i in range(130)])
    assert texts(ax.yaxis)[:2] == ["t0", "t3"]
    np.testing.assert_array_equal(ax.get_yticks(), range(0, 130, 3))


def test_every_token_can_be_read():
    for token in RobertaTokenizer.from_pretrained().get_vocab():
        (label,) = plots.canvas.labels("tokens", [token], 1)
        assert label.isprintable()
        assert "Ġ" not in label
        assert label.strip() == label != ""
    assert readable("x" * 99, most=9) == "xxxx…xxxx"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: plots.attention(np.ones((2, 3, 3))), r"\[2, 3, 3\].* be \[S, T\]: .*weights\[0\]"),
        (lambda: plots.attention(np.ones((0, 3))), r"weights has shape \[0, 3\], but must be"),
        (lambda: plots.attention([[1, 2], [3]]), "weights is .* but must be an array of numbers"),
        (lambda: plots.attention(np.ones((7, 7)), TOKENS[:3]), "tokens is .* a list of 7 strings"),
        (lambda: plots.attention(np.ones((7, 2)), TOKENS, "ab"), "keys is 'ab'.* list of 2 str"),
        (lambda: plots.attention_grid([]), r"weights has layers with \[\] queries and keys"),
        (lambda: plots.attention_grid(np.ones((2, 3, 3))), "a layer of weights has shape"),
        (
            lambda: plots.attention_grid([np.ones((2, 3, 3)), np.ones((2, 4, 4))]),
            r"layers with \[\(3, 3\), \(4, 4\)\] queries and keys, but",
        ),
        (lambda: plots.logit_lens(np.ones((2, 1, 3, 4)), str), r"logits has .*\[L \+ 1, S, V\]"),
        (lambda: plots.patching(np.ones((2, 3)), ["a"]), "names is .* a list of 2 strings"),
        (lambda: plots.patching(np.ones((2, 3)), [1, 2]), r"names is \[1, 2\], but must be"),
        (lambda: plots.probabilities(np.ones(2), ["a"]), "words is .* a list of 2 strings"),
        (lambda: plots.position_similarity(np.ones(3)), r"table has shape \[3\], but must be"),
        (lambda: plots.row_norms(np.ones((2, 2, 2))), "table has shape"),
    ],
)
def test_what_cannot_be_drawn_is_told(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        wrong()


@pytest.mark.parametrize("module", ["figure", "font_manager", "colors"])
def test_without_matplotlib(monkeypatch, module):
    monkeypatch.setitem(sys.modules, f"matplotlib.{module}", None)
    with pytest.raises(ModuleNotFoundError, match="pip install matplotlib"):
        plots.attention(drawn((7, 7)), TOKENS)


def test_pyplot_is_left_alone():
    code = """
import sys
from minirobert import plots
print("matplotlib" in sys.modules)
plots.logit_lens([[[0, 1]]], str, ["a"])
print("matplotlib" in sys.modules, "matplotlib.pyplot" in sys.modules)
"""
    assert fresh_python(code).split() == ["False", "True", "False"]
