"""Models of roberta-base's size, with the same random weights on both sides."""

from functools import lru_cache

import torch
import transformers

import minirobert
from minirobert.benchmarks.batches import BASE
from minirobert.parameters import build_tree


@lru_cache(maxsize=1)  # half a gigabyte each
def pair(kind, **fields):
    """Make a model of a class of transformers, and ours, which shares its weights."""
    torch.manual_seed(0)
    theirs = getattr(transformers, kind)(transformers.RobertaConfig(**BASE, **fields)).eval()
    weights = {
        name: tensor.numpy()
        for name, tensor in theirs.state_dict().items()
        if not name.startswith("lm_head.decoder")  # tied
    }
    config = minirobert.RobertaConfig(**BASE, **fields)
    return theirs, getattr(minirobert, kind)(config, build_tree(weights))
