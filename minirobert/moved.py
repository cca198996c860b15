"""Modules that have moved: the old path still imports, and a warning names the new one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, cast

#: old path: new path, both within the package
MOVED = {
    "hub": "files.hub",
    "checkpoint": "checkpoints.reading",
    "saving": "checkpoints.writing",
    "resizing": "checkpoints.resizing",
    "pruning": "checkpoints.pruning",
    "pretrained": "models.pretrained",
    "classifiers": "models.classifiers",
    "language_models": "models.language_models",
    "auto": "models.auto",
    "inputs": "models.inputs",
    "decoder_inputs": "models.decoder_inputs",
    "labels": "models.labels",
    "outputs": "models.outputs",
}


class _Finder:  # a MetaPathFinder and Loader; importlib.abc would be 20 modules more
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, module = fullname.partition(".")
        known = package == __package__ and module in MOVED
        return ModuleSpec(fullname, cast("Any", self)) if known else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make a module with the names of the one that took its place."""
        package, _, module = spec.name.partition(".")
        new = import_module(f"{package}.{MOVED[module]}")
        message = f"{spec.name} has moved to {new.__name__}"
        import_module(f"{package}.checks").warn(message, DeprecationWarning)
        alias = ModuleType(spec.name, f"{message}.")
        names = {name: value for name, value in vars(new).items() if not name.startswith("__")}
        vars(alias).update(names, __all__=vars(new).get("__all__", list(names)))
        return alias

    def exec_module(self, module: ModuleType) -> None:
        pass


sys.meta_path.append(_Finder())
