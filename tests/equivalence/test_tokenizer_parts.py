"""A tokenizer.json of byte-level BPE with other parts than RoBERTa's means what it does there."""

import json
import unicodedata
from itertools import compress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from minirobert.tokenization import RobertaTokenizer
from tests.equivalence.texts import TINY

BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
PREFIXING = pre_tokenizers.ByteLevel(add_prefix_space=True)
WITHOUT_REGEX = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
BEHAVIORS = ["removed", "isolated", "merged_with_previous", "merged_with_next", "contiguous"]
CONTRACTION = Regex(r"'s|\p{L}+|\s+")

NORMALIZERS = {
    **{name: getattr(normalizers, name)() for name in ("NFC", "NFD", "NFKC", "NFKD")},
    "Strip": normalizers.Strip(),
    "Strip left": normalizers.Strip(right=False),
    "StripAccents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
    "Lowercase": normalizers.Lowercase(),
    "Replace": normalizers.Replace("a", "bcd"),
    "Replace by nothing": normalizers.Replace(Regex(r"\s+|e"), ""),
    "Replace a word": normalizers.Replace(Regex(r"[a-z]{2,}"), "é"),
    "Prepend": normalizers.Prepend("▁ x"),
    "Sequence": normalizers.Sequence(
        [normalizers.Strip(), normalizers.NFKC(), normalizers.Lowercase()]
    ),
}
PRE_TOKENIZERS = {
    "Whitespace": [pre_tokenizers.Whitespace(), BYTE_LEVEL],
    "WhitespaceSplit": [pre_tokenizers.WhitespaceSplit(), BYTE_LEVEL],
    "WhitespaceSplit and a space": [pre_tokenizers.WhitespaceSplit(), PREFIXING],
    "Digits": [pre_tokenizers.Digits(), BYTE_LEVEL],
    "single Digits": [pre_tokenizers.Digits(individual_digits=True), PREFIXING],
    "Digits behind": [BYTE_LEVEL, pre_tokenizers.Digits(individual_digits=True)],
    "without regex": [WITHOUT_REGEX],
    "a Sequence in a Sequence": [
        pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()]),
        BYTE_LEVEL,
    ],
    **{f"Punctuation {each}": [pre_tokenizers.Punctuation(each), BYTE_LEVEL] for each in BEHAVIORS},
    **{
        f"Split {each} {invert}": [
            pre_tokenizers.Split(CONTRACTION, each, invert),
            WITHOUT_REGEX,
        ]
        for each in BEHAVIORS
        for invert in (False, True)
    },
    "Split at a string": [pre_tokenizers.Split("a", "merged_with_next"), BYTE_LEVEL],
}
ENDS = [("</s>", 2), ("<s>", 0)]


def template(tokenizer, single, pair=None):
    names = ("<s>", "</s>", "<mask>")
    return processors.TemplateProcessing(
        single=single,
        pair=pair,
        special_tokens=[(name, tokenizer.token_to_id(name)) for name in names],
    )


POST_PROCESSORS = {
    "none": lambda _: None,
    "ByteLevel": lambda _: processors.ByteLevel(trim_offsets=True),
    "ByteLevel without trimming": lambda _: processors.ByteLevel(trim_offsets=False),
    "ByteLevel without space": lambda _: processors.ByteLevel(add_prefix_space=False),
    "BertProcessing": lambda _: processors.BertProcessing(*ENDS),
    "RobertaProcessing": lambda _: processors.RobertaProcessing(*ENDS, add_prefix_space=False),
    "Template": lambda mine: template(mine, "<s>:1 $A:2 <mask>", "$B:1 </s> </s>:3 $A"),
    "default pair": lambda mine: template(mine, "<s> $A </s>"),
    "BERT's pair": lambda mine: template(mine, "<s> $A </s>", "<s> $A </s> $B:1 </s>:1"),
    "RoBERTa's with two tokens for one": lambda _: processors.TemplateProcessing(
        single="start $A </s>",
        pair="start $A </s> </s> $B </s>",
        special_tokens=[{"id": "start", "ids": [0, 3], "tokens": ["<s>", "<unk>"]}, ENDS[0]],
    ),
    "one end": lambda mine: template(mine, "$A </s>", "$A </s> $B </s>"),
    "Sequence": lambda mine: processors.Sequence(
        [processors.ByteLevel(), template(mine, "<s> $A", "<s> $A <s> $B:1")]
    ),
    "Sequence with BERT's": lambda _: processors.Sequence(
        [processors.ByteLevel(), processors.BertProcessing(*ENDS)]
    ),
}
TEXTS = [
    *("", " ", "  Hello  World's <mask> 2023!", "cafe\u0301 é ﬁ ½ ﷺ  a", "\u00a0İstanbul\u2003x"),
    *(
        "e\u0323\u0301\u0301 한국 \u1112\u1161\u11ab",
        "don't -- a1b22, $5+3 <s>",
        "aéa  \n\n banana ",
    ),
    *("\u0301x", "🙂👩‍👩‍👧 Ǆ \u0344", "Å\u212b ①", "_a_b ‿ \u200d .", "ΣΑΣ ẛ̣ q̣̇"),
]


def known_to_both(char):
    """Leave out characters so new that only one side's tables of Unicode have them."""
    return normalizers.NFKC().normalize_str(char) == unicodedata.normalize("NFKC", char)


texts = st.sampled_from(TEXTS) | st.text(
    st.sampled_from("aAeé \u0301\u0323\u0308ﬁ1½.,'_\u3000\n\u1112\u1161ẞİ🙂$")
    | st.characters(exclude_categories=["Cs", "Cn"]).filter(known_to_both),
    max_size=12,
)
pairs = texts.filter(bool)  # transformers takes an empty second text for none


