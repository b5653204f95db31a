"""A repository of Aim as a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from runfolio.errors import DamagedError, NotFoundError
from runfolio.transfer.aim.names import DEFAULT, FILE, Named, named_runs
from runfolio.transfer.aim.reading import AimRun
from runfolio.transfer.aim.runs import Reading
from runfolio.transfer.held import NOTE_TAG, Draft, HeldRun, HeldSource
from runfolio.transfer.plain import id_of
from runfolio.transfer.source import SourceExperiment

TOOL = "aim"


def open_aim(place: Path) -> AimSource:
    """Open a repository of Aim.

    Parameters
    ----------
    place : Path
        The folder ``.aim``, or the one that holds it.

    Raises
    ------
    NotFoundError
        If there is none.
    DamagedError
        If its database cannot be read.
    """
    folder = place if place.name == ".aim" else place / ".aim"
    if not (folder / FILE).is_file():
        raise NotFoundError(f"{place}: there is no repository of Aim ({FILE} in a folder .aim).")
    return AimSource(folder, named_runs(folder))


class AimSource(HeldSource):
    """Runs of Aim.

    Parameters
    ----------
    folder : Path
        ``.aim``.
    named : Mapping of str to Named
    """

    def __init__(self, folder: Path, named: Mapping[str, Named]) -> None:
        super().__init__(TOOL, str(folder))
        self._folder = folder
        chunks = folder / "meta" / "chunks"
        found = {path.name for path in chunks.iterdir() if path.is_dir()} if chunks.is_dir() else set()
        for run_hash in sorted(set(named) - found):
            self.cannot_read(f"run {run_hash}", "Aim's database names it, and its data (meta/chunks) are gone")
        self._runs = {run_hash: named.get(run_hash, Named()) for run_hash in found}

    def experiments(self) -> Iterator[SourceExperiment]:
        """Yield the experiments of the runs."""
        for name in sorted({item.experiment for item in self._runs.values()}) or [DEFAULT]:
            yield self.experiment(f"aim {name}" if name == DEFAULT else name)

    def held(self, experiment_ids: Sequence[str]) -> Iterator[HeldRun]:
        """Yield the runs, oldest first; one that Aim cannot read is named."""
        for run_hash, named in sorted(self._runs.items(), key=lambda item: (item[1].created, item[0])):
            name = f"aim {named.experiment}" if named.experiment == DEFAULT else named.experiment
            experiment_id = self.experiment(name).experiment_id
            if experiment_id not in experiment_ids:
                continue
            try:
                yield self._read(run_hash, named, experiment_id)
            except DamagedError as error:
                self.cannot_read(f"run {run_hash}", f"{error.message}. It was not taken.")

    def _read(self, run_hash: str, named: Named, experiment_id: str) -> HeldRun:
        run = AimRun(self._folder, run_hash)
        draft = Draft(self, id_of(TOOL, run_hash), experiment_id, run_hash)
        where = f"run {draft.run_id} ({run_hash})"
        reading = Reading(run, run_hash, draft, named.created, lambda text: self.cannot_read(where, text))
        reading.take()
        draft.tag("labels", ", ".join(named.tags))
        draft.tag(NOTE_TAG, "\n\n".join(text for text in (named.description, *named.notes) if text))
        draft.tag("aim.archived", "true" if named.archived else "")
        ended = run.meta.get("end_time")
        if not isinstance(ended, (int, float)):
            self.cannot_read(where, "Aim knows no end of it: the process was killed, or still runs. It is KILLED here")
            status, end = "KILLED", reading.last
            draft.tag("aim.state", "active")
        else:
            status, end = "FINISHED", int(ended * 1000)
        start = named.created or min((series[0].timestamp for series in draft.histories.values()), default=end)
        name = "" if named.name == f"Run: {run_hash}" else named.name
        return draft.held(status, start, max(end, start), name=name or run_hash)
