"""Saving loses nothing: killed, interrupted, refused, or done by several at once.

What a directory holds afterwards must be, byte for byte, the old files or the new ones, as any
program finds them under their names; and this package and transformers must load them.
"""

import errno
import itertools
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import transformers

from minirobert import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    RobertaConfig,
    RobertaForCausalLM,
    RobertaTokenizer,
    cli,
    pipeline,
)
from minirobert.files import MODEL_FILES, exchange, locks, reading
from minirobert.parameters import flatten
from tests.tokenization.small import VOCAB, small

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")

# What is saved


def causal(seed, hidden_act, **options):
    config = RobertaConfig(
        vocab_size=19, hidden_size=12, num_attention_heads=3, num_hidden_layers=2,
        intermediate_size=5, max_position_embeddings=9, is_decoder=True, hidden_act=hidden_act,
    )  # fmt: skip
    model = RobertaForCausalLM(config, seed=seed)
    for name, value in options.items():
        setattr(model.generation_config, name, value)
    return model


OLD = causal(1, "gelu", top_k=7)
SAME_CONFIG = causal(2, "gelu", top_k=7)
NEW = causal(3, "relu", top_p=0.5)
SIZES = {"one file": "5GB", "2 shards": "6KB", "5 shards": "2KB"}

WORDS = small(cls_token="<s>")
NEW_VOCAB = {
    token: index for index, token in enumerate([*list(VOCAB)[:4], "Ġ", "a", "c", "d", "ac"])
}
NEW_WORDS = RobertaTokenizer.from_vocab(NEW_VOCAB, [("a", "c")], add_prefix_space=True)
MORE_WORDS = RobertaTokenizer.from_vocab(NEW_VOCAB, [("a", "c")], model_max_length=50)
MORE_WORDS.add_tokens(["<new>", "dd"])
CORPUS = "corpus.txt"


class Saving(NamedTuple):
    """One way to put files into a directory, and how they are loaded."""

    name: str
    save: Callable[[Path], object]
    load: Callable[[Path], None]


def load_model(directory):
    ours = AutoModelForCausalLM.from_pretrained(directory)
    theirs = transformers.AutoModelForCausalLM.from_pretrained(directory)
    state = theirs.state_dict()
    for name, array in flatten(ours.params).items():
        np.testing.assert_array_equal(state[name].numpy(), array)
    assert theirs.config.hidden_act == ours.config.hidden_act
    assert theirs.generation_config.top_k == ours.generation_config.top_k


def load_tokenizer(directory):
    ours = RobertaTokenizer.from_pretrained(directory)
    theirs = transformers.RobertaTokenizerFast.from_pretrained(directory)
    text = "a ac<mask> c a"
    assert ours(text)["input_ids"] == theirs(text)["input_ids"]


def load_config(directory):
    ours = RobertaConfig.from_pretrained(directory)
    assert transformers.RobertaConfig.from_pretrained(directory).hidden_act == ours.hidden_act


def nothing(directory):
    """Load nothing: some files of the directory belong to another set."""


def train(directory):
    corpus, out = str(directory / CORPUS), str(directory)
    code = cli.main(["train-tokenizer", corpus, "--out", out, "--vocab-size", "270", "--quiet"])
    if code:
        raise KeyboardInterrupt if code == 130 else OSError(f"exit code {code}")


def of_model(model, size):
    return lambda directory: model.save_pretrained(directory, max_shard_size=SIZES[size])


def of_tokenizer(tokenizer, legacy=None):
    return lambda directory: tokenizer.save_pretrained(directory, legacy_format=legacy)


