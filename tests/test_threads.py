"""``threads=``: what the libraries are told for the time of a computation, and afterwards."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController, threadpool_info, threadpool_limits

import minirobert
from minirobert import RobertaConfig
from minirobert.pipelines import TASKS, base, pipeline, text_generation
from minirobert.threads import _Pools, check_threads, limited
from tests.pipelines.models import our_tokenizer
from tests.processes import fresh_python

SKY = "The sky is <mask>."
INPUTS = {
    "fill-mask": SKY,
    "question-answering": {"question": "Who?", "context": "Anna lives in Rome."},
    "multiple-choice": {"question": "Who?", "choices": ["Anna", "Bob and Carl"]},
}
OPTIONS = {
    "zero-shot-classification": {"candidate_labels": ["a", "b"]},
    "text-generation": {"do_sample": False, "max_new_tokens": 3},
}
SIZES = {
    "num_hidden_layers": 1, "vocab_size": 8192, "hidden_size": 12, "num_attention_heads": 3,
    "intermediate_size": 7, "max_position_embeddings": 40,
    "id2label": {0: "entailment", 1: "other"},
}  # fmt: skip


def of_each():
    """Give the number of threads of each BLAS: NumPy's, and others that are loaded."""
    blas = [one for one in threadpool_info() if one["user_api"] == "blas"]
    return {one["filepath"]: one["num_threads"] for one in blas}


def numbers():
    return set(of_each().values())


@pytest.fixture(autouse=True)
def _left_as_it_was():
    before = of_each()
    yield
    assert of_each() == before


def made(task, **options):
    model = TASKS[task][1](RobertaConfig(**SIZES, is_decoder=task == "text-generation"))
    return pipeline(task, model, our_tokenizer(), **OPTIONS.get(task, {}), **options)


@pytest.fixture
def spied(monkeypatch):
    """Note the numbers of threads each time that the layers are computed."""
    seen = []
    of_encoder = minirobert.encoder.encoder

    def encoder(*arguments, **keywords):
        seen.append(numbers())
        return of_encoder(*arguments, **keywords)

    monkeypatch.setattr(minirobert.encoder, "encoder", encoder)
    return seen


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_limit_within_calls_alone(spied, task, threads):
    one = INPUTS.get(task, "A cat sleeps.")
    plain, limiting = made(task), made(task, threads=threads)
    expected = plain([one, one], batch_size=2)
    assert not spied or set.union(*spied) == numbers()
    spied.clear()
    assert limiting([one, one], batch_size=2) == expected
    assert spied
    assert set.union(*spied) == {threads}


def test_no_limit_between_the_answers_of_a_stream(spied):
    before = numbers()
    embed = pipeline("feature-extraction", pooling="cls", threads=3)
    for _ in embed(iter(["A", "B", "C"])):
        assert numbers() == before
    assert set.union(*spied) == {3}


def test_no_limit_between_the_parts_of_a_text(spied):
    before = numbers()
    parts = made("text-generation", threads=3).stream("The sky")
    for _ in parts:
        assert numbers() == before
    assert set.union(*spied) == {3}
    assert text_generation.limited is base.limited is limited


def test_an_error_puts_back_what_was_before(monkeypatch):
    embed = pipeline("feature-extraction", threads=2)

    def fail(*_):
        assert numbers() == {2}
        raise MemoryError

    monkeypatch.setattr(embed, "_vectors", fail)
    with pytest.raises(MemoryError):
        embed("A")


class Caller:
    """A thread of Python that computes with a limit from its beginning to its end."""

    def __init__(self, threads):
        self.thread = ThreadPoolExecutor(1)
        self.limit = limited(threads)

    def does(self, action, *arguments):
        return self.thread.submit(action, *arguments).result()

    def begin(self):
        self.does(self.limit.__enter__)

    def end(self):
        self.does(self.limit.__exit__, None, None, None)


@pytest.fixture
def _numbers_that_differ():
    """Give NumPy's BLAS another number than SciPy's, which is a library of its own."""
    import scipy.linalg  # noqa: F401  # loads its own BLAS

    with threadpool_limits(1):  # puts back what was before
        for i, one in enumerate(ThreadpoolController().select(user_api="blas").lib_controllers):
            one.set_num_threads(6 + i)
        yield


@pytest.mark.usefixtures("_numbers_that_differ")
def test_several_at_once_have_the_smallest_limit_and_the_last_puts_it_back():
    """Neither of them begins and ends within the other."""
    before = of_each()
    check_threads(1)  # finds the libraries
    a, b, c = map(Caller, (3, 2, 5))
    a.begin()
    assert numbers() == {3}
    b.begin()
    assert numbers() == {2}
    a.end()
    assert numbers() == {2}
    c.begin()
    assert numbers() == {2}
    b.end()
    assert numbers() == {5}
    c.end()
    assert of_each() == before


def test_a_limit_within_one_of_the_callers_own():
    """Which threadpoolctl puts back afterwards, as if nothing had been in between."""
    with threadpool_limits(4):
        caller = Caller(3)
        caller.begin()
        assert numbers() == {3}
        caller.end()
        assert numbers() == {4}


