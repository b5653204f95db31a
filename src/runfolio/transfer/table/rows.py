"""The rows of a table, each with its line: CSV of any delimiter, or lines of JSON; also compressed by gzip."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from runfolio.errors import NotFoundError, UsageError
from runfolio.transfer.held import flat
from runfolio.transfer.table.mapping import TableMapping

DELIMITERS = ",;\t|"
MAX_CELL = 1 << 24
Row = tuple[int, Mapping[str, Any]]
Problem = Callable[[int, str], None]


def kind_of(file: Path, mapping: TableMapping) -> str:
    """Return ``csv`` or ``jsonl``: as the mapping says, else by the file's ending.

    Raises
    ------
    UsageError
        If neither says it.
    """
    if mapping.format:
        return mapping.format
    ending = Path(file.name.lower().removesuffix(".gz")).suffix
    found = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}.get(ending)
    if found is None:
        raise UsageError(f"{file}: its ending does not say what it is. Write format: csv or format: jsonl into the mapping.")
    return found


def rows_of(file: Path, mapping: TableMapping, problem: Problem) -> Iterator[Row]:
    """Yield each row with the line that it begins in; a cell that says nothing is None.

    Parameters
    ----------
    file : Path
    mapping : TableMapping
    problem : callable
        Given the line of a row that cannot be taken, and why.

    Raises
    ------
    NotFoundError
        If there is no such file.
    UsageError
        If its header cannot be.
    """
    kind, at = kind_of(file, mapping), 0
    if not file.is_file():
        raise NotFoundError(f"{file}: there is no such file.")
    try:
        with _opened(file, mapping.encoding) as stream:
            for at, row in _csv(file, stream, mapping, problem) if kind == "csv" else _json(stream, problem):
                yield at, {key: None if _says_nothing(value, mapping) else value for key, value in row.items()}
    except (OSError, EOFError, zlib.error, UnicodeError) as error:
        said = getattr(error, "strerror", None) or error
        problem(at + 1, f"the file cannot be read on, at this line or after it: {said}")


def _opened(file: Path, encoding: str) -> TextIO:
    with open(file, "rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
    binary: Any = gzip.open(file, "rb") if packed else open(file, "rb")  # noqa: SIM115 # closed with the stream that is returned
    # What is not of the encoding is found row by row, where the encoding allows to go on.
    errors = "surrogateescape" if not encoding.startswith(("utf-16", "utf-32")) else "strict"
    return io.TextIOWrapper(binary, encoding, errors=errors, newline="")


def _says_nothing(value: Any, mapping: TableMapping) -> bool:
    return value is None or (isinstance(value, str) and value.strip() in mapping.missing)


def _broken(text: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in text)


def delimiter_of(header: str) -> str:
    """Return the sign that a header has most often, of comma, semicolon, tab and bar.

    Examples
    --------
    >>> delimiter_of("lr;batch, size;loss")
    ';'
    """
    return max(DELIMITERS, key=header.count)


def _csv(file: Path, stream: TextIO, mapping: TableMapping, problem: Problem) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(MAX_CELL)
    first = stream.readline()
    reader = csv.reader(_again(first, stream), delimiter=mapping.delimiter or delimiter_of(first), strict=True)
    try:
        header = next(reader, [])
    except csv.Error as error:
        raise UsageError(f"{file}: line 1: {error}. Is the delimiter right? Name it in the mapping.") from None
    names = [name.strip() for name in header]
    _check_header(file, names)
    while True:
        at = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            problem(at, f"it was not taken: {error}")
            continue
        if not any(cells):
            continue
        if len(cells) != len(names):
            problem(at, f"it was not taken: it has {len(cells)} cells, the header {len(names)}")
        elif any(map(_broken, cells)):
            problem(at, f"it was not taken: it is not {mapping.encoding.removesuffix('-sig')}; name the encoding in the mapping")
        else:
            yield at, dict(zip(names, cells, strict=True))


def _again(first: str, stream: TextIO) -> Iterator[str]:
    yield first
    yield from stream


def _check_header(file: Path, names: list[str]) -> None:
    if not any(names):
        raise UsageError(f"{file}: its first line is empty: the names of the columns are expected there.")
    if any(map(_broken, names)):
        raise UsageError(f"{file}: its first line is not UTF-8. Name the encoding in the mapping, such as encoding: latin-1.")
    for at, name in enumerate(names, 1):
        if not name:
            # The index that pandas writes has no name.
            names[at - 1] = f"column {at}"
        elif names.index(name) != at - 1:
            raise UsageError(f"{file}: line 1: two columns are called {name!r} ({names.index(name) + 1} and {at}). Rename one.")


def _json(stream: TextIO, problem: Problem) -> Iterator[tuple[int, dict[str, Any]]]:
    for at, line in enumerate(stream, 1):
        if not line.strip():
            continue
        try:
            said = json.loads(line)
        except (ValueError, RecursionError) as error:
            problem(at, f"it was not taken: it is no JSON ({error})")
            continue
        if not isinstance(said, dict):
            problem(at, "it was not taken: an object {…} is expected in each line")
        elif _broken(json.dumps(said, ensure_ascii=False)):
            problem(at, "it was not taken: it holds what is no character of the encoding")
        else:
            yield at, dict(flat(said))
