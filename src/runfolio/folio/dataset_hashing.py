"""Digests of what lies on disk, without reading twice what did not change.

Each digest is kept with the file's size, times and inode, under git's folder; where all of them are the same, the bytes are. A file
that was changed within two seconds before it was hashed is hashed again next time, since a clock's tick may hide a change (as git
does with its index, `racy-git`).
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from runfolio.errors import storage_error
from runfolio.formats.dvc import folder_digest
from runfolio.objects import encode_manifest, walk_files
from runfolio.objects.files import open_source
from runfolio.records.runs import ArtifactEntry, Digest

_RACY_NS = 2_000_000_000
_BUFFER = 1 << 20
Key = tuple[int, int, int, int]


class StatCache:
    """Digests of files by what `stat` says of them.

    Parameters
    ----------
    file : Path or None
        Where they are kept; None keeps nothing.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._held: dict[str, list[object]] = {}
        self._fresh: dict[str, list[object]] = {}
        self.hashed = 0
        with suppress(OSError, ValueError):
            read = json.loads(file.read_bytes()) if file is not None else {}
            self._held = read if isinstance(read, dict) else {}

    def digest(self, path: Path, kind: str = "sha256") -> str:
        """Return a file's digest in hex: ``sha256``, ``md5``, or ``dos``, the MD5 of the text with Unix line ends."""
        found = os.stat(path)
        key: list[object] = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
        name = f"{kind} {path}"
        held = self._held.get(name)
        if isinstance(held, list) and held[:4] == key and isinstance(held[-1], str):
            self._fresh[name] = held
            return held[-1]
        started = time.time_ns()
        made = _hash(path, kind)
        self.hashed += 1
        if max(found.st_mtime_ns, found.st_ctime_ns) < started - _RACY_NS:
            self._fresh[name] = [*key, made]
        return made

    def save(self) -> None:
        """Keep what was asked for; where that cannot be, the next look reads the files again."""
        if self._file is None or self._fresh == self._held:
            return
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}")
        with suppress(OSError, UnicodeError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._fresh), "ascii")
            os.replace(temporary, self._file)


def _hash(path: Path, kind: str) -> str:
    sha = hashlib.sha256() if kind == "sha256" else hashlib.md5(usedforsecurity=False)
    with open_source(path) as source:
        try:
            while chunk := source.read(_BUFFER):
                sha.update(chunk.replace(b"\r\n", b"\n") if kind == "dos" else chunk)
        except OSError as error:
            raise storage_error(f"read {path}", error) from error
    return sha.hexdigest()


def digest_of(path: Path, like: str, cache: StatCache | None = None) -> str:
    """Return the digest of what lies at a path, in the way in which another digest was made.

    Parameters
    ----------
    path : Path
        A file or a folder.
    like : str
        A digest of SHA-256 or of DVC's.
    cache : StatCache, optional

    Returns
    -------
    str
        Of a folder that of its manifest, or DVC's; `like` itself where an MD5 of an older DVC fits.
    """
    held = cache or StatCache(None)
    if like.startswith("sha256:"):
        if not path.is_dir():
            return f"sha256:{held.digest(path)}"
        return manifest_digest(files_of(path, held))
    if path.is_dir():
        made = folder_digest((name, held.digest(file, "md5")) for name, file in walk_files(path))
        return (
            made
            if made == like
            else _with(folder_digest((name, held.digest(file, "dos")) for name, file in walk_files(path)), like, made)
        )
    made = f"md5:{held.digest(path, 'md5')}"
    return made if made == like else _with(f"md5:{held.digest(path, 'dos')}", like, made)


def _with(other: str, like: str, made: str) -> str:
    return other if other == like else made


def files_of(folder: Path, cache: StatCache, told: Callable[[], None] | None = None) -> dict[str, ArtifactEntry]:
    """Return the files of a folder on disk as a manifest would list them."""
    made: dict[str, ArtifactEntry] = {}
    for name, path in walk_files(folder):
        made[name] = ArtifactEntry(Digest(f"sha256:{cache.digest(path)}"), os.stat(path).st_size)
        if told:
            told()
    return made


def manifest_digest(files: dict[str, ArtifactEntry]) -> str:
    """Return the digest of the manifest that lists some files; that of an empty one where there is none."""
    return f"sha256:{hashlib.sha256(encode_manifest(files)).hexdigest()}"
