"""Files of settings that are broken in any way: what comes of them is right, or a sentence."""

from __future__ import annotations

import json
import random
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
    """Give what two equal tokenizers have in common, beside the files that they are saved as."""
    return tokenizer(TEXT, TEXT).data, tokenizer.get_vocab(), tokenizer.added_tokens_decoder


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
    assert repr(config)
    assert config.to_dict().items() >= config.to_diff_dict().items()


def config_seen(config: RobertaConfig) -> Any:
    """Give what saving a model does not change in its configuration."""
    return {**config.to_dict(), "architectures": None, "dtype": None}


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
    lambda model: config_seen(model.config),
)
DECODER = Object(
    {
        "decoder": RobertaForCausalLM.from_pretrained,
        "auto_decoder": AutoModelForCausalLM.from_pretrained,
    },
    use_decoder,
    lambda model: (config_seen(model.config), model.generation_config.to_dict()),
)
GENERATION = Object(
    {"generation": GenerationConfig.from_pretrained}, use_config, GenerationConfig.to_dict
)
TOKENIZER = Object(
    {
        "tokenizer": RobertaTokenizer.from_pretrained,
        "auto_tokenizer": AutoTokenizer.from_pretrained,
    },
    use_tokenizer,
    tokenizer_seen,
)


VOCAB_AND_MERGES = Object(
    {
        "files": lambda directory: RobertaTokenizer(
            directory / "vocab.json", directory / "merges.txt"
        )
    },
    use_tokenizer,
    tokenizer_seen,
)
TOKENIZER_FILE = Object(
    {"file": lambda directory: RobertaTokenizer(tokenizer_file=directory / "tokenizer.json")},
    use_tokenizer,
    tokenizer_seen,
)


class Kind(NamedTuple):
    """A kind of file, the directories that have a valid one, and what reads it."""

    file: str
    directories: tuple[str, ...]
    objects: tuple[Object, ...]
    likely: tuple[str, ...] = ()
    #: What an error may name in its place: the file that does not go with it.
    others: tuple[str, ...] = ()


