"""Data read once: hashed, copied into the object store and described as it streams by.

A file's bytes are read from the user's disk one time. Formats that must be read out of order (Parquet, NumPy's) are described from
the copy. What is hashed is what is stored: a file that changes meanwhile is refused, and leaves at most an object that nothing
names.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

from runfolio._dataclass import dataclass, replace
from runfolio.errors import MissingPackageError, StateError, UsageError, missing_package, storage_errors
from runfolio.objects import ObjectStore, encode_manifest, media_type_of, walk_files
from runfolio.objects.files import open_source
from runfolio.profiling import Asked, Table
from runfolio.records.datasets import DatasetKind, Facts, FileType, Holder, check_dataset_path
from runfolio.records.runs import ArtifactEntry, Digest
from runfolio.records.visible import visible

_BUFFER = 1 << 20
_FORMATS = {
    "csv": "csv", "tsv": "tsv", "tab": "tsv", "jsonl": "jsonl", "ndjson": "jsonl", "parquet": "parquet", "npy": "npy", "npz": "npz",
    "txt": "text", "md": "text", "log": "text",
}  # fmt: skip
_TABLES = ("csv", "tsv", "jsonl", "parquet")
_STREAMED = ("csv", "tsv", "jsonl", "text")
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Content:
    """What reading a file or folder gave.

    Parameters
    ----------
    facts : Facts
    md5 : str
        Of a file, 32 hex digits, where that was asked for.
    files : tuple of (str, ArtifactEntry)
        Of a folder, by path.
    """

    facts: Facts
    md5: str = ""
    files: tuple[tuple[str, ArtifactEntry], ...] = ()


def format_of(path: str) -> tuple[str, bool]:
    """Return as what a file is read, by its ending, and whether it is packed with gzip; empty where it is not looked into.

    >>> format_of("train.csv.gz"), format_of("model.bin")
    (('csv', True), ('', False))
    """
    name = path.rpartition("/")[2].lower()
    packed = name.endswith(".gz")
    made = _FORMATS.get(name.removesuffix(".gz").rpartition(".")[2], "")
    return (made, packed) if not packed or made in _STREAMED else ("", False)


def read_content(
    path: Path, store: ObjectStore | None, *, asked: Asked | None = None, profile: bool = True, md5: bool = False
) -> Content:
    """Read a file or a folder.

    Parameters
    ----------
    path : Path
    store : ObjectStore or None
        Takes the bytes; None only hashes and describes.
    asked : Asked, optional
        What may be kept of the values themselves.
    profile : bool, optional
        Describe the columns.
    md5 : bool, optional
        Hash a file by MD5, too.

    Raises
    ------
    NotFoundError
        If there is nothing.
    UsageError
        If it is neither a file nor a folder, or holds a name that cannot be recorded.
    StateError
        If it changed while it was read.
    StorageError
        If it cannot be read, or stored.
    """
    if path.is_dir():
        return _folder(path, store, Table(asked), profile)
    table, arrays = Table(asked), dict[str, str]()
    form, packed = format_of(path.name) if profile else ("", False)
    entry, digest_md5 = _file(path, store, table, arrays, (form, packed), md5=md5)
    facts = Facts(entry.digest, size=entry.size, media_type=media_type_of(path.name), format=form, arrays=arrays)
    return Content(_described(facts, table, form), digest_md5)


def _described(facts: Facts, table: Table, form: str) -> Facts:
    rows = table.rows if form else None
    return replace(
        facts, rows=rows, columns=table.columns(), columns_left_out=table.left_out, sample=tuple(table.sample), notes=table.notes
    )


def _file(
    path: Path, store: ObjectStore | None, table: Table, arrays: dict[str, str], form: tuple[str, bool], *, md5: bool = False
) -> tuple[ArtifactEntry, str]:
    """Read one file: hash, store, describe."""
    with storage_errors(f"read {path}"), store.making() if store else nullcontext() as folder, open_source(path) as source:
        before = os.fstat(source.fileno())
        copy = None if folder is None else folder / "content"
        with _Passing(source, copy, md5) as passing:
            if form[0] in _STREAMED:
                _stream(passing, table, *form)
            passing.drain()
        after = os.fstat(source.fileno())
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or passing.size != after.st_size:
            raise StateError(f"{path} changed while it was read, so nothing was recorded. Try again when nothing writes to it.")
        if form[0] and form[0] not in _STREAMED:
            _from_disk(copy or path, table, arrays, form[0])
        if store is not None and copy is not None:
            store.take(copy, passing.digest)
        return ArtifactEntry(passing.digest, passing.size), passing.md5


def _stream(passing: _Passing, table: Table, form: str, packed: bool) -> None:
    from runfolio.profiling.delimited import read_delimited
    from runfolio.profiling.lines import count_lines, read_json_lines

    with _unpacked(io.BufferedReader(passing, _BUFFER), packed) as stream:
        try:
            if form == "jsonl":
                read_json_lines(stream, table)
            elif form == "text":
                count_lines(stream, table)
            else:
                read_delimited(stream, table, "\t" if form == "tsv" else None)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            table.note(f"it cannot be unpacked on: {error}")


@contextmanager
def _unpacked(stream: io.BufferedReader, packed: bool) -> Iterator[BinaryIO]:
    if packed:
        with gzip.GzipFile(fileobj=stream) as made:
            yield made  # type: ignore[misc]
    else:
        yield stream
    stream.detach()


def _from_disk(path: Path, table: Table, arrays: dict[str, str], form: str) -> None:
    try:
        if form == "parquet":
            from runfolio.profiling.parquet import read_parquet

            read_parquet(path, table)
        else:
            from runfolio.profiling.arrays import read_npy, read_npz

            (read_npy if form == "npy" else read_npz)(path, table, arrays)
    except ImportError:
        extra = "parquet" if form == "parquet" else ""
        missing: MissingPackageError = missing_package("pyarrow" if extra else "numpy", extra, "describe the columns")
        table.note(missing.message)


class _Passing(io.RawIOBase):
    """A file that is hashed, and copied, as it is read."""

    def __init__(self, source: BinaryIO, copy: Path | None, md5: bool) -> None:
        self._source = source
        self._sha = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False) if md5 else None
        self._copy = (
            -1 if copy is None else os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        )
        self.size = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        size: int = self._source.readinto(buffer)  # type: ignore[attr-defined]
        if size:
            self._take(memoryview(buffer)[:size])  # type: ignore[arg-type]
        return size

    def _take(self, part: memoryview) -> None:
        self._sha.update(part)
        if self._md5 is not None:
            self._md5.update(part)
        self.size += len(part)
        while self._copy >= 0 and part:
            part = part[os.write(self._copy, part) :]

    def drain(self) -> None:
        """Read on to the end."""
        buffer = bytearray(_BUFFER)
        while self.readinto(buffer):
            pass

    @property
    def digest(self) -> Digest:
        return Digest(f"sha256:{self._sha.hexdigest()}")

    @property
    def md5(self) -> str:
        return "" if self._md5 is None else self._md5.hexdigest()

    def close(self) -> None:
        if self._copy >= 0:
            os.close(self._copy)
            self._copy = -1
        super().close()


def _folder(folder: Path, store: ObjectStore | None, table: Table, profile: bool) -> Content:
    files = walk_files(folder)
    _refuse_names(folder, [name for name, _ in files])
    if not files:
        raise UsageError(f"{folder} holds no file, so there is nothing to record.")
    form = _one_format([name for name, _ in files]) if profile else ""
    entries: dict[str, ArtifactEntry] = {}
    for name, path in files:
        reading = format_of(name) if form and format_of(name)[0] == form else ("", False)
        entries[name] = _file(path, store, table, {}, reading)[0]
    manifest = encode_manifest(entries)
    digest = Digest(f"sha256:{hashlib.sha256(manifest).hexdigest()}")
    if store is not None:
        store.put_bytes(manifest)
    kinds: Counter[str] = Counter(media_type_of(name) for name in entries)
    sizes: Counter[str] = Counter()
    for name, entry in entries.items():
        sizes[media_type_of(name)] += entry.size
    facts = Facts(
        digest,
        DatasetKind.FOLDER,
        sum(sizes.values()),
        len(entries),
        format=form,
        types={kind: FileType(kinds[kind], sizes[kind]) for kind in sorted(kinds)},
        manifest_size=len(manifest) if store is not None else 0,
        held_by=Holder.STORE,
    )
    return Content(_described(facts, table, form), files=tuple(entries.items()))


def _one_format(names: Sequence[str]) -> str:
    """Return the format of the tables in a folder, where all of them are of one: they are described as one table."""
    found = {format_of(name)[0] for name in names} & set(_TABLES)
    return found.pop() if len(found) == 1 else ""


def _refuse_names(folder: Path, names: Sequence[str]) -> None:
    faults = []
    for name in names:
        try:
            check_dataset_path(name)
        except (UsageError, UnicodeError):
            faults.append(visible(name))
    if faults:
        more = f" and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
        raise UsageError(
            f"{folder}: {', '.join(faults[:_SHOWN])}{more}: no dataset holds a file of such a name (control characters, backslashes, text "
            "that is not UTF-8, git's own folder). Rename or move it."
        )
