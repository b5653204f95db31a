"""Datasets that are a file or a folder: the digest is that of the bytes.

A folder's digest covers the relative path and the bytes of every file below it, sorted by path; links to folders are not
followed. The file is read once, when the dataset is made, and not kept in memory.

>>> import pathlib, tempfile
>>> path = pathlib.Path(tempfile.mkdtemp(), "wine.csv")
>>> _ = path.write_text("a,b")
>>> from_file(path).name, from_file(path).profile["num_bytes"]
('wine', 3)
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, UsageError, storage_error
from runfolio.tracking.datasets.dataset import Dataset
from runfolio.tracking.datasets.digests import DIGEST_LETTERS, ContentHash
from runfolio.tracking.datasets.sources import DatasetSource, LocalDatasetSource

_BLOCK = 1 << 20


class FileDataset(Dataset):
    """A file or folder that a run read; made by :func:`from_file`."""

    def __init__(self, path: Path, source: DatasetSource, name: str | None, digest: str, profile: dict[str, Any]) -> None:
        super().__init__(source, name, digest)
        self._path, self._profile = path, profile

    @property
    def path(self) -> Path:
        """Where the file is on this machine."""
        return self._path

    @property
    def profile(self) -> dict[str, Any]:
        """Bytes in all; the whole SHA-256 of a file, or how many files a folder has."""
        return dict(self._profile)


def from_file(path: str | os.PathLike[str], name: str | None = None, digest: str | None = None) -> FileDataset:
    """Make a dataset of a file or folder.

    Parameters
    ----------
    path : str or path
    name : str, optional
        The file's name without its ending by default.
    digest : str, optional
        Computed from the bytes by default.

    Returns
    -------
    FileDataset

    Raises
    ------
    NotFoundError
        If there is no such file.
    UsageError
        If it is neither file nor folder.
    StorageError
        If it cannot be read.
    """
    place = Path(path)
    if not place.exists():
        raise NotFoundError(f"from_file: {place} does not exist. Check the path; it is relative to {Path.cwd()}.")
    if not place.is_file() and not place.is_dir():
        raise UsageError(f"from_file: {place} is neither a file nor a folder, and has no fixed content.")
    try:
        computed, profile = _folder(place) if place.is_dir() else _file(place)
    except OSError as error:
        raise storage_error("read the dataset", error) from error
    return FileDataset(place, LocalDatasetSource(str(path)), name or place.resolve().stem or None, digest or computed, profile)


def _file(path: Path) -> tuple[str, dict[str, Any]]:
    digest, size = _sha256(path)
    return digest[:DIGEST_LETTERS], {"num_bytes": size, "sha256": digest}


def _folder(folder: Path) -> tuple[str, dict[str, Any]]:
    content, total = ContentHash(b"folder"), 0
    paths = sorted(_files_below(folder), key=lambda path: path.relative_to(folder).as_posix())
    for path in paths:
        digest, size = _sha256(path)
        content.text(path.relative_to(folder).as_posix()).text(digest)
        total += size
    return content.hexdigest(), {"num_files": len(paths), "num_bytes": total}


def _files_below(folder: Path) -> list[Path]:
    def refuse(error: OSError) -> None:
        raise error

    return [
        Path(base, name)
        for base, _, names in os.walk(folder, onerror=refuse, followlinks=False)
        for name in names
        if Path(base, name).is_file()
    ]


def _sha256(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
