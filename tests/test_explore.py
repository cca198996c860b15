"""The page to explore a model: what it shows in a browser is what the model computes."""

import json
import os
import re
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import (
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaTokenizer,
    logit_lens,
    patch,
)
from minirobert.functional import softmax
from minirobert.plots import explore_page
from minirobert.plots.explore.tokens import label
from tests.test_cli import assert_sentence

SKY, GRASS = (f"The color of the {word} is <mask>." for word in ("sky", "grass"))
#: Nothing of this may be executed; all of it must be seen.
WILD = (
    "שלום \"עולם\" 'q' 😀 café\r\n\x07\0 a\u202eb \u2028 &amp; <!-- <script>alert(1)</script>"
    "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 1'> <mask>"
)

tokenizer = RobertaTokenizer.from_pretrained()
model = RobertaForMaskedLM.from_pretrained()


def small(kind, seed=0, **fields):
    """Make a model without training, for the bundled tokenizer."""
    sizes = {"hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 32}
    sizes |= {"num_hidden_layers": 3, "initializer_range": 0.3, "vocab_size": 8192}
    return kind(RobertaConfig(**{**sizes, **fields}), seed=seed)


def broken():
    """Make a model with a weight that is no number."""
    found = small(RobertaForMaskedLM)
    found.params.lm_head.bias[5] = np.nan
    return found


SMALL = small(RobertaForMaskedLM, num_hidden_layers=1)


def data_of(page):
    return json.loads(re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1))


# In a browser


@pytest.fixture(scope="module")
def chromium():
    """Start a browser without a window."""
    program = next(filter(None, map(shutil.which, ("chromium", "google-chrome"))), None)
    driver = shutil.which("chromedriver")
    if not (program and driver):
        stop = pytest.fail if "CI" in os.environ else pytest.skip
        stop("there is no browser with its driver: apt-get install chromium chromium-driver")
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(driver)
    browser = webdriver.Chrome(options=options, service=service)
    yield browser
    browser.quit()


class Page:
    """A page in the browser, as its reader sees it."""

    def __init__(self, browser):
        self.browser = browser

    def open(self, path, width=1200, dark=False):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        self.command("Emulation.setDeviceMetricsOverride", **size)
        self.dark(dark)
        self.browser.get(path.as_uri())
        self.until("document.querySelector('.token.chosen') !== null")

    def command(self, name, **arguments):
        self.browser.execute_cdp_cmd(name, arguments)

    def dark(self, is_dark):
        value = "dark" if is_dark else "light"
        scheme = {"name": "prefers-color-scheme", "value": value}
        self.command("Emulation.setEmulatedMedia", features=[scheme])

    def ask(self, expression):
        return self.browser.execute_script(f"return {expression}")

    def until(self, condition):
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.browser, 20).until(lambda _: self.ask(condition))

    def find(self, selector):
        return self.browser.find_element("css selector", selector)

    def texts(self, selector):
        """Read the texts of elements, wherever they are scrolled to."""
        listed = f"[...document.querySelectorAll({json.dumps(selector)})]"
        return self.ask(f"{listed}.map((one) => one.textContent)")

    def text(self, selector):
        (text,) = self.texts(selector)
        return text

    def token(self, position):
        return self.find(f".token:nth-child({position + 1})")

    def point_at(self, element):
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).move_to_element(element).perform()

    def press(self, *names):
        from selenium.webdriver import ActionChains, Keys

        ActionChains(self.browser).send_keys(*(getattr(Keys, name) for name in names)).perform()

    def weights(self):
        return np.array(self.texts(".token .weight"), dtype=float)

    def list(self, selector):
        """Read a list of labels with numbers."""
        labels = self.texts(f"{selector} bdi")
        return list(zip(labels, map(float, self.texts(f"{selector} li > span")), strict=True))

    def said(self):
        return [entry["message"] for entry in self.browser.get_log("browser")]


@pytest.fixture
def page(chromium):
    chromium.get("about:blank")
    chromium.get_log("browser")
    page = Page(chromium)
    yield page
    assert page.said() == []


