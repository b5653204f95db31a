"""Folders of W&B as a source: a run for each id, whose logs come one after the other where it was resumed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.transfer.held import Draft, HeldRun, HeldSource
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment
from runfolio.transfer.wandb.exports import ENDINGS, WandbExport
from runfolio.transfer.wandb.folder import Name, Read, name_of

TOOL = "wandb"
_FOLDER = re.compile(r"(offline-)?(dry)?run-\d{8}_\d{6}-\w+\Z")


def open_wandb(place: Path, project: str = "", params: Sequence[str] = ()) -> WandbFolders | WandbExport:
    """Open what W&B left on disk, or what was exported of it.

    Parameters
    ----------
    place : Path
        A folder ``wandb``, one that has such folders below, a run's own folder, or its log ``run-ID.wandb``; or a CSV or JSON file.
    project : str, optional
        Of runs of a file that do not say theirs.
    params : sequence of str, optional
        Columns of a table that are params.

    Raises
    ------
    NotFoundError
        If nothing of W&B is there.
    DamagedError
        If the file cannot be read.
    UsageError
        If `project` or `params` are given for a folder, which says them itself.
    """
    if not place.exists():
        raise NotFoundError(f"{place}: no such file or folder. Give the folder wandb, or a run's folder offline-run-….")
    if place.is_file() and place.suffix.lower() in ENDINGS:
        return WandbExport(place, project, params)
    if project or params:
        raise UsageError(f"{place}: --project and --param are for files that were exported; a folder of W&B says both itself.")
    logs = [place] if place.is_file() else sorted(place.rglob("*.wandb"))
    if not logs:
        raise NotFoundError(f"{place}: there is no log of W&B (run-….wandb) in it or below.")
    return WandbFolders(place, logs)


class WandbFolders(HeldSource):
    """Runs of W&B, each in its folder.

    Parameters
    ----------
    place : Path
    logs : sequence of Path
    """

    def __init__(self, place: Path, logs: Sequence[Path]) -> None:
        super().__init__(TOOL, str(place))
        self._runs: dict[Name, list[Path]] = {}
        for found in logs:
            try:
                name = name_of(found)
            except (DamagedError, OSError) as error:
                self.cannot_read(str(found), str(error))
                continue
            known = next((one for one in self._runs if (one.project, one.run_id) == (name.project, name.run_id)), name)
            self._runs.setdefault(known, []).append(found)
        folders = {path.parent for path in logs}
        for folder in sorted(path for path in place.rglob("*run-*") if _FOLDER.match(path.name) and not path.is_symlink()):
            if folder not in folders:
                self.cannot_read(str(folder), "this folder of a run has no log (run-….wandb). It was not taken.")

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the projects."""
        for project in sorted({name.project for name in self._runs}):
            yield self.experiment(project)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs, each read from its logs."""
        for name, logs in self._runs.items():
            experiment_id = self.experiment(name.project).experiment_id
            if experiment_id in experiment_ids:
                yield self._read(name, logs, experiment_id)

    def _read(self, name: Name, logs: Sequence[Path], experiment_id: str) -> HeldRun:
        run_id = id_of(TOOL, name.project, name.run_id)
        where = f"run {run_id} ({name.origin})"
        read = Read(Draft(self, run_id, experiment_id, name.origin), lambda text: self.cannot_read(where, text))
        for place in logs:
            read.take(place)
        for place in logs:
            if (place.parent / "files").is_dir():
                read.files(place.parent / "files")
        return read.held(name)
