"""JAX, torch and ndonnx trace the models: they record one call, and run it on other numbers."""

import jax
import jax.numpy as jnp
import ndonnx
import numpy as np
import onnxruntime
import pytest
import torch

from minirobert import (
    KeyValueCache,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
)
from minirobert.arrays import has_values, to_numpy
from minirobert.functional import erf
from minirobert.parameters import build_tree, flatten
from tests.equivalence.strategies import torch_model, with_parameters_of
from tests.libraries import close
from tests.processes import fresh_python

SIZES = {
    "vocab_size": 37, "hidden_size": 24, "num_attention_heads": 4, "num_hidden_layers": 1,
    "intermediate_size": 40, "max_position_embeddings": 15, "type_vocab_size": 3,
}  # fmt: skip
DECODER = {"is_decoder": True, "add_cross_attention": True}
IDS = np.array([[0, 5, 6, 7, 2], [1, 0, 9, 2, 1], [0, 36, 1, 8, 2]])
MASK = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 0], [0, 0, 0, 0, 0]])
TYPES = np.array([[0, 0, 1, 1, 2], [2, 0, 0, 1, 1], [0, 0, 0, 0, 0]])
CHOICES = np.stack([IDS, IDS[::-1]], axis=1)
CALLS = {
    RobertaModel: {"input_ids": IDS, "attention_mask": MASK, "token_type_ids": TYPES},
    RobertaForMaskedLM: {"input_ids": IDS, "attention_mask": MASK, "labels": IDS},
    RobertaForSequenceClassification: {"input_ids": IDS, "labels": TYPES[:, 0] % 2},
    RobertaForTokenClassification: {"input_ids": IDS, "labels": TYPES % 2},
    RobertaForMultipleChoice: {"input_ids": CHOICES, "labels": TYPES[:, 2] % 2},
    RobertaForQuestionAnswering: {
        "input_ids": IDS, "start_positions": TYPES[:, 1], "end_positions": TYPES[:, 4],
    },
}  # fmt: skip


def pair(kind, xp, **fields):
    """Make a model of NumPy's arrays, and the same of a library's."""
    model = kind(RobertaConfig(**{**SIZES, **fields}), seed=3)
    return model, model.to(xp=xp)


def same(actual, expected):
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        close(actual[name], array, 1e-5, at_least=1e-2)


# JAX


@pytest.mark.parametrize("kind", CALLS)
def test_jax_traces_a_model_of_each_class(kind):
    model, traced = pair(kind, jnp)
    expected = model(**CALLS[kind])
    shapes = jax.eval_shape(traced, **CALLS[kind])
    assert type(shapes) is type(expected)
    assert [one.shape for one in shapes] == [one.shape for one in expected]


def test_a_compiled_model_of_jax():
    model, traced = pair(RobertaForMaskedLM, jnp)
    call = CALLS[RobertaForMaskedLM]
    same(jax.jit(traced)(**call), model(**call))


def test_relative_positions_chunks_and_tuples():
    fields = {"position_embedding_type": "relative_key_query", "chunk_size_feed_forward": 2}
    model, traced = pair(RobertaModel, jnp, **fields)
    options = {"output_attentions": True, "return_dict": False}
    outputs = jax.jit(lambda ids: traced(ids, **options))(IDS)
    expected = model(IDS, **options)
    for one, other in zip(jax.tree.leaves(outputs), jax.tree.leaves(expected), strict=True):
        close(one, other, 1e-5)


def test_a_compiled_step_of_a_decoder():
    """The cache goes through a compiled function as what it is: arrays in a tree."""
    model, traced = pair(RobertaForCausalLM, jnp, **DECODER)
    states = np.random.default_rng(0).standard_normal((3, 4, 24), np.float32)
    text = {"encoder_hidden_states": states, "encoder_attention_mask": MASK[:, 1:]}
    expected = model(IDS, **text).logits
    step = jax.jit(traced)
    first = step(IDS[:, :4], past_key_values=KeyValueCache(), **text)
    close(first.logits, expected[:, :4], 1e-5)
    second = step(IDS[:, 4:], past_key_values=first.past_key_values)
    close(second.logits, expected[:, 4:], 1e-5)
    assert repr(first.past_key_values) == "KeyValueCache(batch 3, 4 tokens, 1 layer)"
    assert repr(second.past_key_values) == "KeyValueCache(batch 3, 5 tokens, 1 layer)"


def loss_of(weights, **arguments):
    """A model is its configuration and its weights: with other weights it is another model."""
    return RobertaForMaskedLM(RobertaConfig(**SIZES), build_tree(weights))(**arguments).loss


def test_gradients_are_those_of_transformers():
    theirs = torch_model("RobertaForMaskedLM", SIZES, seed=4)
    model = with_parameters_of(theirs, pair(RobertaForMaskedLM, jnp)[0]).astype("float32")
    # but for rows that see nothing, whose scores have a gradient in torch, and no influence
    call = {"input_ids": IDS, "attention_mask": np.maximum(MASK, MASK[1]), "labels": TYPES + 20}
    theirs(**{name: torch.tensor(array) for name, array in call.items()}).loss.backward()
    gradients = jax.jit(jax.grad(lambda weights: loss_of(weights, **call)))(flatten(model.params))
    expected = {name: one.grad.numpy() for name, one in theirs.named_parameters()}
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        ours = np.array(gradient)
        if name.endswith(("word_embeddings.weight", "position_embeddings.weight")):
            ours[1] = expected[name][1]  # torch leaves that of padding out
        close(ours, expected[name], 1e-4, at_least=1e-2)


