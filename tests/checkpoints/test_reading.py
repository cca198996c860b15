"""Model directories: what transformers writes, older spellings, shards, and broken files."""

import json
import os
import struct
import sys
import threading

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from minirobert import TINY, CheckpointError, RobertaConfig, RobertaForMaskedLM, RobertaModel
from minirobert.checkpoints import loading
from minirobert.checkpoints.reading import stored_tensors
from minirobert.checkpoints.stored import StoredTensor
from minirobert.parameters import flatten
from tests.processes import fresh_python

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 2,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip
IDS = np.array([[0, 5, 6, 2]])


@pytest.fixture
def directory(tmp_path):
    """A masked-LM checkpoint as transformers writes it, with every tensor different."""
    torch.manual_seed(0)
    model = transformers.RobertaForMaskedLM(transformers.RobertaConfig(**FIELDS))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_()
    model.save_pretrained(tmp_path)
    return tmp_path


def rewrite(directory, change):
    """Change the tensors of the file."""
    tensors = load_file(directory / "model.safetensors")
    save_file(change(tensors) or tensors, directory / "model.safetensors", {"format": "pt"})


def name_dtype(directory, name):
    """Let the configuration name a dtype, or none."""
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "dtype": name}))


def logits_of_torch(directory):
    model = transformers.RobertaForMaskedLM.from_pretrained(directory).eval()
    with torch.no_grad():
        return model(torch.tensor(IDS)).logits.numpy()


def same_as_torch(directory, expected=None):
    ours = RobertaForMaskedLM.from_pretrained(directory)(IDS).logits
    expected = logits_of_torch(directory) if expected is None else expected
    np.testing.assert_allclose(ours, expected, atol=1e-4 * np.abs(expected).max())


def test_a_file_of_transformers(directory):
    same_as_torch(directory)


@pytest.mark.parametrize("has_preadv", [True, False])
def test_large_files_are_read_by_two_threads(directory, monkeypatch, has_preadv):
    both = threading.Barrier(2, timeout=60)  # the tables of words and of positions
    fill = StoredTensor._fill

    def together(self, target, block):
        if self.shape in [(FIELDS[size], 12) for size in ("vocab_size", "max_position_embeddings")]:
            both.wait()
        return fill(self, target, block)

    monkeypatch.setattr(StoredTensor, "_fill", together)
    monkeypatch.setattr(loading, "_LARGE", 0)
    if not has_preadv:
        monkeypatch.delattr(os, "preadv")
    same_as_torch(directory)


@pytest.mark.parametrize("size", ["1KB", "5KB"])
def test_shards(directory, tmp_path_factory, size):
    expected = logits_of_torch(directory)
    sharded = tmp_path_factory.mktemp("sharded")
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    model.save_pretrained(sharded, max_shard_size=size)
    assert not (sharded / "model.safetensors").exists()
    assert len(list(sharded.glob("model-*.safetensors"))) > 1
    same_as_torch(sharded, expected)


@pytest.mark.filterwarnings("ignore:.*which mean the same")
def test_older_names(directory):
    expected = logits_of_torch(directory)

    def older(tensors):
        renamed = {}
        for name, tensor in tensors.items():
            name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
            renamed[name.replace("LayerNorm.bias", "LayerNorm.beta")] = tensor
        renamed["roberta.embeddings.position_ids"] = torch.arange(9)[None]
        renamed["lm_head.decoder.weight"] = torch.randn(19, 12)
        return renamed

    rewrite(directory, older)
    same_as_torch(directory, expected)


@pytest.mark.filterwarnings("ignore:.*which mean the same")
def test_the_decoders_bias_wins_over_the_heads(directory):
    rewrite(directory, lambda t: t.update({"lm_head.decoder.bias": torch.randn(19)}))
    same_as_torch(directory)
    rewrite(directory, lambda t: {n: x for n, x in t.items() if n != "lm_head.bias"})
    same_as_torch(directory)


def test_prefixes_both_ways(directory, tmp_path_factory):
    body = RobertaModel.from_pretrained(directory, add_pooling_layer=False)
    bare = tmp_path_factory.mktemp("bare")
    body.save_pretrained(bare)
    with stored_tensors(bare) as names:
        assert "embeddings.LayerNorm.bias" in names
    with pytest.warns(UserWarning, match=r"no weights for lm_head\.\* \(5 tensors\):"):
        head = RobertaForMaskedLM.from_pretrained(bare, seed=4)
    np.testing.assert_array_equal(head.roberta(IDS).last_hidden_state, body(IDS).last_hidden_state)
    again = RobertaForMaskedLM(head.config, seed=4)
    np.testing.assert_array_equal(
        head.params.lm_head.dense.weight, again.params.lm_head.dense.weight
    )
    with pytest.raises(CheckpointError, match=r"missing: lm_head\.\* \(5 tensors\)"):
        RobertaForMaskedLM.from_pretrained(bare, strict=True)


