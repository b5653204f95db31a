"""What ``neptune-exporter`` wrote as a source: a folder a project, a run in one or several parts, files apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from runfolio.errors import DamagedError, NotFoundError
from runfolio.transfer.held import Draft, HeldRun, HeldSource
from runfolio.transfer.neptune.runs import Reading
from runfolio.transfer.neptune.tables import decimals_of, runs_in, values_of
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment

TOOL = "neptune"


def open_neptune(place: Path, files: Path | None = None) -> NeptuneSource:
    """Open what the exporter wrote.

    Parameters
    ----------
    place : Path
        Its ``--data-path``, or the folder that holds ``data`` and ``files``.
    files : Path, optional
        Its ``--files-path``; ``files`` in that folder or beside it by default.

    Raises
    ------
    NotFoundError
        If there are no Parquet files, or no such folder.
    MissingPackageError
        If pyarrow is not installed.
    """
    if files is not None and not files.is_dir():
        raise NotFoundError(f"{files}: no such folder. Give the exporter's --files-path, or leave --files out.")
    tables = sorted(place.rglob("*.parquet")) if place.is_dir() else []
    if not tables:
        raise NotFoundError(f"{place}: there are no Parquet files. Give what neptune-exporter wrote: its --data-path.")
    guessed = next((path for path in (place / "files", place.parent / "files") if path.is_dir()), place)
    return NeptuneSource(place, tables, files or guessed)


class NeptuneSource(HeldSource):
    """Runs that the exporter wrote.

    Parameters
    ----------
    place : Path
    tables : sequence of Path
    files : Path
    """

    def __init__(self, place: Path, tables: Sequence[Path], files: Path) -> None:
        super().__init__(TOOL, str(place))
        self._files = files
        self._runs: dict[tuple[str, str], list[Path]] = {}
        for table in sorted(tables, key=_part):
            try:
                for project, run_id in runs_in(table):
                    self._runs.setdefault((str(project), str(run_id)), []).append(table)
            except DamagedError as error:
                self.cannot_read(str(table), error.message)
        for left in sorted(place.rglob("*.parquet.tmp")):
            self.cannot_read(str(left), "the exporter had not finished it; export that run again")

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the projects."""
        for project in sorted({project for project, _ in self._runs}):
            yield self.experiment(project)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs; one whose file is damaged is named."""
        for (project, run_id), tables in sorted(self._runs.items()):
            experiment_id = self.experiment(project).experiment_id
            if experiment_id in experiment_ids:
                where = f"run {id_of(TOOL, project, run_id)} ({project}/{run_id})"
                try:
                    yield self._read(project, run_id, tables, experiment_id, where)
                except DamagedError as error:
                    self.cannot_read(where, f"{error.message}. It was not taken.")

    def _read(self, project: str, run_id: str, tables: Sequence[Path], experiment_id: str, where: str) -> HeldRun:
        draft = Draft(self, id_of(TOOL, project, run_id), experiment_id, f"{project}/{run_id}")
        roots = [*dict.fromkeys(self._files / table.parent.name for table in tables), self._files]
        scale = 10 ** decimals_of(tables, run_id)
        reading = Reading(draft, roots, scale, lambda text: self.cannot_read(where, text))
        for item in values_of(tables, run_id):
            reading.take(item)
        return reading.held(run_id, lambda parent: id_of(TOOL, project, parent) if (project, parent) in self._runs else None)


def _part(table: Path) -> tuple[str, int, str]:
    """Order the parts of a run: ``NAME_part_10.parquet`` after ``NAME_part_9.parquet``."""
    name, _, number = table.stem.rpartition("part_")
    return str(table.parent / name), int(number) if number.isdigit() else 0, table.name
