"""Each planted mistake changes the tensor where it is made, nothing before, and goes again."""

import numpy as np
import pytest

from minirobert.numerics.torch_port import trace_torch
from tests.numerics.models import drawn_model, vector
from tests.numerics.planted import PLANTED

CASES = [("vector", 1, name) for name in ("RobertaForMaskedLM", "RobertaModel")] + [
    ("drawn", seed, None) for seed in (1, 4)
]


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request):
    kind, number, class_name = request.param
    return vector(number, class_name) if kind == "vector" else drawn_model(number)


def tensors(case, mistake=None):
    """Trace the case, with a mistake in it."""
    if mistake is None:
        return trace_torch(case.module, case.arguments, weights=False).tensors
    with mistake.planted(case.module):
        arguments = mistake.arguments(case.arguments)
        return trace_torch(case.module, arguments, weights=False).tensors


def differing(right, wrong):
    """Name the tensors that are not the same, bit for bit, in the order of the right ones."""
    return [
        name
        for name, array in right.items()
        if name in wrong and not np.array_equal(array, wrong[name], equal_nan=True)
    ]


def test_each_is_made_where_it_says(case):
    right = tensors(case)
    assert differing(right, tensors(case)) == []
    for mistake in PLANTED:
        if not mistake.matters(case.module, case.arguments):
            continue
        found = differing(right, tensors(case, mistake))
        config = case.module.config
        assert found, f"{mistake.id} changes nothing"
        assert mistake.is_at(found[0], config), f"{mistake.id} is first seen at {found[0]}"
    assert differing(right, tensors(case)) == [], "something is left of a mistake"
