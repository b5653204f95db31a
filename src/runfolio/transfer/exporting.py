"""Write a folio into another store: experiments, runs one by one, logged and registered models; again, and only what is new is written."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from runfolio.errors import RunfolioError
from runfolio.transfer.choice import Choice
from runfolio.transfer.findings import Exported
from runfolio.transfer.folio_source import FolioSource
from runfolio.transfer.readback import differing, differing_files, file_digest
from runfolio.transfer.releasing import write_models
from runfolio.transfer.source import Point, SourceExperiment, SourceFile, SourceLogged, SourceRun, StoreGoneError
from runfolio.transfer.target import Home, LoggedWork, Reader, RunWork, Target, Written

EVERY = 200
_OWN_IDS = (
    "a server gives experiments, runs and logged models ids of its own; a run's tag runfolio.run_id says which one it has here"
)
_OWN_TIMES = "those that are new there have the server's time of creation: it takes none"


def export_store(source: FolioSource, target: Target, choice: Choice | None = None) -> Exported:
    """Write a folio into a store.

    Parameters
    ----------
    source : FolioSource
    target : Target
    choice : Choice, optional
        All of it by default.

    Returns
    -------
    Exported

    Raises
    ------
    StoreGoneError
        If the store answers no more; what was written stays, and the next export goes on.
    """
    return _Export(source, target, choice or Choice()).all()


class _Export:
    def __init__(self, source: FolioSource, target: Target, choice: Choice) -> None:
        self.source, self.target, self.choice = source, target, choice
        self.done = Exported()
        self.reader: Reader | None = None
        self.homes: dict[str, Home] = {}
        self.measured: dict[str, list[SourceLogged]] = {}

    def all(self) -> Exported:
        choice = self.choice
        wanted = choice.among(self.source.experiments(), self.done, "the folio")
        for item in wanted:
            self._experiment(item)
        ids = list(self.homes)
        logged = list(self.source.logged(ids))
        made: dict[str, list[SourceLogged]] = {}
        for model in logged:
            made.setdefault(model.run_id or "", []).append(model)
            for run_id in {run_id for run_id, _, _, _ in model.metrics}:
                self.measured.setdefault(run_id, []).append(model)
        for run in self.source.runs(ids, choice.since_ms):
            self._run(run, made.get(run.run_id, []))
        for model in made.get("", []):
            self._alone(model)
        if not choice.dry_run:
            for model in logged:
                self._measured(model)
            self._parents()
            self._finish(wanted)
        for where, why in self.source.unread(set(), whole=choice.whole):
            self.done.find(where, why)
        if choice.models:
            choice.tell("registered models")
            write_models(self.source, self.target, self.done, dry_run=choice.dry_run, files=choice.files, verify=choice.verify)
        return self.done

    @contextmanager
    def _finding(self, where: str, what: str = "") -> Iterator[None]:
        """Tell a fault with one thing as a finding, and go on; where the store is gone, nothing can go on."""
        try:
            yield
        except StoreGoneError:
            raise
        except RunfolioError as error:
            self.done.find(where, f"{what}{error.message}")

    def _parents(self) -> None:
        with self._finding("parents of runs"):
            for where, why in self.target.finish_runs():
                self.done.find(where, why)

    def _finish(self, wanted: Sequence[SourceExperiment]) -> None:
        for item in wanted:
            home = self.homes.get(item.experiment_id)
            if home is not None and item.deleted:
                with self._finding(f"experiment {item.name}"):
                    self.target.finish_experiment(item, home)

    def _experiment(self, item: SourceExperiment) -> None:
        home: Home | None = None
        with self._finding(f"experiment {item.name}", "it was not written, nor its runs: "):
            home = self.target.experiment(item, dry_run=self.choice.dry_run)
        if home is None:
            return
        self.homes[item.experiment_id] = home
        if not home.made:
            self.done.had("experiments")
            return
        self.done.took("experiments")
        if not self.target.keeps_ids:
            self.done.note(_OWN_IDS)
            self.done.find("experiments", _OWN_TIMES)
            return
        if home.experiment_id and home.experiment_id != item.experiment_id:
            self.done.note(f"experiment {item.name}: its id there is {home.experiment_id}, here {item.experiment_id}")

    def _run(self, run: SourceRun, made: Sequence[SourceLogged]) -> None:
        with self._finding(f"run {run.run_id}", "it was not written: "):
            there = self.target.run_there(run.run_id)
            if there is not None:
                self._compare_there(run, there)
            elif self.choice.dry_run:
                self._count(run, made)
            else:
                self._write(run, made)
                if self.done.counts["runs"] % EVERY == 0:
                    self.choice.tell(f"{self.done.counts['runs']} runs")

    def _count(self, run: SourceRun, made: Sequence[SourceLogged]) -> None:
        self.done.took("runs")
        self.done.took("metrics", len(run.metrics))
        if self.choice.files:
            listed = [
                *self.source.files(run.run_id),
                *(item for model in made for item in self.source.logged_files(model.model_id)),
            ]
            self.done.took("artifacts", len(listed))
            self.done.size += sum(item.size for item in listed)

    def _write(self, run: SourceRun, made: Sequence[SourceLogged]) -> None:
        home = self.homes[run.experiment_id]
        histories = {key: self.source.history(run.run_id, key) for key in run.metrics}
        points: dict[str, list[Point]] = {}
        for key, logged in histories.items():
            points[key], lost = self.target.held(logged)
            if lost:
                self.done.find(f"run {run.run_id}", f"metric {key}: {lost}")
        with tempfile.TemporaryDirectory(prefix="runfolio-export-") as temporary:
            own, files, works, digests = None, {}, [LoggedWork(model, None) for model in made], {}
            if self.choice.files:
                own = Path(temporary, "run")
                files = self._fetched(own, self.source.files(run.run_id), partial(self.source.fetch, run.run_id))
                works = [LoggedWork(model, Path(temporary, model.model_id)) for model in made]
                for work in works:
                    digests[work.model.model_id] = self._fetched_logged(work)
            there = self.target.write_run(RunWork(run, home, points, own, works, self.measured.get(run.run_id, ())))
        self.done.took("runs")
        if not self.target.keeps_ids:
            self.done.note(_OWN_IDS)
        self.done.took("points", sum(map(len, points.values())))
        if made:
            self.done.took("logged models", len(made))
        if self.choice.verify:
            written = self.target.expected(Written(run, points, files, digests))
            for difference in differing(written, self._reader(), there):
                self.done.find(f"run {run.run_id}", f"read back, {difference}")
            self.done.verified += 1

    def _fetched_logged(self, work: LoggedWork) -> dict[str, str]:
        assert work.folder is not None
        model_id = work.model.model_id
        return self._fetched(work.folder, self.source.logged_files(model_id), partial(self.source.fetch_logged, model_id))

    def _fetched(self, folder: Path, listed: Sequence[SourceFile], fetch: Callable[[str, Path], Path]) -> dict[str, str]:
        """Copy files where they can be sent from; return the digest of each by its path."""
        folder.mkdir(parents=True)
        made = {item.path: file_digest(fetch(item.path, folder)) for item in listed}
        self.done.took("artifacts", len(made))
        self.done.size += sum(item.size for item in listed)
        return made

    def _compare_there(self, run: SourceRun, there: str) -> None:
        """Leave a run that the store has as it is; where the folio has gone on since, that is a finding."""
        self.done.had("runs")
        if self.choice.dry_run:
            return
        found = self._reader().run(there)
        pairs = [(name, getattr(run, name), getattr(found, name)) for name in ("status", "end", "deleted")]
        pairs += [(name, sorted(getattr(run, name)), sorted(getattr(found, name))) for name in ("metrics", "params")]
        moved = [name for name, one, other in pairs if one != other]
        if moved:
            self.done.find(
                f"run {run.run_id}",
                f"the store says otherwise than the folio ({', '.join(moved)}): it was changed after it was written, and is left.",
            )

    def _alone(self, model: SourceLogged) -> None:
        where = f"logged model {model.model_id}"
        with self._finding(where, "it was not written: "):
            if self.choice.dry_run:
                self.done.took("logged models")
                return
            with tempfile.TemporaryDirectory(prefix="runfolio-export-") as temporary:
                work = LoggedWork(model, Path(temporary, model.model_id) if self.choice.files else None)
                if self.target.logged_location(model.model_id) is not None:
                    self.done.had("logged models")
                    return
                files = self._fetched_logged(work) if self.choice.files else {}
                there = self.target.write_logged(work, self.homes[model.experiment_id])
                self.done.took("logged models")
                if self.choice.verify:
                    for difference in differing_files(files, partial(self._reader().fetch_logged, there)):
                        self.done.find(where, f"read back, {difference}")

    def _measured(self, model: SourceLogged) -> None:
        with self._finding(f"logged model {model.model_id}"):
            if model.metrics and self.target.logged_location(model.model_id) is not None:
                runs = {(run_id, key): run_id for run_id, key, _, _ in model.metrics if self.target.run_there(run_id)}
                self.target.measure(model, {name: self.source.history(*name) for name in runs})

    def _reader(self) -> Reader:
        if self.reader is None:
            self.reader = self.target.reader()
        return self.reader
