"""Brings the tables to a commit: from nothing, or by the difference to the commit that they stand at."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice

from runfolio._typing import Any, NamedTuple
from runfolio.errors import DamagedError, GitError
from runfolio.formats.datasets import content_of_input
from runfolio.formats.experiments import decode_experiment, experiment_fields
from runfolio.formats.paths import EXPERIMENTS, RUNS, experiment_of_path, run_of_path
from runfolio.gitstore.repo import Change, Repo
from runfolio.index.briefs import brief_row
from runfolio.index.rows import HIDDEN, ODD, is_odd, read_run
from runfolio.index.schema import INDEXES, SCHEMA, TABLES, statements
from runfolio.index.values import VALUED, add_values, drop_values, fill_values
from runfolio.records.runs import Run

_BATCH = 1000
_FOLDERS = (RUNS, EXPERIMENTS)


class Position(NamedTuple):
    """What the tables hold: the records of a commit below a prefix, and perhaps their values."""

    commit: str
    prefix: str
    valued: bool

    def serves(self, commit: str, prefix: str, values: bool) -> bool:
        """Tell whether a question to a commit, perhaps about values, can be answered."""
        return self.commit == commit and self.prefix == prefix and (self.valued or not values)


def refresh(db: sqlite3.Connection, repo: Repo, commit: str, prefix: str, *, values: bool) -> None:
    """Bring the tables to a commit. To be called inside a transaction that may write.

    Parameters
    ----------
    db : sqlite3.Connection
    repo : Repo
    commit : str
        Object id; empty where nothing is committed yet.
    prefix : str
        The folio's folder in the repository, with a slash at its end, or empty.
    values : bool
        Whether metrics, params and tags will be asked for, too. Where they were once, they are kept up.
    """
    at = position(db)
    if at is None or not at.serves(commit, prefix, False):
        _move(db, repo, at, commit, prefix)
        at = position(db)
    if values and at and not at.valued:
        fill_values(db)


def _move(db: sqlite3.Connection, repo: Repo, at: Position | None, commit: str, prefix: str) -> None:
    changes: list[Change] | None = None
    if commit and at is not None and at.commit and at.prefix == prefix:
        try:
            changes = repo.changes(at.commit, commit, *(prefix + folder for folder in _FOLDERS))
        except GitError:
            changes = None  # the old commit is gone (collected, or beyond the cut of a shallow clone)
    loader = _Loader(db, repo, prefix)
    # Where more changes than there is, sorted loading is faster than keeping the indexes up.
    if changes is None or len(changes) > max(_BATCH, db.execute("SELECT count(*) FROM runs").fetchone()[0]):
        loader.load_all(commit)
    else:
        loader.apply(changes, valued=at is not None and at.valued)
    db.execute("INSERT OR REPLACE INTO meta VALUES ('commit', ?), ('prefix', ?)", (commit, prefix))


def position(db: sqlite3.Connection) -> Position | None:
    """Return where the tables stand; None where they are not ours, or not there."""
    if db.execute("PRAGMA user_version").fetchone()[0] != SCHEMA:
        return None
    found = dict(db.execute("SELECT name, value FROM meta"))
    return Position(found["commit"], found["prefix"], VALUED in found) if {"commit", "prefix"} <= found.keys() else None


def create_tables(db: sqlite3.Connection) -> None:
    """Drop what is there and make the tables, without their indexes."""
    for kind, name in db.execute("SELECT type, name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").fetchall():
        if kind in ("table", "view"):
            db.execute(f'DROP {kind} IF EXISTS "{name}"')
    for statement in statements(TABLES):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA}")


class _File(NamedTuple):
    """A record's file: its path from the folio's root, git's digest, and its bytes, None where they are not at hand."""

    path: str
    oid: str
    data: bytes | None


