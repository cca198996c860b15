"""RoBERTa as explicit array code: an executable reference on NumPy and CuPy."""

from . import kernels as kernels  # registers itself with the formulas
from .arrays import to_device
from .auto import (
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoModelForMaskedLM,
    AutoModelForMultipleChoice,
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    AutoTokenizer,
)
from .cache import KeyValueCache
from .classifiers import (
    RobertaForMultipleChoice,
    RobertaForQuestionAnswering,
    RobertaForSequenceClassification,
    RobertaForTokenClassification,
)
from .config import RobertaConfig
from .files import TINY
from .generation import GenerationConfig
from .language_models import RobertaForCausalLM, RobertaForMaskedLM
from .models import RobertaModel, RobertaPreTrainedModel
from .observe import observe, watch
from .outputs import (
    BaseModelOutputWithPoolingAndCrossAttentions,
    CausalLMOutputWithCrossAttentions,
    GenerateOutput,
    MaskedLMOutput,
    MultipleChoiceModelOutput,
    QuestionAnsweringModelOutput,
    SequenceClassifierOutput,
    TokenClassifierOutput,
)
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
    "observe",
    "pipeline",
    "to_device",
    "watch",
]
__version__ = "0.1.0"