@pytest.fixture
def opened(page, tmp_path):
    """Open the page of a text."""

    def opened(text, against=None, model=model, **look):
        path = tmp_path / "page.html"
        path.write_text(explore_page(model, tokenizer, text, against), encoding="utf-8")
        page.open(path, **look)
        return page

    return opened


def labels_and_ids(text):
    ids = tokenizer(text, truncation=False, max_length=999).input_ids
    return [label(tokenizer, index) for index in ids], ids


def attentions(model, text):  # -> L times [N, S, S]
    batch = {"input_ids": [labels_and_ids(text)[1]]}
    encoder = getattr(model, "roberta", model)
    return [layer[0] for layer in encoder(**batch, output_attentions=True).attentions]


def assert_as_rounded(found, expected, decimals=4):
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.5001 * 10.0**-decimals)


def test_the_weights_of_the_token_that_is_pointed_at(opened):
    page, weights = opened(SKY), attentions(model, SKY)[3][0]
    assert_as_rounded(page.weights(), weights[7])  # of <mask>, to begin with
    for position in (5, 0, 9):
        page.point_at(page.token(position))
        assert_as_rounded(page.weights(), weights[position])
        assert page.text("#list-title").endswith(f"(token {position}) looks at")
        best = np.argsort(-weights[position], kind="stable")
        listed = page.list("#list")
        assert_as_rounded([number for _, number in listed], weights[position][best])
        assert [name for name, _ in listed] == [labels(SKY)[i] for i in best]
    page.point_at(page.find("footer"))
    assert_as_rounded(page.weights(), weights[7])


def labels(text):
    return labels_and_ids(text)[0]


def test_the_weights_of_the_token_that_has_the_focus(opened):
    page, weights = opened(SKY), attentions(model, SKY)[3][0]
    page.press("TAB", "ARROW_LEFT", "ARROW_LEFT")
    assert_as_rounded(page.weights(), weights[5])
    assert page.ask("document.activeElement.getAttribute('aria-label')") == "␣sky, token 5, id 2868"
    page.press("HOME")
    assert_as_rounded(page.weights(), weights[0])
    page.press("END", "ARROW_RIGHT")
    assert_as_rounded(page.weights(), weights[9])
    assert "solid" in page.ask("getComputedStyle(document.activeElement).outlineStyle")
    page.press("TAB")
    assert_as_rounded(page.weights(), weights[7])


def test_every_head_is_chosen_by_pointer_and_keyboard(opened):
    page, layers = opened(SKY), attentions(model, SKY)
    for layer, head in ((1, 2), (0, 3)):
        page.find(f".head[aria-label='layer {layer}, head {head}']").click()
        assert page.text("#map-title") == f"Layer {layer}, head {head}"
        assert_as_rounded(page.weights(), layers[layer][head][7])
    for name, layer, head in (
        *(("ARROW_UP", 1, 3), ("ARROW_LEFT", 1, 2), ("ARROW_DOWN", 0, 2), ("ARROW_DOWN", 0, 2)),
        *(("ARROW_RIGHT", 0, 3), ("ARROW_RIGHT", 0, 3)),
    ):
        page.press(name)
        assert page.text("#map-title") == f"Layer {layer}, head {head}"
        assert_as_rounded(page.weights(), layers[layer][head][7])
        assert page.texts(".head[aria-pressed='true']") == [""]


def test_a_cell_of_the_map_is_read(opened):
    page, weights = opened(SKY), attentions(model, SKY)[3][0]
    x, y = (page.ask(f"frame.margin + ({i} + 0.5) * frame.side / size") for i in (1, 8))
    left, top, width, height = page.ask(
        "(by('map').scrollIntoView({ block: 'center' }), Object.values("
        "(({ left, top, width, height }) => ({ left, top, width, height }))"
        "(by('map').getBoundingClientRect())))"
    )
    assert x < width
    assert y < height
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        page.command(
            "Input.dispatchMouseEvent", type=kind, x=left + x, y=top + y, button="left",
            clickCount=1,
        )  # fmt: skip
    said = page.text("#reading")
    assert said.startswith(". (8) looks at The (1): ")
    assert_as_rounded(float(said.split()[-1]), weights[8, 1])
    assert page.text(".token.chosen bdi") == "."


