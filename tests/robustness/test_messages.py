"""Whatever is given to whatever can be called: messages are short, on one line, and come soon."""

import dataclasses
import json
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from minirobert import (
    AddedToken,
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BatchEncoding,
    GenerationConfig,
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    RobertaTokenizer,
    pipeline,
    to_device,
)
from minirobert.generation.options import RULES
from minirobert.parameters import build_tree, parameter_shapes
from minirobert.pipelines import TASKS
from minirobert.sentences import LIMIT
from minirobert.tokenization.added_tokens import FLAGS
from minirobert.tokenization.byte_alphabet import BYTE_TO_CHAR
from minirobert.tokenization.rows.options import CallOptions
from minirobert.tokenization.settings import SETTINGS
from minirobert.tokenization.special_tokens import SPECIAL_TOKEN_NAMES

EXPECTED = (ValueError, TypeError, OSError, AttributeError, LookupError, ModuleNotFoundError)
SECONDS = 5  # much more than any message takes, on a machine that is busy with other things


# Values


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


class Endless:
    def __repr__(self):
        return "é\n" * 10**6

    __str__ = __repr__


class LongName(dict):
    pass


LongName.__name__ = "L" * 10**5


def nested(depth):
    value = []
    for _ in range(depth):
        value = [value]
    return value


