"""Classes that choose by the files; and the labels and sizes that loading can be told."""

import json

import numpy as np
import pytest
import transformers

import minirobert
from minirobert import (
    TINY,
    AutoConfig,
    AutoModel,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    CheckpointError,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaModel,
    RobertaTokenizer,
)
from minirobert.parameters import flatten

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
AUTO = [name for name in minirobert.__all__ if name.startswith("AutoModel")]


def class_of(auto):
    return "RobertaModel" if auto == "AutoModel" else auto.replace("AutoModel", "Roberta")


@pytest.fixture
def directory(tmp_path):
    """A classifier of two classes, as transformers writes it."""
    config = transformers.RobertaConfig(**FIELDS)
    transformers.RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    return tmp_path


def change(path, **values):
    content = json.loads(path.read_text())
    content = {n: v for n, v in {**content, **values}.items() if v is not None}
    path.write_text(json.dumps(content))


@pytest.mark.filterwarnings("ignore:is_decoder is False")
@pytest.mark.parametrize("auto", AUTO)
def test_the_class_for_each_task(auto, tmp_path):
    theirs = getattr(transformers, auto).from_config(transformers.RobertaConfig(**FIELDS))
    theirs.save_pretrained(tmp_path)
    choose = getattr(minirobert, auto)
    ours = choose.from_pretrained(tmp_path, strict=True, dtype="float64")
    assert type(ours).__name__ == type(theirs).__name__ == class_of(auto)
    assert ours.dtype == "float64"
    state = theirs.state_dict()
    for name, array in flatten(ours.params).items():
        np.testing.assert_array_equal(array, state[name].double().numpy())
    drawn = choose.from_config(RobertaConfig(**FIELDS), seed=4)
    again = type(ours)(RobertaConfig(**FIELDS), seed=4)
    assert type(drawn) is type(ours)
    np.testing.assert_array_equal(drawn.word_embeddings, again.word_embeddings)
    with pytest.raises(TypeError, match="config is a dict, but must be a Robert"):
        choose.from_config({})
    with pytest.raises(TypeError, match=f"{auto} only chooses among classes: make an object with"):
        choose(RobertaConfig(**FIELDS))


def test_options_of_the_class_pass_through(directory):
    model = AutoModel.from_pretrained(directory, add_pooling_layer=False)
    assert "pooler" not in model.params
    assert "pooler" not in AutoModel.from_config(model.config, add_pooling_layer=False).params


def test_the_warning_points_to_the_users_line(directory):
    for load in (AutoModel.from_pretrained, RobertaModel.from_pretrained):
        with pytest.warns(UserWarning, match="no weights for pooler") as seen:
            load(directory)
        assert [one.filename for one in seen] == [__file__]


@pytest.mark.parametrize("auto", [*AUTO, "AutoConfig"])
def test_other_models_are_refused(auto, directory):
    load = getattr(minirobert, auto).from_pretrained
    change(directory / "config.json", model_type="bert")
    with pytest.raises(
        ValueError, match=r"model_type is 'bert', but here are only 'roberta', 'xlm"
    ):
        load(directory)
    with pytest.raises(ValueError, match="bert"):
        transformers.AutoConfig.from_pretrained(
            change(directory / "config.json", model_type="bertt") or directory
        )
    change(directory / "config.json", model_type=None)
    with pytest.raises(ValueError, match="does not say its model_type"):
        load(directory)
    (directory / "config.json").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file config\.json"):
        load(directory)


@pytest.mark.parametrize("model_type", ["roberta", "xlm-roberta", "camembert"])
def test_one_architecture_under_three_names(directory, model_type):
    change(directory / "config.json", model_type=model_type)
    assert AutoConfig.from_pretrained(directory).hidden_size == 12
    assert AutoModelForSequenceClassification.from_pretrained(directory, strict=True)


def test_the_bundled_model_is_the_default():
    assert type(AutoModel.from_pretrained(add_pooling_layer=False)) is RobertaModel
    assert type(AutoTokenizer.from_pretrained()) is RobertaTokenizer
    assert AutoConfig.from_pretrained(TINY).vocab_size == 8192


@pytest.fixture
def tokenizer(tmp_path):
    RobertaTokenizer.from_pretrained().save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", ["RobertaTokenizer", "RobertaTokenizerFast"])
