"""A model by its name: its files in a directory of this machine, or on the Hugging Face hub."""

from .elsewhere import elsewhere
from .exchange import exchanging, new_directory, write_files, write_text
from .formats import first_words, not_what_it_seems
from .hub import HubOptions, ModelFiles, ModelName
from .local import (
    TINY,
    model_directory,
    read_json,
    read_text,
)
from .reading import MODEL_FILES

__all__ = [
    "MODEL_FILES",
    "TINY",
    "HubOptions",
    "ModelFiles",
    "ModelName",
    "elsewhere",
    "exchanging",
    "first_words",
    "model_directory",
    "new_directory",
    "not_what_it_seems",
    "read_json",
    "read_text",
    "write_files",
    "write_text",
]
