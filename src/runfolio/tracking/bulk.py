"""Changes of many runs at once: each a short journal, all together one commit.

A change here amends a run: it adds an event or two to what the run says of itself, and never touches its params, metrics or
times. It is idempotent, so that a process killed half-way can do all of it again. A run that goes on gets its events into its own
journal and is committed when it ends.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from runfolio.errors import DeletedError, NotFoundError, UsageError, storage_error
from runfolio.folio.folding import FoldResult
from runfolio.folio.folio import Folio
from runfolio.folio.opening import settings_text
from runfolio.formats.paths import SETTINGS
from runfolio.formats.settings import retention_line
from runfolio.journal import Journal, RunState
from runfolio.journal.spool import sealed_name
from runfolio.query import Clause, Filter, parse_filter
from runfolio.records import Lifecycle, Run, RunStatus, ViewType
from runfolio.records.names import MAX_TAG_LENGTH, check_key
from runfolio.records.redaction import Redactor

NOTE = "mlflow.note.content"
EVERYTHING = 1 << 31
Event = tuple[Any, ...]


def edit_runs(folio: Folio, runs: Iterable[Run], events: Callable[[Run], Sequence[Event]]) -> FoldResult:
    """Change runs by journal events, and commit them.

    Parameters
    ----------
    folio : Folio
    runs : iterable of Run
    events : callable
        Given a run, returns the events that change it; none leaves it as it is.

    Returns
    -------
    FoldResult
    """
    # Asked once: a look into the folder for each run makes thousands of changes quadratic.
    live = {journal.run_id for journal in folio.spool.journals() if not journal.sealed}
    for run in runs:
        made = events(run)
        if made and not (run.run_id in live and _into_live_journal(folio, run, made)):
            header = {"amend": True, "run_id": run.run_id, "experiment": run.experiment, "start": run.start}
            writer = folio.start(header)
            for event in made:
                writer.event(*event)
            # Not synced one by one: the commit that follows is what makes them durable.
            writer.close(sealed_name=sealed_name(writer.path), durable=False)
    return folio.commit()


def _into_live_journal(folio: Folio, run: Run, events: Sequence[Event]) -> bool:
    for journal in reversed(folio.spool.of_run(run.run_id)):
        writer = None if journal.sealed else folio.spool.attach(journal)
        if writer is not None:
            for event in events:
                writer.event(*event)
            writer.close(durable=folio.spool.durable)
            _seal_if_ended(folio, journal)
            return True
    return False


def _seal_if_ended(folio: Folio, journal: Journal) -> None:
    """Seal a journal whose own process ended it, and could not, while our hold was in its way."""
    with folio.spool.hold(journal) as held:
        end = RunState(journal.path).refresh().end if held else None
        if end is not None and end[0] is not RunStatus.RUNNING:
            try:
                os.rename(journal.path, sealed_name(journal.path))
            except OSError as error:
                raise storage_error(f"seal the journal of run {journal.run_id}", error) from None


def delete_runs(folio: Folio, runs: Iterable[Run]) -> FoldResult:
    """Hide runs; :func:`restore_runs` brings them back."""
    return _set_life(folio, runs, Lifecycle.DELETED)


def restore_runs(folio: Folio, runs: Iterable[Run]) -> FoldResult:
    """Bring deleted runs back."""
    return _set_life(folio, runs, Lifecycle.ACTIVE)


def _set_life(folio: Folio, runs: Iterable[Run], lifecycle: Lifecycle) -> FoldResult:
    now = time.time_ns() // 1_000_000
    return edit_runs(folio, runs, lambda run: () if run.lifecycle is lifecycle else (("life", lifecycle.value, now),))


def tag_runs(folio: Folio, runs: Sequence[Run], tags: dict[str, str], remove: Sequence[str] = ()) -> FoldResult:
    """Set and remove tags of runs.

    Raises
    ------
    UsageError
        If a key cannot name a tag, or a value is too long.
    NotFoundError
        If a run lacks a tag that is to be removed.
    DeletedError
        If a run is deleted.
    """
    settings = folio.settings.redact
    redactor = Redactor(settings.patterns, settings.keys, home=str(Path.home()))
    events: list[Event] = []
    for key, value in tags.items():
        check_key(key, "tag")
        shown = redactor.value(key, value)
        if len(shown) > MAX_TAG_LENGTH:
            raise UsageError(f"The tag {key!r} has {len(shown)} characters; {MAX_TAG_LENGTH} are the most.")
        if shown != value:
            events.append(("n", f"tag {key}: a secret or home path was redacted"))
        events.append(("t", key, shown))
    for key in remove:
        check_key(key, "tag")
        lacking = [run.run_id for run in runs if key not in run.tags]
        if lacking:
            raise NotFoundError(
                f"No tag with name: {key} in run with id {lacking[0]}. See its tags: runfolio runs show {lacking[0]}"
            )
        events.append(("-t", key))
    _require_active(runs)
    return edit_runs(folio, runs, lambda run: events)


def rename_run(folio: Folio, run: Run, name: str) -> FoldResult:
    """Give a run another name.

    Raises
    ------
    UsageError
        If the name is blank or too long.
    DeletedError
        If the run is deleted.
    """
    if not name.strip() or len(name) > MAX_TAG_LENGTH:
        raise UsageError(f"A run's name is 1 to {MAX_TAG_LENGTH} characters, and not blank.")
    _require_active([run])
    return edit_runs(folio, [run], lambda found: () if found.name == name else (("name", name),))


def _require_active(runs: Iterable[Run]) -> None:
    for run in runs:
        if run.lifecycle is Lifecycle.DELETED:
            raise DeletedError(f"The run {run.run_id} is deleted. Restore it first: runfolio runs restore {run.run_id}")


def ended_runs(
    folio: Folio,
    filter: str,
    *,
    older_than_s: int | None = None,
    statuses: Sequence[str] = (),
    experiments: Sequence[str] | None = None,
    now_ms: int | None = None,
) -> list[Run]:
    """Find the active runs that match a filter and have ended: what a clean-up is about.

    Parameters
    ----------
    folio : Folio
    filter : str
    older_than_s : int, optional
        Only runs that ended more than so many seconds ago.
    statuses : sequence of str, optional
        Only runs that ended so.
    experiments : sequence of str, optional
        Folder names; all by default.
    now_ms : int, optional
        Milliseconds since the epoch, UTC; the clock's by default.

    Returns
    -------
    list of Run
        Newest first. Runs that go on are never among them.
    """
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    clauses = [*parse_filter(filter, "runs").clauses, Clause("attributes", "end_time", "IS NOT NULL")]
    clauses.append(Clause("attributes", "status", "!=", RunStatus.RUNNING.value))
    if older_than_s is not None:
        clauses.append(Clause("attributes", "end_time", "<", now - older_than_s * 1000))
    if statuses:
        clauses.append(Clause("attributes", "status", "IN", tuple(statuses)))
    return folio.runs.search(Filter(tuple(clauses), "runs", filter), (), experiments, ViewType.ACTIVE_ONLY, EVERYTHING)


def expired_runs(folio: Folio, now_ms: int | None = None) -> list[tuple[str, list[Run]]]:
    """Find what the retention rules of ``runfolio.yaml`` would remove.

    Returns
    -------
    list of (str, list of Run)
        Each rule's filter with its runs; a run that several rules meet is with the first.

    Raises
    ------
    UsageError
        If the filter of a rule cannot be read; the file and the rule are named.
    """
    made: list[tuple[str, list[Run]]] = []
    taken: set[str] = set()
    for place, rule in enumerate(folio.settings.retention):
        try:
            parse_filter(rule.filter)
        except UsageError as error:
            where = str(folio.place.root / SETTINGS)
            line = retention_line(settings_text(folio.place), where, place)
            raise UsageError(f"{where}: line {line}: retention[{place}].filter: {error.message}") from None
        found = [
            run
            for run in ended_runs(folio, rule.filter, older_than_s=rule.older_than_s, now_ms=now_ms)
            if run.run_id not in taken
        ]
        taken.update(run.run_id for run in found)
        made.append((rule.filter, found))
    return made
