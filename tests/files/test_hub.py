"""Models of the hub, from a server on this machine; nothing here reaches the network."""

import hashlib
import json
import shutil
import sys

import numpy as np
import pytest

from minirobert import (
    TINY,
    AutoTokenizer,
    RobertaConfig,
    RobertaForMaskedLM,
    RobertaForSequenceClassification,
    RobertaTokenizer,
)
from minirobert.files.hub import ModelFiles
from minirobert.parameters import flatten
from tests.hub_faults import FAULTS
from tests.hub_server import python, serving
from tests.missing import installed

installed("huggingface_hub")  # in the processes that load

FIELDS = {
    "vocab_size": 8192, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1,
    "intermediate_size": 5, "max_position_embeddings": 20,
}  # fmt: skip
NO_SERVER = "http://127.0.0.1:9"
TEXT = "Hello world"


def total(model):
    return sum(float(array.astype("float64").sum()) for array in flatten(model.params).values())


@pytest.fixture(scope="module")
def model():
    return RobertaForMaskedLM(RobertaConfig(**FIELDS), seed=1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, model):
    """A model with its tokenizer, and a few files that nobody needs."""
    directory = tmp_path_factory.mktemp("whole")
    model.save_pretrained(directory)
    RobertaTokenizer.from_pretrained().save_pretrained(directory)
    (directory / "README.md").write_text("a card")
    (directory / "pytorch_model.bin").write_bytes(b"a pickle")
    return directory


@pytest.fixture
def hub(whole):
    with serving() as hub:
        hub.add("lab/tiny", whole)
        yield hub


LOAD = """
model = RobertaForMaskedLM.from_pretrained("lab/tiny")
answers = [total(model), model.config.hidden_size, ids("Hello world", "lab/tiny")]
"""


def test_a_model_and_its_tokenizer(hub, model, tmp_path):
    expected = [total(model), 8, RobertaTokenizer.from_pretrained()(TEXT)["input_ids"]]
    assert python(LOAD, tmp_path, hub.url) == expected
    needed = ["config.json", "model.safetensors"]
    tokenizers = ["tokenizer_config.json", "special_tokens_map.json", "tokenizer.json"]
    assert hub.fetched() == needed + tokenizers
    hub.requests.clear()
    assert python(LOAD, tmp_path, hub.url) == expected  # from the cache
    assert hub.fetched() == []
    assert python(LOAD, tmp_path, NO_SERVER, HF_HUB_OFFLINE="1") == expected
    assert python(LOAD, tmp_path, NO_SERVER) == expected  # the network is gone


def test_auto_classes_and_pipelines(hub, model, tmp_path):
    code = """
answers = [
    AutoConfig.from_pretrained("lab/tiny").hidden_size,
    AutoTokenizer.from_pretrained("lab/tiny")("Hello world")["input_ids"],
    total(AutoModelForMaskedLM.from_pretrained("lab/tiny")),
    pipeline("fill-mask", "lab/tiny")("Hello <mask>", top_k=1)[0]["token"],
    RobertaConfig.from_pretrained("lab/tiny", num_labels=3).num_labels,
]
"""
    tokenizer = AutoTokenizer.from_pretrained()
    batch = tokenizer("Hello <mask>", return_tensors="np")
    logits = model(**batch).logits[batch["input_ids"] == tokenizer.mask_token_id]
    assert python(code, tmp_path, hub.url) == [
        8,
        tokenizer(TEXT)["input_ids"],
        total(model),
        int(np.argmax(logits)),
        3,
    ]


