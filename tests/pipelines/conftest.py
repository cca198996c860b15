"""What tests of the pipelines share."""

import pytest


@pytest.fixture(scope="module")
def exact_pipelines():
    """Let transformers' pipelines read scores in float64, which they round to float32."""
    import torch

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        yield
