"""Files of lines, read as they stream by: JSON lines, whose objects are rows, and plain text, whose lines are counted."""

from __future__ import annotations

import json
from itertools import islice
from typing import BinaryIO

from runfolio.profiling.tables import Table

CHUNK_ROWS = 2048
LONGEST = 64 << 20


def read_json_lines(stream: BinaryIO, table: Table) -> None:
    """Feed a table with the objects of a file, one a line; keys are columns, in the order in which they are met."""
    number = 0
    while lines := list(islice(iter(lambda: stream.readline(LONGEST), b""), CHUNK_ROWS)):
        columns: dict[str, list[object]] = {}
        rows = 0
        for line in lines:
            number += 1
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except (ValueError, RecursionError):
                row = None
            if not isinstance(row, dict):
                table.note(f"line {number} is no JSON object; it and what follows was not read")
                _feed(table, columns, rows)
                return
            rows += 1
            table.add_sample(row)
            for key, value in row.items():
                columns.setdefault(key, []).append(value)
        _feed(table, columns, rows)


def _feed(table: Table, columns: dict[str, list[object]], rows: int) -> None:
    left_out = 0
    for name, values in columns.items():
        column = table.column(name)
        if column is None:
            left_out += 1
        else:
            column.add_values(values)
    table.left_out = max(table.left_out, left_out)
    table.rows += rows


def count_lines(stream: BinaryIO, table: Table) -> None:
    """Count the lines of a text; a last one without a line feed counts."""
    lines, last = 0, b"\n"
    while chunk := stream.read(1 << 20):
        lines, last = lines + chunk.count(b"\n"), chunk[-1:]
    table.rows += lines + (last != b"\n")
