"""Take hold of a run for a moment: what ``runfolio log`` does.

Inside ``runfolio record`` the recording's folder says all that is needed, so that no git process is started, no settings are read
and nothing of the run but its journal's name is known. Elsewhere the run is found through the folio.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio.errors import UsageError
from runfolio.journal import JournalWriter, Spool
from runfolio.journal.events import decode_event, encode_key
from runfolio.journal.spool import sealed_name
from runfolio.objects import open_store
from runfolio.records import Run
from runfolio.records.redaction import Redactor
from runfolio.tracking.live import RUN_VARIABLE as RUN_VARIABLE
from runfolio.tracking.live import LiveRun

LINES_VARIABLE = "RUNFOLIO_LINES"
FACTS = "recording.json"


class Recording:
    """As much of a folio as logging to a recorded run takes.

    Parameters
    ----------
    facts : dict
        From ``recording.json``.
    """

    def __init__(self, facts: dict[str, Any]) -> None:
        self._facts = facts
        self.run_id = str(facts["run_id"])
        self.journal = Path(facts["journal"])
        self.spool = Spool(self.journal.parent.parent, str(facts["durability"]))

    @property
    def store(self) -> Any:
        """The folio's object store."""
        facts = self._facts
        return open_store(facts["artifacts"], Path(facts["objects"]), Path(facts["root"]), facts["durability"] != "process")

    def take(self, params: Sequence[str] = ()) -> LiveRun | None:
        """Take hold of the run; None if it has ended.

        Parameters
        ----------
        params : sequence of str, optional
            Names of params that are about to be logged: their known values are looked up.
        """
        try:
            writer = JournalWriter(self.journal, each=self.spool.durability == "power-each")
        except OSError:
            if self.journal.exists():
                raise
            return None
        if not self.journal.exists():
            writer.close(durable=False)
            return None
        redactor = Redactor(self._facts["patterns"], self._facts["keys"], home=str(Path.home()))
        known = {key: value for key in params if (value := _known_param(self.journal, key)) is not None}
        return LiveRun(self, redactor, writer, Run(self.run_id, str(self._facts["experiment"]), params=known))  # type: ignore[arg-type]  # store and spool are all it uses


def recording_at_hand(run_id: str) -> Recording | None:
    """Return the recording that this process runs in, if it is the one of that run."""
    lines = os.environ.get(LINES_VARIABLE)
    if not lines:
        return None
    try:
        facts = json.loads((Path(lines).parent / FACTS).read_bytes())
        return Recording(facts) if facts["run_id"] == run_id else None
    except (OSError, ValueError, KeyError):
        return None


def chosen_run(run_id: str | None) -> str:
    """Return the run that was named, or the one that this process belongs to.

    Raises
    ------
    UsageError
        If there is neither.
    """
    found = run_id or os.environ.get(RUN_VARIABLE)
    if not found:
        raise UsageError(f"No run to log to: call it inside `runfolio record -- COMMAND`, give --run ID, or set {RUN_VARIABLE}.")
    return found


@contextmanager
def attached(run_id: str, uri: str | None = None, params: Sequence[str] = ()) -> Iterator[LiveRun]:
    """Hold a run while something is logged to it; what was logged when this returns can no longer be lost.

    Parameters
    ----------
    run_id : str
        Whole, or the beginning of one.
    uri : str, optional
        The folio, as for `set_tracking_uri`; the one in force by default.
    params : sequence of str, optional
        Names of params that are about to be logged.
    """
    recording = recording_at_hand(run_id) if uri is None else None
    live = recording.take(params) if recording else None
    if live is not None:
        try:
            yield live
        finally:
            let_go(live)
        return
    from runfolio.folio import Folio
    from runfolio.tracking.session import session

    held = session(uri)
    if isinstance(held.folio, Folio) and len(run_id) < 32:
        run_id = held.folio.runs.resolve(run_id)
    live = held.run(run_id)
    try:
        yield live
    finally:
        held.live.pop(run_id, None)
        if live.brief:
            if live.seal_brief():
                held.sealed(live)
        else:
            let_go(live)


def let_go(live: LiveRun) -> None:
    """Give back a run that others go on with; if it has ended meanwhile, the last one to let go seals it."""
    spool = live.folio.spool
    path = live.writer.path
    live.writer.close(sealed_name=sealed_name(path) if _has_ended(path) else None, durable=spool.durability == "power-each")


def _known_param(journal: Path, key: str) -> str | None:
    """Return the value that a param has in the run's journal, or None; the journal is searched, not parsed."""
    event = _event(journal, b'\n["p",' + encode_key(key).encode() + b",", mmap.mmap.find)
    return str(event[2]) if event else None


def _has_ended(path: Path) -> bool:
    event = _event(path, b'\n["end",', mmap.mmap.rfind)
    return event is not None and event[1] != "RUNNING"


def _event(path: Path, start: bytes, find: Callable[[mmap.mmap, bytes], int]) -> list[Any] | None:
    """Return the first or last event of a journal that starts so."""
    with open(path, "rb") as file:
        if not os.fstat(file.fileno()).st_size:
            return None
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            found = find(data, start)
        if found < 0:
            return None
        file.seek(found + 1)
        return decode_event(file.readline())