def usual_content():
    """Give the tokenizer.json of the bundled model."""
    with TemporaryDirectory() as directory:
        RobertaTokenizer.from_pretrained(TINY).save_pretrained(directory)
        return (Path(directory) / "tokenizer.json").read_text("utf-8")


def usual_tokenizer():
    return Tokenizer.from_str(usual_content())


def tokenizers_of(directory, **parts):
    """Write tokenizer.json with these parts; load it in transformers and here."""
    tokenizer = usual_tokenizer()
    for name, part in parts.items():
        setattr(tokenizer, name, part)
    tokenizer.save(str(directory / "tokenizer.json"))
    return both_of(directory)


def both_of(directory):
    theirs = PreTrainedTokenizerFast(
        tokenizer_file=str(directory / "tokenizer.json"), pad_token="<pad>", mask_token="<mask>"
    )
    return theirs, RobertaTokenizer.from_pretrained(directory)


ASKED = {
    "return_offsets_mapping": True,
    "return_special_tokens_mask": True,
    "return_token_type_ids": True,
}


def assert_same(theirs, mine, *texts, **options):
    expected, found = (each(*texts, **{**ASKED, **options}) for each in (theirs, mine))
    assert dict(found) == dict(expected)
    for row in range(len(expected.encodings)):
        assert found.word_ids(row) == expected.word_ids(row)
        # Padding is of no text here; in transformers it is of one if there are no special tokens.
        is_text = expected.encodings[row].attention_mask
        ids = (each.sequence_ids(row) for each in (found, expected))
        assert [*compress(next(ids), is_text)] == [*compress(next(ids), is_text)]


def assert_all_same(theirs, mine, text, pair):
    for options in ({}, {"add_special_tokens": False}):
        assert_same(theirs, mine, text, **options)
        assert_same(theirs, mine, text, pair, **options)


CASES = {
    **{("normalizer", name): part for name, part in NORMALIZERS.items()},
    **{
        ("pre_tokenizer", name): pre_tokenizers.Sequence(parts)
        for name, parts in PRE_TOKENIZERS.items()
    },
}


@pytest.fixture(scope="module", params=CASES, ids=": ".join)
def cut(request, tmp_path_factory):
    section, name = request.param
    prefixes = PREFIXING in PRE_TOKENIZERS.get(name, [])
    parts = {
        section: CASES[request.param],
        "post_processor": processors.RobertaProcessing(*ENDS, add_prefix_space=prefixes),
    }
    return tokenizers_of(tmp_path_factory.mktemp("cut"), **parts)


@pytest.fixture(scope="module", params=POST_PROCESSORS)
def framed(request, tmp_path_factory):
    tokenizer = usual_tokenizer()
    part = POST_PROCESSORS[request.param](tokenizer)
    if part is not None:
        return tokenizers_of(tmp_path_factory.mktemp("framed"), post_processor=part)
    directory = tmp_path_factory.mktemp("framed")
    content = json.loads(usual_content())
    (directory / "tokenizer.json").write_text(json.dumps({**content, "post_processor": None}))
    return both_of(directory)


@pytest.mark.parametrize("text", TEXTS)
def test_parts_that_cut_and_change_a_table_of_texts(cut, text):
    assert_all_same(*cut, text, "a pair")


@given(text=texts, pair=pairs)
def test_parts_that_cut_and_change_texts(cut, text, pair):
    assert_all_same(*cut, text, pair)


@given(text=texts, pair=pairs)
def test_post_processors(framed, text, pair):
    assert_all_same(*framed, text, pair)


@given(text=st.text("ab c", min_size=8), pair=pairs, length=st.integers(6, 9))
def test_truncation_with_other_numbers_of_special_tokens(framed, text, pair, length):
    options = {"truncation": True, "max_length": length, "padding": "max_length"}
    assert_same(*framed, [text], **options)
    assert_same(*framed, [text], [pair], **options)
    # In transformers the windows after the first lose the token types of a template.
    windows = {"stride": 1, "return_overflowing_tokens": True, "return_token_type_ids": False}
    assert_same(*framed, [text], **options, **windows)


def test_counts_of_special_tokens(framed):
    theirs, mine = framed
    for pair in (False, True):
        assert mine.num_special_tokens_to_add(pair) == theirs.num_special_tokens_to_add(pair)


def assert_written_again(theirs, mine, directory):
    mine.save_pretrained(directory)
    saved, again = both_of(directory)
    for text in TEXTS:
        assert_all_same(theirs, again, text, "a pair")
        assert_all_same(saved, mine, text, "a pair")


def test_parts_that_cut_and_change_are_written_again(cut, tmp_path):
    assert_written_again(*cut, tmp_path)


def test_post_processors_are_written_again(framed, tmp_path):
    assert_written_again(*framed, tmp_path)


def test_merges_that_are_passed_over(tmp_path):
    content = json.loads(usual_content())
    content["model"]["ignore_merges"] = True
    content["model"]["vocab"]["Ġqxz"] = 9000
    (tmp_path / "tokenizer.json").write_text(json.dumps(content), "utf-8")
    theirs, mine = both_of(tmp_path)
    assert 9000 in mine("a qxz").input_ids
    assert_all_same(theirs, mine, "a qxz", "qxz qxz")
    assert_written_again(theirs, mine, tmp_path / "again")


def test_what_is_of_robertas_own_steps_alone_is_refused(tmp_path):
    _, mine = tokenizers_of(tmp_path, normalizer=normalizers.NFC())
    with pytest.raises(ValueError, match=r"explain shows RoBERTa's own steps, .*: normalizer; tok"):
        mine.explain("a")
    with pytest.raises(ValueError, match=r"training is for RoBERTa's own steps, .*: normalizer; u"):
        mine.train_new_from_iterator(["a"], 300)
