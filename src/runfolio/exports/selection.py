"""What an export holds, and the reading of it from a folio, page by page at one commit."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError
from runfolio.exports.report import Report
from runfolio.folio.folio import Folio
from runfolio.folio.past import commit_at
from runfolio.folio.scopes import search_parts
from runfolio.index import Index
from runfolio.objects import LocalStore
from runfolio.query import parse_filter
from runfolio.query.grammar import ATTRIBUTES, Clause, Filter, OrderKey
from runfolio.records import ArtifactEntry, Experiment, Lifecycle, MetricPoint, Run, ViewType
from runfolio.records.datasets import Dataset, Facts
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.registry import resolve
from runfolio.registry.history import Event, history

PAGE = 500
_BY_ID = (OrderKey(ATTRIBUTES, "run_id"),)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which runs, and what goes with them.

    Parameters
    ----------
    experiments : tuple of str
        Ids, names or folder names; empty for all.
    filter : str
        In the language of ``runfolio help filters``.
    view : int
        A number of :class:`~runfolio.records.ViewType`.
    at : str or None
        A revision or date; the tip, with the runs that are not committed yet, by default.
    runs : tuple of str
        Only these, as users name runs, with the runs that they are children of and those below them.
    models : tuple of str
        Only these versions, as ``models:/`` URIs, with the runs that made them and the runs that those are children of.
    """

    experiments: tuple[str, ...] = ()
    filter: str = ""
    view: int = ViewType.ACTIVE_ONLY
    at: str | None = None
    runs: tuple[str, ...] = ()
    models: tuple[str, ...] = ()

    @property
    def narrow(self) -> bool:
        """Whether some runs were chosen, so that models, too, are those of the chosen runs only."""
        return bool(self.experiments or self.filter or self.runs or self.models)

    def document(self) -> dict[str, object]:
        """Return it as plain data."""
        views = {ViewType.ACTIVE_ONLY: "active", ViewType.DELETED_ONLY: "deleted", ViewType.ALL: "all"}
        made: dict[str, object] = {
            "experiments": list(self.experiments),
            "filter": self.filter,
            "runs": views[self.view],
            "at": self.at,
        }
        only = {"only_runs": list(self.runs), "only_models": list(self.models)}
        return {**made, **{key: value for key, value in only.items() if value}}


