"""The index as others see it."""

from __future__ import annotations

import json
import sqlite3
import threading
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from runfolio._dataclass import dataclass, replace
from runfolio._forking import hold_at_fork
from runfolio.errors import DamagedError
from runfolio.formats.experiments import experiment_of_fields
from runfolio.formats.paths import experiment_of_path
from runfolio.gitstore.repo import Repo
from runfolio.index.contents import RunRow, read_bodies, read_metric, read_outline, read_parents
from runfolio.index.database import Database, transaction
from runfolio.index.load import position, refresh
from runfolio.index.rows import HIDDEN, RecordFault, encodable
from runfolio.query.grammar import ATTRIBUTES, DATASETS, Clause, Filter, OrderKey
from runfolio.records.briefs import RunBrief
from runfolio.records.experiments import DEFAULT_EXPERIMENT_ID, DEFAULT_EXPERIMENT_NAME, DEFAULT_SLUG, Experiment
from runfolio.records.runs import Lifecycle, Run, ViewType

if TYPE_CHECKING:
    from runfolio.index.question import Question

T = TypeVar("T")
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class ExperimentSummary:
    """What a list of experiments says of the active runs of one.

    Parameters
    ----------
    slug : str
    runs : int
    last_start : int
        When the newest began, milliseconds since the epoch, UTC.
    """

    slug: str
    runs: int
    last_start: int


