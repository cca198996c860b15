"""What a file may have that a model does not, and the other way round, against transformers."""

import json
import re
import warnings

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file, save_model

import minirobert
from minirobert import (
    CheckpointError,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaModel,
    RobertaTokenizer,
    pipeline,
)
from minirobert.checkpoints.matching import match
from minirobert.checkpoints.reading import stored_tensors
from minirobert.parameters import flatten, parameter_shapes

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 3,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip


@pytest.fixture
def saved(tmp_path):
    """Save a model of transformers' with every tensor different; its tensors may be changed."""

    def save(name="RobertaForMaskedLM", change=lambda tensors: None, **fields):
        torch.manual_seed(0)
        model = getattr(transformers, name)(transformers.RobertaConfig(**{**FIELDS, **fields}))
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.normal_()
        model.save_pretrained(tmp_path)
        rewrite(tmp_path, change)
        return tmp_path

    return save


def rewrite(directory, change):
    tensors = load_file(directory / "model.safetensors")
    save_file(change(tensors) or tensors, directory / "model.safetensors", {"format": "pt"})


def add(**tensors):
    """Add tensors of ones to a file; ``__`` in a name stands for a dot."""
    return lambda t: t.update(
        {name.replace("__", "."): torch.ones(shape) for name, shape in tensors.items()}
    )


def both(directory, name="RobertaForMaskedLM", **options):
    """Load in both libraries: the models, what they report, and the warnings of ours."""
    theirs, expected = getattr(transformers, name).from_pretrained(
        directory, output_loading_info=True, **options
    )
    with warnings.catch_warnings(record=True, action="always") as said:
        ours, report = getattr(minirobert, name).from_pretrained(
            directory, output_loading_info=True, **options
        )
    assert {k: sorted(v) for k, v in report.items()} == {k: sorted(v) for k, v in expected.items()}
    changed = {*report["missing_keys"], *report["mismatched_keys"]}
    state = theirs.state_dict()
    for key, array in flatten(ours.params).items():
        if key not in changed:
            np.testing.assert_array_equal(array, state[key].numpy(), err_msg=key)
    return ours, report, [str(one.message) for one in said if "is_decoder" not in str(one.message)]


def silent(directory, name="RobertaForMaskedLM", **options):
    assert both(directory, name, **options)[2] == []


# What the call asks for


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        (
            {"num_hidden_layers": 1},
            r"left out: roberta\.encoder\.layer\.\{1,2\}\.\* \(32 tensors\)",
        ),
        ({"num_hidden_layers": 0}, r"left out: roberta\.encoder\.\* \(48 tensors\)"),
        (
            {"num_hidden_layers": 6},
            r"no weights for roberta\.encoder\.layer\.\{3…5\}\.\* \(48 tensors\)",
        ),
        (
            {"position_embedding_type": "relative_key"},
            r"for roberta\.encoder\.layer\.\{0…2\}\.attention\.self\.distance_embedding\.weight "
            r"\(3 tensors\): ",
        ),
        (
            {"is_decoder": True, "add_cross_attention": True},
            r"for roberta\.encoder\.layer\.\{0…2\}\.crossattention\.\* \(30 tensors\): ",
        ),
        ({"tie_word_embeddings": False}, r"no weights for lm_head\.decoder\.weight: "),
    ],
)
@pytest.mark.filterwarnings("ignore:is_decoder is True")
@pytest.mark.parametrize("how", ["override", "config", "strict=False"])
def test_what_the_call_asks_for(saved, fields, said, how):
    directory = saved()
    options = {**fields}
    if how == "config":
        ours = RobertaConfig.from_pretrained(directory, **fields)
        with pytest.warns(UserWarning, match=said):
            RobertaForMaskedLM.from_pretrained(directory, config=ours)
        return
    if how == "strict=False":  # the file's own configuration says it
        path = directory / "config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
        with pytest.raises(CheckpointError, match=r"\(strict=False draws what is missing, and"):
            RobertaForMaskedLM.from_pretrained(directory)
        with pytest.warns(UserWarning, match=said):
            RobertaForMaskedLM.from_pretrained(directory, strict=False)
        return
    model, _, (message,) = both(directory, **options)
    assert re.search(said, message)
    assert model([[0, 5, 2]]).logits.shape == (1, 3, 19)