NOTHING = Saving("nothing", lambda directory: None, nothing)
OLD_MODELS = [Saving(f"old in {size}", of_model(OLD, size), load_model) for size in SIZES]
NEW_MODELS = [
    Saving(f"{what} in {size}", of_model(model, size), load_model)
    for what, model in (("new", NEW), ("same config", SAME_CONFIG))
    for size in SIZES
]
TOKENIZERS = [
    Saving("words", of_tokenizer(WORDS), load_tokenizer),
    Saving("words, fast", of_tokenizer(WORDS, False), load_tokenizer),
    Saving("words, slow", of_tokenizer(WORDS, True), load_tokenizer),
    Saving("new words", of_tokenizer(NEW_WORDS), load_tokenizer),
    Saving("new words, fast", of_tokenizer(NEW_WORDS, False), load_tokenizer),
    Saving("new words, slow", of_tokenizer(NEW_WORDS, True), load_tokenizer),
    Saving("more words", of_tokenizer(MORE_WORDS), load_tokenizer),
    Saving("trained", train, load_tokenizer),
]
VOCABULARY = Saving("vocabulary", NEW_WORDS.save_vocabulary, nothing)
SETTINGS = [
    Saving("config", NEW.config.save_pretrained, load_config),
    Saving("options", GenerationConfig(top_k=3).save_pretrained, nothing),
]
PAIRS = [
    *itertools.product([NOTHING, *OLD_MODELS], NEW_MODELS),
    *(
        (old, new)
        for old, new in itertools.product([NOTHING, *TOKENIZERS], TOKENIZERS)
        if old != new
    ),
    *((old, VOCABULARY) for old in (NOTHING, *TOKENIZERS[:3])),
    *itertools.product([NOTHING, OLD_MODELS[1]], SETTINGS),
]
#: What lies there and belongs to no set.
OTHERS = {
    "optimizer.pt": b"state",
    "model.fp16.safetensors": b"of somebody else",
    CORPUS: b"low lower lowest\nslow slower slowest\n" * 3,
}


def files(directory):
    """Give what any program finds under the names of files."""
    return {
        path.name: path.read_bytes()
        for path in directory.iterdir()
        if path.is_file() and path.name[0] != "."
    }


def leftovers(directory):
    """Name what an exchange would leave."""
    return [p.name for p in directory.iterdir() if p.name[0] == "." or p.is_symlink()]


class Case:
    """A directory before and after saving."""

    def __init__(self, tmp_path, old, new):
        self.old, self.new = old, new
        self.directory = tmp_path / f"{old.name} to {new.name}"
        self.renewed()
        self.before = files(self.directory)
        start = time.perf_counter()
        code, self.changes = ended(*in_child(self.save))
        self.seconds = time.perf_counter() - start
        assert code == 0
        self.after = files(self.directory)
        assert self.before != self.after
        assert not leftovers(self.directory)

    def renewed(self):
        """Put the directory back."""
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for name, content in OTHERS.items():
            (self.directory / name).write_bytes(content)
        (self.directory / "checkpoint-5").mkdir()
        self.old.save(self.directory)

    def save(self):
        self.new.save(self.directory)

    def check(self):
        """See that nothing is lost, and that what is left over goes away."""
        found = files(self.directory)
        assert found in (self.before, self.after), (sorted(found), os.listdir(self.directory))
        is_new = found == self.after
        (self.new if is_new else self.old).load(self.directory)
        assert files(self.directory) == found
        if leftovers(self.directory):  # nothing was loaded
            self.save()
            assert files(self.directory) == self.after
        assert not leftovers(self.directory)
        return is_new


@pytest.fixture
def case(tmp_path, draw):
    made = {}

    def case():
        pair = draw.choice(PAIRS)
        if pair not in made:
            made[pair] = Case(tmp_path, *pair)
        made[pair].renewed()
        return made[pair]

    return case


# Children that die, or are interrupted

#: The events of `sys.addaudithook` before the system is asked to change a directory.
CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link")