TOKENIZERS = ("ours", "theirs", "older", "layout")
KINDS = [
    Kind(
        "config.json",
        ("ours", "theirs", "tiny"),
        (CONFIG, CONFIG, CONFIG, MODEL, DECODER),
        CONFIG_KEYS,
    ),
    Kind("config.json", ("classless",), (TOKENIZER,), CONFIG_KEYS, others=("the tokenizer is a",)),
    Kind("generation_config.json", ("ours", "theirs"), (GENERATION, DECODER), GENERATION_KEYS),
    Kind(
        *("tokenizer_config.json", (*TOKENIZERS, "tiny"), (TOKENIZER,), TOKENIZER_KEYS),
        others=("the tokenizer is a",),
    ),
    Kind("special_tokens_map.json", ("older",), (TOKENIZER,), TOKENIZER_KEYS),
    Kind("added_tokens.json", ("older",), (TOKENIZER,)),
    Kind("vocab.json", ("older",), (TOKENIZER, VOCAB_AND_MERGES), others=("merges.txt",)),
    Kind("merges.txt", ("older",), (TOKENIZER, VOCAB_AND_MERGES)),
    Kind("chat_template.jinja", ("ours",), (TOKENIZER,)),
    Kind("tokenizer.json", ("ours", "theirs", "layout"), (TOKENIZER, TOKENIZER_FILE), JSON_KEYS),
    Kind("model.safetensors.index.json", ("shards",), (MODEL,), ("weight_map", "metadata")),
    Kind(
        *("adapter_config.json", ("adapter",), (MODEL,), ("base_model_name_or_path",)),
        others=("an adapter",),
    ),
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
    shutil.copytree(root / "ours", root / "classless")
    path = root / "classless" / "tokenizer_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "tokenizer_class": None}))
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
    assert isinstance(error, ValueError | OSError), repr(error)
    assert not isinstance(error, UnicodeError), repr(error)
    assert len(said) <= LIMIT, (len(said), said)
    assert not names or any(name in said for name in names), said


def written(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def check_case(kind: Kind, directory: Path, made: Object, way: str) -> str:
    """Load, save, load again and use; tell how far that went."""
    came = outcome(lambda: made.ways[way](directory))
    assert came.seconds < SECONDS, came.seconds
    for message in came.told:
        assert len(message) <= LIMIT, message
    if came.error is not None:
        # The file may be sound by itself, but not with the weights that are beside it.
        also = ("model.safetensors", "the weights in") if made in (MODEL, DECODER) else ()
        check_sentence(came.error, kind.file, *kind.others, *also)
        return "refused"
    saved, twice = (directory.with_name(name) for name in ("saved", "twice"))
    for one in (saved, twice):
        shutil.rmtree(one, ignore_errors=True)
    came.value.save_pretrained(saved)
    loaded = outcome(lambda: made.ways["config" if made is CONFIG else way](saved))
    if loaded.error is not None:
        raise loaded.error
    again = loaded.value
    again.save_pretrained(twice)
    assert written(saved) == written(twice)
    used = outcome(lambda: made.use(came.value))
    if used.error is not None:
        check_sentence(used.error)
        return f"useless: {used.error}"
    assert used.seconds < SECONDS, used.seconds
    assert made.seen(again) == made.seen(came.value)
    return "loaded"


def drawn_case(kind: Kind, valid: Path, place: Path, draw: random.Random) -> tuple[Any, ...]:
    """Break a file of a copy of a valid directory, and choose what reads it."""
    source = valid / draw.choice(kind.directories)
    # The bundled model's weights are large, and left out.
    objects = [one for one in kind.objects if source.name != "tiny" or one not in (MODEL, DECODER)]
    made = draw.choice(objects)
    directory = place / "broken"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(source, directory)
    if kind.file in ("vocab.json", "merges.txt"):
        (directory / "tokenizer.json").unlink(missing_ok=True)
    path = directory / kind.file
    content = path.read_bytes()
    if draw.random() < 0.25 or not kind.file.endswith(".json"):
        path.write_bytes(broken_text(content, draw))
    else:
        text = broken_value(json.loads(content), draw, kind.likely)
        path.write_text(text, encoding="utf-8")
    return kind, directory, made, draw.choice(list(made.ways))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.file)
def test_whatever_a_file_says(kind, valid, tmp_path, draw, times):
    for number in range(CASES * times):
        case = drawn_case(kind, valid, tmp_path, draw)
        try:
            check_case(*case)
        except Exception as error:
            error.add_note(f"case {number}, {case[3]}: {case[1] / kind.file}")
            raise


CASES = 16


@pytest.mark.parametrize("kind", ["config.json", "generation_config.json", "tokenizer_config.json"])
def test_transformers_reads_what_is_saved_of_it(kind, valid, tmp_path, draw, times):
    kind = next(one for one in KINDS if one.file == kind)
    kind = kind._replace(objects=kind.objects[:1])
    theirs = {
        "config.json": transformers.RobertaConfig,
        "generation_config.json": transformers.GenerationConfig,
        "tokenizer_config.json": transformers.RobertaTokenizerFast,
    }[kind.file]
    for _ in range(4 * times):
        check_theirs(theirs, *drawn_case(kind, valid, tmp_path, draw)[:3])


def check_theirs(theirs: Any, kind: Kind, directory: Path, made: Object) -> None:
    """Save what both take, and let both read it again."""
    before = outcome(lambda: theirs.from_pretrained(directory))
    came = outcome(lambda: next(iter(made.ways.values()))(directory))
    if came.error is not None or before.error is not None:
        return
    came.value.save_pretrained(directory.with_name("saved"))
    after = outcome(lambda: theirs.from_pretrained(directory.with_name("saved")))
    assert after.error is None, (after.error, (directory / kind.file).read_text())


#: What a caller may write in a dictionary, though no file can.
BY_HAND = [
    *(10**60, 10**5000, -(10**60), float("nan"), float("inf"), -1, 0, True, "12", "", "\ud800"),
    *("a\0b", b"x", {1, 2}, [[]], [1, {}], {"a": [1]}, {1: {2: 3}, "b": {}}, (1, 2), None),
    *(np.array([1, 2]), np.float32("nan"), np.int64(5), object(), {"normalizer": [5]}, {5: "x"}),
    {"normalizer": [{"type": "Replace", "pattern": {"String": "a"}, "content": 5}]},
    *({"normalizer": [{"type": "X"}]}, {"post_processor": [{"type": "BertProcessing"}]}),
]


def deep(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


def endless() -> dict[str, Any]:
    value: dict[str, Any] = {}
    value["itself"] = [value, value]
    return value


def assigned(made: Any, name: str, value: Any) -> Any:
    setattr(made, name, value)
    return made


VOCAB, MERGES = {"a": 0, "b": 1, "ab": 2}, [("a", "b")]
WAYS_BY_HAND: dict[str, Callable[[str, Any], Any]] = {
    "config": lambda name, value: RobertaConfig(**{name: value}),
    "config_dict": lambda name, value: RobertaConfig.from_dict({name: value}),
    "config_update": lambda name, value: assigned(RobertaConfig(), name, value),
    "generation": lambda name, value: GenerationConfig(**{name: value}),
    "generation_dict": lambda name, value: GenerationConfig.from_dict({name: value}),
    "generation_update": lambda name, value: assigned(GenerationConfig(), name, value),
    "tokenizer": lambda name, value: RobertaTokenizer(
        **{"vocab_file": VOCAB, "merges_file": MERGES, name: value}
    ),
}
KEYS_BY_HAND = {
    "config": (*CONFIG_KEYS, "vocab_size", "hidden_size", "use_cache", "mine"),
    "generation": (*GENERATION_KEYS, "mine"),
    "tokenizer": (
        *("parts", "other_settings", "added_tokens_decoder", "additional_special_tokens", "errors"),
        *("mask_token", "model_max_length", "model_input_names", "padding_side", "trim_offsets"),
        *("vocab_file", "merges_file"),
    ),
}


@pytest.mark.parametrize("way", WAYS_BY_HAND)
def test_whatever_is_given_by_hand(way, tmp_path):
    values = [*BY_HAND, deep(99), deep(5000), endless(), {"x": deep(5000)}, {"x": 10**5000}]
    for name in KEYS_BY_HAND[way.partition("_")[0]]:
        for value in values:
            came = outcome(lambda: WAYS_BY_HAND[way](name, value))  # noqa: B023
            if came.error is None:
                assert len(repr(came.value)) < 10_000_000
                came = outcome(lambda: came.value.save_pretrained(tmp_path))  # noqa: B023
            if came.error is not None:
                said = f"{name} = {type(value).__name__}: {came.error!r:.600}"
                assert isinstance(came.error, ValueError | TypeError | AttributeError | OSError), (
                    said
                )
                assert not isinstance(came.error, UnicodeError), said
                assert len(str(came.error)) <= LIMIT, said
                assert "ambiguous" not in said, said
                assert "maximum" not in said, said
