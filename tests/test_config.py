"""RobertaConfig: fields, defaults and rules, and the exchange with transformers."""

import copy
import json
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from minirobert import AutoConfig, RobertaConfig, RobertaModel
from minirobert.config_fields import ACTIVATION_NAMES
from minirobert.config_file import INHERITED, OF_GENERATION
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


SLIPS = {
    "hiden_size": "hidden_size",
    "hidden_dropout": "hidden_dropout_prob",
    "layer_norm_epsilon": "layer_norm_eps",
    "num_label": "num_labels",
    "architecture": "architectures",
    "use_cached": "use_cache",
}


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_of_the_pen_is_refused_where_it_is_typed_and_told_where_it_is_read(name, tmp_path):
    sentence = f"RobertaConfig has no field '{name}': did you mean '{SLIPS[name]}'?"
    config = RobertaConfig()
    config.save_pretrained(tmp_path)
    with pytest.raises(TypeError, match=re.escape(sentence)):
        RobertaConfig(**{name: 3})
    with pytest.raises(TypeError, match=re.escape(sentence)):
        RobertaConfig.from_pretrained(tmp_path, **{name: 3})
    with pytest.raises(AttributeError, match=re.escape(sentence)):
        setattr(config, name, 3)
    with pytest.raises(AttributeError, match=re.escape(sentence)):
        config.update({"vocab_size": 9, name: 3})
    assert config == RobertaConfig()
    with pytest.warns(UserWarning, match=f"{name}', which is kept, .* mean '{SLIPS[name]}'"):
        assert getattr(RobertaConfig.from_dict({name: 3}), name) == 3
    assert getattr(RobertaConfig(extra={name: 3}), name) == 3


@pytest.mark.parametrize("name", [*INHERITED, "torch_dtype", "name_or_path"])
def test_what_every_configuration_has(name):
    assert getattr(RobertaConfig(), name) == getattr(THEIRS, name, None), name


def test_no_name_of_transformers_is_a_slip():
    names = dict.fromkeys(THEIRS.to_dict()) | {"eos_token_ids": 2, "num_layers": 3}
    with warnings.catch_warnings(action="error"):
        config = RobertaConfig.from_dict(names)
        RobertaConfig(**{name: names[name] for name in config.extra})
    assert config.to_dict().keys() >= names.keys()


ATTRIBUTES = st.dictionaries(
    st.sampled_from(["finetuning_task", "house", "num_beams", "_mine", "adapter", "prefix"]),
    st.none() | st.integers() | st.text() | st.lists(st.booleans()),
)


@given(typed=ATTRIBUTES, assigned=ATTRIBUTES)
def test_attributes_are_kept_and_saved(typed, assigned, tmp_path_factory):
    directory = tmp_path_factory.mktemp("attributes")
    ours, theirs = RobertaConfig(**typed), transformers.RobertaConfig(**typed)
    for name, value in assigned.items():
        setattr(ours, name, value)
        setattr(theirs, name, value)
    ours.save_pretrained(directory)
    for read in (
        ours,
        copy.deepcopy(ours),
        pickle.loads(pickle.dumps(ours)),
        RobertaConfig(**ours.to_dict()),
        RobertaConfig.from_pretrained(directory),
        transformers.RobertaConfig.from_pretrained(directory),
    ):
        for name in typed | assigned:
            assert getattr(read, name) == getattr(theirs, name), name


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


LABELS = st.none() | st.booleans() | st.integers() | st.floats(-9, 9) | st.text()


