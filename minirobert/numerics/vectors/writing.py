"""Writing the vectors: a directory for each case, a manifest, and a page that explains them."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...files import new_directory, write_files
from ...sentences import shown
from ...tokenization import RobertaTokenizer
from ..tensor_file import write_tensors
from .budgets import budgets
from .cases import Answers, Case
from .encoders import encoder_cases
from .expected import VERSION, expected
from .showing import mistakes_shown
from .tasks import task_cases
from .tensors import BUDGET
from .texts import generation_cases, score_cases
from .words import token_cases, vectors_tokenizer

__all__ = ["ANSWERS", "MANIFEST", "all_cases", "write_vectors"]

MANIFEST = "manifest.json"
#: The directories of questions with answers, and the names of a port's files of answers.
ANSWERS = ("tokenizer", "generation")


def all_cases() -> Iterator[tuple[str, Case]]:
    """Give all cases with the names of their directories, which stand in the same order."""
    for number, case in enumerate((*encoder_cases(), *task_cases(), *generation_cases()), 1):
        yield f"{number:03}-{case.name}", case


def write_vectors(directory: str | os.PathLike[str]) -> Path:
    """Write all conformance vectors.

    Parameters
    ----------
    directory : str or path
        A new one, or an empty one.

    Returns
    -------
    Path
        The directory.

    Raises
    ------
    ValueError
        If it holds anything.
    OSError
        If it cannot be written. Then it is left empty.
    """
    out = new_directory(directory)
    if any(out.iterdir()):
        raise ValueError(f"{shown(str(out))} is not empty: give a new directory")
    try:
        _write(out)
    except BaseException:
        for path in out.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        raise
    return out


def _write(out: Path) -> None:
    cases = [_write_case(out / name, case) for name, case in all_cases()]
    tokenizer = vectors_tokenizer()
    words = _write_answers(out / "tokenizer", token_cases(tokenizer), _vocabulary(tokenizer))
    scores = _write_answers(out / "generation", score_cases(), {})
    write_files(out, {"README.md": _README.read_text(encoding="utf-8")})
    about = {"version": VERSION, "cases": cases, "tokenizer": words, "generation": scores}
    names = [f"{case['name']}/" for case in cases] + ["tokenizer/", "generation/", "README.md"]
    # Last, as what is half written has none.
    write_files(out, {MANIFEST: _lines({**about, "sha256": dict(_digests(out, names))})})


_README = Path(__file__).with_name("README.md")


def _write_case(directory: Path, case: Case) -> dict[str, Any]:
    """Write a model, what it is called with, and what is expected of it."""
    new_directory(directory)
    said = {"class": case.architecture, "options": dict(case.options), "calls": case.calls}
    if case.generate is not None:
        said["generate"] = dict(case.generate)
    texts = {
        "config.json": _lines(case.config.to_dict()),
        "inputs.json": _lines({**said, "outputs": case.outputs}),
    }
    write_files(directory, texts)
    write_tensors(directory / "model.safetensors", case.weights, metadata={"format": "pt"})
    trace = expected(case)
    bounds = budgets(case, trace.tensors)
    allowed = {f"{BUDGET}{name}": bound for name, bound in bounds.items()}
    with_budgets = replace(trace, tensors={**trace.tensors, **allowed})
    with_budgets.write(directory / "expected.safetensors")
    about = {"covers": case.covers, "class": case.architecture, "outputs": case.outputs}
    shows = list(mistakes_shown(case, trace.tensors, bounds))
    return {"name": directory.name, **about, "shows": shows}


def _vocabulary(tokenizer: RobertaTokenizer) -> dict[str, str]:
    vocab = json.dumps(tokenizer.get_vocab())
    merges = "".join(f"{left} {right}\n" for left, right in tokenizer.merges)
    return {"vocab.json": vocab + "\n", "merges.txt": f"#version: 0.2\n{merges}"}


def _write_answers(
    directory: Path, groups: Iterable[Answers], files: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Write questions with their answers, and give what each group covers."""
    new_directory(directory)
    groups = list(groups)
    text = _lines({"version": VERSION, "groups": [group._asdict() for group in groups]})
    write_files(directory, {**files, "cases.json": text})
    return [
        {"name": group.name, "covers": group.covers, "cases": len(group.cases)} for group in groups
    ]


def _lines(values: Mapping[str, Any]) -> str:
    """Write JSON in ASCII, each entry of an outer list or dictionary on a line of its own."""
    entries = [f"{json.dumps(name)}: {_entries(value)}" for name, value in values.items()]
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _entries(value: Any) -> str:
    if isinstance(value, dict) and value:
        inner = [f"{json.dumps(str(name))}: {json.dumps(one)}" for name, one in value.items()]
        return "{\n " + ",\n ".join(inner) + "\n}"
    if isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        return "[\n " + ",\n ".join(map(json.dumps, value)) + "\n]"
    return json.dumps(value)


def _digests(out: Path, names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Give the SHA-256 of all files, by their paths with slashes."""
    for name in names:
        files = sorted((out / name).iterdir()) if name.endswith("/") else [out / name]
        for file in files:
            path = file.relative_to(out).as_posix()
            yield path, sha256(file)


def sha256(file: Path) -> str:
    """Give the SHA-256 of a file, as the manifest has it."""
    return hashlib.sha256(file.read_bytes()).hexdigest()
