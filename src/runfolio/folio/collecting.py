"""``runfolio collect``: runs that were made elsewhere, taken in exactly once.

From spool folders of ours (``set_tracking_uri("spool:DIR")``) and from folders with a ``run.json`` that any language wrote.
Objects are copied and verified, the runs are staged as journals beside the folio, those are committed as all others are, and
only then is the source dropped or renamed. Killed anywhere before that last step, the next collector finds the source again;
what is committed already is known by its run id and is not changed.

One collector works in a folio at a time. A run that cannot be taken is left where it is, named, and hides no other.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path

from runfolio._dataclass import dataclass, field
from runfolio.errors import DamagedError, RunfolioError, storage_error
from runfolio.folio.bucket_inbox import bucket_inbox
from runfolio.folio.copies import settle_left
from runfolio.folio.folding import MAX_BATCH, fold
from runfolio.folio.folio import Folio
from runfolio.folio.inbox import RUN_FILE, TAKEN, Inbox, look, name_when_taken
from runfolio.folio.lock import locked
from runfolio.folio.staging import Staging, bring_objects, check_state, files_of, id_of, read_foreign
from runfolio.formats.foreign import ForeignRun
from runfolio.journal import Journal, RunState, Spool
from runfolio.objects import LocalStore, ObjectStore, open_store
from runfolio.objects.remote import RemoteStore
from runfolio.records import DEFAULT_EXPERIMENT_NAME, Run, RunStatus
from runfolio.records.names import check_experiment_name
from runfolio.records.redaction import Redactor

INBOX = "inbox"
_OTHER_RUN = "If this is another run, remove run.id (and the field run_id) here."


@dataclass(frozen=True, slots=True)
class Left:
    """A run that was not taken in.

    Parameters
    ----------
    where : str
        Its journal or folder.
    reason : str
        File, field and remedy.
    """

    where: str
    reason: str


@dataclass(slots=True)
class Collected:
    """What a collector did.

    Parameters
    ----------
    taken : list of Run
    there : list of str
        Run ids that the folio had already.
    left : list of Left
    unfinished : list of str
        Runs that go on, or whose writer died: their journals and folders.
    commits : int
    """

    taken: list[Run] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    commits: int = 0


def default_inbox(folio: Folio) -> Path | None:
    """Return the folder beside the folio's objects into which workers put their spool folders, or None where it cannot be one."""
    return folio.store.root / INBOX if isinstance(folio.store, LocalStore) else None


def collect(folio: Folio, folders: Sequence[Path] = (), *, dry_run: bool = False, remove: bool = False) -> Collected:
    """Take in the runs of spool folders.

    Parameters
    ----------
    folio : Folio
    folders : sequence of Path, optional
        The inbox beside the artifacts by default, in a folder or in a bucket.
    dry_run : bool, optional
        Only look.
    remove : bool, optional
        Remove run folders that were taken in, rather than renaming them.

    Raises
    ------
    NotFoundError
        If a folder that was named does not exist.
    """
    store = folio.store
    if not folders and isinstance(store, RemoteStore):
        with bucket_inbox(store.bucket, folio.place.local) as bucket:
            made = _collect(folio, [bucket.folder], dry_run, remove=True)
            if not dry_run:
                bucket.let_go()
            here, there = str(bucket.folder), bucket.url
        made.left = [Left(item.where.replace(here, there), item.reason.replace(here, there)) for item in made.left]
        made.left += [Left(*found) for found in bucket.refused]
        made.unfinished = [name.replace(here, there) for name in made.unfinished]
        return made
    places = list(folders)
    inbox = default_inbox(folio)
    if not places and inbox is not None and inbox.is_dir():
        places = [inbox]
    return _collect(folio, places, dry_run, remove)


def _collect(folio: Folio, places: Sequence[Path], dry_run: bool, remove: bool) -> Collected:
    found = [look(Path(place).expanduser()) for place in places]
    work = folio.place.local / "collecting"
    with locked(work):
        collector = _Collector(folio, work, dry_run, remove)
        for item in found:
            collector.take(item)
    return collector.result


@dataclass(slots=True)
class _Staged:
    """A run in the staging folder, and how its source is let go."""

    run_id: str
    where: str
    let_go: Callable[[], None]