@given(
    id2label=st.dictionaries(st.integers(-1, 6).map(str), LABELS, max_size=4),
    with_ids=st.booleans(),
    count=st.none() | st.integers(0, 4),
)
def test_names_of_classes_are_those_that_transformers_reads(id2label, with_ids, count):
    values = {"id2label": id2label, "num_labels": count}
    if with_ids:
        values["label2id"] = {label: int(index) for index, label in id2label.items()}
    values = json.loads(json.dumps(values))
    theirs = transformers.RobertaConfig.from_dict(copy.deepcopy(values))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ours = RobertaConfig.from_dict(values)
    assert ours.num_labels == theirs.num_labels
    assert ours.id2label == {index: str(label) for index, label in theirs.id2label.items()}
    assert ours.label2id.keys() == set(ours.id2label.values())
    for index in range(ours.num_labels):
        assert ours.id2label[index] == str(theirs.id2label.get(index, f"LABEL_{index}"))
    said = " ".join(str(one.message) for one in caught)
    assert (f"num_labels is {count}" in said) == (count not in (None, len(id2label)))
    beyond = any(not 0 <= int(index) < len(id2label) for index in id2label)
    assert ("id2label has names for" in said) == beyond
    assert "label2id is" not in said or len(set(map(str, id2label.values()))) < len(id2label)
    with pytest.raises(KeyError):
        ours.id2label[max([ours.num_labels, *ours.id2label]) + 1]


@pytest.mark.parametrize(
    ("values", "id2label"),
    [
        ({"label2id": {"a": "0", "b": 1.0}}, {0: "a", 1: "b"}),
        ({"label2id": {"a": 1}, "num_labels": "3"}, {0: "LABEL_0", 1: "a", 2: "LABEL_2"}),
        ({"id2label": {"0.0": "a", "1.0": "b"}}, {0: "a", 1: "b"}),
        ({"id2label": None, "label2id": None, "num_labels": 1.0}, {0: "LABEL_0"}),
        ({"_num_labels": 3}, {0: "LABEL_0", 1: "LABEL_1"}),
        ({"id2label": {"0": "n"}, "label2id": {"LABEL_0": 0}}, {0: "n"}),
    ],
)
def test_other_ways_to_name_classes(values, id2label):
    with warnings.catch_warnings(action="error"):
        assert RobertaConfig.from_dict(values).id2label == id2label


def test_a_name_that_is_exchanged_in_place(tmp_path):
    config = RobertaConfig(id2label={0: "a", 1: "b"})
    config.id2label[0] = "c"
    config.save_pretrained(tmp_path)
    assert json.loads((tmp_path / "config.json").read_text())["label2id"] == {"c": 0, "b": 1}
    with warnings.catch_warnings(action="error"):
        assert RobertaConfig.from_pretrained(tmp_path).id2label == {0: "c", 1: "b"}
    config.id2label[2] = "d"
    assert (config.num_labels, config.to_dict()["label2id"]) == (3, {"c": 0, "b": 1, "d": 2})


def test_lists_are_read_as_they_were_meant():
    values = {"eos_token_id": ["2", 3.0], "pruned_heads": {"1": [0.0, "2"]}, "house": ["1", 2.0]}
    read = RobertaConfig.from_dict(values)
    assert (read.eos_token_id, read.pruned_heads) == ([2, 3], {1: [0, 2]})
    assert read.house == ["1", 2.0]


@pytest.mark.parametrize("values", [[1], None, {1: 2}])
def test_a_dictionary_of_values_has_names(values):
    with pytest.raises(TypeError, match=r"config_dict is .* a dictionary with strings for keys"):
        RobertaConfig.from_dict(values)


def test_options_of_generation_may_be_overridden(tmp_path):
    RobertaConfig().save_pretrained(tmp_path)
    config = RobertaConfig.from_pretrained(tmp_path, max_length=7, num_beams=2)
    theirs = transformers.RobertaConfig.from_pretrained(tmp_path, max_length=7, num_beams=2)
    assert (config.max_length, config.num_beams) == (theirs.max_length, theirs.num_beams)
    assert set(THEIRS._get_global_generation_defaults()) == set(OF_GENERATION)


def test_names_and_their_numbers_that_contradict():
    names = {"id2label": {"0": "n", "1": "p"}, "label2id": {"n": 1, "p": 0}}
    with pytest.warns(UserWarning, match="label2id is .*'n': 1.* which is kept"):
        assert RobertaConfig.from_dict(names).label2id == {"n": 0, "p": 1}
    twice = RobertaConfig(id2label={0: "a", 1: "a"}, label2id={"a": 0})
    assert twice.label2id == {"a": 0}
    twice.update(twice.to_dict())
    assert twice.id2label == {0: "a", 1: "a"}
    twice.label2id = {"a": 1}
    assert (twice.id2label, twice.label2id) == ({0: "a", 1: "a"}, {"a": 1})


