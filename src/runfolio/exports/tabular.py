"""``runfolio export parquet`` and ``csv``: the tables of a folio as files of a folder, with a README and ``export.json``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Any

from runfolio.exports import tables
from runfolio.exports.folders import export_folder, write_about
from runfolio.exports.readme import readme_text
from runfolio.exports.report import Report
from runfolio.exports.rows import other_rows, run_rows, wide_row, wide_values
from runfolio.exports.selection import PAGE, FolioReader, Selection
from runfolio.exports.tables import Field, Table
from runfolio.exports.writers import CsvWriter, ParquetTable, TableWriter
from runfolio.folio.folio import Folio
from runfolio.records import Run

Tell = Callable[[str], None]
_TOLD_EVERY = 10_000


def export_tables(
    folio: Folio,
    target: Path,
    selection: Selection,
    kind: str,
    *,
    raw: bool = False,
    check: bool = True,
    force: bool = False,
    tell: Tell = lambda text: None,
) -> Report:
    """Write the tables of a folio.

    Parameters
    ----------
    folio : Folio
    target : Path
    selection : Selection
    kind : str
        ``parquet`` or ``csv``.
    raw : bool, optional
        Of CSV: leave cells that a spreadsheet would run as a formula as they are.
    check : bool, optional
        Look whether the store has the runs' files.
    force : bool, optional
        See :func:`runfolio.exports.folders.export_folder`.
    tell : callable, optional
        Told of the course in words.

    Returns
    -------
    Report
        ``counts`` are rows by table.
    """
    report = Report()
    with export_folder(target, folio.place.root, force=force) as folder:
        reader = FolioReader(folio, selection, report)
        try:
            keys = _long_tables(reader, folder, kind, raw, check, tell)
            wide = _wide_table(reader, folder, kind, raw, keys)
        finally:
            reader.close()
        listed = (*tables.OF_RUNS, wide, *tables.OTHERS)
        (folder / "README.md").write_text(readme_text(listed, kind, selection, report, raw=raw), encoding="utf-8")
        said = {table.name: {"says": table.says, "columns": [_said(field) for field in table.fields]} for table in listed}
        write_about(folder, kind, selection, report, {"tables": said})
    return report


def _said(field: Field) -> dict[str, str]:
    return {"name": field.name, "type": field.kind, "says": field.says}


def _open(folder: Path, table: str, fields: Sequence[Field], kind: str, raw: bool, report: Report) -> TableWriter:
    path = folder / f"{table}.{kind}"
    return CsvWriter(path, table, fields, report, raw=raw) if kind == "csv" else ParquetTable(path, table, fields, report)


class _Writers:
    """The files of several tables, opened together."""

    def __init__(self, folder: Path, listed: Sequence[Table], kind: str, raw: bool, report: Report, stack: ExitStack) -> None:
        self._report, self._held = report, {}
        for table in listed:
            writer = _open(folder, table.name, table.fields, kind, raw, report)
            stack.callback(writer.stop)
            self._held[table.name] = writer
            report.wrote(table.name, 0)

    def add(self, table: Table, row: Sequence[Any]) -> None:
        self._held[table.name].add(row)
        self._report.wrote(table.name)

    def close(self) -> None:
        for writer in self._held.values():
            writer.close()


def _long_tables(reader: FolioReader, folder: Path, kind: str, raw: bool, check: bool, tell: Tell) -> Counter[str]:
    """Write all tables but ``runs_wide``; return how many runs have each of its keys."""
    keys: Counter[str] = Counter()
    with ExitStack() as stack:
        writers = _Writers(folder, tables.OF_RUNS, kind, raw, reader.report, stack)
        found, done = reader.runs(), 0
        while page := list(islice(found, PAGE)):
            _write_page(reader, writers, page, check, keys)
            done += len(page)
            if done % _TOLD_EVERY == 0:
                tell(f"{done:,} runs written")
        writers.close()
    with ExitStack() as stack:
        writers = _Writers(folder, tables.OTHERS, kind, raw, reader.report, stack)
        for table, row in other_rows(reader):
            writers.add(table, row)
        writers.close()
    return keys


def _write_page(reader: FolioReader, writers: _Writers, page: Sequence[Run], check: bool, keys: Counter[str]) -> None:
    files = {run.run_id: reader.artifacts(run) for run in page}
    missing = None
    if check:
        named = ((f"run {run_id}: {path}", entry) for run_id, held in files.items() for path, entry in (held or {}).items())
        missing = reader.look_for(named)
    for run in page:
        for table, row in run_rows(run, reader.experiments[run.experiment], files[run.run_id], missing):
            writers.add(table, row)
        for point in reader.points(run):
            writers.add(tables.POINTS, (run.run_id, point.key, point.step, point.timestamp, point.value))
        keys.update(key for key, _ in wide_values(run))


def _wide_table(reader: FolioReader, folder: Path, kind: str, raw: bool, keys: Counter[str]) -> Table:
    """Write ``runs_wide``, and return what it is."""
    order = ("metrics", "params", "tags")
    most = sorted(keys, key=lambda key: (-keys[key], key))[: tables.MOST_WIDE]
    chosen = sorted(most, key=lambda key: (order.index(key.partition(".")[0]), key))
    if len(chosen) < len(keys):
        reader.report.notes.append(
            f"runs_wide has columns for the {len(chosen):,} keys that most runs have, of {len(keys):,}; the long tables have all."
        )
    says = {"metrics": ("number", "The metric's last value."), "params": ("text", "The param."), "tags": ("text", "The tag.")}
    fields = (*tables.WIDE, *(Field(key, *says[key.partition(".")[0]]) for key in chosen))
    places = {key: at for at, key in enumerate(chosen, len(tables.WIDE))}
    writer = _open(folder, "runs_wide", fields, kind, raw, reader.report)
    with ExitStack() as stack:
        stack.callback(writer.stop)
        for run in reader.runs():
            writer.add(wide_row(run, reader.experiments[run.experiment], places))
            reader.report.wrote("runs_wide")
        writer.close()
    return Table("runs_wide", "A run, with a column for each key of a metric, param and tag.", fields)
