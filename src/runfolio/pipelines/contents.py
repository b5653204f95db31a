"""What lies in the work tree, by digest; a file is read again only when its stamp (size, times, inode) has changed.

A *content* is a mapping of path to entry: a file is ``{"": entry}``, a folder has the paths below it. Stamps are a cache in the folio's
local folder: they may be thrown away. As git does with its index, a stamp is not believed where the file changed in the very moment in
which it was read, since a clock's tick is longer than a write.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from runfolio.formats.canonical import dump
from runfolio.objects import walk_files
from runfolio.objects.files import digest_of_file
from runfolio.records.runs import ArtifactEntry, Digest

Content = Mapping[str, ArtifactEntry]
TICK_NS = 50_000_000
_MAX_STAMPS = 200_000


class Stamps:
    """Digests of files by what ``stat`` says of them.

    Parameters
    ----------
    file : Path
        Where they are kept.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = self._read()
        self._seen: dict[str, list[Any]] = {}
        self._fresh = False

    def _read(self) -> dict[str, list[Any]]:
        try:
            found = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def entry(self, path: Path) -> ArtifactEntry:
        """Return a file's digest and size."""
        name = str(path)
        before = _stamp(path)
        known = self._seen.get(name) or self._known.get(name)
        if isinstance(known, list) and len(known) == 6 and known[:4] == before and max(before[1:3]) + TICK_NS < known[4]:
            self._seen[name] = known
            return ArtifactEntry(Digest(known[5]), before[0])
        digest, size = digest_of_file(path)
        after = _stamp(path)
        # As it was when reading began and ended: else it changes while it is looked at.
        self._seen[name] = [*after, time.time_ns() if before == after else 0, digest]
        self._fresh = True
        return ArtifactEntry(digest, size)

    def content(self, base: Path, place: str) -> dict[str, ArtifactEntry] | None:
        """Return what lies at a place; None where nothing does."""
        path = base / place
        if path.is_dir():
            return {name: self.entry(file) for name, file in walk_files(path)}
        return {"": self.entry(path)} if path.is_file() else None

    def keep(self) -> None:
        """Write the stamps down for the next time; where that cannot be, files are read again then."""
        if not self._fresh:
            return
        kept = dict(list({**self._known, **self._seen}.items())[-_MAX_STAMPS:])
        temporary = self._file.with_name(f".{self._file.name}.{os.getpid()}")
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(kept, separators=(",", ":")), "utf-8")
            os.replace(temporary, self._file)
        self._fresh = False


def _stamp(path: Path) -> list[int]:
    said = os.stat(path)
    return [said.st_size, said.st_mtime_ns, said.st_ctime_ns, said.st_ino]


def digest_of(content: Content) -> str:
    """Return the digest of a content: the file's own, or that of the list of a folder's files.

    Examples
    --------
    >>> digest_of({"": ArtifactEntry(Digest("sha256:" + "0" * 64), 7)})[:9]
    'sha256:00'
    """
    if list(content) == [""]:
        return str(content[""].digest)
    import hashlib

    files = {path: [entry.digest, entry.size] for path, entry in sorted(content.items())}
    return f"sha256:{hashlib.sha256(dump({'files': files})).hexdigest()}"


def below(content: Content, place: str) -> dict[str, ArtifactEntry]:
    """Return the part of a content at a place: a file's ``""``, or the paths below a folder."""
    if not place:
        return dict(content)
    if place in content:
        return {"": content[place]}
    return {path[len(place) + 1 :]: entry for path, entry in content.items() if path.startswith(f"{place}/")}


def joined(place: str, path: str) -> str:
    """Return the path of a file of a content that lies at a place."""
    return f"{place}/{path}" if place and path else place or path