def test_what_is_taken_away_of_relative_positions_and_of_a_decoder(saved):
    directory = saved(
        "RobertaForCausalLM",
        is_decoder=True,
        add_cross_attention=True,
        position_embedding_type="relative_key_query",
    )
    fields = {"add_cross_attention": False, "position_embedding_type": "absolute"}
    _, _, (message,) = both(directory, "RobertaForCausalLM", **fields)
    assert re.search(r"layer\.\{0…2\}\.crossattention\.\* \(3. tensors\)", message)
    assert "{0…2}.attention.self.distance_embedding.weight (3 tensors)" in message


def test_what_the_call_does_not_ask_for_stays_an_error(saved):
    name = "roberta.encoder.layer.0.output.dense.bias"
    directory = saved(change=lambda t: {n: x for n, x in t.items() if n != name})
    with pytest.raises(CheckpointError, match=rf"missing: {name} \[12\]"):
        RobertaForMaskedLM.from_pretrained(directory, num_hidden_layers=2)
    with pytest.raises(CheckpointError, match=rf"missing: {name} \[12\]"):
        RobertaForMaskedLM.from_pretrained(directory, num_hidden_layers=2, strict=True)
    _, report, _ = both_loosely(directory)
    assert report["missing_keys"] == [name]


def both_loosely(directory):
    """Load what transformers loads without a word of the caller's."""
    _, expected = transformers.RobertaForMaskedLM.from_pretrained(
        directory, output_loading_info=True
    )
    with pytest.warns(UserWarning, match="no weights for|left out") as said:
        model, report = RobertaForMaskedLM.from_pretrained(
            directory, output_loading_info=True, strict=False
        )
    assert {k: sorted(v) for k, v in report.items()} == {k: sorted(v) for k, v in expected.items()}
    return model, report, [str(one.message) for one in said]


@pytest.mark.parametrize(
    ("fields", "name", "cure"),
    [
        ({"type_vocab_size": 3}, "embeddings.token_type_embeddings.weight", ""),
        ({"max_position_embeddings": 11}, "embeddings.position_embeddings.weight", ""),
        ({"vocab_size": 20}, "embeddings.word_embeddings.weight", "resize_token_embeddings"),
        ({"intermediate_size": 7}, "encoder.layer.{0…2}.intermediate.dense.weight", ""),
    ],
)
def test_another_shape_needs_its_own_word(saved, fields, name, cure):
    directory = saved()
    with pytest.raises(RuntimeError, match="size mismatch"):
        transformers.RobertaForMaskedLM.from_pretrained(directory, **fields)
    with pytest.raises(CheckpointError) as raised:
        RobertaForMaskedLM.from_pretrained(directory, strict=False, **fields)
    assert f"wrong shape: roberta.{name} is [" in str(raised.value)
    assert "ignore_mismatched_sizes=True" in str(raised.value)
    assert cure in str(raised.value)
    _, report, (message,) = both(directory, ignore_mismatched_sizes=True, **fields)
    assert report["mismatched_keys"]
    assert "weights of another shape for" in message


# Heads, and what is none


@pytest.mark.parametrize("name", ["RobertaForMaskedLM", "RobertaForTokenClassification"])
def test_a_foreign_head_is_left(saved, name):
    change = add(crf__transitions=(3, 3), mlp__0__weight=(2,), mlp__2__weight=(2,))
    directory = saved(name, change)
    _, _, (message,) = both(directory, name)
    assert message.endswith(
        "tensors that this model does not use, and that are left out: crf.transitions, "
        "mlp.{0,2}.weight (2 tensors)"
    )


def test_a_pipeline_leaves_a_foreign_head_too(saved):
    change = add(crf__transitions=(3, 3))
    directory = saved("RobertaForTokenClassification", change, vocab_size=8192)
    tokenizer = RobertaTokenizer.from_pretrained()
    with pytest.warns(UserWarning, match=r"left out: crf\.transitions$"):
        assert pipeline("token-classification", directory, tokenizer=tokenizer)


