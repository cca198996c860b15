"""Calls of tokenizers and pipelines with values of every kind: the right result, or a sentence."""

from collections import UserList, UserString, deque
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import numpy as np

from minirobert import (
    AddedToken,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    RobertaTokenizer,
)
from minirobert.pipelines import TASKS
from tests.robustness.oddities import IDS, OBJECTS, PERHAPS, SCALARS, WRONG
from tests.robustness.outcomes import Refused, outcome
from tests.robustness.trouble import HURTFUL

TOKENIZER = RobertaTokenizer.from_pretrained()
KINDS = (ValueError, TypeError, IndexError, KeyError)  # the last two of what is looked up by them


def judged(call: Callable[[], Any]) -> Any:
    """Judge a call to which iterables of the caller's may be given, whose errors are theirs."""
    return outcome(call, KINDS, theirs=("trouble.py", "test_texts.py"))


WORDS = [
    "",
    " ",
    "Hello",
    " world",
    "<mask>",
    "</s>",
    "a\u0301b",
    "日本",
    "\0",
    "x" * 50,
    "\n",
    "1",
]


class Label(str):
    """A string of a class of its own, as an enum's."""


def raising(texts: list[str]) -> Any:
    yield from texts[:1]
    raise ZeroDivisionError("x")


def a_text(draw: Random) -> str:
    return "".join(draw.choices(WORDS, k=draw.randint(0, 4)))


def same_texts(draw: Random) -> tuple[Any, Any]:
    """Draw texts, and the same in other clothes."""
    texts = [a_text(draw) for _ in range(draw.randint(0, 3))]
    clothes = [tuple, lambda t: list(map(np.str_, t)), lambda t: list(map(Label, t)), list]
    if draw.random() < 0.5:
        one = a_text(draw)
        return one, draw.choice([np.str_, Label, str])(one)
    if draw.random() < 0.3:
        return [(one, "b") for one in texts], tuple([one, Label("b")] for one in texts)
    return texts, draw.choice(clothes)(texts)


def an_odd_text(draw: Random) -> Any:
    """Draw what may be no text."""
    texts = [a_text(draw) for _ in range(draw.randint(0, 3))]
    numbers = np.arange(3)
    pools: list[Any] = [
        *("half \ud800", "\udfff", b"bytes", None, 5, 0.5, float("nan"), UserString("x")),
        *([None], [5], [5, "x"], ["x", None], ["x", float("nan")], ["x", b"y"], ["\ud800"]),
        *([["x"]], [["x", "y", "z"]], [["x", "y"], "z"], [("x", None)], [[["x"]]], [[]], [(), ()]),
        *({"text": "x"}, {"text": None}, {"x"}, [{"text": "x"}], iter(texts), raising(texts)),
        *(
            UserList(texts),
            deque(texts),
            np.array(texts),
            np.array(texts, object),
            dict.fromkeys(texts),
        ),
        *(
            map(str, texts),
            np.array("x"),
            np.array([["x", "y"]]),
            [np.array("x")],
            (t for t in texts),
        ),
    ]
    if draw.random() < 0.15:
        return draw.choice([*WRONG.values(), *PERHAPS.values(), *HURTFUL.values()])(numbers)
    return draw.choice([*pools, *pools, *OBJECTS, *SCALARS])


OPTIONS: dict[str, list[Any]] = {
    "add_special_tokens": [False],
    "padding": ["longest", "max_length", "do_not_pad", True],
    "truncation": [True, "only_first", "only_second", "longest_first", "do_not_truncate"],
    "max_length": [0, 1, 2, 5, 600],
    "stride": [0, 1, 5],
    "pad_to_multiple_of": [1, 8],
    "padding_side": ["left", "right"],
    "return_tensors": ["np", "pt", "tf"],
    "return_token_type_ids": [True],
    "return_attention_mask": [True, False],
    "return_overflowing_tokens": [True],
    "return_special_tokens_mask": [True],
    "return_offsets_mapping": [True],
    "return_length": [True],
    "verbose": [False],
    "is_split_into_words": [True],
    "add_prefix_space": [True],
    "split_special_tokens": [True],
}


def some_options(draw: Random) -> dict[str, Any]:
    """Draw options of a call, one of which may be of any kind."""
    names = draw.sample(list(OPTIONS), draw.choice([0, 1, 1, 2, 3]))
    options = {name: draw.choice(OPTIONS[name]) for name in names}
    if names and draw.random() < 0.4:
        options[names[0]] = draw.choice([*OBJECTS, *SCALARS, None])
    return options


