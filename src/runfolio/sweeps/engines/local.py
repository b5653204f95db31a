"""The engine of several processes of this machine.

Each worker is a Python of its own, not a fork: threads and locks of the training script are no matter, and a function of a notebook goes
along by cloudpickle. Sweep and worker speak over a socket pair, in pickles that only they can write. A worker that dies answers no more:
its plan comes back as lost, and another worker takes its place. A sweep that dies takes its workers with it: each sees the socket close.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Mapping

from runfolio._dataclass import dataclass
from runfolio.errors import StorageError, UsageError, storage_error
from runfolio.sweeps.engines.frames import Frames, Refused
from runfolio.sweeps.trials import Place, TrialPlan, TrialResult, lost

GRACE_S = 5.0
"""How long a worker that is interrupted has to end its trial's run."""

_START = (
    "import json, sys; path, number = json.loads(sys.argv[1]); sys.path[:] = path; sys.argv[1:] = []; "
    "from runfolio.sweeps.engines.worker import main; main(number)"
)


def local_engine(address: object = None, *, n_jobs: int | None = None, config: Mapping[str, object] | None = None) -> LocalEngine:
    """Make the engine; it has neither address nor settings.

    Raises
    ------
    UsageError
        If it is given any.
    """
    if address is not None or config:
        raise UsageError("engine: local has neither an address nor settings; n_jobs says how many processes there are.")
    return LocalEngine(n_jobs or 2)


@dataclass(slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    frames: Frames
    plan: TrialPlan | None = None


class LocalEngine:
    """Runs plans in processes of this machine.

    Parameters
    ----------
    n_jobs : int
        How many.
    """

    in_process = False

    def __init__(self, n_jobs: int = 2) -> None:
        self.capacity = n_jobs
        self._workers: list[_Worker] = []
        self._waiting: deque[TrialPlan] = deque()
        self._ready: deque[TrialResult] = deque()
        self._selector = selectors.DefaultSelector()
        self._uri = ""

    def place(self, here: Place) -> Place:
        """Log to the folio itself: all workers see it."""
        self._uri = here.uri
        return here

    def start(self) -> None:
        """Do nothing: a worker is started when there is something for it to do."""

    def submit(self, plan: TrialPlan) -> None:
        """Give a plan to a worker that is free, started if there are too few."""
        self._waiting.append(plan)
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting:
            free = next((worker for worker in self._workers if worker.plan is None), None)
            if free is None and len(self._workers) < self.capacity:
                free = self._begin()
            if free is None:
                return
            free.plan = self._waiting.popleft()
            try:
                free.frames.send(free.plan)
            except OSError:
                self._bury(free)  # it died while it was idle

    def _begin(self) -> _Worker:
        ours, theirs = socket.socketpair()
        env = {key: value for key, value in os.environ.items() if key not in ("RUNFOLIO_RUN_ID", "RUNFOLIO_LINES")}
        # The sweep commits for all.
        env.update(RUNFOLIO_COMMIT="demand", RUNFOLIO_TRACKING_URI=self._uri)
        path = json.dumps([[entry or os.getcwd() for entry in sys.path], theirs.fileno()])
        try:
            process = subprocess.Popen(
                (sys.executable, "-c", _START, path), pass_fds=(theirs.fileno(),), env=env, stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            ours.close()
            raise storage_error("start a worker", error) from None
        finally:
            theirs.close()
        worker = _Worker(process, Frames(ours))
        self._workers.append(worker)
        self._selector.register(ours, selectors.EVENT_READ, worker)
        return worker

    def next_result(self, timeout_s: float | None = None) -> TrialResult | None:
        """Return the next result; None where none came in time.

        Raises
        ------
        StorageError
            If a worker could not log: the disk is full.
        """
        until = None if timeout_s is None else time.monotonic() + timeout_s
        while not self._ready:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            for key, _ in self._selector.select(left):
                self._hear(key.data)
        return self._ready.popleft()

    def _hear(self, worker: _Worker) -> None:
        try:
            said = worker.frames.receive()
        except OSError:
            said = None
        if said is None:
            self._bury(worker)
        elif isinstance(said, Refused):
            made = StorageError(said.message)
            made.errno = said.errno
            raise made
        elif isinstance(said, TrialResult):
            worker.plan = None
            self._ready.append(said)
        self._hand_out()

    def _bury(self, worker: _Worker) -> None:
        """Take a worker out that died; what it was at is lost."""
        self._workers.remove(worker)
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(worker.frames.socket)
        worker.frames.socket.close()
        _kill(worker.process)
        code = worker.process.wait()
        if worker.plan is not None:
            how = f"by {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            self._ready.append(lost(worker.plan, f"its worker process died {how}"))

    def stop(self, *, now: bool = False) -> None:
        """End the workers; those at work are interrupted, and end their trial's run as KILLED."""
        self._waiting.clear()
        for worker in self._workers:
            if worker.plan is not None:
                with contextlib.suppress(ProcessLookupError):
                    worker.process.send_signal(signal.SIGINT)
            else:
                worker.frames.socket.close()
        until = time.monotonic() + GRACE_S
        for worker in self._workers:
            with contextlib.suppress(subprocess.TimeoutExpired):
                worker.process.wait(max(until - time.monotonic(), 0.01))
            _kill(worker.process)
            worker.process.wait()
            worker.frames.socket.close()
        self._workers.clear()
        self._selector.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker with all that it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