FIELDS = [name for name in own_fields() if name not in ("id2label", "label2id")]


@pytest.mark.parametrize("name", FIELDS)
def test_null_is_the_default_where_none_has_no_meaning(name):
    read = getattr(RobertaConfig.from_dict({name: None}), name)
    theirs = getattr(transformers.RobertaConfig.from_dict({name: None}), name)
    assert read == theirs or (theirs is None and read == getattr(THEIRS, name))
    assert (
        getattr(RobertaConfig.from_dict({name: getattr(THEIRS, name)}, **{name: None}), name)
        == read
    )


@given(fields=configs(), data=st.data())
def test_numbers_are_read_as_they_were_meant(fields, data):
    def written(value):
        if isinstance(value, bool):
            return data.draw(st.sampled_from([value, int(value)]))
        if isinstance(value, int | float):
            return data.draw(st.sampled_from([value, float(value), str(value), str(float(value))]))
        return value

    values = {name: written(value) for name, value in fields.items()}
    ours, theirs = RobertaConfig.from_dict(values), transformers.RobertaConfig(**fields)
    for name in fields:
        assert getattr(ours, name) == getattr(theirs, name), name
        assert type(getattr(ours, name)) is type(getattr(theirs, name)), name


OTHER_VERSIONS = {
    "output_past": True, "num_beams": None, "max_length": 20, "gradient_checkpointing": False,
    "_attn_implementation_autoset": True, "rope_theta": 1e4, "rope_scaling": None,
    "rope_parameters": {"rope_type": "default"}, "summary_type": "first", "_name_or_path": "x/y",
    "eos_token_ids": 2, "_num_labels": 2, "transformers_version": "5.1.0", "task_specific_params":
    {"a": {"b": None}}, "tokenizer_class": "RobertaTokenizer", "sep_token_id": 2, "language": "en",
}  # fmt: skip


@given(
    values=st.dictionaries(st.sampled_from(sorted(OTHER_VERSIONS)), st.booleans()),
    dtypes=st.dictionaries(
        st.sampled_from(["torch_dtype", "dtype"]), st.sampled_from([None, "float16", "bfloat16"])
    ),
    architectures=st.none() | st.just(["BertForMaskedLM"]),
    pruned=st.sampled_from([None, {}, {"1": [0, 2]}]),
    kind=st.sampled_from(["roberta", "xlm-roberta", "camembert"]),
)
def test_files_of_other_versions(values, dtypes, architectures, pruned, kind, tmp_path_factory):
    directory = tmp_path_factory.mktemp("versions")
    kept = {name: OTHER_VERSIONS[name] for name in values}
    written = {**kept, **dtypes, "pruned_heads": pruned, "architectures": architectures}
    (directory / "config.json").write_text(json.dumps({**written, "model_type": kind}))
    with warnings.catch_warnings(action="error"):
        ours = AutoConfig.from_pretrained(directory)
    theirs = transformers.AutoConfig.from_pretrained(directory)
    for name in [*own_fields(), *kept, "model_type", "torch_dtype", "use_return_dict"]:
        if name == "_name_or_path":  # AutoConfig's there is the directory
            continue
        expected = getattr(theirs, name)
        is_dtype = isinstance(expected, torch.dtype)
        assert getattr(ours, name) == (str(expected)[6:] if is_dtype else expected), name
    ours.save_pretrained(directory)
    again = json.loads((directory / "config.json").read_text())
    assert {name: again[name] for name in kept} == kept
    assert again["model_type"] == kind
    assert AutoConfig.from_pretrained(directory) == ours


@pytest.mark.parametrize("key", ["is_encoder_decoder", "quantization_config"])
def test_what_is_not_here_is_told(key):
    with pytest.warns(UserWarning, match=f"has {key}, which is kept, but changes nothing: here"):
        assert getattr(RobertaConfig.from_dict({key: {"a": 1}}), key) == {"a": 1}


