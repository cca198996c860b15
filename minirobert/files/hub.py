"""A model by its name: a directory on this machine, or files of the Hugging Face hub.

A directory always wins. Any other name of the form ``"name"`` or ``"owner/name"`` is looked for on
the hub through huggingface_hub, the extra ``hub``. Its cache
(``HF_HOME``), its offline mode (``HF_HUB_OFFLINE``) and its endpoint (``HF_ENDPOINT``) apply; what
is asked of the hub stands in `transfer`, what becomes of the answer in `snapshots` and `intact`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar

from ..sentences import cut, listed, plain, shown
from .elsewhere import MERGE
from .intact import damage
from .local import check_path, model_directory
from .reading import read_together
from .snapshots import Snapshots, is_commit
from .transfer import Described, Transfers, commit_of
from .unfetched import Unfetched, by_hand

__all__ = ["HubOptions", "ModelFiles", "ModelName"]

Value = TypeVar("Value")

_HUB_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", re.ASCII)

#: A branch, tag or commit, and a path in a repository: both become names of files.
_PART = r"(?!\.\.?(/|$))[^/\\\x00-\x1f\x7f:*?\"<>|]{1,200}"
_PATH = re.compile(f"{_PART}(/{_PART})*")
_TRIES = 3  # to learn what a file is that is not in the cache


@dataclass(frozen=True)
class HubOptions:
    """Which version of a model to fetch from the hub, and how.

    Every ``from_pretrained`` takes these by name. For a directory on this machine, all but
    ``subfolder`` have no effect.

    Parameters
    ----------
    revision : str, optional
        A branch, tag or commit; the newest of the main branch by default.
    cache_dir : path, optional
        Where the files are kept; by default where huggingface_hub keeps them.
    token : str or bool, optional
        For private or gated models. By default, or if it is True, that of ``hf auth login``.
    local_files_only : bool
        Use only what is in the cache.
    force_download : bool
        Fetch again what is in the cache.
    subfolder : str
        The directory in the repository, or below the local directory, that holds the files.
    """

    revision: str | None = None
    cache_dir: str | os.PathLike[str] | None = None
    token: str | bool | None = None
    local_files_only: bool = False
    force_download: bool = False
    subfolder: str = ""

    @classmethod
    def taken_from(cls, arguments: dict[str, Any]) -> HubOptions:
        """Take the options out of the keyword arguments of a call.

        >>> arguments = {"revision": "v1", "num_labels": 3}
        >>> HubOptions.taken_from(arguments).revision, arguments
        ('v1', {'num_labels': 3})
        """
        names = [one.name for one in fields(cls) if one.name in arguments]
        return cls(**{name: arguments.pop(name) for name in names})


class ModelFiles:
    """The files of one model: those of a directory, or of the hub as they are asked for.

    All files come from one commit, that of the first one: a model that changes on the hub while it
    is fetched is not mixed. Each file appears in the cache as a whole or not at all, after it has
    been compared with the hub's checksum and read as what its name promises; one of the cache that
    is none of that is fetched again. A transfer that has not brought another 16 KiB in three times
    ``HF_HUB_DOWNLOAD_TIMEOUT`` (10 seconds) is given up.

    Parameters
    ----------
    name : str or path
        A directory, or the name of a model on the hub.
    options : HubOptions

    Raises
    ------
    FileNotFoundError
        If there is no such directory, and the name cannot be one of the hub.
    NotADirectoryError
        If the name is that of a file.
    ValueError, TypeError
        If it is a name of the hub, and the options cannot be any of it.
    """

    def __init__(self, name: str | os.PathLike[str], options: HubOptions = HubOptions()):
        check_path("the name of a model", name)
        self.name = os.fspath(name)
        self._options = options
        self._commit: str | None = None
        self._fetched: set[str] = set()
        self._only_cached = options.local_files_only
        self._unreachable: Exception | None = None
        self._directory: Path | None = None
        self.is_local = not (
            isinstance(name, str) and _HUB_NAME.fullmatch(name) and not os.path.exists(name)
        )
        if self.is_local:
            self._directory = model_directory(Path(model_directory(name), options.subfolder or ""))
        else:
            _check(options)
            self._commit = options.revision if is_commit(self._revision) else None

    @classmethod
    def of(cls, name: ModelName, arguments: dict[str, Any]) -> ModelFiles:
        """Find the files that a call means, and take the hub's options out of its arguments."""
        options = HubOptions.taken_from(arguments)
        return name if isinstance(name, ModelFiles) else cls(name, options)

    @property
    def directory(self) -> Path:
        """Where the files are that were fetched."""
        if self._directory is None:
            raise FileNotFoundError(f"nothing of {shown(self.name)} has been fetched")
        return self._directory

    def fetch(self, file: str) -> bool:
        """Bring a file into the directory if the model has it, and tell whether it is there.

        Without the network, a file that is not in the cache counts as one that the model does not
        have. So ask for files that may be missing first, and then for those that must be there:
        where these are in the cache, the others were before them.
        """
        if self.is_local:
            return (self.directory / file).is_file()
        hub = self._client()
        try:
            path = self._bring(hub, file)
        except hub.errors.EntryNotFoundError:
            return False
        except Exception as error:  # the client's own, its network library's, the disk's
            sentence = self._unfetched(hub).failed(file, error, self._commit)
            raise FileNotFoundError(sentence) from error
        if path is None:
            return False
        self._directory = path.parent
        return True

    def require(self, *alternatives: str | tuple[str, ...]) -> Path:
        """Bring the first of several files, or sets of files, that the model has, or raise.

        In a directory of this machine nothing is checked: whoever opens the files does so.
        """
        if self.is_local:
            return self.directory
        sets = [(one,) if isinstance(one, str) else one for one in alternatives]
        for files in sets:
            if all(self.fetch(file) for file in files):
                return self.directory
        wanted = listed((" and ".join(files) for files in sets), 120, ", nor ")
        if self._unreachable is not None:
            unfetched, only_local = self._unfetched(self._client()), self._options.local_files_only
            # where nothing at all is found, one file is not what is lacking
            absent = wanted if self._directory else None
            sentence = unfetched.not_cached(self._unreachable, only_local, absent)
            raise FileNotFoundError(sentence) from self._unreachable
        place = f" in {shown(self._options.subfolder, 60)}" if self._options.subfolder else ""
        sentence = f"{shown(self.name, 60)} on the hub has no {wanted}{place}{self._instead()}"
        raise FileNotFoundError(cut(sentence))

    def together(self, names: str, read: Callable[[], Value]) -> Value:
        """Read files as they are at one time, again where somebody has exchanged them meanwhile.

        ``names`` is a regular expression for theirs; see `minirobert.files.reading`.
        """
        return read_together(self.directory, names, read) if self.is_local else read()

    def _instead(self) -> str:
        """Say what else is in a repository that has no model where it was looked for."""
        if self.offers("adapter_config.json"):
            return f", but an adapter: {MERGE}"
        if self.offers("0_Transformer/config.json"):  # of sentence-transformers
            return ", but a model in a directory: give subfolder='0_Transformer'"
        return ""

    def offers(self, file: str) -> bool:
        """Tell whether the hub has a file, or the cache, without fetching it."""
        if self._directory is not None and (self._directory / file).is_file():
            return True
        hub = self._client()
        if self._only_cached or hub.constants.HF_HUB_OFFLINE:
            return False
        try:
            self._describe(hub, file, tries=1)
        except Exception:  # whatever keeps the hub from answering, the next fetch will tell
            return False
        return True

    @property
    def _revision(self) -> str:
        """The name under which the commit was asked for."""
        return self._options.revision or "main"

    def _path(self, file: str) -> PurePosixPath:
        path = PurePosixPath(self._options.subfolder or "", file)
        if not _PATH.fullmatch(str(path)):
            raise ValueError(f"{shown(str(path))} cannot be a file of a model on the hub")
        return path

    def _snapshots(self, hub: Any) -> Snapshots:
        hub.utils.validate_repo_id(self.name)
        return Snapshots(self._cache(hub), self.name)

    def _url(self, hub: Any, file: str, revision: str) -> str:
        url: str = hub.hf_hub_url(self.name, str(self._path(file)), revision=revision)
        return url

    def _describe(self, hub: Any, file: str, tries: int) -> Described:
        url = self._url(hub, file, self._commit or self._revision)
        return Transfers(hub, self._options.token).describe(url, tries)

    def _bring(self, hub: Any, file: str) -> Path | None:
        """Find a file in the cache, where that is enough, or fetch it into the cache."""
        snapshots = self._snapshots(hub)
        anew = self._options.force_download and file not in self._fetched
        cached = self._cached(snapshots, file)
        if self._only_cached or hub.constants.HF_HUB_OFFLINE:
            if anew:
                raise _NotAskedError("force_download=True needs the hub, which may not be asked")
            return self._from_cache(snapshots, file, self._unreachable or _NotAskedError())
        if cached and not anew and self._commit and snapshots.damage(cached) is None:
            return cached
        try:
            said = self._describe(hub, file, tries=1 if cached and not anew else _TRIES)
        except (hub.errors.RevisionNotFoundError, hub.errors.LocalTokenNotFoundError):
            raise
        except hub.errors.EntryNotFoundError as error:
            self._commit = self._commit or commit_of(error)
            raise
        except Exception as error:
            if anew or (not cached and isinstance(error, hub.errors.RepositoryNotFoundError)):
                raise
            return self._from_cache(snapshots, file, error)
        if self._commit not in (None, said.commit):
            raise OSError(f"it answers with another commit, {said.commit}")
        path = snapshots.path(said.commit, self._path(file))
        if anew or not (snapshots.holds(path, said) or snapshots.take(path, said)):
            self._receive(hub, snapshots, path, said)
        snapshots.remember(self._revision, said.commit)
        self._commit = said.commit
        self._fetched.add(file)
        return path

    def _cached(self, snapshots: Snapshots, file: str) -> Path | None:
        """Find a file in the cache, whole or not, at the commit that the revision had last."""
        commit = self._commit or snapshots.commit(self._revision)
        path = snapshots.path(commit, self._path(file)) if commit else None
        return path if path and os.path.lexists(path) else None

    def _from_cache(self, snapshots: Snapshots, file: str, why: Exception) -> Path | None:
        """Take a file as it is in the cache, or none, as the hub does not answer."""
        # What follows must be as old as the cache, even if the network comes back meanwhile.
        self._unreachable, self._only_cached = why, True
        path = self._cached(snapshots, file)
        if path is None:
            return None
        fault = snapshots.damage(path)
        if fault:
            raise _DamagedError(f"in the cache it is {fault}, and cannot be replaced now") from None
        self._commit = self._commit or snapshots.commit(self._revision)
        return path

    def _receive(self, hub: Any, snapshots: Snapshots, path: Path, said: Described) -> None:
        """Fetch a file, and once more if it is not what the hub says that it is."""
        file, transfers = path.name, Transfers(hub, self._options.token)
        url = self._url(hub, file, said.commit)
        for is_last in (False, True):
            try:
                with snapshots.receiving(path, said) as temporary:
                    transfers.receive(url, temporary, said.size)
                    fault = damage(temporary, file, said.etag, arrived=True)
                    if fault:
                        raise _DamagedError(f"what came is {fault}")
                return
            except _DamagedError:
                if is_last:
                    raise

    def _client(self) -> Any:
        try:
            import huggingface_hub
            import huggingface_hub.constants
            import huggingface_hub.errors
            import huggingface_hub.utils
        except ImportError as error:
            endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
            sentence = (
                f"{shown(self.name)} is no directory on this machine. To fetch a model of that "
                "name from the Hugging Face hub, huggingface_hub is needed: pip install "
                f"huggingface_hub. {by_hand(endpoint, self.name, self._revision)}"
            )
            raise FileNotFoundError(cut(sentence)) from error
        except ValueError as error:  # such as an HF_ENDPOINT that is no address
            raise ValueError(
                f"huggingface_hub does not start with what HF_… says in the environment: "
                f"{plain(error)}"
            ) from error
        return huggingface_hub

    def _cache(self, hub: Any) -> str:
        return os.fspath(self._options.cache_dir or hub.constants.HF_HUB_CACHE)

    def _unfetched(self, hub: Any) -> Unfetched:
        return Unfetched(hub, self.name, self._revision, self._cache(hub))


class _NotAskedError(Exception):
    """The hub may not be asked."""


class _DamagedError(OSError):
    """A file is not what the hub says, or what its name promises."""


def _check(options: HubOptions) -> None:
    """Refuse what can be no branch, directory or token of the hub."""
    for name, kind in (("revision", "branch, a tag or a commit"), ("subfolder", "directory")):
        value = getattr(options, name)
        if not isinstance(value, str | None):
            raise TypeError(f"{name} is {shown(value)}, but must be a string")
        if value and not _PATH.fullmatch(value.rstrip("/")):
            raise ValueError(f"{name} is {shown(value)}, but must be the name of a {kind}")
    token, cache = options.token, options.cache_dir
    if not isinstance(cache, str | os.PathLike | None):
        raise TypeError(f"cache_dir is {shown(cache)}, but must be a directory")
    if not isinstance(token, str | bool | None):
        raise TypeError("token is no string, but must be one, or True or False")
    if isinstance(token, str) and not re.fullmatch(r"[!-~]*", token):
        raise ValueError("token has a character that none has, such as a line break: copy it again")


#: What ``from_pretrained`` takes: a directory, a name of the hub, or files that were found already.
ModelName: TypeAlias = str | os.PathLike[str] | ModelFiles
