"""The array libraries that every equivalence test of the model runs on."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import array_api_strict
import numpy as np
import pytest

from minirobert.arrays import to_device, to_numpy, widened


@dataclass(frozen=True)
class Library:
    """Ways to move a model or an array to a library and device."""

    name: str
    device: Callable[[], Any]
    module: str | None = None

    @property
    def xp(self) -> Any:
        """The library itself, which is imported when it is needed: JAX takes a second."""
        return None if self.module is None else import_module(self.module)

    def model(self, model: Any) -> Any:
        return model.to(self.device(), self.xp)

    def array(self, values: Any) -> Any:
        return None if values is None else to_device(np.asarray(values), self.device(), self.xp)


NUMPY = Library("numpy", lambda: "cpu")
# On its second device this library refuses every implicit conversion to NumPy and every mix of
# devices, as a GPU would.
STRICT = Library("strict", lambda: array_api_strict.Device("device1"), "array_api_strict")
CUPY = Library("cupy", lambda: "cuda")

TORCH = Library("torch", lambda: "cpu", "torch")
JAX = Library("jax", lambda: "cpu", "jax.numpy")
DASK = Library("dask", lambda: "cpu", "dask.array")

LIBRARIES = [
    pytest.param(NUMPY, id="numpy"),
    pytest.param(STRICT, id="strict", marks=pytest.mark.few),
    pytest.param(CUPY, id="cupy", marks=pytest.mark.gpu),
]
#: Libraries that the equivalence tests would take too long on: tests/models/test_array_libraries.py
#: compares them with NumPy.
OTHERS = [pytest.param(library, id=library.name) for library in (STRICT, TORCH, JAX, DASK)]


def host(array: Any) -> np.ndarray:
    """Bring a result back, or take numbers of a list, in float64 so that differences are exact."""
    numbers = to_numpy(widened(array)) if hasattr(array, "dtype") else array
    return np.asarray(numbers, dtype=np.float64)


def close(actual: Any, expected: Any, bound: float = 1e-10, at_least: float = 0.0) -> None:
    """Compare: no difference is more than a part of the largest number, or of ``at_least``."""
    actual, expected = host(actual), host(expected)
    assert actual.shape == expected.shape
    scale = np.abs(expected).max(initial=at_least)
    assert np.abs(actual - expected).max(initial=0) <= bound * scale
