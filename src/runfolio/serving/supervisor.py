"""The process that keeps a server alive: it binds the port, starts workers, replaces those that die or hang, and follows the stage.

It never loads a model. A change of the model, a worker that asks to be replaced and one that died are the same to it: new workers
are started, and when they say that they serve, the old ones are told to end. All share one listening socket, so connections find
whoever serves.
"""

from __future__ import annotations

import json
import logging
import os
import selectors
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runfolio.errors import EXIT_DONE, RunfolioError, UsageError
from runfolio.serving.options import ServeOptions
from runfolio.serving.processes import ENDING, READY, STARTING, WorkerProcess
from runfolio.serving.sources import Source, Which
from runfolio.serving.watching import Watch

_log = logging.getLogger("runfolio.serving")
_TURN_S = 0.25
_MOST_BACKOFF_S = 30.0
_LIVED_S = 10.0
_HUNG_S = 10.0
"""Beyond a prediction's own time: how long a worker may give no sign of life."""


@dataclass(slots=True)
class _Generation:
    """Workers of one version of the model."""

    which: Which
    folder: Path
    python: str
    since: float = 0.0
    wanted: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)

    def ready(self) -> int:
        return sum(worker.state == READY for worker in self.workers)


class Supervisor:
    """A server.

    Parameters
    ----------
    source : Source
    options : ServeOptions
    reload_s : float
        How often to look whether the stage moved; 0 never.
    start_timeout_s : float
        How long a worker may take to load the model.
    python_for : callable
        Returns the Python that runs the model in a folder: of its own environment, or ours.
    """

    def __init__(
        self,
        source: Source,
        options: ServeOptions,
        python_for: Callable[[Path], str],
        *,
        reload_s: float = 1.0,
        start_timeout_s: float = 600.0,
    ) -> None:
        self._source, self._options, self._python_for = source, options, python_for
        self._reload_s, self._start_timeout_s = reload_s, start_timeout_s
        self._folder = Path(tempfile.mkdtemp(prefix="runfolio-serve-"))
        self._selector = selectors.DefaultSelector()
        self._socket: socket.socket | None = None
        self._current: _Generation | None = None
        self._next: _Generation | None = None
        self._leaving: list[WorkerProcess] = []
        self._watch: Watch | None = None
        self._numbers = 0
        self._restarts = self._reloads = self._failed = 0
        self._refused: dict[str, Any] | None = None
        self._backoff_s, self._not_before = 0.0, 0.0
        self._told = 0
        self._ending = False
        self._code = EXIT_DONE

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit code.

        Raises
        ------
        RunfolioError
            If it cannot begin.
        """
        try:
            self._socket = bound(self._options.host, self._options.port)
            self._options = replace(self._options, port=self._socket.getsockname()[1])
            which = self._source.which()
            folder = self._source.fetch(which, self._folder / "model")
            self._current = self._generation(which, folder)
            with _signals() as said:
                self._selector.register(said.readable, selectors.EVENT_READ, None)
                self._begin()
                while not self._done(said):
                    self._turn()
        finally:
            self._close()
        return self._code

    # Beginning and ending.

    def _generation(self, which: Which, folder: Path) -> _Generation:
        return _Generation(which, folder, self._python_for(folder), wanted=self._options.workers)

    def _begin(self) -> None:
        assert self._current is not None
        self._fill(self._current)
        deadline = time.monotonic() + self._start_timeout_s
        while self._current.ready() < self._current.wanted:
            self._listen()
            for worker in self._current.workers:
                if worker.failed():
                    raise worker.error()
            if self._ending_said() or time.monotonic() > deadline:
                break
        self._current.since = time.time()
        self._tell()
        if self._current.ready():
            host = f"[{self._options.host}]" if ":" in self._options.host else self._options.host
            _log.info("serving %s on http://%s:%d", self._current.which, host, self._options.port)
        if self._source.moves and self._reload_s > 0:
            self._watch = Watch(self._source, self._current.which, self._folder, self._reload_s)
            self._selector.register(self._watch.readable, selectors.EVENT_READ, None)
            self._watch.start()

    def _ending_said(self) -> bool:
        return _signals.ending()

    def _done(self, said: Any) -> bool:
        if _signals.reload() and self._watch is not None:
            self._watch.look()
        if not _signals.ending():
            return False
        if not self._ending:
            self._ending = True
            _log.info("ending: requests under way are answered")
            for generation in (self._current, self._next):
                if generation is not None:
                    self._dismiss(generation)
        return not self._leaving

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.end()
        for worker in [*self._leaving, *(each for one in (self._current, self._next) if one for each in one.workers)]:
            worker.kill()
        if self._socket is not None:
            self._socket.close()
        self._selector.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    # One turn.

    def _listen(self) -> None:
        for key, _ in self._selector.select(_TURN_S):
            if isinstance(key.data, WorkerProcess):
                key.data.hear()
                if key.data.state != STARTING or key.data.failed():
                    self._selector.unregister(key.fileobj)
            elif self._watch is None or key.fileobj != self._watch.readable:
                _signals.clear()

    def _turn(self) -> None:
        self._listen()
        now = time.monotonic()
        self._leaving = [worker for worker in self._leaving if not worker.gone(now)]
        if self._ending:
            return
        self._look_at_workers(now)
        self._look_at_next(now)
        moved = self._watch.found() if self._watch is not None else None
        if moved is not None:
            if moved.folder is None:
                self._refuse(moved.which, moved.error)
            else:
                self._move(moved.which, moved.folder)

    def _look_at_workers(self, now: float) -> None:
        current = self._current
        assert current is not None
        for worker in list(current.workers):
            if worker.ended():
                current.workers.remove(worker)
                self._restarts += 1
                lived = now - worker.began
                self._backoff_s = 0.0 if lived > _LIVED_S else min(max(1.0, self._backoff_s * 2), _MOST_BACKOFF_S)
                self._not_before = now + self._backoff_s
                _log.error("worker %d ended: %s", worker.pid, worker.how_it_ended())
                self._tell()
            elif worker.hung(now, self._options.timeout_s + _HUNG_S) or worker.late(now, self._start_timeout_s):
                _log.error("worker %d does not answer any more: it is killed", worker.pid)
                worker.kill()
            elif worker.asks() and not worker.replaced:
                worker.replaced = True
                current.workers.append(self._start(current))
        for worker in [each for each in current.workers if each.replaced]:
            if current.ready() > current.wanted:
                current.workers.remove(worker)
                self._restarts += 1
                self._send_off(worker)
                self._tell()
        if now >= self._not_before:
            self._fill(current)
        if current.ready() != self._told:
            self._tell()

    def _look_at_next(self, now: float) -> None:
        following = self._next
        if following is None:
            return
        broken = next(
            (worker for worker in following.workers if worker.failed() or worker.late(now, self._start_timeout_s)), None
        )
        if broken is not None:
            reason = broken.how_it_ended()
            self._next = None
            for worker in following.workers:
                worker.kill()
            self._refuse(following.which, reason)
        elif following.ready() >= following.wanted:
            before, self._current, self._next = self._current, following, None
            following.since = time.time()
            self._reloads += 1
            self._refused = None
            _log.info("serving %s now", following.which)
            self._tell()
            assert before is not None
            self._dismiss(before)
            if self._folder in before.folder.parents:
                shutil.rmtree(before.folder, ignore_errors=True)

    # What may happen.

    def _move(self, which: Which, folder: Path) -> None:
        current = self._current
        assert current is not None
        if self._next is not None:
            for worker in self._next.workers:
                worker.kill()
            self._next = None
        if (which.version, which.digest) == (current.which.version, current.which.digest):
            self._refused = None  # moved back
            self._tell()
            return
        _log.info("%s moved to %s: loading it beside", which.uri, which)
        try:
            self._next = self._generation(which, folder)
        except RunfolioError as error:
            self._refuse(which, error.message)
            return
        self._fill(self._next)

    def _refuse(self, which: Which, reason: str) -> None:
        current = self._current
        assert current is not None
        self._failed += 1
        self._refused = {**which.fields(), "error": " ".join(reason.split())[:1000], "at": time.time()}
        _log.error("%s is not served: %s. %s stays.", which, self._refused["error"].rstrip("."), current.which)
        self._tell()

    def _fill(self, generation: _Generation) -> None:
        missing = generation.wanted - sum(not worker.replaced for worker in generation.workers)
        for _ in range(missing):
            generation.workers.append(self._start(generation))

    def _start(self, generation: _Generation) -> WorkerProcess:
        assert self._socket is not None
        self._numbers += 1
        worker = WorkerProcess(
            generation.python, self._options, generation.folder, self._folder, f"worker-{self._numbers}", self._socket.fileno()
        )
        self._selector.register(worker.report, selectors.EVENT_READ, worker)
        return worker

    def _dismiss(self, generation: _Generation) -> None:
        for worker in generation.workers:
            self._send_off(worker)
        generation.workers = []

    def _send_off(self, worker: WorkerProcess) -> None:
        if worker.state == STARTING:
            worker.kill()
        worker.state = ENDING
        worker.terminate(time.monotonic() + self._options.shutdown_timeout_s + 5)
        self._leaving.append(worker)

    def _tell(self) -> None:
        """Write what ``/health?details`` and ``/metrics`` say."""
        current = self._current
        assert current is not None
        self._told = current.ready()
        said = {
            "model": {**current.which.fields(), "engine": self._options.engine, "since": current.since},
            "workers": self._told,
            "restarts": self._restarts,
            "reloads": self._reloads,
            "failed_reloads": self._failed,
            "refused": self._refused,
            "supervisor": os.getpid(),
        }
        made = self._folder / "state.new"
        made.write_text(json.dumps(said), "utf-8")
        os.replace(made, self._folder / "state.json")


def bound(host: str, port: int) -> socket.socket:
    """Return a socket that is bound, and not listening yet: a client finds nobody until a worker serves.

    Raises
    ------
    UsageError
        If the address is taken, or none of this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        raise UsageError(
            f"--host {host} --port {port}: {error.strerror or error}. Choose another port with -p, or end what uses it."
        ) from None
    return made


class _Signals:
    """What signals said. Handlers only note it; a pipe wakes the loop."""

    def __init__(self) -> None:
        self._said: set[int] = set()
        self.readable = self._writable = -1
        self._before: dict[int, Any] = {}

    def __call__(self) -> _Signals:
        return self

    def __enter__(self) -> _Signals:
        self._said.clear()
        self.readable, self._writable = os.pipe()
        os.set_blocking(self.readable, False)
        os.set_blocking(self._writable, False)
        signal.set_wakeup_fd(self._writable, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            self._before[number] = signal.signal(number, lambda given, _: self._said.add(given))
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, before in self._before.items():
            signal.signal(number, before)
        os.close(self.readable)
        os.close(self._writable)

    def clear(self) -> None:
        with suppress(BlockingIOError):
            os.read(self.readable, 64)

    def ending(self) -> bool:
        return bool(self._said & {signal.SIGTERM, signal.SIGINT})

    def reload(self) -> bool:
        if signal.SIGHUP in self._said:
            self._said.discard(signal.SIGHUP)
            return True
        return False


_signals = _Signals()
