"""Files of settings that are broken in any way: what comes of them is right, or a sentence."""

from __future__ import annotations

import json
import shutil
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import transformers

from minirobert import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoTokenizer,
    GenerationConfig,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaTokenizer,
)
from minirobert.files import TINY
from minirobert.sentences import LIMIT
from tests.robustness.json_faults import broken_text, broken_value

TEXT = "ab ba <mask> aa\u00e9 <s> b"
SECONDS = 1.0  # of the processor, for any file


#: Keys that mean something, beside those that a file happens to have.
CONFIG_KEYS = (
    *(
        "num_labels",
        "id2label",
        "label2id",
        "pruned_heads",
        "architectures",
        "torch_dtype",
        "dtype",
    ),
    *("hidden_act", "layer_norm_eps", "eos_token_id", "problem_type", "num_beams", "temperature"),
    *("model_type", "tokenizer_class", "extra", "is_decoder", "add_cross_attention", "top_k"),
    *("chunk_size_feed_forward", "tie_word_embeddings", "bad_words_ids", "quantization_config"),
)
GENERATION_KEYS = (
    *("eos_token_id", "pad_token_id", "bos_token_id", "bad_words_ids", "sequence_bias", "top_k"),
    *("suppress_tokens", "forced_eos_token_id", "exponential_decay_length_penalty", "max_time"),
    *("stop_strings", "num_beams", "num_return_sequences", "early_stopping", "temperature"),
    *("min_length", "max_length", "no_repeat_ngram_size", "repetition_penalty", "top_p", "min_p"),
    *("force_words_ids", "num_beam_groups", "do_sample", "use_cache", "extra", "length_penalty"),
)
TOKENIZER_KEYS = (
    *("mask_token", "cls_token", "sep_token", "pad_token", "unk_token", "model_max_length"),
    *("additional_special_tokens", "extra_special_tokens", "added_tokens_decoder", "max_len"),
    *(
        "tokenizer_class",
        "errors",
        "model_input_names",
        "padding_side",
        "chat_template",
        "name_or_path",
    ),
    *("split_special_tokens", "other_settings", "add_prefix_space", "auto_map", "vocab_file"),
)
JSON_KEYS = (
    *(
        "version",
        "normalizer",
        "pre_tokenizer",
        "post_processor",
        "decoder",
        "added_tokens",
        "model",
    ),
    *("truncation", "padding", "type", "dropout", "unk_token", "content", "id", "ids", "tokens"),
    *("behavior", "pattern", "invert", "use_regex", "trim_offsets", "special_tokens", "type_id"),
)


def tokenizer_seen(tokenizer: RobertaTokenizer) -> Any:
    """Give all that two equal tokenizers have in common."""
    return (
        tokenizer(TEXT, TEXT).data,
        tokenizer.get_vocab(),
        tokenizer.added_tokens_decoder,
        tokenizer.special_tokens_map_extended,
        tokenizer._settings(),
        tokenizer._other_settings,
        tokenizer._parts,
    )


def use_tokenizer(tokenizer: RobertaTokenizer) -> None:
    batch = tokenizer([TEXT, "a"], padding=tokenizer.pad_token is not None)
    tokenizer.batch_decode(batch.input_ids)
    assert repr(tokenizer)


def use_model(model: Any) -> None:
    model([[0, 5, 6, 2]], return_dict=True)
    assert repr(model)


def use_decoder(model: Any) -> None:
    model.generate([[0, 5]], max_new_tokens=1)


def use_config(config: Any) -> None:
    assert repr(config) and config.to_dict() and config.to_diff_dict() and config == config


class Object(NamedTuple):
    """What can be loaded: how it is used, and what it has in common with one saved and loaded."""

    ways: dict[str, Callable[[Path], Any]]
    use: Callable[[Any], None]
    seen: Callable[[Any], Any]


