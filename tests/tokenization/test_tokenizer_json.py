import copy
import json

import pytest

from minirobert.tokenization.added_tokens import AddedToken
from minirobert.tokenization.tokenizer_json import read_tokenizer_json

CONTENT = {
    "truncation": None,
    "padding": {"direction": "Left"},
    "added_tokens": [{"id": 3, "content": "<mask>", "lstrip": True, "special": True}],
    "normalizer": None,
    "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": True},
    "post_processor": {
        "type": "RobertaProcessing",
        "sep": ["</s>", 5],
        "cls": ["<s>", 4],
        "trim_offsets": False,
    },
    "model": {
        "type": "BPE",
        "dropout": None,
        "continuing_subword_prefix": "",
        "vocab": {"a": 0, "b": 1, "ab": 2, "<mask>": 3, "<s>": 4, "</s>": 5},
        "merges": [["a", "b"]],
    },
}


@pytest.fixture
def file(tmp_path):
    def write(path=(), value=None):
        content = copy.deepcopy(CONTENT)
        part = content
        for name in path[:-1]:
            part = part[name]
        if path:
            part[path[-1]] = value
        (tmp_path / "tokenizer.json").write_text(json.dumps(content))
        return tmp_path / "tokenizer.json"

    return write


def test_content(file):
    content = read_tokenizer_json(file())
    assert content.vocab == CONTENT["model"]["vocab"]
    assert content.merges == [("a", "b")]
    assert content.added_tokens == {3: AddedToken("<mask>", lstrip=True, special=True)}
    assert content.settings == {
        "add_prefix_space": True,
        "trim_offsets": False,
        "cls_token": "<s>",
        "sep_token": "</s>",
        "padding_side": "left",
    }


def test_older_files(file):
    assert read_tokenizer_json(file(["model", "merges"], ["a b"])).merges == [("a", "b")]
    model = {key: value for key, value in CONTENT["model"].items() if key != "type"}
    assert read_tokenizer_json(file(["model"], model)).merges == [("a", "b")]


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["normalizer"], {"type": "NFC"}, "the normalizer is NFC, where RoBERTa has none"),
        (["pre_tokenizer"], {"type": "Whitespace"}, "the pre_tokenizer is Whitespace, where"),
        (["pre_tokenizer"], None, "the pre_tokenizer is missing, where RoBERTa has ByteLevel"),
        (["post_processor"], {"type": "BertProcessing"}, "the post_processor is BertProcessing"),
        (["model", "type"], "WordPiece", "the model is WordPiece, where RoBERTa has BPE"),
        (["model"], None, "the model needs an object `vocab` and an array `merges`"),
        (["model", "vocab"], [], "the model needs an object `vocab`"),
        (["model", "dropout"], 0.1, r"dropout = 0\.1, which RoBERTa's does not use"),
        (["model", "vocab", "a"], "0", "the id of 'a' is '0', not an integer"),
        (["model", "merges"], [["a", "b"], ["a"]], r"\['a'\] is no merge"),
        (["model", "merges"], ["b a"], "the merge of 'b' and 'a' needs the token 'ba'"),
        (["added_tokens"], [{"content": "x"}], "added token 0 is .*, without an integer id"),
        (["added_tokens"], [{"id": 7}], "added token 0 is .* a string `content`"),
        (["added_tokens"], 5, "added_tokens is 5: it must be an array"),
        (["post_processor", "cls"], "<s>", "the post_processor has cls = '<s>'"),
    ],
)
def test_what_is_not_a_tokenizer_of_roberta(file, path, value, message):
    with pytest.raises(ValueError, match=rf"tokenizer\.json.*{message}"):
        read_tokenizer_json(file(path, value))