def test_the_tokenizers_class_decides(tokenizer, kind):
    change(tokenizer / "tokenizer_config.json", tokenizer_class=kind)
    RobertaConfig(**FIELDS).save_pretrained(tokenizer)
    change(tokenizer / "config.json", model_type="xlm-roberta")
    ours = AutoTokenizer.from_pretrained(tokenizer, use_fast=True, add_prefix_space=True)
    theirs = transformers.AutoTokenizer.from_pretrained(tokenizer, add_prefix_space=True)
    assert ours("Hello world")["input_ids"] == theirs("Hello world")["input_ids"]


def special_tokens(tokenizer):
    return tokenizer.special_tokens_map, tokenizer.model_input_names


def without_names(directory):
    """Leave the files without a word on special tokens."""
    (directory / "special_tokens_map.json").unlink()
    (directory / "tokenizer_config.json").unlink()


CLASSES = [
    *("RobertaTokenizer", "BartTokenizerFast", "LongformerTokenizer", "MvpTokenizer"),
    *("LEDTokenizerFast", "BlenderbotTokenizer", "GPT2Tokenizer", "GPT2TokenizerFast"),
    *("CodeGenTokenizer", "WhisperTokenizer", "Qwen2Tokenizer"),
    *("DebertaTokenizer", "PreTrainedTokenizerFast"),
]


@pytest.mark.filterwarnings("ignore:a row has")
@pytest.mark.parametrize("names_tokens", [True, False])
@pytest.mark.parametrize("kind", CLASSES)
def test_the_tokenizers_class_decides_on_special_tokens(tokenizer, kind, names_tokens, tmp_path):
    if not names_tokens:
        without_names(tokenizer)
        (tokenizer / "tokenizer_config.json").write_text("{}")
    change(tokenizer / "tokenizer_config.json", tokenizer_class=kind)
    theirs = transformers.AutoTokenizer.from_pretrained(tokenizer)
    ours = AutoTokenizer.from_pretrained(tokenizer)
    ours.save_pretrained(tmp_path / "again")
    again = transformers.AutoTokenizer.from_pretrained(tmp_path / "again")
    text = "Hello <mask> world<|endoftext|></s> "
    roles, expected = dict(ours.special_tokens_map), dict(theirs.special_tokens_map)
    if not names_tokens:  # then those of tokenizer.json, which frames with them, count
        for role in ("cls_token", "sep_token"):
            roles.pop(role), expected.pop(role, None)
    assert roles == expected
    for one in (ours, again):
        assert one(text)["input_ids"] == theirs(text)["input_ids"]
        assert set(one("a")) == set(theirs("a"))
        assert (len(one), one.mask_token_id) == (len(theirs), theirs.mask_token_id)
    assert type(again).__name__.removesuffix("Fast") == kind.removesuffix("Fast")


