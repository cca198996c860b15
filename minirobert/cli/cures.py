"""What to do about an error, where the library tells what only a caller in Python can do."""

from __future__ import annotations

import re

__all__ = ["CURES", "of_command"]

#: What a sentence says to a caller, as a pattern, and what it says to who gives a command.
CURES = (
    (
        r"strict=False draws what is missing, and leaves out what is unexpected",
        "give a model that was saved for this task",
    ),
    (r"(there is in a directory below it): give subfolder='([^']+)'", r"\1: add /\2 to the name"),
    (
        r"pass a larger max_length, or truncation='longest_first'",
        "shorten that text",
    ),
    (r"pass truncation=True \(this tokenizer warns once\)", "shorten it (others are not told)"),
    (r"or None for all classes", "or 'all'"),
    (r"or None for all choices", "or left out for all"),
)


def of_command(sentence: str) -> str:
    """Give a sentence with the cures that a command has.

    >>> of_command("top_k is 0, but must be an integer of at least 1 or None for all classes")
    "top_k is 0, but must be an integer of at least 1 or 'all'"
    """
    for of_caller, cure in CURES:
        sentence = re.sub(of_caller, cure, sentence)
    return sentence
