"""Pictures of texts and their tokens, and of errors: what is drawn is what was given."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from minirobert import RobertaTokenizer, pipeline, plots
from minirobert.plots.canvas import readable
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR, PRINTABLE
from tests.libraries import STRICT
from tests.test_plots import SHOWN, TOKENS, texts

rng = np.random.default_rng(0)
tokenizer = RobertaTokenizer.from_pretrained()
TEXTS = ["Grass is green.", "a\x00b $x$ <script>\n\nשלום مرحبا 😀 中文", " ", "x" * 300]


def written(ax):
    """Give what stands in the picture, in its order."""
    return [text.get_text() for text in ax.texts]


def boxes(ax):
    return [patch.get_bbox().bounds for patch in ax.patches]


# Tokens


@pytest.mark.parametrize("text", TEXTS)
def test_an_encoding_is_drawn_whole(text):
    encoding = tokenizer(text, truncation=True)
    ax = plots.tokens(encoding)
    expected = plots.canvas.labels("tokens", encoding.tokens(), len(encoding.input_ids), most=40)
    assert written(ax)[::2] == expected
    assert written(ax)[1::2] == list(map(str, encoding.input_ids))
    assert all(one.isprintable() for one in written(ax))
    ax.figure.draw_without_rendering()


def test_boxes_hold_their_texts_and_do_not_overlap():
    ax = plots.tokens(tokenizer(" ".join(TEXTS)))
    ax.figure.draw_without_rendering()
    bounds = [patch.get_window_extent() for patch in ax.patches]
    inside = [text.get_window_extent() for text in ax.texts[::2]]
    for box, text in zip(bounds, inside, strict=True):
        assert box.x0 <= text.x0
        assert text.x1 <= box.x1
    places = boxes(ax)
    for (left, top, width, _), (after, below, *_) in pairwise(places):
        assert after > left + width if below == top else (after == 0 and below > top)
    assert len({top for _, top, _, _ in places}) > 3
    width = ax.get_xlim()[1]
    assert all(left + width_of <= width for left, _, width_of, _ in places)


def test_a_line_ends_with_a_line_feed():
    ax = plots.tokens(["a", "Ċ", "b", "c"])
    tops = [top for _, top, _, _ in boxes(ax)]
    assert tops[0] == tops[1] < tops[2] == tops[3]


def test_special_tokens_and_padding_are_grey():
    encoding = tokenizer("Hi <mask>", padding="max_length", max_length=7)
    ax = plots.tokens(encoding[0])
    colours = [to_hex(patch.get_facecolor()) for patch in ax.patches]
    frame, padding = colours[0], colours[-1]
    tokens = encoding.tokens()
    assert frame != padding
    for token, colour in zip(tokens, colours, strict=True):
        assert (colour == frame) == (token in ("<s>", "</s>"))
        assert (colour == padding) == (token == "<pad>")
    listed = plots.tokens(tokens)
    assert frame not in [to_hex(patch.get_facecolor()) for patch in listed.patches]
    assert len(written(listed)) == len(tokens)


@pytest.mark.parametrize("array", [STRICT.array, torch.tensor, list])
@pytest.mark.parametrize(("factor", "colours"), [(1, "RdBu_r"), (0, "Blues"), (-1, "Oranges_r")])
def test_values_are_colours(array, factor, colours):
    values = rng.normal(size=7)
    values = values if factor == 1 else np.abs(values) * (factor or 1)
    ax = plots.tokens(TOKENS, array(values), label="how", ids=range(7))
    (bar,) = (other for other in ax.figure.axes if other is not ax)
    assert bar.get_ylabel() == "how"
    most = np.abs(values).max()
    low, high = {1: (-most, most), 0: (0, most), -1: (-most, 0)}[factor]
    assert bar.get_ylim() == (low, high)
    scale = (values - low) / (high - low)
    expected = colormaps[colours](scale)
    np.testing.assert_allclose([one.get_facecolor() for one in ax.patches], expected)
    assert written(ax)[::2] == SHOWN
    assert written(ax)[1::2] == list("0123456")


def test_letters_can_be_read_on_their_colours():
    ax = plots.tokens(["a", "b"], [0.0, 1.0])
    assert [text.get_color() for text in ax.texts] == ["black", "white"]


def test_what_is_not_finite_is_grey():
    ax = plots.tokens(TOKENS, [math.nan, -math.inf, 0, 0, 0, math.inf, 1])
    grey = [to_hex(one.get_facecolor()) == "#dddddd" for one in ax.patches]
    assert grey == [True, True, False, False, False, True, False]
    plots.tokens(["a"], [math.nan])


def test_tokens_on_axes_that_are_given():
    figure = Figure(figsize=(4, 4))
    ax = figure.add_subplot()
    assert plots.tokens(tokenizer("The quick brown fox jumps over it"), ax=ax) is ax
    assert ax.get_xlim()[1] == pytest.approx(4 * 72 * 0.775)
    bottom, top = ax.get_ylim()
    assert (bottom, top) == (pytest.approx(4 * 72 * 0.77), 0)
    figure.draw_without_rendering()


# Merges and bytes


@pytest.mark.parametrize("text", [" understanding", "understanding", "😀", "$x$", "<mask>", "\x00"])
def test_merges_are_a_tree(text):
    (piece, *_) = tokenizer.explain(text).pieces
    ax = plots.merge_tree(piece)
    assert texts(ax.xaxis) == [readable(symbol) for symbol in piece.symbols]
    pairs = [f"{one.rank}: {readable(one.left)} + {readable(one.right)}" for one in piece.merges]
    assert texts(ax.yaxis) == pairs
    assert written(ax) == [readable(token.token) for token in piece.tokens]
    assert ax.get_title().startswith(readable(piece.text))
    # a branch stands over the middle of all leaves that it joins
    leaves = [[float(at)] * 2 for at in range(len(piece.symbols))]
    for merge, line, height in zip(piece.merges, ax.lines, range(1, 99), strict=False):
        (left, right) = leaves[merge.position : merge.position + 2]
        xs, ys = line.get_data()
        assert (xs[0], xs[-1]) == (sum(left) / 2, sum(right) / 2)
        assert list(ys[1:3]) == [height] * 2
        leaves[merge.position : merge.position + 2] = [[xs[0], xs[-1]]]
    assert len(ax.lines) == len(piece.merges)
    np.testing.assert_allclose([text.get_position()[0] for text in ax.texts], np.mean(leaves, 1))
    ax.figure.draw_without_rendering()


def test_a_long_piece_has_a_tree():
    explanation = tokenizer.explain("understand" * 40)
    ax = plots.merge_tree(explanation)
    assert len(ax.lines) == len(explanation.pieces[0].merges)
    assert 50 < len(texts(ax.xaxis)) <= 64
    marked = dict(zip(ax.get_yticks(), texts(ax.yaxis), strict=True))
    for height, label in marked.items():
        assert label.startswith(f"{explanation.pieces[0].merges[int(height) - 1].rank}: ")


def test_all_bytes_have_a_place():
    ax = plots.byte_table()
    found = {text.get_position(): text.get_text() for text in ax.texts}
    assert found == {(byte % 16, byte // 16): BYTE_TO_CHAR[byte] for byte in range(256)}
    (image,) = ax.images
    assert {i for i in range(256) if not image.get_array()[i // 16, i % 16]} == PRINTABLE
    assert texts(ax.xaxis) == list("0123456789abcdef")
    assert texts(ax.yaxis)[2] == "20"


# Log-likelihoods


@pytest.mark.parametrize("text", TEXTS[:2])
def test_what_the_pipeline_scores_is_drawn(text):
    scored = pipeline("score")(text)
    ax = plots.log_likelihoods(scored)
    values = [token["log_probability"] for token in scored["tokens"]]
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], values)
    assert texts(ax.xaxis) == [readable(token["token_str"]) for token in scored["tokens"]]
    assert f"perplexity {scored['perplexity']:.4g}, of {len(values)} tokens" == ax.get_title()


@pytest.mark.parametrize("array", [STRICT.array, torch.tensor, list])
def test_log_likelihoods_of_tokens(array):
    values = -rng.random(7)
    values[3] = np.nan
    ax = plots.log_likelihoods(TOKENS, array(values))
    np.testing.assert_array_equal([bar.get_height() for bar in ax.patches], values)
    assert texts(ax.xaxis) == SHOWN
    assert ax.get_title() == f"perplexity {np.exp(-np.nanmean(values)):.4g}, of 6 tokens"
    assert "of 1 token" in plots.log_likelihoods(["a"], [-1.0]).get_title()


def test_a_probability_of_0_is_below_all_others():
    ax = plots.log_likelihoods(["a", "b"], [-20.0, -np.inf])
    heights = [bar.get_height() for bar in ax.patches]
    assert heights[1] < heights[0] == -20
    assert ax.get_title() == "perplexity inf, of 2 tokens"
    assert written(ax) == ["-∞"]
    ax.figure.draw_without_rendering()


# Errors

NAMES = ["input_ids", "roberta.embeddings.sum", "roberta.encoder.layer.0.scores", "lm_head.logits"]


def points(ax):
    """Give the height of each point by its place, and its kind."""
    return {
        float(x): (float(y), one.get_label())
        for one in ax.collections
        for x, y in one.get_offsets()
    }


def test_errors_by_depth():
    errors, bounds = [1e-6, 2e-5, 0.1, 3.0], [1e-5, 1e-5, 0.2, 1.0]
    ax = plots.error_by_depth(
        NAMES, STRICT.array(errors), torch.tensor(bounds, dtype=torch.float64)
    )
    kinds = ["others", "sums", "scores", "products"]
    assert points(ax) == dict(enumerate(zip(errors, kinds, strict=True)))
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), bounds)
    assert texts(ax.xaxis) == ["inputs", "embeddings", "layer 0", "lm_head"]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*sorted(kinds), "bound"]


def test_errors_without_a_place_on_the_scale():
    ax = plots.error_by_depth(NAMES, [0, math.nan, math.inf, 1], [1e-3, 1, 2, 0])
    heights = [height for _, (height, _) in sorted(points(ax).items())]
    assert heights == [1e-6, 1e9, 2e9, 1]
    assert np.isnan(ax.lines[0].get_ydata()[3])
    ax.figure.draw_without_rendering()
    assert plots.error_by_depth([], []).collections[:] == []
    np.testing.assert_array_equal(
        plots.error_by_depth(NAMES, [1] * 4, 0.5).lines[0].get_ydata(), 0.5
    )


# Sentences

TWO = tokenizer(["a", "b"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: plots.tokens("The sky"), r"tokens is 'The sky', but must be .*: give tokenizer"),
        (lambda: plots.tokens([]), "there are 0 tokens, but a picture shows 1 to 2,000"),
        (lambda: plots.tokens(["a"] * 2001), r"there are 2,001 tokens.*tokens\[:100\]"),
        (lambda: plots.tokens([1, 2]), r"tokens is \[1, 2\], but must be a list of 2 strings"),
        (lambda: plots.tokens(7), "tokens is 7, but must be a list of tokens or an encoding"),
        (lambda: plots.tokens(TWO), r"the encoding has 2 rows, .* take encoding\[0\]"),
        (lambda: plots.tokens(["a"], [1, 2]), "values has 2 numbers, but there are 1 tokens"),
        (lambda: plots.tokens(["a"], ids=[[1]]), r"ids has shape \[1, 1\], but must be \[S\]"),
        (lambda: plots.tokens(["a"], "b"), "values is 'b', but must be an array of numbers"),
        (
            lambda: plots.merge_tree(tokenizer.explain("two words")),
            r"has 2 pieces, but a tree is of one: take explanation.pieces\[0\]",
        ),
        (lambda: plots.merge_tree(tokenizer.explain("")), "the explanation has 0 pieces"),
        (lambda: plots.merge_tree(" sky"), r"piece is ' sky', but .*explain\(text\)\.pieces"),
        (lambda: plots.log_likelihoods(["a"], [0.5]), r"values has 0\.5, .* np\.log\(probab"),
        (lambda: plots.log_likelihoods(["a"], [np.nan]), "values has no number, but at least one"),
        (lambda: plots.log_likelihoods(["a"], [-1, -2]), "tokens is .* a list of 2 strings"),
        (lambda: plots.log_likelihoods(["a"]), "values is None, but tokens need numbers"),
        (lambda: plots.log_likelihoods({"tokens": []}), "tokens is .* what the pipeline 'score'"),
        (lambda: plots.error_by_depth(["a"], [1, 2]), "1 names, 2 errors and 1 bounds"),
        (lambda: plots.error_by_depth(["a"], [1], [-1]), "must be at least 0"),
        (lambda: plots.error_by_depth(["a"], [-1]), r"at least 0: give np\.abs\(errors\)"),
        (lambda: plots.error_by_depth(["a"], [1], [math.nan]), "must be at least 0"),
        (lambda: plots.error_by_depth("ab", [1, 2]), "names is 'ab', but must be a list"),
    ],
)
def test_what_cannot_be_drawn_is_told(wrong, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        wrong()
