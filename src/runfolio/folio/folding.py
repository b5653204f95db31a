"""Ended journals to one commit: the only way by which runs get into git.

Order, and why nothing can be lost: the objects are stored and verified while the run logs, or here where its process was killed before it
had come to it; then the records are encoded, the commit is made, the branch moves by compare-and-swap, and only then are the journals
dropped. Killed anywhere before the last step, the next fold finds the journals again; where their runs are committed already it finds
nothing to change and drops them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runfolio._dataclass import dataclass, field
from runfolio._typing import TYPE_CHECKING
from runfolio.diff import commit_message
from runfolio.errors import BusyError, RunfolioError
from runfolio.folio.committing import commit_on
from runfolio.folio.experiments import ExperimentBook
from runfolio.folio.lock import WAIT_S, locked
from runfolio.folio.place import Place
from runfolio.folio.sealing import Sealed, seal_run
from runfolio.formats import paths
from runfolio.formats.experiments import encode_experiment
from runfolio.formats.runs import decode_run
from runfolio.gitstore import FileChange
from runfolio.gitstore.checkout import finish_pending, read_note
from runfolio.gitstore.index_lock import own_left
from runfolio.journal import Journal, RunState, Spool
from runfolio.records import Experiment, Lifecycle, Run

if TYPE_CHECKING:
    from runfolio.objects import ObjectStore

MAX_BATCH = 1000
"""Runs in one commit: bounds the memory of a fold and the length of the message."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A journal that could not be committed, and why."""

    run_id: str
    reason: str


@dataclass(slots=True)
class FoldResult:
    """What a fold did.

    Parameters
    ----------
    added, edited : list of Run
    waiting : list of Waiting
    commits : int
    unsent : str
        Why objects wait on this machine for the store; empty where none does.
    """

    added: list[Run] = field(default_factory=list)
    edited: list[Run] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    commits: int = 0
    unsent: str = ""

    @property
    def folded(self) -> int:
        """Runs that were added or edited."""
        return len(self.added) + len(self.edited)


def fold(
    place: Place, spool: Spool, store: Callable[[], ObjectStore], *, wait: bool = True, only: set[str] | None = None
) -> FoldResult:
    """Commit the runs that have ended.

    Parameters
    ----------
    place : Place
    spool : Spool
    store : callable
        Opens the object store: runs without files need none.
    wait : bool, optional
        Wait for another process that is committing.
    only : set of str, optional
        Run ids to which the fold is limited.
    """
    result = FoldResult()
    if not spool.waiting() and read_note(place.repo) is None and not own_left(place.repo):
        return result
    try:
        with locked(place.repo.own_folder, WAIT_S if wait else 0.0):
            finish_pending(place.repo)
            sealed = [journal for journal in spool.journals() if journal.sealed and (only is None or journal.run_id in only)]
            for branch, batch in _batches(place, sealed, result):
                _fold_batch(place, spool, store, branch, batch, result)
                batch.clear()  # before the next one is read
    except BusyError:
        if wait:
            raise
    return result


def _batches(place: Place, sealed: list[Journal], result: FoldResult) -> Iterator[tuple[str, list[tuple[Journal, RunState]]]]:
    """Read journals, as many at a time as one commit takes, and give them to the branch where the run started, else the one at hand.

    The journals of one run, which stand side by side, come never apart.
    """
    gathered: dict[str, list[tuple[Journal, RunState]]] = {}
    takers: dict[str | None, tuple[str | None, str | None]] = {}
    for journal in sealed:
        state = RunState(journal.file).refresh()
        if not state.header:
            result.waiting.append(Waiting(journal.run_id, f"its journal has no header: {journal.file}"))
            continue
        named = state.header.get("branch")
        if named not in takers:
            takers[named] = _taker(place, named)
        branch, reason = takers[named]
        if reason is not None or branch is None:
            result.waiting.append(Waiting(journal.run_id, reason or ""))
            continue
        batch = gathered.setdefault(branch, [])
        if len(batch) >= MAX_BATCH and batch[-1][0].run_id != journal.run_id:
            yield branch, batch
        batch.append((journal, state))
    yield from ((branch, batch) for branch, batch in gathered.items() if batch)


def _taker(place: Place, named: str | None) -> tuple[str | None, str | None]:
    """Return the branch that takes the runs that started on `named`, and why it cannot do so now (None if it can)."""
    branch = named if place.ledger is None else place.ledger
    if branch is None or (place.ledger is None and branch != place.repo.head_branch() and place.repo.resolve(branch) is None):
        branch = place.branch_at_hand()
    return branch, place.why_not_writable(branch)