class _Loader:
    """Writes records of one repository into the tables."""

    def __init__(self, db: sqlite3.Connection, repo: Repo, prefix: str) -> None:
        self._db, self._repo, self._prefix = db, repo, prefix

    def load_all(self, commit: str) -> None:
        """Read every record of a commit into empty tables."""
        create_tables(self._db)
        if commit:
            blobs = [(e.path, e.oid) for name in _FOLDERS for e in self._repo.tree_entries(commit, self._prefix + name)]
            runs, experiments = self._sorted_out(blobs)
            self._put_runs(enumerate(self._contents(runs), 1))
            self._put_experiments(self._contents(experiments))
        for statement in statements(INDEXES):
            self._db.execute(statement)
        self._db.execute(_HIDE.format("SELECT run_id FROM runs GROUP BY run_id HAVING count(*) > 1"))

    def apply(self, changes: list[Change], *, valued: bool) -> None:
        """Read only the records that differ; keep their values up where these are there."""
        gone, _ = self._sorted_out([(change.path, "") for change in changes])
        touched = [path for path, _ in gone]
        ids = {named[1] for path in touched if (named := run_of_path(path))}
        for path in touched:
            self._drop_run(path, valued)
        for change in changes:
            path = change.path[len(self._prefix) :]
            self._db.execute("DELETE FROM faults WHERE path = ?", (_text(path),))
            self._db.execute("DELETE FROM experiments WHERE path = ?", (_text(path),))
        runs, experiments = self._sorted_out([(change.path, change.new) for change in changes if change.new])
        free: int = self._db.execute("SELECT coalesce(max(pk), 0) + 1 FROM runs").fetchone()[0]
        self._put_runs(enumerate(self._contents(runs), free))
        if valued:
            add_values(self._db, free)
        self._put_experiments(self._contents(experiments))
        for run_id in ids:
            self._db.execute(_HIDE.format("?"), (run_id,))

    def _sorted_out(self, blobs: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return the records of runs and of experiments among `blobs`, by path from the folio's root; the rest is not ours."""
        runs, experiments = [], []
        cut = len(self._prefix)
        for path, oid in blobs:
            inner = path[cut:]
            if run_of_path(inner):
                runs.append((inner, oid))
            elif experiment_of_path(inner):
                experiments.append((inner, oid))
        return runs, experiments

    def _contents(self, files: list[tuple[str, str]]) -> Iterator[_File]:
        for (path, oid), (_, data) in zip(files, self._repo.read_many(oid for _, oid in files), strict=True):
            yield _File(path, oid, data)

    def _drop_run(self, path: str, valued: bool) -> None:
        found = self._db.execute("SELECT pk FROM runs WHERE path = ?", (path,)).fetchone()
        if found:
            for table in ("runs", "bodies", "briefs"):
                self._db.execute(f"DELETE FROM {table} WHERE pk = ?", found)
            self._db.execute("DELETE FROM inputs WHERE run_pk = ?", found)
            if valued:
                drop_values(self._db, found[0])

    def _put_runs(self, files: Iterable[tuple[int, _File]]) -> None:
        source = iter(files)
        while batch := list(islice(source, _BATCH)):
            rows: dict[str, list[Any]] = {"runs": [], "bodies": [], "briefs": [], "inputs": []}
            for pk, file in batch:
                try:
                    run = read_run(_here(file), file.path)
                except DamagedError as error:
                    self._fault(file.path, error)
                else:
                    self._collect(rows, pk, file, run)
            for table, made in rows.items():
                if made:
                    places = ", ".join("?" * len(made[0]))
                    self._db.executemany(f"INSERT INTO {table} VALUES ({places})", made)

    def _collect(self, rows: dict[str, list[Any]], pk: int, file: _File, run: Run) -> None:
        data, oid, artifacts = _here(file), bytes.fromhex(file.oid), int(bool(run.artifacts or run.manifest))
        rows["bodies"].append((pk, data))
        if is_odd(run, data):
            rows["runs"].append(
                (pk, file.path, run.run_id, run.experiment, 0, None, run.status.value, None, None, run.lifecycle.value, ODD, oid, artifacts)
            )  # fmt: skip
            return
        rows["runs"].append(
            (
                pk, file.path, run.run_id, run.experiment, run.start, run.end, run.status.value, run.name or None, run.user or None,
                run.lifecycle.value, 0, oid, artifacts,
            )
        )  # fmt: skip
        rows["briefs"].append(brief_row(pk, run))
        rows["inputs"].extend(
            (pk, place, item.name, item.digest, item.context, content_of_input(item)) for place, item in enumerate(run.inputs)
        )

    def _put_experiments(self, files: Iterable[_File]) -> None:
        for file in files:
            try:
                experiment = decode_experiment(_here(file), file.path)
            except DamagedError as error:
                self._fault(file.path, error)
            else:
                fields = json.dumps(experiment_fields(experiment))
                self._db.execute("INSERT OR REPLACE INTO experiments VALUES (?, ?)", (file.path, fields))

    def _fault(self, path: str, error: DamagedError) -> None:
        self._db.execute("INSERT OR REPLACE INTO faults VALUES (?, ?)", (_text(path), _text(error.message)))


def _here(file: _File) -> bytes:
    if file.data is None:
        raise DamagedError(
            f"{file.path}: its content is not in this repository (a partial clone, or damage). Run: git fetch, git fsck"
        )
    return file.data


def _text(value: str) -> str:
    return value.encode("utf-8", "backslashreplace").decode()


_HIDE = (
    f"UPDATE runs SET state = (state & {ODD}) + {HIDDEN} * EXISTS "
    "(SELECT 1 FROM runs AS other WHERE other.run_id = runs.run_id AND other.path < runs.path) WHERE run_id IN ({})"
)