class _Collector:
    """One round of taking in; it holds the lock."""

    def __init__(self, folio: Folio, work: Path, dry_run: bool, remove: bool) -> None:
        self.result = Collected()
        self._folio, self._dry_run, self._remove = folio, dry_run, remove
        rules = folio.settings.redact
        self._staging = Staging(work, folio.store, Redactor(rules.patterns, rules.keys, home=str(Path.home())))
        self._staging.clear()
        self._staged: dict[str, list[_Staged]] = {}

    def take(self, inbox: Inbox) -> None:
        """Take in what a folder holds."""
        self.result.unfinished.extend(map(str, inbox.unfinished))
        for folder in inbox.spools:
            self._take_spool(folder)
        for folder in inbox.runs:
            self._guarded(str(folder), partial(self._take_foreign, folder))
            self._commit_if_full()
        self._commit()

    def _guarded(self, where: str, action: Callable[[], None]) -> bool:
        """Do something about one run; what is wrong with it is noted."""
        try:
            action()
        except RunfolioError as error:
            self.result.left.append(Left(where, error.message))
            return False
        except OSError as error:
            # Another machine's collector can rename the folder under us.
            if os.path.exists(where):
                self.result.left.append(Left(where, storage_error(f"take in {where}", error).message))
            return False
        return True

    # Spool folders of ours

    def _take_spool(self, folder: Path) -> None:
        spool = Spool(folder)
        objects = open_store(None, folder / "objects", folder, False)
        for journals in _by_run(spool.journals()):
            if not all(journal.sealed for journal in journals):
                self.result.unfinished.extend(str(journal.path) for journal in journals if not journal.sealed)
                continue
            where = str(journals[0].path)
            if not self._guarded(where, partial(self._take_journals, spool, objects, journals)):
                self._unstage(journals[0].run_id)
            self._commit_if_full()
        self._commit()

    def _take_journals(self, spool: Spool, objects: ObjectStore, journals: Sequence[Journal]) -> None:
        """Stage all journals of one run."""
        run_id = journals[0].run_id
        if run_id in self._staged:
            self._commit()  # a second copy of the spool: it is compared with what came of the first
        committed = self._folio.runs.committed(run_id)
        states = []
        for journal in journals:
            state = RunState(journal.path).refresh()
            check_state(journal, state)
            if not self._dry_run:
                settle_left(objects, state)
            bring_objects(objects, self._folio.store, state)
            states.append((journal, state))
        first = states[0][1]
        fresh = [(journal, state) for journal, state in states if not _is_there(state, committed)]
        if first.amends and committed is None:
            raise DamagedError(f"{journals[0].path}: it changes run {run_id}, which is not here. Collect the run itself first.")
        if committed is not None and not fresh:
            self.result.there.append(run_id)
        if self._dry_run:
            if fresh:
                self.result.taken.append(committed or first.run())
            return
        if not fresh:
            self._drop(spool, journals)
            return
        name = str(first.header.get("experiment_name") or first.header.get("experiment") or DEFAULT_EXPERIMENT_NAME)
        slug = committed.experiment if committed else self._slug(name)
        for journal, state in fresh:
            if not state.amends:
                self._staging.keep_environment(spool, state.run())
            self._staging.stage_journal(journal, state, slug)
        self._note(_Staged(run_id, str(journals[0].path), lambda: self._drop(spool, journals)))

    @staticmethod
    def _drop(spool: Spool, journals: Iterable[Journal]) -> None:
        # The first journal last: without it those that amend the run could not be taken in again.
        for journal in reversed(list(journals)):
            spool.drop(journal)

    # Folders with a run.json

    def _take_foreign(self, folder: Path) -> None:
        run = read_foreign(folder)
        run_id = id_of(folder, run, make=not self._dry_run)
        committed = self._folio.runs.committed(run_id)
        if committed is not None:
            self._check_same(folder, run, committed)
            self.result.there.append(run_id)
            if not self._dry_run:
                self._retire(folder)
            return
        if run_id in self._staged:
            other = self._staged[run_id][0].where
            raise DamagedError(f"{folder}: run.id: {other} has the same run id {run_id}. {_OTHER_RUN}")
        if self._dry_run:
            files_of(folder)
            name = run.name or folder.name
            self.result.taken.append(Run(run_id, run.experiment, name, RunStatus(run.status), run.start, run.end))
            return
        self._staging.stage_foreign(folder, run, run_id, self._slug(run.experiment))
        self._note(_Staged(run_id, str(folder), lambda: self._retire(folder)))

    @staticmethod
    def _check_same(folder: Path, run: ForeignRun, committed: Run) -> None:
        """Refuse another run under the id of one that is there: a folder that was copied with its ``run.id``."""
        same = run.start == committed.start and set(run.params) == set(committed.params)
        if not same or not set(run.metrics) <= set(committed.metrics):
            raise DamagedError(f"{folder / RUN_FILE}: run {committed.run_id} is in the folio with other content. {_OTHER_RUN}")

    def _retire(self, folder: Path) -> None:
        with suppress(FileNotFoundError):
            if self._remove:
                # First a name that no collector takes for a run, since removing is not done at once.
                hidden = folder.with_name(f".{folder.name}{TAKEN}.{os.getpid()}")
                os.rename(folder, hidden)
                shutil.rmtree(hidden)
                return
            os.rename(folder, name_when_taken(folder))

    # Commits

    def _slug(self, experiment: str) -> str:
        """Return the folder name of the experiment of that name, made if it is missing, deleted or not."""
        check_experiment_name(experiment)
        book = self._folio.experiments
        found = book.by_name(experiment) or book.get_or_create(experiment)
        return found.slug

    def _note(self, staged: _Staged) -> None:
        self._staged.setdefault(staged.run_id, []).append(staged)

    def _unstage(self, run_id: str) -> None:
        for journal in self._staging.spool.of_run(run_id):
            self._staging.spool.drop(journal)

    def _commit_if_full(self) -> None:
        if len(self._staged) >= MAX_BATCH:
            self._commit()

    def _commit(self) -> None:
        """Commit what is staged, and let go of the sources."""
        if not self._staged:
            return
        folio = self._folio
        only = set(self._staged)
        done = fold(folio.place, self._staging.spool, lambda: folio.store, only=only)
        self.result.commits += done.commits
        self.result.taken.extend({run.run_id: run for run in (*done.edited, *done.added)}.values())
        waiting = {item.run_id: item.reason for item in done.waiting}
        staged, self._staged = self._staged, {}
        for run_id, sources in staged.items():
            for source in sources:
                if run_id in waiting:
                    self.result.left.append(Left(source.where, f"{source.where}: {waiting[run_id]}"))
                else:
                    self._guarded(source.where, source.let_go)
        self._staging.clear()


def _by_run(journals: Iterable[Journal]) -> list[list[Journal]]:
    made: dict[str, list[Journal]] = {}
    for journal in journals:
        made.setdefault(journal.run_id, []).append(journal)
    return [sorted(items, key=lambda item: item.part) for items in made.values()]


def _is_there(state: RunState, committed: Run | None) -> bool:
    """Tell whether a journal was taken in before."""
    if committed is None:
        return False
    return not state.amends or (state.resumed_at is not None and state.resumed_at in committed.resumed)