def columns(encoding: Any) -> Any:
    """Give plain lists of an encoding."""
    if isinstance(encoding, Refused):
        return "refused"
    return {
        name: column.tolist() if hasattr(column, "tolist") else column
        for name, column in encoding.items()
    }


def one_encoding(draw: Random) -> str:
    options = some_options(draw)
    if draw.random() < 0.3:
        plain, value = same_texts(draw)
        pair = (plain, value) if draw.random() < 0.2 else (None, None)
        expected = judged(lambda: TOKENIZER(plain, pair[0], **options))
        actual = judged(lambda: TOKENIZER(value, pair[1], **options))
        assert columns(actual) == columns(expected), (value, options)
    else:
        texts = [an_odd_text(draw), draw.choice([None, None, "b", ["b"]])]
        draw.shuffle(texts)
        actual = judged(lambda: TOKENIZER(*texts, **options))
        check_encoding(actual)
    return "refused" if isinstance(actual, Refused) else "right"


def check_encoding(encoding: Any) -> None:
    """Check that the columns hold tokens."""
    if isinstance(encoding, Refused):
        return
    ids = columns(encoding)["input_ids"]
    for row in ids if ids and isinstance(ids[0], list) else [ids]:
        assert all(type(one) is int and 0 <= one < len(TOKENIZER) for one in row), ids


def ids_of(draw: Random) -> Any:
    """Draw ids, or what may be none."""
    if draw.random() < 0.5:
        plain = np.array([draw.randrange(8192) for _ in range(draw.randint(0, 4))], int)
        return IDS.draw(plain, draw)[2] if draw.random() < 0.6 else plain.tolist()
    return draw.choice([*OBJECTS, *SCALARS, None, [None], ["a"], [[1]], [-1], [8192], -100, [0.0]])


def tokens_of(draw: Random) -> Any:
    return draw.choice([["a", "Ġb"], "a", ["a", None], [1], ["\ud800"], an_odd_text(draw)])


def added_of(draw: Random) -> Any:
    token = AddedToken("<x>", special=True)
    return draw.choice(["<x>", token, [token, "<y>"], "", [""], ["\ud800"], an_odd_text(draw)])


METHODS: dict[str, Any] = {
    "encode": lambda t, d: t.encode(an_odd_text(d), **some_options(d)),
    "encode_plus": lambda t, d: t.encode_plus(an_odd_text(d), ids_of(d), **some_options(d)),
    "tokenize": lambda t, d: t.tokenize(an_odd_text(d)),
    "batch_encode_plus": lambda t, d: t.batch_encode_plus(an_odd_text(d), **some_options(d)),
    "prepare_for_model": lambda t, d: t.prepare_for_model(ids_of(d), ids_of(d), **ids_options(d)),
    "decode": lambda t, d: t.decode(ids_of(d)),
    "batch_decode": lambda t, d: t.batch_decode(ids_of(d)),
    "batch_decode rows": lambda t, d: t.batch_decode([ids_of(d), ids_of(d)]),
    "convert_ids_to_tokens": lambda t, d: t.convert_ids_to_tokens(ids_of(d)),
    "convert_tokens_to_ids": lambda t, d: t.convert_tokens_to_ids(tokens_of(d)),
    "convert_tokens_to_string": lambda t, d: t.convert_tokens_to_string(tokens_of(d)),
    "add_tokens": lambda t, d: t.add_tokens(added_of(d)),
    "add_special_tokens": lambda t, d: t.add_special_tokens(
        d.choice([{}, {"pad_token": added_of(d)}, {"x": "y"}, an_odd_text(d), {5: "<x>"}])
    ),
    "additional": lambda t, d: t.add_special_tokens({"additional_special_tokens": added_of(d)}),
    "a token": lambda t, d: setattr(t, d.choice(["pad_token", "mask_token"]), added_of(d)),
    "a token's id": lambda t, d: setattr(t, "pad_token_id", ids_of(d)),
    "a setting": lambda t, d: setattr(
        t,
        d.choice(SETTINGS),
        d.choice([*OBJECTS, *SCALARS, None]),
    ),
    "build_inputs": lambda t, d: t.build_inputs_with_special_tokens(ids_of(d), ids_of(d)),
    "get_special_tokens_mask": lambda t, d: t.get_special_tokens_mask(
        ids_of(d), d.choice([None, ids_of(d)]), d.random() < 0.5
    ),
    "token_type_ids": lambda t, d: t.create_token_type_ids_from_sequences(ids_of(d), ids_of(d)),
    "truncate_sequences": lambda t, d: t.truncate_sequences(
        ids_of(d), ids_of(d), d.choice([0, 1, 2, *SCALARS]), stride=d.choice([0, 1, *SCALARS])
    ),
    "pad": lambda t, d: t.pad(rows_of(d), **pad_options(d)),
    "explain": lambda t, d: t.explain(an_odd_text(d)),
    "train": lambda t, d: t.train(
        an_odd_text(d), d.choice([300, 260, *SCALARS]), show_progress=False,
        min_frequency=d.choice([0, 1, *SCALARS]),
    ),
    "questions": lambda t, d: questions(t("Hello world"), d),
}  # fmt: skip