class FolioReader:
    """Reads what is selected; faults go to the report.

    Parameters
    ----------
    folio : Folio
    selection : Selection
    report : Report
    """

    def __init__(self, folio: Folio, selection: Selection, report: Report) -> None:
        self.folio, self.selection, self.report = folio, selection, report
        self._filter = parse_filter(selection.filter, "runs")
        tip = folio.place.tip()
        self.commit = commit_at(folio.place, selection.at) if selection.at else tip
        report.commit = self.commit
        report.places = {str(folio.place.root): "the folio", str(folio.place.local): "the folio's own folder"}
        store = folio.store
        if isinstance(store, LocalStore):
            report.places[str(store.root)] = "the object store"
        folio.fresh_index(self.commit if selection.at else None)
        # An index of its own: others move the folio's on to newer commits while this one reads.
        index = Index.open(folio.place.local / "index.sqlite")
        index.update(folio.repo, tip, folio.place.prefix)
        self._index = index if self.commit == tip else index.at(folio.repo, self.commit, folio.place.prefix)
        self._live = {} if selection.at else {run.run_id: run for run in folio.runs.live()}
        self.experiments = self._experiments()
        self._versions: dict[str, set[int]] | None = None
        self._parts = search_parts(folio, selection.experiments, selection.view, self.experiments)
        if selection.runs or selection.models:
            named = self._named()
            self._filter = Filter((Clause(ATTRIBUTES, "run_id", "IN", tuple(sorted(named))),), self._filter.kind)
            self._parts = [(None, ViewType.ALL)]
        for fault in self._index.faults():
            report.find(fault.path, f"the record cannot be read: {fault.message}")

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def _experiments(self) -> dict[str, Experiment]:
        made = {item.slug: item for item in self.folio.experiments.all(self.commit)}
        for slug in sorted({run.experiment for run in self._live.values()} | {item.slug for item in self._index.experiments()}):
            made.setdefault(slug, Experiment(slug, slug, slug))
        return made

    def _named(self) -> set[str]:
        """Return the ids of the runs that were named, with those above and below them; note the versions that were named."""
        at = self.commit if self.selection.at else None
        below: dict[str, list[str]] = {}
        for run in self._live.values():
            if run.parent:
                below.setdefault(run.parent, []).append(run.run_id)
        for parent, run_id in self._index.parents():
            below.setdefault(parent, []).append(run_id)
        found: set[str] = set()
        for text in self.selection.runs:
            waiting = [self.folio.runs.named(text, at).run_id]
            found.update(self._above(waiting[0]))
            while waiting:
                run_id = waiting.pop()
                found.add(run_id)
                waiting += [child for child in below.get(run_id, ()) if child not in found]
        for uri in self.selection.models:
            model, version = resolve(self.folio, uri, at)
            self._versions = self._versions or {}
            self._versions.setdefault(model.slug, set()).add(version.version)
            if version.run_id is not None:
                found.update(self._above(version.run_id))
        return found

    def _above(self, run_id: str) -> list[str]:
        """Return a run and those that it is a child of, as far as they are known."""
        made: list[str] = []
        waiting: str | None = run_id
        while waiting is not None and waiting not in made:
            made.append(waiting)
            run = self._live.get(waiting) or self._index.get_run(waiting)
            waiting = run.parent if run is not None else None
        return made

    def runs(self) -> Iterator[Run]:
        """Yield the runs by id."""
        found = [self._pages(slugs, view) for slugs, view in self._parts]
        return heapq.merge(*found, key=lambda run: run.run_id)

    def _pages(self, slugs: Sequence[str] | None, view: int) -> Iterator[Run]:
        last = ""
        while True:
            after = Clause(ATTRIBUTES, "run_id", ">", last)
            wanted = Filter((*self._filter.clauses, after), self._filter.kind, self._filter.text)
            page = self._index.search_runs(wanted, _BY_ID, slugs, view, PAGE, 0, list(self._live.values()))
            yield from page
            if len(page) < PAGE:
                return
            last = page[-1].run_id

    def paths_in(self, folder: str, commit: str | None = None) -> list[str]:
        """Return the paths of all files in one of the folio's folders, from its root, as of a commit (the records' by default)."""
        commit = commit or self.commit
        if commit is None:
            return []
        place = self.folio.place
        said = self.folio.repo.run("ls-tree", "-r", "-z", "--full-tree", "--name-only", commit, "--", place.full(f"{folder}/"))
        return sorted(place.strip(name) for name in said.decode("utf-8", "surrogateescape").split("\0") if name)

    def passed_over(self, path: str) -> None:
        """Note a record that is damaged, so that those who read many passed it over."""
        self.report.find(path, "the record is damaged, so it is not in the export. What is wrong with it: runfolio check")

    def chosen_experiments(self) -> list[Experiment]:
        """Return the experiments that are looked at, by folder name."""
        view, chosen = self.selection.view, set[str]()
        for slugs, _ in self._parts:
            chosen.update(self.experiments if slugs is None else slugs)
        kept = (item for item in self.experiments.values() if item.slug in chosen)
        hides = view == ViewType.ACTIVE_ONLY and not self.selection.experiments
        return sorted((item for item in kept if not hides or item.lifecycle is Lifecycle.ACTIVE), key=lambda item: item.slug)

    def points(self, run: Run) -> Iterator[MetricPoint]:
        """Yield every point of a run's metrics; of each metric in the order in which they were logged."""
        at = None if run.run_id in self._live else self.commit
        try:
            yield from self.folio.runs.history(run, at=at)
        except RunfolioError as error:
            self.report.find(f"run {run.run_id}", f"its metric points cannot be read: {error.message}")

    def artifacts(self, run: Run) -> dict[str, ArtifactEntry] | None:
        """Return a run's artifacts by path; None where the list of them cannot be read."""
        try:
            found = self.folio.runs.artifacts(run)
        except RunfolioError as error:
            self.report.find(f"run {run.run_id}", f"the list of its artifacts cannot be read: {error.message}")
            return None
        return {path: found[path] for path in sorted(found)}

    def look_for(self, named: Iterable[tuple[str, ArtifactEntry]]) -> set[str]:
        """Look whether objects are in the store, and return the digests of those that are not; each is a finding.

        Parameters
        ----------
        named : iterable of (str, ArtifactEntry)
            What each is, in words.
        """
        listed = list(named)
        states = self.folio.store.inspect(dict.fromkeys(entry.digest for _, entry in listed))
        missing: set[str] = set()
        for where, entry in listed:
            state = states.get(entry.digest)
            if isinstance(state, int):
                if state != entry.size:
                    missing.add(entry.digest)
                    self.report.find(where, f"its object has {state:,} bytes where the record says {entry.size:,}")
                continue
            missing.add(entry.digest)
            self.report.find(where, state.message if state is not None else f"the object {entry.digest} is not in the store")
        return missing

    @cached_property
    def models(self) -> list[tuple[RegisteredModel, list[ModelVersion]]]:
        """The registered models by folder, each with its versions; of chosen runs only those that came of them."""
        runs = {run.run_id for run in self.runs()} if self.selection.narrow else None
        made = []
        for model in sorted(self.folio.models.all(self.commit), key=lambda item: item.slug):
            try:
                versions = self.folio.models.versions(model, self.commit, deleted=self.selection.view != ViewType.ACTIVE_ONLY)
            except RunfolioError as error:
                self.report.find(f"model {model.name}", f"its versions cannot be read: {error.message}")
                versions = []
            if runs is not None:
                chosen = (self._versions or {}).get(model.slug, set())
                of_runs = not self.selection.models  # a version that is asked for by name is told alone
                versions = [item for item in versions if item.version in chosen or (of_runs and item.run_id in runs)]
                if not versions:
                    continue
            made.append((model, versions))
        return made

    def events(self, model: RegisteredModel, versions: Sequence[ModelVersion]) -> list[Event]:
        """Return what happened to a model, oldest first; of chosen runs only what happened to their versions or to no version alone."""
        numbers = {item.version for item in versions}
        by_commit: dict[str, list[Event]] = {}
        for event in history(self.folio, model.slug, tip=self.commit):
            by_commit.setdefault(event.commit, []).append(event)
        ordered = [
            event for same in reversed(by_commit.values()) for event in sorted(same, key=lambda item: item.kind != "created")
        ]
        return [item for item in ordered if not self.selection.narrow or item.version is None or item.version in numbers]

    @cached_property
    def datasets(self) -> list[tuple[Dataset, Facts | None]]:
        """The recorded datasets by name, each with what is known of its content."""
        repo, at = self.folio.repo, self.selection.at
        # Their files go with the code: where records have a ledger branch, its commits hold none of them.
        commit = (repo.resolve(at) if at else repo.resolve("HEAD")) or self.commit
        if commit is None:
            return []
        if at and self.folio.place.ledger and commit == self.commit:
            self.report.notes.append(
                f"Recorded datasets are those of the ledger at {at}; name a revision of the code for others."
            )
        found = self.folio.datasets.found(commit)
        for fault in found.faults:
            self.report.find("a dataset's file", fault)
        made = []
        for dataset in found.datasets:
            try:
                facts = self.folio.datasets.facts(dataset.slug, dataset.digest, self.commit)
            except RunfolioError as error:
                self.report.find(f"dataset {dataset.name}", f"what is known of its content cannot be read: {error.message}")
                facts = None
            made.append((dataset, facts))
        return made
