"""A spool folder in place of a folio: for machines without git, without the repository, or without a network.

Runs are journalled and sealed in the folder, with their artifacts in ``objects/`` beside them; ``runfolio collect`` takes them into a
folio later, each exactly once. What needs the records of others (search, experiments that exist) is not there. A copy of the folio's
``runfolio.yaml`` in the folder says what is redacted and captured; without one the defaults hold.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path

from runfolio._typing import TYPE_CHECKING, Any
from runfolio.errors import StateError, storage_error
from runfolio.folio.experiments import default_experiment
from runfolio.formats.paths import SETTINGS
from runfolio.formats.settings import Settings, decode_settings
from runfolio.journal import RunState, Spool
from runfolio.records import DEFAULT_EXPERIMENT_NAME, ArtifactEntry, Experiment, Run, slug_of
from runfolio.records.names import check_experiment_name, check_run_id

if TYPE_CHECKING:
    from runfolio.folio.folding import FoldResult
    from runfolio.journal import Journal, JournalWriter
    from runfolio.objects import ObjectStore


class OfflineFolio:
    """A spool folder that is logged to as if it were a folio.

    Parameters
    ----------
    folder : Path
    """

    repo = None
    prefix = ""
    artifacts_place = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = _settings(folder / SETTINGS)
        self.spool = Spool(folder, self.settings.durability)
        self.experiments = OfflineExperiments()
        self.runs = OfflineRuns(self)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(f"make the spool folder {folder}", error) from None

    @cached_property
    def store(self) -> ObjectStore:
        """The objects of the folder."""
        from runfolio.objects import open_store

        return open_store(None, self.folder / "objects", self.folder, True)

    def start(self, header: dict[str, Any]) -> JournalWriter:
        """Start a live run with its header."""
        return self.spool.create(header["run_id"], header)

    def commit(self, *, wait: bool = True) -> FoldResult:
        """Do nothing: ``runfolio collect`` commits what is here."""
        from runfolio.folio.folding import FoldResult

        return FoldResult()

    def close(self) -> None:
        """Do nothing."""


class OfflineExperiments:
    """Experiments by name alone; ``collect`` joins them with those of the folio."""

    def __init__(self) -> None:
        default = default_experiment()
        self._known = {default.slug: default}

    def all(self) -> list[Experiment]:
        """List the experiments named in this process."""
        return list(self._known.values())

    def by_id(self, experiment_id: str) -> Experiment | None:
        """Return the experiment of that id, or None."""
        return next((item for item in self._known.values() if item.experiment_id == experiment_id), None)

    def by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        return next((item for item in self._known.values() if item.name == name), None)

    def by_slug(self, slug: str) -> Experiment | None:
        """Return the experiment of that folder name, or None."""
        return self._known.get(slug)

    def find(self, text: str) -> Experiment:
        """Return the experiment of that name, made if it is missing."""
        return self.get_or_create(text)

    def get_or_create(self, name: str) -> Experiment:
        """Return the experiment of that name, made if it is missing."""
        found = self.by_name(name)
        if found is None:
            found = self.create(name)
        return found

    def create(self, name: str, tags: Mapping[str, str] | None = None, description: str = "") -> Experiment:
        """Name an experiment."""
        check_experiment_name(name)
        slug = slug_of(name)
        if name == DEFAULT_EXPERIMENT_NAME:
            return default_experiment()
        now = time.time_ns() // 1_000_000
        return self._known.setdefault(slug, Experiment(slug, slug, name, now, now, description, dict(tags or {})))

    def edit(self, experiment_id: str, verb: str, **changes: Any) -> Experiment:
        """Refuse: an experiment is changed in the folio."""
        raise StateError(f"A spool folder cannot {verb} an experiment. Do it in the folio that collects the runs.")

    def edit_with(self, experiment_id: str, verb: str, edit: Callable[[Experiment], Experiment]) -> Experiment:
        """Refuse: an experiment is changed in the folio."""
        return self.edit(experiment_id, verb)


class OfflineRuns:
    """The runs whose journals lie in the folder."""

    def __init__(self, folio: OfflineFolio) -> None:
        self._folio, self._spool = folio, folio.spool

    def get(self, run_id: str) -> Run:
        """Return a run by its whole id."""
        check_run_id(run_id)
        run: Run | None = None
        for journal in self._spool.of_run(run_id):
            run = self._joined(journal, run)
        if run is None:
            raise StateError(
                f"Run '{run_id}' is not in the spool folder {self._spool.folder}. Ask the folio that collects the runs."
            )
        return run

    def _joined(self, journal: Journal, run: Run | None) -> Run | None:
        state = RunState(journal.path).refresh()
        if state.copies:
            from runfolio.folio.copies import settle_seen

            settle_seen(self._folio.store, state)
        return state.run(run if state.amends else None) if state.header and (run or not state.amends) else run

    def committed(self, run_id: str) -> Run | None:
        """Return None: nothing is committed here."""
        return None

    def live(self) -> list[Run]:
        """Return all runs of the folder."""
        return [self.get(run_id) for run_id in dict.fromkeys(journal.run_id for journal in self._spool.journals())]

    def search(self, *args: Any, **kwargs: Any) -> list[Run]:
        """Refuse: the records of others are not here."""
        raise StateError("A spool folder cannot be searched. Search the folio that collects the runs.")

    def history(self, run: Run, key: str | None = None) -> Any:
        """Yield the points of a run's metrics."""
        for journal in self._spool.of_run(run.run_id):
            yield from (point for point in RunState(journal.path).points() if key is None or point.key == key)

    def artifacts(self, run: Run) -> dict[str, ArtifactEntry]:
        """Return a run's artifacts by path."""
        return dict(run.artifacts)


def _settings(file: Path) -> Settings:
    try:
        return decode_settings(file.read_bytes(), str(file))
    except FileNotFoundError:
        return Settings()
    except OSError as error:
        raise storage_error(f"read {file}", error) from None
