"""Which folio this process logs to, and the runs that it holds open there.

``set_tracking_uri`` (or ``RUNFOLIO_TRACKING_URI``) names a folio by path, or a spool folder by ``spool:PATH``; without either it is the
folio at or above the current folder. Folios stay open for the life of the process.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from runfolio._typing import TYPE_CHECKING
from runfolio._variables import variable
from runfolio.errors import RunfolioError, storage_errors
from runfolio.folio.folio import Folio
from runfolio.folio.locations import current_folder
from runfolio.folio.locations import location_of as location_of
from runfolio.folio.offline import OfflineFolio
from runfolio.records import ArtifactEntry
from runfolio.records.redaction import Redactor
from runfolio.tracking.beside import Beside
from runfolio.tracking.live import RUN_VARIABLE, LiveRun

if TYPE_CHECKING:
    from types import FrameType

    from runfolio.folio.folding import FoldResult

URI_VARIABLE = "RUNFOLIO_TRACKING_URI"
CHOSEN_VARIABLE = "RUNFOLIO_CHOSEN_EXPERIMENT"
"""The name of the experiment that ``set_experiment`` chose in a process that started this one."""
SCRATCH_VARIABLE = "RUNFOLIO_REPRODUCING"
"""Where it is set, every run goes to the folio that it names, whatever the code says: a run that is made again leaves no run behind."""
_URI, _SCRATCH = os.fsencode(URI_VARIABLE), os.fsencode(SCRATCH_VARIABLE)
_COMMITTED_ELSEWHERE = (RUN_VARIABLE, SCRATCH_VARIABLE)
"""Where one of these is set, who started the program commits what it logged: a sweep, say."""
AUTO_PAUSE_S = 10.0
"""How long ended runs wait until the next run's start commits them beside the program; twice that, until the end of one does."""
AUTO_GATHER_S = 1.0
"""How long a quick sweep gathers runs beyond a batch: half of git's time for 100 runs does not depend on their number (decision 17)."""
COMMIT_SHARE = 20
"""And for this many times what the last commit took, up to `AUTO_PAUSE_S`: it may have waited for another process's."""

AnyFolio = Folio | OfflineFolio