def test_all_heads_are_drawn(opened):
    """Each picture is darkest where its head looks most, and nowhere else so dark."""
    page, layers = opened(SKY), attentions(model, SKY)
    page.until("document.querySelectorAll('.head canvas').length === 16")
    for layer, head in ((0, 0), (2, 1), (3, 3)):
        picture = f".head[aria-label='layer {layer}, head {head}'] canvas"
        page.until(f'document.querySelector("{picture}").width === 10')
        pixels = page.ask(
            f"[...document.querySelector(\"{picture}\").getContext('2d')"
            ".getImageData(0, 0, 10, 10).data]"
        )
        alpha = np.array(pixels).reshape(10, 10, 4)[..., 3] / 255
        weights = layers[layer][head]
        np.testing.assert_allclose(alpha, np.sqrt(weights / weights.max()), atol=0.01)


def test_the_words_of_every_layer(opened):
    page = opened(SKY)
    lens = softmax(logit_lens(model, tokenizer(SKY, return_tensors="np"))[:, 0])  # [L + 1, S, V]
    for position in (7, 5):
        page.token(position).click()
        best = np.argsort(-lens[:, position], axis=-1, kind="stable")  # [L + 1, V]
        listed = page.list("#best")
        assert [name for name, _ in listed] == [label(tokenizer, i) for i in best[-1, :10]]
        assert_as_rounded([number for _, number in listed], lens[-1, position, best[-1, :10]])
        assert page.texts("#lens th") == [*(f"layer {i}" for i in (3, 2, 1, 0)), "embeddings"]
        words = np.array(page.texts("#lens td bdi")).reshape(5, 5)[::-1]
        chances = np.array(page.texts("#lens td small"), float).reshape(5, 5)[::-1]
        for layer in range(5):
            few = best[layer, :5]
            assert list(words[layer]) == [label(tokenizer, index) for index in few]
            assert_as_rounded(chances[layer], lens[layer, position, few])
    assert page.text("#own") == "In the text ␣sky stands here: 0.9748, rank 1."
    page.find("#every").click()  # which scrolls there
    page.until("document.querySelectorAll('#every tbody tr').length === 5")
    found = np.array(page.texts("#every td bdi")).reshape(5, 10)[::-1]
    assert found.tolist() == [
        [label(tokenizer, index) for index in row] for row in lens.argmax(-1).tolist()
    ]


def test_patching(opened):
    page = opened(SKY, GRASS)
    clean, corrupt = (tokenizer(text, return_tensors="np") for text in (SKY, GRASS))
    names = [f"roberta.encoder.layer.{i}.output.LayerNorm" for i in (3, 2, 1, 0)]
    blue = tokenizer.convert_tokens_to_ids("Ġblue")
    moved = patch(model, clean, corrupt, [*names, "roberta.embeddings"], word=blue, position=7)
    titles = page.ask("[...document.querySelectorAll('#moved td[title]')].map((td) => td.title)")
    assert titles[0].startswith("layer 3, token 0: ")
    assert titles[-1].startswith("embeddings, token 9: ")
    numbers = np.array([float(title.split(": ")[1]) for title in titles]).reshape(5, 10)
    assert_as_rounded(numbers, moved)
    shown = [float(text.replace("−", "-")) for text in page.texts("#moved td[title]")]
    assert_as_rounded(np.reshape(shown, (5, 10)), numbers, decimals=2)
    assert page.text("#moved thead u") == "␣sky"
    assert page.text("#moved thead s") == "␣grass"
    assert "(logit) of ␣blue at <mask> moves" in page.text("#patching-say")
    assert page.text("#other") == GRASS


def test_what_leads_astray_is_shown_and_never_executed(opened):
    other = WILD.replace("hit = 1", "hit = 2")
    page = opened(WILD, other, model=SMALL)
    assert page.text("#text") == WILD
    assert page.text("#other") == other
    assert page.ask("window.hit ?? document.images.length") == 0
    assert page.ask("document.scripts.length") == 2
    assert page.texts(".token bdi") == labels(WILD)
    shown = "".join(page.texts(".token bdi"))
    for part in ('"', "'", "é", "\\r", "\\n", "\\x07", "\\x00", "‹f0›", "‹d7›", ")</"):
        assert part in shown
    assert not re.search("[\x00-\x1f\u2028\u202e]", shown)
    page.find("#details summary").click()
    for position in range(len(labels(WILD))):
        page.ask(f"choose({position})")
    assert page.ask("window.hit") is None