def in_child(function, act=None, *at):
    """Run a function in a child of this process, giving its wait status and what it changed.

    Before the changes of the numbers ``at`` in the file system it calls ``act``, which may raise.
    """
    reads, writes = os.pipe()
    child = os.fork()
    if child:
        os.close(writes)
        return child, reads
    code = 1
    try:
        count = itertools.count()

        def hook(event, arguments):
            is_writing = event == "open" and isinstance(arguments[1], str) and arguments[1] != "r"
            if (event in CHANGES or is_writing) and next(count) in at:
                act()

        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.addaudithook(hook)
        try:
            function()
            code = 0
        except KeyboardInterrupt:
            code = 3
        except OSError as error:
            code = 4 if len(str(error)) <= 500 else 5
        os.write(writes, str(next(count)).encode())
    finally:
        os._exit(code)


def ended(child, reads):
    """Wait for a child, giving its exit code (or minus its signal), and how much it changed."""
    _, status = os.waitpid(child, 0)
    with os.fdopen(reads) as pipe:
        said = pipe.read()
    return os.waitstatus_to_exitcode(status), int(said or 0)


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def test_killed_at_a_change(case, draw, times):
    """Half of those who put it right are killed as well."""
    seen = set()
    for _ in range(15 * times):
        one = case()
        code, _ = ended(*in_child(one.save, die, draw.randrange(one.changes)))
        assert code == -signal.SIGKILL
        again = draw.choice([RobertaConfig.from_pretrained, one.new.save, None, None])
        if again is not None:
            ended(*in_child(partial(again, one.directory), die, draw.randrange(20)))
        seen.add(one.check())
    assert seen == {True, False}


def test_killed_at_any_time(case, draw, times):
    for _ in range(12 * times):
        one = case()
        child, reads = in_child(one.save)
        time.sleep(draw.uniform(0, one.seconds))
        os.kill(child, signal.SIGKILL)
        ended(child, reads)
        one.check()


def interrupt():
    raise KeyboardInterrupt


def test_interrupted(case, draw, times):
    """Once, or once more while it cleans up."""
    for _ in range(8 * times):
        one = case()
        at = draw.randrange(one.changes)
        code, _ = ended(*in_child(one.save, interrupt, at, at + draw.randrange(6)))
        assert code in (0, 3)
        assert not leftovers(one.directory)
        assert one.check() or code == 3


def test_a_full_disk(case, draw, times):
    def refuse(*arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device")

    def fill():
        os.mkdir = os.symlink = os.link = Path.write_text = refuse
        refuse()

    for _ in range(8 * times):
        one = case()
        code, _ = ended(*in_child(one.save, fill, draw.randrange(one.changes)))
        assert code in (0, 4)
        assert not leftovers(one.directory)
        assert one.check() == (code == 0)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may mount")
def test_a_disk_that_is_really_full(tmp_path):
    if os.system(f"mount -t tmpfs -o size=200k tmpfs '{tmp_path}' 2> {os.devnull}"):
        pytest.skip("nothing can be mounted here")
    try:
        for new, load in (("new in one file", "old in 2 shards"), ("new words", "words")):
            pair = next((o, n) for o, n in PAIRS if (o.name, n.name) == (load, new))
            one = Case(tmp_path, *pair)
            one.renewed()
            (tmp_path / "filler").write_bytes(
                bytes(os.statvfs(tmp_path).f_bavail * 4096 - 4096 * 5)
            )
            with pytest.raises(
                OSError, match=r"could not be written .*: make room, or save elsewhere"
            ):
                one.new.save(one.directory)
            assert files(one.directory) == one.before
            assert not leftovers(one.directory)
            (tmp_path / "filler").unlink()
    finally:
        os.system(f"umount '{tmp_path}'")


# Several at once


SAVERS = [
    (NEW_MODELS[0], OLD_MODELS[0]),
    (NEW_MODELS[4], OLD_MODELS[0]),
    (NEW_MODELS[1], OLD_MODELS[2]),
    (TOKENIZERS[0], TOKENIZERS[3]),
    (TOKENIZERS[1], TOKENIZERS[5]),
]


def repeatedly(save, directory, times):
    for _ in range(times):
        save(directory)


def in_threads(savers, directory, times):
    failed = []

    def work(save):
        try:
            repeatedly(save, directory, times)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(one.save,)) for one in savers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def in_processes(savers, directory, times):
    children = [in_child(partial(repeatedly, one.save, directory, times)) for one in savers]
    assert [ended(*child)[0] for child in children] == [0] * len(savers)


