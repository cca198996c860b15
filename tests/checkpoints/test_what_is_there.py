"""Files that are none of safetensors, and directories that hold something else."""

import gzip
import io
import json
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
import torch
import transformers

from minirobert import (
    AutoModel,
    CheckpointError,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
)

FIELDS = {
    "vocab_size": 19, "hidden_size": 12, "num_attention_heads": 3, "num_hidden_layers": 1,
    "intermediate_size": 5, "max_position_embeddings": 9,
}  # fmt: skip


def written(write):
    file = io.BytesIO()
    write(file)
    return file.getvalue()


def a_zip(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.safetensors", b"x")


def a_tar(file):
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("model.safetensors"), io.BytesIO())


WEIGHTS = {"roberta.embeddings.LayerNorm.bias": torch.ones(12)}
PAGE = "<!DOCTYPE html>\n<html><body>Sign in</body></html>"
OTHERS = {
    "a page": (PAGE.encode(), "a web page .*hf download"),
    "a page in capitals": (b"\n <HTML lang='en'>", "a web page"),
    "an answer in XML": (b'<?xml version="1.0"?><Error/>', "a web page"),
    "git-lfs": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 498818054\n",
        "a pointer of git-lfs.*: git lfs pull",
    ),
    "git-xet": (b"# xet version 0\nfilesize = 5\n", "a pointer of git-xet.*: git xet pull"),
    "git-annex": (
        b"/annex/objects/SHA256E-s5--ab.bin\n",
        "a pointer of git-annex.*: git annex get",
    ),
    "torch.save": (written(lambda f: torch.save(WEIGHTS, f)), "a pickle .*rename it to pytorch_mo"),
    "torch.save of old": (
        written(lambda f: torch.save(WEIGHTS, f, _use_new_zipfile_serialization=False)),
        "a pickle .*rename it to pytorch_model.bin",
    ),
    "pickle": (pickle.dumps({"a": 1}), "a pickle .*rename it to pytorch_model.bin"),
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(40), "an HDF5 file.*: rename it to tf_model.h5"),
    "GGUF": (b"GGUF\x03\0\0\0" + bytes(40), "a GGUF file.*: take safetensors"),
    "ONNX": (b"\x08\x08\x12\x07pytorch\x1a\x052.1.0", "an ONNX file.*: take safetensors"),
    "msgpack": (b"\x82\xa7roberta\x81\xaaembeddings", "a msgpack file.*flax_model.msgpack"),
    "npz": (written(lambda f: np.savez(f, a=np.ones(2))), r"an archive of NumPy arrays"),
    "npy": (written(lambda f: np.save(f, np.ones(2))), r"a NumPy array"),
    "zip": (written(a_zip), "a zip archive: unpack it"),
    "tar": (written(a_tar), "a tar archive: unpack it"),
    "gzip": (gzip.compress(b"a"), "a compressed archive: unpack it"),
    "JSON": (b'{"error": "Repository not found"}', 'a text, \'{"error": .*: download or copy'),
    "text": ("Entry not found: é".encode(), "a text, 'Entry not found: é': download or copy"),
    "nothing": (b"", "empty: the download or copy did not finish"),
}


@pytest.fixture
def directory(tmp_path):
    transformers.RobertaForMaskedLM(transformers.RobertaConfig(**FIELDS)).save_pretrained(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", OTHERS)
def test_a_file_that_is_something_else(directory, case):
    content, sentence = OTHERS[case]
    (directory / "model.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match=f"is no safetensors file, but {sentence}"):
        RobertaForMaskedLM.from_pretrained(directory)
    with pytest.raises(Exception, match=r"header|Header"):
        transformers.RobertaForMaskedLM.from_pretrained(directory)


def test_a_shard_and_an_index_that_are_something_else(directory):
    model = transformers.RobertaForMaskedLM.from_pretrained(directory)
    (directory / "model.safetensors").unlink()
    model.save_pretrained(directory, max_shard_size="2KB")
    shard = sorted(directory.glob("model-*"))[1]
    shard.write_bytes(OTHERS["git-lfs"][0])
    with pytest.raises(CheckpointError, match=rf"{shard.name} is no safetensors .* git lfs pull"):
        RobertaForMaskedLM.from_pretrained(directory)
    index = directory / "model.safetensors.index.json"
    index.write_text(PAGE)
    with pytest.raises(ValueError, match=r"index\.json is not JSON, but a web page"):
        RobertaForMaskedLM.from_pretrained(directory)
    index.unlink()
    with pytest.raises(FileNotFoundError, match=r"one of several shards, whose index .* missing"):
        RobertaForMaskedLM.from_pretrained(directory)


@pytest.mark.parametrize(("kind", "name"), [("tf", "TensorFlow"), ("flax", "Flax")])
def test_safetensors_of_another_framework(directory, kind, name):
    from safetensors.torch import save_file

    save_file(WEIGHTS, directory / "model.safetensors", {"format": kind})
    with pytest.raises(CheckpointError, match=f"was written by {name}, .* save_pretrained"):
        RobertaForMaskedLM.from_pretrained(directory)


@pytest.mark.parametrize("metadata", [None, {"format": "mlx"}, {"format": "np", "more": "x"}])
def test_any_other_metadata_is_fine(directory, metadata):
    from safetensors.torch import load_file, save_file

    path = directory / "model.safetensors"
    save_file(load_file(path), path, metadata)
    assert RobertaForMaskedLM.from_pretrained(directory)([[0, 2]]).logits.shape == (1, 2, 19)


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("pytorch_model.bin", r"only as pytorch_model\.bin, a pickle.*RobertaForMaskedLM as M"),
        ("tf_model.h5", r"only as tf_model\.h5, which only TensorFlow reads.*from_tf=True"),
        ("flax_model.msgpack", r"only as flax_model\.msgpack, .*from_flax=True"),
        ("onnx/model.onnx", r"only as model\.onnx, which holds no weights by their names"),
        ("model.gguf", r"only as model\.gguf, "),
        ("rust_model.ot", r"only as rust_model\.ot, which only rust-bert reads"),
        ("model.pt", r"only as model\.pt, a pickle of PyTorch's"),
        ("epoch=3.ckpt", r"only as epoch=3\.ckpt, a pickle of PyTorch's"),
        ("weights.safetensors", r"but weights\.safetensors: rename it to model\.safetensors"),
        ("model.fp16.safetensors", r"but model\.fp16\.safetensors: give variant='fp16'"),
    ],
)
def test_other_files_beside(directory, file, sentence):
    (directory / file).parent.mkdir(exist_ok=True)
    (directory / "model.safetensors").rename(directory / file)
    with pytest.raises(FileNotFoundError, match=sentence):
        RobertaForMaskedLM.from_pretrained(directory)