def ids_options(draw: Random) -> dict[str, Any]:
    options = some_options(draw)
    return {name: value for name, value in options.items() if name != "is_split_into_words"}


def pad_options(draw: Random) -> dict[str, Any]:
    names = ("padding", "max_length", "pad_to_multiple_of", "padding_side", "return_tensors")
    return {name: value for name, value in some_options(draw).items() if name in names}


def rows_of(draw: Random) -> Any:
    rows = [{"input_ids": ids_of(draw)} for _ in range(draw.randint(0, 2))]
    if draw.random() < 0.3:
        for row in rows:
            row["attention_mask"] = ids_of(draw)
    if draw.random() < 0.2:
        return {"input_ids": ids_of(draw), draw.choice(["x", 5]): ids_of(draw)}
    return draw.choice(
        [rows, rows, {"input_ids": [row["input_ids"] for row in rows]}, an_odd_text(draw)]
    )


def questions(encoding: Any, draw: Random) -> Any:
    name = draw.choice(["token_to_word", "token_to_chars", "char_to_token", "word_to_chars"])
    index = draw.choice([0, 1, -1, 99, *OBJECTS, *SCALARS])
    if draw.random() < 0.3:
        return encoding[index]
    return getattr(encoding, name)(*draw.choice([(index,), (index, 0), (0, index)]))


CHANGING = (
    *("add_tokens", "add_special_tokens", "additional"),
    *("a token", "a token's id", "a setting"),
)


def one_method(draw: Random) -> str:
    name = draw.choice(list(METHODS))
    tokenizer = TOKENIZER
    if name in (
        "add_tokens",
        "add_special_tokens",
        "additional",
        "a token",
        "a token's id",
        "a setting",
    ):
        tokenizer = RobertaTokenizer.from_vocab(SMALL, [])
        before = state(tokenizer)
    actual = judged(lambda: METHODS[name](tokenizer, draw))
    if tokenizer is not TOKENIZER and isinstance(actual, Refused):
        assert state(tokenizer) == before, f"{name} has changed something, and then refused"
    return "refused" if isinstance(actual, Refused) else "right"