@pytest.mark.parametrize("at_once", [in_threads, in_processes])
@pytest.mark.parametrize("savers", SAVERS, ids=lambda savers: savers[0].name)
def test_two_savers(tmp_path, savers, at_once, times):
    left = []
    for saver in savers:
        saver.save(tmp_path / saver.name)
        left.append(files(tmp_path / saver.name))
    directory = tmp_path / "both"
    directory.mkdir()
    for _ in range(3 * times):
        at_once(savers, directory, 3)
        assert files(directory) in left
        assert not leftovers(directory)
    savers[0].load(directory)


@pytest.mark.parametrize("at_once", [in_threads, in_processes])
def test_a_model_and_its_tokenizer(tmp_path, at_once, times):
    for _ in range(3 * times):
        at_once([NEW_MODELS[1], TOKENIZERS[3], SETTINGS[1]], tmp_path, 2)
        load_model(tmp_path)
        load_tokenizer(tmp_path)
        assert not leftovers(tmp_path)


def state_of_model(directory, load=RobertaForCausalLM.from_pretrained):
    model = load(directory)
    weights = b"".join(array.tobytes() for array in flatten(model.params).values())
    return model.config.hidden_act, model.generation_config.top_k, weights


def state_of_tokenizer(directory):
    tokenizer = AutoTokenizer.from_pretrained(directory)
    return tokenizer.get_vocab(), tokenizer.merges, str(tokenizer.special_tokens_map)


def test_a_link_that_leads_nowhere_is_no_file(tmp_path):
    """An exchange of shards for one file makes such a link, for a time."""
    OLD_MODELS[2].save(tmp_path)
    before = state_of_model(tmp_path)
    (tmp_path / "model.safetensors").symlink_to("nowhere")
    assert state_of_model(tmp_path) == before
    load_model(tmp_path)


@pytest.mark.parametrize("savers", SAVERS, ids=lambda savers: savers[0].name)
def test_reading_while_it_is_saved(tmp_path, savers, times):
    state = state_of_model if savers[0].load is load_model else state_of_tokenizer
    states = []
    for saver in savers:
        saver.save(tmp_path)
        states.append(state(tmp_path))
    child, reads = in_child(
        lambda: [saver.save(tmp_path) for _ in range(1000 * times) for saver in savers]
    )
    try:
        found = [state(tmp_path) for _ in range(8 * times)]
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child, reads)
    assert all(one in states for one in found)


def test_a_pipeline_of_what_is_being_saved(tmp_path, times):
    WORDS.save_pretrained(tmp_path)
    states = []
    for saver in SAVERS[1]:
        saver.save(tmp_path)
        states.append(state_of_model(tmp_path))
    child, reads = in_child(
        lambda: [saver.save(tmp_path) for _ in range(1000 * times) for saver in SAVERS[1]]
    )
    try:
        for _ in range(4 * times):
            found = state_of_model(tmp_path, lambda path: pipeline("text-generation", path).model)
            assert found in states
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child, reads)


def test_files_that_change_all_the_time(tmp_path):
    """As where a program writes that knows nothing of locks."""
    OLD.save_pretrained(tmp_path)
    numbers = itertools.count()

    def read():
        (tmp_path / "config.json").write_text("." * next(numbers))
        raise ValueError("half of it")

    with pytest.raises(OSError, match=r"have changed while they were read, 5 times in a row: load"):
        reading.read_together(tmp_path, MODEL_FILES, read)
    assert next(numbers) == 5


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_what_is_read_again(tmp_path, name):
    """Only what belongs to the set counts, and what fails without a change fails at once."""
    OLD.save_pretrained(tmp_path)
    numbers = itertools.count()

    def read():
        if next(numbers) == 0:
            exchange.write_text(tmp_path / name, "new")
            raise ValueError("half of it")
        return (tmp_path / name).read_text()

    if name == "config.json":
        assert reading.read_together(tmp_path, MODEL_FILES, read) == "new"
    else:
        with pytest.raises(ValueError, match="half of it"):
            reading.read_together(tmp_path, MODEL_FILES, read)


