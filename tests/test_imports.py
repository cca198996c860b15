"""The order of the house: imports point one way, and importing costs little."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import minirobert

PACKAGE = Path(minirobert.__file__).parent

# A module may import what stands in a line above its own.
ORDER = [
    ["files", "arrays"],
    ["hub"],
    ["config", "tokenization"],
    ["observe", "functional", "parameters", "checks", "pruning", "resizing"],
    ["cache"],
    ["embeddings", "attention", "losses", "kernels", "checkpoint", "labels", "outputs"],
    ["encoder", "heads", "decoder_inputs", "saving"],
    ["inputs", "generation"],
    ["pretrained"],
    ["models"],
    ["classifiers", "language_models"],
    ["auto"],
    ["pipelines"],
    ["cli"],
    ["__main__", "__init__"],
]


def rank(module):
    return next(i for i, line in enumerate(ORDER) if module in line)


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).with_suffix("").parts, path


def imported(parts, path):
    """Name the top-level modules of the package that a file imports."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = list(parts[: len(parts) - node.level])
            target = [*base, *(node.module.split(".") if node.module else [])]
            yield from [target[0]] if target else [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("minirobert"):
            rest = node.module.split(".")[1:]
            yield from rest[:1] or [alias.name for alias in node.names]


@pytest.mark.parametrize(("parts", "path"), list(modules()), ids=str)
def test_imports_point_one_way(parts, path):
    own = parts[0]
    for other in imported(parts, path):
        if other in (own, "__version__") or own in ("__main__", "__init__"):
            continue
        assert rank(other) < rank(own), f"{'/'.join(parts)} imports {other}"


def test_tokenization_stands_alone():
    for parts, path in modules():
        if parts[0] == "tokenization":
            assert set(imported(parts, path)) <= {"tokenization", "files", "arrays", "hub"}, parts


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


def test_nothing_unpickles():
    for _, path in modules():
        source = path.read_text(encoding="utf-8")
        assert "allow_pickle" not in source, path
        tree = ast.parse(source)
        names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
        assert not names & {"pickle", "marshal", "shelve", "dill"}, path
