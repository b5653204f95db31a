"""All runs as one Parquet file, for DuckDB, pandas, Polars, R and Spark: every metric with all its digits.

Columns: ``experiment``, ``run_id``, ``name``, ``status``, ``start_time`` and ``end_time`` (UTC, milliseconds), ``duration_s``,
``user``, ``parent_run_id``, ``artifact_count``, then ``metrics.K`` (double), ``params.K`` and ``tags.K`` (text), each kind by
name. Missing is null; NaN is NaN.

The runs stand by id, so new ones come last, in groups of `GROUP`; those behind the last whole group stand in small ones. A group is
called by a digest of its runs, and the next build takes over those that have not changed, as they are. The bytes are the same as when all
is made anew.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.formats.parquet import Chunk, Column, Group, encode_chunk, read_groups, write_parquet
from runfolio.site.columns import Cells
from runfolio.site.output import canonical, digest_of
from runfolio.site.plan import Page
from runfolio.site.spelling import SPECIAL

if TYPE_CHECKING:
    from runfolio.index import RunRow
    from runfolio.site.gather import Site

MAX_CELLS = 20_000_000
"""Cells of the file at most, about 1 GB of memory; where there are more, the columns with the fewest values are left out."""
FIXED = {
    "experiment": "text", "run_id": "text", "name": "text", "status": "text", "start_time": "time", "end_time": "time",
    "duration_s": "number", "user": "text", "parent_run_id": "text", "artifact_count": "whole",
}  # fmt: skip
_OF_CELLS = {
    "attributes.run_name": "name", "attributes.user_id": "user", "attributes.parent_run_id": "parent_run_id",
    "attributes.artifact_count": "artifact_count",
}  # fmt: skip
KINDS = ("metrics", "params", "tags")
FORMAT = 2
"""Raised when what the columns hold changes."""

GROUP, PIECE = 10_000, 500
_SLICE = 2000


def files(site: Site, path: str) -> Iterator[Page]:
    """Yield the file."""
    rows = site.rows
    names = group_names(site, rows)
    before = site.output.folder / path
    yield Page(path, canonical(names), lambda: parquet_bytes(site, rows, names, before))


def groups_of(count: int) -> list[tuple[int, int]]:
    """Return where each group of so many rows starts and ends."""
    whole = count // GROUP * GROUP
    starts = [*range(0, whole, GROUP), *range(whole, count, PIECE)]
    return list(zip(starts, [*starts[1:], count], strict=True)) if starts else []


def group_names(site: Site, rows: Sequence[RunRow]) -> list[str]:
    """Return a digest of each group of the runs, and of what is left out of them."""
    rules = repr(site.redaction).encode()
    return [
        digest_of([str(FORMAT).encode(), rules, site.digest(rows[start:end]).encode()])[:32]
        for start, end in groups_of(len(rows))
    ]


def parquet_bytes(site: Site, rows: Sequence[RunRow], names: Sequence[str], before: Path | None = None) -> bytes:
    """Return the file.

    Parameters
    ----------
    site : Site
    rows : sequence of RunRow
        In the order in which they shall stand.
    names : sequence of str
        Of their groups.
    before : Path, optional
        The file of the last build, if there is one.
    """
    groups = _grouped(site, rows, names, _held(before) if before is not None else {})
    filled: dict[str, int] = {}
    for group in groups:
        for key, chunk in group.chunks.items():
            filled[key] = filled.get(key, 0) + chunk.rows - chunk.nulls
    keyed = [key for key in filled if key not in FIXED]
    kept = _affordable({key: filled[key] for key in keyed}, len(rows))
    columns = [*(Column(key, key, kind) for key, kind in FIXED.items()), *map(_column, kept)]
    if len(kept) < len(keyed) or any(column.key != column.name for column in columns):
        # What the next build reads back must have every column, under its own name.
        groups = [Group("", group.rows, group.chunks) for group in groups]
    return write_parquet(columns, groups, {"runfolio.columns_left_out": str(len(keyed) - len(kept))})


def _held(before: Path) -> dict[str, Group]:
    """Return the groups of the last build's file by name; nothing where it cannot be used."""
    try:
        return read_groups(before.read_bytes())
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def _grouped(site: Site, rows: Sequence[RunRow], names: Sequence[str], held: Mapping[str, Group]) -> list[Group]:
    """Return all groups; those that are not held are made."""
    places = groups_of(len(rows))
    stale = [(start, end) for name, (start, end) in zip(names, places, strict=True) if name not in held]
    new = [row for start, end in stale for row in rows[start:end]]
    made: list[dict[str, Chunk]] = [{} for _ in stale]
    for key, values in _values(site, new):
        kind, at = _column(key).kind, 0
        for chunks, (start, end) in zip(made, stale, strict=True):
            part = values[at : at + end - start]
            at += end - start
            if part.count(None) < len(part):
                chunks[key] = encode_chunk(kind, part)
    fresh = iter(made)
    return [
        held[name] if name in held else Group(name, end - start, next(fresh))
        for name, (start, end) in zip(names, places, strict=True)
    ]


def _values(site: Site, rows: Sequence[RunRow]) -> Iterator[tuple[str, list[Any]]]:
    """Yield each column of some runs, a value or None for each run."""
    yield "experiment", [_encodable(row.slug) for row in rows]
    yield "run_id", [row.run_id for row in rows]
    yield "status", [row.status for row in rows]
    yield "start_time", [_whole(row.start) for row in rows]
    yield "end_time", [None if row.end is None else _whole(row.end) for row in rows]
    yield "duration_s", [None if row.end is None else (row.end - row.start) / 1000 for row in rows]
    columns = _columns(site, rows)
    for key in list(columns):
        values = _spread(columns.pop(key), len(rows))
        named = _OF_CELLS.get(key, key)
        if named == "artifact_count":
            yield named, [None if value is None else _whole(value) for value in values]
        elif named.startswith("metrics."):
            yield named, [SPECIAL.get(value, value) for value in values]
        elif named in FIXED or named.partition(".")[0] in KINDS:
            texts = [None if value is None else _encodable(value) for value in values]
            yield named, [text or None for text in texts] if named == "name" else texts


def _column(key: str) -> Column:
    return Column(key, _encodable(key), FIXED.get(key) or ("number" if key.startswith("metrics.") else "text"))


def _rank(key: str) -> tuple[int, str]:
    kind, _, name = key.partition(".")
    return KINDS.index(kind), name


def _whole(value: int) -> int:
    return max(-(1 << 63), min(value, (1 << 63) - 1))


Part = tuple[Sequence[int], Sequence[Any]]
"""Some values of a column: at which places of the file they stand, and what they are."""


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
    for at in range(0, len(rest), _SLICE):
        add(rest[at : at + _SLICE], site.columns(rest[at : at + _SLICE]))
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


def _encodable(text: str) -> str:
    """Return a text that UTF-8 can hold: an unpaired surrogate becomes a question mark."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
