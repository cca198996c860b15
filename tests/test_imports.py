"""The order of the house: imports point one way, and importing costs little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minirobert
from minirobert.moved import MOVED

PACKAGE = Path(minirobert.__file__).parent

TOP_LEVEL = {
    "ground": ["arrays", "checks", "rules", "observe", "config", "model_output", "documentation"],
    "heart": [
        *(
            "functional",
            "dropout",
            "embeddings",
            "attention",
            "cache",
            "encoder",
            "heads",
            "losses",
        ),
        *("parameters", "intermediates"),
    ],
    "house": ["__init__", "__main__", "moved"],
}
FOLDERS = [
    *("files", "kernels", "checkpoints", "tokenization", "generation", "models", "pipelines"),
    "cli",
]
#: A wing may import itself, and those that stand here.
MAY_IMPORT = {
    "files": set(),
    "ground": {"files"},
    "heart": {"ground"},
    "kernels": {"ground", "heart"},
    "checkpoints": {"files", "ground", "heart"},
    "tokenization": {"files", "ground"},
    "generation": {"ground", "heart"},
    "models": {"files", "ground", "heart", "checkpoints", "tokenization", "generation"},
    "pipelines": {"files", "ground", "heart", "tokenization", "generation", "models"},
    "cli": {"files", "ground", "heart", "checkpoints", "tokenization", "models", "pipelines"},
}


def wing(module):
    """Tell where a module or folder at the top of the package belongs."""
    if module in FOLDERS:
        return module
    for name, modules in TOP_LEVEL.items():
        if module in modules:
            return name
    raise LookupError(f"{module} stands in no wing: give it a place in TOP_LEVEL or FOLDERS")


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).with_suffix("").parts, path


def imported(parts, path):
    """Name the modules or folders at the top of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = list(parts[: len(parts) - node.level])
            target = [*base, *(node.module.split(".") if node.module else [])]
            yield from [target[0]] if target else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minirobert"):
            rest = node.module.split(".")[1:]
            yield from rest[:1] or [alias.name for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
            yield from (name[1] for name in names if name[0] == "minirobert" and name[1:])


def test_imports_point_one_way():
    for parts, path in modules():
        own = wing(parts[0])
        if own == "house":
            continue
        for other in imported(parts, path):
            if other != "__version__" and wing(other) != own:
                assert wing(other) in MAY_IMPORT[own], f"{'/'.join(parts)} imports {other}"


def test_config_alone_of_the_ground_reads_files():
    for parts, path in modules():
        if wing(parts[0]) == "ground" and parts != ("config",):
            assert "files" not in set(imported(parts, path)), parts


def test_an_unknown_module_has_no_place():
    with pytest.raises(LookupError, match="attic stands in no wing"):
        wing("attic")


def run(code):
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return result.stdout.split()


def test_importing_loads_no_extra():
    loaded = run("import sys, minirobert; print(*sys.modules)")
    top_level = {name.partition(".")[0] for name in loaded}
    extras = {"torch", "cupy", "matplotlib", "huggingface_hub", "transformers", "tqdm"}
    assert not top_level & extras
    assert "numpy" in top_level


@pytest.mark.parametrize("old", MOVED)
def test_moved_modules_are_found(old):
    code = f"""
import importlib, warnings, minirobert
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import minirobert.{old} as old
new = importlib.import_module("minirobert.{MOVED[old]}")
assert all(getattr(old, name) is getattr(new, name) for name in new.__all__)
print(*(str(warning.message) for warning in caught), sep="\\n")
"""
    said = " ".join(run(code))
    assert said == f"minirobert.{old} has moved to minirobert.{MOVED[old]}"


UNPICKLERS = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}


def test_nothing_unpickles():
    for _, path in modules():
        source = path.read_text(encoding="utf-8")
        assert "allow_pickle" not in source, path
        for node in ast.walk(ast.parse(source)):
            names = {alias.name for alias in getattr(node, "names", []) if hasattr(alias, "asname")}
            if isinstance(node, ast.ImportFrom):
                names = {node.module or ""}
            assert not {name.partition(".")[0] for name in names} & UNPICKLERS, path