def test_a_number_for_each_thread_of_python(monkeypatch):
    """As MKL has it: each caller has its own limit, and puts back its own number."""

    class MKL(threading.local):
        user_api, internal_api, num_threads = "blas", "mkl", 8

        def set_num_threads(self, number):
            self.num_threads = number

    mkl = MKL()
    monkeypatch.setattr("minirobert.threads._POOLS", _Pools())
    found = SimpleNamespace(lib_controllers=[mkl])
    monkeypatch.setattr("threadpoolctl.ThreadpoolController", lambda: found)
    check_threads(1)
    a, b = Caller(3), Caller(2)
    a.begin()
    b.begin()
    assert [one.does(lambda: mkl.num_threads) for one in (a, b)] == [3, 2]
    a.end()
    b.end()
    assert [one.does(lambda: mkl.num_threads) for one in (a, b)] == [8, 8]


def test_threads_of_python():
    """Many callers with limits of their own, which change no answer; see also the fixture."""
    texts = [f"The {word} is <mask>." for word in ("sky", "grass", "sun", "sea")]
    pipes = [pipeline("fill-mask", threads=1 + i % 3) for i in range(len(texts))]
    expected = [pipe(text) for pipe, text in zip(pipes, texts, strict=True)]
    found = {}

    def go(i):
        found[i] = [pipes[i](texts[i]) for _ in range(5)]

    threads = [threading.Thread(target=go, args=(i,)) for i in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [found[i] for i in range(len(texts))] == [[one] * 5 for one in expected]


@pytest.mark.parametrize("task", TASKS)
def test_one_pipeline_in_a_pool_of_threads(task):
    """As a web service has it: each answer is that of a call alone."""
    pipe = made(task, threads=1)
    words = ["sky", "grass", "sun", "日本"]
    inputs = [_with_word(INPUTS.get(task, "A cat sleeps."), word) for word in words]
    expected = [pipe(one) for one in inputs]
    assert len(set(map(str, expected))) == len(words)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(pipe, inputs * 5)) == expected * 5


def _with_word(one, word):
    """Put a word into a text, or into what a dictionary has first."""
    if isinstance(one, str):
        return f"{one} {word}"
    return {**one, "question": f"{one['question']} {word}"}


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2", True])
@pytest.mark.parametrize("task", TASKS)
def test_wrong_numbers(task, wrong):
    with pytest.raises(
        ValueError, match=r"^threads is .*, but must be None or an integer of at le"
    ):
        made(task, threads=wrong)


def test_numpys_integers():
    assert pipeline("fill-mask", threads=np.int64(2)).threads == 2


def test_nothing_is_imported_without_need():
    code = "import sys, minirobert; minirobert.pipeline('fill-mask'); print(*sys.modules)"
    assert not {"threadpoolctl", "torch"} & set(fresh_python(code).split())


def test_the_command_line(run_well, run, spied):
    output = run_well("fill-mask", SKY, "--threads", "3", "--json")
    assert set.union(*spied) == {3}
    limited, free = json.loads(output), json.loads(run_well("fill-mask", SKY, "--json"))
    assert [one["token"] for one in limited] == [one["token"] for one in free]
    scores = [[one["score"] for one in found] for found in (limited, free)]
    assert scores[0] == pytest.approx(scores[1], rel=1e-5)  # BLAS sums in another order
    code, _, errors = run("fill-mask", SKY, "--threads", "0")
    assert (code, errors.startswith("minirobert: threads is 0, but must be")) == (2, True)


TORCH = """
import os, threading, torch, minirobert
from threadpoolctl import threadpool_info

model = minirobert.RobertaModel(minirobert.RobertaConfig(num_hidden_layers=1, vocab_size=8192))
model = model.to(xp=torch)
tokenizer = minirobert.RobertaTokenizer.from_pretrained()
of_encoder = minirobert.encoder.linear

def linear(*arguments, **keywords):
    found = of_encoder(*arguments, **keywords)
    pools = sorted((one["user_api"], one["num_threads"]) for one in threadpool_info())
    seen.add((torch.get_num_threads(), *pools))
    return found

def go():
    seen.clear()
    embed("The sky is blue. " * 20)
    print(*seen, "in", torch.get_num_threads())

minirobert.encoder.linear = linear
torch.set_num_threads(3)
for threads in 2, 5, None:
    embed = minirobert.pipeline("feature-extraction", model, tokenizer, threads=threads)
    seen = set()
    go()
    caller = threading.Thread(target=go)
    caller.start()
    caller.join()
"""


def test_torch(monkeypatch):
    """Its threads are limited too, in each thread of Python, of which each has its own number."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    expected = [
        f"({torch}, ('blas', {blas}), ('openmp', {torch})) in 3"
        for torch, blas in [(2, 2), (5, 5), (3, 1)]
        for _ in range(2)
    ]
    assert fresh_python(TORCH).splitlines() == expected


def test_the_variables_of_the_environment_say_what_holds_elsewhere(monkeypatch):
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    code = """
import minirobert
from threadpoolctl import threadpool_info
before = [one["num_threads"] for one in threadpool_info()]
minirobert.pipeline("fill-mask", threads=2)("The <mask>")
print(before, [one["num_threads"] for one in threadpool_info()])
"""
    assert fresh_python(code) == "[1] [1]"