CONFIG = Object(
    {
        "config": RobertaConfig.from_pretrained,
        "auto_config": AutoConfig.from_pretrained,
        "config_file": lambda directory: RobertaConfig.from_json_file(directory / "config.json"),
    },
    use_config,
    lambda config: config,
)
MODEL = Object(
    {
        "model": RobertaForMaskedLM.from_pretrained,
        "auto_model": AutoModelForMaskedLM.from_pretrained,
    },
    use_model,
    lambda model: model.config,
)
DECODER = Object(
    {
        "decoder": RobertaForCausalLM.from_pretrained,
        "auto_decoder": AutoModelForCausalLM.from_pretrained,
    },
    use_decoder,
    lambda model: (model.config, model.generation_config),
)
GENERATION = Object(
    {"generation": GenerationConfig.from_pretrained}, use_config, lambda config: config
)
TOKENIZER = Object(
    {
        "tokenizer": RobertaTokenizer.from_pretrained,
        "auto_tokenizer": AutoTokenizer.from_pretrained,
    },
    use_tokenizer,
    tokenizer_seen,
)


class Kind(NamedTuple):
    """A kind of file, the directories that have a valid one, and what reads it."""

    file: str
    directories: tuple[str, ...]
    objects: tuple[Object, ...]
    likely: tuple[str, ...] = ()


TOKENIZERS = ("ours", "theirs", "older", "layout")
KINDS = [
    Kind(
        "config.json",
        ("ours", "theirs", "tiny"),
        (CONFIG, CONFIG, CONFIG, MODEL, DECODER),
        CONFIG_KEYS,
    ),
    Kind("generation_config.json", ("ours", "theirs"), (GENERATION, DECODER), GENERATION_KEYS),
    Kind("tokenizer_config.json", (*TOKENIZERS, "tiny"), (TOKENIZER,), TOKENIZER_KEYS),
    Kind("special_tokens_map.json", ("older",), (TOKENIZER,), TOKENIZER_KEYS),
    Kind("added_tokens.json", ("older",), (TOKENIZER,)),
    Kind("vocab.json", ("older",), (TOKENIZER,)),
    Kind("merges.txt", ("older",), (TOKENIZER,)),
    Kind("chat_template.jinja", ("ours",), (TOKENIZER,)),
    Kind("tokenizer.json", ("ours", "theirs", "layout"), (TOKENIZER,), JSON_KEYS),
    Kind("model.safetensors.index.json", ("shards",), (MODEL,), ("weight_map", "metadata")),
    Kind("adapter_config.json", ("adapter",), (MODEL,), ("base_model_name_or_path",)),
]


