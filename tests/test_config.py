"""RobertaConfig: fields, defaults and rules, and the exchange with transformers."""

import json

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

from minirobert import RobertaConfig
from minirobert.config import ACTIVATION_NAMES
from tests.equivalence.strategies import configs

THEIRS = transformers.RobertaConfig()


def own_fields():
    return [name for name in RobertaConfig().to_dict() if name not in ("model_type", "extra")]


@pytest.mark.parametrize("name", own_fields())
def test_defaults_are_transformers(name):
    assert getattr(RobertaConfig(), name) == getattr(THEIRS, name)


def test_positional_order_is_transformers():
    import inspect

    theirs = list(inspect.signature(transformers.RobertaConfig.__init__).parameters)[1:-1]
    ours = list(inspect.signature(RobertaConfig.__init__).parameters)[1 : len(theirs) + 1]
    assert ours == theirs


WRONG = [
    ("vocab_size", 0, "an integer of at least 1"),
    ("vocab_size", 10.0, "an integer of at least 1"),
    ("vocab_size", True, "an integer of at least 1"),
    ("hidden_size", -4, "an integer of at least 1"),
    ("num_hidden_layers", -1, "an integer of at least 0"),
    ("num_attention_heads", 0, "an integer of at least 1"),
    ("intermediate_size", "3", "an integer of at least 1"),
    ("hidden_act", "gelou", "a function or one of gelu, "),
    ("hidden_act", None, "a function or one of gelu, "),
    ("hidden_dropout_prob", 1.5, "a number from 0 to 1"),
    ("attention_probs_dropout_prob", -0.1, "a number from 0 to 1"),
    ("max_position_embeddings", 0, "an integer of at least 1"),
    ("type_vocab_size", 0, "an integer of at least 1"),
    ("initializer_range", -1, "a number of at least 0"),
    ("layer_norm_eps", float("nan"), "a number of at least 0"),
    ("layer_norm_eps", "1e-5", "a number of at least 0"),
    ("pad_token_id", None, "an integer of at least 0"),
    ("pad_token_id", -1, "an integer of at least 0"),
    ("position_embedding_type", "relative", "one of 'absolute', 'relative_key', "),
    ("position_embedding_type", None, "one of 'absolute', 'relative_key', "),
    ("use_cache", 1, "True or False"),
    ("classifier_dropout", 2, "None or a number from 0 to 1"),
    ("is_decoder", "yes", "True or False"),
    ("chunk_size_feed_forward", -1, "an integer of at least 0"),
    ("problem_type", "ranking", "one of None, 'regression', "),
    ("id2label", ["a"], "None or a dictionary"),
    ("label2id", "a", "None or a dictionary"),
    ("id2label", {"a": "b"}, "None or a dictionary from integers to strings"),
    ("label2id", {"a": "0"}, "None or a dictionary from strings to integers"),
    ("architectures", 5, "None or a list of strings"),
    ("dtype", {}, "None or a string"),
    ("bos_token_id", "x", "None or an integer or a list of them"),
    ("pruned_heads", [1], "a dictionary"),
    ("num_labels", -1, "None or an integer of at least 0"),
]


