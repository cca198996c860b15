"""What callers of transformers' pipelines type, with transformers as the oracle."""

import copy
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
import transformers
from transformers.pipelines.pt_utils import KeyDataset
from transformers.pipelines.text_classification import ClassificationFunction
from transformers.pipelines.token_classification import AggregationStrategy

from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaForSequenceClassification
from minirobert.pipelines import TASKS, FillMaskPipeline, TextClassificationPipeline, pipeline
from tests.hub_server import python, serving
from tests.pipelines.models import (
    assert_same,
    our_model,
    our_tokenizer,
    ours,
    their_model,
    their_tokenizer,
    theirs,
)

transformers.logging.set_verbosity_error()
pytestmark = [
    pytest.mark.usefixtures("exact_pipelines"),
    pytest.mark.filterwarnings("ignore::FutureWarning:transformers"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:transformers"),
]

SKY = "The sky is <mask>."
TEXTS = ["Who?", "Anna lives in Rome.", "The sky"]
LABELS = {"id2label": ((0, "B-X"), (1, "I-X"), (2, "O"))}
ANSWERED = {"question": "Who lives in Rome?", "context": "Anna lives in Rome. The sky is blue."}
#: task: (class of the model, its labels, an input)
CASES = {
    "fill-mask": ("RobertaForMaskedLM", None, SKY),
    "feature-extraction": ("RobertaModel", None, "Anna lives in Rome."),
    "text-classification": ("RobertaForSequenceClassification", LABELS, "Anna lives in Rome."),
    "token-classification": ("RobertaForTokenClassification", LABELS, "Anna lives in Rome."),
    "question-answering": ("RobertaForQuestionAnswering", None, ANSWERED),
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """A masked language model with its tokenizer, as transformers saves them."""
    path = tmp_path_factory.mktemp("callers") / "model"
    their_model("RobertaForMaskedLM").save_pretrained(path)
    their_tokenizer().save_pretrained(path)
    return str(path)


# The keywords of `pipeline`


@pytest.mark.parametrize(
    "keywords",
    [
        {"revision": "main", "token": None, "trust_remote_code": True, "use_fast": True},
        {"framework": "pt", "feature_extractor": None, "image_processor": None, "processor": None},
        {"num_workers": 0, "batch_size": 2, "binary_output": False, "modelcard": None},
        {"torch_dtype": torch.float64},
        {"torch_dtype": "float64"},
        {"model_kwargs": {"torch_dtype": "float64"}},
        {"model_kwargs": {"attn_implementation": "eager", "low_cpu_mem_usage": True}},
        {"model_kwargs": {"local_files_only": True, "cache_dir": "nowhere"}},
    ],
    ids=str,
)
def test_keywords_of_pipeline(directory, keywords):
    there = transformers.pipeline("fill-mask", directory, device="cpu", **copy.deepcopy(keywords))
    dtype = {} if "dtype" in str(keywords) else {"dtype": "float64"}
    here = pipeline("fill-mask", directory, **keywords, **dtype)
    assert here.dtype == "float64"
    assert_same(here([SKY, "A <mask>."]), there([SKY, "A <mask>."]))


def test_a_configuration_by_name_or_as_an_object(directory, tmp_path):
    RobertaConfig.from_pretrained(directory, layer_norm_eps=0.5).save_pretrained(tmp_path)
    model = transformers.RobertaForMaskedLM.from_pretrained(
        directory, config=transformers.RobertaConfig.from_pretrained(tmp_path), dtype=torch.float64
    )
    there = transformers.pipeline("fill-mask", model, tokenizer=their_tokenizer(), device="cpu")
    expected = there(SKY)
    for config in (str(tmp_path), tmp_path, RobertaConfig.from_pretrained(tmp_path)):
        assert_same(pipeline("fill-mask", directory, config=config, dtype="float64")(SKY), expected)
    assert pipeline("fill-mask", directory, dtype="float64")(SKY) != expected


def test_a_tokenizer_with_its_options(directory):
    options = {"add_prefix_space": True}
    named = transformers.pipeline(
        "fill-mask", directory, tokenizer=(directory, dict(options)), device="cpu"
    )
    own = pipeline("fill-mask", directory, (directory, options), dtype="float64")
    assert_same(own(SKY), named(SKY))
    assert own(SKY) != pipeline("fill-mask", directory, dtype="float64")(SKY)


def test_a_model_object_with_the_tokenizer_of_a_configuration(directory):
    expected = ours("fill-mask", "RobertaForMaskedLM")(SKY)
    model = our_model("RobertaForMaskedLM")
    assert pipeline("fill-mask", model, config=directory)(SKY) == expected
    assert pipeline("fill-mask", model, our_tokenizer(), config=model.config)(SKY) == expected


@pytest.mark.parametrize("device", [-1, "cpu", torch.device("cpu"), np.int64(-1)], ids=repr)
def test_devices(device):
    fill = ours("fill-mask", "RobertaForMaskedLM", device=device)
    assert fill.device == "cpu"
    kind = FillMaskPipeline(our_model("RobertaForMaskedLM"), our_tokenizer(), device=device)
    assert kind(SKY) == fill(SKY)


@pytest.mark.parametrize("device", [1000, "cuda:1000", torch.device("cuda", 1000)], ids=repr)
def test_a_device_that_is_not_there_is_named(device):
    with pytest.raises((ValueError, ModuleNotFoundError), match="cuda"):
        ours("fill-mask", "RobertaForMaskedLM", device=device)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"framework": "tf"}, "framework is 'tf', but must be .*NumPy"),
        ({"load_in_8bit": True}, "load_in_8bit is True, .*float16"),
        ({"model_kwargs": {"load_in_4bit": True}}, "load_in_4bit is True, .*float16"),
        ({"dtype": "float32", "torch_dtype": "float64"}, "they mean the same"),
        ({"dtype": "float32", "model_kwargs": {"dtype": "float64"}}, "dtype .* in model_kwargs"),
        ({"revision": "a", "model_kwargs": {"revision": "b"}}, "revision .* in model_kwargs"),
        ({"model_kwargs": ["dtype"]}, "model_kwargs is .*a dictionary"),
        ({"targets": [5]}, "a target is 5, but must be a string"),
        ({"pipeline_class": RobertaForMaskedLM}, "pipeline_class is .* subclass of Pipeline"),
    ],
    ids=str,
)
def test_keywords_that_are_refused(directory, keywords, sentence):
    with pytest.raises((ValueError, TypeError), match=sentence):
        pipeline("fill-mask", directory, **keywords)(SKY)


