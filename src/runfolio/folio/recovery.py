"""Runs of processes that died: ended as KILLED, with everything up to their last event, and committed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass, field
from runfolio.errors import storage_error
from runfolio.folio.folding import FoldResult
from runfolio.folio.folio import Folio
from runfolio.gitstore.upkeep import drop_left_lock
from runfolio.journal import Journal, RunState, Spool
from runfolio.journal.events import encode_event
from runfolio.journal.spool import sealed_name
from runfolio.records import Run, RunStatus

YOUNG_S = 60.0
"""A journal without a header is somebody's first moment until it is older than this, in seconds."""


@dataclass(slots=True)
class Recovery:
    """What was recovered.

    Parameters
    ----------
    recovered : list of Run
    empty : list of str
        Run ids whose process died before it had written anything.
    fold : FoldResult
        What was committed.
    """

    recovered: list[Run] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    fold: FoldResult = field(default_factory=FoldResult)


def recover(folio: Folio, *, detached: bool = False) -> Recovery:
    """End the runs whose process died, and commit them with all others that wait.

    Parameters
    ----------
    folio : Folio
    detached : bool, optional
        End also the runs that a process let go on purpose (made by a client and never terminated).
    """
    result = Recovery()
    for journal in folio.spool.journals():
        if not journal.sealed:
            _recover(folio.spool, journal, detached, result)
    result.fold = folio.commit()
    drop_left_lock(folio.place.repo)
    return result


def end_left(spool: Spool, wanted: Callable[[Mapping[str, Any]], bool]) -> set[str]:
    """End some of the runs whose process died, and commit nothing.

    Parameters
    ----------
    spool : Spool
    wanted : callable
        Given a journal's header, tells whether its run is meant.

    Returns
    -------
    set of str
        Ids of those that are meant, and go on in a living process.
    """
    going: set[str] = set()
    result = Recovery()
    for journal in spool.journals():
        if journal.sealed:
            continue
        state = RunState(journal.path).refresh()
        if state.header and wanted(state.header):
            _recover(spool, journal, True, result)
            if journal.path.exists():
                going.add(journal.run_id)
    return going


def _recover(spool: Spool, journal: Journal, detached: bool, result: Recovery) -> None:
    with spool.hold(journal) as held:
        if not held:
            return
        state = RunState(journal.path).refresh()
        if not state.header:
            if time.time() - journal.path.stat().st_mtime > YOUNG_S:
                spool.drop(journal)
                result.empty.append(journal.run_id)
            return
        if state.detached and not detached:
            return
        _end(journal, state)
        if not state.amends:
            result.recovered.append(state.refresh().run())
        try:
            os.rename(journal.path, sealed_name(journal.path))
        except OSError as error:
            raise storage_error(f"seal the journal of run {journal.run_id}", error) from None


def _end(journal: Journal, state: RunState) -> None:
    """Write the end that the process did not come to write."""
    opened = state.resumed_at is None or (state.end is not None and state.end[0] is RunStatus.RUNNING)
    if (state.amends and state.resumed_at is None) or (state.end is not None and state.end[0] is not RunStatus.RUNNING):
        return
    try:
        with open(journal.path, "rb+") as file:
            at = max(state.last_time, int(os.fstat(file.fileno()).st_mtime * 1000)) if opened else state.last_time
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            torn = size > 0 and file.read(1) != b"\n"
            file.seek(0, os.SEEK_END)
            file.write(
                (b"\n" if torn else b"")
                + encode_event("n", "the process died before it ended the run; all up to its last event is here")
            )
            file.write(encode_event("end", RunStatus.KILLED.value, at))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise storage_error(f"end the journal of run {journal.run_id}", error) from None