class Session:
    """One folio as this process logs to it.

    Parameters
    ----------
    uri : str
        As the user gave it; empty for the folio of the current folder.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.folio = _open(uri)
        self.live: dict[str, LiveRun] = {}
        self._lock = threading.RLock()
        self._beside = Beside()
        self._waiting = 0
        self._waiting_since = 0.0
        self._gather_s = AUTO_GATHER_S
        self._said: set[str] = set()
        settings = self.folio.settings
        self.redactor = Redactor(settings.redact.patterns, settings.redact.keys, home=str(Path.home()))

    @property
    def location(self) -> str:
        """Where the folio is, as a path or ``spool:`` URI."""
        return f"spool:{self.folio.folder}" if isinstance(self.folio, OfflineFolio) else str(self.folio.place.root)

    def run(self, run_id: str, *, resume: bool = False) -> LiveRun:
        """Return this process's hold on a run, taken if it has none.

        Parameters
        ----------
        run_id : str
        resume : bool, optional
            Open a sealed run again and keep it open; otherwise a sealed run is opened for one call only
            (``LiveRun.brief`` is true).
        """
        with self._lock:
            held = self.live.get(run_id)
            if held is not None and not held.closed:
                return held
            with storage_errors("go on with the run"):
                taken = LiveRun.take(self.folio, self.redactor, run_id, resume=resume)
            taken.say = self.say
            if not taken.brief:
                self.live[run_id] = taken
            return taken

    @contextmanager
    def holding(self, run_id: str) -> Iterator[LiveRun]:
        """Give the hold on a run for a while: the one that this process has, or one taken for it, and let go of after it."""
        live = self.run(run_id)
        live.refuse_deleted()
        try:
            yield live
        finally:
            if live.brief and live.seal_brief():
                self.sealed(live)

    def artifacts(self, run_id: str) -> dict[str, ArtifactEntry]:
        """Return the artifacts of a run by path, all that was logged up to now.

        Raises
        ------
        NotFoundError
            If there is no such run, or an artifact that this process logged is lost.
        StorageError
            If one that this process logged cannot be stored.
        """
        held = self.live.get(run_id)
        if held is not None and not held.closed:
            held.settle_artifacts()
        return self.folio.runs.artifacts(self.folio.runs.get(run_id))

    def add(self, run: LiveRun, *, top: bool = True) -> None:
        """Remember a run that was started here, and have those before it committed beside it if they have waited for long.

        As a run ends, a script may commit its own work, and git refuses who finds the index held; as one starts, it trains.

        Parameters
        ----------
        run : LiveRun
        top : bool, optional
            False for a child of another run: parent and children become one commit.
        """
        with self._lock:
            run.say = self.say
            self.live[run.run_id] = run
        if top and self._waiting and self._when == "auto" and self._waited_s > AUTO_PAUSE_S:
            self._beside.begin(lambda: self._commit(wait=False))

    def sealed(self, run: LiveRun, *, top: bool = True) -> None:
        """Note that a run has ended, and commit if it is time.

        Parameters
        ----------
        run : LiveRun
        top : bool, optional
            False for a child of a run that goes on: parent and children become one commit.
        """
        with self._lock:
            self.live.pop(run.run_id, None)
        if top:
            self._beside.wait()  # begun as the run was: after its end a script may commit its own work, and nobody is in its way
        self.sealed_elsewhere(top=top)

    def sealed_elsewhere(self, *, top: bool = False) -> None:
        """Note that a run which this process answers for has ended, here or in a process of its own, and commit if it is time."""
        with self._lock:
            self._waiting += 1
            self._waiting_since = self._waiting_since or time.monotonic()
        if self._due(top):
            self.commit(wait=False)

    @property
    def waits(self) -> bool:
        """Whether runs have ended here that are not committed."""
        return self._waiting > 0

    @property
    def on_demand(self) -> bool:
        """Whether nothing is committed before ``runfolio commit`` says so."""
        return self._when == "demand"

    @property
    def _when(self) -> str:
        return os.environ.get("RUNFOLIO_COMMIT") or self.folio.settings.commit.when

    @property
    def _waited_s(self) -> float:
        return time.monotonic() - self._waiting_since

    def _due(self, top: bool) -> bool:
        when = self._when
        if when == "demand":
            return False
        if _leaving:
            return True  # opened again by what others do at the process's end
        if when == "run":
            return top
        full = self._waiting >= self.folio.settings.commit.batch
        if when == "batch":
            return full
        interactive = hasattr(sys, "ps1") or "ipykernel" in sys.modules
        return (full and self._gathered()) or (top and (interactive or self._waited_s > 2 * AUTO_PAUSE_S))

    def _gathered(self) -> bool:
        from runfolio.folio.folding import MAX_BATCH  # what commits is loaded when something is committed

        return self._waited_s > self._gather_s or self._waiting >= MAX_BATCH

    def commit(self, *, wait: bool) -> FoldResult | None:
        """Commit what has ended; what cannot be committed is said, and waits."""
        self._beside.wait()
        return self._commit(wait=wait)

    def _commit(self, *, wait: bool) -> FoldResult | None:
        began, taken = time.monotonic(), self._waiting
        try:
            result = self.folio.commit(wait=wait)
        except RunfolioError as error:
            self.say(f"finished runs wait in {self.folio.spool.journals_folder}: {error.message}")
            return None
        with self._lock:
            self._waiting = max(0, self._waiting - taken)  # others may have ended meanwhile
            self._waiting_since = began if self._waiting else 0.0
            self._gather_s = min(max(AUTO_GATHER_S, COMMIT_SHARE * (time.monotonic() - began)), AUTO_PAUSE_S)
        for item in result.waiting:
            self.say(f"run {item.run_id} waits: {item.reason}")
        if result.unsent:
            self.say(result.unsent)
        return result

    def say(self, text: str) -> None:
        """Tell the user something on standard error, once."""
        if text not in self._said:
            self._said.add(text)
            with suppress(OSError):  # standard error may be a file on the disk that is full
                sys.stderr.write(f"runfolio: {text}\n")

    def at_exit(self) -> None:
        """End the process's dealings with the folio: detached runs are let go, ended ones committed."""
        try:
            for run in list(self.live.values()):
                run.detach()
            self._beside.wait()
            self._commit_at_exit()
        except RunfolioError as error:
            # Nobody is left to catch it: said, not thrown. What was acknowledged lies in the journals.
            self.say(f"{error.message} What was logged waits in {self.folio.spool.journals_folder}: runfolio recover")
        finally:
            self.live.clear()
            self.folio.close()

    def _commit_at_exit(self) -> None:
        sealed = sum(journal.sealed for journal in self.folio.spool.journals())
        if sealed and not self.on_demand:
            self.commit(wait=True)
        elif sealed and not isinstance(self.folio, OfflineFolio) and not any(map(os.environ.get, _COMMITTED_ELSEWHERE)):
            self.say(f"{sealed} finished run{'s wait' if sealed > 1 else ' waits'} for: runfolio commit")


_sessions: dict[str, Session] = {}
_uri: str | None = None
_guard = threading.RLock()
_owner = os.getpid()
_watched = 0
_worker: FrameType | None = None
_leaving = False


def set_tracking_uri(uri: str | os.PathLike[str] | None) -> None:
    """Choose the folio that this process, and processes it starts, log to.

    Parameters
    ----------
    uri : str or path
        A folder in a folio, a bare repository, a ``file:`` URL, or ``spool:PATH`` for a spool folder. Empty or None goes
        back to the folio of the current folder.

    Raises
    ------
    UsageError
        For ``http://…`` and other servers: the message says what to do instead.
    """
    global _uri
    text = "" if uri is None else os.fspath(uri)
    location_of(text)
    _uri = text or None
    if text:
        os.environ[URI_VARIABLE] = text
    else:
        os.environ.pop(URI_VARIABLE, None)


