"""A model by its name: its files in a directory of this machine, or on the Hugging Face hub."""

from .elsewhere import elsewhere
from .exchange import exchanging, new_directory, write_files, write_text
from .formats import first_words, not_what_it_seems
from .hub import HubOptions, ModelFiles, ModelName
from .json_files import naming, read_json
from .json_values import (
    check_standard,
    is_utf8,
    json_text,
    not_to_be_kept,
    settings_text,
)
from .local import (
    TINY,
    model_directory,
    read_text,
)
from .reading import MODEL_FILES

__all__ = [
    "MODEL_FILES",
    "TINY",
    "HubOptions",
    "ModelFiles",
    "ModelName",
    "check_standard",
    "elsewhere",
    "exchanging",
    "first_words",
    "is_utf8",
    "json_text",
    "model_directory",
    "naming",
    "new_directory",
    "not_to_be_kept",
    "not_what_it_seems",
    "read_json",
    "read_text",
    "settings_text",
    "write_files",
    "write_text",
]
