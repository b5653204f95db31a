"""Measure what a folio takes: in git, in the index, on the disk, and what one sync costs here.

Nothing is changed but one temporary file of 4 KB, which times a sync and is removed. Sizes in bytes, times in milliseconds.
"""

from __future__ import annotations

import os
import shutil
import statistics
import struct
import tempfile
import time
from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path

from runfolio._dataclass import dataclass
from runfolio.folio.place import Place
from runfolio.formats import paths
from runfolio.gitstore.program import git_version
from runfolio.objects import LocalStore, ObjectStore

WINDOW_DAYS = 30
"""Days back over which the present rate is taken."""

_SYNCS = 5
_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class RecordSizes:
    """The records of a commit.

    Parameters
    ----------
    runs, files : int
        Runs, and files of all records.
    bytes : int
        Of the files, as they are in a work tree.
    largest_path, largest : str, int
        The largest file and its bytes.
    stored : int
        Bytes that all versions of the records, with their trees and commits, take in git.
    recent : int
        Runs of the last `WINDOW_DAYS` days.
    a_day : float
        Runs a day over that time, or since the first run if that is less.
    """

    runs: int = 0
    files: int = 0
    bytes: int = 0
    largest_path: str = ""
    largest: int = 0
    stored: int = 0
    recent: int = 0
    a_day: float = 0.0

    @property
    def a_run(self) -> float:
        """Bytes that a run takes in git."""
        return self.stored / self.runs if self.runs else 0.0


@dataclass(frozen=True, slots=True)
class RepositorySize:
    """What git's own folder holds, as ``git count-objects`` says it.

    Parameters
    ----------
    packed, loose, garbage : int
        Bytes in packs, in single files (by disk blocks), and in files that are none of git's.
    packs, packed_objects, loose_objects : int
    """

    packed: int = 0
    loose: int = 0
    garbage: int = 0
    packs: int = 0
    packed_objects: int = 0
    loose_objects: int = 0

    @property
    def bytes(self) -> int:
        """Bytes in all."""
        return self.packed + self.loose + self.garbage


@dataclass(frozen=True, slots=True)
class IndexSize:
    """The user's index of the work tree: each git command reads it whole, and each commit writes it.

    Parameters
    ----------
    bytes, entries : int
    records : int
        Entries that are records.
    """

    bytes: int
    entries: int
    records: int

    @property
    def record_bytes(self) -> int:
        """Bytes of the index that are there for records, by their share of the entries."""
        return self.bytes * self.records // self.entries if self.entries else 0


@dataclass(frozen=True, slots=True)
class StoreSize:
    """The object store, where it is a folder.

    Parameters
    ----------
    place : str
    objects, bytes : int
    recent : int
        Bytes of the objects that were put in the last `WINDOW_DAYS` days.
    free, total : int
        Bytes of the disk.
    """

    place: str
    objects: int
    bytes: int
    recent: int
    free: int
    total: int


def measure_records(place: Place, tip: str, today: date) -> RecordSizes:
    """Measure the records of a commit."""
    folders = [place.full(name) for name in (*paths.OURS, paths.DATASETS)]
    listed = place.repo.run("ls-tree", "-r", "-l", "-z", "--full-tree", "--end-of-options", tip, *folders)
    runs = files = total = largest = recent = 0
    largest_path, first = "", today
    since = today - timedelta(days=WINDOW_DAYS)
    for line in listed.split(b"\0"):
        if not line:
            continue
        head, _, raw = line.partition(b"\t")
        path = place.strip(raw.decode("utf-8", "surrogateescape"))
        if path.startswith(f"{paths.DATASETS}/") and not paths.is_of_dataset(path):
            continue
        word = head.split()[-1]
        size = int(word) if word.isdigit() else 0
        files, total = files + 1, total + size
        if size > largest:
            largest, largest_path = size, raw.decode("utf-8", "replace")
        if paths.run_of_path(path):
            runs += 1
            day = _day_of(path)
            first = min(first, day)
            recent += since < day <= today
    span = max(1, min(WINDOW_DAYS, (today - first).days + 1))
    return RecordSizes(runs, files, total, largest_path, largest, _stored(place, tip, folders[:-1]), recent, recent / span)


def _day_of(path: str) -> date:
    _, _, month, day, _ = path.split("/")
    try:
        return date.fromisoformat(f"{month}-{day}")
    except ValueError:
        return date.min


def _stored(place: Place, tip: str, folders: Sequence[str]) -> int:
    """Return the bytes in git of all versions of the records, with the trees and commits that carry them."""
    if git_version() >= (2, 31):
        said = place.repo.run("rev-list", "--objects", "--disk-usage", "--end-of-options", tip, "--", *folders)
        return int(said.strip() or 0)
    listed = place.repo.run("rev-list", "--objects", "--no-object-names", "--end-of-options", tip, "--", *folders)
    sizes = place.repo.run("cat-file", "--batch-check=%(objectsize:disk)", input=listed)
    return sum(int(size) for size in sizes.split() if size.isdigit())


def measure_repository(place: Place) -> RepositorySize:
    """Measure git's own folder."""
    said = dict(line.split(": ", 1) for line in place.repo.run("count-objects", "-v").decode().splitlines() if ": " in line)

    def number(key: str, unit: int = 1) -> int:
        return int(said.get(key, "0")) * unit

    return RepositorySize(
        number("size-pack", 1024), number("size", 1024), number("size-garbage", 1024),
        number("packs"), number("in-pack"), number("count"),
    )  # fmt: skip


def measure_index(place: Place, files: int) -> IndexSize | None:
    """Measure the index of the work tree; None in a bare repository, or before the first ``git add``.

    Parameters
    ----------
    place : Place
    files : int
        Files of all records, which are entries where the records are on the branch at hand.
    """
    file = place.repo.git_dir / "index"
    if place.repo.bare:
        return None
    try:
        with open(file, "rb") as index:
            head = index.read(12)
            size = os.fstat(index.fileno()).st_size
    except OSError:
        return None
    # "DIRC", version, number of entries: git's index-format documentation.
    entries = struct.unpack(">4sII", head)[2] if len(head) == 12 and head[:4] == b"DIRC" else 0
    return IndexSize(size, entries, min(files, entries) if place.ledger is None else 0)


def measure_sync(folder: Path) -> float | None:
    """Time one sync of 4 KB in a folder, the median of a few; None where it cannot be written."""
    times = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            for _ in range(_SYNCS):
                file.write(os.urandom(4096))
                start = time.perf_counter()
                file.flush()
                os.fsync(file.fileno())
                times.append((time.perf_counter() - start) * 1000)
    except OSError:
        return None
    return statistics.median(times)


def measure_store(store: ObjectStore, now_ms: int) -> StoreSize | None:
    """Measure the object store; None where it is no folder of this machine."""
    if not isinstance(store, LocalStore):
        return None
    objects = total = recent = 0
    since = now_ms - int(WINDOW_DAYS * _DAY_S * 1000)
    for _, size, modified in store.listed():
        objects, total = objects + 1, total + size
        recent += size if modified > since else 0
    disk = shutil.disk_usage(_existing(store.root))
    return StoreSize(str(store.root), objects, total, recent, disk.free, disk.total)


def _existing(folder: Path) -> Path:
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())