def get_tracking_uri() -> str:
    """Return where runs are logged to: the URI that was set, else the folio of the current folder."""
    return current_uri() or session().location


def is_tracking_uri_set() -> bool:
    """Tell whether a folio was chosen, here or by ``RUNFOLIO_TRACKING_URI``."""
    return bool(current_uri())


def current_uri() -> str:
    """Return the URI in force; empty for the folio of the current folder."""
    return _uri or variable(_URI)


def session(uri: str | None = None) -> Session:
    """Return the session of a folio, opened at its first use in this process."""
    text = variable(_SCRATCH) or (current_uri() if uri is None else uri)
    key = text or current_folder()
    if text and not text.startswith("spool:"):
        place = location_of(text)[1]
        key = os.path.normpath(place if os.path.isabs(place) else os.path.join(current_folder(), place))
    with _guard:
        if _owner != os.getpid():
            _forget_parent()
        found = _sessions.get(key)
        if found is None:
            found = _sessions[key] = Session(text)
        if _watched != os.getpid():
            _watch_worker()
        return found


def _renew_locks() -> None:
    # Held by another thread at a fork, nobody in the child would give them back.
    global _guard
    _guard = threading.RLock()
    for held in _sessions.values():
        held._lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


def _forget_parent() -> None:
    """After a fork: the parent's runs are the parent's to end."""
    global _owner
    _owner = os.getpid()
    for held in _sessions.values():
        held._waiting, held._waiting_since = 0, 0.0


def _watch_worker() -> None:
    """Leave the folios also at the end of a process of multiprocessing: after a fork it ends by ``os._exit``, which passes atexit by."""
    global _watched, _worker
    _watched, _worker = os.getpid(), None
    process, util = sys.modules.get("multiprocessing.process"), sys.modules.get("multiprocessing.util")
    if process is not None and util is not None and process.parent_process() is not None:
        util.Finalize(None, _at_exit, exitpriority=-1)
        frame = sys._current_frames().get(threading.main_thread().ident or 0)
        while frame is not None and frame.f_code is not process.BaseProcess._bootstrap.__code__:
            frame = frame.f_back
        _worker = frame


def worker_failed() -> bool:
    """Tell whether this is a worker of multiprocessing that has put its error down already, and is about to end.

    Up to Python 3.12 its finalizers run while the error is on the way out; from 3.13 on they run after it, when only the exit status
    says so, which stands in the frame of ``BaseProcess._bootstrap``.
    """
    return _worker is not None and _watched == os.getpid() and _worker.f_locals.get("exitcode", 0) != 0


def _open(uri: str) -> AnyFolio:
    from runfolio.folio.opening import open_folio

    kind, path = location_of(uri)
    return OfflineFolio(Path(path).expanduser().resolve()) if kind == "spool" else open_folio(path or None)


class Bound:
    """Something that works on one folio.

    Parameters
    ----------
    tracking_uri : str or path, optional
        As for :func:`set_tracking_uri`; the one in force, at each call, by default.
    """

    def __init__(self, tracking_uri: str | os.PathLike[str] | None = None) -> None:
        self._uri = None if tracking_uri is None else os.fspath(tracking_uri)

    @property
    def tracking_uri(self) -> str:
        """Where runs are logged to."""
        return self._uri or current_uri() or self._session().location

    def _session(self) -> Session:
        return session(self._uri)


_last_actions: list[Callable[[], None]] = []


def before_exit(action: Callable[[], None]) -> None:
    """Run an action at the process's end, before the folios are left."""
    _last_actions.append(action)


def forget_sessions() -> None:
    """Leave every folio as at the process's end (runs are ended, ended ones committed), and go back to that of the current folder.

    For a process that goes on in another folio as if it had just started: a test, a worker that is used again.
    """
    global _leaving
    _leave()
    _leaving = False
    set_tracking_uri(None)


@atexit.register
def _at_exit() -> None:
    try:
        _leave()
    except KeyboardInterrupt:  # a second Ctrl-C: nobody is left to catch it, and Python would print where it came
        with suppress(OSError):
            sys.stderr.write("runfolio: interrupted before the runs were committed. What was logged is kept: runfolio recover\n")
    _still_interrupted()


def _leave() -> None:
    global _leaving
    if _owner != os.getpid():
        return
    _leaving = True
    for action in _last_actions:
        action()
    for held in list(_sessions.values()):
        held.at_exit()
    _sessions.clear()


def _still_interrupted() -> None:
    """Let a script that Ctrl-C ended end by SIGINT, as without us: a shell's loop over such scripts then ends, too.

    CPython remembers that nobody caught the interrupt, and forgets it where source text is run after it (``run_eval_code_obj`` in its
    ``pythonrun.c``), as ``namedtuple`` and ``dataclasses`` do in what a commit loads.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")  # noqa: S102 - the mark is made where source text ends so