def test_a_script_of_others_does_not_run(chromium, tmp_path):
    """The policy holds, and a page that is stopped by it says so in the log of the browser."""
    page, path = Page(chromium), tmp_path / "page.html"
    made = explore_page(model, tokenizer, SKY)
    foreign = "<script>window.hit = 1</script><p style='color: red' onclick='1'>"
    path.write_text(made.replace("</main>", f"</main>{foreign}"), encoding="utf-8")
    page.open(path)
    assert page.ask("window.hit") is None
    said = " ".join(page.said())
    assert said.count("Content Security Policy") >= 2


def test_how_a_token_came_about(opened):
    text = " unbelievable <mask>"
    page = opened(text)
    assert page.texts("#how p") == []  # not before it is asked for
    page.find("#details summary").click()
    page.until("document.querySelector('#how p') !== null")
    assert "added token" in page.texts("#how p")[-1]
    page.token(2).click()
    (piece, _) = tokenizer.explain(text).pieces
    assert page.text("#how-title") == f"How {labels(text)[2]} came about"
    steps = page.ask(
        "[...document.querySelectorAll('#how li')].map((li) =>"
        " [...li.querySelectorAll('code')].map((code) => code.textContent))"
    )
    assert steps == [*piece.states, [token.token for token in piece.tokens]]
    names = page.texts("#how li > span")
    assert names[1:-1] == [f"rank {merge.rank:,}" for merge in piece.merges]
    assert page.text("#how .own") == piece.tokens[1].token
    start, end = piece.tokens[1].offsets
    assert f"for {text[start:end]} in the text (characters {start} to {end})" in page.text(
        "#how p:first-child"
    )
    page.token(0).click()
    assert page.texts("#how p")[-1] == "It is put around the text, and is no part of it."


def test_a_decoder_tells_the_next_word(opened):
    decoder = small(RobertaForCausalLM, is_decoder=True, num_attention_heads=2)
    page = opened("The color of the sky", "The color of the sea", model=decoder)
    ids = tokenizer("The color of the sky", return_tensors="np")["input_ids"][:, :-1]
    output = decoder(ids, output_attentions=True)
    assert len(page.texts(".token")) == ids.shape[1]
    assert page.text("#best-title") == "What comes after ␣sky (token 5)"
    chances = softmax(output.logits)[0, 5]
    best = np.argsort(-chances, kind="stable")[:10]
    assert [name for name, _ in page.list("#best")] == [label(tokenizer, i) for i in best]
    assert_as_rounded([number for _, number in page.list("#best")], chances[best])
    assert page.ask("by('own').hidden")
    page.token(2).click()
    assert_as_rounded(page.weights(), output.attentions[2][0, 0, 2])
    assert (page.weights()[3:] == 0).all()
    chance = softmax(output.logits)[0, 2, ids[0, 3]]
    assert page.text("#own").startswith(f"In the text ␣of comes: {chance:.4f}, rank ")
    assert "after ␣sky moves" in page.text("#patching-say")


@pytest.mark.parametrize("kind", [RobertaModel, RobertaForSequenceClassification])
def test_a_model_without_words_shows_its_attention(opened, kind):
    other = small(kind, pruned_heads={1: [0, 2]})
    page, layers = opened("A fine film.", model=other), attentions(other, "A fine film.")
    said = f"A {kind.__name__} has no language-model head, so it has no words to show."
    assert page.text("#words-say") == said
    assert page.ask("by('words').hidden")
    assert "3 layers of 4 or 2 heads" in page.text("#model")
    assert_as_rounded(page.weights(), layers[2][0][1])
    page.find(".head[aria-label='layer 1, head 1']").click()
    assert_as_rounded(page.weights(), layers[1][1][1])
    page.find(".head[aria-label='layer 2, head 3']").click()
    page.press("ARROW_DOWN")  # to a layer that has fewer
    assert page.text("#map-title") == "Layer 1, head 1"