class Index:
    """All records of a folio at one commit. Safe to use from several threads; several processes may share a file.

    Call :meth:`update` first; every answer is then of that commit, even if another process has moved the file on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.RLock()
        _all.add(self)
        self._source: tuple[Repo, str, str] | None = None
        self._experiments: list[Experiment] | None = None

    @classmethod
    def open(cls, file: Path | None = None) -> Index:
        """Return the index kept in a file, which need not exist; None keeps it in memory."""
        return cls(Database(file))

    @property
    def file(self) -> Path | None:
        """Where it is kept; None in memory (also where the file could not be used)."""
        return self._database.file

    def update(self, repo: Repo, commit: str | None, prefix: str = "") -> None:
        """Bring the index to a commit.

        Parameters
        ----------
        repo : Repo
        commit : str or None
            Object id; None where nothing is committed yet.
        prefix : str
            The folio's folder in the repository, with a slash at its end, or empty.

        Raises
        ------
        GitError
            If the commit cannot be read.
        """
        with self._lock:
            source = (repo, commit or "", prefix)
            if self._source != source:
                self._source, self._experiments = source, None
            self._ask(lambda db: None)

    def at(self, repo: Repo, commit: str | None, prefix: str = "") -> Index:
        """Return an index of another commit, in memory; this one stays where it is."""
        with self._lock:
            try:
                database = self._database.copy()
            except sqlite3.Error:
                database = Database(None)
        made = Index(database)
        made.update(repo, commit, prefix)
        return made

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def search_runs(
        self,
        filter: Filter | None = None,
        order: Sequence[OrderKey] = (),
        experiment_slugs: Sequence[str] | None = None,
        view: int = ViewType.ACTIVE_ONLY,
        limit: int | None = None,
        offset: int = 0,
        overlay: Sequence[Run] = (),
    ) -> list[Run]:
        """Find runs.

        Parameters
        ----------
        filter : Filter, optional
        order : sequence of OrderKey, optional
            Newest first by default.
        experiment_slugs : sequence of str, optional
            None looks in all experiments, an empty one in none.
        view : int
            One of :class:`runfolio.records.ViewType`.
        limit : int, optional
            At most so many.
        offset : int
            How many to skip.
        overlay : sequence of Run
            Runs that are not committed yet. They replace committed ones of the same id, and are filtered, ordered and paged
            with the others.

        Returns
        -------
        list of Run
        """
        return self._search(lambda question: question.runs(order, limit, offset), filter, order, experiment_slugs, view, overlay)

    def search_briefs(
        self,
        filter: Filter | None = None,
        order: Sequence[OrderKey] = (),
        experiment_slugs: Sequence[str] | None = None,
        view: int = ViewType.ACTIVE_ONLY,
        limit: int | None = None,
        offset: int = 0,
        overlay: Sequence[Run] = (),
    ) -> list[RunBrief]:
        """Find the runs that :meth:`search_runs` finds, as a table shows them: their records are not decoded."""
        return self._search(
            lambda question: question.briefs(order, limit, offset), filter, order, experiment_slugs, view, overlay
        )

    def count(
        self,
        filter: Filter | None = None,
        experiment_slugs: Sequence[str] | None = None,
        view: int = ViewType.ACTIVE_ONLY,
        overlay: Sequence[Run] = (),
    ) -> int:
        """Return how many runs :meth:`search_runs` would find without a limit."""
        return self._search(lambda question: question.count(), filter, (), experiment_slugs, view, overlay)

    def _search(
        self,
        ask: Callable[[Question], T],
        filter: Filter | None,
        order: Sequence[OrderKey],
        experiment_slugs: Sequence[str] | None,
        view: int,
        overlay: Sequence[Run],
    ) -> T:
        # What reads the tables from end to end, as a site does, asks no question.
        from runfolio.index.question import Question
        from runfolio.index.search import Scope

        clauses = (filter or Filter()).clauses
        scope = Scope(None if experiment_slugs is None else tuple(dict.fromkeys(experiment_slugs)), view)
        with self._lock:
            ids = self._experiment_ids()
            parts: list[Clause | OrderKey] = [*clauses, *order]
            values = any(part.entity not in (ATTRIBUTES, DATASETS) for part in parts)
            return self._ask(lambda db: ask(Question(db, clauses, scope, ids, overlay)), values=values)

    def get_run(self, run_id: str) -> Run | None:
        """Return the run with this id, or None."""
        from runfolio.index.question import load_runs, visible_rows

        return self._ask(lambda db: next(iter(load_runs(db, visible_rows(db, "run_id = ?", run_id))), None))

    def find_prefix(self, prefix: str, limit: int = 20) -> list[str]:
        """Return the run ids that begin with `prefix`, in order, at most `limit`."""
        text = f"SELECT run_id FROM runs WHERE run_id >= ? AND run_id < ? AND state < {HIDDEN} ORDER BY run_id LIMIT ?"
        if not prefix.isascii():
            return []
        return self._ask(lambda db: [row[0] for row in db.execute(text, (prefix, prefix + "\x7f", limit))])

    def find_name(self, name: str, limit: int = 20) -> list[str]:
        """Return the ids of the runs with this name, newest first, at most `limit`; deleted runs only where no other has it."""
        order = "ORDER BY lifecycle, start DESC, run_id LIMIT ?"
        text = f"SELECT run_id, lifecycle FROM runs WHERE name = ? AND state < {HIDDEN} {order}"
        if not encodable(name):
            return []
        rows = self._ask(lambda db: db.execute(text, (name, limit)).fetchall())
        return [run_id for run_id, lifecycle in rows if lifecycle == rows[0][1]]

    def runs_with_contents(self, digests: Sequence[str], limit: int | None = None) -> list[Run]:
        """Return the active runs that read one of some contents of datasets, newest first.

        Parameters
        ----------
        digests : sequence of str
            Whole. An input that names none counts by its own digest, which for a file is the content's first 32 hex digits.
        limit : int, optional
        """
        from runfolio.index.question import load_runs

        marks = ", ".join("?" * len(digests))
        text = (
            f"SELECT DISTINCT r.pk FROM inputs i JOIN runs r ON r.pk = i.run_pk WHERE r.state < {HIDDEN} AND r.lifecycle = ? AND "
            f"(i.content IN ({marks}) OR i.digest IN ({marks})) ORDER BY r.start DESC, r.run_id LIMIT ?"
        )
        short = [digest.partition(":")[2][:32] for digest in digests]
        values = (Lifecycle.ACTIVE.value, *digests, *short, -1 if limit is None else limit)
        return self._ask(lambda db: load_runs(db, [row[0] for row in db.execute(text, values)])) if digests else []

    def path_of(self, run_id: str) -> str | None:
        """Return the path of a run's record from the folio's root, or None."""
        text = f"SELECT path FROM runs WHERE run_id = ? AND state < {HIDDEN}"
        return self._ask(lambda db: next((row[0] for row in db.execute(text, (run_id,))), None)) if run_id.isascii() else None

    def paths(self) -> dict[str, str]:
        """Return the path of every run's record, by run id."""
        return self._ask(lambda db: dict(db.execute(f"SELECT run_id, path FROM runs WHERE state < {HIDDEN} ORDER BY path")))

    def experiments(self) -> list[Experiment]:
        """Return every experiment: those with a file, the default one, and those that only their runs' folder names."""
        with self._lock:
            made = self._ask(_read_experiments) if self._experiments is None else self._experiments
            self._experiments = made
            return list(made)

    def summaries(self) -> list[ExperimentSummary]:
        """Return, for each experiment with active runs, how many and when the newest began."""
        text = f"SELECT slug, count(*), max(start) FROM runs WHERE lifecycle = ? AND state < {HIDDEN} GROUP BY slug ORDER BY slug"
        return self._ask(lambda db: [ExperimentSummary(*row) for row in db.execute(text, (Lifecycle.ACTIVE.value,))])

    def outline(self) -> list[RunRow]:
        """Return every active run, by experiment, then start, then id."""
        return self._ask(read_outline)

    def bodies(self, rows: Sequence[int]) -> list[bytes]:
        """Return the bytes of records by the numbers that :meth:`outline` gave, in their order."""
        return self._ask(lambda db: list(read_bodies(db, rows)))

    def metric(self, slug: str, key: str) -> dict[int, float | None]:
        """Return a metric's last values by the number of the run, NaN as None, for the active runs of an experiment."""
        return self._ask(lambda db: read_metric(db, slug, key), values=True)

    def parents(self) -> list[tuple[str, str]]:
        """Return (id of the parent, id of the run) for every active run that is nested."""
        return self._ask(read_parents, values=True)

    def faults(self) -> list[RecordFault]:
        """Return the files that hold no readable record, by path."""

        def ask(db: sqlite3.Connection) -> list[RecordFault]:
            made = [RecordFault(*row) for row in db.execute("SELECT path, message FROM faults")]
            for path, run_id in db.execute(f"SELECT path, run_id FROM runs WHERE state <> 0 AND state >= {HIDDEN}"):
                message = f"{path}: run {run_id} has another record, which is used. Delete one of the two files."
                made.append(RecordFault(path, message))
            return sorted(made, key=lambda fault: fault.path)

        return self._ask(ask)

    def _experiment_ids(self) -> dict[str, str]:
        return {experiment.slug: experiment.experiment_id for experiment in self.experiments()}

    def _ask(self, question: Callable[[sqlite3.Connection], T], *, values: bool = False) -> T:
        """Answer from the commit that is wanted, whatever became of the file; `values`: whether metrics, params or tags are read."""
        with self._lock:
            while True:
                try:
                    return self._ask_once(question, values)
                except (sqlite3.Error, DamagedError) as error:
                    # A record that was readable when it was stored is not so now: the file is damaged. In memory this raises.
                    self._database.give_up(error)

    def _ask_once(self, question: Callable[[sqlite3.Connection], T], values: bool) -> T:
        if self._source is None:
            raise RuntimeError("update() comes before the first question")
        repo, commit, prefix = self._source
        for _ in range(_ATTEMPTS):
            db = self._database.connection()
            with transaction(db, "DEFERRED"):
                at = position(db)
                if at and at.serves(commit, prefix, values):
                    return question(db)
            with transaction(db, "IMMEDIATE"):
                refresh(db, repo, commit, prefix, values=values)
        # Others that share the file keep moving it to commits of their own.
        self._database.go_private()
        return self._ask_once(question, values)


