"""transformers as a port, in float32: it passes, and with a mistake planted it does not."""

import numpy as np
import pytest
import torch

from minirobert.numerics.tensor_file import read_tensors
from minirobert.numerics.torch_port import trace_torch
from minirobert.numerics.vectors.tensors import BUDGET, score_tensors
from tests.numerics.planted import PLANTED
from tests.numerics.vectors.test_expected import theirs
from tests.numerics.vectors.written import cases

#: Those of one call without dropout.
NAMES = [
    name
    for name, case in cases().items()
    if case.generate is None and len(case.calls) == 1 and not case.calls[0].get("train")
]


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_it_passes(vectors, tmp_path, attention):
    worst = {}
    for name in NAMES:
        case = cases()[name]
        if attention == "sdpa" and case.config.position_embedding_type != "absolute":
            continue  # which is computed eagerly
        module = theirs(vectors, name, case, torch.float32, attention)
        own = tmp_path / f"{name}.safetensors"
        trace_torch(module, case.calls[0], weights=False).write(own)
        expected = vectors / name / "expected.safetensors"
        score = score_tensors(name, list(case.outputs), expected, own)
        assert score.verdict == "passes", score
        worst[name] = score.ratio
    assert max(worst.values()) < 0.5


def budgets_off(expected, port):
    """Tell by how many budgets the worst of the numbers that have one is off."""
    worst = 0.0
    for name, array in port.items():
        budget = expected.get(BUDGET + name)
        if budget is not None and array.shape == budget.shape:
            with np.errstate(all="ignore"):
                ratios = np.where(
                    array == expected[name], 0.0, abs(array - expected[name]) / budget
                )
            worst = max(worst, float(np.max(np.where(np.isnan(ratios), np.inf, ratios))))
    return worst


def test_each_planted_mistake_shows(vectors):
    """Of each, some number is 50 budgets off, or more, in some case."""
    found = {}
    for name in NAMES:
        case = cases()[name]
        module = theirs(vectors, name, case, torch.float32)
        given = {of: np.array(value) for of, value in case.calls[0].items()}
        expected = read_tensors(vectors / name / "expected.safetensors").tensors
        for mistake in PLANTED:
            if found.get(mistake.id, 0) >= 50 or not mistake.matters(module, given):
                continue
            with mistake.planted(module):
                arguments = mistake.arguments(given)
                port = trace_torch(module, arguments, weights=False).tensors
            off = budgets_off(expected, port)
            found[mistake.id] = max(found.get(mistake.id, 0.0), off)
    assert {
        mistake.id: found.get(mistake.id) for mistake in PLANTED if found.get(mistake.id, 0) < 50
    } == {}