@pytest.mark.parametrize("text", [SKY, WILD, "", "x" * 90, " ".join("abcdefgh") * 9])
def test_a_phone_need_not_scroll_sideways(opened, text):
    page = opened(text, width=390)
    page.find("#details summary").click()
    page.ask("document.querySelector('footer').scrollIntoView()")
    page.until("document.querySelector('#every table') !== null")
    assert page.ask("document.documentElement.scrollWidth") == 390


def test_dark_mode(opened):
    page = opened(SKY)
    colours = "[getComputedStyle(document.body).backgroundColor, painted([1], 1).toDataURL()]"
    light = page.ask(colours)
    page.dark(True)
    dark = page.ask(colours)
    assert all(one != other for one, other in zip(light, dark, strict=True))
    page.until("image.getContext('2d').getImageData(1, 8, 1, 1).data[0] === 90")  # drawn anew


def test_a_long_text(opened, tmp_path):
    large = small(RobertaForMaskedLM, max_position_embeddings=514, num_hidden_layers=4)
    text = "The color of the sky is blue, and the grass is green. " * 23 + "<mask>"
    page, layers = opened(text, model=large), attentions(large, text)
    length = len(labels(text))
    assert 300 <= length <= 330
    assert (tmp_path / "page.html").stat().st_size < 3_000_000
    assert page.texts("#every td") == []  # not before it is seen
    page.point_at(page.token(length - 3))
    assert_as_rounded(page.weights(), layers[3][0][length - 3])
    page.press("TAB", "TAB", "HOME")  # the text is scrolled by keys, too
    assert_as_rounded(page.weights(), layers[3][0][0])


# Without a browser


@given(st.text(max_size=40))
@settings(max_examples=60)
def test_any_text_is_there_and_ends_nothing_early(text):
    page = explore_page(SMALL, tokenizer, text)
    inside = re.search(r'id="data">(.*?)</script>', page, re.DOTALL).group(1)
    assert inside.isascii()
    assert not set(inside) & set("<>&")
    data = json.loads(inside)
    assert data["text"] == text
    assert [token["id"] for token in data["tokens"]] == tokenizer(text).input_ids
    assert all(token["label"].isprintable() and token["label"] for token in data["tokens"])
    assert page.count("<script") == 2


def test_how_likely_the_words_of_the_text_are():
    found = data_of(explore_page(SMALL, tokenizer, SKY))["own"]
    ids = tokenizer(SKY).input_ids
    chances = softmax(SMALL(**tokenizer(SKY, return_tensors="np")).logits)[0]
    for at, (probability, rank) in enumerate(found):
        assert_as_rounded(probability, chances[at, ids[at]])
        assert rank == 1 + (chances[at] > chances[at, ids[at]]).sum()


def test_a_model_may_have_more_words_than_the_tokenizer():
    larger = small(RobertaForMaskedLM, vocab_size=20_000)
    words = data_of(explore_page(larger, tokenizer, SKY, GRASS))["words"]
    unknown = {index: name for index, name in words.items() if int(index) >= len(tokenizer)}
    assert unknown
    assert all(name == f"id {index}" for index, name in unknown.items())


