"""Runs the lessons and writes their outputs into them, as the tests compare them later.

    python -m tutorials.run                                 # all
    python -m tutorials.run tutorials/01_tokens.ipynb

Each lesson runs on a fresh kernel, in its own directory, with the package of this clone. What is
written depends on the lesson alone, not on the machine or the day, so that a small change of a
lesson is a small one of its file. A lesson that fails stays as it was.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from minirobert.files.exchange import write_text
from minirobert.sentences import plain, shown

try:
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
    from nbformat import NotebookNode
    from traitlets.config import Config
except ImportError as error:
    if __name__ != "__main__":
        raise
    sys.exit(f"{error.name} is missing: .venv/bin/pip install -e '.[tutorials]'")

HERE = Path(__file__).parent

#: Seconds that a lesson may take: more is a cell that hangs.
LIMIT = 60

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


class LessonError(RuntimeError):
    """A cell of a lesson that raises, or does not end."""


def lessons(directory: Path = HERE) -> list[Path]:
    """List the lessons in their order."""
    return sorted(directory.glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    """Read a lesson as it is, without new names for its cells."""
    return nbformat.from_dict(nbformat.reader.reads(path.read_text(encoding="utf-8")))


def executed(path: Path, limit: float = LIMIT) -> NotebookNode:
    """Run a lesson on a fresh kernel, and give it with its outputs, in normal form."""
    notebook = normal(read(path))
    end = time.monotonic() + limit
    with tempfile.TemporaryDirectory() as scratch:
        client = NotebookClient(
            notebook,
            kernel_name="python3",
            config=Config({"KernelManager": _connection(scratch)}),
            resources={"metadata": {"path": str(path.resolve().parent)}},
            timeout_func=lambda cell: max(1, round(end - time.monotonic())),
            force_raise_errors=True,
            record_timing=False,
        )
        with client.setup_kernel(env=_environment(scratch)):
            for index, cell in enumerate(notebook.cells):
                try:
                    client.execute_cell(cell, index)
                except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
                    told = _told(error, limit)
                    raise LessonError(f"{path.name}, {place(cell)}: {told}") from error
    return normal(notebook)


def code_cells(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Give the cells that are run: an empty one is not, and has no number in Jupyter."""
    return (cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip())


def normal(notebook: NotebookNode) -> NotebookNode:
    """Give a lesson without what differs from one machine, or run, to the next."""
    cells = [_normal_cell(cell, number) for number, cell in enumerate(notebook.cells)]
    lesson = nbformat.v4.new_notebook(cells=cells, metadata=_METADATA, nbformat_minor=5)
    for number, cell in enumerate(code_cells(lesson), start=1):
        cell.execution_count = number
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = number
    return lesson


def _normal_cell(cell: NotebookNode, number: int) -> NotebookNode:
    tags = cell.metadata.get("tags")
    kept = {"cell_type": cell.cell_type, "source": cell.source, "id": cell.get("id")}
    kept["id"] = kept["id"] or f"cell-{number:02}"
    kept["metadata"] = {"tags": tags} if tags else {}
    if "attachments" in cell:
        kept["attachments"] = cell.attachments
    if cell.cell_type == "code":
        kept["outputs"] = list(_normal_outputs(cell.outputs))
        kept["execution_count"] = None
    return nbformat.from_dict(kept)


def _normal_outputs(outputs: list[NotebookNode]) -> Iterator[NotebookNode]:
    """Join what was printed in a row, however many messages it came in."""
    last = None
    for output in outputs:
        if output.output_type == "stream":
            text = _without_places(output.text)
            if last is not None and output.name == last.name:
                last.text += text
                continue
            last = nbformat.v4.new_output("stream", name=output.name, text=text)
            yield last
            continue
        last = None
        if "text/plain" in output.get("data", {}):
            output.data["text/plain"] = _without_places(output.data["text/plain"])
        yield output


def _without_places(text: str) -> str:
    """Leave out the file that IPython makes up for a cell, and addresses in memory."""
    text = re.sub(r"[^\s\"']*ipykernel_\d+[/\\]\d+\.py", "<cell>", text)
    return re.sub(r"\bat 0x[0-9a-f]+", "at 0x…", text)


def written(notebook: NotebookNode) -> str:
    """Give the text of a lesson's file."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def _connection(scratch: str) -> dict[str, str]:
    """Connect through files where they can: of two kernels at once, both may ask for one port."""
    if os.name != "posix":
        return {"transport": "tcp"}
    return {"transport": "ipc", "ip": os.path.join(scratch, "kernel")}


def _environment(settings: str) -> dict[str, str]:
    """Let a kernel import this clone, draw into the lesson, and read no settings of the user."""
    paths = (str(HERE.parent), os.environ.get("PYTHONPATH"))
    environment = {name: value for name, value in os.environ.items() if name != "MPLBACKEND"}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):  # the lessons' arrays are small
        environment.setdefault(name, "1")
    return environment | {"IPYTHONDIR": settings}


def place(cell: NotebookNode) -> str:
    """Name a cell by its number and its first line."""
    first_line = cell.source.strip().partition("\n")[0]
    return f"cell [{cell.execution_count}], {plain(first_line, 60)!r}"


def _told(error: Exception, limit: float) -> str:
    if isinstance(error, CellExecutionError):
        return f"{error.ename}: {plain(error.evalue)}"
    if isinstance(error, CellTimeoutError):
        return f"the lesson has not ended after {limit:g} seconds"
    return "the kernel died"


def main(arguments: list[str] | None = None) -> int:
    """Run lessons, the given ones or all."""
    parser = argparse.ArgumentParser(
        prog="python -m tutorials.run", description=__doc__.partition("\n")[0]
    )
    parser.add_argument("lessons", nargs="*", type=Path, help="notebooks; all where none is given")
    parser.add_argument(
        "--limit", type=float, default=LIMIT, metavar="SECONDS", help=f"for each lesson ({LIMIT})"
    )
    options = parser.parse_args(arguments)
    for path in options.lessons or lessons():
        if not path.is_file():
            parser.error(f"{shown(str(path))} is no file: give notebooks, such as {lessons()[0]}")
        start = time.monotonic()
        try:
            text = written(executed(path, options.limit))
        except LessonError as error:
            print(error, file=sys.stderr)
            return 1
        write_text(path, text)
        print(f"{path.name}: {time.monotonic() - start:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
