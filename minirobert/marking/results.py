"""Where in its text the result of a pipeline is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from ..sentences import shown
from .marks import Mark, Marked, MarkedText

__all__ = ["marked"]

#: A result for one place in a text.
Result: TypeAlias = Mapping[str, Any]

#: A logarithm of a probability this low has the full colour.
_LOW = -10.0


def marked(result: Any, text: str | Sequence[str] | None = None) -> Marked:
    """Show the result of a pipeline in its text.

    Parameters
    ----------
    result : dict or list
        What one of these pipelines gives for a text: ``"token-classification"``,
        ``"question-answering"``, ``"fill-mask"`` or ``"score"``; or a list of the results of
        several texts.
    text : str or list of str, optional
        The text that the pipeline was called with; of ``"question-answering"`` the context. Not
        needed for ``"fill-mask"``.

    Returns
    -------
    Marked
        In a notebook it shows itself in colours. ``print`` shows it in those of the terminal, or
        else with brackets.

    Raises
    ------
    ValueError
        If the text is missing, or is another than that of the result.
    TypeError
        If it is no such result.

    >>> from minirobert import pipeline
    >>> marked(pipeline("fill-mask")("The color of the sky is <mask>.", top_k=1))
    0.2844  The color of the sky is[ blue].
    """
    if isinstance(text, list | tuple):
        if not isinstance(result, list) or len(result) != len(text):
            raise ValueError(
                f"there are {len(text)} texts, but the result is {shown(result)}: give a list with "
                "the result of each"
            )
        return Marked([row for pair in zip(result, text, strict=True) for row in _rows(*pair)])
    if text is not None and not isinstance(text, str):
        raise TypeError(f"text is {shown(text)}, but must be a string, or a list of strings")
    return Marked(list(_rows(result, text)))


def _rows(result: Any, text: str | None) -> Iterator[MarkedText]:
    """Give the texts of a result, with their marks."""
    found = result if isinstance(result, list) else [result]
    if found and all(isinstance(one, list) for one in found):  # of several masks
        for number, one in enumerate(found):
            yield from (_filling(filling, _lead(text, number)) for filling in _checked(one, result))
        return
    if found and "token_str" in _checked(found, result)[0]:
        yield from (_filling(filling, _lead(text, 0)) for filling in found)
        return
    if text is None:
        raise ValueError(
            "text is None, but the result does not have it: give the text (of question-answering "
            "the context) that the pipeline was called with"
        )
    marks = [*_marks(result, found)]
    for mark in marks:
        if not 0 <= mark.start <= mark.end <= len(text):
            raise ValueError(
                f"the result is of the characters {mark.start} to {mark.end}, but the text has "
                f"{len(text):,}: give the text that the pipeline was called with"
            )
    yield MarkedText(text, marks)


def _checked(found: Sequence[Any], result: Any) -> Sequence[Result]:
    """Refuse what is no list of dictionaries, all with the same keys."""
    if not all(isinstance(one, Mapping) and one.keys() == found[0].keys() for one in found):
        raise _no_result(result)
    return found


def _marks(result: Any, found: Sequence[Result]) -> Iterator[Mark]:
    if not found:
        return
    if {"tokens", "perplexity"} <= found[0].keys():
        yield from _scored(found[0]["tokens"])
    elif {"answer", "start", "end", "score"} <= found[0].keys():
        yield from _answers(found)
    elif {"start", "end", "score"} <= found[0].keys():
        yield from _entities(found)
    else:
        raise _no_result(result)


def _no_result(result: Any) -> TypeError:
    return TypeError(
        f"the result is {shown(result)}, but must be of token-classification, question-answering, "
        "fill-mask or score"
    )


def _entities(found: Sequence[Result]) -> Iterator[Mark]:
    colours: dict[str, int] = {}
    for one in found:
        label = str(one.get("entity_group", one.get("entity", "")))
        colour = colours.setdefault(label.removeprefix("B-").removeprefix("I-"), len(colours))
        yield Mark(one["start"], one["end"], label, f"{label}, {one['score']:.4f}", colour)


def _answers(found: Sequence[Result]) -> Iterator[Mark]:
    for number, one in enumerate(found):
        score = f"{one['score']:.4f}"
        yield Mark(one["start"], one["end"], score, f"answer {number + 1}: {score}", number)


def _scored(tokens: Sequence[Result]) -> Iterator[Mark]:
    for token in tokens:
        value = token["log_probability"]
        strength = min(max(value / _LOW, 0.0), 1.0)
        note = f"log-likelihood {value:.4f}"
        yield Mark(token["start"], token["end"], "", note, 1, strength)


def _lead(text: str | None, number: int) -> str | None:
    """Give what stands before a mask, which takes the space before it along."""
    before = [] if text is None else text.split("<mask>")
    return "<mask>".join(one.rstrip() for one in before[: number + 1]) if before[1:] else None


def _filling(one: Result, lead: str | None) -> MarkedText:
    """Find the word in the sequence: behind what leads to the mask, or where it is there once."""
    if not {"sequence", "score"} <= one.keys():
        raise _no_result(one)
    sequence, word, score = str(one["sequence"]), str(one["token_str"]), f"{one['score']:.4f}"
    after = -1 if lead is None or lead not in sequence else sequence.index(lead) + len(lead)
    if not sequence.startswith(word, max(after, 0)):
        after = sequence.find(word) if sequence.count(word) == 1 else -1
    marks = [Mark(after, after + len(word), note=score)] if word and after >= 0 else []
    return MarkedText(sequence, marks, score)
