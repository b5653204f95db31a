"""The process that keeps a server alive: it starts workers, replaces those that die or hang, and follows the stage.

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
import socket
import time
from collections.abc import Callable
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import EXIT_DONE, RunfolioError
from runfolio.serving.options import ServeOptions
from runfolio.serving.processes import ENDING, READY, STARTING, WorkerProcess
from runfolio.serving.signals import Signals
from runfolio.serving.sources import Source, Which
from runfolio.serving.watching import Watch

_log = logging.getLogger("runfolio.serving")
_TURN_S = 0.25
_MOST_BACKOFF_S = 30.0
_LIVED_S = 10.0
_HUNG_S = 10.0
"""Beyond a prediction's own time: how long a worker may give no sign of life."""


@dataclass(slots=True)
class Generation:
    """Workers of one version of the model.

    Parameters
    ----------
    which : Which
    folder : path
        Of the model.
    python : str
        That runs it.
    since : float
        When it began to serve, in seconds since the epoch.
    wanted : int
        How many workers.
    workers : list of WorkerProcess
    """

    which: Which
    folder: Path
    python: str
    since: float = 0.0
    wanted: int = 0
    workers: list[WorkerProcess] = field(default_factory=list)

    def ready(self) -> int:
        """Return how many serve."""
        return sum(worker.state == READY for worker in self.workers)


