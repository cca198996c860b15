"""The site of the documentation: all of it is there, opens offline, and its links lead on."""

import html
import re
import subprocess
import sys

import pytest

import minirobert
from tutorials import build, run
from tutorials.website import reference
from tutorials.website.links import from_network, wrong_links


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Build the site by its command, from this clone."""
    out = tmp_path_factory.mktemp("site") / "out"
    command = [sys.executable, "-m", "tutorials.build", "--out", str(out)]
    result = subprocess.run(command, cwd=build.ROOT, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")
    return out


def text_of(path):
    return html.unescape(re.sub(r"<[^>]+>", "", path.read_text(encoding="utf-8")))


def test_everything_is_in_it(site):
    folder = build.ROOT / "tutorials"
    pages = [path.stem for path in (*folder.glob("*.md"), *run.lessons())]
    assert len(pages) > 4
    front = (site / "index.html").read_text(encoding="utf-8")
    for page in pages:
        assert (site / "tutorials" / f"{page}.html").is_file()
        assert f'href="tutorials/{page}.html"' in front
    api = (site / "api" / "minirobert.html").read_text(encoding="utf-8")
    for name in minirobert.__all__:
        assert f'id="minirobert.{name}"' in api
    assert (site / "CHANGELOG.html").is_file() == (build.ROOT / "CHANGELOG.md").is_file()


def test_every_public_name_is_documented_once(site):
    ids = []
    for path in (site / "api").glob("*.html"):
        ids += re.findall(r'<dt [^>]*id="([\w.]+)"', path.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids)) > 500
    names = {str(name) for name in reference.homes().values()}
    missing = names - set(ids)
    assert missing == {name for name in missing if name in reference.modules()}


def test_no_page_needs_the_network_and_no_link_is_broken(site):
    assert list(from_network(site)) == list(wrong_links(site)) == []


def test_a_lesson_is_shown_with_its_outputs_and_formulas_without_a_script(site):
    pages = [site / "tutorials" / f"{path.stem}.html" for path in run.lessons()]
    found = "".join(path.read_text(encoding="utf-8") for path in pages)
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML"' in found
    assert "\\mathrm" not in "".join(map(text_of, pages))


def test_links_to_sources_lead_into_the_site(site):
    pages = [path.read_text(encoding="utf-8") for path in site.glob("tutorials/*.html")]
    articles = "".join(page.partition("<article")[2] for page in pages)
    assert 'href="../source/minirobert/attention.py.html"' in articles
    assert 'href="../api/minirobert.kernels.html"' in articles
    source = (site / "source" / "minirobert" / "attention.py.html").read_text(encoding="utf-8")
    api = (site / "api" / "minirobert.attention.html").read_text(encoding="utf-8")
    line = re.search(r'href="\.\./source/minirobert/attention\.py\.html#L-(\d+)"', api)[1]
    lines = (build.ROOT / "minirobert" / "attention.py").read_text("utf-8").splitlines()
    assert lines[int(line) - 1].startswith(("def ", "class ", "@"))
    assert f'id="L-{line}"' in source


# A small clone, of a front page and one more


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "tutorials").mkdir()
    (tmp_path / "README.md").write_text("# Front\n\n[more](tutorials/more.md#second)\n", "utf-8")
    (tmp_path / "tutorials" / "more.md").write_text(MORE, "utf-8")
    return tmp_path


MORE = """# More

[back](../README.md#front), [source](../minirobert/attention.py#L-1), [here](#second),
[tests](../tests/robustness), $\\frac{1}{2}$

## Second
"""


def test_a_small_site(clone):
    assert build.build(clone, clone / "out") == []
    assert (clone / "out" / "source" / "minirobert" / "attention.py.html").is_file()
    assert build.build(clone, clone / "out") == []  # in place of the one before


#: What Sphinx finds in a page, and what it says.
IN_THE_PAGE = {
    "[x](nothing.md)": "the link 'nothing.md' leads nowhere",
    "[x](../minirobert/no.py)": "the link '../minirobert/no.py' leads nowhere",
    "[x](../../etc)": "the link '../../etc' leads nowhere",
    "[x](../README.md#no)": "the link to '#no' of index leads nowhere",
    "[x](#third)": "the link 'third' leads nowhere",
    "$\\no{x}$": "formula cannot be shown: \\no{x}",
    "$\\left( 1$": "formula cannot be shown",
}
#: What is found in the built page.
BUILT = {
    "[x](../minirobert/attention.py#L-9999)": "the link '../source/minirobert/attention.py.html#L-",
    '<a href="no.html">x</a>': "the link 'no.html' leads nowhere",
    '<img src="https://x.org/x.png">': "more.html loads https://x.org/x.png: keep it",
    "<style>@import 'https://x.org/x';</style>": "more.html loads https://x.org/x: keep it",
}


@pytest.mark.parametrize("planted", [IN_THE_PAGE, BUILT], ids=["in the page", "built"])
def test_what_is_broken_is_named_with_its_page(clone, planted):
    page = clone / "tutorials" / "more.md"
    before = len(MORE.splitlines()) + 2
    page.write_text("\n".join([MORE, *(f"{one}\n" for one in planted)]), "utf-8")
    wrong = build.build(clone, clone / "out")
    for number, said in enumerate(planted.values()):
        place = f"more.md:{before + 2 * number}: " if planted is IN_THE_PAGE else "more.html"
        assert any(place in one and said in one for one in wrong), (place, said, wrong)
    assert len(wrong) == len(planted)
    assert not (clone / "out").exists()


def test_no_other_directory_is_overwritten(clone):
    (sentence,) = build.build(clone, clone / "tutorials")
    assert "tutorials' holds other files than a site" in sentence
    assert (clone / "tutorials" / "more.md").is_file()


# Names


def test_a_name_is_documented_where_users_import_it_from():
    models = reference.Name("minirobert.models.language_models", "RobertaForMaskedLM")
    assert str(reference.home(models)) == "minirobert.RobertaForMaskedLM"
    activation = reference.Name("minirobert.functional.activations", "gelu")
    assert str(reference.home(activation)) == "minirobert.functional.gelu"


@pytest.mark.parametrize(
    ("text", "module", "within", "meaning"),
    [
        ("softmax", "minirobert.attention", "", "minirobert.functional.softmax"),
        ("linear", "minirobert.functional", "gelu", "minirobert.functional.linear"),
        ("x", "minirobert.functional", "gelu", None),
        ("minirobert.kernels", "minirobert", "", "minirobert.kernels"),
        ("traces", "minirobert.numerics", "", "minirobert.numerics.traces"),
        ("generate", "minirobert", "RobertaForCausalLM", "minirobert.RobertaForCausalLM.generate"),
        ("no such", "minirobert", "", None),
    ],
)
def test_what_a_name_in_a_docstring_stands_for(text, module, within, meaning):
    assert reference.meaning(text, module, within) == meaning