def test_a_missing_pooler_is_drawn_with_a_warning(directory):
    with pytest.warns(
        UserWarning, match=r"no weights for pooler\.dense\.weight, pooler\.dense\.bias"
    ):
        model = RobertaModel.from_pretrained(directory)
    assert model(IDS).pooler_output.shape == (1, 12)
    with pytest.raises(CheckpointError, match="missing: pooler"):
        RobertaModel.from_pretrained(directory, strict=True)


def test_a_pooler_that_nobody_wants_is_passed_over(directory):
    expected = logits_of_torch(directory)
    rewrite(directory, lambda t: t.update({"roberta.pooler.dense.bias": torch.zeros(12)}))
    same_as_torch(directory, expected)


def test_an_untied_decoder(directory):
    config = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**config, "tie_word_embeddings": False}))
    with pytest.raises(CheckpointError, match=r"missing: lm_head\.decoder\.weight \[19, 12\]"):
        RobertaForMaskedLM.from_pretrained(directory)
    rewrite(directory, lambda t: t.update({"lm_head.decoder.weight": torch.randn(19, 12)}))
    same_as_torch(directory)


@pytest.mark.parametrize("stored", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("wanted", ["float16", "float32", "float64", "auto"])
def test_dtypes(directory, stored, wanted):
    rewrite(directory, lambda t: {n: x.to(getattr(torch, stored)) for n, x in t.items()})
    name_dtype(directory, None)
    model = RobertaForMaskedLM.from_pretrained(directory, dtype=wanted)
    widest = {"bfloat16": "float32"}.get(stored, stored)  # NumPy has no bfloat16
    assert model.dtype == (widest if wanted == "auto" else wanted)
    tensors = load_file(directory / "model.safetensors")
    for name, array in flatten(model.params).items():
        expected = tensors[name].double().numpy().astype(model.dtype)
        np.testing.assert_array_equal(array, expected, err_msg=name)


@pytest.mark.parametrize("stored", ["float16", "bfloat16", "float32"])
@pytest.mark.parametrize("named", ["float16", "bfloat16", "float32", "float64"])
def test_the_dtype_that_the_configuration_names(directory, stored, named):
    rewrite(directory, lambda t: {n: x.to(getattr(torch, stored)) for n, x in t.items()})
    name_dtype(directory, named)
    ours = RobertaForMaskedLM.from_pretrained(directory, dtype="auto")
    theirs = transformers.RobertaForMaskedLM.from_pretrained(directory, dtype="auto")
    assert f"torch.{ours.dtype}" == str(theirs.dtype) == f"torch.{ours.config.dtype}"
    for name, array in flatten(ours.params).items():
        expected = theirs.state_dict()[name].double().numpy()
        np.testing.assert_array_equal(array.astype("float64"), expected, err_msg=name)
    assert RobertaForMaskedLM.from_pretrained(directory, dtype="auto", xp=torch).dtype == named


def test_a_dtype_that_cannot_be_had(directory, monkeypatch):
    name_dtype(directory, "bfloat16")
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    assert RobertaForMaskedLM.from_pretrained(directory, dtype="auto").dtype == "float32"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_the_configuration_says_what_the_weights_are(directory, dtype):
    config = RobertaConfig.from_pretrained(directory)
    config.dtype = "bfloat16"
    for given in (None, config):
        ours = RobertaForMaskedLM.from_pretrained(directory, dtype=dtype, config=given)
        theirs = transformers.RobertaForMaskedLM.from_pretrained(directory, dtype=dtype)
        assert f"torch.{ours.config.dtype}" == str(theirs.config.dtype)
    assert config.dtype == "bfloat16"  # which is the caller's


def test_float32_is_the_default():
    assert RobertaForMaskedLM.from_pretrained().dtype == "float32"
    assert RobertaForMaskedLM.from_pretrained(dtype="auto").dtype == "float16"
    assert RobertaForMaskedLM.from_pretrained(dtype="bfloat16").dtype == "bfloat16"


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_what_is_saved_is_what_was_there(directory, tmp_path_factory, dtype):
    target = tmp_path_factory.mktemp("saved") / "new"
    model = RobertaForMaskedLM.from_pretrained(directory, dtype=dtype)
    model.save_pretrained(target)
    assert sorted(path.name for path in target.iterdir()) == ["config.json", "model.safetensors"]
    again = RobertaForMaskedLM.from_pretrained(target, dtype="auto")
    assert again.dtype == dtype
    for (name, ours), saved in zip(
        flatten(model.params).items(), flatten(again.params).values(), strict=True
    ):
        np.testing.assert_array_equal(saved, ours, err_msg=name)
    config = json.loads((target / "config.json").read_text())
    assert config["architectures"] == ["RobertaForMaskedLM"]
    assert config["dtype"] == dtype
    theirs, report = transformers.RobertaForMaskedLM.from_pretrained(
        target, dtype="auto", output_loading_info=True
    )
    assert not any(report.values())
    assert theirs.dtype == getattr(torch, dtype)


def test_views_are_saved_as_what_they_show(tmp_path):
    config = RobertaConfig(**FIELDS)
    model = RobertaModel(config, add_pooling_layer=False)
    flat = flatten(model.params)
    name = "encoder.layer.0.intermediate.dense.weight"
    flat[name] = np.asfortranarray(flat[name])
    from minirobert.parameters import build_tree

    RobertaModel(config, build_tree(flat), add_pooling_layer=False).save_pretrained(tmp_path)
    np.testing.assert_array_equal(load_file(tmp_path / "model.safetensors")[name], flat[name])


def test_saving_over_the_loaded_file(directory):
    model = RobertaForMaskedLM.from_pretrained(directory)
    expected = model(IDS).logits
    model.save_pretrained(directory)
    np.testing.assert_array_equal(
        RobertaForMaskedLM.from_pretrained(directory)(IDS).logits, expected
    )


def test_a_failed_save_leaves_the_old_file(directory, monkeypatch):
    import minirobert.checkpoints.writing

    model = RobertaForMaskedLM.from_pretrained(directory)
    before = (directory / "model.safetensors").read_bytes()

    def half(tensors, path, metadata):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(minirobert.checkpoints.writing, "save_file", half)
    with pytest.raises(OSError, match="disk full"):
        model.save_pretrained(directory)
    assert (directory / "model.safetensors").read_bytes() == before
    assert not list(directory.glob("*.tmp"))


def test_all_misfits_in_one_error(directory):
    def spoil(tensors):
        del tensors["roberta.embeddings.LayerNorm.bias"]
        del tensors["lm_head.bias"]
        tensors["roberta.encoder.layer.0.output.dense.bias"] = torch.zeros(13)
        tensors["roberta.encoder.layer.7.output.dense.bias"] = torch.zeros(12)

    rewrite(directory, spoil)
    with pytest.raises(CheckpointError) as raised:
        RobertaForMaskedLM.from_pretrained(directory)
    first, *lines = str(raised.value).splitlines()
    assert str(directory) in first
    assert lines == [
        "  missing: roberta.embeddings.LayerNorm.bias [12]",
        "  missing: lm_head.bias [19]",
        "  unexpected: roberta.encoder.layer.7.output.dense.bias [12]",
        "  wrong shape: roberta.encoder.layer.0.output.dense.bias is [13], but must be [12]",
        "  (strict=False draws what is missing, and leaves out what is unexpected)",
        "  (ignore_mismatched_sizes=True initialises what has another shape)",
    ]


def test_integers_are_no_weights(directory):
    name = "lm_head.bias"
    rewrite(directory, lambda t: t.update({name: torch.zeros(19, dtype=torch.int64)}))
    with pytest.raises(
        CheckpointError, match=r"stores lm_head\.bias as I64, but weights must be one of"
    ):
        RobertaForMaskedLM.from_pretrained(directory)


def header_of(entries, data=b"1234"):
    header = json.dumps(entries).encode()
    return struct.pack("<Q", len(header)) + header + data


BROKEN = {
    "empty": b"",
    "eight bytes": b"\x00" * 8,
    "no header": b"this is no safetensors file at all",
    "a header longer than the file": struct.pack("<Q", 1 << 60) + b"{}",
    "a header that is no JSON": struct.pack("<Q", 5) + b"{{{{{",
    "a tensor larger than the file": header_of(
        {"a": {"dtype": "F32", "shape": [1 << 40], "data_offsets": [0, 1 << 42]}}
    ),
    "a shape that does not fit its bytes": header_of(
        {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 4]}}
    ),
    "bytes that no tensor has": header_of(
        {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"1234more"
    ),
}