@pytest.fixture(scope="module")
def valid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Directories with small valid models, as this package, transformers and others write them."""
    root = tmp_path_factory.mktemp("valid")
    tokenizer = RobertaTokenizer.train(["ab ba", "aab bba"], vocab_size=265, show_progress=False)
    tokenizer.add_tokens(["ba ab"])
    config = RobertaConfig(
        vocab_size=len(tokenizer),
        hidden_size=6,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=5,
        max_position_embeddings=40,
        is_decoder=True,
    )
    model = RobertaForCausalLM(config, seed=0)
    model.save_pretrained(root / "ours")
    tokenizer.save_pretrained(root / "ours")
    (root / "ours" / "chat_template.jinja").write_text("{{ messages }}")
    model.save_pretrained(root / "shards", max_shard_size="2KB")

    transformers.RobertaForCausalLM.from_pretrained(root / "ours").save_pretrained(root / "theirs")
    theirs = transformers.RobertaTokenizerFast.from_pretrained(root / "ours")
    theirs.save_pretrained(root / "theirs")
    slow = transformers.RobertaTokenizer.from_pretrained(root / "ours")
    slow.save_pretrained(root / "older")
    path = root / "older" / "tokenizer_config.json"
    content = json.loads(path.read_text())
    del content["added_tokens_decoder"]
    path.write_text(json.dumps(content))

    shutil.copytree(root / "theirs", root / "layout")
    path = root / "layout" / "tokenizer.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | PARTS))
    (root / "tiny").mkdir()
    for file in TINY.iterdir():
        if file.suffix != ".safetensors":
            shutil.copy(file, root / "tiny")
    (root / "adapter").mkdir()
    (root / "adapter" / "adapter_config.json").write_text(
        '{"base_model_name_or_path": "a/b", "r": 8}'
    )
    return root


#: Sections of a tokenizer.json with other parts than RoBERTa's.
PARTS = {
    "normalizer": {
        "type": "Sequence",
        "normalizers": [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"String": "b"}, "content": "ab"},
            {"type": "Prepend", "prepend": "a"},
            {"type": "Strip", "strip_left": True, "strip_right": False},
        ],
    },
    "pre_tokenizer": {
        "type": "Sequence",
        "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "b+"}, "behavior": "Isolated", "invert": False},
            {"type": "Digits", "individual_digits": True},
            {"type": "Punctuation", "behavior": "Contiguous"},
            {
                "type": "ByteLevel",
                "add_prefix_space": True,
                "trim_offsets": True,
                "use_regex": True,
            },
        ],
    },
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
        ],
        "pair": [
            {"SpecialToken": {"id": "<s>", "type_id": 0}},
            {"Sequence": {"id": "A", "type_id": 0}},
            {"Sequence": {"id": "B", "type_id": 1}},
        ],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}},
    },
}


class Outcome(NamedTuple):
    """What came of a call: a value, or an error; and the warnings on the way."""

    value: Any
    error: Exception | None
    told: list[str]
    seconds: float


def outcome(call: Callable[[], Any]) -> Outcome:
    start = time.process_time()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value, error = None, None
        try:
            value = call()
        except Exception as raised:
            error = raised
    told = [str(one.message) for one in caught if issubclass(one.category, UserWarning)]
    return Outcome(value, error, told, time.process_time() - start)


def check_sentence(error: Exception, *names: str) -> None:
    said = str(error)
    assert isinstance(error, ValueError | OSError) and not isinstance(error, UnicodeError), repr(
        error
    )
    assert len(said) <= LIMIT, (len(said), said)
    assert "\n" not in said, said
    assert not names or any(name in said for name in names), said


def check_case(kind: Kind, directory: Path, made: Object, way: str) -> str:
    """Load, use, save and load again, and name how far it came."""
    load = made.ways[way]
    came = outcome(lambda: load(directory))
    assert came.seconds < SECONDS, came.seconds
    for message in came.told:
        assert len(message) <= LIMIT, message
    if came.error is not None:
        # A configuration may be sound, but not that of the weights beside it.
        also = (
            ("adapter",)
            if kind.file.startswith("adapter")
            else ("model.safetensors",)
            if made is not CONFIG
            else ()
        )
        check_sentence(came.error, kind.file, *also)
        return "refused"
    thing = came.value
    saved = directory.with_name("saved")
    shutil.rmtree(saved, ignore_errors=True)
    stored = outcome(lambda: thing.save_pretrained(saved))
    assert stored.error is None, repr(stored.error)
    again = outcome(lambda: made.ways["config" if made is CONFIG else way](saved))
    assert again.error is None, repr(again.error)
    used = outcome(lambda: made.use(thing))
    if used.error is not None:
        check_sentence(used.error)
        return f"no use: {used.error}"
    assert used.seconds < SECONDS, used.seconds
    assert made.seen(again.value) == made.seen(thing)
    return "loaded"


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file)
def test_whatever_a_file_says(kind, valid, tmp_path, draw, times):
    directory = tmp_path / "broken"
    for _ in range(CASES * times):
        source = valid / draw.choice(kind.directories)
        made = draw.choice(
            [one for one in kind.objects if one not in (MODEL, DECODER) or source.name != "tiny"]
        )
        way = draw.choice(list(made.ways))
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(source, directory)
        if kind.file in ("vocab.json", "merges.txt"):
            (directory / "tokenizer.json").unlink(missing_ok=True)
        path = directory / kind.file
        content = path.read_bytes()
        if draw.random() < 0.25 or not kind.file.endswith(".json"):
            broken = broken_text(content, draw)
        else:
            broken = broken_value(json.loads(content), draw, kind.likely).encode("utf-8")
        path.write_bytes(broken)
        try:
            check_case(kind, directory, made, way)
        except AssertionError as error:
            raise AssertionError(
                f"{way} of {source.name}, {kind.file} = {broken[:3000]!r}: {error}"
            )


CASES = 40
