"""The cache of one model of the hub, as huggingface_hub lays it out, so that both can use it.

``snapshots/COMMIT/FILE`` is a link to ``blobs/CHECKSUM``, and ``refs/REVISION`` names the commit of
a branch or tag. Nothing stands under such a name before it is whole.
"""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath

from .intact import damage, is_checksum
from .transfer import Described, is_name

__all__ = ["Snapshots", "is_commit"]

_COMMIT = re.compile(r"[0-9a-f]{40}")


def is_commit(revision: str) -> bool:
    """Tell whether a revision is a commit, and no branch or tag."""
    return _COMMIT.fullmatch(revision) is not None


class Snapshots:
    """Find files of a model in the cache, and put files into it.

    Parameters
    ----------
    cache : path
    name : str
        Of the model, as on the hub.
    """

    def __init__(self, cache: str | os.PathLike[str], name: str):
        self._folder = Path(cache, f"models--{name.replace('/', '--')}")

    def path(self, commit: str, file: PurePosixPath) -> Path:
        """Tell where a file of a commit is, or would be."""
        return self._folder / "snapshots" / commit / file

    def commit(self, revision: str) -> str | None:
        """Tell which commit a revision was when it was last fetched."""
        if is_commit(revision):
            return revision
        try:
            commit = (self._folder / "refs" / revision).read_text("utf-8").strip()
        except (OSError, ValueError):
            return None
        return commit if is_name(commit) else None

    def remember(self, revision: str, commit: str) -> None:
        """Note the commit of a revision; a cache that cannot be written is as good as before."""
        if revision == commit or self.commit(revision) == commit:
            return
        path = self._folder / "refs" / revision
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with _temporary(path) as temporary:
                temporary.write_text(commit, encoding="utf-8")
                os.replace(temporary, path)

    def damage(self, path: Path) -> str | None:
        """Say what is wrong with a file that is there."""
        if not os.path.isfile(path):
            return "a link to a file that is gone"
        return damage(path, path.name, self.etag(path))

    def holds(self, path: Path, said: Described) -> bool:
        """Tell whether a file of a commit is there, and what the hub says."""
        if not os.path.isfile(path) or self.etag(path) not in (None, self._blob(path, said).name):
            return False
        return self.damage(path) is None and said.size in (None, path.stat().st_size)

    def etag(self, path: Path) -> str | None:
        """Tell what the hub called a file's content, where the cache holds links."""
        try:
            return Path(os.readlink(path)).name
        except OSError:
            return None

    @contextmanager
    def receiving(self, path: Path, said: Described) -> Iterator[Path]:
        """Give the name of a file to write, which is that of a commit once the block succeeds."""
        blob = self._blob(path, said)
        blob.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(blob) as temporary:
            yield temporary
            os.replace(temporary, blob)
        self._link(path, blob)

    def take(self, path: Path, said: Described) -> bool:
        """Let a file of a commit be what another commit has, if that is there and whole."""
        blob = self._blob(path, said)
        if not os.path.isfile(blob) or damage(blob, path.name, said.etag) is not None:
            return False
        self._link(path, blob)
        return True

    def _blob(self, path: Path, said: Described) -> Path:
        """Tell where the content is; what is no checksum may be a word for several files."""
        name = said.etag
        if not is_checksum(name):
            name = "--".join([name, *path.relative_to(self._folder / "snapshots").parts[1:]])
        return self._folder / "blobs" / name

    def _link(self, path: Path, blob: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _temporary(path) as temporary:
            try:
                temporary.symlink_to(os.path.relpath(blob, path.parent))
            except OSError:  # a system without links
                os.replace(blob, path)
            else:
                os.replace(temporary, path)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a name beside a file that no other process has, and leave nothing there."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.incomplete")
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