def test_more_of_the_own_head_is_left_and_more_of_the_encoder_is_an_error(saved):
    directory = saved(change=add(lm_head__extra=(2,)))
    _, _, (message,) = both(directory)
    assert "left out: lm_head.extra" in message
    rewrite(directory, add(roberta__encoder__layer__0__adapter__weight=(2,), crf__x=(2,)))
    with pytest.raises(CheckpointError) as raised:
        RobertaForMaskedLM.from_pretrained(directory)
    assert "unexpected: roberta.encoder.layer.0.adapter.weight [2]" in str(raised.value)
    assert "unexpected: crf.x [2]" in str(raised.value)
    _, report, _ = both_loosely(directory)
    assert len(report["unexpected_keys"]) == 3


CLASSES = (
    *("RobertaModel", "RobertaForMaskedLM", "RobertaForSequenceClassification"),
    *("RobertaForTokenClassification", "RobertaForQuestionAnswering"),
)


@pytest.mark.parametrize("stored", CLASSES)
@pytest.mark.parametrize("wanted", CLASSES)
def test_any_class_loads_the_file_of_any_other(saved, stored, wanted):
    both(saved(stored), wanted)


LEFT = [
    "roberta.encoder.layer.9.output.LayerNorm.gamma",
    "encoder.layer.9.output.dense.bias",
    "roberta.embeddings.more",
    "embeddings.more",
    "roberta.pooler.more",
    "pooler.more",
    "roberta.more",
    "more.LayerNorm.beta",
    "more.gamma",
    "classifier.out_proj.more",
    "classifier.bias",
    "lm_head.LayerNorm.gamma",
    "embeddings.position_ids",
    "embeddings.token_type_ids",
    "position_ids",
]


@pytest.mark.filterwarnings("ignore:.* has ")
@pytest.mark.parametrize(
    ("stored", "name"),
    [
        *(("RobertaForQuestionAnswering", name) for name in LEFT),
        # where one name has the prefix, transformers reads nothing without it
        *(("RobertaModel", name) for name in LEFT if not name.startswith("roberta.")),
    ],
)
@pytest.mark.parametrize("wanted", ["RobertaModel", "RobertaForMaskedLM"])
def test_what_is_left_has_the_names_that_transformers_tells(saved, stored, wanted, name):
    directory = saved(stored, lambda t: t.update({name: torch.ones(3)}))
    _, expected = getattr(transformers, wanted).from_pretrained(directory, output_loading_info=True)
    _, report = getattr(minirobert, wanted).from_pretrained(
        directory, output_loading_info=True, strict=False
    )
    assert {k: sorted(v) for k, v in report.items()} == {k: sorted(v) for k, v in expected.items()}


@pytest.mark.parametrize("wanted", ["RobertaModel", "RobertaForQuestionAnswering"])
def test_both_biases_of_a_decoder_that_is_left(saved, wanted):
    def change(tensors):
        words = tensors["roberta.embeddings.word_embeddings.weight"].clone()
        bias = tensors["lm_head.bias"].clone()
        tensors |= {"lm_head.decoder.weight": words, "lm_head.decoder.bias": bias}

    _, report, _ = both(saved("RobertaForMaskedLM", change), wanted)
    assert "lm_head.decoder.bias" in report["unexpected_keys"]


def test_buffers_of_any_dtype_are_passed_over(saved):
    silent(
        saved(
            change=lambda t: t.update(
                {
                    "roberta.embeddings.position_ids": torch.arange(9)[None],
                    "roberta.embeddings.token_type_ids": torch.zeros(1, 9).bool(),
                }
            )
        )
    )


# One tensor under two names


def test_two_spellings_of_one_tensor(saved):
    """The one under ``roberta.`` is read, also here in both libraries."""
    directory = saved(change=add(embeddings__LayerNorm__bias=(12,)))
    theirs = transformers.RobertaForMaskedLM.from_pretrained(directory)
    with pytest.warns(UserWarning, match="has other numbers in embeddings.LayerNorm.bias than in"):
        ours = RobertaForMaskedLM.from_pretrained(directory)
    expected = theirs.roberta.embeddings.LayerNorm.bias.detach().numpy()
    np.testing.assert_array_equal(ours.params.roberta.embeddings.LayerNorm.bias, expected)
    with pytest.warns(
        UserWarning,
        match="roberta.embeddings.LayerNorm.bias, which mean the same: the latter is read",
    ):
        body = RobertaModel.from_pretrained(directory, add_pooling_layer=False)
    np.testing.assert_array_equal(body.params.embeddings.LayerNorm.bias, expected)


