"""All comparisons, in the order of the table."""

from fnmatch import fnmatchcase
from importlib import import_module

#: Each declares its ``COMPARISONS``.
MODULES = (
    *("encoder", "pipelines", "logits", "loading", "generation", "memory"),
    *("startup", "tokenizer", "training", "scaling"),
)


def comparisons():
    """Read what the modules declare."""
    modules = (import_module(f"tests.benchmarks.bench_{name}") for name in MODULES)
    return [one for module in modules for one in module.COMPARISONS]


def chosen(found, only):
    """Choose comparisons by their names, by beginnings of these, or by patterns."""
    if not only:
        return list(found)
    unknown = [name for name in only if not any(_is_meant(one, name) for one in found)]
    if unknown:
        names = ", ".join(one.name for one in found)
        raise ValueError(f"no comparison is called {', '.join(unknown)}; there are {names}")
    return [one for one in found if any(_is_meant(one, name) for name in only)]


def _is_meant(one, name):
    return fnmatchcase(one.name, name) or one.name.startswith(f"{name.rstrip('/')}/")
