"""Where the options of generation come from, against transformers on the same directories."""

import copy
import json

import numpy as np
import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import GenerationConfig, RobertaConfig, RobertaForCausalLM
from minirobert.generation.settings import NOT_HERE
from tests.equivalence.test_generation import WithForwardPositions

PROMPTS = np.array([[0, 5, 6], [1, 0, 7]])
SMALL = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "max_position_embeddings": 60, "initializer_range": 1.0,
    "is_decoder": True, "tie_word_embeddings": False,
}  # fmt: skip
GROUPS = {"num_beam_groups": 2, "diversity_penalty": 0.5}


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """A model whose words vary, without a generation_config.json."""
    torch.manual_seed(0)
    directory = tmp_path_factory.mktemp("saved")
    theirs = transformers.RobertaForCausalLM(transformers.RobertaConfig(**SMALL))
    theirs.save_pretrained(directory)
    (directory / "generation_config.json").unlink()
    return directory


def both(directory, in_file=None, in_config=None):
    """Load the model here and there, with these options in its files."""
    path = directory / "config.json"
    original = path.read_text(encoding="utf-8")
    file = directory / "generation_config.json"
    try:
        path.write_text(json.dumps({**json.loads(original), **(in_config or {})}))
        if in_file is not None:
            file.write_text(json.dumps(in_file))
        theirs = WithForwardPositions.from_pretrained(directory).eval()
        return theirs, RobertaForCausalLM.from_pretrained(directory)
    finally:
        path.write_text(original, encoding="utf-8")
        file.unlink(missing_ok=True)


def texts_of(theirs, ours, given=None, **options):
    """Generate here and there; the object is one of transformers'."""
    prompts = torch.tensor(PROMPTS)
    mask = (prompts != 1).long()
    expected = theirs.generate(
        prompts, attention_mask=mask, generation_config=copy.deepcopy(given), **options
    )
    if given is not None:
        given = GenerationConfig.from_dict(given.to_diff_dict())
    return expected.tolist(), ours.generate(PROMPTS, PROMPTS != 1, given, **options).tolist()


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "max_new_tokens": st.integers(1, 8) | st.none(),
        "max_length": st.sampled_from([5, 9, 20, 30]) | st.none(),
        "min_new_tokens": st.integers(0, 3) | st.none(),
        "min_length": st.integers(0, 9) | st.none(),
        "num_beams": st.integers(1, 3) | st.none(),
        "repetition_penalty": st.sampled_from([1.0, 1.7, 0.6]) | st.none(),
        "no_repeat_ngram_size": st.sampled_from([0, 2]) | st.none(),
        "length_penalty": st.sampled_from([1.0, 3.0, -1.0]) | st.none(),
        "suppress_tokens": st.lists(st.integers(3, 22), min_size=1, max_size=9) | st.none(),
        "eos_token_id": st.integers(0, 22) | st.lists(st.integers(0, 22), min_size=1, max_size=5),
        "use_cache": st.booleans(),
    },
)


def without_null(options):
    """transformers reads null in a file as a value, of which it makes an error."""
    return {name: value for name, value in options.items() if value is not None}


def is_possible(*layers):
    """Tell whether new tokens are to come: at least as many as must, and not none."""
    said = {name: value for one in layers for name, value in without_null(one).items()}
    length = said.get("max_length", 20)
    new = said.get("max_new_tokens", 20 if length == 20 else length - 3)
    return new >= said.get("min_new_tokens", 0) and 3 + new >= said.get("min_length", 0)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(in_file=OPTIONS, given_=OPTIONS, call=OPTIONS, has_file=st.booleans())