def test_a_link_that_goes_while_it_is_followed(tmp_path):
    """Its file seems not to be there, and yet nothing has changed but the link."""
    (tmp_path / "x.minirobert").write_text("content")
    (tmp_path / "config.json").symlink_to("x.minirobert")
    missing = iter([True, False])

    def read():
        if next(missing):
            os.replace(tmp_path / "x.minirobert", tmp_path / "config.json")
            return "nothing there"
        return (tmp_path / "config.json").read_text()

    assert reading.read_together(tmp_path, MODEL_FILES, read) == "content"


# Links, and what else a directory can be


@pytest.mark.parametrize("relative", [True, False])
def test_links_to_files_elsewhere(tmp_path, draw, times, relative):
    """As in the cache of the Hugging Face hub: what they lead to is never touched."""
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    OLD.save_pretrained(blobs, max_shard_size="6KB")
    old, up = files(blobs), os.path.join("..", "..", "blobs") if relative else str(blobs)
    links = {name: os.path.join(up, name) for name in old}
    for _ in range(6 * times):
        shutil.rmtree(snapshot, ignore_errors=True)
        snapshot.mkdir(parents=True)
        for name, text in links.items():
            (snapshot / name).symlink_to(text)
        ended(*in_child(partial(NEW.save_pretrained, snapshot), die, draw.randrange(5, 30)))
        load_model(snapshot)
        assert files(blobs) == old
        if files(snapshot) == old:
            assert {path.name: os.readlink(path) for path in snapshot.iterdir()} == links
        else:
            assert not leftovers(snapshot)


def test_a_directory_behind_a_link(tmp_path, monkeypatch):
    OLD.save_pretrained(tmp_path / "real")
    (tmp_path / "link").symlink_to("real")
    NEW.save_pretrained(tmp_path / "link", max_shard_size="6KB")
    load_model(tmp_path / "real")
    assert (tmp_path / "link").is_symlink()
    monkeypatch.chdir(tmp_path / "link")
    SAME_CONFIG.save_pretrained(".")
    assert state_of_model(".") == state_of_model(tmp_path / "real")
    assert not leftovers(tmp_path / "real")


@pytest.fixture
def open_path():
    """Give a directory in which another user may read."""
    with tempfile.TemporaryDirectory() as path:
        Path(path).chmod(0o755)
        yield Path(path)


def test_a_reader_who_may_not_write(open_path):
    """It reads through what a dead writer has left, and leaves that as it is."""
    NEW.save_pretrained(open_path / "new")
    for at in (12, 20, 26):
        directory = open_path / str(at)
        OLD.save_pretrained(directory)
        states = [state_of_model(directory), state_of_model(open_path / "new")]
        ended(*in_child(partial(NEW.save_pretrained, directory), die, at))
        left = leftovers(directory)
        assert left

        def read(directory=directory, states=states):
            if os.geteuid() == 0:
                os.setuid(65534)
            assert state_of_model(directory) in states

        directory.chmod(0o555)
        assert ended(*in_child(read))[0] == 0
        directory.chmod(0o755)
        assert leftovers(directory) == left