def test_a_decoder_that_is_tied_but_differs(saved):
    directory = saved(change=add(lm_head__decoder__weight=(19, 12)))
    _, _, (message,) = both(directory)
    assert "other numbers in lm_head.decoder.weight than in roberta.embeddings.word_emb" in message
    silent(directory, tie_word_embeddings=False)
    body = {"add_pooling_layer": False}
    silent(directory, "RobertaModel", **body)  # the decoder is none of its


@pytest.mark.parametrize("untied", [False, True])
def test_a_decoder_that_is_the_word_embeddings(saved, untied):
    def copied(tensors):
        words = tensors["roberta.embeddings.word_embeddings.weight"]
        tensors["lm_head.decoder.weight"] = words.clone()

    silent(saved(change=copied), **({"tie_word_embeddings": False} if untied else {}))


def test_a_file_that_holds_shared_tensors_once(saved):
    """The safetensors library keeps the first name of a shared tensor, which is the decoder's."""
    directory = saved()
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    save_model(model, str(directory / "model.safetensors"))
    with stored_tensors(directory) as names:
        names = list(names)
    assert "lm_head.decoder.weight" in names
    assert "roberta.embeddings.word_embeddings.weight" not in names
    with warnings.catch_warnings(action="error"):
        ours = RobertaForMaskedLM.from_pretrained(directory)
        body = RobertaModel.from_pretrained(directory, add_pooling_layer=False)
    expected = model.roberta.embeddings.word_embeddings.weight.detach().numpy()
    np.testing.assert_array_equal(ours.word_embeddings, expected)
    np.testing.assert_array_equal(body.word_embeddings, expected)


# Prefixes


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "model.", "0.auto_model."])
def test_a_prefix_is_told_and_stripped(saved, prefix):
    directory = saved()
    expected = load_file(directory / "model.safetensors")
    rewrite(directory, lambda t: {prefix + name: tensor for name, tensor in t.items()})
    with pytest.raises(CheckpointError) as raised:
        RobertaForMaskedLM.from_pretrained(directory)
    lines = str(raised.value).splitlines()
    assert len(lines) < 8
    assert lines[-1] == (
        f"  (all names in the file begin with '{prefix}': give strip_prefix='{prefix}')"
    )
    with warnings.catch_warnings(action="error"):
        model = RobertaForMaskedLM.from_pretrained(directory, strip_prefix=prefix)
    for name, array in flatten(model.params).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    with pytest.raises(ValueError, match=r"strip_prefix is 'x\.', but no tensor in .* begins"):
        RobertaForMaskedLM.from_pretrained(directory, strip_prefix="x.")


def test_two_encoders_in_one_file(saved):
    directory = saved()
    rewrite(directory, lambda t: {p + n: x.clone() for n, x in t.items() for p in ("q.", "p.")})
    with pytest.raises(CheckpointError, match=r"strip_prefix='p\.' or strip_prefix='q\.'"):
        RobertaForMaskedLM.from_pretrained(directory)
    with pytest.warns(UserWarning, match=r"left out: p\.\* \(58 tensors\)"):
        RobertaForMaskedLM.from_pretrained(directory, strip_prefix="q.")


def test_averaged_weights_beside_the_others(saved):
    directory = saved()
    expected = load_file(directory / "model.safetensors")
    rewrite(directory, lambda t: {**{n: x + 1 for n, x in t.items()}, **prefixed("ema.", t)})
    with pytest.warns(
        UserWarning, match=r"other numbers in .* than in ema\.\* \(58 tensors\), which"
    ):
        model = RobertaForMaskedLM.from_pretrained(directory, strip_prefix="ema.")
    for name, array in flatten(model.params).items():
        np.testing.assert_array_equal(array, expected[name], err_msg=name)
    with pytest.warns(UserWarning, match=r"left out: ema\.\* \(58 tensors\)$"):
        RobertaForMaskedLM.from_pretrained(directory)


