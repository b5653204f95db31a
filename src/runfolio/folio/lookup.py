"""Find runs: the journals of live and waiting ones together with the committed records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from runfolio._typing import TYPE_CHECKING
from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.formats import paths
from runfolio.formats.runs import decode_run
from runfolio.records import ArtifactEntry, MetricPoint, Run, ViewType, run_id_time
from runfolio.records.names import check_run_id

if TYPE_CHECKING:
    from runfolio.folio.folio import Folio
    from runfolio.journal import Journal, RunState
    from runfolio.query import Filter, OrderKey
    from runfolio.records.briefs import RunBrief


class RunFinder:
    """The runs of a folio, committed or not.

    Parameters
    ----------
    folio : Folio
    """

    def __init__(self, folio: Folio) -> None:
        self._folio = folio
        self._states: dict[str, RunState] = {}
        self._committed: dict[str, tuple[str, Run]] = {}

    def get(self, run_id: str) -> Run:
        """Return a run by its whole id.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        check_run_id(run_id)
        found = self._joined(run_id, self._folio.spool.of_run(run_id), settled=True)
        if found is None:
            raise NotFoundError(f"Run '{run_id}' not found in {self._folio.place.root}. {self._what_to_do()}")
        return found

    def _joined(self, run_id: str, journals: Iterable[Journal], *, settled: bool = False) -> Run | None:
        """Join a run's journals with its committed record; where `settled`, with all artifacts that were logged up to now."""
        run: Run | None = None
        for journal in journals:
            state = self._state(journal)
            if not state.header:
                continue
            if settled and state.copies:
                from runfolio.folio.copies import settle_seen

                settle_seen(self._folio.store, state)
            if state.amends and run is None:
                run = self.committed(run_id)
                if run is None:
                    continue
            if not (state.resumed_at is not None and run is not None and state.resumed_at in run.resumed):
                run = state.run(run if state.amends else None)
        return run or self.committed(run_id)

    def _state(self, journal: Journal) -> RunState:
        key = f"{journal.run_id}+{journal.part}"
        state = self._states.get(key)
        if state is None:
            if len(self._states) > 256:
                self._states.clear()
            from runfolio.journal import RunState

            state = self._states[key] = RunState(journal.file)
        state.path = journal.file
        return state.refresh()

    def committed(self, run_id: str, tip: str | None = None) -> Run | None:
        """Return a run's committed record, or None."""
        folio = self._folio
        tip = tip or folio.place.tip()
        if tip is None:
            return None
        held = self._committed.get(run_id)
        if held and held[0] == tip:
            return held[1]
        path = self._path(run_id, tip)
        data = folio.place.read(tip, path) if path else None
        if data is None or path is None:
            return None
        run = decode_run(data, path, trusted=True)
        if len(self._committed) > 1024:
            self._committed.clear()
        self._committed[run_id] = (tip, run)
        return run

    def _path(self, run_id: str, tip: str) -> str | None:
        """Find the path of a run's record: from the id where it carries its time, else through the index."""
        folio = self._folio
        if run_id_time(run_id) is None:
            indexed = folio.fresh_index().get_run(run_id)
            return paths.run_path(indexed.experiment, run_id, indexed.start) if indexed else None
        candidates = [paths.run_path(item.slug, run_id, 0) for item in folio.experiments.all()]
        names = [f"{tip}:{folio.place.full(path)}" for path in candidates]
        for path, (_, data) in zip(candidates, folio.repo.read_many(names), strict=True):
            if data is not None:
                return path
        return None

    def live(self) -> list[Run]:
        """Return the runs that have a journal: those that go on, and those that wait for a commit."""
        by_run: dict[str, list[Journal]] = {}
        for journal in self._folio.spool.journals():
            by_run.setdefault(journal.run_id, []).append(journal)
        made = []
        for run_id, journals in by_run.items():
            try:
                run = self._joined(run_id, journals)
            except DamagedError:
                continue  # `check` and `commit` name it; a listing of the others must not fail
            if run is not None:
                made.append(run)
        return made

    def search(
        self,
        filter: Filter,
        order: Sequence[OrderKey] = (),
        slugs: Sequence[str] | None = None,
        view: int = ViewType.ACTIVE_ONLY,
        limit: int = 1000,
        offset: int = 0,
        at: str | None = None,
    ) -> list[Run]:
        """Search runs; see :meth:`runfolio.index.Index.search_runs`.

        Parameters
        ----------
        filter : Filter
        order : sequence of OrderKey
        slugs : sequence of str, optional
            Experiments; all by default.
        view : int
            A number of :class:`~runfolio.records.ViewType`.
        limit, offset : int
        at : str, optional
            Commit id: search the records of that commit, without live runs.
        """
        overlay = self._overlay(at)
        return self._folio.fresh_index(at).search_runs(filter, order, slugs, view, limit, offset, overlay)

    def search_briefs(
        self,
        filter: Filter,
        order: Sequence[OrderKey] = (),
        slugs: Sequence[str] | None = None,
        view: int = ViewType.ACTIVE_ONLY,
        limit: int = 1000,
        offset: int = 0,
        at: str | None = None,
    ) -> list[RunBrief]:
        """Find the runs that :meth:`search` finds, as a table shows them."""
        overlay = self._overlay(at)
        return self._folio.fresh_index(at).search_briefs(filter, order, slugs, view, limit, offset, overlay)

    def count(
        self, filter: Filter, slugs: Sequence[str] | None = None, view: int = ViewType.ACTIVE_ONLY, at: str | None = None
    ) -> int:
        """Return how many runs :meth:`search` would find without a limit."""
        overlay = self._overlay(at)
        return self._folio.fresh_index(at).count(filter, slugs, view, overlay)

    def _overlay(self, at: str | None) -> list[Run]:
        """Return the runs of journals, to be read before the index is: who commits one between the two hides it from neither."""
        return self.live() if at is None else []

    def resolve(self, text: str) -> str:
        """Return the whole run id for an abbreviated one (four characters at least), or a run's name.

        Raises
        ------
        NotFoundError
            If no run fits.
        UsageError
            If several do; the message lists them.
        """
        journals = {journal.run_id for journal in self._folio.spool.journals()}
        if text in journals or (len(text) == 32 and self.committed(text)):
            return text
        index = self._folio.fresh_index()
        found = (
            set(index.find_prefix(text)) | {run_id for run_id in journals if run_id.startswith(text)} if len(text) >= 4 else set()
        )
        if not found:
            found = {run.run_id for run in self.live() if run.name == text}
            found.update(self._folio.fresh_index().find_name(text))  # after the journals: one of them may have been committed
        if len(found) > 1:
            raise _ambiguous(text, found)
        if not found:
            raise NotFoundError(f"No run {text!r} in {self._folio.place.root}. {self._what_to_do()}")
        return found.pop()

    def _what_to_do(self) -> str:
        """Say what whoever finds no run can do: it may be one whose record cannot be read."""
        damaged = len(self._folio.fresh_index().faults())
        if not damaged:
            return "List the runs: runfolio runs list"
        return f"List the runs: runfolio runs list; or it is one of the {damaged} that cannot be read: runfolio check"

    def named(self, text: str, at: str | None = None) -> Run:
        """Return the run that a user's words name, as it is now or as the records of a commit have it.

        Parameters
        ----------
        text : str
            As for :meth:`resolve`.
        at : str, optional
            Commit id.
        """
        return self.get(self.resolve(text)) if at is None else self.find_at(text, at)

    def find_at(self, text: str, at: str) -> Run:
        """Return a run as the records of a commit have it.

        Parameters
        ----------
        text : str
            As for :meth:`resolve`.
        at : str
            Commit id.

        Raises
        ------
        NotFoundError
            If no run of that commit fits.
        UsageError
            If several do.
        """
        index = self._folio.fresh_index(at)
        found = (index.find_prefix(text) if len(text) >= 4 else []) or index.find_name(text)
        if len(found) > 1:
            raise _ambiguous(text, found)
        run = index.get_run(found[0]) if found else None
        if run is None:
            raise NotFoundError(f"No run {text!r} at {at[:12]} in {self._folio.place.root}.")
        return run

    def preview(self, run: Run, at: str | None = None) -> Mapping[str, Sequence[MetricPoint]]:
        """Return the bounded picture of a run's metric histories that git holds, or that its journal gives so far.

        Parameters
        ----------
        run : Run
        at : str, optional
            Commit id; the tip by default.

        Returns
        -------
        Mapping of str to sequence of MetricPoint
            Metrics of one point may be missing.
        """
        from runfolio.formats.series import decode_series

        place = self._folio.place
        path = paths.series_path(paths.run_path(run.experiment, run.run_id, run.start))
        journals = self._folio.spool.of_run(run.run_id) if at is None else []
        live = [state.reduction for state in map(self._state, journals) if state.reduction.points]
        data = live[-1].preview(run.run_id) if live else place.read(at or place.tip(), path)
        return decode_series(data, path, trusted=True).metrics if data else {}

    def history(self, run: Run, key: str | None = None, at: str | None = None) -> Iterator[MetricPoint]:
        """Yield the points of a run's metrics, committed and live.

        Parameters
        ----------
        run : Run
        key : str, optional
            One metric only.
        at : str, optional
            Commit id: the points that `run` had there, without live ones.
        """
        from runfolio.folio.series import points_of

        folio = self._folio
        if at is not None:
            record = paths.series_path(paths.run_path(run.experiment, run.run_id, run.start))
            yield from points_of(run, lambda: folio.place.read(at, record), folio.store, key)
            return
        journals = folio.spool.of_run(run.run_id)
        base = self.committed(run.run_id)
        # One without a header was left by a process that died in its first moment: it says nothing, and hides nothing.
        states = [state for state in map(self._state, journals) if state.header]
        if base is not None and (not states or states[0].amends):
            path = paths.series_path(paths.run_path(base.experiment, base.run_id, base.start))
            yield from points_of(base, lambda: folio.place.read(folio.place.tip(), path), folio.store, key)
        for state in states:
            for point in state.points():
                if key is None or point.key == key:
                    yield point

    def artifacts(self, run: Run) -> dict[str, ArtifactEntry]:
        """Return a run's artifacts by path."""
        made: dict[str, ArtifactEntry] = {}
        if run.manifest is not None:
            from runfolio.objects.manifests import decode_manifest

            data = self._folio.store.read(run.manifest.digest)
            made.update(decode_manifest(data, f"the list of artifacts of run {run.run_id}"))
        made.update(run.artifacts)
        return made


def _ambiguous(text: str, found: Iterable[str]) -> UsageError:
    ids = sorted(found)
    some = ", ".join(ids[:5]) + " …" * (len(ids) > 5)
    if all(run_id.startswith(text) for run_id in ids):
        return UsageError(f"{text!r} begins the ids of {len(ids)} runs: {some}. Write more of the id.")
    return UsageError(f"{text!r} is the name of {len(ids)} runs: {some}. Say which by its id.")
