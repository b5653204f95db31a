"""All runs as one Parquet file, for DuckDB, pandas, Polars, R and Spark: every metric with all its digits.

Columns: ``experiment``, ``run_id``, ``name``, ``status``, ``start_time`` and ``end_time`` (UTC, milliseconds), ``duration_s``,
``user``, ``parent_run_id``, ``artifact_count``, then ``metrics.K`` (double), ``params.K`` and ``tags.K`` (text), each kind by
name. Missing is null; NaN is NaN.

The runs stand by id, so new ones come last. The file remembers a digest of each `SLICE` of them; the next build reads back those that have
not changed, which is ten times as fast as reading their records. The bytes are the same as when all is made anew.

Built from arrays of the standard library, so that pandas is never imported (pyarrow does where it is handed lists). Where pyarrow is
not installed there is no file, and the page says so.
"""

from __future__ import annotations

import itertools
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.site.columns import Cells
from runfolio.site.output import canonical, digest_of
from runfolio.site.plan import Page

if TYPE_CHECKING:
    import pyarrow

    from runfolio.index import RunRow
    from runfolio.site.gather import Site

MAX_CELLS = 20_000_000
"""Cells of the file at most, about 1 GB of memory; where there are more, the columns with the fewest values are left out."""
_SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
FIXED = (
    "experiment", "run_id", "name", "status", "start_time", "end_time", "duration_s", "user", "parent_run_id", "artifact_count",
)  # fmt: skip
KINDS = ("metrics", "params", "tags")
FORMAT = 1
"""Raised when what the columns hold changes."""

SLICE = 2000


def is_available() -> bool:
    """Tell whether the file can be written here."""
    return find_spec("pyarrow") is not None


def files(site: Site, path: str) -> Iterator[Page]:
    """Yield the file; nothing where pyarrow is not installed."""
    if is_available():
        rows = site.rows
        slices = slice_digests(site, rows)
        before = site.output.folder / path
        yield Page(path, canonical(slices), lambda: parquet_bytes(site, rows, slices, before))


def slice_digests(site: Site, rows: Sequence[RunRow]) -> list[str]:
    """Return a digest of each slice of the runs, and of what is left out of them."""
    rules = repr(site.redaction).encode()
    return [
        digest_of([str(FORMAT).encode(), rules, site.digest(rows[at : at + SLICE]).encode()])[:32]
        for at in range(0, len(rows), SLICE)
    ]


def parquet_bytes(site: Site, rows: Sequence[RunRow], slices: Sequence[str] = (), before: Path | None = None) -> bytes:
    """Return the file.

    Parameters
    ----------
    site : Site
    rows : sequence of RunRow
        In the order in which they shall stand.
    slices : sequence of str, optional
        Their digests.
    before : Path, optional
        The file of the last build, if there is one.
    """
    import pyarrow
    import pyarrow.parquet

    held = _unchanged(before, slices) if before is not None and slices else None
    if held is not None:
        held = _joined(held, _table(site, rows[held.num_rows :])[0])
    table, left_out = _table(site, rows) if held is None else (held, 0)
    told = {"runfolio.columns_left_out": str(left_out), "runfolio.slices": " ".join(slices)}
    sink = pyarrow.BufferOutputStream()
    table = table.replace_schema_metadata(told)
    # Numbers seldom repeat; to look for it costs more than it gives.
    texts = [
        name for name in dict.fromkeys(table.column_names) if not name.startswith("metrics.") and name not in ("run_id", "name")
    ]
    pyarrow.parquet.write_table(
        table, sink, compression="zstd", row_group_size=100_000, write_statistics=True, use_dictionary=texts
    )
    return bytes(sink.getvalue())


def _unchanged(before: Path, slices: Sequence[str]) -> pyarrow.Table | None:
    """Return the rows of the last build's file whose slices are still the same; None where there are none."""
    import pyarrow
    import pyarrow.parquet

    try:
        file = pyarrow.parquet.ParquetFile(before)
        told = file.schema_arrow.metadata or {}
        known = told.get(b"runfolio.slices", b"").decode().split()
        same = sum(1 for _ in itertools.takewhile(lambda pair: pair[0] == pair[1], zip(known, slices, strict=False)))
        # The last slice of the file may have had fewer rows than a slice has now.
        if not same or told.get(b"runfolio.columns_left_out") != b"0":
            return None
        table = file.read().slice(0, same * SLICE)
    except (OSError, ValueError, pyarrow.ArrowException):
        return None
    return table if table.num_rows >= min(same * SLICE, file.metadata.num_rows) and table.num_columns >= len(FIXED) else None


def _joined(held: pyarrow.Table, new: pyarrow.Table) -> pyarrow.Table | None:
    """Put new rows below those that are held; None where a name stands twice, or there would be too many cells."""
    import pyarrow

    names = [*FIXED, *sorted({*held.column_names, *new.column_names} - set(FIXED), key=_rank)]
    rows = held.num_rows + new.num_rows
    twice = len(set(held.column_names)) < held.num_columns or len(set(new.column_names)) < new.num_columns
    if twice or len(names) * rows > MAX_CELLS:
        return None
    made = {}
    for name in names:
        parts = [table.column(name) if name in table.column_names else None for table in (held, new)]
        kind = next(part.type for part in parts if part is not None)
        chunks = [
            chunk
            for table, part in zip((held, new), parts, strict=True)
            for chunk in (part.chunks if part is not None else [pyarrow.nulls(table.num_rows, kind)])
        ]
        column = pyarrow.concat_arrays(chunks) if chunks else pyarrow.nulls(0, kind)
        if name in FIXED or column.null_count < rows:
            made[name] = column
    return pyarrow.Table.from_arrays(list(made.values()), names=list(made))


