"""A bucket at any place that fsspec reaches, for those whose storage is none of the three clouds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from threading import local
from typing import Any
from urllib.parse import urlsplit

from runfolio.errors import MissingPackageError, NotFoundError, RunfolioError, StorageError, UsageError
from runfolio.objects.buckets import Stat, reason
from runfolio.objects.cloud_bucket import timeout
from runfolio.objects.incoming import CHUNK_BYTES

_READ_ONLY = frozenset(("http", "https", "zip", "tar", "libarchive", "git", "github", "gist", "reference", "data"))
"""Schemes of fsspec where nothing can be written, or nothing be replaced and renamed afterwards."""


class FsspecBucket:
    """Any other place that fsspec reaches: ``sftp://``, ``hdfs://``, ``webhdfs://``, ``smb://`` and more.

    Parameters
    ----------
    place : str

    Raises
    ------
    UsageError
        If fsspec knows no such scheme, the place cannot be opened, or it lasts no longer than the process (``memory://``).
    MissingPackageError
        If fsspec, or the package that it needs for the scheme, is not installed.
    """

    checks = False

    def __init__(self, place: str) -> None:
        scheme = place.partition(":")[0]
        if any(part.partition(":")[0].lower() in _READ_ONLY for part in place.split("::")):
            raise UsageError(f"artifacts: {place!r} can only be read: name a folder, or a bucket (s3://…, gs://…, az://…).")
        if urlsplit(place).password:
            raise UsageError(
                "artifacts: a place holds no credentials: give them by the service's own means (docs/how-to/storage.md)."
            )
        try:
            import fsspec  # type: ignore[import-untyped]
        except ImportError:
            raise MissingPackageError(
                f"Artifacts at {scheme}:// need the package fsspec: pip install 'runfolio[fsspec]'"
            ) from None
        self._place, self._scheme, self._root = place.rstrip("/"), scheme, ""
        self._mine = local()
        try:
            kinds = [fsspec.get_filesystem_class(part.partition(":")[0] or "file") for part in place.split("::")]
        except ImportError as error:
            raise MissingPackageError(_missing(scheme, error)) from None
        except ValueError as error:
            raise UsageError(
                f"artifacts: {place!r} is neither a folder nor a place that runfolio or fsspec knows: {error}."
            ) from None
        if any(issubclass(kind, fsspec.get_filesystem_class("memory")) for kind in kinds):
            raise UsageError(
                f"artifacts: {place!r} is gone with the process that wrote it, and records would name what is not there: name a folder, "
                "or a bucket (s3://…, gs://…, az://…)."
            )

    def _files(self) -> Any:
        """Open the place when a thread first uses it, so that to log needs no network; anew after a fault: the connection may be gone.

        Each thread has its own: two that ask over one connection of paramiko take each other's answers, and wait for ever.
        """
        import fsspec

        opened = getattr(self._mine, "opened", None)
        if opened is None:
            try:
                opened, root = fsspec.core.url_to_fs(self._place, skip_instance_cache=True)
            except ImportError as error:
                raise MissingPackageError(_missing(self._scheme, error)) from None
            except Exception as error:  # noqa: BLE001 each file system has errors of its own
                said = reason(next(iter(str(error).splitlines()), type(error).__name__))
                raise StorageError(f"Could not open {self._place}: {said}.") from None
            _give_up_in_time(opened)
            self._mine.opened, self._root = opened, str(root).rstrip("/")
        return opened

    def put(self, key: str, content: bytes | Path | Iterator[bytes], attributes: Mapping[str, str] | None = None) -> str:
        """Store content under a key; what breaks off is removed, as far as the place lets us. fsspec knows no headers."""
        with self._speaking(f"store {key} in") as files:
            self._make(files, key)
            try:
                with files.open(self._path(key), "wb") as target:
                    for chunk in _chunks(content):
                        target.write(chunk)
            except BaseException:
                with contextlib.suppress(Exception):
                    files.rm_file(self._path(key))
                raise
        return ""

    def create(self, key: str, content: bytes = b"") -> str | None:
        """Store bytes under a key where there is none; fsspec cannot tell two makers apart that do so in one moment."""
        return self.put(key, content) if self.stat(key) is None else None

    def open(self, key: str, start: int = 0) -> tuple[int, Iterator[bytes]]:
        """Return a key's size, and its bytes from an offset."""
        found = self.stat(key)
        if found is None:
            raise NotFoundError(f"Could not read {key} from {self._place}: it is not there.")
        return found.size, self._read(key, start)

    def _read(self, key: str, start: int) -> Iterator[bytes]:
        with self._speaking(f"read {key} from", reads=True) as files, files.open(self._path(key), "rb") as source:
            source.seek(start)
            while chunk := source.read(CHUNK_BYTES):
                yield chunk

    def stat(self, key: str) -> Stat | None:
        """Return size and time of a key, or None if it is not there."""
        try:
            with self._speaking(f"look for {key} in", reads=True) as files:
                return self._stat(files.info(self._path(key)))
        except NotFoundError:
            return None

    def move(self, key: str, to: str) -> None:
        """Move what lies under a key to another."""
        with self._speaking(f"move {key} in") as files:
            self._make(files, to)
            if files.exists(self._path(to)):
                files.rm_file(self._path(to))
            files.mv(self._path(key), self._path(to))

    def delete(self, keys: Iterable[str]) -> None:
        """Remove keys; those that are not there are passed over."""
        for key in keys:
            with self._speaking(f"delete {key} in") as files, contextlib.suppress(FileNotFoundError):
                files.rm_file(self._path(key))

    def list(self, prefix: str) -> Iterator[Stat]:
        """Yield what lies under keys that start with `prefix`, in order."""
        with self._speaking("list the objects of") as files:
            files.invalidate_cache()
            try:
                found = files.find(self._path(prefix.rstrip("/")), detail=True)
            except FileNotFoundError:
                return
            for _, facts in sorted(found.items()):
                yield self._stat(facts)

    def url(self, key: str) -> str:
        """Return where a key lies, for people."""
        return f"{self._place}/{key}"

    def part_uploads(self) -> None:
        """Return None: fsspec has no uploads that another process goes on with."""

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    def _make(self, files: Any, key: str) -> None:
        files.makedirs(self._path(key).rpartition("/")[0], exist_ok=True)

    def _stat(self, facts: dict[str, Any]) -> Stat:
        key = str(facts["name"])
        at = key.find(self._root.lstrip("/"))
        key = key[at + len(self._root.lstrip("/")) :].lstrip("/") if self._root.strip("/") else key.lstrip("/")
        time = facts.get("mtime") or facts.get("created") or facts.get("LastModified") or facts.get("last_modified") or 0
        return Stat(key, int(facts["size"] or 0), int((time.timestamp() if hasattr(time, "timestamp") else float(time)) * 1000))

    @contextlib.contextmanager
    def _speaking(self, action: str, reads: bool = False) -> Iterator[Any]:
        files = self._files()
        try:
            yield files
        except RunfolioError:
            raise
        except FileNotFoundError:
            if not reads:
                raise StorageError(f"Could not {action} {self._place}: there is no such place. Make it, or correct it.") from None
            raise NotFoundError(f"Could not {action} {self._place}: it is not there.") from None
        except Exception as error:  # noqa: BLE001 each file system has errors of its own
            self._mine.opened = None
            raise StorageError(f"Could not {action} {self._place}: {reason(str(error)) or type(error).__name__}.") from None


_PACKAGES = {"smbclient": "smbprotocol", "libarchive": "libarchive-c"}
"""Modules that bear another name than the package that brings them."""


def _missing(scheme: str, error: ImportError) -> str:
    """Say which package a file system of fsspec needs; fsspec itself tells a sentence, and the module in what caused it."""
    name = (getattr(error.__cause__, "name", None) or error.name or "").partition(".")[0]
    if not name:
        return f"Artifacts at {scheme}://: {error}"
    package = _PACKAGES.get(name, name)
    return f"Artifacts at {scheme}:// need the package {package}: pip install {package}"


def _give_up_in_time(files: Any) -> None:
    """Let a connection of paramiko that says nothing be given up: by itself it waits for ever."""
    channel = getattr(getattr(files, "ftp", None), "get_channel", None)
    if channel is not None and (found := channel()) is not None:
        found.settimeout(timeout())


def _chunks(content: bytes | Path | Iterator[bytes]) -> Iterator[bytes]:
    if isinstance(content, bytes):
        yield content
    elif isinstance(content, Path):
        with open(content, "rb") as source:
            while chunk := source.read(CHUNK_BYTES):
                yield chunk
    else:
        yield from content
