"""What pipelines give: the keys of each result, and the types of their values.

At run time they are plain dictionaries. A type checker knows from here what is in them, and a
program may use the names in its own annotations. What only the text or the pipeline can tell, a
checker cannot see: of a text with several masks, of a list of one text with masks, or of a pipeline
that was made with ``top_k``, results are nested in other ways than it believes. There
`typing.cast` says so; entities and vectors have the type `Any`, and need none.
"""

from typing import NotRequired, TypedDict

__all__ = [
    "Answer",
    "Choice",
    "Classification",
    "Entity",
    "EntityGroup",
    "Filling",
    "GeneratedTokens",
    "Generation",
    "Ranking",
    "TextScore",
    "TokenScore",
]


class Filling(TypedDict):
    """Of fill-mask: one word for a mask."""

    score: float  # its probability among all words of the vocabulary
    token: int  # its id
    token_str: str  # its text, with the space before it
    sequence: str  # the text with the word in place of the mask


class Classification(TypedDict):
    """Of text-classification: a class of a text."""

    label: str  # its name in the model's ``id2label``
    score: float


class Entity(TypedDict):
    """Of token-classification with the strategy ``"none"``: a token with its label."""

    entity: str  # the label, such as "B-PER"
    score: float
    index: int  # its place in the row of tokens
    word: str  # the token as the vocabulary has it
    start: int  # its characters: text[start:end]
    end: int


class EntityGroup(TypedDict):
    """Of token-classification with other strategies: tokens that make up an entity."""

    entity_group: str  # the label without "B-" or "I-"
    score: float  # the mean of theirs
    word: str  # their text
    start: int  # their characters: text[start:end]
    end: int


class Answer(TypedDict):
    """Of question-answering: an answer, and where in the context it is."""

    score: float
    start: int  # its characters: context[start:end]
    end: int
    answer: str  # context[start:end]; "" for "there is no answer"


class Ranking(TypedDict):
    """Of zero-shot-classification: the labels of a text."""

    sequence: str  # the text
    labels: list[str]  # the most probable first
    scores: list[float]


class Choice(TypedDict):
    """Of multiple-choice: one choice of a question."""

    choice: str
    index: int  # its place among the choices, from 0
    score: float  # its probability among them


class Generation(TypedDict):
    """Of text-generation: one continuation of a text."""

    generated_text: str  # the text and what follows, or what follows alone
    scores: NotRequired[list[list[float]]]  # with output_scores, of each new token; not with beams
    logits: NotRequired[list[list[float]]]  # with output_logits, in the same way
    sequences_scores: NotRequired[float]  # of beam search, with output_scores


class GeneratedTokens(TypedDict):
    """Of text-generation with ``return_tensors``, in place of a `Generation`."""

    generated_token_ids: list[int]  # those of the text first


class TokenScore(TypedDict):
    """Of score: how likely one token is."""

    log_probability: float  # among all words of the vocabulary
    token: int  # its id
    token_str: str  # its text, with the space before it
    start: int  # where it is in the text
    end: int


class TextScore(TypedDict):
    """Of score: how likely a text is."""

    score: float  # the sum of the tokens' log-probabilities
    perplexity: float  # exp(-score / num_tokens)
    num_tokens: int
    tokens: list[TokenScore]  # in their order
