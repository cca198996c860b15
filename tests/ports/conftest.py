import pytest

from tests.numerics.vectors.written import written


@pytest.fixture(scope="session")
def vectors(tmp_path_factory):
    return written(tmp_path_factory)
