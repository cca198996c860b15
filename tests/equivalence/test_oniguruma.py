"""Patterns of a tokenizer.json find what Oniguruma finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, pre_tokenizers

from minirobert.tokenization.oniguruma import compiled
from tests.equivalence.test_tokenizer_parts import known_to_both

PATTERNS = [
    *("^t", "e$", r"\W+", r"\w+", "[a-z&&[^e]]", "[t[he]]", r"\h+", r"\H", "(?m)a.b", "(?i)ss"),
    *(r"\b", r"\Bt", r"[^\w\s]+", "[[:digit:]]+", r"\x{65E5}", r"\e", r"(?<n>t)h\k<n>", r"e\z"),
    *(
        r"e\Z",
        r"\Ath",
        "(?i:THE)|b",
        "(?m-i:.)t",
        r"[\h&&[^a]]",
        "[]t]",
        "[^]t]+",
        r"\p{L}+",
        r"[\w]+",
        r"[\W]+",
    ),
    *(r"[th]{1,2}+e", r"\p{L}{1,2}+t", "(?:a|b){2}+", "(a{2,3}+)b", r"\x{61}{2}+", "a{,2}+b"),
    *("[a][b]{2}+", "a{2}?b", "a{1,2}?b", "a{1,2}{2}", "a+{2}", "a+?+b", "a{1,2}++", "(?i:A){2}+b"),
    *("(?<n>a|b){1,2}+", "(?=a)a{1,2}+", r"(t)?(?(1)h|a){1,2}+", r"(?>a+){2}?b", "[a{1,2}+]+"),
    *(
        r"\cA",
        r"\C-a+",
        r"\M-a",
        r"\M-\C-a",
        r"\C-\M-a",
        r"\c?",
        r"\c\\",
        r"[\cA\M-a\C-b]+",
        r"\cā",
    ),
    *(
        "[[:alnum:]]+",
        "[[:punct:]]+",
        "[[:^digit:]]",
        "[[:^punct:]a]+",
        "[:digit:]+",
        "[[:upper:]]",
    ),
    *(r"\N+", r"\O+", r"\m", r"\L|\q", r"\pL", r"\x1", r"\o{141}", "[a||b]+", "[a~~b]+"),
    *(r"(?<n>[ab])\g<n>", "a(?#[ )b", "(?#{2})b", r"\cā"),
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+",
]
TEXTS = [
    *("aaab aab ab bab", "{2} +a| L~bq m pL", "\x01\x02á\x81\x7f\x1c\x1a", "aaaaaaaab"),
    *("the\nthe", "½ cup of m²", "a cab 日 \x1b", "xa\nby", "groß ss", "tht [t] 7", "it's\n"),
]
texts = st.sampled_from(TEXTS) | st.text(
    st.sampled_from("theabs \n\r½²7٣Ⓐ_'日ßſ\u200d.a\x01\x02á\x81\x7f\x1c{|~+Lm")
    | st.characters(exclude_categories=["Cs", "Cn"]).filter(known_to_both),
    max_size=9,
)


@pytest.mark.parametrize("pattern", PATTERNS)
@given(text=texts)
def test_what_a_pattern_finds(pattern, text):
    split = pre_tokenizers.Split(Regex(pattern), "removed", invert=True)
    theirs = [span for _, span in split.pre_tokenize_str(text)]
    ours = [match.span() for match in compiled(pattern).finditer(text)]
    assert [span for span in ours if span[0] < span[1]] == theirs


@pytest.mark.parametrize(
    "pattern", ["(?s)a", "(?P<n>a)", "(?a)b", "(?|a)", "(a)(?1)", "(?R)?a", "(?P>n)(?<n>a)"]
)
def test_what_oniguruma_does_not_know_is_refused(pattern):
    with pytest.raises(Exception, match="undefined group option"):
        Regex(pattern)
    with pytest.raises(ValueError, match="which Oniguruma does not know"):
        compiled(pattern)


@pytest.mark.parametrize("pattern", [r"a\M", r"a\C", r"a\c", r"(a)\g<0>"])
def test_what_is_not_whole_is_refused(pattern):
    with pytest.raises(Exception, match="Oniguruma error"):
        Regex(pattern)
    with pytest.raises(ValueError, match="but no key or name with it"):
        compiled(pattern)


def test_two_hyphens_in_a_set_are_refused():
    Regex("[+--]")  # from + to -; here it would take - from +
    with pytest.raises(ValueError, match="'--' in a set, which cannot be read here"):
        compiled("[+--]")