@pytest.mark.parametrize(("name", "value", "rule"), WRONG)
def test_a_wrong_field_is_named_with_its_value_and_rule(name, value, rule):
    with pytest.raises(ValueError, match=name) as made:
        RobertaConfig(**{name: value})
    assert f"{name} is {value!r}, but must be {rule}" in str(made.value)
    config = RobertaConfig()
    with pytest.raises(ValueError, match=name):
        setattr(config, name, value)
    assert config == RobertaConfig()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"hidden_size": 18, "num_attention_heads": 4},
            "hidden_size is 18, .* multiple of num_att",
        ),
        ({"vocab_size": 3, "pad_token_id": 3}, "pad_token_id is 3, but must be below vocab_size"),
        ({"max_position_embeddings": 1}, "must be below max_position_embeddings, which is 1"),
        ({"add_cross_attention": True}, "add_cross_attention is True, but must be False unless is"),
    ],
)
def test_fields_that_do_not_go_together(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        RobertaConfig(**fields)


def test_a_misspelled_keyword_is_refused():
    with pytest.raises(TypeError, match="hiden_size"):
        RobertaConfig(hiden_size=3)


def test_numpys_numbers_are_numbers():
    config = RobertaConfig(vocab_size=np.int64(9), layer_norm_eps=np.float32(0.5))
    assert json.loads(config.to_json_string())["vocab_size"] == 9
    assert json.loads(config.to_json_string())["layer_norm_eps"] == 0.5


def test_a_dictionary_of_it_is_a_copy():
    config = RobertaConfig(extra={"house": [1]})
    values = config.to_dict()
    values["id2label"][9] = values["house"].append(2)
    assert config == RobertaConfig(extra={"house": [1]})


@pytest.mark.parametrize("activation", ACTIVATION_NAMES)
def test_every_activation_is_allowed(activation):
    assert RobertaConfig(hidden_act=activation).hidden_act == activation


@given(fields=configs(), data=st.data())
def test_what_transformers_writes_we_read(fields, data, tmp_path_factory):
    directory = tmp_path_factory.mktemp("config")
    fields |= data.draw(
        st.fixed_dictionaries(
            {},
            optional={
                "num_labels": st.integers(1, 5),
                "classifier_dropout": st.sampled_from([None, 0.0, 0.5]),
                "problem_type": st.sampled_from([None, "regression"]),
                "output_attentions": st.booleans(),
                "return_dict": st.booleans(),
                "use_cache": st.booleans(),
                "house": st.text(max_size=3),
            },
        )
    )
    theirs = transformers.RobertaConfig(**fields)
    theirs.save_pretrained(directory)
    ours = RobertaConfig.from_pretrained(directory)
    for name in own_fields():
        assert getattr(ours, name) == getattr(theirs, name), name
    if "house" in fields:
        assert ours.house == fields["house"]


@given(
    fields=configs(), labels=st.none() | st.lists(st.text(), min_size=1, max_size=4, unique=True)
)
def test_what_we_write_transformers_reads(fields, labels, tmp_path_factory):
    directory = tmp_path_factory.mktemp("config")
    id2label = None if labels is None else dict(enumerate(labels))
    ours = RobertaConfig(**fields, id2label=id2label, extra={"house": [1, {"a": None}]})
    ours.save_pretrained(directory)
    theirs = transformers.RobertaConfig.from_pretrained(directory)
    for name in own_fields():
        assert getattr(theirs, name) == getattr(ours, name), name
    assert theirs.house == [1, {"a": None}]
    assert RobertaConfig.from_pretrained(directory) == ours
    assert RobertaConfig.from_dict(ours.to_dict()) == ours


def test_the_file_lists_the_models_fields_and_what_is_not_default(tmp_path):
    RobertaConfig(is_decoder=True).save_pretrained(tmp_path)
    THEIRS.save_pretrained(tmp_path / "theirs")
    ours = json.loads((tmp_path / "config.json").read_text())
    theirs = json.loads((tmp_path / "theirs" / "config.json").read_text())
    assert list(ours) == sorted(ours)
    assert {**theirs, "is_decoder": True} == {**ours, "transformers_version": "4.56.2"}


def test_labels_follow_from_each_other():
    assert RobertaConfig().id2label == {0: "LABEL_0", 1: "LABEL_1"}
    assert RobertaConfig(num_labels=3).label2id == {"LABEL_0": 0, "LABEL_1": 1, "LABEL_2": 2}
    named = RobertaConfig(id2label={"0": "no", "1": "maybe", "2": "yes"})
    assert named.num_labels == 3
    assert named.label2id == {"no": 0, "maybe": 1, "yes": 2}
    assert RobertaConfig(label2id={"b": 1, "a": 0}).id2label == {0: "a", 1: "b"}
    named.num_labels = 3
    assert named.id2label[0] == "no"
    named.num_labels = 1
    assert named.id2label == {0: "LABEL_0"}
    assert named.num_labels == 1
    named.id2label = {0: "x", 1: "y", 2: "z"}
    assert named.num_labels == 3
    assert named.label2id == {"x": 0, "y": 1, "z": 2}
    named.label2id = {"p": 0, "q": 1}
    assert named.id2label == {0: "p", 1: "q"}
    named.num_labels = None
    assert named.id2label == {0: "LABEL_0", 1: "LABEL_1"}
    with pytest.warns(UserWarning, match="num_labels is 3, but there are 2 labels with names"):
        assert RobertaConfig(num_labels=3, id2label={0: "a", 1: "b"}).num_labels == 2


def test_overrides_win_over_the_file(tmp_path):
    RobertaConfig(id2label={0: "a", 1: "b"}, vocab_size=77).save_pretrained(tmp_path)
    assert RobertaConfig.from_pretrained(tmp_path, vocab_size=88).vocab_size == 88
    assert RobertaConfig.from_pretrained(tmp_path, num_labels=2).id2label[1] == "b"
    assert RobertaConfig.from_pretrained(tmp_path, num_labels=3).id2label[2] == "LABEL_2"


def test_an_override_must_be_a_field(tmp_path):
    RobertaConfig(extra={"house": 1}).save_pretrained(tmp_path)
    assert RobertaConfig.from_pretrained(tmp_path, house=2).house == 2
    with pytest.raises(TypeError, match="RobertaConfig has no field 'devise' to override"):
        RobertaConfig.from_pretrained(tmp_path, devise="cuda")


def test_older_files():
    config = RobertaConfig.from_dict({"torch_dtype": "float16", "gradient_checkpointing": False})
    assert config.dtype == "float16"
    assert config.gradient_checkpointing is False
    with pytest.warns(UserWarning, match="for model_type 'bert'"):
        RobertaConfig.from_dict({"model_type": "bert"})


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b'{\n  "vocab_size": 3,\n}', r"is not JSON: .* in line [23], column"),
        (b"[1]", "holds a JSON array, but must hold an object"),
        (b'{"a": "\xff"}', "is not UTF-8: byte 0xff"),
        (b'{"vocab_size": 0}', "vocab_size is 0"),
    ],
)
def test_broken_files(tmp_path, content, sentence):
    (tmp_path / "config.json").write_bytes(content)
    with pytest.raises(ValueError, match=sentence):
        RobertaConfig.from_pretrained(tmp_path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file config\.json in"):
        RobertaConfig.from_pretrained(tmp_path)


def test_nothing_half_written(tmp_path):
    RobertaConfig(vocab_size=55).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="hidden_act is a function"):
        RobertaConfig(hidden_act=abs).save_pretrained(tmp_path)
    assert RobertaConfig.from_pretrained(tmp_path).vocab_size == 55
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]
    with pytest.raises(ValueError, match="hidden_act is a function"):
        RobertaConfig(hidden_act=abs).save_pretrained(tmp_path / "new")
    assert not (tmp_path / "new").exists()