@pytest.mark.parametrize(
    ("keywords", "sentence"),
    [
        ({"model_kwargs": {"num_labels": 3}}, "model_kwargs has num_labels, but the model is an"),
        ({"config": RobertaConfig()}, "config is not that of the model object"),
    ],
    ids=["num_labels", "config"],
)
def test_a_model_object_is_loaded_already(keywords, sentence):
    with pytest.raises(ValueError, match=sentence):
        ours("fill-mask", "RobertaForMaskedLM", **keywords)


def test_fields_of_the_configuration_in_model_kwargs(directory):
    fill = pipeline("fill-mask", directory, dtype="float64", model_kwargs={"layer_norm_eps": 0.5})
    config = RobertaConfig.from_pretrained(directory, layer_norm_eps=0.5)
    assert fill(SKY) == pipeline("fill-mask", directory, config=config, dtype="float64")(SKY)


def test_a_class_in_place_of_the_tasks(directory):
    class Loud(FillMaskPipeline):
        pass

    assert type(pipeline("fill-mask", directory, pipeline_class=Loud)) is Loud


def test_objects_of_transformers_are_not_taken():
    for parts in (
        (their_model("RobertaForMaskedLM"), our_tokenizer()),
        (our_model("RobertaForMaskedLM"), their_tokenizer()),
    ):
        with pytest.raises(TypeError, match="of this package, not of transformers, whose save_pre"):
            pipeline("fill-mask", *parts)


# No task


@pytest.mark.parametrize("task", sorted(set(TASKS) - {"zero-shot-classification", "score"}))
def test_the_task_of_a_models_class(task, tmp_path):
    config = RobertaConfig(
        *(8192, 12),
        num_hidden_layers=1,
        num_attention_heads=3,
        intermediate_size=7,
        is_decoder=task == "text-generation",
    )
    kind, model_class = TASKS[task]
    model = model_class(config)
    assert type(pipeline(model=model, tokenizer=our_tokenizer())) is kind
    model.save_pretrained(tmp_path)
    our_tokenizer().save_pretrained(tmp_path)
    assert type(pipeline(model=tmp_path)) is kind