def test_options(hub, whole, model, tmp_path):
    hub.files["lab/nested"] = {f"a/b/{name}": data for name, data in hub.files["lab/tiny"].items()}
    hub.files["lab/gated"], hub.gated = hub.files["lab/tiny"], {"lab/gated"}
    hub.renamed["tiny"] = "lab/tiny"
    commit = hub.commit("lab/tiny")
    cache = tmp_path / "elsewhere"
    code = f"""
load = RobertaForMaskedLM.from_pretrained
answers = [
    total(load("lab/tiny", revision={commit!r}, cache_dir={str(cache)!r})),
    total(load("lab/nested", subfolder="a/b")),
    ids("Hello world", "lab/nested", subfolder="a/b"),
    total(load("lab/gated", token="hf_member")),
    total(load("tiny")),
    total(load({str(whole.parent)!r}, subfolder={whole.name!r}, revision="no matter")),
]
"""
    each = total(model)
    ids = RobertaTokenizer.from_pretrained()(TEXT)["input_ids"]
    assert python(code, tmp_path, hub.url) == [each, each, ids, each, each, each]
    assert (cache / "models--lab--tiny" / "snapshots" / commit / "config.json").is_file()
    sent = hub.fetched()
    code = 'answers = [total(RobertaForMaskedLM.from_pretrained("lab/tiny", force_download=True))]'
    assert python(code, tmp_path, hub.url) == [each]
    assert hub.fetched()[len(sent) :] == ["config.json", "model.safetensors"]


def test_a_new_version_is_found_and_the_old_one_kept(hub, model, tmp_path):
    old = hub.commit("lab/tiny")
    python(LOAD, tmp_path, hub.url)
    directory = tmp_path / "new"
    RobertaForMaskedLM(RobertaConfig(**FIELDS), seed=2).save_pretrained(directory)
    hub.files["lab/tiny"] |= {
        "model.safetensors": (directory / "model.safetensors").read_bytes(),
    }
    code = f"""
load = RobertaForMaskedLM.from_pretrained
answers = [total(load("lab/tiny")), total(load("lab/tiny", revision={old!r}))]
"""
    new = RobertaForMaskedLM.from_pretrained(directory)
    assert python(code, tmp_path, hub.url) == [total(new), total(model)]


def test_all_files_are_of_one_commit(hub, model, tmp_path):
    """If the model changes between its configuration and weights, the old weights are fetched."""
    directory = tmp_path / "new"
    RobertaForMaskedLM(RobertaConfig(**FIELDS), seed=2).save_pretrained(directory)
    new = {"model.safetensors": (directory / "model.safetensors").read_bytes()}
    hub.before = {"model.safetensors": lambda: hub.change("lab/tiny", new)}
    load = 'total(RobertaForMaskedLM.from_pretrained("lab/tiny"))'
    answers = python(f"answers = [{load}, {load}]", tmp_path, hub.url)
    assert answers == [total(model), total(RobertaForMaskedLM.from_pretrained(directory))]


def test_a_version_that_is_gone_meanwhile(hub, tmp_path):
    old = hub.commit("lab/tiny")
    hub.before = {"model.safetensors": lambda: hub.files["lab/tiny"].pop("README.md")}
    load = 'attempt(lambda: total(RobertaForMaskedLM.from_pretrained("lab/tiny")))'
    (sentence,) = python(f"answers = [{load}]", tmp_path, hub.url)
    assert f"on the hub it has no revision '{old}'" in sentence


def test_large_files_are_elsewhere(hub, model, tmp_path):
    """The token stays with the hub, and the checksum is that of the hub."""
    hub.has_storage = True
    load = 'attempt(lambda: total(RobertaForMaskedLM.from_pretrained("lab/tiny", token="hf_t")))'
    assert python(f"answers = [{load}]", tmp_path, hub.url) == [total(model)]
    assert {token for *_, token in hub.requests} == {"Bearer hf_t"}
    assert hub.told_to_storage == [None]
    (weights,) = tmp_path.rglob("snapshots/*/model.safetensors")
    sha256 = hashlib.sha256(hub.files["lab/tiny"]["model.safetensors"]).hexdigest()
    assert weights.readlink().name == sha256


