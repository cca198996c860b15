"""``minirobert feature-extraction``: vectors of tokens, words or texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..answer_files import Row
from ..options import choice, switch
from ..task_command import TaskCommand

__all__ = ["FEATURE_EXTRACTION"]


def _vectors_of(found: Any) -> Sequence[Sequence[float]]:
    """List the vectors of a text: [H], those of words [W, H], or those of tokens [1, S, H]."""
    if not found or not isinstance(found[0], list):
        return [found] if found else []
    return found[0] if isinstance(found[0][0], list) else found


def _show_vectors(line: str, found: Any) -> None:
    print(line)
    for vector in _vectors_of(found):
        numbers = " ".join(f"{number:8.4f}" for number in vector[:8])
        print(f"  {numbers}" + (f"  … ({len(vector)} numbers)" if len(vector) > 8 else ""))


def _rows_of_vectors(pipe: Any, line: str, found: np.ndarray[Any, Any]) -> Iterator[Row]:
    if found.ndim == 1:
        yield {"vector": found}
        return
    encoding = pipe.tokenizer(line, return_offsets_mapping=True, **pipe.tokenizer_kwargs)
    words = [word for word in dict.fromkeys(encoding.word_ids()) if word is not None]
    if found.ndim == 2:
        spans = [encoding.word_to_chars(word) for word in words]
        pieces, name, vectors = [line[start:end] for start, end in spans], "word", found
    else:
        spans, pieces = encoding["offset_mapping"], encoding.tokens()
        name, vectors = "token", found[0]
    for piece, (start, end), vector in zip(pieces, spans, vectors, strict=True):
        yield {name: piece, "start": start, "end": end, "vector": vector}


FEATURE_EXTRACTION = TaskCommand(
    task="feature-extraction",
    purpose="Give the vectors of a text's tokens, or one for the text.",
    examples=(
        'feature-extraction "The sky is blue."',
        "feature-extraction --pooling mean --normalize --json < lines.txt",
        "feature-extraction --pooling mean --normalize --out vectors.npy < lines.txt",
        "feature-extraction --pooling word --out words.parquet < lines.txt",
    ),
    options=(
        choice(
            "--pooling",
            ("mean", "cls", "word"),
            "one vector a text: the mean over its tokens, or that of the first (cls); or one a "
            "word, the mean over its tokens (default: one a token)",
        ),
        switch("--normalize", "give each vector the length 1, for cosines"),
    ),
    show=_show_vectors,
    rows=_rows_of_vectors,
    has_arrays=True,
)