def test_a_compiled_loss_drops_what_dropout_drops():
    model, traced = pair(RobertaForMaskedLM, jnp)
    call = {"input_ids": IDS, "labels": IDS, "train": True, "rng": 0}
    loss = jax.jit(lambda weights: loss_of(weights, **call))(flatten(traced.params))
    close(loss, model(**call).loss, 1e-5)


def test_vmap_of_jax():
    model, traced = pair(RobertaForMaskedLM, jnp)
    outputs = jax.jit(jax.vmap(lambda ids, mask: traced(ids[None], mask[None])))(IDS, MASK)
    close(outputs.logits[:, 0], model(IDS, MASK).logits, 1e-5)


def test_what_can_be_checked_still_is():
    _, model = pair(RobertaForMaskedLM, jnp)
    with pytest.raises(ValueError, match=r"input_ids\[1, 0\] is 37, but must be from 0 to 36"):
        model(jnp.asarray([[0], [37]]))
    with pytest.raises(ValueError, match=r"attention_mask\[0, 1\] is 2, but must be 1"):
        model(jnp.asarray([[0, 5]]), jnp.asarray([[1, 2]]))
    with pytest.raises(ValueError, match="a sequence has 14 tokens"):
        model(jnp.full((1, 14), 5))
    compiled = jax.jit(model)
    with pytest.raises(ValueError, match=r"attention_mask has shape \[3, 4\], but must have"):
        compiled(IDS, MASK[:, 1:])
    with pytest.raises(TypeError, match="input_ids has dtype float32, but must hold integers"):
        compiled(jnp.zeros((1, 2)))
    with pytest.raises(ValueError, match="input_ids is empty"):
        compiled(IDS[:0])


# torch


@pytest.mark.parametrize("kind", [RobertaForMaskedLM, RobertaForMultipleChoice])
def test_a_model_that_torch_exports_for_all_sizes(kind):
    model, traced = pair(kind, torch)

    class Module(torch.nn.Module):
        def forward(self, input_ids, attention_mask):
            return traced(input_ids, attention_mask)

    def arguments(batch, length):
        choices = (2,) if kind is RobertaForMultipleChoice else ()
        rng = np.random.default_rng([batch, length])
        ids = rng.integers(0, 37, (batch, *choices, length))
        return ids, rng.integers(0, 2, ids.shape)

    last = 2 if kind is RobertaForMultipleChoice else 1
    sizes = {0: torch.export.Dim("batch"), last: torch.export.Dim("length", max=13)}
    first = tuple(map(torch.tensor, arguments(3, 5)))
    program = torch.export.export(Module(), first, dynamic_shapes=(sizes, sizes))
    assert not any("is_pinned" in str(node.target) for node in program.graph.nodes)
    for batch, length in ((3, 5), (2, 7), (4, 13)):
        given = arguments(batch, length)
        output = program.module()(*map(torch.tensor, given))
        same(output, model(*given))


def test_torch_compiles_a_whole_model_at_its_first_call():
    """In a process of its own, where no formula has been called before."""
    code = """
import numpy as np, torch
from minirobert import RobertaConfig, RobertaForMaskedLM
config = RobertaConfig(vocab_size=37, hidden_size=24, num_attention_heads=4, num_hidden_layers=1)
model = RobertaForMaskedLM(config)
ids, mask = np.array([[0, 5, 1], [7, 8, 2]]), np.array([[0, 1, 1], [0, 0, 0]])
compiled = torch.compile(model.to(xp=torch), backend="eager", fullgraph=True)
output = compiled(torch.tensor(ids), torch.tensor(mask))
print(type(output).__name__, np.abs(output.logits.numpy() - model(ids, mask).logits).max() < 1e-5)
"""
    assert fresh_python(code).split() == ["MaskedLMOutput", "True"]


def test_vmap_of_torch():
    model, traced = pair(RobertaForMaskedLM, torch)
    ids, mask = torch.tensor(IDS), torch.tensor(MASK)
    outputs = torch.func.vmap(lambda ids, mask: traced(ids[None], mask[None]))(ids, mask)
    close(outputs.logits[:, 0], model(IDS, MASK).logits, 1e-5)
    with pytest.raises(ValueError, match=r"input_ids\[0, 1\] is -1, but must be from 0 to 36"):
        traced(torch.tensor([[0, -1]]))


# ndonnx


def test_a_model_that_ndonnx_records():
    model, traced = pair(RobertaForTokenClassification, ndonnx, num_hidden_layers=0)
    with pytest.raises(ValueError, match=r"input_ids\[0, 0\] is 99, but must be from 0 to 36"):
        traced(ndonnx.asarray(IDS + 99))
    inputs = {
        name: ndonnx.argument(shape=IDS.shape, dtype=ndonnx.int64) for name in ("ids", "mask")
    }
    assert not has_values(inputs["ids"] + 1)
    graph = ndonnx.build(inputs, {"logits": traced(*inputs.values()).logits})
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    (logits,) = session.run(None, {"ids": IDS, "mask": MASK})
    close(logits, model(IDS, MASK).logits, 1e-5)


def test_the_error_function_of_ndonnx():
    x = np.linspace(-7, 7, 99, dtype=np.float32)
    np.testing.assert_allclose(to_numpy(erf(ndonnx.asarray(x))), erf(x), rtol=1e-6, atol=1e-7)