def test_shards(hub, whole, model, tmp_path):
    directory = tmp_path / "sharded"
    model.save_pretrained(directory, max_shard_size="100KB")
    shards = sorted(path.name for path in directory.glob("model-*"))
    assert len(shards) > 1
    hub.add("lab/sharded", directory)
    code = 'answers = [attempt(lambda: total(RobertaForMaskedLM.from_pretrained("lab/sharded")))]'
    hub.cuts = {shards[-1]: 100}
    (sentence,) = python(code, tmp_path, hub.url)
    assert f"fetching {shards[-1]} from {hub.url} failed, so nothing was loaded" in sentence
    (sentence,) = python(code, tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert f"it has no {shards[-1]}, while HF_HUB_OFFLINE=1" in sentence
    hub.down = False
    assert python(code, tmp_path, hub.url) == pytest.approx([total(model)], rel=1e-12)
    assert hub.fetched()[-1] == shards[-1]


def test_an_index_of_the_hub_may_not_point_outside(hub, model, tmp_path):
    index = {"weight_map": {"lm_head.bias": "../../secret"}}
    hub.files["lab/evil"] = {
        "config.json": hub.files["lab/tiny"]["config.json"],
        "model.safetensors.index.json": json.dumps(index).encode(),
    }
    code = 'answers = [attempt(lambda: RobertaForMaskedLM.from_pretrained("lab/evil"))]'
    (sentence,) = python(code, tmp_path, hub.url)
    assert "shards must lie in the directory itself" in sentence
    assert not any("secret" in file for _, file, *_ in hub.requests)


ATTEMPT = """
answers = [attempt(lambda: total(RobertaForMaskedLM.from_pretrained("lab/tiny")))]
"""


def test_a_connection_cut_half_way(hub, whole, model, tmp_path):
    hub.cuts = {"model.safetensors": (whole / "model.safetensors").stat().st_size // 2}
    (sentence,) = python(ATTEMPT, tmp_path, hub.url)
    assert sentence.startswith(
        "FileNotFoundError: 'lab/tiny' is no directory on this machine, and fetching "
        f"model.safetensors from {hub.url} failed, so nothing was loaded ("
    )
    assert "save config.json, model.safetensors and tokenizer.json" in sentence
    assert f"from {hub.url}/lab/tiny/tree/main in a directory" in sentence
    assert not list(tmp_path.rglob("*.incomplete"))
    assert not list(tmp_path.rglob("snapshots/*/model.safetensors"))
    for offline in ("1", "0"):  # what came is not loaded, whatever the network does
        (sentence,) = python(ATTEMPT, tmp_path, hub.url, HF_HUB_OFFLINE=offline)
        assert "it has no model.safetensors, nor model.safetensors.index.json" in sentence
    hub.down = False
    assert python(ATTEMPT, tmp_path, hub.url) == [total(model)]


def test_a_connection_cut_once(hub, whole, model, tmp_path):
    """What has come is not asked for again, in blocks of 16 KiB."""
    hub.cuts, hub.down_after_cut = {"model.safetensors": 3 * 16384 + 5}, False
    assert python(ATTEMPT, tmp_path, hub.url) == [total(model)]
    asked = [request[2] for request in hub.requests if request[:2] == ("GET", "model.safetensors")]
    assert asked == [None, f"bytes={3 * 16384}-"]


def test_a_second_try_in_the_same_process(hub, model, tmp_path):
    hub.faults = {("GET", "model.safetensors"): FAULTS["cut"]}
    hub.before = {"special_tokens_map.json": hub.faults.clear}
    code = """
load = lambda: total(RobertaForMaskedLM.from_pretrained("lab/tiny"))
answers = [attempt(load), ids("a", "lab/tiny") and attempt(load)]
"""
    first, second = python(code, tmp_path, hub.url)
    assert "failed, so nothing was loaded" in first
    assert second == total(model)


@pytest.mark.parametrize("file", ["config.json", "special_tokens_map.json", "tokenizer.json"])
def test_a_tokenizer_cut_half_way(hub, tmp_path, file):
    hub.cuts = {file: 10}
    load = 'attempt(lambda: AutoTokenizer.from_pretrained("lab/tiny")("Hello world")["input_ids"])'
    (sentence,) = python(f"answers = [{load}]", tmp_path, hub.url)
    assert f"fetching {file} from {hub.url} failed" in sentence
    (sentence,) = python(f"answers = [{load}]", tmp_path, hub.url, HF_HUB_OFFLINE="1")
    assert "FileNotFoundError" in sentence
    hub.down = False
    expected = RobertaTokenizer.from_pretrained()(TEXT)["input_ids"]
    assert python(f"answers = [{load}]", tmp_path, hub.url) == [expected]


def test_a_server_that_fails_for_a_file_that_may_be_missing(hub, tmp_path):
    """It must not be taken for a tokenizer without that file."""
    hub.failing = {"tokenizer_config.json"}
    (sentence,) = python('answers = [attempt(lambda: ids("a", "lab/tiny"))]', tmp_path, hub.url)
    assert "cannot be reached" in sentence
    assert not list(tmp_path.rglob("snapshots/*/tokenizer.json"))


def test_older_tokenizers(hub, whole, tmp_path):
    files = hub.files["lab/tiny"]
    hub.files["lab/old"] = {name: files[name] for name in ("vocab.json", "merges.txt")}
    expected = RobertaTokenizer.from_pretrained()(TEXT)["input_ids"]
    code = 'answers = [ids("Hello world", "lab/old")]'
    assert python(code, tmp_path, hub.url) == [expected]


def test_sentences(hub, tmp_path):
    hub.files["lab/gated"], hub.gated = {}, {"lab/gated"}
    hub.files["lab/card"] = {"README.md": b""}
    hub.files["lab/pickled"] = {
        name: hub.files["lab/tiny"][name] for name in ("config.json", "pytorch_model.bin")
    }
    hub.files["lab/adapter"] = {"adapter_config.json": b"{}"}
    hub.files["lab/keras"] = {
        "config.json": hub.files["lab/tiny"]["config.json"],
        "tf_model.h5": b"",
    }
    hub.files["lab/sentences"] = {"0_Transformer/config.json": b"{}"}
    hub.files["lab/no-weights"] = {"config.json": hub.files["lab/tiny"]["config.json"]}
    cases = {
        '"lab/none"': "the hub at URL has no model of that name that you may see: check the",
        '"lab/gated"': "on the hub it is gated: accept its terms at URL/lab/gated, then log in",
        '"lab/gated", token="hf_wrong"': "on the hub it is gated",
        '"lab/tiny", token=True': "token=True needs a token that is not there: log in with hf auth",
        '"lab/tiny", revision="v9"': "on the hub it has no revision 'v9': give a branch, a tag or",
        '"lab/tiny", subfolder="x"': "'lab/tiny' on the hub has no config.json in 'x'",
        '"lab/tiny", local_files_only=True, cache_dir="c"': "not all, in the cache 'c', while "
        "local_files_only=True forbids to look further",
        '"lab/card"': "'lab/card' on the hub has no config.json",
        '"lab/pickled"': "'lab/pickled' has its weights only as pytorch_model.bin, a pickle",
        '"lab/keras"': "'lab/keras' has its weights only as tf_model.h5, which only TensorFlow",
        '"lab/adapter"': "has no config.json, but an adapter: add it to that model's weights",
        '"lab/sentences"': "has no config.json, but a model in a directory: give subfolder='0_Tr",
        '"lab/tiny", variant="fp16"': "has no model.fp16.safetensors, but model.safetensors: leave",
        '"lab/no-weights"': "'lab/no-weights' on the hub has no model.safetensors, nor model.safe",
        '"lab/a..b"': "no model of the hub can have that name",
        '"lab/two/parts"': "'lab/two/parts' is no directory on this machine. To use a model of",
        '"lab/tiny", num_labels=3, id2label={0: "a"}': "num_labels is 3, but id2label has 1",
    }
    calls = ",".join(
        f"attempt(lambda: RobertaForMaskedLM.from_pretrained({arguments}))" for arguments in cases
    )
    answers = python(f"answers = [{calls}]", tmp_path, hub.url)
    for (arguments, expected), answer in zip(cases.items(), answers, strict=True):
        assert expected.replace("URL", hub.url) in answer, arguments
        by_hand = "is no directory on this machine, and" in answer
        assert by_hand == ("To download it by hand: save config.json" in answer), arguments
    (sentence,) = python('answers = [attempt(lambda: ids("a", "lab/card"))]', tmp_path, hub.url)
    assert "has no tokenizer.json, nor vocab.json and merges.txt" in sentence
    assert hub.fetched().count("pytorch_model.bin") == 0


def test_a_pickle_in_the_cache_is_told_without_the_network(whole, tmp_path):
    snapshot = tmp_path / "models--lab--pickled" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    (snapshot.parents[1] / "refs").mkdir()
    (snapshot.parents[1] / "refs" / "main").write_text("a" * 40)
    for name in ("config.json", "pytorch_model.bin"):
        shutil.copy(whole / name, snapshot)
    with pytest.raises(FileNotFoundError, match=r"'lab/pickled' has its weights only as pytorch_"):
        RobertaForMaskedLM.from_pretrained("lab/pickled", cache_dir=tmp_path, local_files_only=True)


@pytest.mark.parametrize("load", ["RobertaForMaskedLM", "RobertaTokenizer", "AutoTokenizer"])
def test_without_network_or_cache(tmp_path, load):
    code = f'answers = [attempt(lambda: {load}.from_pretrained("lab/tiny"))]'
    (sentence,) = python(code, tmp_path, NO_SERVER)
    assert f"the hub at {NO_SERVER} cannot be reached, and its files are not" in sentence
    (sentence,) = python(code, tmp_path, NO_SERVER, HF_HUB_OFFLINE="1")
    assert "while HF_HUB_OFFLINE=1 forbids to look further" in sentence
    assert f"{NO_SERVER}/lab/tiny/tree/main" in sentence


def test_force_download_without_network(hub, tmp_path):
    python(LOAD, tmp_path, hub.url)
    code = """
answers = [attempt(lambda: RobertaForMaskedLM.from_pretrained("lab/tiny", force_download=True))]
"""
    (sentence,) = python(code, tmp_path, NO_SERVER)
    assert "fetching config.json" in sentence
    assert "failed, so nothing was loaded" in sentence


@pytest.mark.parametrize(
    "load",
    [
        RobertaConfig.from_pretrained,
        RobertaForSequenceClassification.from_pretrained,
        RobertaTokenizer.from_pretrained,
        AutoTokenizer.from_pretrained,
    ],
)
def test_without_the_extra(monkeypatch, load):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(FileNotFoundError) as raised:
        load("lab/tiny", revision="v1")
    assert str(raised.value) == (
        "'lab/tiny' is no directory on this machine. To fetch a model of that name from the "
        "Hugging Face hub, huggingface_hub is needed: pip install huggingface_hub. To download "
        "it by hand: save config.json, model.safetensors and tokenizer.json (or vocab.json and "
        "merges.txt) from https://huggingface.co/lab/tiny/tree/v1 in a directory, and give that "
        "directory"
    )


def test_a_directory_wins(whole, tmp_path, monkeypatch, model):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "tiny").symlink_to(whole)
    monkeypatch.chdir(tmp_path)
    assert total(RobertaForMaskedLM.from_pretrained("lab/tiny")) == total(model)
    RobertaTokenizer.from_pretrained("lab/tiny")
    with pytest.raises(NotADirectoryError, match=r"config\.json' is a file: give the directory"):
        RobertaForMaskedLM.from_pretrained("lab/tiny/config.json")
    alone = RobertaConfig.from_pretrained("lab/tiny/config.json")
    assert alone == RobertaConfig.from_pretrained("lab/tiny")
    with pytest.raises(FileNotFoundError, match="no directory on this machine"):
        RobertaConfig.from_pretrained("lab/tiny", subfolder="none")


def test_paths_are_never_names_of_the_hub(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for name in (tmp_path / "a", "./lab/tiny", "/lab/tiny", "~/tiny", "a\\b", "lab/"):
        with pytest.raises(FileNotFoundError, match="To use a model of the Hugging Face hub"):
            RobertaConfig.from_pretrained(name)


def test_the_bundled_model_needs_no_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert ModelFiles(TINY).is_local
    assert RobertaConfig.from_pretrained(TINY).vocab_size == 8192


def test_a_shard_that_is_not_in_the_cache_is_named(model, tmp_path):
    repository, commit = tmp_path / "models--lab--sharded", "a" * 40
    snapshot = repository / "snapshots" / commit
    model.save_pretrained(snapshot, max_shard_size="50KB")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    shard = min(snapshot.glob("model-*.safetensors"))
    shard.unlink()
    sentence = rf"in the cache '{tmp_path}' it has no {shard.name}, while local_files_only=True"
    with pytest.raises(FileNotFoundError, match=sentence):
        RobertaForMaskedLM.from_pretrained("lab/sharded", cache_dir=tmp_path, local_files_only=True)