def test_what_counts_most(saved, in_file, given_, call, has_file):
    call = without_null(call)
    is_drawn_well = is_possible(in_file, given_, call) and is_possible(in_file, call)
    if not is_drawn_well or call.get("max_length") == 20:
        return
    # transformers does not look for tokens in config.json where there is the other file.
    place = (
        {"in_file": {"eos_token_id": 2, "pad_token_id": 1, **in_file}}
        if has_file
        else {"in_config": in_file}
    )
    place = {name: without_null(options) for name, options in place.items()}
    theirs, ours = both(saved, **place)
    expected, found = texts_of(
        theirs, ours, transformers.GenerationConfig(**without_null(given_)), **call
    )
    assert found == expected
    expected, found = texts_of(theirs, ours, **call)
    assert found == expected


@pytest.mark.parametrize("place", ["in_file", "in_config"])
def test_null_says_nothing(saved, place):
    theirs, ours = both(saved)
    every = {one: None for one in theirs.generation_config.to_dict() if one != "eos_token_id"}
    del every["transformers_version"], every["output_attentions"], every["output_hidden_states"]
    del every["bos_token_id"], every["pad_token_id"], every["use_cache"]
    _, other = both_of_ours(saved, place, every)
    expected, _ = texts_of(theirs, ours)
    assert other.generate(PROMPTS).tolist() == expected


def test_null_leaves_a_token_to_the_model(saved, tmp_path):
    directory = written(saved, tmp_path, eos_token_id=None, top_k=None, num_beams=None)
    model = RobertaForCausalLM.from_pretrained(directory)
    assert model.generation_config.given == {}
    assert model.generation_options()["eos_token_id"] == 2


def both_of_ours(directory, place, options):
    """Load only our model: transformers fails on null."""
    name = "generation_config.json" if place == "in_file" else "config.json"
    path = directory / name
    before = path.read_text() if path.exists() else None
    path.write_text(json.dumps({**json.loads(before or "{}"), **options}))
    try:
        return None, RobertaForCausalLM.from_pretrained(directory)
    finally:
        path.unlink() if before is None else path.write_text(before)


def test_a_text_ends_where_an_object_says_nothing_of_it(saved):
    theirs, ours = both(saved, {"eos_token_id": list(range(3, 23))})
    expected, found = texts_of(theirs, ours, transformers.GenerationConfig(max_new_tokens=9))
    assert found == expected
    assert len(found[0]) < 12


def test_the_file_is_read_kept_and_written(saved, tmp_path):
    with pytest.warns(
        match="asks for num_beam_groups=2, diversity_penalty=0.5, which is not here: texts"
    ):
        ours = RobertaForCausalLM.from_pretrained(
            written(saved, tmp_path / "a", **GROUPS, num_beams=2, top_k=7, mine=[1])
        )
    assert ours.generation_config.top_k == 7
    ours.save_pretrained(tmp_path / "b")
    content = json.loads((tmp_path / "b" / "generation_config.json").read_text())
    assert content == {**GROUPS, "num_beams": 2, "top_k": 7, "mine": [1]}
    again = transformers.GenerationConfig.from_pretrained(tmp_path / "b")
    assert (again.num_beams, again.top_k, again.mine) == (2, 7, [1])


def written(directory, target, **options):
    """Copy a model, with a generation_config.json."""
    RobertaForCausalLM.from_pretrained(directory).save_pretrained(target)
    (target / "generation_config.json").write_text(json.dumps(options))
    return target


def test_options_of_config_json_that_are_not_here(saved):
    with pytest.warns(match=r"config.json of .* asks for diversity_penalty=0.5, which is not here"):
        both_of_ours(saved, "in_config", {"diversity_penalty": 0.5, "num_beam_groups": 1})


def test_options_of_config_json_that_the_file_replaces(saved):
    with pytest.warns(match=r"config.json of .* asks for top_k=3, but .* only that counts"):
        _, ours = both(
            saved,
            {"num_beams": 2, "eos_token_id": 2, "pad_token_id": 1},
            {"num_beams": 2, "top_k": 3, "max_length": 20, "top_p": None, "do_sample": False},
        )
    assert (ours.generation_config.num_beams, ours.generation_config.top_k) == (2, 50)


