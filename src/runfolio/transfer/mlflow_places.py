"""Where files of an MLflow store lie: on this machine, where they are read as they are, or elsewhere, where MLflow fetches them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio.errors import NotFoundError, RemoteError, RunfolioError, missing_package, storage_error
from runfolio.transfer.folders import files_below
from runfolio.transfer.source import SourceFile, StoreGoneError

_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EMFILE, errno.ENFILE)
_LEVELS = 64


@contextmanager
def asked(what: str, gone: Callable[[], bool] = lambda: False) -> Iterator[None]:
    """Tell whatever MLflow, its database or its network raises as an error of the other store.

    Parameters
    ----------
    what : str
        What could not be done.
    gone : callable, optional
        Asks whether the store is there at all.

    Raises
    ------
    StorageError
        If our own disk is full.
    StoreGoneError
        If the store is gone.
    RemoteError
        For anything else.
    """
    try:
        yield
    except RunfolioError:
        raise
    except Exception as error:  # noqa: BLE001 # told as the other store's, whatever class its libraries raise
        if (full := _full_disk(error)) is not None:
            raise storage_error("keep a file of the other store", full) from None
        said = [line.strip() for line in str(error).splitlines() if line.strip()]
        first = " ".join(said[: 2 if said and said[0].endswith(":") else 1])  # the line after such a one says what it was
        text = f"{what}: {first or type(error).__name__}"
        if gone():
            raise StoreGoneError(
                f"{text} The store does not answer any more; import again once it does: it goes on there."
            ) from None
        raise RemoteError(text) from None


def _full_disk(error: BaseException) -> OSError | None:
    """Find what our own disk said, in what MLflow made of it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in _DISK:
            return found
        found = found.__cause__ or found.__context__
    return next((OSError(code, os.strerror(code)) for code in _DISK[:2] if os.strerror(code) in str(error)), None)


def path_of(uri: str) -> Path | None:
    """Return the path that an address names on this machine; None where it names none."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    return Path(uri) if "://" not in uri and not uri.startswith(("mlflow-artifacts:", "models:", "runs:", "dbfs:")) else None


def own_folder(uri: str, *ends: str) -> Path | None:
    """Return the folder of this machine that an address names, if it is one that MLflow made: its last parts are `ends`."""
    place = path_of(uri) if uri else None
    return place if place is not None and place.is_absolute() and place.parts[-len(ends) :] == ends else None


def list_local(place: Path) -> list[SourceFile]:
    """List the files below a folder of this machine; links that lead out of it, and what is no file, are refused."""
    refused: list[SourceFile] = []
    found = files_below(place, [place], lambda link, why: refused.append(SourceFile(link.relative_to(place).as_posix(), 0, why)))
    return [*(SourceFile(path, file.stat().st_size) for path, file in found), *refused]


def below(ask: Callable[[str | None], Any], path: str | None = None, level: int = 0) -> Iterator[SourceFile]:
    """Yield the files below a folder that MLflow lists, folder by folder."""
    if level > _LEVELS:
        return
    for item in ask(path):
        if item.is_dir:
            yield from below(ask, item.path, level + 1)
        else:
            yield SourceFile(item.path, item.file_size or 0)


class Elsewhere:
    """A folder that is not on this machine: in a bucket, with a server.

    Parameters
    ----------
    uri : str
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def _repository(self) -> Any:
        try:
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository
        except ImportError:
            raise missing_package("mlflow", "mlflow", f"fetch files from {self._uri}") from None
        with asked(f"{self._uri} cannot be opened"):
            return get_artifact_repository(self._uri)

    def list(self) -> list[SourceFile]:
        """List the files."""
        if urlsplit(self._uri).scheme == "mlflow-artifacts":
            raise NotFoundError(f"its files lie with a server ({self._uri}): import from that server's address to have them")
        repository = self._repository()
        with asked(f"{self._uri} cannot be listed"):
            return list(below(repository.list_artifacts))

    def fetch(self, path: str, folder: Path) -> Path:
        """Copy a file into a folder; all of them where `path` is empty."""
        repository = self._repository()
        with asked(f"{self._uri}, {path}: it cannot be fetched"):
            return Path(repository.download_artifacts(path, str(folder)))