def test_what_transformers_five_calls_any_tokenizer(tokenizer):
    change(tokenizer / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    theirs = transformers.AutoTokenizer.from_pretrained(tokenizer)
    change(tokenizer / "tokenizer_config.json", tokenizer_class="TokenizersBackend", is_local=True)
    ours = AutoTokenizer.from_pretrained(tokenizer)
    assert special_tokens(ours)[0] == theirs.special_tokens_map
    assert ours("a <mask>") == dict(theirs("a <mask>"))
    ours.save_pretrained(tokenizer)
    saved = json.loads((tokenizer / "tokenizer_config.json").read_text())
    assert (saved["tokenizer_class"], saved["is_local"]) == ("TokenizersBackend", True)


@pytest.mark.parametrize("model_type", ["roberta", "bart", "longformer", "gpt2", "deberta"])
def test_the_models_type_decides_where_no_class_is_named(tokenizer, model_type):
    without_names(tokenizer)
    (tokenizer / "config.json").write_text(json.dumps({"model_type": model_type}))
    theirs = transformers.AutoTokenizer.from_pretrained(tokenizer)
    ours = AutoTokenizer.from_pretrained(tokenizer)
    named = AutoTokenizer.from_pretrained(tokenizer, tokenizer_type=model_type)
    for one in (ours, named):
        assert one("a <mask>")["input_ids"] == theirs("a <mask>")["input_ids"]
        assert (one.mask_token, one.pad_token) == (theirs.mask_token, theirs.pad_token)


def test_a_tokenizer_without_a_class_is_that_of_roberta(tokenizer):
    without_names(tokenizer)
    assert AutoTokenizer.from_pretrained(tokenizer).mask_token == "<mask>"


def test_a_class_that_is_not_known(tokenizer):
    change(tokenizer / "tokenizer_config.json", tokenizer_class="MyTokenizer")
    ours = AutoTokenizer.from_pretrained(tokenizer)  # whose files name all special tokens
    assert ours.mask_token == "<mask>"
    change(tokenizer / "tokenizer_config.json", pad_token=None, bos_token=None)
    with pytest.warns(UserWarning, match="a MyTokenizer, which is not known here, and what it has"):
        ours = AutoTokenizer.from_pretrained(tokenizer)
    assert (ours.pad_token, ours.bos_token, ours.pad_token_id) == (None, None, None)
    (tokenizer / "tokenizer.json").unlink()
    with pytest.raises(ValueError, match=r"do not say all: it needs tokenizer\.json"):
        AutoTokenizer.from_pretrained(tokenizer)


def test_another_class_read_as_that_of_roberta(tokenizer):
    change(tokenizer / "tokenizer_config.json", tokenizer_class="GPT2Tokenizer")
    RobertaTokenizer.from_pretrained(tokenizer)  # whose files name all special tokens
    change(tokenizer / "tokenizer_config.json", pad_token=None)
    with pytest.warns(UserWarning, match="is a GPT2Tokenizer, but is read as one of RoBERTa, whos"):
        ours = RobertaTokenizer.from_pretrained(tokenizer)
    assert ours.pad_token == "<pad>"


def test_without_a_padding_token(tokenizer):
    (tokenizer / "tokenizer.json").unlink()
    without_names(tokenizer)
    (tokenizer / "config.json").write_text('{"model_type": "gpt2"}')
    theirs = transformers.AutoTokenizer.from_pretrained(tokenizer)
    ours = AutoTokenizer.from_pretrained(tokenizer)
    assert ours.special_tokens_map == theirs.special_tokens_map
    options = {"return_offsets_mapping": True}
    assert ours("Hello world", " b", **options) == dict(theirs("Hello world", " b", **options))
    for one in (ours, theirs):
        with pytest.raises(ValueError, match="padding token"):
            one(["a", "a b"], padding=True)
        one.pad_token = one.eos_token
    assert ours(["a", "a b"], padding=True) == dict(theirs(["a", "a b"], padding=True))
    ours.save_pretrained(tokenizer)
    for auto in (AutoTokenizer, transformers.AutoTokenizer):
        again = auto.from_pretrained(tokenizer)
        assert again("Hello world", " b")["input_ids"] == ours("Hello world", " b")["input_ids"]


# Labels and sizes


@pytest.mark.parametrize(
    "labels",
    [
        {"num_labels": 3},
        {"id2label": {0: "a", 1: "b", 2: "c"}},
        {"id2label": {0: "a", 1: "b", 2: "c"}, "label2id": {"a": 0, "b": 1, "c": 2}},
        {"num_labels": 3, "id2label": {"0": "a", "1": "b", "2": "c"}},
    ],
)
def test_a_classifier_of_another_size(directory, labels):
    load = RobertaForSequenceClassification.from_pretrained
    with pytest.raises(CheckpointError) as raised:
        load(directory, **labels)
    assert str(raised.value).splitlines()[1:] == [
        "  wrong shape: classifier.out_proj.weight is [2, 12], but must be [3, 12]",
        "  wrong shape: classifier.out_proj.bias is [2], but must be [3]",
        "  (ignore_mismatched_sizes=True initialises what has another shape)",
    ]
    with pytest.warns(UserWarning, match="of another shape") as seen:
        model = load(directory, **labels, ignore_mismatched_sizes=True, seed=5)
    (warning,) = seen
    assert str(warning.message) == (
        f"{str(directory)!r} has weights of another shape for classifier.out_proj.weight "
        "([2, 12], not [3, 12]), classifier.out_proj.bias ([2], not [3]): they are initialised "
        "from seed 5, and must be trained before their output means anything"
    )
    assert warning.filename == __file__
    theirs, report = transformers.RobertaForSequenceClassification.from_pretrained(
        directory, **labels, ignore_mismatched_sizes=True, output_loading_info=True
    )
    assert set(report["mismatched_keys"]) == {
        "classifier.out_proj.weight",
        "classifier.out_proj.bias",
    }
    assert model.config.id2label == {int(i): name for i, name in theirs.config.id2label.items()}
    fresh = flatten(RobertaForSequenceClassification(model.config, seed=5).params)
    state = theirs.state_dict()
    for name, array in flatten(model.params).items():
        expected = fresh[name] if "out_proj" in name else state[name].numpy()
        np.testing.assert_array_equal(array, expected, err_msg=name)


def test_another_body_of_which_nothing_fits(directory):
    with pytest.warns(UserWarning, match="another shape for roberta.embeddings.word_embeddings"):
        model = RobertaForSequenceClassification.from_pretrained(
            directory, vocab_size=20, ignore_mismatched_sizes=True
        )
    assert model([[0, 19, 2]]).logits.shape == (1, 2)


def test_a_mismatch_does_not_hide_what_is_missing(directory):
    with pytest.raises(CheckpointError, match=r"missing: roberta\.encoder\.layer\.1\.\*"):
        RobertaForSequenceClassification.from_pretrained(
            directory, num_hidden_layers=2, num_labels=3, ignore_mismatched_sizes=True, strict=True
        )


def test_names_of_labels_replace_all_of_the_file(directory):
    config = RobertaConfig.from_pretrained(directory, label2id={"no": 0, "yes": 1})
    assert config.id2label == {0: "no", 1: "yes"}
    config = RobertaConfig.from_pretrained(directory, id2label={0: "no", 1: "yes"})
    assert config.label2id == {"no": 0, "yes": 1}
    config = RobertaConfig.from_pretrained(directory, id2label={0: "a", 1: "a"}, label2id={"a": 1})
    assert config.label2id == {"a": 1}
    assert RobertaConfig.from_pretrained(directory, num_labels=2, id2label=None).num_labels == 2


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ({"num_labels": 3, "id2label": {0: "a"}}, "num_labels is 3, but id2label has 1 labels"),
        ({"num_labels": 3, "label2id": {"a": 0}}, "num_labels is 3, but label2id has 1 labels"),
        (
            {"id2label": {0: "a", 1: "b"}, "label2id": {"a": 1, "b": 0}},
            "id2label is {0: 'a', 1: 'b'}, but label2id is {'a': 1, 'b': 0}: give one",
        ),
        ({"id2label": {0: "a", 1: "b"}, "label2id": {"a": 0}}, "give one of them"),
        ({"id2label": ["a", "b"], "label2id": {"a": 0}}, "id2label is .*, but must be"),
    ],
)
def test_labels_that_disagree(directory, labels, sentence):
    with pytest.raises(ValueError, match=sentence):
        RobertaForSequenceClassification.from_pretrained(directory, **labels)


@pytest.mark.parametrize(
    "config",
    [str(TINY), {"vocab_size": 19}, transformers.RobertaConfig()],
    ids=["path", "dictionary", "transformers"],
)
@pytest.mark.parametrize("overrides", [{}, {"num_labels": 3}])
def test_config_of_another_kind(directory, config, overrides):
    with pytest.raises(TypeError, match=f"config is a {type(config).__name__}, but must be a Rob"):
        RobertaForSequenceClassification.from_pretrained(directory, config=config, **overrides)
    with pytest.raises(TypeError, match=r"RobertaConfig\.from_dict"):
        RobertaModel(config)


def test_a_configuration_for_a_kind_of_model():
    theirs = transformers.AutoConfig.for_model("camembert", num_labels=3)
    ours = AutoConfig.for_model("camembert", num_labels=3)
    assert (ours.model_type, ours.num_labels) == (theirs.model_type, theirs.num_labels)
    assert ours.vocab_size == theirs.vocab_size
    with pytest.raises(ValueError, match="model_type is 'bert', but must be one of 'roberta'"):
        AutoConfig.for_model("bert")