@pytest.mark.parametrize("architectures", [None, [], ["RobertaForSomething"]])
def test_a_class_without_a_task(directory, tmp_path, architectures):
    config = json.loads(Path(directory, "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "architectures": architectures}))
    with pytest.raises(ValueError, match="which has no task of its own: give task=, one of fill-"):
        pipeline(model=tmp_path)


# The files of the hub


def test_options_of_the_hub(directory, tmp_path):
    model = RobertaForMaskedLM.from_pretrained(directory)
    expected = pipeline("fill-mask", model, our_tokenizer())(SKY, top_k=1)[0]["token"]
    with serving() as hub:
        hub.add("lab/tiny", Path(directory))
        hub.files["lab/nested"] = {f"a/{k}": data for k, data in hub.files["lab/tiny"].items()}
        hub.gated = {"lab/tiny"}
        commit, cache = hub.commit("lab/tiny"), str(tmp_path / "elsewhere")
        code = f"""
import io, contextlib
from minirobert.cli import main
def fill(*names, **options):
    return pipeline("fill-mask", *names, **options)({SKY!r}, top_k=1)[0]["token"]
def run(*arguments):
    with contextlib.redirect_stdout(io.StringIO()) as output:
        code = main([*arguments, "--json"])
    return code, json.loads(output.getvalue())
kept = {{"cache_dir": {cache!r}, "local_files_only": True}}
there = ["--revision", {commit!r}, "--token", "hf_member", "--cache-dir", {cache!r}]
both = there, ["--cache-dir", {cache!r}, "--revision", {commit!r}, "--local-files-only"]
asked = ["fill-mask", {SKY!r}, "--model", "lab/tiny"]
answers = [
    fill("lab/tiny", revision={commit!r}, token="hf_member", cache_dir={cache!r}),
    fill("lab/tiny", model_kwargs=kept, revision={commit!r}),
    fill("lab/nested", subfolder="a"),
    fill(minirobert.TINY, "lab/tiny", token="hf_member") is not None,
    [run(*asked, *more)[1][0]["token"] for more in both],
    [run("tokenize", "A", "--model", "lab/tiny", *more)[1]["ids"] for more in both],
    ["lm_head.bias" in run("inspect", "lab/tiny", *more)[1] for more in both],
]
"""
        answers = python(code, tmp_path, hub.url)
    ids = our_tokenizer()("A")["input_ids"]
    assert answers == [*[expected] * 3, True, [expected] * 2, [ids] * 2, [True, True]]
    assert (tmp_path / "elsewhere" / "models--lab--tiny" / "snapshots" / commit).is_dir()


# Inputs


class Numbered:
    """A data set in the style of torch: items by number, and not an IndexError at the end."""

    def __init__(self, items):
        self.items = {str(i): item for i, item in enumerate(items)}

    def __len__(self):
        return len(self.items)

    def __getitem__(self, number):
        return self.items[str(number)]


class OfTorch(Numbered, torch.utils.data.Dataset):
    pass


class Stream(torch.utils.data.IterableDataset):
    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return iter(self.items)


class Endless:
    """Items by number alone."""

    def __init__(self, items):
        self.items = items

    def __getitem__(self, number):
        return self.items[number]


class Series:
    """A stand-in for a series of pandas: its index is not that of the items."""

    def __init__(self, items):
        self.items = dict(zip("cab", items, strict=True))

    def __len__(self):
        return len(self.items)

    def __iter__(self):
        return iter(self.items.values())

    def __getitem__(self, name):
        return self.items[name]

    def tolist(self):
        return list(self)


class Arrow:
    """A stand-in for a column of Arrow, whose items are not strings."""

    def __init__(self, items):
        self.items = items

    def __iter__(self):
        return map(Scalar, self.items)

    def to_pylist(self):
        return self.items


class Scalar(NamedTuple):
    """A stand-in for an item of such a column."""

    value: Any

    def as_py(self):
        return self.value


STREAMS = {
    "torch": OfTorch,
    "subset": lambda items: torch.utils.data.Subset(OfTorch([*items, None]), range(len(items))),
    "concatenated": lambda items: torch.utils.data.ConcatDataset([OfTorch([i]) for i in items]),
    "iterable": Stream,
    "column": lambda items: KeyDataset([{"text": item, "label": 1} for item in items], "text"),
    "generator": lambda items: (item for item in items),
}
OURS_ALONE = {
    "numbered": Numbered,
    "endless": Endless,
    "loader": lambda items: torch.utils.data.DataLoader(items, batch_size=None),
    "scalars of a stream": lambda items: iter(Arrow(items)),
}
LISTS = {"array": np.array, "objects": lambda i: np.array(i, dtype=object), "series": Series,
    "arrow": Arrow, "tuple": tuple, "scalars": lambda i: list(Arrow(i))}  # fmt: skip


@pytest.mark.parametrize("form", STREAMS)
@pytest.mark.parametrize("batch_size", [1, 2])
@pytest.mark.parametrize("task", CASES)
def test_data_sets(task, form, batch_size):
    kind, labels, one = CASES[task]
    inputs = [one] * 2 + ([one | {"question": "Where?"}] if isinstance(one, dict) else [one + " A"])
    # in these tasks, transformers reads up to an IndexError, which not all data sets raise
    in_chunks = task in ("question-answering", "token-classification")
    form_there = "generator" if in_chunks and form == "torch" else form
    expected = list(theirs(task, kind, labels)(STREAMS[form_there](inputs), batch_size=1))
    found = ours(task, kind, labels)(STREAMS[form](inputs), batch_size=batch_size)
    assert iter(found) is iter(found)
    assert_same(list(found), float_scores(expected))


@pytest.mark.parametrize("form", [*OURS_ALONE, *LISTS])
@pytest.mark.parametrize("task", CASES)
def test_forms_that_are_not_in_transformers(task, form):
    kind, labels, one = CASES[task]
    make = {**OURS_ALONE, **LISTS}[form]
    if isinstance(one, dict) and form in ("array", "loader"):
        return
    pipe, inputs = ours(task, kind, labels), [one] * 3
    found = pipe(make(inputs))
    assert isinstance(found, list) == (form in LISTS)
    assert list(found) == pipe(inputs)
    assert pipe(Scalar(one)) == pipe(one)


def test_forms_beside_the_inputs():
    fill, ask = (ours(task, CASES[task][0]) for task in ("fill-mask", "question-answering"))
    assert fill(SKY, targets=np.array(["Ġblue", "Ġred"])) == fill(SKY, targets=["Ġblue", "Ġred"])
    assert fill(np.array([SKY])) == fill([SKY])
    texts = {name: [text] * 2 for name, text in ANSWERED.items()}
    assert ask(**{name: np.array(some) for name, some in texts.items()}) == ask(**texts)
    label = ours("token-classification", CASES["token-classification"][0], LABELS)
    words = ["Anna", "Rome"]
    assert label(np.array(words), is_split_into_words=True) == label(
        words, is_split_into_words=True
    )


def test_a_table_is_not_a_column():
    pandas = {"columns": np.array(["id", "text"], object), "shape": (1, 2), "__iter__": None}
    arrow = {**pandas, "columns": [[1], ["a"]], "column_names": ["id", "text"]}
    fill = ours("fill-mask", "RobertaForMaskedLM")
    for columns in (pandas, arrow):
        frame = type("DataFrame", (), columns)()
        sentence = 'is a DataFrame, but must be one column of it, as in df["text"]'
        with pytest.raises(TypeError, match=f"{re.escape(sentence)}.*: 'id', 'text'"):
            fill(frame)
    numbered = type("DataFrame", (), {**pandas, "columns": range(3)})()
    with pytest.raises(TypeError, match=r"as in df\[0\].*: 0, 1, 2"):
        fill(numbered)


def test_lists_of_questions_in_one_dictionary():
    kind, questions = CASES["question-answering"][0], "question-answering"
    lists = {"question": ["Who?", "Where?"], "context": ["Anna.", "Anna lives in Rome."]}
    there, here = theirs(questions, kind), ours(questions, kind)
    expected = there(lists)
    assert_same(here(lists), expected)
    assert here({**lists, "id": ["1", "2"]}) == here(here.create_sample(**lists)) == here(lists)
    assert here(here.create_sample(**ANSWERED)) == here(ANSWERED)
    shared = {"question": lists["question"], "context": "Anna lives in Rome."}
    assert here(shared) == here(**shared)


def test_two_texts_for_one_pair():
    classify = ours("text-classification", CASES["text-classification"][0], LABELS)
    with pytest.raises(ValueError, match="the text has a text_pair, and so has the call"):
        classify({"text": "a", "text_pair": "b"}, text_pair="c")


@pytest.mark.parametrize("task", ["fill-mask", "feature-extraction", "token-classification"])
def test_rows_are_not_texts(task):
    kind, labels, one = CASES[task]
    pipe = ours(task, kind, labels)
    for form in (list, iter, Numbered):
        with pytest.raises(TypeError, match=r"must be a string: of a data set's rows give the te"):
            list(pipe(form([{"text": one, "label": 1}])))


# Old names, and keywords without effect


OLD_NAMES = [
    ("question-answering", {"topk": 2}),
    ("question-answering", {"padding": "max_length"}),
    ("question-answering", {"max_question_len": 8}),
    ("token-classification", {"grouped_entities": True}),
    ("token-classification", {"grouped_entities": True, "ignore_subwords": True}),
    ("token-classification", {"ignore_subwords": False}),
    ("token-classification", {"aggregation_strategy": AggregationStrategy.MAX}),
    ("text-classification", {"return_all_scores": True}),
    ("text-classification", {"return_all_scores": False}),
    ("text-classification", {"function_to_apply": ClassificationFunction.SIGMOID}),
    ("text-classification", {"text_pair": "The sky is blue."}),
    ("feature-extraction", {"tokenize_kwargs": {"truncation": True, "max_length": 4}}),
    *((task, {"num_workers": 0}) for task in CASES),
]


@pytest.mark.filterwarnings("ignore::UserWarning:transformers")
@pytest.mark.parametrize(("task", "keywords"), OLD_NAMES, ids=str)
def test_old_names(task, keywords):
    kind, labels, one = CASES[task]
    expected = theirs(task, kind, labels)(one, **copy.deepcopy(keywords))
    assert_same(ours(task, kind, labels)(one, **keywords), float_scores(expected))
    expected = theirs(task, kind, labels, **copy.deepcopy(keywords))(one)
    assert_same(ours(task, kind, labels, **keywords)(one), float_scores(expected))


def float_scores(found):
    """Make floats of the numbers of NumPy that transformers gives for entities."""
    if isinstance(found, list):
        return [float_scores(one) for one in found]
    if isinstance(found, dict):
        return {k: float(v) if isinstance(v, np.floating) else v for k, v in found.items()}
    return found


@pytest.mark.parametrize("name", ["data", "X"])
def test_old_names_of_questions(name):
    kind, ask = CASES["question-answering"][0], "question-answering"
    for inputs in (ANSWERED, [ANSWERED, ANSWERED]):
        expected = theirs(ask, kind)(**{name: inputs})
        assert_same(ours(ask, kind)(**{name: inputs}), expected)


def test_old_name_of_several_labels():
    names = {"id2label": ((0, "contradiction"), (1, "neutral"), (2, "entailment"))}
    pipes = [
        make("zero-shot-classification", "RobertaForSequenceClassification", names)
        for make in (theirs, ours)
    ]
    expected, actual = (pipe("Anna", ["a", "b"], multi_class=True) for pipe in pipes)
    assert_same(actual, expected)
    assert actual != pipes[1]("Anna", ["a", "b"])


def test_options_that_zero_shot_classification_leaves_unread():
    names = {"id2label": ((0, "contradiction"), (1, "neutral"), (2, "entailment"))}
    make = "zero-shot-classification", "RobertaForSequenceClassification", names
    for options in ({"truncation": True}, {"padding": True}, {"truncation": "only_first"}):
        expected = theirs(*make)("Anna", ["a", "b"], **options)
        assert_same(ours(*make)("Anna", ["a", "b"], **options), expected)
    with pytest.raises(ValueError, match=r"max_length is 9, but must be .*in tokenizer_kwargs"):
        ours(*make)("Anna", ["a", "b"], max_length=9)


@pytest.mark.parametrize(
    ("task", "name", "cure"),
    [
        ("fill-mask", "truncation", "in tokenizer_kwargs"),
        ("feature-extraction", "max_length", "in tokenizer_kwargs"),
        ("question-answering", "truncation", "max_seq_len"),
        ("token-classification", "truncation", "stride="),
    ],
)
def test_an_option_of_the_tokenizer_in_the_wrong_place(task, name, cure):
    kind, labels, one = CASES[task]
    pipe = ours(task, kind, labels)
    with pytest.raises(ValueError, match=f"{name} is 9, but must be .*{cure}"):
        pipe(one, **{name: 9})
    assert pipe(one, padding=True) == pipe(one)


def test_topk_of_other_tasks():
    for task, top_k in (("fill-mask", 3), ("text-classification", 2)):
        kind, labels, one = CASES[task]
        pipe = ours(task, kind, labels)
        assert pipe(one, topk=top_k) == pipe(one, top_k=top_k)
        with pytest.raises(ValueError, match="topk is 2, but top_k is 1: they mean the same"):
            pipe(one, topk=2, top_k=1)


@pytest.mark.filterwarnings("ignore::UserWarning:transformers")
@pytest.mark.parametrize("says", [True, False])
@pytest.mark.parametrize("keywords", [{}, {"top_k": 2}, {"return_all_scores": False}], ids=str)
def test_return_all_scores_of_a_config(says, keywords):
    their = theirs("text-classification", CASES["text-classification"][0], LABELS).model
    model = our_model("RobertaForSequenceClassification", **LABELS)
    config = RobertaConfig.from_dict({**model.config.to_dict(), "return_all_scores": says})
    own = RobertaForSequenceClassification(config, model.params)
    their.config.return_all_scores = says
    try:
        for made in ({}, keywords):
            there = transformers.pipeline(
                "text-classification", their, tokenizer=their_tokenizer(), device="cpu", **made
            )
            here = pipeline("text-classification", own, our_tokenizer(), **made)
            for inputs in ("Who?", TEXTS):
                assert_same(here(inputs, **keywords), there(inputs, **keywords))
                assert_same(here(inputs), there(inputs))
    finally:
        del their.config.return_all_scores


GENERATION = [
    ("handle_long_generation", "hole", "truncation"),
    ("stop_sequence", "a", "eos_token_id"),
    ("return_type", 0, "return_full_text"),
    ("truncation", True, "max_length"),
    ("skip_special_tokens", False, "return_tensors"),
    ("assistant_model", "a", "one model"),
    ("continue_final_message", True, "chats"),
]


@pytest.mark.parametrize(("name", "value", "cure"), GENERATION)
def test_options_of_text_generation_that_are_refused(name, value, cure):
    pipe = ours("text-generation", "RobertaForCausalLM", {"is_decoder": True})
    with pytest.raises(ValueError, match=f"{name} is .*{cure}"):
        pipe("A", **{name: value})
    with pytest.raises(ValueError, match=f"{name} is .*{cure}"):
        ours("text-generation", "RobertaForCausalLM", {"is_decoder": True}, **{name: value})


def test_given_offsets_are_refused():
    label = ours("token-classification", CASES["token-classification"][0], LABELS)
    with pytest.raises(ValueError, match="the tokenizer knows where in the text"):
        label("A", offset_mapping=[(0, 1)])


# Targets


TARGETS = [["Ġblue", "Ġred"], "Ġgreen", ["Ġa"]]


@pytest.mark.parametrize("batch_size", [1, 3])
def test_targets_of_each_text(batch_size):
    texts = [SKY, "A <mask>.", "A long <mask> of <mask>"]
    there, here = (
        theirs("fill-mask", CASES["fill-mask"][0]),
        ours("fill-mask", CASES["fill-mask"][0]),
    )
    expected = [there(text, targets=some) for text, some in zip(texts, TARGETS, strict=True)]
    assert_same(here(texts, targets=TARGETS, batch_size=batch_size), expected)
    assert_same(here(SKY, targets=TARGETS[:1]), expected[0])
    assert_same(here([SKY], targets=TARGETS[:1]), expected[0])


def test_wrong_targets_of_each_text():
    fill = ours("fill-mask", CASES["fill-mask"][0])
    with pytest.raises(ValueError, match="targets has 3 lists, but there are 2 texts"):
        fill([SKY, SKY], targets=TARGETS)
    with pytest.raises(ValueError, match="targets has 3 lists, but there are 1 texts"):
        fill(SKY, targets=TARGETS)
    with pytest.raises(TypeError, match="give the texts as a list, too"):
        fill(iter([SKY]), targets=TARGETS[:1])


# What a pipeline has


@pytest.mark.parametrize("task", CASES)
def test_a_pipeline_as_an_object(task, tmp_path):
    kind, labels, one = CASES[task]
    pipe = ours(task, kind, labels)
    expected = pipe([one, one])
    assert pipe.predict([one, one]) == pipe.transform([one, one]) == expected
    assert (pipe.task, pipe.framework, pipe.device, pipe.dtype) == (task, "np", "cpu", "float64")
    assert pipe.torch_dtype == pipe.dtype
    assert pipe.tokenizer("A", return_tensors=pipe.framework)["input_ids"].shape == (1, 3)
    pipe.save_pretrained(tmp_path, max_shard_size="5GB")
    assert_same(pipeline(task, tmp_path, dtype="float64")([one, one]), expected)
    there = transformers.pipeline(task, str(tmp_path), device="cpu")
    assert_same(expected, float_scores(there([one, one])))


def test_a_class_of_pipelines_with_transformers_arguments():
    classify = TextClassificationPipeline(
        model=our_model("RobertaForSequenceClassification", **LABELS),
        tokenizer=our_tokenizer(),
        framework="pt",
        task="text-classification",
        device=-1,
        num_workers=2,
        return_all_scores=True,
    )
    there = theirs("text-classification", CASES["text-classification"][0], LABELS, top_k=None)
    by_name = {one["label"]: one["score"] for one in there("Who?")[0]}
    assert {one["label"]: one["score"] for one in classify("Who?")[0]} == pytest.approx(by_name)


# Options of the tokenizer


@pytest.mark.parametrize("task", ["fill-mask", "feature-extraction", "text-classification"])
@pytest.mark.parametrize(
    "options",
    [
        {"return_tensors": "pt"},
        {"return_overflowing_tokens": True},
        {"text_pair": "b"},
        {"is_split_into_words": True},
    ],
    ids=str,
)
def test_options_of_the_tokenizer_that_are_not_of_rows(task, options):
    kind, labels, one = CASES[task]
    if task == "text-classification" and "text_pair" in options:
        return
    with pytest.raises(TypeError, match=re.escape("tokenizer_kwargs is ") + ".*but must be a dict"):
        ours(task, kind, labels)(one, tokenizer_kwargs=options)


@pytest.mark.parametrize("task", ["fill-mask", "feature-extraction", "text-classification"])
@pytest.mark.parametrize(
    "options",
    [
        {"return_attention_mask": False},
        {"return_token_type_ids": True},
        {"padding": "max_length", "max_length": 40},
        {"pad_to_multiple_of": 16, "padding": True},
        {"truncation": True, "max_length": 30, "stride": 2},
        {"truncation": "longest_first", "verbose": False},
    ],
    ids=str,
)
def test_options_of_the_tokenizer(task, options):
    kind, labels, one = CASES[task]
    if task == "text-classification":
        expected = theirs(task, kind, labels)(one, **options)
    else:
        name = "tokenize_kwargs" if task == "feature-extraction" else "tokenizer_kwargs"
        expected = theirs(task, kind, labels)(one, **{name: dict(options)})
    assert_same(ours(task, kind, labels)(one, tokenizer_kwargs=options), expected)
    if "padding" not in options:
        pipe = ours(task, kind, labels)
        several = pipe([one, one + " A"], tokenizer_kwargs=options, batch_size=2)
        assert_same(several[0], pipe([one, one + " A"])[0])


@pytest.mark.parametrize(
    "name", ["return_length", "return_offsets_mapping", "return_special_tokens_mask"]
)
def test_columns_that_nobody_reads(name):
    fill = ours("fill-mask", CASES["fill-mask"][0])
    assert fill(SKY, tokenizer_kwargs={name: True}) == fill(SKY)
