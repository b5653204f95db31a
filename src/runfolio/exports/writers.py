"""Rows to files, as they come: CSV, and Parquet in groups of rows. Text that UTF-8 cannot hold is a finding."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from runfolio.exports.report import Report
from runfolio.exports.tables import Field
from runfolio.formats.csv_text import guarded
from runfolio.formats.parquet import Column, Group, ParquetWriter, encode_chunk
from runfolio.records.times import utc_text

GROUP_CELLS = 1_000_000
GROUP_ROWS = 100_000
GROUP_LETTERS = 32_000_000
"""A group of rows of a Parquet file is full when it has so many cells, rows, or letters of text: that bounds the memory."""
_LEAST, _MOST = -(1 << 63), (1 << 63) - 1


class TableWriter(Protocol):
    """Writes one table."""

    def add(self, row: Sequence[Any]) -> None:
        """Write a row."""

    def close(self) -> None:
        """Finish the file."""

    def stop(self) -> None:
        """Let go of the file, unfinished."""


class CsvWriter:
    """A table as CSV: UTF-8, line feeds, a missing value as an empty cell.

    Parameters
    ----------
    path : Path
    table : str
    fields : sequence of Field
    report : Report
    raw : bool
        Leave cells that a spreadsheet would run as a formula as they are.
    """

    def __init__(self, path: Path, table: str, fields: Sequence[Field], report: Report, *, raw: bool) -> None:
        self._table, self._report, self._raw = table, report, raw
        self._kinds = [field.kind for field in fields]
        self._file = path.open("w", encoding="utf-8", newline="")
        self._csv = csv.writer(self._file, lineterminator="\n")
        self._csv.writerow([self._text(field.name) for field in fields])

    def add(self, row: Sequence[Any]) -> None:
        """Write a row."""
        self._csv.writerow([self._cell(kind, value) for kind, value in zip(self._kinds, row, strict=True)])

    def _cell(self, kind: str, value: Any) -> Any:
        if value is None:
            return ""
        if kind == "text":
            return self._text(value)
        if kind == "number":
            return value if value == value else "NaN"  # and inf, -inf: the spellings that pandas and Polars both take for numbers
        if kind == "flag":
            return "true" if value else "false"
        return utc_text(value) if kind == "time" else value

    def _text(self, text: str) -> str:
        return encodable(text if self._raw else guarded(text), self._table, self._report)

    def close(self) -> None:
        """Finish the file."""
        self._file.close()

    stop = close


class ParquetTable:
    """A table as Parquet; the arguments are those of :class:`CsvWriter`."""

    def __init__(self, path: Path, table: str, fields: Sequence[Field], report: Report) -> None:
        self._table, self._report, self._fields = table, report, fields
        self._file = path.open("wb")
        names = [encodable(field.name, table, report) for field in fields]
        columns = [Column(str(at), name, field.kind) for at, (name, field) in enumerate(zip(names, fields, strict=True))]
        self._writer = ParquetWriter(self._file, columns, table)
        self._columns: list[list[Any]] = [[] for _ in fields]
        self._letters = 0
        self._most = max(1, min(GROUP_ROWS, GROUP_CELLS // max(1, len(fields))))

    def add(self, row: Sequence[Any]) -> None:
        """Write a row."""
        for field, column, value in zip(self._fields, self._columns, row, strict=True):
            if value is None:
                pass
            elif field.kind == "text":
                value = encodable(value, self._table, self._report)
                self._letters += len(value)
            elif field.kind in ("time", "whole"):
                value = self._whole(value)
            column.append(value)
        if len(self._columns[0]) >= self._most or self._letters >= GROUP_LETTERS:
            self._flush()

    def _whole(self, value: int) -> int:
        if _LEAST <= value <= _MOST:
            return value
        self._report.find(
            f"table {self._table}", f"{value} is more than 64 bits hold: the nearest number that they hold was written"
        )
        return max(_LEAST, min(value, _MOST))

    def _flush(self) -> None:
        rows = len(self._columns[0])
        if rows:
            chunks = {
                str(at): encode_chunk(field.kind, column)
                for at, (field, column) in enumerate(zip(self._fields, self._columns, strict=True))
                if column.count(None) < rows
            }
            self._writer.add(Group("", rows, chunks))
        self._columns = [[] for _ in self._fields]
        self._letters = 0

    def close(self) -> None:
        """Finish the file."""
        self._flush()
        self._writer.finish({})
        self._file.close()

    def stop(self) -> None:
        """Let go of the file, unfinished."""
        self._file.close()


def encodable(text: str, table: str, report: Report) -> str:
    """Return a text that UTF-8 can hold: an unpaired surrogate becomes a question mark, and is a finding."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        made = text.encode("utf-8", "replace").decode()
        report.find(f"table {table}", f"{made[:80]!r} holds half of a character, which UTF-8 cannot: ? stands in its place")
        return made
    return text
