"""Lines of people's own scripts give with a NumPy model what they give with transformers."""

import copy
import pickle

import ml_dtypes
import numpy as np
import pytest
import torch
import transformers

import minirobert
from minirobert.torch_callers import TensorLike

IDS = torch.tensor([[0, 5, 6, 2], [0, 7, 8, 2]])
SIZES = {
    "vocab_size": 20, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9, "initializer_range": 0.5,
}  # fmt: skip

LINES = [
    "torch.softmax(output.logits, dim=-1)",
    "torch.nn.functional.softmax(output.logits, dim=1)",
    "output.logits.softmax(-1)",
    "output.logits.softmax(dim=-1).argmax(dim=-1)",
    "output.logits.argmax(dim=-1)",
    "output.logits.argmax(-1)",
    "output.logits.argmax(-1, keepdim=True)",
    "torch.argmax(output.logits, axis=1)",
    "output.logits.max(dim=1).values",
    "output.logits.max()",
    "output.logits.mean(dim=1)",
    "output.logits.mean(1)",
    "output.logits.detach().cpu().numpy()",
    "output.logits.cpu().detach().numpy().argmax(axis=1)",
    "output.logits.squeeze().tolist()",
    "output.logits[0].squeeze(dim=0)",
    "output.logits[:, torch.tensor([2])]",
    "output.logits[torch.tensor([1]), torch.tensor([3])]",
    "output.logits[torch.tensor([True, False])]",
    "output.logits[..., None].shape",
    "output[1].topk(3).indices",
    "torch.topk(output.logits[0, 2], k=3)[1]",
    "output.logits.unsqueeze(0)",
    "output.logits.reshape(-1, 20).T",
    "output.logits.permute(2, 0, 1).contiguous()",
    "output.logits.sigmoid() > 0.5",
    "(output.logits > 0).long()",
    "torch.cat([output.logits, output.logits])",
    "torch.stack(output.hidden_states[-2:]).sum(0)",
    "torch.nn.CrossEntropyLoss()(output.logits.view(-1, 20), IDS.view(-1))",
    "torch.gather(output.logits, 2, IDS[..., None])",
    "output.hidden_states[-1][:, 0, :].norm(dim=-1)",
    "(output.hidden_states[-1] * (IDS != 1).unsqueeze(-1)).sum(1)",
    "(IDS != 1).unsqueeze(-1) * output.hidden_states[-1]",
    "torch.nn.functional.cosine_similarity(output.hidden_states[0], output.hidden_states[1])",
    "output.attentions[0].dim()",
    "output.loss.item()",
    "float(output.loss)",
    "f'{output.loss:.4f}'",
    "torch.exp(output.loss)",
    "output.loss.detach()",
    "model(IDS, labels=output.logits.argmax(-1)).loss",
    "model(inputs_embeds=output.hidden_states[0].detach()).logits",
    "model(IDS, return_dict=False)[0].softmax(-1)",
]  # fmt: skip


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Give the same model of transformers and of this package."""
    directory = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    theirs = transformers.RobertaForMaskedLM(
        transformers.RobertaConfig(**SIZES, attn_implementation="eager")
    )
    theirs.save_pretrained(directory)
    return theirs.eval(), minirobert.RobertaForMaskedLM.from_pretrained(directory)


@pytest.mark.parametrize("line", LINES)
def test_a_line_means_what_it_means_there(models, line):
    with torch.no_grad():
        expected, actual = (value_of(line, model) for model in models)
    if isinstance(expected, torch.Tensor | np.ndarray):
        assert np.asarray(actual).shape == np.asarray(expected).shape
        np.testing.assert_allclose(np.asarray(actual), np.asarray(expected), atol=1e-4)
    elif isinstance(expected, float | list):
        np.testing.assert_allclose(actual, expected, atol=1e-4)
    else:
        assert actual == expected


def value_of(line, model):
    options = {"output_hidden_states": True, "output_attentions": True}
    output = model(IDS, labels=IDS, **options)
    return eval(line, {"output": output, "model": model, "torch": torch, "IDS": IDS})


def test_only_who_gives_tensors_gets_them_back_so(models):
    _, ours = models
    assert type(ours(IDS.numpy()).logits) is np.ndarray
    output = ours(IDS, attention_mask=np.ones((2, 4)), labels=IDS)
    assert isinstance(output.logits, TensorLike)
    assert output.loss.shape == ()
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        output.logits.nonsense  # noqa: B018  # the access is what fails
    with pytest.raises(RuntimeError, match="does not require grad"):
        output.loss.backward()


def test_it_is_an_array_on_the_same_memory(models):
    logits = models[1](IDS).logits
    tensor = torch.sigmoid(logits, out=torch.empty(2, 4, 20))
    assert type(tensor) is torch.Tensor
    assert logits.detach().data_ptr() == logits.__array_interface__["data"][0]
    for same in (copy.deepcopy(logits), pickle.loads(pickle.dumps(logits))):
        np.testing.assert_array_equal(same, logits)
    np.testing.assert_array_equal(logits.max(axis=-1), np.asarray(logits).max(axis=-1))


def test_how_many_labels_count_may_be_a_tensor():
    config = minirobert.RobertaConfig(**SIZES, is_decoder=True)
    model = minirobert.RobertaForCausalLM(config)
    for count in (torch.tensor(3), np.int64(3)):
        loss = model(IDS, labels=IDS, num_items_in_batch=count).loss
        expected = model(IDS.numpy(), labels=IDS.numpy(), num_items_in_batch=3).loss
        assert (loss, loss.dtype) == (expected, np.float32)


def test_bfloat16_is_read_as_torchs():
    array = np.asarray([1.5, -2.25], ml_dtypes.bfloat16).view(TensorLike)
    assert torch.equal(torch.clone(array), torch.tensor([1.5, -2.25], dtype=torch.bfloat16))
    array.mul_(2)
    assert array.astype("float32").tolist() == [3.0, -4.5]


def test_without_torch_an_array_is_one_of_numpy(monkeypatch):
    array = np.float32([1, 2]).view(TensorLike)
    assert array.detach().tolist() == [1, 2]
    monkeypatch.setattr(minirobert.torch_callers, "find_spec", lambda name: None)
    with pytest.raises(AttributeError, match="an array of NumPy has no attribute 'detach'"):
        array.detach()
    assert not hasattr(array, "detach")