def test_a_model_without_the_file_saves_its_tokens(saved, tmp_path):
    _, ours = both(saved, in_config={"no_repeat_ngram_size": 3})
    ours.save_pretrained(tmp_path)
    theirs = transformers.GenerationConfig.from_pretrained(tmp_path)
    assert (theirs.eos_token_id, theirs.pad_token_id, theirs.no_repeat_ngram_size) == (2, 1, 3)


def test_contradictions_in_a_file_are_told_when_they_count(saved, tmp_path):
    directory = written(saved, tmp_path, do_sample=True, num_beams=2)
    model = RobertaForCausalLM.from_pretrained(directory)
    with pytest.raises(ValueError, match="do_sample is True and num_beams 2"):
        model.generate(PROMPTS)
    assert model.generate(PROMPTS, do_sample=False).shape[0] == 2


def test_a_temperature_of_zero_is_read_as_it_is_meant(saved):
    _, ours = both_of_ours(saved, "in_config", {"temperature": 0.0, "do_sample": False})
    assert ours.generate(PROMPTS).shape[0] == 2


def test_changes_of_a_model(saved):
    _, ours = both(saved)
    ours.config.num_beams = 2
    assert ours.generation_options()["num_beams"] == 2
    ours.generation_config.num_beams = 3
    assert ours.generation_options()["num_beams"] == 3
    ours.generation_config = GenerationConfig(eos_token_id=None)
    assert ours.generation_options()["eos_token_id"] == 2  # None says nothing
    ours.generation_config.eos_token_id = None  # but here it does
    assert ours.generation_options()["eos_token_id"] is None
    with pytest.raises(TypeError, match="generation_config is a dict, but must be a Generation"):
        ours.generation_config = {}
    with pytest.raises(TypeError, match="is a GenerationConfig, but must be a GenerationConfig of"):
        ours.generate(PROMPTS, None, transformers.GenerationConfig())


def test_assigned_options_are_checked():
    config = GenerationConfig()
    with pytest.raises(ValueError, match="top_p is 2, but must be"):
        config.top_p = 2
    with pytest.raises(AttributeError, match="no option 'num_beam': is num_beams meant"):
        config.num_beam = 2
    config.top_p = 0.5
    assert config.given == {"top_p": 0.5}
    assert copy.deepcopy(config).given == config.given


@pytest.mark.parametrize("name", NOT_HERE)
def test_options_that_are_not_here_are_transformers(name):
    default = getattr(transformers.GenerationConfig(), name, None)
    assert NOT_HERE[name].rule.allows(default)


def test_options_that_are_not_here_are_refused(saved):
    _, ours = both(saved)
    with pytest.raises(ValueError, match="num_beam_groups is 2, but must be 1: beams are not"):
        ours.generate(PROMPTS, num_beam_groups=2)
    with pytest.raises(TypeError, match="no option 'max_new_token': is max_new_tokens meant"):
        ours.generate(PROMPTS, max_new_token=2)
    ours.generate(PROMPTS, max_new_tokens=1, num_beam_groups=1, cache_implementation="static")


def test_prompts_under_the_name_of_transformers(saved):
    _, ours = both(saved)
    expected = ours.generate(PROMPTS)
    np.testing.assert_array_equal(ours.generate(inputs=PROMPTS), expected)
    tokens = [token.tolist() for token in ours.stream(inputs=PROMPTS)]
    np.testing.assert_array_equal(np.array(tokens).T, expected[:, 3:])


def test_every_option_of_transformers_is_known():
    theirs = {name for name in vars(transformers.GenerationConfig()) if not name.startswith("_")}
    ours = set(GenerationConfig().to_dict())
    assert theirs - ours - NOT_HERE.keys() == {"transformers_version"}


