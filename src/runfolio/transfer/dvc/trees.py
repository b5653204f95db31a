"""Where DVC's files are read: a commit's tree or a work folder, and DVC's cache of what git does not hold."""

from __future__ import annotations

import configparser
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from runfolio._dataclass import dataclass
from runfolio.gitstore import Repo
from runfolio.transfer.folders import files_below

_NEVER = (".git", ".dvc", ".venv", "node_modules")


class Files(Protocol):
    """The files of a revision."""

    @property
    def paths(self) -> list[str]:
        """Paths from the root, with ``/``, in order."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        ...

    def place(self, path: str) -> Path | bytes:
        """Return where a file is, or what it holds."""
        ...


class CommitFiles:
    """The files of a commit.

    Parameters
    ----------
    repo : Repo
    commit : str
    """

    def __init__(self, repo: Repo, commit: str) -> None:
        self._repo = repo
        self._entries = {entry.path: entry.oid for entry in repo.tree_entries(commit, "") if entry.mode.startswith("100")}
        self.paths = sorted(self._entries)

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        oid = self._entries.get(path)
        return None if oid is None else self._repo.read(oid)

    def place(self, path: str) -> Path | bytes:
        """Return what a file holds."""
        return self.read(path) or b""


class FolderFiles:
    """The files of a folder as they are now; links that lead out of it are left.

    Parameters
    ----------
    root : Path
    refuse : callable
        Given each link or special file that is not taken, and why.
    """

    def __init__(self, root: Path, refuse: Callable[[Path, str], None]) -> None:
        self._root = root
        found = files_below(root, [root], refuse, never=_NEVER)
        self._places = dict(found)
        self.paths = sorted(self._places)

    def read(self, path: str) -> bytes | None:
        """Return a file's content; None where there is none."""
        place = self._places.get(path)
        return None if place is None else place.read_bytes()

    def place(self, path: str) -> Path | bytes:
        """Return where a file is."""
        return self._places[path]


@dataclass(frozen=True, slots=True)
class Cache:
    """DVC's cache on this machine: files by their MD5.

    Parameters
    ----------
    folder : Path
    """

    folder: Path

    def file(self, digest: str) -> Path | None:
        """Return where the file of a digest (``md5:…``) is; None where it is not, or its bytes are others."""
        md5 = digest.removeprefix("md5:")
        for place in (self.folder / "files" / "md5" / md5[:2] / md5[2:], self.folder / md5[:2] / md5[2:]):
            if place.is_file() and (place.parent.parent.name != "md5" or _md5(place) == md5.removesuffix(".dir")):
                return place
        return None

    def listing(self, digest: str) -> list[tuple[str, str]] | None:
        """Return path and digest of the files of a folder's digest; None where its list is not here."""
        place = self.file(digest)
        if place is None:
            return None
        try:
            return [(str(item["relpath"]), f"md5:{item['md5']}") for item in json.loads(place.read_bytes())]
        except (ValueError, KeyError, TypeError):
            return None


def cache_of(root: Path) -> Cache:
    """Return the cache of a repository of DVC, where its settings say it is."""
    made = root / ".dvc" / "cache"
    for name in ("config", "config.local"):
        settings = configparser.ConfigParser(interpolation=None, strict=False)
        try:
            settings.read(root / ".dvc" / name)
            said = settings.get("cache", "dir", fallback="")
        except (configparser.Error, UnicodeDecodeError):
            continue
        if said:
            made = Path(os.path.normpath(root / ".dvc" / said))
    return Cache(made)


def _md5(place: Path) -> str:
    made = hashlib.md5(usedforsecurity=False)
    with open(place, "rb") as file:
        while part := file.read(1 << 20):
            made.update(part)
    return made.hexdigest()
