"""Scoring a port by what it made of the vectors."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import Any

from ...files import read_json
from ...sentences import listed, plain, shown
from .answers import score_answers
from .expected import VERSION
from .results import CaseScore, Score
from .tensors import score_tensors
from .writing import ANSWERS, MANIFEST, sha256

__all__ = ["check_vectors"]


def check_vectors(
    vectors: str | os.PathLike[str], port: str | os.PathLike[str], only: Iterable[str] = ()
) -> Score:
    """Score a port.

    Parameters
    ----------
    vectors : str or path
        The directory that `minirobert.numerics.vectors.write_vectors` wrote.
    port : str or path
        A directory with what the port made of them: ``NNN-name.safetensors`` for each case, with
        the tensors that it has under their names, the outputs at least; ``tokenizer.json`` and
        ``generation.json`` with its answers, a list for each group by its name.
    only : iterable of str
        Patterns of the cases that the port is meant for, as ``"*-activation-*"`` or
        ``"tokenizer/*"``; by default all.

    Returns
    -------
    Score

    Raises
    ------
    OSError
        If a directory or the manifest is not there.
    ValueError
        If the vectors are of another version, or not as they were written; if the port's answers
        are no JSON; or if a pattern fits no case.
    """
    vectors, port, only = Path(vectors), Path(port), tuple(only)
    if not port.is_dir():
        raise NotADirectoryError(f"{shown(str(port))} is no directory: give that of the results")
    manifest = _manifest(vectors)
    answers = {kind: _answers(port / f"{kind}.json") for kind in ANSWERS}
    scorers = {
        **dict(_of_tensors(vectors, manifest["cases"], port)),
        **dict(_of_answers(vectors, answers)),
    }
    for pattern in only:
        if not any(fnmatchcase(name, pattern) for name in scorers):
            raise ValueError(f"no case is named {shown(pattern)}: {MANIFEST} lists them")
    chosen = [name for name in scorers if not only or any(fnmatchcase(name, one) for one in only)]
    there = [path.stem for path in sorted(port.glob("*.safetensors"))]
    there += [f"{kind}/{group}" for kind in ANSWERS for group in answers[kind]]
    unknown = tuple(name for name in there if name not in scorers)
    return Score(tuple(scorers[name]() for name in chosen), unknown)


def _answers(path: Path) -> dict[str, Any]:
    return read_json(path) if path.exists() else {}


#: What scores a case or a group of answers, with its name.
Scorers = Iterator[tuple[str, Callable[[], CaseScore]]]


def _of_tensors(vectors: Path, cases: Iterable[dict[str, Any]], port: Path) -> Scorers:
    for case in cases:
        name, outputs = case["name"], case["outputs"]
        expected, own = vectors / name / "expected.safetensors", port / f"{name}.safetensors"
        yield name, partial(score_tensors, name, outputs, expected, own)


def _of_answers(vectors: Path, answers: dict[str, dict[str, Any]]) -> Scorers:
    for kind, own in answers.items():
        for group in read_json(vectors / kind / "cases.json")["groups"]:
            name = f"{kind}/{group['name']}"
            yield name, partial(score_answers, name, group["cases"], own.get(group["name"]))


def _manifest(vectors: Path) -> dict[str, Any]:
    """Read what is there, and see that it is as it was written."""
    if not (vectors / MANIFEST).is_file():
        raise FileNotFoundError(
            f"{shown(str(vectors))} has no {MANIFEST}: give the directory of the vectors, which "
            "`minirobert vectors --out DIR` writes"
        )
    manifest = read_json(vectors / MANIFEST)
    if manifest.get("version") != VERSION:
        raise ValueError(
            f"{plain(vectors)} holds vectors of version {shown(manifest.get('version'))}, but this "
            f"is version {VERSION}: write them anew"
        )
    if changed := list(_changed(vectors, manifest)):
        raise ValueError(
            f"{listed(changed)} in {plain(vectors)} is not as it was written: write the vectors "
            "anew"
        )
    return manifest


def _changed(vectors: Path, manifest: dict[str, Any]) -> Iterator[str]:
    """Name the files that are not as they were written."""
    try:
        needed = [
            f"{one['name']}/expected.safetensors" for one in manifest["cases"] if one["outputs"]
        ]
        is_whole = needed and manifest["sha256"].keys() >= set(needed)
    except (AttributeError, KeyError, TypeError):
        is_whole = False
    if not is_whole:
        yield MANIFEST
        return
    for path, sha in manifest["sha256"].items():
        if _digest(vectors / path) != sha:
            yield path


def _digest(path: Path) -> str:
    return sha256(path) if path.is_file() else ""