def _rank(name: str) -> tuple[int, str]:
    kind, _, key = name.partition(".")
    return KINDS.index(kind), key


Part = tuple[Sequence[int], Sequence[Any]]
"""Some values of a column: at which places of the file they stand, and what they are."""


def _table(site: Site, rows: Sequence[RunRow]) -> tuple[pyarrow.Table, int]:
    import pyarrow

    columns = _columns(site, rows)
    keyed = [key for key in columns if key.partition(".")[0] in KINDS]
    kept = _affordable({key: sum(len(places) for places, _ in columns[key]) for key in keyed}, len(rows))

    def values(key: str) -> list[Any]:
        return _spread(columns.pop(key, ()), len(rows))

    ended = [row.end for row in rows]
    arrays = [
        _texts([row.slug for row in rows]),
        _texts([row.run_id for row in rows]),
        _texts([text or None for text in values("attributes.run_name")]),
        _texts([row.status for row in rows]),
        _wholes([row.start for row in rows]).cast(pyarrow.timestamp("ms", "UTC")),
        _wholes(ended).cast(pyarrow.timestamp("ms", "UTC")),
        _numbers([None if end is None else (end - row.start) / 1000 for row, end in zip(rows, ended, strict=True)]),
        _texts(values("attributes.user_id")),
        _texts(values("attributes.parent_run_id")),
        _wholes(values("attributes.artifact_count")),
    ]
    for key in kept:
        found = values(key)
        numbers = key.startswith("metrics.")
        arrays.append(_numbers([_SPECIAL.get(value, value) for value in found]) if numbers else _texts(found))
    names = [*FIXED, *map(_encodable, kept)]
    return pyarrow.Table.from_arrays(arrays, names=names), len(keyed) - len(kept)


def _columns(site: Site, rows: Sequence[RunRow]) -> dict[str, list[Part]]:
    """Return the cells of runs by column: of shards that were read lately, and of the other runs by slices."""
    places = {row.pk: place for place, row in enumerate(rows)}
    made: dict[str, list[Part]] = {}

    def add(part: Sequence[RunRow], cells: Mapping[str, Cells]) -> None:
        at = [places.pop(row.pk, -1) for row in part]
        for key, found in cells.items():
            stand = [at[row] for row in found.rows]
            values = found.values
            if -1 in stand:
                values = [value for place, value in zip(stand, values, strict=True) if place >= 0]
                stand = [place for place in stand if place >= 0]
            if stand:
                made.setdefault(key, []).append((array("l", stand), values))

    for part, cells in site.kept:
        if any(row.pk in places for row in part):
            add(part, cells)
    rest = [row for row in rows if row.pk in places]
    for at in range(0, len(rest), SLICE):
        add(rest[at : at + SLICE], site.columns(rest[at : at + SLICE]))
    return made


def _affordable(filled: Mapping[str, int], rows: int) -> list[str]:
    most = MAX_CELLS // max(1, rows) - len(FIXED)
    chosen = filled if len(filled) <= most else sorted(filled, key=lambda key: (-filled[key], _rank(key)))[: max(0, most)]
    return sorted(chosen, key=_rank)


def _spread(parts: Sequence[Part], count: int) -> list[Any]:
    made: list[Any] = [None] * count
    for places, values in parts:
        for place, value in zip(places, values, strict=True):
            made[place] = value
    return made


def _bitmap(values: Sequence[Any]) -> pyarrow.Buffer | None:
    import pyarrow

    if None not in values:
        return None
    bits = 0
    made = bytearray()
    for at, value in enumerate(values):
        bits |= (value is not None) << (at & 7)
        if at & 7 == 7:
            made.append(bits)
            bits = 0
    made.append(bits)
    return pyarrow.py_buffer(bytes(made))


def _numbers(values: Sequence[float | None]) -> pyarrow.Array:
    import pyarrow

    held = array("d", (0.0 if value is None else value for value in values))
    return pyarrow.Array.from_buffers(pyarrow.float64(), len(values), [_bitmap(values), pyarrow.py_buffer(held)])


def _wholes(values: Sequence[int | None]) -> pyarrow.Array:
    import pyarrow

    held = array("q", (0 if value is None else max(-(1 << 63), min(value, (1 << 63) - 1)) for value in values))
    return pyarrow.Array.from_buffers(pyarrow.int64(), len(values), [_bitmap(values), pyarrow.py_buffer(held)])


def _texts(values: Sequence[str | None]) -> pyarrow.Array:
    import pyarrow

    parts = [b"" if value is None else _encodable(value).encode() for value in values]
    ends = array("q", accumulate(map(len, parts), initial=0))
    buffers = [_bitmap(values), pyarrow.py_buffer(ends), pyarrow.py_buffer(b"".join(parts))]
    return pyarrow.Array.from_buffers(pyarrow.large_string(), len(values), buffers).cast(pyarrow.string())


def _encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an unpaired surrogate becomes a question mark."""
    return text.encode("utf-8", "replace").decode()
