"""Why a model of the hub is not here, in a sentence, and how to get it all the same."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from ..sentences import LIMIT, cut, shown

__all__ = ["Unfetched", "by_hand"]


def by_hand(endpoint: str, name: str, revision: str) -> str:
    """Say how to get a model without huggingface_hub."""
    return (
        "To download it by hand: save config.json, model.safetensors and tokenizer.json (or "
        f"vocab.json and merges.txt) from {endpoint}/{name}/tree/{revision} in a directory, and "
        "give that directory"
    )


@dataclass(frozen=True)
class Unfetched:
    """What the sentences are about.

    Parameters
    ----------
    hub : module
        huggingface_hub, of which the errors are.
    name, revision, cache : str
    """

    hub: Any
    name: str
    revision: str
    cache: str

    def failed(self, file: str, error: Exception, commit: str | None) -> str:
        """Say why a file could not be fetched, of a commit if one was known."""
        return self._whole(
            self._known(error, commit or self.revision) or self._unknown(file, error)
        )

    def not_cached(self, error: Exception, only_local: bool, absent: str | None) -> str:
        """Say why the hub was not asked, or did not answer, and which file is absent, if one is."""
        missing = f"its files are not, or not all, in the cache {self._cache()}"
        if absent:
            missing = f"in the cache {self._cache()} it has no {absent}"
        if only_local:
            return self._whole(f"{missing}, while local_files_only=True forbids to look further")
        if self.hub.constants.HF_HUB_OFFLINE:
            return self._whole(f"{missing}, while HF_HUB_OFFLINE=1 forbids to look further")
        hub = f"the hub at {self._endpoint} cannot be reached"
        return self._whole(f"{hub}, and {missing} ({_first_line(error)})")

    def _whole(self, reason: str) -> str:
        start = f"{shown(self.name)} is no directory on this machine, and {reason}. "
        whole = start + by_hand(self._endpoint, self.name, self.revision)
        if len(whole) > LIMIT:
            whole = f"{start}Or download it by hand, and give the directory that it is in"
        return cut(whole)

    def _known(self, error: Exception, revision: str) -> str | None:
        errors, endpoint = self.hub.errors, self._endpoint
        page = f"{endpoint}/{self.name}"
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
                f"on the hub it has no revision {shown(revision)}: give a branch, a tag or a "
                f"commit of {page}/commits",
            ),
            (
                errors.LocalTokenNotFoundError,
                "token=True needs a token that is not there: log in with hf auth login",
            ),
        ]
        return next((sentence for kind, sentence in cases if isinstance(error, kind)), None)

    def _unknown(self, file: str, error: Exception) -> str:
        if isinstance(error, OSError) and error.strerror is not None:
            why = cut(str(error.strerror), 60)
            return f"the cache {self._cache()} cannot be used ({why}): give another as cache_dir="
        return (
            f"fetching {cut(file, 60)} from {self._endpoint} failed, so nothing was loaded "
            f"({_first_line(error)}): try again"
        )

    @property
    def _endpoint(self) -> str:
        return re.sub("//[^/]*@", "//", self.hub.constants.ENDPOINT)  # without a password

    def _cache(self) -> str:
        return repr(cut(self.cache, 100))


def _first_line(error: BaseException) -> str:
    """Quote what the first of a chain of errors says, such as that a connection was refused."""
    while inner := error.__cause__ or (not error.__suppress_context__ and error.__context__):
        error = inner
    lines = str(error).strip().splitlines()
    return cut(lines[0].rstrip(". ") if lines else type(error).__name__, 120)
