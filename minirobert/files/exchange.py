"""Exchanging the files of a directory: all of a set at once, whatever happens meanwhile.

A model is several files, and a tokenizer is. Wherever the process that saves one is killed, the
directory holds all of the old set or all of the new one, for whatever program looks at it, since
one rename is what exchanges them:

1. The new files are written where nobody looks, in a directory ``.minirobert-X`` of the directory.
2. The old ones get a second name in ``.minirobert-X.old``, and ``.minirobert-X.now`` becomes a
   link to that. Then each file of the set is replaced by a link through the latter,
   ``config.json -> .minirobert-X.now/config.json``. Nothing has changed for a reader: the contents
   are the same, and the link of a name that only the new set has leads nowhere.
3. **The moment**: ``.minirobert-X.now`` is replaced by a link to ``.minirobert-X``.
4. The links are replaced by what they lead to, and what begins with ``.minirobert-X`` is removed.

What a dead writer has left is put right by the next who saves or loads: whichever set ``.now``
leads to, step 4 is what remains to be done. A writer holds a lock on its ``.minirobert-X`` as long
as it lives, and one on the directory from 2 to 4: there is one exchange at a time.

Where there are no links, as on a FAT disk, the old files are moved to ``.old``, ``.now`` is a file
that says which set counts, and then the new ones take their names. Who is killed in between leaves
nothing that loads, until somebody saves or loads here, which moves one of the sets back. Where
there are no locks, as on some network file systems, only one may save at a time, and what a dead
writer has left stays for a day. On Windows both are so.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path

from ..sentences import cut, shown
from .local import check_path
from .locks import hold, locked, release

__all__ = ["clean_up", "exchanging", "new_directory", "write_files", "write_text"]

_NAME = re.compile(r"(\.minirobert-[0-9a-f]{16})(\.\w+)?")

_PATIENCE = 60  # seconds to wait for the exchange of another
_STALE = 24 * 60 * 60  # where there are no locks, who has begun so long ago is dead

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_CURES: dict[int | None, str] = {
    **dict.fromkeys((*_FULL, None), "make room, or save elsewhere"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "save where you may write"),
    errno.EISDIR: "move it away, or save elsewhere",
    errno.EAGAIN: "wait until it has ended, or save elsewhere",
    errno.ENOENT: "make the directory first",
    errno.ENAMETOOLONG: "take a shorter name",
}

Belongs = Callable[[str], bool]


def _nothing(name: str) -> bool:
    return False


def new_directory(path: str | os.PathLike[str]) -> Path:
    """Make a directory to save in, where it does not exist."""
    check_path("the directory to save in", path)
    directory = Path(path)
    if os.path.exists(directory) and not directory.is_dir():
        raise NotADirectoryError(f"{shown(str(path))} is a file: give a directory to save in")
    with _explaining(directory):
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except RecursionError:
            raise OSError("too many directories in each other") from None
    return directory


@contextmanager
def exchanging(target: Path, replaces: Belongs = _nothing) -> Iterator[Path]:
    """Give a directory to write files in, which then come into another one, all at once.

    If the block fails, nothing has changed.

    Parameters
    ----------
    target : Path
        The directory where the files are to be.
    replaces : callable
        Whether a name that is there belongs to the old files, and so must go if it is no new one.

    Yields
    ------
    Path

    Raises
    ------
    OSError
        If the files cannot be written, with the cure.
    """
    own = _Room(target, f".minirobert-{os.urandom(8).hex()}")
    lock = None
    try:
        with _explaining(target):
            with locked(target, _PATIENCE):
                _finish_others(target)
                own.new.mkdir()
                lock = hold(own.new)
            yield own.new
            with locked(target, _PATIENCE):
                _finish_others(target)
                _check_places(own)
                _exchange(own, replaces)
                with suppress(OSError):  # the new files stand, and the next who saves cleans up
                    _finish(own)
    finally:
        try:
            _leave(own, lock)
        except BaseException:  # another interruption
            _leave(own, lock)
            raise


def _check_places(own: _Room) -> None:
    """Refuse to put a file in the place of a device or a pipe, as /dev/null, which it would end."""
    for name in os.listdir(own.new):
        place = own.target / name
        if place.exists() and not (place.is_file() or place.is_dir()):
            raise OSError(
                f"{shown(str(place))} is a device or a pipe, which a file must not replace: save "
                "elsewhere"
            )


def write_files(
    target: Path, texts: Mapping[str, str], replaces: Belongs = _nothing
) -> tuple[str, ...]:
    """Write texts, given by the names of their files, all at once, and give the files' paths."""
    with exchanging(target, replaces) as new:
        for name, text in texts.items():
            (new / name).write_text(text, encoding="utf-8", newline="\n")
    return tuple(str(target / name) for name in texts)


def write_text(path: Path, text: str) -> None:
    """Write a text file, as a whole or not at all."""
    write_files(path.parent, {path.name: text})


def clean_up(directory: Path) -> None:
    """Finish what dead writers have begun, if nobody is at it and the system permits it."""
    with suppress(OSError):
        if any(map(_NAME.fullmatch, os.listdir(directory))):
            with locked(directory):
                _finish_others(directory)


@contextmanager
def _explaining(directory: Path) -> Iterator[None]:
    """Say what is to be done where the system refuses to write."""
    try:
        yield
    except OSError as error:
        why = cut(error.strerror or str(error), 200)
        cure = _CURES.get(error.errno, "save elsewhere")
        told = type(error)(
            f"the files could not be written in {shown(str(directory))} ({why}), so nothing was "
            f"saved: {cure}"
        )
        told.errno = error.errno
        raise told from error