SETTINGS = ["errors", "trim_offsets", "model_max_length", "model_input_names", "padding_side"]
SMALL = {"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3, "a": 4, "b": 5, "<mask>": 6, "x": 7}


def state(tokenizer: RobertaTokenizer) -> Any:
    names = tokenizer.special_tokens_map, tokenizer.get_vocab(), repr(tokenizer)
    return *names, tokenizer("ab<x>x<mask>").input_ids, tokenizer.added_tokens_decoder


def test_texts_of_every_kind(draw, times):
    for _ in range(400 * times):
        one_encoding(draw)


def test_methods_of_a_tokenizer_with_values_of_every_kind(draw, times):
    for _ in range(300 * times):
        one_method(draw)


# Pipelines

SIZES: dict[str, Any] = {
    "vocab_size": 8192, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
    "intermediate_size": 5, "max_position_embeddings": 80,
}  # fmt: skip
MODELS = {
    "fill-mask": RobertaForMaskedLM(RobertaConfig(**SIZES)),
    "feature-extraction": RobertaModel(RobertaConfig(**SIZES)),
    "text-classification": RobertaForSequenceClassification(RobertaConfig(**SIZES, num_labels=3)),
    "token-classification": RobertaForTokenClassification(RobertaConfig(**SIZES, num_labels=3)),
    "question-answering": RobertaForQuestionAnswering(RobertaConfig(**SIZES)),
    "zero-shot-classification": RobertaForSequenceClassification(
        RobertaConfig(**SIZES, id2label={0: "contradiction", 1: "entailment"})
    ),
    "multiple-choice": RobertaForMultipleChoice(RobertaConfig(**SIZES)),
    "text-generation": RobertaForCausalLM(RobertaConfig(**SIZES, is_decoder=True)),
    "score": RobertaForMaskedLM(RobertaConfig(**SIZES)),
}
PIPELINES = {name: TASKS[name][0](model, TOKENIZER) for name, model in MODELS.items()}

OF_PIPELINES: dict[str, dict[str, list[Any]]] = {
    "fill-mask": {"top_k": [1, 5], "targets": [" blue", [" blue"], [[" blue"]]]},
    "feature-extraction": {
        "pooling": ["mean", "cls"], "normalize": [True], "return_tensors": [True],
    },
    "text-classification": {
        "top_k": [1, 9], "function_to_apply": ["sigmoid"], "return_all_scores": [True],
        "truncation": [True], "text_pair": ["b"],
    },
    "token-classification": {
        "aggregation_strategy": ["simple", "max"], "ignore_labels": [[]], "stride": [2, 100],
        "is_split_into_words": [True], "delimiter": [" "],
    },
    "question-answering": {
        "top_k": [1, 3], "doc_stride": [0, 5], "max_answer_len": [3], "max_seq_len": [20],
        "handle_impossible_answer": [True], "align_to_words": [False],
    },
    "zero-shot-classification": {
        "candidate_labels": ["a, b", ["a"], []], "hypothesis_template": ["{}", "x", "{} {}"],
        "multi_label": [True],
    },
    "multiple-choice": {"top_k": [1]},
    "text-generation": {
        "return_full_text": [False], "return_tensors": [True], "prefix": ["x"], "rng": [0],
        "do_sample": [False], "num_return_sequences": [2],
    },
    "score": {},
}  # fmt: skip
SHARED = {
    "batch_size": [1, 2],
    "tokenizer_kwargs": [{"truncation": True}, {5: 1}],
    "progress_bar": [None],
}
RIGHT: dict[str, list[Any]] = {
    "fill-mask": ["The <mask> is blue.", "<mask>"],
    "question-answering": [{"question": "Who?", "context": "Anna is in Rome."}],
    "multiple-choice": [{"question": "What?", "choices": ["a", "b"]}],
}


def an_odd_input(task: str, draw: Random) -> Any:
    """Draw inputs of a pipeline, right ones or others."""
    right = RIGHT.get(task, ["Hello world", "a", " x y"])
    some = [draw.choice([*right, *right, an_odd_text(draw)]) for _ in range(draw.randint(0, 2))]
    if draw.random() < 0.3:
        one = dict(right[0]) if isinstance(right[0], dict) else {"text": "a", "text_pair": "b"}
        one[draw.choice([*one, "x", 5])] = draw.choice([an_odd_text(draw), ["x", "y"], "x"])
        some.append(one)
    clothes = [list, tuple, iter, deque, lambda rows: (row for row in rows)]
    return draw.choice([draw.choice(right), draw.choice(clothes)(some), an_odd_text(draw)])


def one_answer(draw: Random) -> str:
    task = draw.choice(list(PIPELINES))
    known = {**OF_PIPELINES[task], **SHARED}
    if task in ("question-answering", "token-classification", "text-generation"):
        del known["tokenizer_kwargs"]
    names = draw.sample(list(known), draw.choice([0, 1, 1, 2]))
    options = {name: draw.choice(known[name]) for name in names}
    if names and draw.random() < 0.5:
        options[names[0]] = draw.choice([*OBJECTS, *SCALARS, None])
    if task == "zero-shot-classification":
        options.setdefault("candidate_labels", ["a", "b"])
    if task == "text-generation":
        options["max_new_tokens"] = 2
    inputs = an_odd_input(task, draw)
    actual = judged(lambda: read(PIPELINES[task](inputs, **options)))
    return "refused" if isinstance(actual, Refused) else "right"


def read(answers: Any) -> Any:
    """Read a stream to its end."""
    return list(answers) if isinstance(answers, Iterator) else answers


def test_pipelines_with_values_of_every_kind(draw, times):
    for _ in range(300 * times):
        one_answer(draw)
