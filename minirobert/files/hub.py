"""A model by its name: a directory on this machine, or files of the Hugging Face hub.

A directory always wins. Any other name of the form ``"name"`` or ``"owner/name"`` is looked for on
the hub through huggingface_hub, which comes with ``pip install "minirobert[hub]"``. Its cache
(``HF_HOME``), its offline mode (``HF_HUB_OFFLINE``) and its endpoint (``HF_ENDPOINT``) apply.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any, TypeAlias, TypeVar

from ..sentences import listed, plain, shown
from .elsewhere import MERGE
from .local import model_directory
from .reading import read_together

__all__ = ["HubOptions", "ModelFiles", "ModelName"]

Value = TypeVar("Value")

_HUB_NAME = re.compile(r"[A-Za-z0-9_][\w.-]*(/[A-Za-z0-9_][\w.-]*)?", re.ASCII)


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
    is fetched is not mixed. Each file appears in the cache as a whole or not at all.

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
    """

    def __init__(self, name: str | os.PathLike[str], options: HubOptions = HubOptions()):
        self.name = os.fspath(name)
        self._options = options
        self._revision = options.revision
        self._only_cached = options.local_files_only
        self._unreachable: Exception | None = None
        self._directory: Path | None = None
        self.is_local = not (
            isinstance(name, str) and _HUB_NAME.fullmatch(name) and not os.path.exists(name)
        )
        if self.is_local:
            self._directory = model_directory(Path(model_directory(name), options.subfolder))

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
            path = Path(self._download(hub, file))
        except hub.errors.LocalEntryNotFoundError as error:
            # What follows must be as old as the cache, even if the network comes back meanwhile.
            self._unreachable, self._only_cached = error, True
            return False
        except hub.errors.EntryNotFoundError:
            return False
        except Exception as error:  # the client's own, its network library's, the disk's
            raise FileNotFoundError(self._sentence(hub, error, file)) from error
        self._directory = path.parent
        self._revision = path.parents[len(PurePosixPath(self._options.subfolder).parts)].name
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
        if self._unreachable is not None:
            sentence = self._sentence(self._client(), self._unreachable, "")
            raise FileNotFoundError(sentence) from self._unreachable
        wanted = listed((" and ".join(files) for files in sets), 120, ", nor ")
        place = f" in {shown(self._options.subfolder, 60)}" if self._options.subfolder else ""
        raise FileNotFoundError(
            f"{shown(self.name, 60)} on the hub has no {wanted}{place}{self._instead()}"
        )

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
        """Tell whether the hub has a file, without fetching it."""
        hub = self._client()
        if self._only_cached or hub.constants.HF_HUB_OFFLINE:
            return False
        path = str(PurePosixPath(self._options.subfolder, file))
        token = self._options.token
        try:
            return bool(hub.file_exists(self.name, path, revision=self._revision, token=token))
        except Exception:  # whatever keeps the hub from answering, the next fetch will tell
            return False

    def _download(self, hub: Any, file: str) -> str:
        options = self._options
        path: str = hub.hf_hub_download(
            self.name,
            file,
            revision=self._revision,
            subfolder=options.subfolder or None,
            cache_dir=options.cache_dir,
            token=options.token,
            force_download=options.force_download,
            local_files_only=self._only_cached,
            library_name="minirobert",
        )
        return path

    def _client(self) -> Any:
        try:
            import huggingface_hub
            import huggingface_hub.constants
            import huggingface_hub.errors
        except ImportError as error:
            endpoint = os.environ.get("HF_ENDPOINT", "https://huggingface.co")
            raise FileNotFoundError(
                f"{shown(self.name, 60)} is no directory on this machine. To fetch a model of that "
                "name from the Hugging Face hub, huggingface_hub is needed: pip install "
                f"'minirobert[hub]'. {self._by_hand(endpoint)}"
            ) from error
        return huggingface_hub

    def _sentence(self, hub: Any, error: Exception, file: str) -> str:
        """Say what went wrong, and how to get the model all the same."""
        reason = self._reason(hub, error, file)
        by_hand = self._by_hand(hub.constants.ENDPOINT)
        name = shown(self.name, 40)
        return f"{name} is no directory on this machine, and {plain(reason, 200)}. {by_hand}"

    def _reason(self, hub: Any, error: Exception, file: str) -> str:
        errors, endpoint = hub.errors, hub.constants.ENDPOINT
        page = plain(f"{endpoint}/{self.name}", 80)
        cases: list[tuple[type[Exception], str]] = [
            (errors.HFValidationError, "no model of the hub can have that name"),
            (
                errors.GatedRepoError,
                f"on the hub it is gated: accept its terms at {page}, then log in with "
                "hf auth login, or give token=",
            ),
            (
                errors.RepositoryNotFoundError,
                f"the hub at {endpoint} has no model of that name that you may see: check the "
                "spelling; for a private one, log in with hf auth login, or give token=",
            ),
            (
                errors.RevisionNotFoundError,
                f"on the hub it has no revision {shown(self._revision, 40)}: give a branch, a tag "
                f"or a commit of {page}/commits",
            ),
            (
                errors.LocalTokenNotFoundError,
                "token=True needs a token that is not there: log in with hf auth login",
            ),
            (errors.LocalEntryNotFoundError, self._why_not_cached(hub, endpoint)),
        ]
        for kind, sentence in cases:
            if isinstance(error, kind):
                return sentence
        what = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(". ")
        return (
            f"fetching {file} from {endpoint} failed, so nothing was loaded ({plain(what, 80)}): "
            "try again"
        )

    def _why_not_cached(self, hub: Any, endpoint: str) -> str:
        cache = self._options.cache_dir or hub.constants.HF_HUB_CACHE
        missing = f"its files are not, or not all, in the cache {shown(str(cache), 60)}"
        if self._options.local_files_only:
            return f"{missing}, while local_files_only=True forbids to look further"
        if hub.constants.HF_HUB_OFFLINE:
            return f"{missing}, while HF_HUB_OFFLINE=1 forbids to look further"
        return f"the hub at {endpoint} cannot be reached, and {missing}"

    def _by_hand(self, endpoint: str) -> str:
        page = f"{endpoint}/{self.name}/tree/{self._options.revision or 'main'}"
        return (
            "To download it by hand: save config.json, model.safetensors and tokenizer.json (or "
            f"vocab.json and merges.txt) from {plain(page, 100)} in a directory, and give that "
            "directory"
        )


#: What ``from_pretrained`` takes: a directory, a name of the hub, or files that were found already.
ModelName: TypeAlias = str | os.PathLike[str] | ModelFiles
