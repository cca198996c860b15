"""RoBERTa as explicit array code: an executable reference on NumPy and CuPy."""

from . import interrupts as interrupts  # Control-C is no traceback from here on

# isort: split
from . import kernels as kernels  # registers itself with the formulas
from . import moved as moved  # finds modules by their old paths
from .arrays import to_device
from .cache import KeyValueCache
from .config import RobertaConfig
from .files import TINY
from .generation import GenerateOutput, GenerationConfig
from .looking import logit_lens, patch
from .marking import marked
from .models import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    RobertaForCausalLM,
    RobertaForMaskedLM,
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
    RobertaModel,
    RobertaPreTrainedModel,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
from .observe import observe, watch
from .parameters import CheckpointError
from .pipelines import pipeline
from .tokenization import AddedToken, BatchEncoding, RobertaTokenizer, RobertaTokenizerFast

__all__ = [
    "TINY",
    "AddedToken",
    "AutoConfig",
    "AutoModel",
    "AutoModelForCausalLM",
    "AutoModelForMaskedLM",
    "AutoModelForMultipleChoice",
    "AutoModelForQuestionAnswering",
    "AutoModelForSequenceClassification",
    "AutoModelForTokenClassification",
    "AutoTokenizer",
    "BaseModelOutputWithPoolingAndCrossAttentions",
    "BatchEncoding",
    "CausalLMOutputWithCrossAttentions",
    "CheckpointError",
    "GenerateOutput",
    "GenerationConfig",
    "KeyValueCache",
    "MaskedLMOutput",
    "MultipleChoiceModelOutput",
    "QuestionAnsweringModelOutput",
    "RobertaConfig",
    "RobertaForCausalLM",
    "RobertaForMaskedLM",
    "RobertaForMultipleChoice",
    "RobertaForQuestionAnswering",
    "RobertaForSequenceClassification",
    "RobertaForTokenClassification",
    "RobertaModel",
    "RobertaPreTrainedModel",
    "RobertaTokenizer",
    "RobertaTokenizerFast",
    "SequenceClassifierOutput",
    "TokenClassifierOutput",
    "logit_lens",
    "marked",
    "observe",
    "patch",
    "pipeline",
    "to_device",
    "watch",
]
__version__ = "0.1.0"