def prefixed(prefix, tensors):
    return {prefix + name: tensor for name, tensor in tensors.items()}


def test_an_adapter_inside_the_file(saved):
    query = "roberta__encoder__layer__0__attention__self__query__lora_A__weight"
    with pytest.raises(CheckpointError, match=r"merge_and_unload\(\) of peft"):
        RobertaForMaskedLM.from_pretrained(saved(change=add(**{query: (2, 12)})))


def test_a_file_without_tensors(saved):
    directory = saved(change=lambda t: t.clear())
    with pytest.raises(CheckpointError, match="the file holds no tensors at all"):
        RobertaForMaskedLM.from_pretrained(directory)
    with pytest.warns(UserWarning, match="has no weights for"):
        model = RobertaForMaskedLM.from_pretrained(directory, strict=False, dtype="auto")
    assert model.dtype == "float32"


def test_twelve_layers_are_a_few_lines(saved):
    directory = saved(num_hidden_layers=12)
    rewrite(directory, lambda t: {n: x for n, x in t.items() if "bias" not in n})
    with pytest.raises(CheckpointError) as raised:
        RobertaForMaskedLM.from_pretrained(directory)
    assert len(str(raised.value).splitlines()) < 18
    assert "layer.{0…11}.attention.self.query.bias [12] (12 tensors)" in str(raised.value)


# Dtypes and variants


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2])
def test_float8(saved, dtype):
    codes = torch.arange(256, dtype=torch.uint8)
    codes = torch.cat([codes, codes])[: 19 * 12].reshape(19, 12).view(dtype)
    name = "roberta.embeddings.word_embeddings.weight"
    directory = saved(change=lambda t: t.update({name: codes}))
    rewrite(directory, lambda t: {n: x.to(dtype) for n, x in t.items()})
    theirs = transformers.RobertaForMaskedLM.from_pretrained(directory, dtype=torch.float32)
    ours = RobertaForMaskedLM.from_pretrained(directory)
    for key, array in flatten(ours.params).items():
        np.testing.assert_array_equal(array, theirs.state_dict()[key].float().numpy(), err_msg=key)
    config = RobertaConfig.from_pretrained(directory)
    config.dtype = None
    narrowest = RobertaForMaskedLM.from_pretrained(directory, config=config, dtype="auto")
    assert narrowest.dtype == "float16"


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.uint8, torch.int8])
def test_weights_that_are_no_floating_point_numbers(saved, dtype):
    directory = saved(change=lambda t: t.update({"lm_head.bias": torch.ones(19).to(dtype)}))
    with pytest.raises(RuntimeError, match="floating point"):
        transformers.RobertaForMaskedLM.from_pretrained(directory)
    with pytest.raises(CheckpointError, match=r"stores lm_head\.bias as \w+, but weights must be"):
        RobertaForMaskedLM.from_pretrained(directory)


@pytest.mark.parametrize("size", ["5GB", "2KB"])
def test_variants(saved, size):
    directory = saved()
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, variant="fp16", max_shard_size=size)
    silent(directory, variant="fp16")
    with pytest.raises(FileNotFoundError, match=r"but model\.fp16.*: give variant='fp16'"):
        RobertaForMaskedLM.from_pretrained(directory)
    model.save_pretrained(directory)
    with pytest.raises(FileNotFoundError, match=r"has no model\.fp32\.safetensors, but model\."):
        RobertaForMaskedLM.from_pretrained(directory, variant="fp32")


def test_every_tensor_is_in_one_group(saved):
    shapes = parameter_shapes(RobertaConfig(**FIELDS), "RobertaForSequenceClassification")
    with stored_tensors(saved(change=add(crf__x=(2,), qa_outputs__bias=(2,)))) as tensors:
        found = match(tensors, shapes)
    assert list(found.foreign) == ["crf.x"]
    assert "qa_outputs.bias" in found.unused
    assert found.found.keys() | found.missing.keys() == shapes.keys()
    assert len(found.found) + len(found.foreign) + len(found.unused) == len(tensors)
