"""What lies at the datasets' places, compared with what is recorded as current."""

from __future__ import annotations

import os
import zlib
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import BinaryIO

from runfolio._dataclass import dataclass
from runfolio.errors import NotFoundError, RunfolioError
from runfolio.folio.dataset_hashing import StatCache, digest_of, files_of, manifest_digest
from runfolio.folio.dataset_placing import how_to_fetch, manifest_of, meant, place
from runfolio.folio.dataset_reading import format_of
from runfolio.folio.folio import Folio
from runfolio.objects import LocalStore
from runfolio.records.datasets import Dataset, DatasetKind
from runfolio.records.visible import visible

_ROWS_UP_TO = 64 << 20
"""Bytes of a file up to which its rows are compared with those of the recorded content."""
_NAMED = 5


class State(Enum):
    """What was found at a dataset's place."""

    IN_SYNC = "in sync"
    CHANGED = "changed"
    MISSING = "missing"
    NOT_FETCHED = "not fetched"
    NO_PLACE = "no place"
    UNREADABLE = "unreadable"


GOOD = (State.IN_SYNC, State.NO_PLACE)


@dataclass(frozen=True, slots=True)
class DatasetStatus:
    """A dataset and what lies at its place.

    Parameters
    ----------
    dataset : Dataset
    state : State
    text : str
        How much differs, or what to do.
    added, removed : int or None
        Rows of a table, or files of a folder, that came and went.
    changed : int or None
        Files of a folder whose bytes differ.
    first_row : int or None
        The first row that differs; 1 is the one after the header.
    files : tuple of str
        Some of the files that differ.
    """

    dataset: Dataset
    state: State
    text: str = ""
    added: int | None = None
    removed: int | None = None
    changed: int | None = None
    first_row: int | None = None
    files: tuple[str, ...] = ()


def cache_of(folio: Folio, dataset: Dataset) -> StatCache:
    """Return the digests that are kept for a dataset's files."""
    return StatCache(folio.place.local / "data" / f"{dataset.slug}.json")


def status(folio: Folio, names: tuple[str, ...] = ()) -> list[DatasetStatus]:
    """Look at the places of datasets.

    Parameters
    ----------
    folio : Folio
    names : tuple of str, optional
        All by default.

    Raises
    ------
    NotFoundError
        If there is no dataset of such a name.
    """
    datasets = [folio.datasets.find(name) for name in names] if names else folio.datasets.all()
    return [status_of(folio, item) for item in datasets]


def status_of(folio: Folio, dataset: Dataset) -> DatasetStatus:
    """Look at the place of one dataset."""
    root = folio.repo.work_tree
    if root is None or not dataset.path:
        return DatasetStatus(dataset, State.NO_PLACE, "it lies outside the work tree; get it with -o")
    path = root / dataset.path
    if not os.path.lexists(path):
        return _absent(folio, dataset)
    cache = cache_of(folio, dataset)
    try:
        if dataset.kind is DatasetKind.FOLDER and dataset.digest.startswith("sha256:") and path.is_dir():
            return _folder(folio, dataset, path, cache)
        if digest_of(path, dataset.digest, cache) == dataset.digest:
            return DatasetStatus(dataset, State.IN_SYNC)
        return _file(folio, dataset, path)
    except RunfolioError as error:
        return DatasetStatus(dataset, State.UNREADABLE, error.message)
    except OSError as error:
        return DatasetStatus(dataset, State.UNREADABLE, f"{dataset.path}: {error.strerror or error}")
    finally:
        cache.save()


def _absent(folio: Folio, dataset: Dataset) -> DatasetStatus:
    if dataset.object is None:
        return DatasetStatus(dataset, State.NOT_FETCHED, how_to_fetch(dataset))
    if folio.store.exists(dataset.object):
        return DatasetStatus(dataset, State.MISSING, f"bring it back with: runfolio data get {_word(dataset.name)}")
    return DatasetStatus(
        dataset, State.NOT_FETCHED, "its content is not in the object store of this clone either: runfolio artifacts pull"
    )


