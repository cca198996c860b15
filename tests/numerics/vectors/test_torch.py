"""transformers as a port, in float32: it passes, and with a mistake planted it does not."""

import numpy as np
import pytest
import torch

from minirobert.numerics.torch_port import trace_torch
from minirobert.numerics.vectors.tensors import BUDGET, largest_error, score_tensors
from tests.numerics.planted import PLANTED
from tests.numerics.vectors.test_expected import theirs
from tests.numerics.vectors.written import cases, expected

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
        if attention == "sdpa" and not ("every-step" in name or "mask" in name):
            continue  # it is eager, or sees nothing new
        module = theirs(vectors, name, torch.float32, attention)
        own = tmp_path / f"{name}.safetensors"
        trace_torch(module, case.calls[0], weights=False).write(own)
        right = vectors / name / "expected.safetensors"
        score = score_tensors(name, list(case.outputs), right, own)
        assert score.verdict == "passes", score
        worst[name] = score.ratio
    assert max(worst.values()) < 0.5


def budgets_off(right, port):
    """Tell by how many budgets the worst of the numbers that have one is off."""
    budgets = {name: right[BUDGET + name] for name in port if BUDGET + name in right}
    return max(largest_error(port[name], right[name], one).ratio for name, one in budgets.items())


def test_each_planted_mistake_shows(vectors):
    """Of each, some number is 50 budgets off, or more, in some case."""
    found = {}
    for name in NAMES:
        case = cases()[name]
        module = theirs(vectors, name, torch.float32)
        given = {of: np.array(value) for of, value in case.calls[0].items()}
        for mistake in PLANTED:
            if found.get(mistake.id, 0) >= 50 or not mistake.matters(module, given):
                continue
            with mistake.planted(module):
                arguments = mistake.arguments(given)
                port = trace_torch(module, arguments, weights=False).tensors
            off = budgets_off(expected(vectors, name), port)
            found[mistake.id] = max(found.get(mistake.id, 0.0), off)
    assert {
        mistake.id: found.get(mistake.id) for mistake in PLANTED if found.get(mistake.id, 0) < 50
    } == {}