def test_to_and_from_files(tmp_path):
    config = GenerationConfig(num_beams=1, sequence_bias={(3, 4): -2.0}, extra={"mine": 1})
    config.save_pretrained(tmp_path)
    again = GenerationConfig.from_pretrained(tmp_path)
    assert again.to_diff_dict() == config.to_diff_dict()
    assert again.biases == config.biases
    assert again.given.keys() == {"num_beams", "sequence_bias"}
    assert GenerationConfig.from_pretrained(tmp_path, top_k=3).top_k == 3
    assert json.loads(config.to_json_string(use_diff=False)).keys() > {"top_k", "mine"}
    with pytest.raises(FileNotFoundError, match=r"there is no file generation_config\.json"):
        GenerationConfig.from_pretrained(tmp_path / "..")


def test_scores_in_the_answer_of_a_pipeline():
    config = RobertaConfig(num_hidden_layers=0, vocab_size=8192, is_decoder=True)
    model, tokenizer = RobertaForCausalLM(config), minirobert.RobertaTokenizer.from_pretrained()
    call = minirobert.pipeline("text-generation", model, tokenizer, max_new_tokens=3)
    (answer,) = call("a", do_sample=False, output_scores=True, output_logits=True)
    ids = call("a", do_sample=False, return_tensors=True)[0]["generated_token_ids"]
    assert np.argmax(answer["scores"], axis=-1).tolist() == ids[-3:]
    assert answer["scores"] == answer["logits"]
    (answer,) = call("a", num_beams=2, output_scores=True)
    output = model.generate([ids[:-3]], num_beams=2, max_new_tokens=3, output_scores=True)
    assert answer["sequences_scores"] == float(output.sequences_scores[0])
    assert call("a", num_beams=2)[0].keys() == {"generated_text"}


def test_an_object_at_a_call_of_a_pipeline():
    config = RobertaConfig(num_hidden_layers=0, vocab_size=8192, is_decoder=True)
    tokenizer = minirobert.RobertaTokenizer.from_pretrained()
    call = minirobert.pipeline("text-generation", RobertaForCausalLM(config), tokenizer, top_k=5)
    settled = call._config({"top_k": 7}, GenerationConfig(top_k=6, max_new_tokens=3))
    assert (settled.top_k, settled.max_new_tokens, settled.do_sample) == (7, 3, False)
    assert call._config({}, GenerationConfig(max_new_tokens=3)).top_k == 5
    given = GenerationConfig(max_new_tokens=3)
    ids = call("a", generation_config=given, return_tensors=True)[0]["generated_token_ids"]
    assert len(ids) == 2 + 3
    text = "".join(call.stream("a", generation_config=given))
    assert text == tokenizer.decode(ids[2:], skip_special_tokens=True)
    made = minirobert.pipeline(
        "text-generation", RobertaForCausalLM(config), tokenizer, generation_config=given
    )
    assert made._config({}).max_new_tokens == 3


def test_parameters_of_a_task():
    config = RobertaConfig(
        num_hidden_layers=0, vocab_size=8192, is_decoder=True,
        extra={"task_specific_params": {"text-generation": {
            "do_sample": False, "max_length": 9, "prefix": "So "}, "other": {"num_beams": 3}}},
    )  # fmt: skip
    tokenizer = minirobert.RobertaTokenizer.from_pretrained()
    call = minirobert.pipeline("text-generation", RobertaForCausalLM(config), tokenizer)
    settled = call._config({})
    assert (settled.do_sample, settled.max_length, settled.num_beams) == (False, 9, 1)
    assert call.prefix == "So "
    n_prefix = len(tokenizer("So ", add_special_tokens=False).input_ids)
    ids = call("and", return_tensors=True)[0]["generated_token_ids"]
    assert len(ids) == 9 + n_prefix
    assert len(call("and", return_tensors=True, prefix="")[0]["generated_token_ids"]) == 9
    assert call._config({"do_sample": True}).do_sample is True