def test_positions_are_rows_of_the_table():
    assert [one["row"] for one in data_of(explore_page(model, tokenizer, "A dog."))["tokens"]] == [
        *range(2, 7)
    ]
    relative = small(RobertaForMaskedLM, position_embedding_type="relative_key")
    found = data_of(explore_page(relative, tokenizer, "A dog."))
    assert {one["row"] for one in found["tokens"]} == {None}


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_other_libraries(library):
    xp = pytest.importorskip(library)
    other = SMALL.to("cpu", xp=xp)
    found, expected = (data_of(explore_page(one, tokenizer, SKY, GRASS)) for one in (other, SMALL))
    assert found["words"] == expected["words"]
    np.testing.assert_allclose(found["patched"]["moved"], expected["patched"]["moved"], atol=2e-4)


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        (lambda: explore_page(tokenizer, model, "a"), TypeError, "model is Roberta.*, but must be"),
        (lambda: explore_page(model, None, "a"), TypeError, "tokenizer is None, but must be a tok"),
        (lambda: explore_page(model, tokenizer, ["a"]), TypeError, r"text is \['a'\], but must be"),
        (lambda: explore_page(model, tokenizer, SKY, 1), TypeError, "against is 1, but must be"),
        (
            lambda: explore_page(model, tokenizer, "the " * 200),
            *(ValueError, "text has 20. tokens, but the model takes at most 128: shorten it"),
        ),
        (
            lambda: explore_page(model, tokenizer, SKY, "The green sky is <mask>."),
            *(ValueError, "text has 10 tokens and against 8, but they must have as many"),
        ),
        (
            lambda: explore_page(model, tokenizer, "The sky.", "The sea."),
            *(ValueError, "text is 'The sky.', without a <mask> at which patching"),
        ),
        (
            lambda: explore_page(small(RobertaModel), tokenizer, SKY, GRASS),
            *(ValueError, "against needs a language model.* the model is a RobertaModel: "),
        ),
        (
            lambda: explore_page(small(RobertaForMaskedLM, vocab_size=9), tokenizer, "a"),
            *(ValueError, "tokenizer has 8192 tokens, but the model's vocab_size is 9"),
        ),
        (
            lambda: explore_page(broken(), tokenizer, "a"),
            *(ValueError, "the model computes NaN or infinite numbers for this text"),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_what_cannot_be_explored_is_told(wrong, error, sentence):
    with pytest.raises(error, match=sentence):
        wrong()


def test_a_tokenizer_with_other_steps_says_that_it_cannot_explain(monkeypatch):
    def refuse(text):
        raise ValueError("explain shows RoBERTa's own steps")

    monkeypatch.setattr(RobertaTokenizer, "explain", lambda self, text: refuse(text))
    found = data_of(explore_page(SMALL, tokenizer, SKY))
    assert (found["pieces"], found["unexplained"]) == ([], "explain shows RoBERTa's own steps")


# The command


def test_the_command(run, run_well, tmp_path):
    out = tmp_path / "sky.html"
    said = run_well("explore", SKY, "--out", str(out))
    assert said == f"the page is in {out}: open it in a browser\n"
    assert out.read_text("utf-8") == explore_page(model, tokenizer, SKY)
    assert_sentence(
        run("explore", SKY, "--out", str(out)),
        "is there already: give another name, or --overwrite",
    )
    options = ["--out", str(out), "--overwrite", "--json", "--against", GRASS]
    assert json.loads(run_well("explore", SKY, *options)) == {
        "file": str(out), "class": "RobertaForMaskedLM",
    }  # fmt: skip
    assert out.read_text("utf-8") == explore_page(model, tokenizer, SKY, GRASS)


def test_the_text_may_come_from_stdin(run, stdin, run_well, tmp_path):
    stdin(f"{SKY}\n")
    run_well("explore", "--out", str(tmp_path / "a.html"))
    assert data_of((tmp_path / "a.html").read_text("utf-8"))["text"] == SKY
    for lines, sentence in (("", "there is no text"), ("a\nb\n", "there are 2 texts, but a page")):
        stdin(lines)
        assert_sentence(run("explore", "--out", str(tmp_path / "b.html")), sentence)
    assert not (tmp_path / "b.html").exists()


@pytest.mark.filterwarnings("error")  # none of a pooler
def test_another_model(run, run_well, tmp_path):
    directory, out = str(tmp_path / "model"), str(tmp_path / "page.html")
    tokenizer.save_pretrained(directory)
    small(RobertaModel, seed=1).save_pretrained(directory)
    run_well("explore", "A film.", "--model", directory, "--out", out)
    found = data_of((tmp_path / "page.html").read_text("utf-8"))
    assert (found["model"], found["heads"], found["lens"]) == ("RobertaModel", [4, 4, 4], [])
    options = ["--overwrite", "--class", "RobertaForMaskedLM"]
    assert_sentence(
        run("explore", "A film.", "--model", directory, "--out", out, *options),
        "missing: lm_head.",
        "--class Ro",
    )
    assert data_of((tmp_path / "page.html").read_text("utf-8")) == found


def test_it_is_found_by_its_name():
    assert "explore_page" in minirobert.plots.__all__
