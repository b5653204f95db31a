"""CSV and TSV, read as they stream by.

The first line names the columns, unless all of it reads as numbers. The delimiter is the one of ``, ; tab |`` that the first line
holds most of. What is not UTF-8 is read as Latin-1, and that is noted. A row with too few fields is filled up with missing ones;
one with too many is cut, and counted.
"""

from __future__ import annotations

import codecs
import csv
import io
import threading
from collections.abc import Iterator
from itertools import chain, islice
from typing import BinaryIO

from runfolio.profiling.tables import Table

CHUNK_ROWS = 4096
_DELIMITERS = (",", ";", "\t", "|")
_LATIN = "runfolio-latin-1"
_here = threading.local()


def _as_latin(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    _here.replaced = True
    return error.object[error.start : error.end].decode("latin-1"), error.end


codecs.register_error(_LATIN, _as_latin)


def read_delimited(stream: BinaryIO, table: Table, delimiter: str | None = None) -> None:
    """Feed a table with the rows of a file.

    Parameters
    ----------
    stream : binary file
    table : Table
        With columns already, where this is a further file of one table: it must have the same ones.
    delimiter : str, optional
        Found out by default.
    """
    _here.replaced = False
    text = io.TextIOWrapper(stream, "utf-8-sig", errors=_LATIN, newline="")
    try:
        _read(text, table, delimiter)
    except csv.Error as error:
        table.note(f"row {table.rows + 1}: it cannot be read on: {error}")
    finally:
        text.detach()
    if _here.replaced:
        table.note("some of it is not UTF-8, and was read as Latin-1")


def _read(text: io.TextIOWrapper, table: Table, delimiter: str | None) -> None:
    first = text.readline()
    reader = csv.reader(chain([first], text), delimiter=delimiter or max(_DELIMITERS, key=first.count))
    head = next(reader, None)
    if head is None or not first.strip():
        if not first:
            table.note("the file is empty")
        return
    rows: Iterator[list[str]] = iter(reader)
    if all(_is_number(cell) for cell in head):
        rows = chain([head], rows)
        head = [str(number) for number in range(len(head))]
    names = [name.strip() or f"column {number}" for number, name in enumerate(head, 1)]
    if not table.names:
        table.begin(names)
    elif table.names != [name[:200] for name in names[: len(table.names)]]:
        table.note("a file with other columns than the first was left out")
        return
    _feed(rows, table, names)


def _feed(rows: Iterator[list[str]], table: Table, names: list[str]) -> None:
    width, longer = len(names), 0
    while chunk := list(islice(rows, CHUNK_ROWS)):
        if set(map(len, chunk)) != {width}:
            chunk = [row for row in chunk if row]
            longer += sum(len(row) > width for row in chunk)
            chunk = [row[:width] + [""] * (width - len(row)) for row in chunk]
        for row in chunk[: max(table.asked.sample - len(table.sample), 0)]:
            table.add_sample(dict(zip(names, row, strict=True)))
        table.add_texts(list(zip(*chunk, strict=True)), len(chunk))
    if longer:
        table.note(f"{longer} rows have more fields than the first line names; those were left out")


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
