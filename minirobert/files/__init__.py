"""A model by its name: its files in a directory of this machine, or on the Hugging Face hub."""

from .elsewhere import elsewhere
from .formats import first_words, not_what_it_seems
from .hub import HubOptions, ModelFiles, ModelName
from .local import (
    TINY,
    model_directory,
    new_directory,
    read_json,
    read_text,
    replacing,
    write_text,
)

__all__ = [
    "TINY",
    "HubOptions",
    "ModelFiles",
    "ModelName",
    "elsewhere",
    "first_words",
    "model_directory",
    "new_directory",
    "not_what_it_seems",
    "read_json",
    "read_text",
    "replacing",
    "write_text",
]
