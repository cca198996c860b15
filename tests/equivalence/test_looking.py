"""The logit lens and patching against torch: its head on hidden states, hooks on its modules."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import minirobert
from minirobert import RobertaConfig, RobertaForMaskedLM, RobertaModel, logit_lens, patch
from tests.equivalence.strategies import batches, configs, seeds, torch_model, with_parameters_of
from tests.libraries import LIBRARIES, OTHERS, close

pytestmark = pytest.mark.filterwarnings("ignore:is_decoder is")
language_models = st.sampled_from(["RobertaForMaskedLM", "RobertaForCausalLM"])
#: Our names, and whose output they are in torch: the same, but for what is split into heads.
MODULES = {
    "roberta.embeddings": "roberta.embeddings",
    "roberta.embeddings.word_embeddings": "roberta.embeddings.word_embeddings",
} | {
    f"roberta.encoder.layer.{i}.{ours}": f"roberta.encoder.layer.{i}.{theirs}"
    for i in range(3)
    for ours, theirs in {
        "attention.self.query": "attention.self.query",
        "attention.self.value.dense": "attention.self.value",
        "attention.output.dense": "attention.output.dense",
        "intermediate": "intermediate",
        "output.LayerNorm": "output",
    }.items()
}


def both(class_name, config, seed):
    theirs = torch_model(class_name, config, seed)
    kind = getattr(minirobert, class_name)
    return theirs, with_parameters_of(theirs, kind(RobertaConfig(**config)))


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=25)
@given(data=st.data(), class_name=language_models, config=configs(), seed=seeds)
def test_the_lens_is_torchs_head_on_every_hidden_state(library, data, class_name, config, seed):
    theirs, ours = both(class_name, config, seed)
    batch = data.draw(batches(config, class_name))
    batch.arguments.pop("labels", None)
    with torch.no_grad():
        states = theirs(**batch.torch(torch.float64), output_hidden_states=True).hidden_states
        expected = torch.stack([theirs.lm_head(hidden) for hidden in states])  # [L + 1, B, S, V]
    arguments = batch.ours(library, "float64")
    close(logit_lens(library.model(ours), arguments), expected)
    some = logit_lens(library.model(ours), arguments, [-1, 0])
    close(some, expected[:, :, [-1, 0]])


def expected_scores(theirs, module, clean, corrupt, position, probability):
    """Patch by hooks: give the scores of all words at a position, for a patch at each."""
    module, kept, scores = theirs.get_submodule(module), [], []
    with torch.no_grad():
        with_hook(module, lambda _, __, output: kept.append(output.clone()), theirs, clean)
        for at in range(clean.shape[1]):

            def put(_, __, output, at=at):
                output = output.clone()
                output[:, at] = kept[0][:, at]
                return output

            scores.append(with_hook(module, put, theirs, corrupt)[0, position])
        scores = torch.stack(scores)  # [S, V]
        before = theirs(corrupt).logits[0, position]
    if probability:
        return scores.softmax(-1) - before.softmax(-1)
    return scores - before


def with_hook(module, hook, model, ids):
    handle = module.register_forward_hook(hook)
    try:
        return model(ids).logits
    finally:
        handle.remove()


@pytest.mark.parametrize("library", LIBRARIES)
@settings(max_examples=30)
@given(
    data=st.data(), class_name=language_models, config=configs(), seed=seeds,
    length=st.integers(1, 6), probability=st.booleans(),
)  # fmt: skip
def test_patching_is_a_hook_on_torchs_module(
    library, data, class_name, config, seed, length, probability
):
    config = {**config, "chunk_size_feed_forward": 0}
    theirs, ours = both(class_name, config, seed)
    there = dict(theirs.named_modules())
    known = [name for name, module in MODULES.items() if module in there]
    names = data.draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    words = np.random.default_rng(seed).integers(0, config["vocab_size"], (2, 1, length))
    clean, corrupt = words
    word = data.draw(st.integers(0, config["vocab_size"] - 1))
    position = data.draw(st.integers(-length, length - 1))
    moved = patch(
        library.model(ours),
        {"input_ids": library.array(clean)},
        {"input_ids": library.array(corrupt)},
        names, word=word, position=position, probability=probability,
    )  # fmt: skip
    ids = (torch.tensor(clean), torch.tensor(corrupt))
    expected = [
        expected_scores(theirs, MODULES[name], *ids, position, probability)[:, word]
        for name in names
    ]
    close(moved, torch.stack(expected), 1e-9, at_least=1e-2)


SIZES = {
    "vocab_size": 23, "hidden_size": 6, "num_hidden_layers": 1, "num_attention_heads": 2,
    "intermediate_size": 5, "initializer_range": 0.5,
}  # fmt: skip
MODEL = RobertaForMaskedLM(RobertaConfig(**SIZES))
CLEAN, CORRUPT = {"input_ids": [[0, 7, 2]]}, {"input_ids": [[0, 9, 2]]}
QUERY = "roberta.encoder.layer.0.attention.self.query"


@pytest.mark.parametrize("library", OTHERS)
def test_other_libraries_in_float32(library):
    """Look into the embeddings alone: each layer would take JAX a second."""
    ours = RobertaForMaskedLM(RobertaConfig(**{**SIZES, "num_hidden_layers": 0}))
    model, options = library.model(ours), {"word": 5, "position": 1}
    for looked, expected in (
        (logit_lens(model, CLEAN, [1]), logit_lens(ours, CLEAN)[:, :, 1:2]),
        (
            patch(model, CLEAN, CORRUPT, "roberta.embeddings", **options),
            patch(ours, CLEAN, CORRUPT, "roberta.embeddings", **options),
        ),
    ):
        assert type(looked) is type(model.word_embeddings)
        assert str(looked.dtype).endswith("float32")
        assert np.abs(expected).max() > 0.1
        close(looked, expected, 1e-5)


def patched(model=MODEL, clean=CLEAN, corrupt=CORRUPT, names=QUERY, **changes):
    return patch(model, clean, corrupt, names, **{"word": 5, "position": 1, **changes})


BASE = RobertaModel(RobertaConfig(**SIZES))


@pytest.mark.parametrize(
    ("wrong", "error", "sentence"),
    [
        (lambda: logit_lens(BASE, CLEAN), TypeError, "is a RobertaModel, which has no language-mo"),
        (lambda: patched(BASE), TypeError, "RobertaModel, which has no language-model head"),
        (lambda: logit_lens(MODEL, [[0, 7, 2]]), TypeError, "batch is a list, but must be what a"),
        (lambda: logit_lens(MODEL, CLEAN, [3]), ValueError, "from -3 to 2, as the text has 3 tok"),
        (lambda: patched(corrupt="text"), TypeError, "corrupt is a str, but must be what a token"),
        (
            lambda: patched(corrupt={"input_ids": [[0, 9, 9, 2]]}), ValueError,
            "clean has 3 tokens and corrupt 4, but they must have as many",
        ),
        (lambda: patched(clean={"input_ids": [[0], [0]]}), ValueError, "clean has 2 texts, but"),
        (lambda: patched(names=[]), ValueError, r"names is \[\], but must be the name"),
        (lambda: patched(names=[3]), ValueError, r"names is \[3\], but must be the name"),
        (lambda: patched(names=QUERY[8:]), ValueError, f"names has '{QUERY[8:]}'.*is '{QUERY}' me"),
        (lambda: patched(names="lm_head.dense"), ValueError, "no tensor of this model's encoder"),
        (lambda: patched(names="*.query"), ValueError, "minirobert.intermediates has all names"),
        (lambda: patched(names="attend"), ValueError, "only a tensor with an axis S"),
        (lambda: patched(word=23), ValueError, "word is 23, but must be an integer from 0 to 22"),
        (lambda: patched(position=-4), ValueError, "a position is -4, but must be an integer"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_told(wrong, error, sentence):
    with pytest.raises(error, match=sentence):
        wrong()