@pytest.mark.parametrize("is_file", [True, False])
@pytest.mark.parametrize("named", ["outside", "room", "garbage"])
def test_leftovers_that_somebody_has_forged(tmp_path, named, is_file):
    """A downloaded model may hold anything: nothing outside of its directory is touched."""
    directory, outside = tmp_path / "model", tmp_path / "outside"
    OLD.save_pretrained(directory)
    outside.mkdir()
    (outside / "key").write_text("secret")
    room = directory / ".minirobert-0123456789abcdef"
    if named == "room":
        room.symlink_to(outside)
    else:
        room.mkdir()
    content = {"outside": "../outside", "room": room.name, "garbage": "\udcff" * 9}[named]
    now = directory / f"{room.name}.now"
    if is_file:
        now.write_bytes(os.fsencode(content))
        (directory / "x").symlink_to(f"{now.name}/key")
    else:
        now.symlink_to(content)
    load_model(directory)
    NEW.save_pretrained(directory)
    load_model(directory)
    assert files(outside) == {"key": b"secret"}
    assert not (directory / "key").exists()


def test_a_directory_in_the_place_of_a_file(tmp_path):
    OLD.save_pretrained(tmp_path)
    (tmp_path / "generation_config.json").unlink()
    (tmp_path / "generation_config.json").mkdir()
    names = os.listdir(tmp_path)
    with pytest.raises(IsADirectoryError, match=r"generation_config.json is a directory there"):
        NEW.save_pretrained(tmp_path)
    assert os.listdir(tmp_path) == names


def test_another_who_never_ends_its_exchange(tmp_path, monkeypatch):
    monkeypatch.setattr(exchange, "_PATIENCE", 0.05)
    OLD.save_pretrained(tmp_path)
    before = files(tmp_path)
    with locks.locked(tmp_path), pytest.raises(OSError, match="another process or thread"):
        NEW.save_pretrained(tmp_path)
    assert files(tmp_path) == before
    NEW.save_pretrained(tmp_path)
    assert files(tmp_path) != before


def test_a_writer_who_lives_is_left_alone(tmp_path):
    with exchange.exchanging(tmp_path) as new:
        (new / "a").write_text("a")
        exchange.clean_up(tmp_path)
        exchange.write_text(tmp_path / "b", "b")
        assert (new / "a").exists()
    assert files(tmp_path) == {"a": b"a", "b": b"b"}


def test_a_child_keeps_no_lock_of_its_parent(tmp_path):
    handle = locks.hold(tmp_path)
    child, reads = in_child(lambda: time.sleep(30))
    try:
        os.close(handle)  # as if the parent had died
        locks._HELD.discard(handle)
        locks.release(locks.hold(tmp_path, 5))
    finally:
        os.kill(child, signal.SIGKILL)
        ended(child, reads)


# Systems that have less


def refused(*arguments, **options):
    raise OSError(errno.EPERM, "Operation not permitted")


def test_without_second_names(case, draw, times, monkeypatch):
    monkeypatch.setattr(os, "link", refused)
    for _ in range(4 * times):
        one = case()
        ended(*in_child(one.save, die, draw.randrange(one.changes)))
        one.check()


def test_without_links(case, draw, times, monkeypatch):
    """Who is killed may leave less than a set, but never two; loading or saving puts it right."""
    monkeypatch.setattr(os, "symlink", refused)
    for _ in range(8 * times):
        one = case()
        ended(*in_child(one.save, die, draw.randrange(one.changes)))
        found = files(one.directory).items()
        assert found <= one.before.items() or found <= one.after.items()
        exchange.clean_up(one.directory)
        one.check()


def test_without_locks(case, draw, times, monkeypatch):
    """What others have left is loaded through, and cleaned up after a day."""
    monkeypatch.setattr(locks, "fcntl", None)
    for _ in range(4 * times):
        one = case()
        ended(*in_child(one.save, die, draw.randrange(one.changes)))
        found = files(one.directory)
        assert found in (one.before, one.after)
        (one.new if found == one.after else one.old).load(one.directory)
        assert files(one.directory) == found
        one.new.save(one.directory)
        assert files(one.directory) == one.after
        with monkeypatch.context() as patch:
            patch.setattr(exchange, "_STALE", -1)
            one.check()
