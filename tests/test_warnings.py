"""Warnings: each comes once, and points to the line of the user's that led to it."""

import copy
import dataclasses
import importlib
import inspect
import json
import re
import shutil
import warnings
from functools import cache

import pytest

import minirobert
from minirobert import (
    AutoConfig,
    AutoModelForMaskedLM,
    AutoModelForSequenceClassification,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaTokenizer,
    pipeline,
)
from minirobert.files import TINY
from minirobert.pipelines import (
    FillMaskPipeline,
    TokenClassificationPipeline,
    ZeroShotClassificationPipeline,
)

SMALL = {
    "vocab_size": 8192,
    "hidden_size": 6,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 5,
    "max_position_embeddings": 32,
}


# What the cases start from, made without a warning


def silently(make):
    with warnings.catch_warnings(action="ignore"):
        return make()


@cache
def tokenizer(**options):
    return RobertaTokenizer.from_pretrained(TINY, **options)


@cache
def small(name, **fields):
    return silently(lambda: getattr(minirobert, name)(RobertaConfig(**SMALL, **fields)))


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Give a function that saves a small model, with fields of its config.json changed."""

    def directory(name, fields=(), **changes):
        path = tmp_path_factory.mktemp("model")
        silently(lambda: small(name, **dict(fields)).save_pretrained(path))
        for file in ("vocab.json", "merges.txt", "tokenizer.json", "tokenizer_config.json"):
            if (TINY / file).exists():
                shutil.copy(TINY / file, path)
        config = json.loads((path / "config.json").read_text())
        (path / "config.json").write_text(json.dumps({**config, **changes}))
        return path

    return directory


def two_names():
    return RobertaConfig(**SMALL, id2label={0: "a", 1: "b"})


class Config(RobertaConfig):
    pass


@dataclasses.dataclass
class ConfigWithAField(RobertaConfig):
    adapter: int = 0


class OwnInit(RobertaConfig):
    def __init__(self, **fields):
        super().__init__(num_labels=3, **fields)  # here


class MaskedLM(RobertaForMaskedLM):
    pass


class ZeroShot(ZeroShotClassificationPipeline):
    pass


def my_config(labels):
    return RobertaConfig(num_labels=3, id2label=labels)  # here


# Cases: what leads to one warning, and how that begins. Each is a function whose only line with
# "# here" must be the one that the warning names.

NAMES = "num_labels is 3, but there are 2 labels with names"
KIND = "this configuration is for model_type 'bert'"
BOTH_SIDES = "is_decoder is True, so RobertaForMaskedLM looks only back"
AHEAD = "is_decoder is False, so RobertaForCausalLM looks ahead"
LABELS = {0: "a", 1: "b"}
WRONG_COUNT = {"num_labels": 3, "id2label": {"0": "a", "1": "b"}}


def case(message):
    def marked(function):
        CASES[function.__name__] = function, message
        return function

    return marked


CASES = {}


@case(NAMES)
def a_configuration(directory):
    RobertaConfig(num_labels=3, id2label=LABELS)  # here


@case(NAMES)
def a_configuration_over_several_lines(directory):
    RobertaConfig(  # here
        num_labels=3,
        id2label=LABELS,
    )


@case(NAMES)
def a_configuration_of_a_subclass(directory):
    Config(num_labels=3, id2label=LABELS)  # here


@case(NAMES)
def a_configuration_of_a_dataclass_of_the_users(directory):
    ConfigWithAField(num_labels=3, id2label=LABELS)  # here


@case(NAMES)
def a_configuration_replaced(directory):
    dataclasses.replace(two_names(), num_labels=3)  # here


@case(NAMES)
def a_configuration_of_a_dictionary(directory):
    RobertaConfig.from_dict(WRONG_COUNT)  # here


@case(NAMES)
def a_configuration_among_others(directory):
    [RobertaConfig.from_dict(values) for values in ({}, WRONG_COUNT)]  # here


@case(NAMES)
def a_configuration_of_a_file(directory):
    path = directory("RobertaForMaskedLM", **WRONG_COUNT)
    RobertaConfig.from_json_file(path / "config.json")  # here


@case(NAMES)
def a_configuration_of_a_directory(directory):
    path = directory("RobertaForMaskedLM", **WRONG_COUNT)
    AutoConfig.from_pretrained(path)  # here


@case(NAMES)
def a_model_of_a_directory_with_labels(directory):
    path = directory("RobertaForMaskedLM", **WRONG_COUNT)
    RobertaForMaskedLM.from_pretrained(path)  # here


@case(NAMES)
def a_pipeline_of_a_directory_with_labels(directory):
    path = directory("RobertaForMaskedLM", **WRONG_COUNT)
    pipeline("fill-mask", path, dtype="float64")  # here


@case(KIND)
def another_kind_of_model(directory):
    RobertaConfig.from_dict({"model_type": "bert"})  # here


@case(KIND)
def another_kind_of_model_in_a_directory(directory):
    path = directory("RobertaForMaskedLM", model_type="bert")
    RobertaConfig.from_pretrained(path)  # here


@case(KIND)
def another_kind_of_model_that_is_loaded(directory):
    path = directory("RobertaForMaskedLM", model_type="bert")
    RobertaForMaskedLM.from_pretrained(path, hidden_dropout_prob=0.2)  # here


@case(KIND)
def another_kind_of_model_in_a_pipeline(directory):
    path = directory("RobertaForMaskedLM", model_type="bert")
    pipeline("fill-mask", path)  # here


@case(KIND)
def another_kind_of_decoder_in_a_pipeline(directory):
    path = directory("RobertaForCausalLM", [("is_decoder", True)], model_type="bert")
    pipeline("text-generation", path)  # here


@case(BOTH_SIDES)
def a_masked_language_model_that_looks_back(directory):
    config = RobertaConfig(**SMALL, is_decoder=True)
    RobertaForMaskedLM(config)  # here


@case(BOTH_SIDES)
def a_masked_language_model_of_a_subclass(directory):
    config = RobertaConfig(**SMALL, is_decoder=True)
    MaskedLM(config)  # here


@case(BOTH_SIDES)
def a_masked_language_model_of_a_configuration(directory):
    config = RobertaConfig(**SMALL, is_decoder=True)
    AutoModelForMaskedLM.from_config(config)  # here


@case(BOTH_SIDES)
def a_masked_language_model_of_a_directory(directory):
    path = directory("RobertaForMaskedLM", [("is_decoder", True)])
    AutoModelForMaskedLM.from_pretrained(path, dtype="float64")  # here


@case(BOTH_SIDES)
def a_masked_language_model_in_a_pipeline(directory):
    path = directory("RobertaForMaskedLM", [("is_decoder", True)])
    pipeline("fill-mask", path, dtype="float64", device="cpu")  # here


@case(AHEAD)
def a_causal_language_model_that_looks_ahead(directory):
    config = RobertaConfig(**SMALL)
    RobertaForCausalLM(config)  # here


@case(AHEAD)
def a_causal_language_model_of_a_directory(directory):
    path = directory("RobertaForMaskedLM")
    RobertaForCausalLM.from_pretrained(path)  # here


@case("the config.json in '.*' says is_decoder false")
def a_pipeline_that_continues_texts(directory):
    path = directory("RobertaForMaskedLM")
    pipeline("text-generation", path)  # here


@case("'.*' has no weights for classifier")
def a_new_head(directory):
    path = directory("RobertaForMaskedLM")
    RobertaForSequenceClassification.from_pretrained(path, num_labels=3)  # here


@case("'.*' has weights of another shape for classifier")
def a_head_of_another_shape(directory):
    path = directory("RobertaForSequenceClassification")
    auto = AutoModelForSequenceClassification
    auto.from_pretrained(path, num_labels=3, ignore_mismatched_sizes=True)  # here


@case("none of the model's labels")
def a_zero_shot_pipeline(directory):
    model = small("RobertaForSequenceClassification")
    ZeroShotClassificationPipeline(model, tokenizer())  # here


@case("none of the model's labels")
def a_zero_shot_pipeline_of_a_subclass(directory):
    model = small("RobertaForSequenceClassification")
    ZeroShot(model, tokenizer())  # here


@case("none of the model's labels")
def a_zero_shot_pipeline_by_its_task(directory):
    model = small("RobertaForSequenceClassification")
    pipeline("zero-shot-classification", model, tokenizer())  # here


@case("target 'xyzzy' is not one token")
def a_target_of_several_tokens(directory):
    fill = FillMaskPipeline(small("RobertaForMaskedLM"), tokenizer())
    fill("The sky is <mask>.", targets=["xyzzy", " blue"])  # here


@case("target 'xyzzy' is not one token")
def a_target_of_several_tokens_for_several_texts(directory):
    fill = pipeline("fill-mask", targets=["xyzzy", " blue"])
    fill(["The sky is <mask>.", "Grass is <mask>."])  # here


@case("2 targets are not one token each, .*: 'xyzzy' \\('x'\\), 'yzzyx' \\('y'\\)")
def targets_of_several_tokens(directory):
    fill = FillMaskPipeline(small("RobertaForMaskedLM"), tokenizer())
    lists = [["xyzzy", " blue"], ["yzzyx", "xyzzy"]]
    fill(["The sky is <mask>.", "Grass is <mask>."], targets=lists)  # here


@case("target '' has no token and is left out")
def a_target_without_tokens(directory):
    fill = pipeline("fill-mask")
    list(fill(iter(["The sky is <mask>."]), targets=["", " blue"]))  # here


LONG = "sky " * 40


@case("the text has more than the 30 tokens")
def a_long_text_to_label(directory):
    label = TokenClassificationPipeline(small("RobertaForTokenClassification"), tokenizer())
    label(LONG)  # here


@case("text 1 has more than the 30 tokens")
def a_long_text_among_others(directory):
    label = pipeline("token-classification", small("RobertaForTokenClassification"), tokenizer())
    label(["sky", LONG], progress_bar=True)  # here


@case("the text has more than the 30 tokens")
def a_long_text_of_a_stream(directory):
    label = pipeline("token-classification", small("RobertaForTokenClassification"), tokenizer())
    answers = label(iter([LONG]), progress_bar=True)
    list(answers)  # here


@case("a row has 44 tokens, but the model takes 9")
def a_long_row(directory):
    short = RobertaTokenizer.from_pretrained(TINY, model_max_length=9)
    short(LONG)  # here


@case("a row has 44 tokens, but the model takes 9")
def long_rows(directory):
    short = RobertaTokenizer.from_pretrained(TINY, model_max_length=9)
    for text in (LONG, [LONG, LONG], LONG):
        short(text)  # here


@case("max_length=3 is given without truncation")
def a_length_without_truncation(directory):
    tokenizer()(LONG, max_length=3)  # here


@case("max_length=3 is given without truncation")
def a_length_without_truncation_in_a_pipeline(directory):
    embed = pipeline("feature-extraction")
    embed(LONG, tokenizer_kwargs={"max_length": 3})  # here


@case("max_length=3 has no effect")
def a_length_without_effect(directory):
    tokenizer()(["sky"], max_length=3, padding=True, truncation=False)  # here


@case("padding='max_length' has no effect")
def padding_without_effect(directory):
    unlimited = tokenizer(model_max_length=None)
    unlimited(["sky"], padding="max_length")  # here


@case("truncation='longest_first' has no effect")
def truncation_without_effect(directory):
    unlimited = tokenizer(model_max_length=None)
    unlimited.encode("sky", truncation=True)  # here


def caught_from(function, *arguments):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        function(*arguments)
    return caught


def line_of(function):
    lines, first = inspect.getsourcelines(function)
    (place,) = [i for i, line in enumerate(lines) if "# here" in line]
    return first + place


@pytest.mark.parametrize("name", CASES)
def test_one_warning_at_the_line_of_the_user(name, directory):
    function, message = CASES[name]
    caught = caught_from(function, directory)
    assert [(one.filename, one.lineno) for one in caught] == [(__file__, line_of(function))]
    assert re.match(message, str(caught[0].message))


def test_in_a_function_and_a_constructor_of_the_users_it_is_their_line():
    (warning,) = caught_from(lambda: my_config(LABELS))
    assert (warning.filename, warning.lineno) == (__file__, line_of(my_config))
    (warning,) = caught_from(lambda: OwnInit(id2label=LABELS))
    assert (warning.filename, warning.lineno) == (__file__, line_of(OwnInit.__init__))


def test_a_warning_is_shown_once_a_line_and_can_be_turned_off_by_module(capsys):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            my_config(LABELS)
        my_config(LABELS)
    assert len(caught) == 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.filterwarnings("ignore", module=__name__)
        my_config(LABELS)
    assert caught == []


def test_a_module_that_has_moved(tmp_path, monkeypatch):
    (tmp_path / "own_module.py").write_text("import os\n\nimport minirobert.hub\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "minirobert.hub", raising=False)

    (warning,) = caught_from(lambda: importlib.import_module("own_module"))
    assert warning.category is DeprecationWarning
    assert (warning.filename, warning.lineno) == (str(tmp_path / "own_module.py"), 3)


# What the package copies, nobody is warned of again


def test_copies_of_a_configuration_are_silent():
    config = silently(lambda: RobertaConfig(num_labels=3, id2label=LABELS, is_decoder=True))

    def copies():
        yield copy.copy(config)
        yield copy.deepcopy(config)
        yield dataclasses.replace(config)
        yield RobertaConfig.from_dict(config.to_dict())
        yield RobertaConfig.from_dict(config.to_dict(), num_labels=2)

    found = []
    assert caught_from(lambda: found.extend(copies())) == []
    assert found == [config] * 5


@pytest.mark.parametrize(
    ("name", "is_decoder"), [("RobertaForMaskedLM", True), ("RobertaForCausalLM", False)]
)
@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.to("cpu"),
        lambda model: model.astype("float16"),
        lambda model: model.prune_heads({0: [1]}),
        lambda model: model.resize_token_embeddings(9),
        lambda model: model.set_input_embeddings(model.word_embeddings * 2),
        lambda model: model.roberta,
        lambda model: copy.copy(model),
        lambda model: copy.deepcopy(model),
        lambda model: model([[0, 5, 2]]),
    ],
    ids=["to", "astype", "prune", "resize", "set", "roberta", "copy", "deepcopy", "call"],
)
def test_changed_models_are_silent(name, is_decoder, change):
    model = small(name, is_decoder=is_decoder)
    assert caught_from(change, model) == []


def test_saving_is_silent(tmp_path):
    model = small("RobertaForMaskedLM", is_decoder=True)
    assert caught_from(model.save_pretrained, tmp_path) == []


def test_a_model_that_was_made_elsewhere_is_not_judged_again_by_a_pipeline():
    model = small("RobertaForMaskedLM", is_decoder=True)
    made = caught_from(
        lambda: pipeline("fill-mask", model, tokenizer(), dtype="float64", device="cpu")
    )
    assert made == []