def _folder(folio: Folio, dataset: Dataset, path: Path, cache: StatCache) -> DatasetStatus:
    here = files_of(path, cache)
    if manifest_digest(here) == dataset.digest:
        return DatasetStatus(dataset, State.IN_SYNC)
    if dataset.object is None or not folio.store.exists(dataset.object):
        return DatasetStatus(dataset, State.CHANGED, "the recorded list of files is not at hand, so what changed is not known")
    there = manifest_of(folio.store, dataset.object, dataset.name)
    added, removed = sorted(here.keys() - there.keys()), sorted(there.keys() - here.keys())
    changed = sorted(name for name in here.keys() & there.keys() if here[name].digest != there[name].digest)
    words = [f"{len(names)} {what}" for names, what in ((added, "new"), (removed, "gone"), (changed, "changed")) if names]
    some = tuple((*changed, *added, *removed)[:_NAMED])
    return DatasetStatus(
        dataset, State.CHANGED, f"files: {', '.join(words)} ({', '.join(map(visible, some))})", len(added), len(removed),
        len(changed), files=some
    )  # fmt: skip


def _file(folio: Folio, dataset: Dataset, path: Path) -> DatasetStatus:
    if path.is_dir() != (dataset.kind is DatasetKind.FOLDER):
        return DatasetStatus(dataset, State.CHANGED, "a folder lies there" if path.is_dir() else "a file lies there")
    facts = folio.datasets.facts(dataset.slug, dataset.digest)
    size = os.stat(path).st_size
    sizes = f"{facts.size:,} → {size:,} bytes" if facts and not path.is_dir() else "its bytes differ"
    form, packed = format_of(path.name)
    near = dataset.object is not None and isinstance(folio.store, LocalStore) and folio.store.exists(dataset.object)
    if not near or dataset.object is None or packed or form not in ("csv", "tsv", "jsonl", "text"):
        return DatasetStatus(dataset, State.CHANGED, sizes, files=(dataset.path,))
    if max(size, facts.size if facts else 0) > _ROWS_UP_TO:
        return DatasetStatus(dataset, State.CHANGED, sizes, files=(dataset.path,))
    with folio.store.open(dataset.object) as old, path.open("rb") as new:
        first, added, removed = _rows(old, new)
    header = form in ("csv", "tsv")
    row = None if first is None else first - header
    where = f", first at row {row}" if row else ", first in the header" if row == 0 else ""
    moved = "the same rows in another order" if first else "only line ends differ"
    plural = "" if added == 1 else "s"
    text = f"{f'{added} row{plural} came, {removed} went' if added or removed else moved}{where}; {sizes}"
    return DatasetStatus(dataset, State.CHANGED, text, added, removed, first_row=row, files=(dataset.path,))


def _rows(old: BinaryIO, new: BinaryIO) -> tuple[int | None, int, int]:
    """Compare two files of lines: the first line that differs, and how many lines came and went, wherever they stand."""
    counts: Counter[int] = Counter()
    first = None
    number = 0
    for number, (before, after) in enumerate(_pairs(old, new), 1):
        if before == after:
            continue
        first = first or number
        if after is not None:
            counts[_mark(after)] += 1
        if before is not None:
            counts[_mark(before)] -= 1
    added = sum(count for count in counts.values() if count > 0)
    removed = -sum(count for count in counts.values() if count < 0)
    return first, added, removed


def _pairs(old: BinaryIO, new: BinaryIO) -> Iterator[tuple[bytes | None, bytes | None]]:
    while True:
        before, after = old.readline(), new.readline()
        if not before and not after:
            return
        yield (before.rstrip(b"\r\n") if before else None), (after.rstrip(b"\r\n") if after else None)


def _mark(line: bytes) -> int:
    return hash(line) ^ zlib.crc32(line)


def _word(name: str) -> str:
    import shlex

    return shlex.quote(visible(name))


def readable_path(folio: Folio, name: str) -> Path:
    """Return a path with the bytes of a content, verified: the dataset's own place, or a read-only copy under git's folder.

    Parameters
    ----------
    folio : Folio
    name : str
        ``wine``, ``wine@REV`` or ``wine@DIGEST``.

    Raises
    ------
    NotFoundError
        If nothing is meant by that, or the content is not at hand.
    DamagedError
        If the store's bytes are not those of the digest.
    """
    dataset = meant(folio, name)
    root = folio.repo.work_tree
    if root is not None and dataset.path and os.path.exists(root / dataset.path):
        cache = cache_of(folio, dataset)
        found = digest_of(root / dataset.path, dataset.digest, cache)
        cache.save()
        if found == dataset.digest:
            return root / dataset.path
    if dataset.object is None:
        raise NotFoundError(f"{visible(dataset.name)}: {how_to_fetch(dataset)}")
    base = folio.place.local / "data" / dataset.facts_name
    last = dataset.path.rpartition("/")[2] or dataset.slug
    place(folio.store, dataset, base, last, force=True, link=True)
    return base / last