def test_the_conversion_keeps_the_head(tmp_path):
    torch.manual_seed(0)
    config = transformers.RobertaConfig(**FIELDS, num_labels=3)
    model = transformers.RobertaForSequenceClassification(config).eval()
    model.save_pretrained(tmp_path, safe_serialization=False)
    with pytest.raises(FileNotFoundError) as raised:
        RobertaForSequenceClassification.from_pretrained(tmp_path)
    exec(str(raised.value).split('python -c "')[1].removesuffix('"'), {})
    ours = RobertaForSequenceClassification.from_pretrained(tmp_path)
    expected = model(torch.tensor([[0, 5, 2]])).logits.detach().numpy()
    np.testing.assert_allclose(ours([[0, 5, 2]]).logits, expected, atol=1e-6)


@pytest.mark.parametrize("load", [RobertaForMaskedLM.from_pretrained, AutoModel.from_pretrained])
@pytest.mark.parametrize("with_config", [False, True])
def test_an_adapter(tmp_path, load, with_config):
    settings = {"peft_type": "LORA", "base_model_name_or_path": "FacebookAI/roberta-base"}
    (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    if with_config:
        RobertaConfig(**FIELDS).save_pretrained(tmp_path)
        if load.__self__ is AutoModel:
            load = RobertaForMaskedLM.from_pretrained
    with pytest.raises(
        FileNotFoundError, match=r"an adapter of 'FacebookAI/roberta-base'.*merge_and_unload"
    ):
        load(tmp_path)


def sentence_transformers(directory):
    """Lay files out as sentence-transformers did."""
    (directory / "0_Transformer").mkdir()
    for name in ("config.json", "model.safetensors"):
        (directory / name).rename(directory / "0_Transformer" / name)
    (directory / "1_Pooling").mkdir()
    (directory / "1_Pooling" / "config.json").write_text('{"pooling_mode_mean_tokens": true}')
    (directory / "modules.json").write_text("[]")


@pytest.mark.parametrize("load", [RobertaForMaskedLM.from_pretrained, AutoModel.from_pretrained])
def test_a_directory_of_sentence_transformers(directory, load):
    sentence_transformers(directory)
    with pytest.raises(FileNotFoundError, match=r"config\.json.*: give subfolder='0_Transformer'$"):
        load(directory)
    assert RobertaForMaskedLM.from_pretrained(directory, subfolder="0_Transformer")


def test_the_directory_above_others(directory):
    for number in (500, 1000):
        checkpoint = directory / f"checkpoint-{number}"
        checkpoint.mkdir()
        (checkpoint / "config.json").write_bytes((directory / "config.json").read_bytes())
        (checkpoint / "model.safetensors").write_bytes(b"")
    (directory / "model.safetensors").unlink()
    with pytest.raises(
        FileNotFoundError,
        match=r"subfolder='checkpoint-1000' \(or another of 'checkpoint-500'\)",
    ):
        RobertaForMaskedLM.from_pretrained(directory)


def test_a_file_in_place_of_the_directory(directory):
    path = directory / "model.safetensors"
    with pytest.raises(NotADirectoryError) as raised:
        RobertaForMaskedLM.from_pretrained(path)
    assert str(raised.value).endswith(f"holds the model's files, {str(directory)!r}")
