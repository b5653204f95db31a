"""Threads that predict, and jobs that wait for them.

The event loop puts jobs in; a thread takes one, and with it those that came while it was busy, where the model's requests are
predicted together (no request waits for others to come). A thread that a prediction never gives back cannot be ended: its job is
answered when its time is up, and another thread takes its place.
"""

from __future__ import annotations

import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable
from queue import Empty, SimpleQueue

from runfolio.serving.answers import Answer, error_answer
from runfolio.serving.http import Request

MAX_TOGETHER = 64
MAX_BYTES_TOGETHER = 256 * 1024
MAX_STUCK = 8


class Job:
    """One request that waits for its prediction."""

    __slots__ = ("answer", "media", "over", "request", "rows")

    def __init__(self, request: Request, media: str) -> None:
        self.request = request
        self.media = media
        self.answer: Answer | None = None
        self.rows = 0
        self.over = False


class _Lane:
    __slots__ = ("busy_since", "retired")

    def __init__(self) -> None:
        self.busy_since = 0.0
        self.retired = False


class Lanes:
    """The threads of a worker.

    Parameters
    ----------
    run : callable
        Sets the answers of a list of jobs; raises nothing.
    done : callable
        Called in the event loop's thread with the jobs and the seconds that they took.
    loop : event loop
    threads : int
    together : bool
        Whether a thread takes several jobs at once.
    timeout_s : float
        A thread that is busy for longer is given up.
    """

    def __init__(
        self,
        run: Callable[[list[Job]], None],
        done: Callable[[list[Job], float], None],
        loop: AbstractEventLoop,
        *,
        threads: int,
        together: bool,
        timeout_s: float,
    ) -> None:
        self._run, self._done, self._loop = run, done, loop
        self._together = together
        self._timeout_s = timeout_s
        self._queue: SimpleQueue[Job | None] = SimpleQueue()
        self._waiting: dict[Job, None] = {}
        self._lanes: list[_Lane] = []
        self.stuck = 0
        for _ in range(threads):
            self._open()

    def _open(self) -> None:
        lane = _Lane()
        self._lanes.append(lane)
        threading.Thread(target=self._work, args=(lane,), daemon=True, name="prediction").start()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Let a job wait for a thread."""
        self._waiting[job] = None
        self._queue.put(job)

    def _work(self, lane: _Lane) -> None:
        while not lane.retired:
            job = self._queue.get()
            if job is None:
                return
            jobs = self._gathered(job) if self._together else [job]
            jobs = [each for each in jobs if not each.over]
            if not jobs:
                continue
            begun = lane.busy_since = time.monotonic()
            self._run(jobs)
            lane.busy_since = 0.0
            try:
                self._loop.call_soon_threadsafe(self._finish, jobs, time.monotonic() - begun)
            except RuntimeError:  # the loop has ended
                return

    def _gathered(self, first: Job) -> list[Job]:
        jobs, size = [first], len(first.request.body)
        while len(jobs) < MAX_TOGETHER and size < MAX_BYTES_TOGETHER:
            try:
                job = self._queue.get_nowait()
            except Empty:
                break
            if job is None:
                self._queue.put(None)
                break
            jobs.append(job)
            size += len(job.request.body)
        return jobs

    def _finish(self, jobs: list[Job], seconds: float) -> None:
        for job in jobs:
            self._waiting.pop(job, None)
        self._done(jobs, seconds)

    def sweep(self, now: float) -> list[Job]:
        """Answer the jobs whose time is up, open threads in place of stuck ones, and return those jobs."""
        late = []
        for job in self._waiting:
            if now - job.request.begun < self._timeout_s:
                break
            late.append(job)
        for job in late:
            job.over = True
            del self._waiting[job]
            job.answer = error_answer(504, "DEADLINE_EXCEEDED", "Request processing time exceeded limit")
        for lane in [each for each in self._lanes if each.busy_since and now - each.busy_since > self._timeout_s]:
            lane.retired = True
            self._lanes.remove(lane)
            self.stuck += 1
            self._open()
        return late


def lane_count(wanted: int, processors: int, *, arrays: bool) -> int:
    """Return how many threads to start.

    One where requests are decoded to arrays (threads that all hold the interpreter's lock gain nothing); otherwise as many as
    MLflow's server has, since a model of plain Python may wait for something.
    """
    return wanted or (1 if arrays else min(32, processors + 4))