_SLUGS = (
    "WITH RECURSIVE found(slug) AS (SELECT min(slug) FROM runs UNION ALL "
    "SELECT (SELECT min(slug) FROM runs WHERE slug > found.slug) FROM found WHERE found.slug IS NOT NULL) "
    f"SELECT slug FROM found WHERE EXISTS (SELECT 1 FROM runs WHERE runs.slug = found.slug AND state < {HIDDEN}) ORDER BY slug"
)
"""The experiments that have runs: from each to the next by the index. ``SELECT DISTINCT`` goes through all runs, 10 ms for 10,000."""


def _read_experiments(db: sqlite3.Connection) -> list[Experiment]:
    made: dict[str, Experiment] = {}
    for path, fields in db.execute("SELECT path, fields FROM experiments ORDER BY path"):
        slug = experiment_of_path(path) or path
        made[slug] = experiment_of_fields(json.loads(fields), slug, path)
    for (slug,) in db.execute(_SLUGS):
        made.setdefault(slug, Experiment(slug, slug, slug))
    default = made.get(DEFAULT_SLUG, Experiment(DEFAULT_SLUG, DEFAULT_SLUG, DEFAULT_SLUG))
    name = DEFAULT_EXPERIMENT_NAME if default.name == DEFAULT_SLUG else default.name
    made[DEFAULT_SLUG] = replace(default, experiment_id=DEFAULT_EXPERIMENT_ID, name=name)
    return list(made.values())


_all: weakref.WeakSet[Index] = weakref.WeakSet()
_held: list[Index] = []


def _hold_all() -> None:
    # SQLite has locks of its own: a thread that asks something finishes first, since the child has no thread to give them back.
    held = sorted(_all, key=id)
    for each in held:
        each._lock.acquire()
    _held[:] = held


def _release_all() -> None:
    held = _held[:]
    _held.clear()
    for each in held:
        each._lock.release()


hold_at_fork(_hold_all, _release_all)