def _fold_batch(
    place: Place,
    spool: Spool,
    store: Callable[[], ObjectStore],
    branch: str,
    batch: list[tuple[Journal, RunState]],
    result: FoldResult,
) -> None:
    """Commit one batch, the parts of one run in their order, and drop its journals."""
    made: _Batch

    def change(tip: str | None) -> list[FileChange]:
        nonlocal made
        made = _Batch(place, spool, store, tip)
        for journal, state in batch:
            made.take(journal, state)
        return made.changes()

    def message() -> str:
        return made.message()

    # A sealed journal is written by a fold alone, and the folio's lock keeps other folds away: no lock of its own is needed.
    done = commit_on(place, branch, change, message)
    result.commits += done
    result.added.extend(made.added.values())
    result.edited.extend(made.edited.values())
    result.waiting.extend(made.waiting)
    stuck = {item.run_id for item in made.waiting}
    for journal, _ in batch:
        if journal.run_id not in stuck:
            spool.drop(journal)


class _Batch:
    """The files of one commit, gathered from journals on one tip."""

    def __init__(self, place: Place, spool: Spool, store: Callable[[], ObjectStore], tip: str | None) -> None:
        self.place, self.spool, self.store, self.tip = place, spool, store, tip
        self.book = ExperimentBook(place)
        self.experiments = {item.slug: item for item in self.book.all(tip)}
        self.added: dict[str, Run] = {}
        self.edited: dict[str, Run] = {}
        self.deleted: dict[str, Run] = {}
        self.waiting: list[Waiting] = []
        self._sealed: dict[str, Sealed] = {}
        self._folded: dict[str, tuple[int, ...]] = {}
        self._files: dict[str, bytes] = {}
        self._donors: dict[str, Journal] = {}
        self._environments: set[str] = set()

    def take(self, journal: Journal, state: RunState) -> None:
        """Add one journal's run."""
        try:
            if state.all_copies:
                from runfolio.folio.copies import settle_left

                settle_left(self.store(), state)
            self._take(journal, state)
        except RunfolioError as error:
            self.waiting.append(Waiting(journal.run_id, error.message))

    def _take(self, journal: Journal, state: RunState) -> None:
        before: Run | None = None
        previous = self._sealed.get(journal.run_id)
        if state.amends:
            before = previous.run if previous else self._committed(journal.run_id, state)
            if before is None:
                self.waiting.append(Waiting(journal.run_id, "the run that it changes is not on this branch"))
                return
            folded = self._folded.setdefault(journal.run_id, before.resumed)  # parts of one batch may be of one millisecond
            if state.resumed_at is not None and state.resumed_at in folded:
                return  # folded before; the process was killed between the commit and this line
        sealed = seal_run(self.place, self.store, self.tip, state, before, previous)
        self._sealed[journal.run_id] = sealed
        self._files.update(sealed.files)
        if before is None:
            self._donors[sealed.path] = journal
        self._environment(sealed.run)
        self._experiment(sealed.run, state)
        if before is None or journal.run_id in self.added:
            self.added[journal.run_id] = sealed.run
        elif before.lifecycle is not sealed.run.lifecycle and sealed.run.lifecycle is Lifecycle.DELETED:
            self.deleted[journal.run_id] = sealed.run
            self.edited[journal.run_id] = sealed.run
        else:
            self.edited[journal.run_id] = sealed.run

    def _committed(self, run_id: str, state: RunState) -> Run | None:
        path = paths.run_path(str(state.header.get("experiment")), run_id, int(state.header.get("start") or 0))
        data = self.place.read(self.tip, path)
        return decode_run(data, path, trusted=True) if data is not None else None

    def _environment(self, run: Run) -> None:
        name = str(run.environment.get("lock") or "")
        if name and name not in self._environments:
            self._environments.add(name)  # one file for all runs of a batch, mostly
            text = self.spool.environment(name)
            if text is not None:
                self._files[paths.environment_path(name)] = text

    def _experiment(self, run: Run, state: RunState) -> None:
        slug = run.experiment
        if slug not in self.experiments:
            made = Experiment(slug, slug, str(state.header.get("experiment_name") or slug), run.start, run.start)
            self.experiments[slug] = made
            self._files[paths.experiment_path(slug)] = encode_experiment(made)

    def changes(self) -> list[FileChange]:
        """Return the files of the commit, in order of their paths."""
        stuck = {item.run_id for item in self.waiting}
        donors = {path: journal.file for path, journal in self._donors.items() if journal.run_id not in stuck}
        return [FileChange(self.place.full(path), data, donors.get(path)) for path, data in sorted(self._files.items())]

    def message(self) -> str:
        """Return the commit's message."""
        edited = [run for run in self.edited.values() if run.run_id not in self.deleted]
        return commit_message(list(self.added.values()), self.experiments, edited=edited, deleted=list(self.deleted.values()))