#: Names, which are also keywords, keys and paths.
NAMES = {
    "long": lambda size: "x" * size,
    "words": lambda size: "of the cat " * (size // 11),
    "path": lambda size: "a/" * (size // 2),
    "slashes": lambda size: "dir/" * 1000 + "file",
    "controls": lambda size: "\x00\x1b[31m\r\n\x7f\x85\u2028\u202e" * (size // 100),
    "lines": lambda size: "a\nb\r\n\tc" * 100,
    "one line break": lambda size: "a\nb",
    "escape": lambda size: "\x1b[2J",
    "surrogates": lambda size: "\ud800" * size,
    "one surrogate": lambda size: "a\udc80b",
    "quotes": lambda size: "'\"\\" * size,
    "braces": lambda size: "{}{0}{x}%s" * (size // 10),
    "beyond": lambda size: "\U0001f600é" * size,
    "digits": lambda size: "9" * size,
    "number": lambda size: "9" * 5000,
    "empty": lambda size: "",
}
VALUES = {
    **NAMES,
    "bytes": lambda size: b"\xff\x00" * size,
    "few bytes": lambda size: b"\xff\x00",
    "list": lambda size: list(range(size)),
    "list of strings": lambda size: ["y" * 1000] * (size // 100),
    "list of one": lambda size: ["z" * size],
    "list of lists": lambda size: [[0] * 100] * (size // 100),
    "nested": lambda size: nested(500),
    "tuple": lambda size: tuple(range(size)),
    "set": lambda size: {f"s{i}" for i in range(size)},
    "dictionary": lambda size: {f"key{i}": "v" * 100 for i in range(size // 10)},
    "dictionary of one": lambda size: {"k" * size: "v" * size},
    "nested dictionary": lambda size: {"a" * 1000: {"b" * 1000: {"c" * 1000: "d" * size}}},
    "dictionary of numbers": lambda size: {i: f"name{i}" for i in range(size // 10)},
    "integer": lambda size: 10**5000,
    "large": lambda size: 10**30,
    "negative": lambda size: -(10**4000),
    "list of integers": lambda size: [10**5000] * 10,
    "float": lambda size: float("nan"),
    "infinity": lambda size: float("inf"),
    "complex": lambda size: 1j,
    "array": lambda size: np.arange(size, dtype=np.float64),
    "array of strings": lambda size: np.array(["t" * 100] * (size // 100)),
    "array of objects": lambda size: np.array([{}, [], None], dtype=object),
    "matrix": lambda size: np.zeros((size // 10, 10)),
    "axes": lambda size: np.zeros((1,) * 30),
    "tensor": lambda size: torch.arange(size // 10),
    "unprintable": lambda size: Unprintable(),
    "list of unprintables": lambda size: [Unprintable()] * 10,
    "endless": lambda size: Endless(),
    "long name": lambda size: LongName(),
    "object": lambda size: object(),
    "class": lambda size: Endless,
    "generator": lambda size: iter(range(3)),
    "none": lambda size: None,
    "true": lambda size: True,
}


# What is called

TOKENS = ["<s>", "<pad>", "</s>", "<unk>", *BYTE_TO_CHAR, "<mask>"]
VOCAB = {token: i for i, token in enumerate(TOKENS)}
SIZES = {
    "vocab_size": 300,
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 3,
    "max_position_embeddings": 40,
    "pad_token_id": 1,
}
IDS = [[0, 5, 6, 2]]


def config(**fields):
    return RobertaConfig(**SIZES, **fields)


def tokenizer(**options):
    return RobertaTokenizer.from_vocab(VOCAB, [], **options)


def model_of(task):
    """Make a model that a pipeline of a task takes."""
    return TASKS[task][1](config(is_decoder=task == "text-generation"))


def pipe(task, **options):
    return pipeline(task, model_of(task), tokenizer(), **options)


MODELS = (
    *(RobertaModel, RobertaForMaskedLM, RobertaForCausalLM, RobertaForSequenceClassification),
    *(RobertaForTokenClassification, RobertaForQuestionAnswering, RobertaForMultipleChoice),
)
ARGUMENTS = (
    *("input_ids", "attention_mask", "token_type_ids", "position_ids", "head_mask"),
    *("inputs_embeds", "labels", "start_positions", "end_positions", "encoder_hidden_states"),
    *("encoder_attention_mask", "past_key_values", "use_cache", "cache_position", "return_dict"),
    *("output_attentions", "output_hidden_states", "train", "rng"),
)
#: A text that each task answers.
TEXTS = {
    **dict.fromkeys(TASKS, "a"),
    "fill-mask": "a<mask>",
    "question-answering": {"question": "a", "context": "b"},
    "multiple-choice": {"question": "a", "choices": ["b", "c"]},
}
OF_TASKS = {
    "fill-mask": ("top_k", "targets"),
    "feature-extraction": ("pooling", "normalize", "return_tensors"),
    "text-classification": ("top_k", "function_to_apply"),
    "token-classification": ("aggregation_strategy", "ignore_labels", "stride", "delimiter"),
    "question-answering": ("top_k", "doc_stride", "max_answer_len", "max_seq_len"),
    "zero-shot-classification": ("candidate_labels", "hypothesis_template", "multi_label"),
    "multiple-choice": ("top_k",),
    "text-generation": ("prefix", "return_full_text", "rng", "stop_strings", "max_new_tokens"),
    "score": (),
}
OF_ALL = ("batch_size", "tokenizer_kwargs", "progress_bar")


def of_config():
    for name in SIZES | {one.name: None for one in dataclasses.fields(RobertaConfig)}:
        yield f"RobertaConfig({name})", lambda v, name=name: RobertaConfig(**{**SIZES, name: v})
        yield f"config.{name} =", lambda v, name=name: setattr(config(), name, v)
        yield f"from_dict({name})", lambda v, name=name: RobertaConfig.from_dict({name: v})
    yield "from_dict", RobertaConfig.from_dict
    yield "update", lambda v: config().update(v)
    yield "update, a key", lambda v: config().update({"hidden_size": v})
    yield "for_model", AutoConfig.for_model
    yield "RobertaConfig.from_pretrained", RobertaConfig.from_pretrained
    yield "from_json_file", RobertaConfig.from_json_file
    yield "to_json_string", lambda v: config(mine=v).to_json_string()
    yield "save_pretrained, options", lambda v: config().save_pretrained("here", push_to_hub=v)


def of_generation():
    decoder = model_of("text-generation")
    for name in RULES:
        yield f"GenerationConfig({name})", lambda v, name=name: GenerationConfig(**{name: v})
        yield f"generate({name})", lambda v, name=name: decoder.generate(IDS, **{"rng": 0, name: v})
    yield "GenerationConfig.from_dict", GenerationConfig.from_dict
    yield "GenerationConfig.from_pretrained", GenerationConfig.from_pretrained
    for name in ("input_ids", "attention_mask", "rng", "generation_config", "tokenizer", "inputs"):
        yield f"generate({name})", lambda v, name=name: decoder.generate(**{name: v})
        yield f"stream({name})", lambda v, name=name: list(decoder.stream(**{name: v}))


def of_models():
    for kind in MODELS:
        model = kind(config(is_decoder=kind is RobertaForCausalLM))
        for name in ARGUMENTS:
            given = {} if name == "inputs_embeds" else {"input_ids": IDS}
            yield (
                f"{kind.__name__}()({name})",
                lambda v, model=model, given=given, name=name: model(**{**given, name: v}),
            )
        yield kind.__name__, kind
    yield "params", lambda v: RobertaModel(config(), v)
    yield "architecture", lambda v: parameter_shapes(config(), v)
    yield "build_tree", build_tree
    for method in ("resize_token_embeddings", "prune_heads", "set_input_embeddings", "to"):
        yield method, lambda v, method=method: getattr(RobertaForMaskedLM(config()), method)(v)
    yield "astype", lambda v: RobertaModel(config()).astype(v)
    yield "prune_heads, of a layer", lambda v: RobertaModel(config()).prune_heads({0: v})
    yield "output[]", lambda v: RobertaModel(config())(IDS)[v]
    yield "train", lambda v: RobertaModel(config()).train(v)
    cache = RobertaForCausalLM(config(is_decoder=True))(IDS).past_key_values
    yield "crop", lambda v: cache.crop(v)
    yield "reorder_cache", lambda v: cache.reorder_cache(v)
    yield "from_legacy_cache", KeyValueCache.from_legacy_cache
    yield "to_device", lambda v: to_device(np.zeros(3), v)
    yield "to_device, the array", lambda v: to_device(v, "cpu")
    for name in ("config", "dtype", "device", "seed", "strict", "strip_prefix", "variant"):
        yield (
            f"RobertaModel.from_pretrained({name})",
            lambda v, name=name: RobertaModel.from_pretrained("saved", **{name: v}),
        )
    for name in ("subfolder", "revision", "cache_dir", "token", "num_labels", "id2label"):
        yield (
            f"AutoModel.from_pretrained({name})",
            lambda v, name=name: AutoModel.from_pretrained("saved", **{name: v}),
        )
    yield "RobertaModel.from_pretrained", RobertaModel.from_pretrained
    yield "AutoConfig.from_pretrained", AutoConfig.from_pretrained


def of_tokenizers():
    def small(method, *before, **more):
        return lambda v: getattr(tokenizer(), method)(*before, v, **more)

    for name in CallOptions._fields:
        yield f"tokenizer({name})", lambda v, name=name: tokenizer()(["a", "bc"], **{name: v})
    for name in ("text_pair", "text_target"):
        yield f"tokenizer({name})", lambda v, name=name: tokenizer()("a", **{name: v})
    for method in (
        *("__call__", "encode", "tokenize", "decode", "batch_decode", "convert_tokens_to_ids"),
        *("convert_ids_to_tokens", "convert_tokens_to_string", "add_tokens", "pad"),
        *("add_special_tokens", "build_inputs_with_special_tokens", "get_special_tokens_mask"),
        *("prepare_for_model", "truncate_sequences", "batch_encode_plus", "encode_plus"),
    ):
        yield method, small(method)
        yield f"{method} of a list", lambda v, method=method: small(method)([v])
    yield "words", small("__call__", is_split_into_words=True)
    for role in (*SPECIAL_TOKEN_NAMES, *SETTINGS, "additional_special_tokens"):
        yield f"tokenizer.{role} =", lambda v, role=role: setattr(tokenizer(), role, v)
        yield f"from_vocab({role})", lambda v, role=role: tokenizer(**{role: v})
        yield f"special {role}", lambda v, role=role: tokenizer().add_special_tokens({role: v})
    for column in ("input_ids", "attention_mask", "offset_mapping"):
        yield (
            f"pad({column})",
            lambda v, column=column: tokenizer().pad({"input_ids": IDS, column: v}),
        )
        yield (
            f"pad({column}), arrays",
            lambda v, column=column: tokenizer().pad({"input_ids": IDS, column: v}, "np"),
        )
    yield "truncate_sequences(n)", small("truncate_sequences", [1, 2], None)
    yield "from_vocab", lambda v: RobertaTokenizer.from_vocab(v, [])
    yield "from_vocab, an id", lambda v: RobertaTokenizer.from_vocab({**VOCAB, "new": v}, [])
    yield "from_vocab, merges", lambda v: RobertaTokenizer.from_vocab(VOCAB, v)
    yield "from_vocab, a merge", lambda v: RobertaTokenizer.from_vocab(VOCAB, [v])
    yield "from_vocab, half", lambda v: RobertaTokenizer.from_vocab(VOCAB, [("a", v)])
    yield "RobertaTokenizer()", lambda v: RobertaTokenizer(tokenizer_file=v)
    yield "train", lambda v: RobertaTokenizer.train(v, 300)
    yield "train, sizes", lambda v: RobertaTokenizer.train(["a"], v)
    yield "train, special", lambda v: RobertaTokenizer.train(["a"], 300, special_tokens=v)
    yield "train, a token", lambda v: RobertaTokenizer.train(["a"], 300, special_tokens=[v, v])
    yield "from_pretrained", RobertaTokenizer.from_pretrained
    yield "AutoTokenizer", AutoTokenizer.from_pretrained
    yield "AutoTokenizer, type", lambda v: AutoTokenizer.from_pretrained("saved", tokenizer_type=v)
    yield "AddedToken", AddedToken
    for flag in FLAGS:
        yield f"AddedToken({flag})", lambda v, flag=flag: AddedToken("a" * 1000, **{flag: v})
    row = tokenizer()(["a b"], return_offsets_mapping=True)
    for method in ("tokens", "word_ids", "char_to_token", "token_to_chars", "word_to_tokens"):
        yield f"encoding.{method}", lambda v, method=method: getattr(row, method)(v)
    yield "encoding[]", lambda v: row[v]
    yield "encoding.to", lambda v: tokenizer()(["a"], return_tensors="np").to(v)
    yield "convert_to_tensors", lambda v: BatchEncoding({"input_ids": IDS}).convert_to_tensors(v)
    yield "a column", lambda v: BatchEncoding({"a": v}).convert_to_tensors("np")
    yield "two rows", lambda v: BatchEncoding({"a": [v, [1]]}).convert_to_tensors("np")
    yield "filename_prefix", lambda v: tokenizer().save_pretrained("here", filename_prefix=v)
    yield "legacy_format", lambda v: tokenizer().save_pretrained("here", legacy_format=v)


def of_pipelines():
    yield "pipeline", pipeline
    yield "pipeline(model)", lambda v: pipeline("fill-mask", v)
    for name in ("tokenizer", "device", "dtype", "config", "model_kwargs", "pipeline_class"):
        yield f"pipeline({name})", lambda v, name=name: pipeline("fill-mask", **{name: v})
    for task in TASKS:
        answer = pipe(task)
        yield task, answer
        yield f"{task} of a list", lambda v, answer=answer: answer([v])
        for name in (*OF_TASKS[task], *OF_ALL):
            yield f"{task}: {name}", lambda v, task=task, name=name: pipe(task, **{name: v})
            yield (
                f"{task}({name})",
                lambda v, answer=answer, task=task, name=name: answer(TEXTS[task], **{name: v}),
            )
        if isinstance(TEXTS[task], dict):
            for key in TEXTS[task]:
                yield (
                    f"{task}, {key}",
                    lambda v, answer=answer, key=key, task=task: answer({**TEXTS[task], key: v}),
                )
    yield "a pair", lambda v: pipe("text-classification")({"text": "a", "text_pair": v})
    yield "a label", lambda v: pipe("zero-shot-classification")("a", candidate_labels=["b", v])


def of_names():
    """What takes keywords, keys and attributes: each is called with 1 under the value.

    Arguments of functions that list all of theirs, and attributes of plain classes, are refused by
    Python itself.
    """
    called = {
        "RobertaConfig": RobertaConfig,
        "GenerationConfig": GenerationConfig,
        "from_dict": lambda **more: RobertaConfig.from_dict({}, **more),
        "from_pretrained": lambda **more: RobertaModel.from_pretrained("saved", **more),
        "AutoTokenizer": lambda **more: AutoTokenizer.from_pretrained("saved", **more),
        "RobertaTokenizer": lambda **more: RobertaTokenizer.from_pretrained("saved", **more),
        "from_vocab": tokenizer,
        "generate": lambda **more: model_of("text-generation").generate(IDS, **more),
        "save_pretrained": lambda **more: config().save_pretrained("here", **more),
        "model.save_pretrained": lambda **more: RobertaModel(config()).save_pretrained("h", **more),
        "tokenizer.save_pretrained": lambda **more: tokenizer().save_pretrained("here", **more),
        "pipeline": lambda **more: pipeline("fill-mask", **more),
        **{task: lambda task=task, **more: pipe(task)(TEXTS[task], **more) for task in TASKS},
        "model_kwargs": lambda **more: pipeline("fill-mask", model_kwargs=more),
        "tokenizer_kwargs": lambda **more: pipe("fill-mask")("a<mask>", tokenizer_kwargs=more),
    }
    for label, function in called.items():
        yield label, lambda v, function=function: function(**{v: 1})
        yield (
            f"{label}, many",
            lambda v, function=function: function(**{f"{v}{i}": 1 for i in range(1000)}),
        )
    for label, value in {
        "config": config(),
        "encoding": tokenizer()("a"),
        "model": RobertaModel(config()),
        "params": RobertaModel(config()).params,
    }.items():
        yield f"{label}.…", lambda v, value=value: getattr(value, v)
    yield "config.… =", lambda v: setattr(config(), v, 1)
    yield "generation.… =", lambda v: setattr(GenerationConfig(), v, 1)
    yield "from_dict, a key", lambda v: RobertaConfig.from_dict({v: 1, "hidden_sizes": 2})
    yield "a label", lambda v: RobertaConfig(id2label={0: v}, label2id={v + "x": 0})
    yield "num_labels", lambda v: RobertaConfig.from_dict({"id2label": {0: v}}, num_labels=0)
    yield "weights", lambda v: RobertaModel(config(), build_tree({v: np.zeros(3)}))
    yield "special_tokens_dict", lambda v: tokenizer().add_special_tokens({v: "a"})
    yield "from_vocab", lambda v: RobertaTokenizer.from_vocab({v: 0, "b": 0}, [])
    yield "pad, a column", lambda v: tokenizer().pad([{"input_ids": [1], v: 1}, {"input_ids": [1]}])
    yield "encoding, a column", lambda v: BatchEncoding({v: [[1], [1, 2]]}).convert_to_tensors("np")
    for save in (config().save_pretrained, GenerationConfig().save_pretrained):
        yield "save_pretrained", save
    yield "tokenizer.save_pretrained", lambda v: tokenizer().save_pretrained(v)
    yield "save_vocabulary", lambda v: tokenizer().save_vocabulary(v)
    yield "model.save_pretrained", lambda v: RobertaModel(config()).save_pretrained(v)


# What comes out


def is_plain(message):
    """Tell whether a message has no more than characters to read, also in lines of its own."""
    return all(line.isprintable() for line in message.split("\n  "))


def complaint(call, value):
    """Say what is wrong with the messages of a call, if anything is."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        start = time.perf_counter()
        error = None
        try:
            call(value)
        except EXPECTED as raised:
            error = raised
        except RuntimeError as raised:
            if not isinstance(value, torch.Tensor):  # torch asks for one element itself
                return f"{type(raised).__name__}: {str(raised)[:200]!a}"
            error = raised
        seconds = time.perf_counter() - start
    messages = [*(str(one.message) for one in told), *([str(error)] if error else [])]
    for message in messages:
        if len(message) > LIMIT:
            return f"{len(message)} characters: {message[:150]!a} … {message[-50:]!a}"
        if not is_plain(message):
            return f"control characters: {message[:300]!a}"
    return f"{seconds:.1f} seconds" if messages and seconds > SECONDS else None


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Stand in a directory with a model."""
    monkeypatch.chdir(tmp_path)
    RobertaForMaskedLM(config()).save_pretrained("saved")
    tokenizer().save_pretrained("saved")


def found(entries, values, draw, times, size):
    """Call what is to be called with a value, or several of them, and give all complaints."""
    complaints = []
    for label, call in entries:
        for name in draw.sample(sorted(values), min(times, len(values))):
            wrong = complaint(call, values[name](size))
            if wrong:
                complaints.append(f"{label} of {name}: {wrong}")
    return complaints


@pytest.mark.parametrize(
    ("entries", "values", "size"),
    [
        (of_config, VALUES, 10**4),
        (of_generation, VALUES, 10**4),
        (of_models, VALUES, 10**4),
        (of_tokenizers, VALUES, 10**4),
        (of_pipelines, VALUES, 10**3),  # most are texts, or labels, which are answered
        (of_names, NAMES, 10**4),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_values(entries, values, size, here, draw, times):
    assert not found(entries(), values, draw, times, size)


# Files


def write_weights(path, shapes):
    """Write a file of so many tensors, all of zeros."""
    header, end = {}, 0
    for name, shape in shapes.items():
        size = 4 * int(np.prod(shape))
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(end))


TENSORS = {
    "many": lambda: {f"layer.{i}.{j}.weight": [1] for i in range(1000) for j in "ab"},
    "odd": lambda: {f"{i * i}.x{i}": [1] for i in range(1000)},
    "long": lambda: {"w" * 10**5: [1], **{f"encoder.layer.0.{'v' * 999}{i}": [1] for i in "abc"}},
    "dots": lambda: {"." * 10**5: [1], "encoder." + "a." * 10**4: [1]},
    "numbers": lambda: {"encoder.layer." + "9" * 5000: [1], "encoder.layer.0.1.2.3": [1]},
    "controls": lambda: {"encoder.\x1b[31m\n\r": [1], "encoder.\u202e": [1]},
    "axes": lambda: {"embeddings.LayerNorm.weight": [1] * 300, "pooler.dense.bias": [1] * 300},
    "prefixed": lambda: {"p" * 999 + ".embeddings.position_embeddings.weight": [1]},
    "prefixes": lambda: {
        f"{'p' * 99}{i}.embeddings.position_embeddings.weight": [1] for i in range(100)
    },
    "both": lambda: {
        f"{before}embeddings.{'v' * 99}{i}": [1] for before in ("roberta.", "") for i in range(100)
    },
}


@pytest.mark.parametrize("name", TENSORS)
@pytest.mark.parametrize("options", [{}, {"strict": False, "ignore_mismatched_sizes": True}])
def test_tensors(name, options, here):
    write_weights(Path("saved/model.safetensors"), TENSORS[name]())
    for prefix in ("", "no" * 1000):
        wrong = complaint(
            lambda v: RobertaModel.from_pretrained("saved", strip_prefix=v, **options), prefix
        )
        assert not wrong, prefix[:9]


LONG = "x" * 10**5
SETTINGS_FILES = {
    "config.json": [
        {"model_type": LONG},
        {"hidden_act": LONG},
        {"id2label": dict.fromkeys(range(9), LONG), "label2id": {LONG: 5}},
        {"id2label": {10 * i: "a" for i in range(10**4)}},
        {"architectures": [LONG] * 9, "hiden_size": 3},
        {"hidden_size": [LONG] * 99},
        {"num_beams": 3, "bad_words_ids": [[1]] * 10**4, "penalty_alpha": [0.1] * 999},
        {f"key{i}": LONG for i in range(9)},
    ],
    "generation_config.json": [
        {"bad_words_ids": [[LONG]]},
        {"constraints": [LONG] * 99, "guidance_scale": 2, "num_beam_groups": LONG},
        {f"temperatur{i}": LONG for i in range(99)},
        {"stop_strings": {LONG: LONG}},
    ],
    "tokenizer_config.json": [
        {"tokenizer_class": LONG},
        {"tokenizer_class": [LONG]},
        {"mask_token": {"content": LONG, "lstrip": LONG}},
        {"added_tokens_decoder": {str(300 + 2 * i): {"content": f"<{i}>"} for i in range(999)}},
        {"added_tokens_decoder": {"999": {"content": LONG}, LONG: 1}},
        {"extra_special_tokens": {LONG: 1}},
        {"additional_special_tokens": {LONG: 1}},
        {"model_input_names": [LONG]},
        {"pad_token": "\x1b[2J" * 999, "cls_token": "\n" * 999},
    ],
    "tokenizer.json": [
        {"version": LONG},
        {"model": {"type": LONG}},
        {"model": {"type": "BPE", "vocab": {"a": LONG}}},
        {"model": {"type": "BPE", "vocab": {LONG: 0, "b": 0}, "merges": []}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [LONG]}},
        {"model": {"type": "BPE", "vocab": {"a": 0}, "merges": [["a", LONG]]}},
        {"model": {"dropout": [LONG] * 99, "vocab": {}, "merges": []}},
        {"normalizer": {"type": LONG}},
        {
            "normalizer": {
                "type": "Sequence",
                "normalizers": [{"type": f"N{i}"} for i in range(999)],
            }
        },
        {"normalizer": {"type": "Replace", "pattern": {"Regex": "(" * 10**5}, "content": ""}},
        {"normalizer": {"type": "Replace", "pattern": LONG, "content": ""}},
        {"pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": LONG}] * 99}},
        {"pre_tokenizer": {"type": "Split", "pattern": {"Regex": LONG}, "behavior": LONG}},
        {"decoder": {"type": "Sequence", "decoders": [{"type": LONG}] * 99}},
        {"post_processor": {"type": "RobertaProcessing", "cls": [LONG, 5], "sep": [LONG, LONG]}},
        {"post_processor": {"type": "TemplateProcessing", "single": [{LONG: 1}], "pair": []}},
        {"added_tokens": [{"id": 2 * i, "content": "x" * 9999 + str(i)} for i in range(9)]},
        {"added_tokens": [{"id": LONG, "content": LONG}]},
        {"padding": {"direction": LONG}},
    ],
    "special_tokens_map.json": [{"mask_token": [LONG]}, {"bos_token": {"content": [LONG]}}],
    "added_tokens.json": [{LONG: LONG}, {f"<{i}>": 999 + 2 * i for i in range(999)}],
    "vocab.json": [{LONG: LONG}, {"a": 0, "b": [LONG]}],
    "model.safetensors.index.json": [
        {"weight_map": {"a": LONG}},
        {"weight_map": {"a": "../" + LONG}},
        {"weight_map": {LONG: "b.safetensors"}},
        {"weight_map": {f"{LONG}{i}": "model.safetensors" for i in range(9)}},
    ],
}


@pytest.mark.parametrize("name", SETTINGS_FILES)
@pytest.mark.parametrize("where", ["saved", "d" * 200])
def test_settings_files(name, where, here):
    Path("saved").rename(where)
    path = Path(where, name)
    before = json.loads(path.read_text()) if path.is_file() else {}
    if name in ("special_tokens_map.json", "added_tokens.json", "vocab.json"):  # older than these
        Path(where, "tokenizer.json").unlink()
        Path(where, "tokenizer_config.json").unlink()
    if name.endswith("index.json"):
        Path(where, "model.safetensors").rename(Path(where, "other.safetensors"))
    for content in SETTINGS_FILES[name]:
        path.write_text(json.dumps({**before, **content}))
        for load in (
            *(AutoModel.from_pretrained, RobertaForMaskedLM.from_pretrained),
            *(AutoTokenizer.from_pretrained, RobertaTokenizer.from_pretrained),
            lambda directory: pipeline(model=directory)("a<mask>"),
        ):
            wrong = complaint(load, where)
            assert not wrong, json.dumps(content)[:100]


def test_tokens_of_a_vocabulary_that_merges_miss(here):
    Path("saved/tokenizer.json").unlink()
    for line in (LONG, f"{LONG} {LONG}", "a b c", "a \x1b[2J"):
        Path("saved/merges.txt").write_text(line)
        assert not complaint(RobertaTokenizer.from_pretrained, "saved")


# The command line

COMMANDS = [
    *(["fill-mask"], ["fill-mask", "--top-k"], ["fill-mask", "a<mask>", "--targets"]),
    *(["fill-mask", "a<mask>", "--model"], ["fill-mask", "a<mask>", "--device"]),
    *(["fill-mask", "a<mask>", "--batch-size"], ["fill-mask", "a<mask>", "--dtype"]),
    *(["feature-extraction", "a", "--pooling"], ["tokenize", "a", "--model"]),
    *(["question-answering", "a", "--model", "saved", "--context"], ["inspect"], []),
    *(["train-tokenizer"], ["text-generation", "a", "--model", "saved", "--seed"]),
    *(["zero-shot-classification", "a", "--model"], ["multiple-choice", "--model", "saved"]),
    *(["train-tokenizer", "saved/config.json", "--vocab-size", "300", "--out"], ["--option"]),
    *(["tokenize", "a", "--revision"], ["train-tokenizer", "a", "--out", "b", "--vocab-size"]),
]


def test_the_command_line(here, run, draw, times):
    for command in COMMANDS:
        for name in draw.sample(sorted(NAMES), min(times, len(NAMES))):
            code, _, errors = run(*command, NAMES[name](10**4))
            *_, last = re.split(r"^minirobert.*?: ", errors.removesuffix("\n"), flags=re.MULTILINE)
            assert not code or len(last) <= LIMIT, (command, name)
            assert not code or is_plain(last), (command, name)