class Supervisor:
    """A server.

    Parameters
    ----------
    source : Source
    options : ServeOptions
    first : Generation
        The model to begin with.
    listening : socket
        Bound; the supervisor's from here on.
    folder : path
        The server's own, which goes with it.
    python_for : callable
        Returns the Python that runs the model in a folder: of its own environment, or ours.
    reload_s : float
        How often to look whether the stage moved; 0 never.
    start_timeout_s : float
        How long a worker may take to load the model.
    """

    def __init__(
        self,
        source: Source,
        options: ServeOptions,
        first: Generation,
        listening: socket.socket,
        folder: Path,
        *,
        python_for: Callable[[Path], str],
        reload_s: float,
        start_timeout_s: float,
    ) -> None:
        self._source, self._options, self._python_for = source, options, python_for
        self._reload_s, self._start_timeout_s = reload_s, start_timeout_s
        self._folder, self._socket, self._current = folder, listening, first
        self._selector = selectors.DefaultSelector()
        self._signals = Signals()
        self._next: Generation | None = None
        self._leaving: list[WorkerProcess] = []
        self._left: list[Path] = []
        self._watch: Watch | None = None
        self._numbers = 0
        self._restarts = self._reloads = self._failed = 0
        self._refused: dict[str, Any] | None = None
        self._backoff_s, self._not_before = 0.0, 0.0
        self._told = 0
        self._ending = False

    def run(self) -> int:
        """Serve until SIGTERM or SIGINT; return the exit code.

        Raises
        ------
        RunfolioError
            If it cannot begin.
        """
        try:
            with self._signals:
                self._selector.register(self._signals.readable, selectors.EVENT_READ, None)
                self._begin()
                while not self._done():
                    self._turn()
        finally:
            self._close()
        return EXIT_DONE

    # Beginning and ending.

    def _following(self) -> list[Generation]:
        return [] if self._next is None else [self._next]

    def _generation(self, which: Which, folder: Path) -> Generation:
        return Generation(which, folder, self._python_for(folder), wanted=self._options.workers)

    def _begin(self) -> None:
        self._fill(self._current)
        deadline = time.monotonic() + self._start_timeout_s
        while self._current.ready() < self._current.wanted:
            self._listen()
            for worker in self._current.workers:
                if worker.failed():
                    raise worker.error()
            if self._signals.ending() or time.monotonic() > deadline:
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

    def _done(self) -> bool:
        if self._signals.reload() and self._watch is not None:
            self._watch.look()
        if not self._signals.ending():
            return False
        if not self._ending:
            self._ending = True
            _log.info("ending: requests under way are answered")
            for generation in (self._current, *self._following()):
                self._dismiss(generation)
        return not self._leaving

    def _close(self) -> None:
        if self._watch is not None:
            self._watch.end()
        for worker in [*self._leaving, *(each for one in (self._current, *self._following()) for each in one.workers)]:
            worker.kill()
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
                self._signals.clear()

    def _turn(self) -> None:
        self._listen()
        now = time.monotonic()
        self._leaving = [worker for worker in self._leaving if not worker.gone(now)]
        self._clear()
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
        for worker in list(current.workers):
            if worker.ended():
                current.workers.remove(worker)
                self._restarts += 1
                lived = now - worker.began
                self._backoff_s = 0.0 if lived > _LIVED_S else min(max(1.0, self._backoff_s * 2), _MOST_BACKOFF_S)
                self._not_before = now + self._backoff_s
                _log.error("worker %d ended: %s", worker.pid, worker.how_it_ended())
                self._kill(worker)  # its gauges (memory, connections, stuck predictions) count no more, and its pipes are closed
                self._tell()
            elif worker.hung(now, self._options.timeout_s + _HUNG_S) or worker.late(now, self._start_timeout_s):
                _log.error("worker %d does not answer any more: it is killed", worker.pid)
                self._kill(worker)
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
            self._drop_next()
            self._refuse(following.which, reason)
        elif following.ready() >= following.wanted:
            before, self._current, self._next = self._current, following, None
            following.since = time.time()
            self._reloads += 1
            self._refused = None
            _log.info("serving %s now", following.which)
            self._tell()
            self._dismiss(before)
            self._left.append(before.folder)

    # What may happen.

    def _move(self, which: Which, folder: Path) -> None:
        current = self._current
        self._drop_next()
        if (which.version, which.digest) == (current.which.version, current.which.digest):
            _log.info("%s moved back to %s, which is served still", which.uri, which)
            self._left.append(folder)
            self._refused = None
            self._tell()
            return
        _log.info("%s moved to %s: loading it beside", which.uri, which)
        try:
            self._next = self._generation(which, folder)
        except RunfolioError as error:
            self._left.append(folder)
            self._refuse(which, error.message)
            return
        self._fill(self._next)

    def _refuse(self, which: Which, reason: str) -> None:
        current = self._current
        self._failed += 1
        self._refused = {**which.fields(), "error": " ".join(reason.split())[:1000], "at": time.time()}
        why = self._refused["error"].rstrip(".")
        _log.error("%s is not served: %s. %s stays; SIGHUP tries again.", which, why, current.which)
        self._tell()

    def _fill(self, generation: Generation) -> None:
        missing = generation.wanted - sum(not worker.replaced for worker in generation.workers)
        for _ in range(missing):
            generation.workers.append(self._start(generation))

    def _start(self, generation: Generation) -> WorkerProcess:
        self._numbers += 1
        worker = WorkerProcess(
            generation.python, self._options, generation.folder, self._folder, f"worker-{self._numbers}", self._socket.fileno()
        )
        self._selector.register(worker.report, selectors.EVENT_READ, worker)
        return worker

    def _dismiss(self, generation: Generation) -> None:
        for worker in generation.workers:
            self._send_off(worker)
        generation.workers = []

    def _drop_next(self) -> None:
        """Give up the version that is being loaded, if one is."""
        if self._next is not None:
            for worker in self._next.workers:
                self._kill(worker)
            self._left.append(self._next.folder)
            self._next = None

    def _kill(self, worker: WorkerProcess) -> None:
        if worker.report >= 0:
            # Before it is closed: the selector would hold its number against the next pipe that gets it.
            self._selector.unregister(worker.report)
        worker.kill()

    def _clear(self) -> None:
        """Remove the folders of versions that no process has any more: a model may read its files as long as it answers."""
        held = {worker.model for worker in self._leaving}
        for folder in [each for each in self._left if each not in held]:
            self._left.remove(folder)
            if self._folder in folder.parents:
                shutil.rmtree(folder, ignore_errors=True)

    def _send_off(self, worker: WorkerProcess) -> None:
        if worker.state == STARTING:
            self._kill(worker)
        worker.state = ENDING
        worker.terminate(time.monotonic() + self._options.shutdown_timeout_s + 5)
        self._leaving.append(worker)

    def _tell(self) -> None:
        """Write what ``/health?details`` and ``/metrics`` say."""
        current = self._current
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
