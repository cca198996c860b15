import numpy as np
import pytest

import minirobert
from minirobert import RobertaConfig, RobertaForSequenceClassification, RobertaModel
from tests.libraries import STRICT, host

FIELDS = {
    "vocab_size": 23, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 7, "initializer_range": 0.5,
}  # fmt: skip
IDS = np.array([[0, 7, 8, 9, 10], [5, 6, 0, 8, 7]])
MODEL = RobertaModel(RobertaConfig(**FIELDS)).astype("float64")


def states(model=MODEL, **options):
    return model(IDS, **options).last_hidden_state


def test_nothing_is_dropped_unless_asked():
    np.testing.assert_array_equal(states(), states(rng=3))
    still = RobertaModel(
        RobertaConfig(**FIELDS, hidden_dropout_prob=0, attention_probs_dropout_prob=0), MODEL.params
    )
    np.testing.assert_array_equal(states(still, train=True, rng=3), states())
    assert np.abs(states(train=True, rng=3) - states()).max() > 1e-3


def test_a_seed_gives_the_same_masks_again_and_on_every_device():
    first = states(train=True, rng=3)
    np.testing.assert_array_equal(first, states(train=True, rng=np.int64(3)))
    np.testing.assert_array_equal(first, states(train=True, rng=np.random.default_rng(3)))
    other = STRICT.model(MODEL)(STRICT.array(IDS), train=True, rng=3).last_hidden_state
    np.testing.assert_allclose(host(other), first, rtol=0, atol=1e-12)
    assert np.abs(first - states(train=True, rng=4)).max() > 1e-3


def test_a_generator_goes_on():
    rng = np.random.default_rng(3)
    assert np.abs(states(train=True, rng=rng) - states(train=True, rng=rng)).max() > 1e-3


def test_what_is_kept_is_scaled_so_that_the_mean_stays():
    """Of one linear step: the embeddings."""
    config = RobertaConfig(**{**FIELDS, "num_hidden_layers": 0}, hidden_dropout_prob=0.25)
    model = RobertaModel(config).astype("float64")
    rng = np.random.default_rng(0)
    drawn = np.stack([states(model, train=True, rng=rng) for _ in range(4000)])
    expected = states(model)
    assert set(np.round(np.unique(drawn / expected), 9)) == {0, round(4 / 3, 9)}
    error = np.abs(drawn.mean(axis=0) - expected)  # its deviation is |x| sqrt(p / (1-p) / n)
    assert np.all(error <= 5 * np.abs(expected) * np.sqrt(0.25 / 0.75 / 4000))


def test_the_classifiers_own_dropout():
    """0.0 counts as given."""
    fields = {**FIELDS, "hidden_dropout_prob": 0, "attention_probs_dropout_prob": 0}
    for given, same in ((0.0, True), (None, True), (0.5, False)):
        config = RobertaConfig(**fields, classifier_dropout=given)
        model = RobertaForSequenceClassification(config).astype("float64")
        logits = model(IDS, train=True, rng=1).logits
        assert np.allclose(logits, model(IDS).logits) is same


@pytest.mark.parametrize(
    ("rng", "error", "sentence"),
    [
        (None, ValueError, "train is True, so dropout needs random numbers: give rng, a seed or"),
        ("seed", TypeError, "rng is 'seed', but must be a seed or a numpy.random.Generator"),
        (True, TypeError, "rng is True, but must be a seed"),
    ],
)
def test_training_needs_a_generator(rng, error, sentence):
    for name in minirobert.__all__:
        cls = getattr(minirobert, name)
        if name.startswith("RobertaFor") or name == "RobertaModel":
            model = cls(RobertaConfig(**FIELDS, is_decoder=name == "RobertaForCausalLM"))
            with pytest.raises(error, match=sentence):
                model(IDS[None] if "Choice" in name else IDS, train=True, rng=rng)
