"""The port in plain JavaScript: it passes on the vectors, and with any mistake it does not."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from minirobert.numerics import Trace, compare
from minirobert.numerics.tensor_file import read_tensors
from minirobert.numerics.vectors import check_vectors
from minirobert.numerics.vectors.tensors import BUDGET, largest_error
from tests.mutants import mutants
from tests.numerics.vectors.written import cases, expected

NODE = shutil.which("node")
PORT = Path(__file__).parent / "javascript"
FILES = ["safetensors.mjs", "functional.mjs", "model.mjs", "tokenizer.mjs", "port.mjs"]
#: What it does not do.
LEFT_OUT = ("loss", "decoder", "cache", "cross", "training", "greedy", "beams", "generation/")
LEFT_OUT = (
    *LEFT_OUT,
    *(f"tokenizer/{name}" for name in ("windows", "padding", "words", "added-", "decoding")),
)

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no node on this machine")


def node(file, *arguments, **options):
    command = [NODE, str(file), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, check=False, **options
    )


def run_port(directory, vectors, out):
    done = node(directory / "port.mjs", vectors, out)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def results(vectors, tmp_path_factory):
    out = tmp_path_factory.mktemp("results")
    run_port(PORT, vectors, out)
    return out


def test_it_passes(vectors, results):
    score = check_vectors(vectors, results)
    wrong = {case.name: case.why for case in score.cases if case.verdict == "departs"}
    assert not wrong
    missing = [case.name for case in score.cases if case.verdict == "missing"]
    assert all(any(part in name for part in LEFT_OUT) for name in missing)
    assert score.passed == 64
    assert {case.unknown for case in score.cases} == {()}


def test_it_shows_every_step(vectors, results):
    for path in results.glob("*.safetensors"):
        there = read_tensors(path).tensors.keys()
        given = set(json.loads((vectors / path.stem / "inputs.json").read_text())["calls"][0])
        own = {name for name in expected(vectors, path.stem) if not name.startswith(BUDGET)}
        assert own - given <= there


def test_it_is_short():
    lines = [line for file in FILES for line in (PORT / file).read_text().splitlines()]
    assert len(lines) < 400
    assert max(map(len, lines)) <= 106


def test_it_checks_itself(vectors, results, tmp_path):
    done = node(PORT / "check.mjs", vectors, results)
    assert (done.returncode, done.stdout) == (0, "56 of 56 cases pass\n")
    wrong = shutil.copytree(results, tmp_path / "wrong")
    shutil.copy(results / "002-every-step-again.safetensors", wrong / "001-every-step.safetensors")
    done = node(PORT / "check.mjs", vectors, wrong)
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("001-every-step: input_ids: Infinity budgets off")
    assert done.stdout.endswith("55 of 56 cases pass\n")


@pytest.mark.parametrize(
    "name", ["001-every-step", "002-every-step-again", "023-relative-key-query"]
)
def test_what_it_writes_can_be_compared(results, name):
    trace = Trace.read(results / f"{name}.safetensors")
    assert (trace.architecture, trace.arithmetic.store) == ("RobertaForMaskedLM", "float32")
    case = cases()[name]
    found = compare(case.model(lambda weight: weight), trace, case.calls[0])
    assert found.verdict == "rounding"
    assert max(row.ratio for row in found.compared) < 1


# Mistakes

MISTAKES = list(mutants(PORT.parent / "mistakes.txt"))
OF_TEXTS = [one for one in MISTAKES if one.tests[0].startswith("tokenizer/")]
OF_MODELS = [one for one in MISTAKES if one not in OF_TEXTS]


def with_mistake(mistake, directory):
    """Copy the port, and put a mistake into it.

    What imports nothing of it is linked: Node compiles it once for all mistakes.
    """
    for file in FILES:
        is_linked = file in ("safetensors.mjs", "functional.mjs") and file != mistake.file
        (os.symlink if is_linked else shutil.copy)(PORT / file, directory / file)
    text = (directory / mistake.file).read_text()
    assert text.count(mistake.old) == 1, "the port has changed: adapt mistakes.txt"
    text = text.replace(mistake.old, mistake.new)
    (directory / mistake.file).write_text(HALF + text if "half(" in mistake.new else text)
    return directory


#: Rounds to 11 binary digits, those of float16 and of TF32.
HALF = """const half = (v) => {
  const t = Math.fround(v * 8193);
  return Math.fround(t - Math.fround(t - v));
};
"""


#: Runs ports one after the other: a new process for each would take most of the time.
RUN_ALL = """for (const [port, ...directories] of JSON.parse(process.argv[1])) {
  process.argv = [process.argv[0], port, ...directories, process.argv[1]];
  await import(port);
}"""


def run_with_mistakes(mistakes, vectors, directory):
    """Run the port with each mistake on what must show it, and give where its results are."""
    jobs = []
    for number, mistake in enumerate(mistakes):
        own = directory / str(number)
        own.mkdir()
        some_of(vectors, mistake.tests[0], own / "vectors")
        with_mistake(mistake, own)
        jobs.append((mistake, own / "out"))
    listed = [
        [str(out.parent / "port.mjs"), str(out.parent / "vectors"), str(out)] for _, out in jobs
    ]
    command = [NODE, "--input-type=module", "--eval", RUN_ALL, json.dumps(listed)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return jobs


def some_of(vectors, part, out):
    """Make vectors of the cases, or the group of texts, with a part in their names."""
    manifest = json.loads((vectors / "manifest.json").read_text())
    chosen = [case for case in manifest["cases"] if part in case["name"]]
    groups = json.loads((vectors / "tokenizer/cases.json").read_text())["groups"]
    groups = [group for group in groups if part == f"tokenizer/{group['name']}"]
    out.mkdir()
    for case in chosen:
        (out / case["name"]).symlink_to(vectors / case["name"])
    (out / "manifest.json").write_text(json.dumps({"cases": chosen}))
    (out / "tokenizer").mkdir()
    (out / "tokenizer/cases.json").write_text(json.dumps({"groups": groups}))
    for file in ("vocab.json", "merges.txt"):
        (out / "tokenizer" / file).symlink_to(vectors / "tokenizer" / file)


def budgets_off(right, port):
    """Give for each tensor that has a budget how many of them it is off."""
    return {
        name: largest_error(array, right[name], right[BUDGET + name]).ratio
        for name, array in port.items()
        if BUDGET + name in right
    }


def test_each_mistake_shows(vectors, tmp_path):
    """As much as the manifest says, which has it from the reference with the same mistake."""
    listed = json.loads((vectors / "manifest.json").read_text())["cases"]
    said = {(case["name"], one["mistake"]): one for case in listed for one in case["shows"]}
    wrong = {}
    for mistake, out in run_with_mistakes(OF_MODELS, vectors, tmp_path):
        (path,) = out.glob("*.safetensors")
        one = said.get((path.stem, mistake.name))
        off = budgets_off(expected(vectors, path.stem), read_tensors(path).tensors)
        most = max(off[name] for name in cases()[path.stem].outputs)
        is_random = mistake.name == "dropout left on"
        is_as_said = one and min(most, 1e9) == pytest.approx(one["of_outputs"], 0.06, 0.5)
        is_seen = max(off.values()) >= 50 and off.get(one["first"], 2) > 1
        if not (is_seen and (is_as_said or is_random)):
            wrong[mistake.name] = one, most, max(off.values())
    assert not wrong


def test_each_mistake_of_the_tokenizer_shows(vectors, tmp_path):
    verdicts = {
        mistake.name: check_vectors(vectors, out, mistake.tests).cases[0].verdict
        for mistake, out in run_with_mistakes(OF_TEXTS, vectors, tmp_path)
    }
    assert set(verdicts.values()) == {"departs"}, verdicts
