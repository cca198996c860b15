"""Requests to a hub, each of which ends: in an answer, in a file, or in an error.

They are made with the connections of huggingface_hub, so its proxies, certificates and tokens
apply; files come over plain HTTP, which every hub speaks, whether hf_xet is installed or not. What
huggingface_hub waits for without a limit has one here: silence, a byte now and then, redirects that
lead to one another, and a server that asks to come back in a week.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO, Generic, TypeVar
from urllib.parse import urljoin, urlsplit

from ..sentences import shown

__all__ = ["Described", "Transfers", "commit_of", "is_name"]

T = TypeVar("T")

_BLOCK = 16 * 1024  # bytes: a line that needs longer for them than our patience is as good as dead
_REDIRECTS = 10
_TRIES = 4  # without getting much further
_MUCH = 1024 * 1024  # bytes
_LONGEST_PAUSE = 8  # seconds between two tries
_MOST_UNTOLD = 64 * 1024 * 1024  # bytes of a file whose size the hub does not tell

_COMMIT, _LINKED_ETAG = "X-Repo-Commit", "X-Linked-Etag"
_AGAIN = (408, 429, 500, 502, 503, 504)  # the states of a server that may pass
_REDIRECTED = (301, 302, 303, 307, 308)


@dataclass(frozen=True)
class Described:
    """What the hub says of a file: of which commit it is, its checksum, and its size if told."""

    commit: str
    etag: str
    size: int | None


class RefusedError(OSError):
    """An answer that another try would not change."""


class Transfers:
    """Ask for files of a hub, and receive them.

    Parameters
    ----------
    hub : module
        huggingface_hub, of any version from 0.34.
    token : str, bool or None
    """

    def __init__(self, hub: Any, token: str | bool | None):
        self._hub = hub
        self._token = token

    def describe(self, url: str, tries: int) -> Described:
        """Ask what a file is, without fetching it."""
        patience = 3 * self._hub.constants.HF_HUB_ETAG_TIMEOUT
        return _in_time(lambda beat: self._describe_again(url, tries), patience)

    def receive(self, url: str, path: Path, size: int | None) -> None:
        """Write what the hub sends into a file; what breaks off goes on from there."""
        patience = 3 * self._hub.constants.HF_HUB_DOWNLOAD_TIMEOUT
        name = PurePosixPath(urlsplit(url).path).name
        bar = self._hub.utils.tqdm(total=size, desc=name, unit="B", unit_scale=True, delay=1)
        with bar, path.open("xb") as file:
            _in_time(lambda beat: self._receive_again(url, file, size, beat), patience, bar.update)

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = self._hub.utils.build_hf_headers(
            token=self._token, library_name="minirobert"
        )
        return {**headers, "Accept-Encoding": "identity"}  # so that sizes are those of the files

    @contextmanager
    def _answer(self, method: str, url: str, start: int = 0) -> Iterator[Any]:
        """Open an answer, of which only the beginning has been read, and follow redirects to it.

        What the hub says of a file stands before the redirect to its storage.
        """
        headers = self._headers() | ({"Range": f"bytes={start}-"} if start else {})
        for _ in range(_REDIRECTS):
            with closing(self._request(method, url, headers)) as answer:
                target = _target(url, answer)
                if target is None or (method == "HEAD" and _describes(answer)):
                    yield answer
                    return
            if urlsplit(target)[:2] != urlsplit(url)[:2]:
                headers.pop("authorization", None)  # the token is for one server
            url = target
        raise RefusedError("it redirects again and again")

    def _request(self, method: str, url: str, headers: dict[str, str]) -> Any:
        session, constants = self._hub.utils.get_session(), self._hub.constants
        has_content = method == "GET"  # without one, the connection can be used again at once
        timeout = (
            constants.HF_HUB_DOWNLOAD_TIMEOUT if has_content else constants.HF_HUB_ETAG_TIMEOUT
        )
        if hasattr(session, "build_request"):  # huggingface_hub 1 and later
            request = session.build_request(method, url, headers=headers, timeout=timeout)
            return session.send(request, stream=has_content, follow_redirects=False)
        return session.request(
            method, url, headers=headers, timeout=timeout, stream=has_content, allow_redirects=False
        )

    # What a file is

    def _describe_again(self, url: str, tries: int) -> Described:
        for tried in range(1, tries):
            try:
                return self._describe(url)
            except Exception as error:  # each version of the client has kinds of its own
                if not _may_pass(error):
                    raise
            time.sleep(min(2 ** (tried - 1), _LONGEST_PAUSE))
        return self._describe(url)

    def _describe(self, url: str) -> Described:
        with self._answer("HEAD", url) as answer:
            if answer.status_code >= 400:
                self._hub.utils.hf_raise_for_status(answer)
            said, is_file = answer.headers, answer.status_code == 200
        if not _describes(answer) or not (is_file or answer.status_code in _REDIRECTED):
            raise RefusedError(f"its answer ({answer.status_code}) is not that of a hub")
        is_size_told = is_file and said.get("Content-Encoding", "identity") == "identity"
        length = said.get("Content-Length") if is_size_told else None
        etag = said.get(_LINKED_ETAG) or said["ETag"]
        return _described(said[_COMMIT], etag, said.get("X-Linked-Size") or length)

    # Its content

    def _receive_again(self, url: str, file: BinaryIO, size: int | None, beat: _Beat) -> None:
        left = _TRIES
        while True:
            start = file.tell()
            try:
                return self._receive(url, file, size, beat)
            except Exception as error:
                left = _TRIES if file.tell() - start > _MUCH else left - 1
                if not left or beat.is_over or not _may_pass(error):
                    raise
            time.sleep(min(2 ** (_TRIES - left - 1), _LONGEST_PAUSE))

    def _receive(self, url: str, file: BinaryIO, size: int | None, beat: _Beat) -> None:
        start = file.tell()
        with self._answer("GET", url, start=start) as answer:
            self._check_answer(answer, start)
            if answer.status_code == 200:
                file.seek(0)
                file.truncate()
            try:
                self._write(answer, file, size, beat)
            except Exception:
                if answer.headers.get("Content-Encoding", "identity") != "identity":
                    file.seek(0)  # a range of what is compressed cannot be asked for
                    file.truncate()
                raise
        if size is not None and file.tell() != size:
            raise OSError(f"{file.tell():,} bytes came in place of {size:,}")

    def _check_answer(self, answer: Any, start: int) -> None:
        status = answer.status_code
        if status in _AGAIN:
            pause = answer.headers.get("Retry-After", "0")
            if not pause.isdecimal() or float(pause) > _LONGEST_PAUSE:
                raise RefusedError(f"it answers {status}, and asks to wait: {shown(pause, 40)}")
            raise OSError(f"it answers {status}")
        goes_on = answer.headers.get("Content-Range", "").startswith(f"bytes {start}-")
        if status != 200 and not (status == 206 and start and goes_on):
            raise RefusedError(f"it answers {status}")

    def _write(self, answer: Any, file: BinaryIO, size: int | None, beat: _Beat) -> None:
        read = getattr(answer, "iter_bytes", None) or answer.iter_content
        for block in read(_BLOCK):
            if beat.is_over:
                return
            file.write(block)
            beat.amount += len(block)
            if file.tell() > (_MOST_UNTOLD if size is None else size):
                told = "which has no size" if size is None else f"which has {size:,} bytes"
                raise RefusedError(f"more and more came for a file {told}, it says")


def _target(url: str, answer: Any) -> str | None:
    """Tell where an answer redirects to, if it does."""
    if answer.status_code not in _REDIRECTED or not answer.headers.get("Location"):
        return None
    target: str = urljoin(url, answer.headers["Location"])
    if urlsplit(target).scheme not in ("http", "https"):
        raise RefusedError(f"it redirects to {shown(target, 40)}")
    return target


def _describes(answer: Any) -> bool:
    """Tell whether an answer is what the hub says of a file, of which a redirect has its own."""
    etags = [_LINKED_ETAG] if answer.status_code in _REDIRECTED else [_LINKED_ETAG, "ETag"]
    return _COMMIT in answer.headers and any(name in answer.headers for name in etags)


def is_name(word: str) -> bool:
    """Tell whether a commit or checksum is one, and can be the name of a file."""
    return re.fullmatch(r"[0-9A-Za-z][\w.+=-]{0,127}", word, re.ASCII) is not None


def commit_of(error: Any) -> str | None:
    """Tell the commit that an answer is about which says that there is no such file."""
    commit: str = error.response.headers.get(_COMMIT, "")
    return commit if is_name(commit) else None


def _described(commit: str, etag: str, size: str | None) -> Described:
    """Check what the hub says: its words become names of files."""
    etag = etag.removeprefix("W/").strip('"')
    for what, word in (("commit", commit), ("checksum", etag)):
        if not is_name(word):
            raise RefusedError(f"it names a {what} {shown(word, 40)}, which cannot be one")
    return Described(commit, etag, int(size) if size and size.isdecimal() else None)


def _may_pass(error: Exception) -> bool:
    """Tell whether another try may go better: not so if the fault is in the answer, or here."""
    answer = getattr(error, "response", None)
    if answer is not None:
        return answer.status_code in _AGAIN
    is_of_this_machine = isinstance(error, OSError) and error.errno is not None  # a full disk
    return not isinstance(error, RefusedError | ValueError) and not is_of_this_machine


class _Beat:
    """How far a transfer is, and whether anybody still waits for it."""

    def __init__(self) -> None:
        self.amount = 0
        self.is_over = False


class _Waiting(threading.Thread, Generic[T]):
    """Work of which the result, or the error, is fetched later."""

    def __init__(self, work: Callable[[_Beat], T]):
        super().__init__(daemon=True)  # it does not keep the process from ending
        self._work = work
        self._result: T | None = None
        self._error: BaseException | None = None
        self.beat = _Beat()

    def run(self) -> None:
        try:
            self._result = self._work(self.beat)
        except BaseException as error:
            self._error = error

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result  # type: ignore[return-value]  # there is no error, so it is there


def _in_time(
    work: Callable[[_Beat], T], patience: float, tell: Callable[[int], Any] = lambda _: None
) -> T:
    """Do work beside, for as long as it gets on.

    The timeouts of a socket start anew with each byte, so nothing but another thread can end a
    transfer of a byte a second. Such a thread is left behind: it touches nothing that is kept.
    """
    thread = _Waiting(work)
    thread.start()
    done, since = 0, time.monotonic()
    try:
        while thread.is_alive():
            thread.join(0.5)  # short, as no signal ends it everywhere
            further = thread.beat.amount - done
            if further:
                done, since = done + further, time.monotonic()
                tell(further)
            elif thread.is_alive() and time.monotonic() - since > patience:
                raise TimeoutError(f"in {patience:g} seconds next to nothing came")
    finally:
        thread.beat.is_over = True
    return thread.result()