@pytest.mark.parametrize("case", BROKEN)
def test_broken_files(directory, case):
    (directory / "model.safetensors").write_bytes(BROKEN[case])
    with pytest.raises(
        CheckpointError, match=r"is (not a whole|no) safetensors file.* download or copy"
    ):
        RobertaForMaskedLM.from_pretrained(directory)


@pytest.mark.parametrize("fraction", [0.02, 0.5, 0.999])
def test_a_download_that_stopped(directory, fraction):
    path = directory / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * fraction)])
    with pytest.raises(CheckpointError, match="is not a whole safetensors file"):
        RobertaForMaskedLM.from_pretrained(directory)


@pytest.fixture
def sharded(directory):
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size="5KB")
    return directory


def change_index(directory, change):
    path = directory / "model.safetensors.index.json"
    index = json.loads(path.read_text())
    change(index)
    path.write_text(json.dumps(index))


@pytest.mark.parametrize(
    "file", ["../model.safetensors", "/etc/passwd", "a/b.safetensors", "..", "", "..\\x", "a\\b"]
)
def test_an_index_may_not_point_outside(sharded, file):
    change_index(sharded, lambda index: index["weight_map"].update({"lm_head.bias": file}))
    with pytest.raises(CheckpointError, match="shards must lie in the directory itself"):
        RobertaForMaskedLM.from_pretrained(sharded)


