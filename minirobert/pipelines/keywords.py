"""What callers of transformers' pipelines type, and what it means here: a table for each task."""

from __future__ import annotations

from ..keywords import ANYTHING, NOT_FALSE, NOT_GIVEN, NOT_TRUE, OF_MODELS, Keyword
from ..rules import Rule, is_among, one_of

__all__ = [
    "OF_CALLS",
    "OF_GENERATION",
    "OF_GENERATORS",
    "OF_OBJECTS",
    "OF_PIPELINES",
    "OF_QUESTIONS",
    "OF_ROWS",
    "OF_TOKENS",
    "OF_VECTORS",
    "OF_ZERO_SHOT",
]

_NO_EFFECT = Keyword(ANYTHING)

#: Of every call: batches are made here without other processes.
OF_CALLS: dict[str, Keyword] = {"num_workers": _NO_EFFECT, "topk": Keyword(ANYTHING, "top_k")}

#: Of the classes of pipelines, too: what those of other kinds of models read.
OF_OBJECTS: dict[str, Keyword] = {
    **OF_CALLS,
    **dict.fromkeys(
        ("feature_extractor", "image_processor", "processor", "modelcard"),
        _NO_EFFECT,
    ),
    **dict.fromkeys(("task", "binary_output"), _NO_EFFECT),
    "framework": Keyword(
        one_of(None, "pt", "np").but(", which are the same here: arrays are NumPy's or CuPy's")
    ),
}

#: Of `minirobert.pipelines.pipeline`: `OF_OBJECTS` are settled by the class.
OF_PIPELINES: dict[str, Keyword] = {
    **OF_MODELS,
    "use_fast": _NO_EFFECT,
    "code_revision": _NO_EFFECT,
}

OF_QUESTIONS: dict[str, Keyword] = {
    "padding": _NO_EFFECT,
    "max_question_len": _NO_EFFECT,  # as there, with a fast tokenizer
    "X": Keyword(ANYTHING, "data"),
    **dict.fromkeys(
        ("truncation", "max_length", "stride"),
        Keyword(NOT_GIVEN.but(": windows have max_seq_len tokens, and share doc_stride of them")),
    ),
}

OF_TOKENS: dict[str, Keyword] = {
    "offset_mapping": Keyword(
        NOT_GIVEN.but(": the tokenizer knows where in the text its tokens are")
    ),
    "padding": _NO_EFFECT,
    **dict.fromkeys(
        ("truncation", "max_length"),
        Keyword(NOT_GIVEN.but(": long texts are cut off, or with stride= read in windows")),
    ),
}

_OPTION_OF_ROWS = Keyword(NOT_GIVEN.but(": give it in tokenizer_kwargs, a dictionary"))

#: Of the tasks that take options of the tokenizer in a dictionary alone.
OF_ROWS: dict[str, Keyword] = {
    "padding": _NO_EFFECT,  # changes no answer: rows are padded where they are put together
    **dict.fromkeys(("truncation", "max_length", "add_special_tokens"), _OPTION_OF_ROWS),
}

#: Of feature extraction, which has an argument for truncation.
OF_VECTORS = {name: one for name, one in OF_ROWS.items() if name != "truncation"}

OF_ZERO_SHOT: dict[str, Keyword] = {
    **OF_ROWS,
    "multi_class": Keyword(ANYTHING, "multi_label"),
    "truncation": Keyword(  # nothing else is done
        Rule(
            lambda value: is_among(value, None, True, "only_first"),
            "True or 'only_first': give others in tokenizer_kwargs",
        )
    ),
}

_CUT = ": tokenizer_kwargs={'truncation': True, 'max_length': N} of the pipeline cuts long texts"

OF_GENERATION: dict[str, Keyword] = {
    "text_inputs": Keyword(ANYTHING, "inputs"),
    **dict.fromkeys(
        ("tokenizer_kwargs", "tokenizer_encode_kwargs"),
        Keyword(NOT_GIVEN.but(": give tokenizer_kwargs when the pipeline is made")),
    ),
    "return_text": _NO_EFFECT,
    "padding": _NO_EFFECT,  # texts of one batch are padded whatever it says
    "continue_final_message": Keyword(NOT_TRUE.but(": there are no chats here")),
    "truncation": Keyword(NOT_TRUE.but(_CUT)),
    "handle_long_generation": Keyword(NOT_GIVEN.but(_CUT)),
    "return_type": Keyword(NOT_GIVEN.but(": return_full_text and return_tensors choose")),
    "stop_sequence": Keyword(
        NOT_GIVEN.but(": eos_token_id takes the ids of tokens that end a text")
    ),
    "skip_special_tokens": Keyword(
        NOT_FALSE.but(": return_tensors=True gives all ids, which the tokenizer decodes")
    ),
    **dict.fromkeys(
        ("assistant_model", "assistant_tokenizer"),
        Keyword(NOT_GIVEN.but(": one model alone makes a text here")),
    ),
}

#: Of the class itself, which takes one that its calls do not.
OF_GENERATORS: dict[str, Keyword] = {
    **{name: one for name, one in OF_GENERATION.items() if name != "tokenizer_kwargs"},
    "tokenizer_encode_kwargs": Keyword(ANYTHING, "tokenizer_kwargs"),
}
