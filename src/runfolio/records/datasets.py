"""Datasets: which content a name stands for, and what is known of each content.

A :class:`Dataset` is the line that people review: a name, a place in the work tree, and the digest that is current. A
:class:`Facts` tells of one content (size, rows, columns with their statistics); it is written once and never current or not.

The digest of a file is that of its bytes, the digest of a folder that of its manifest, the list of its files. Data that another tool
keeps (DVC) is named by the digest of that tool.

>>> wine = Dataset("wine", "wine", "sha256:" + "0" * 64, path="data/wine.csv")
>>> wine.facts_name
'0000000000000000'
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio._pattern import pattern
from runfolio.errors import UsageError
from runfolio.records.names import check_artifact_path, check_experiment_name
from runfolio.records.runs import Digest

_DIGEST = pattern(r"sha256:[0-9a-f]{64}\Z|md5:[0-9a-f]{32}(?:\.dir)?\Z")
_GIT = pattern(r"\.git\Z|git~\d+\Z", re.IGNORECASE)
FACTS_DIGITS = 16


class DatasetKind(Enum):
    """What lies at a dataset's path."""

    FILE = "file"
    FOLDER = "folder"


class Holder(Enum):
    """Who keeps the bytes of a dataset."""

    STORE = "store"
    """The folio's object store."""
    DVC = "dvc"
    """DVC: its cache and its remotes."""
    SOURCE = "source"
    """The place that `source` names; runfolio never fetches from there by itself."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A named dataset and the content that is current.

    Parameters
    ----------
    slug : str
        Name of its file and folder; never changes.
    name : str
        What people call it.
    digest : str
        Of the current content: ``sha256:`` and 64 hex digits; for a folder that of its manifest. Where DVC keeps the data:
        ``md5:``, 32 hex digits, and ``.dir`` for a folder.
    path : str
        Where it lies in the work tree, from the repository's root; empty where it lies outside.
    kind : DatasetKind
    held_by : Holder
    source : str
        Where the data came from: a URI, for people. It is never followed.
    created : int
        Milliseconds since the epoch, UTC; 0 where it is not known.
    description : str
    tags : Mapping of str to str
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    slug: str
    name: str
    digest: str
    path: str = ""
    kind: DatasetKind = DatasetKind.FILE
    held_by: Holder = Holder.STORE
    source: str = ""
    created: int = 0
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def facts_name(self) -> str:
        """Name of the file with the facts of the current content."""
        return facts_name(self.digest)

    @property
    def object(self) -> Digest | None:
        """The object with the content (a folder's manifest), None where another tool keeps it."""
        return Digest(self.digest) if self.held_by is Holder.STORE else None


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts of values in bins of one width, whose edges are multiples of it.

    The width is a power of two, so that the histograms of two contents can be brought to the same bins by adding up. The first
    bin holds what is less than its lower edge, too, and the last what is more than its upper one.

    Parameters
    ----------
    start : float
        Lower edge of the first bin.
    width : float
    counts : tuple of int
    """

    start: float
    width: float
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """What is known of one column of a content.

    Parameters
    ----------
    name : str
    type : str
        ``integer``, ``number``, ``boolean``, ``text``, ``date``, ``mixed`` (numbers and text), ``nested``, ``empty``, or a type of
        the file's own that has no statistics.
    count, missing : int
        Rows with and without a value.
    min, max : float, str or None
        Of the numbers; of dates as text.
    mean, std : float or None
        Of the numbers that are finite; `std` with ``n - 1``.
    not_finite : int
        Numbers that are infinite.
    texts : int
        Values that are no numbers, in a mixed column.
    length_min, length_mean, length_max : float or None
        Characters of a text.
    distinct : int or None
        Different values of a text; None where there are more than were counted.
    quantiles : tuple of float
        At equal steps from 0 to 1, both included.
    histogram : Histogram or None
    sampled : int
        How many values `quantiles` and `histogram` rest on, where not on all.
    values : Mapping of str to int
        The most frequent values with their counts; of booleans always, of texts only on request.
    """

    name: str
    type: str
    count: int = 0
    missing: int = 0
    min: float | str | None = None
    max: float | str | None = None
    mean: float | None = None
    std: float | None = None
    not_finite: int = 0
    texts: int = 0
    length_min: int | None = None
    length_mean: float | None = None
    length_max: int | None = None
    distinct: int | None = None
    quantiles: tuple[float, ...] = ()
    histogram: Histogram | None = None
    sampled: int = 0
    values: Mapping[str, int] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FileType:
    """How many files of one media type a folder holds, and their bytes."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one content of a dataset; a function of that content, so that two who record it write the same.

    Parameters
    ----------
    digest : str
    kind : DatasetKind
    size : int
        Bytes; of a folder those of its files.
    files : int
        1 for a file.
    media_type : str
        Of a file.
    format : str
        As what it was read for its statistics: ``csv``, ``tsv``, ``jsonl``, ``parquet``, ``npy``, ``npz``, ``text``; empty where
        it was not.
    rows : int or None
        Rows of a table, lines of a text.
    columns : tuple of ColumnFacts
        In the file's order.
    columns_left_out : int
        How many more columns there are.
    arrays : Mapping of str to str
        Shape and element type of each array of an ``.npy`` or ``.npz``: ``"1797 × 64 float64"``.
    types : Mapping of str to FileType
        Files of a folder by media type.
    manifest_size : int
        Bytes of a folder's manifest; 0 for a file.
    sample : tuple of Mapping
        The first rows, on request.
    notes : tuple of str
        What was not read, and why.
    held_by : Holder
        Who keeps the bytes; with the store, the digest is an object.
    extra : Mapping
        Fields that this version does not know; written back unchanged.
    """

    digest: str
    kind: DatasetKind = DatasetKind.FILE
    size: int = 0
    files: int = 1
    media_type: str = ""
    format: str = ""
    rows: int | None = None
    columns: tuple[ColumnFacts, ...] = ()
    columns_left_out: int = 0
    arrays: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, FileType] = field(default_factory=dict)
    manifest_size: int = 0
    sample: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    held_by: Holder = Holder.STORE
    extra: Mapping[str, Any] = field(default_factory=dict)


def facts_name(digest: str) -> str:
    """Return the name of the file with the facts of a content: the first 16 hex digits of its digest."""
    return digest.partition(":")[2][:FACTS_DIGITS]


def check_dataset_digest(value: object) -> str:
    """Return `value` if it names a content.

    Raises
    ------
    ValueError
        If it is neither a SHA-256 nor an MD5 of DVC's.
    """
    if not isinstance(value, str) or not _DIGEST.match(value):
        raise ValueError(f"'sha256:' and 64 hex digits are expected (or DVC's 'md5:' and 32), found {value!r}")
    return value


def check_dataset_path(value: object) -> str:
    """Return `value` if a dataset may lie there: a normal relative path that stays below the repository and out of git's own folder.

    Raises
    ------
    UsageError
        If it is none.
    """
    path = check_artifact_path(value)
    if any(_GIT.match(part.rstrip(". ")) for part in path.split("/")):
        raise UsageError(f"Invalid dataset path {path!r}: no dataset lies in git's own folder.")
    return path


def check_dataset_name(name: object) -> str:
    """Return `name` if it may name a dataset.

    Raises
    ------
    UsageError
        If it is not text, blank, longer than 500 characters, or holds ``@``, which parts a name from a revision.
    """
    try:
        text = check_experiment_name(name)
    except UsageError as error:
        raise UsageError(error.message.replace("experiment name", "dataset name")) from None
    if "@" in text or any(ord(letter) < 32 or letter == "\x7f" for letter in text):
        raise UsageError(f"Invalid dataset name {text!r}: it holds '@' or a control character. Name it with --name.")
    return text
