"""RoBERTa as explicit array code: an executable reference on NumPy and CuPy."""

from . import kernels as kernels  # registers itself with the formulas
from .arrays import to_device
from .config import RobertaConfig
from .files import TINY
from .models import RobertaForMaskedLM, RobertaModel
from .observe import observe, watch
from .outputs import BaseModelOutputWithPoolingAndCrossAttentions, MaskedLMOutput
from .parameters import CheckpointError
from .pipelines import pipeline
from .tokenization import AddedToken, BatchEncoding, RobertaTokenizer, RobertaTokenizerFast

__all__ = [
    "TINY",
    "AddedToken",
    "BaseModelOutputWithPoolingAndCrossAttentions",
    "BatchEncoding",
    "CheckpointError",
    "MaskedLMOutput",
    "RobertaConfig",
    "RobertaForMaskedLM",
    "RobertaModel",
    "RobertaTokenizer",
    "RobertaTokenizerFast",
    "observe",
    "pipeline",
    "to_device",
    "watch",
]
__version__ = "0.1.0"
