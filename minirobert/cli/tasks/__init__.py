"""A command for each pipeline: texts in, from the command line or stdin, and an answer for each.

Each task has a file here: how a line is read where it is more than a text, how an answer is shown,
and its `TaskCommand`. To add one, describe it in the same way, and put it into `TASK_COMMANDS`.
"""

from .feature_extraction import FEATURE_EXTRACTION
from .fill_mask import FILL_MASK
from .multiple_choice import MULTIPLE_CHOICE
from .question_answering import QUESTION_ANSWERING
from .score import SCORE
from .text_classification import TEXT_CLASSIFICATION
from .text_generation import TEXT_GENERATION
from .token_classification import TOKEN_CLASSIFICATION
from .zero_shot_classification import ZERO_SHOT_CLASSIFICATION

__all__ = ["TASK_COMMANDS"]

TASK_COMMANDS = (
    *(FILL_MASK, TEXT_CLASSIFICATION, FEATURE_EXTRACTION, TOKEN_CLASSIFICATION),
    *(QUESTION_ANSWERING, ZERO_SHOT_CLASSIFICATION, MULTIPLE_CHOICE, TEXT_GENERATION),
    SCORE,
)