@pytest.mark.parametrize("dtype", [torch.float16, np.float16, np.dtype("float16"), "torch.float16"])
def test_a_dtype_is_written_by_its_name(dtype):
    assert RobertaConfig(torch_dtype=dtype).dtype == "float16"
    config = RobertaConfig.from_dict({}, torch_dtype=dtype)
    assert config.to_diff_dict()["dtype"] == config.torch_dtype == "float16"
    config.torch_dtype = None
    assert config.dtype is None


def test_overrides_that_are_no_fields_can_be_returned(tmp_path):
    THEIRS.save_pretrained(tmp_path)
    overrides = {
        "num_labels": 3, "foo": 1, "dtype": "float16", "finetuning_task": "x", "hiden_size": 1,
        "revision": "main", "trust_remote_code": True, "attn_implementation": "eager",
    }  # fmt: skip
    for ours, theirs in (
        (RobertaConfig, transformers.RobertaConfig),
        (AutoConfig, transformers.AutoConfig),
    ):
        config, unused = ours.from_pretrained(tmp_path, return_unused_kwargs=True, **overrides)
        wanted, left = theirs.from_pretrained(tmp_path, return_unused_kwargs=True, **overrides)
        assert unused == left
        assert (config.num_labels, config.finetuning_task) == (3, wanted.finetuning_task)


def test_a_file_is_read_and_written_as_by_transformers(tmp_path):
    ours = RobertaConfig(finetuning_task="x", is_decoder=True)
    theirs = transformers.RobertaConfig(finetuning_task="x", is_decoder=True)
    version = {"transformers_version": transformers.__version__}
    assert {**ours.to_diff_dict(), **version} == theirs.to_diff_dict()
    ours.to_json_file(tmp_path / "mine.json", use_diff=False)
    assert json.loads((tmp_path / "mine.json").read_text()).keys() <= theirs.to_dict().keys()
    for cls in (RobertaConfig, transformers.RobertaConfig):
        assert cls.from_pretrained(tmp_path / "mine.json").finetuning_task == "x"
        assert cls.from_json_file(tmp_path / "mine.json").is_decoder is True
        assert cls.get_config_dict(tmp_path / "mine.json", foo=1)[1] == {"foo": 1}
    assert json.loads(repr(ours).removeprefix("RobertaConfig ")) == ours.to_diff_dict()
    assert "built-in function abs" in repr(RobertaConfig(hidden_act=abs))


def test_what_cannot_be_saved_or_uploaded(tmp_path):
    config = RobertaConfig(house={1, 2})
    with pytest.raises(ValueError, match=r"house is \{1, 2\}, which config.json cannot hold"):
        config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=r"push_to_hub is True, .*upload that"):
        RobertaConfig().save_pretrained(tmp_path, push_to_hub=True)
    with pytest.raises(AttributeError, match="push_to_hub: nothing is uploaded from here"):
        config.push_to_hub("name")
    with pytest.raises(ValueError, match=r"extra is .* without the names of fields"):
        RobertaConfig(extra={"vocab_size": 3})
    assert not list(tmp_path.iterdir())


def test_an_update_is_whole_or_not_at_all():
    config = RobertaConfig()
    with pytest.raises(ValueError, match="hidden_size is 24"):
        config.update({"hidden_size": 24, "num_attention_heads": 5})
    assert config == RobertaConfig()
    config.update({"hidden_size": 24, "num_attention_heads": 4, "house": 1})
    assert (config.head_size, config.house) == (6, 1)


def test_torchscript_asks_for_tuples():
    ids = np.array([[0, 5, 2]])
    fields = {"vocab_size": 9, "hidden_size": 4, "num_attention_heads": 2, "num_hidden_layers": 1}
    config = RobertaConfig.from_dict({**fields, "torchscript": True})
    assert config.use_return_dict is transformers.RobertaConfig(torchscript=True).use_return_dict
    assert isinstance(RobertaModel(config)(ids), tuple)
    assert not isinstance(RobertaModel(config)(ids, return_dict=True), tuple)