def test_broken_indexes(sharded):
    first = sorted(sharded.glob("model-*.safetensors"))[0]
    renamed = first.rename(sharded / "elsewhere")
    with pytest.raises(FileNotFoundError, match=f"names the shard '{first.name}', but there is no"):
        RobertaForMaskedLM.from_pretrained(sharded)
    renamed.rename(first)
    change_index(sharded, lambda index: index["weight_map"].update({"lm_head.extra": first.name}))
    with pytest.raises(CheckpointError, match=f"says that {first.name} holds lm_head.extra, but"):
        RobertaForMaskedLM.from_pretrained(sharded)
    change_index(sharded, lambda index: index.update(weight_map=[1]))
    with pytest.raises(CheckpointError, match="has no weight_map from tensor names to file names"):
        RobertaForMaskedLM.from_pretrained(sharded)


def test_directories_without_a_model(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no file config\.json in"):
        RobertaForMaskedLM.from_pretrained(tmp_path)
    RobertaConfig(**FIELDS).save_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"has no weights: neither model\.safetensors nor"):
        RobertaForMaskedLM.from_pretrained(tmp_path)
    with pytest.raises(FileNotFoundError, match="'nowhere' is no directory on this machine"):
        RobertaForMaskedLM.from_pretrained("nowhere")


class Bomb:
    """Unpickling this writes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_a_pickle_is_never_opened(tmp_path):
    import pickle

    RobertaConfig(**FIELDS).save_pretrained(tmp_path)
    bomb = tmp_path / "went off"
    (tmp_path / "pytorch_model.bin").write_bytes(pickle.dumps(Bomb(str(bomb))))
    with pytest.raises(FileNotFoundError, match=r"only as pytorch_model\.bin, .*save_pretrained"):
        RobertaForMaskedLM.from_pretrained(tmp_path)
    assert not bomb.exists()


def test_the_conversion_that_the_error_names_works(directory):
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    expected = logits_of_torch(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, safe_serialization=False)
    with pytest.raises(FileNotFoundError) as raised:
        RobertaForMaskedLM.from_pretrained(directory)
    code = str(raised.value).split('python -c "')[1].removesuffix('"')
    exec(code, {})  # in a process of its own it would import torch first
    same_as_torch(directory, expected)


MEASURE_LOADING = """
import sys
from minirobert import RobertaModel
from minirobert.parameters import flatten
from tests.processes import fresh_python

def peak():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmHWM")).split()[1])

RobertaModel.from_pretrained(add_pooling_layer=False)
before = peak()
model = RobertaModel.from_pretrained(sys.argv[1], add_pooling_layer=False)
print(peak() - before, sum(array.nbytes for array in flatten(model.params).values()))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak memory from /proc")
@pytest.mark.parametrize("stored", ["float16", "float32", "bfloat16"])
def test_weights_are_copied_once(tmp_path, stored):
    """The peak is the weights, and little more."""
    config = RobertaConfig(**{**FIELDS, "vocab_size": 2_000_000})
    RobertaModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    rewrite(tmp_path, lambda t: {n: x.to(getattr(torch, stored)) for n, x in t.items()})
    growth, weights = map(int, fresh_python(MEASURE_LOADING, str(tmp_path)).split())
    assert growth < weights + 5e6


def test_the_bundled_model_is_the_default():
    assert (TINY / "README.md").is_file()
    model = RobertaForMaskedLM.from_pretrained()
    assert model.num_parameters() == 5_364_736
    with stored_tensors(TINY) as tensors:
        assert tensors["lm_head.bias"].dtype_name == "float16"


@pytest.mark.parametrize("name", [None, 3, b"x"])
def test_what_is_no_name_is_told_in_a_sentence(name, tmp_path):
    for cls in (RobertaForMaskedLM, RobertaConfig):
        with pytest.raises(TypeError, match=r"the name of a model is .*, but must be a string or"):
            cls.from_pretrained(name)
    with pytest.raises(TypeError, match=r"the directory to save in is .*, but must be a string"):
        RobertaConfig().save_pretrained(name)