def _leave(own: _Room, lock: int | None) -> None:
    """Let nothing of a writer stay, whatever it came to."""
    is_begun = os.path.lexists(own.now)
    try:
        with suppress(OSError), locked(own.target, _PATIENCE) if is_begun else nullcontext():
            _finish(own)
    finally:
        release(lock)


@dataclass(frozen=True)
class _Room:
    """Where a writer has its files before they take the places of others."""

    target: Path
    name: str

    @property
    def new(self) -> Path:
        return self.target / self.name

    @property
    def old(self) -> Path:
        return self.target / f"{self.name}.old"

    @property
    def now(self) -> Path:
        """A link to the set that counts, or a file with its name."""
        return self.target / f"{self.name}.now"

    @property
    def next(self) -> Path:
        """What is about to be renamed."""
        return self.target / f"{self.name}.next"

    def lead(self, name: str) -> str:
        """Give the text of the link through which a file is found."""
        return os.path.join(self.now.name, name)

    def link(self, text: str, path: Path) -> None:
        """Make a link in the place of what is there."""
        os.symlink(text, self.next)
        os.replace(self.next, path)


# Steps 2 and 3


def _exchange(own: _Room, replaces: Belongs) -> None:
    """Let the names of both sets lead to the new one."""
    target, new = own.target, os.listdir(own.new)
    gone = [name for name in os.listdir(target) if replaces(name) and name not in new]
    names = [*new, *gone]
    for name in names:
        if (target / name).is_dir():
            raise IsADirectoryError(errno.EISDIR, f"{cut(name, 100)} is a directory there")
    if len(names) == 1 and new:  # one rename does it
        os.replace(own.new / new[0], target / new[0])
        return
    own.old.mkdir()
    if not _has_links(own):
        _move_away(own, names)
        return
    for name in names:
        _keep(target / name, own.old / name)
    for name in names:
        own.link(own.lead(name), target / name)
    own.link(own.new.name, own.now)


def _has_links(own: _Room) -> bool:
    """Make the link to the old files, or tell that there are no links here."""
    if os.name == "nt":  # where no rename replaces a link to a directory
        return False
    try:
        os.symlink(own.old.name, own.now)
    except OSError as error:
        if error.errno in (*_FULL, errno.EIO, errno.ENOMEM):
            raise
        return False
    return True


def _keep(path: Path, second: Path) -> None:
    """Give a file a second name, one directory below; of a link, make one to where it leads."""
    text = _text_of_link(path)
    if text is not None and _NAME.fullmatch(Path(text).parts[0]):
        path = path.parent / text  # of a dead writer, after whom nobody could clean up
        text = _text_of_link(path)
    elif text is not None:
        text = os.path.join("..", text)  # or the text itself, if it is no relative one
    if text is not None:
        os.symlink(text, second)
    elif path.exists():
        try:
            os.link(path, second)
        except OSError:  # there are no such links here, or not to the file of somebody else
            shutil.copy2(path, second)


def _text_of_link(path: Path) -> str | None:
    return os.readlink(path) if path.is_symlink() else None


def _move_away(own: _Room, names: Iterable[str]) -> None:
    """Exchange files where there are no links."""
    own.now.write_text(own.old.name)
    for name in names:
        with suppress(FileNotFoundError):
            os.rename(own.target / name, own.old / name)
    own.next.write_text(own.new.name)
    os.replace(own.next, own.now)


# Step 4


def _finish(own: _Room) -> None:
    """Put the files of the set that counts in their places, and remove the rest."""
    own.next.unlink(missing_ok=True)
    counts = _set_that_counts(own)
    if counts is not None and own.now.is_symlink():
        for name in _names_of_links(own):
            _put(own, counts / name, own.target / name)
    elif counts is not None:
        for source in counts.iterdir():
            if not os.path.lexists(own.target / source.name):
                os.rename(source, own.target / source.name)
    own.now.unlink(missing_ok=True)
    if own.old.exists():
        shutil.rmtree(own.old)
    shutil.rmtree(own.new)


def _set_that_counts(own: _Room) -> Path | None:
    """Find it, but never outside: who made the directory may have meant ill."""
    named = _text_of_link(own.now)
    if named is None and own.now.is_file():
        named = os.fsdecode(own.now.read_bytes())
    found = [path for path in (own.old, own.new) if path.name == named and not path.is_symlink()]
    return found[0] if found else None


def _names_of_links(own: _Room) -> list[str]:
    """List the files that are found through links."""
    with os.scandir(own.target) as entries:
        links = [entry.name for entry in entries if entry.is_symlink()]
    return [name for name in links if os.readlink(own.target / name) == own.lead(name)]


def _put(own: _Room, source: Path, path: Path) -> None:
    """Put what a link leads to in its place."""
    text = _text_of_link(source)
    if text is not None:
        own.link(text.removeprefix(os.path.join("..", "")), path)
    elif source.exists():
        with suppress(OSError):  # whoever follows the link at this moment still finds its end
            os.link(source, own.next)
            source = own.next
        os.replace(source, path)
    else:
        path.unlink()


# What others have left


def _finish_others(target: Path) -> None:
    """Do the rest of the work of dead writers, with the lock of the directory in hand."""
    found = (_NAME.fullmatch(name) for name in os.listdir(target))
    for name in sorted({match[1] for match in found if match}):
        with suppress(OSError):
            if _is_dead(target / name):
                _finish(_Room(target, name))


def _is_dead(room: Path) -> bool:
    try:
        lock = hold(room)
    except BlockingIOError:
        return False
    if lock is None:
        return time.time() - room.stat().st_mtime > _STALE
    release(lock)
    return True
