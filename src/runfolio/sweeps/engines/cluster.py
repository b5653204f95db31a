"""The engine of a cluster that runs tasks: Dask, Ray. What differs between them is a :class:`Cluster`; what a sweep needs is here.

A trial counts once its run lies in the inbox; what the cluster answers only says so sooner. Where it answers nothing (a worker died, the
scheduler forgot), the inbox is looked at before the trial is called lost.
"""

from __future__ import annotations

import queue
import time
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError, StateError, StorageError
from runfolio.sweeps.engines.gathering import Gathering
from runfolio.sweeps.engines.outbox import Delivery
from runfolio.sweeps.trials import HANDED_OVER, Place, TrialPlan, TrialResult, lost
from runfolio.tracking.session import session

HEALTH_S = 2.0
"""How often a cluster that answers nothing is asked whether it is there."""


@dataclass(frozen=True, slots=True)
class Died:
    """A task came to no answer.

    Parameters
    ----------
    how : str
        In the words of the cluster.
    """

    how: str


Answer = TrialResult | RunfolioError | Died
"""What a task comes to: a result, why the worker could not keep one, or that it died."""

Told = Callable[[str, Answer], None]


class Cluster(Protocol):
    """Workers that run tasks, and start those again whose worker died."""

    @property
    def slots(self) -> int:
        """How many tasks run at once, now; 0 while there is no worker."""

    @property
    def what(self) -> str:
        """The cluster, for people."""

    def open(self, delivery: Delivery) -> None:
        """Connect, and make sure that the workers can do what they will be asked."""

    def launch(self, plan: TrialPlan, delivery: Delivery, told: Told) -> None:
        """Start a task; `told` is called once with its run id and its answer, from any thread."""

    def forget(self, run_id: str) -> None:
        """Let go of a task whose answer nobody waits for any more."""

    def alive(self) -> bool:
        """Tell whether the cluster can still answer."""

    def close(self, *, now: bool) -> None:
        """Let go of everything; `now` gives up what is running."""


class ClusterEngine:
    """Runs plans as tasks of a cluster.

    Parameters
    ----------
    cluster : Cluster
    n_jobs : int or None
        Trials at once; None for as many as the cluster runs.
    """

    in_process = False

    def __init__(self, cluster: Cluster, n_jobs: int | None = None) -> None:
        self._cluster, self._limit = cluster, n_jobs
        self._gathering: Gathering | None = None
        self._delivery: Delivery | None = None
        self._out: dict[str, TrialPlan] = {}
        self._answers: queue.SimpleQueue[tuple[str, Answer]] = queue.SimpleQueue()
        self._ready: deque[TrialResult] = deque()
        self._refusals = 0
        self._say: Callable[[str], None] = lambda text: None
        self._sweep = ""
        self._asked = time.monotonic()

    @property
    def capacity(self) -> int:
        """As many as run at once; one where there is no worker yet, so that one can begin when it comes."""
        slots = self._cluster.slots
        if slots == 0:
            self._say(f"{self._cluster.what} has no worker yet: the trials wait for one")
        return max(1, slots if self._limit is None else self._limit)

    def place(self, here: Place) -> Place:
        """Return that runs are handed over through the inbox of the folio's store."""
        held = session(here.uri)
        self._gathering, self._say = Gathering(held), held.say
        self._delivery = self._gathering.delivery()
        return replace(here, uri=HANDED_OVER)

    def start(self) -> None:
        """Connect, and look whether the workers have what they need."""
        assert self._delivery is not None
        self._cluster.open(self._delivery)

    def submit(self, plan: TrialPlan) -> None:
        """Give a plan to the cluster."""
        assert self._delivery is not None
        self._out[plan.run_id] = plan
        self._sweep = plan.sweep
        self._cluster.launch(plan, self._delivery, lambda run_id, answer: self._answers.put((run_id, answer)))

    def next_result(self, timeout_s: float | None = None) -> TrialResult | None:
        """Return the next result; None where none came in time.

        Raises
        ------
        StateError
            If the cluster is gone.
        StorageError
            If no worker can hand its runs over, or the folio cannot take them.
        """
        assert self._gathering is not None
        if not self._ready:
            self._hear(timeout_s)
        if self._gathering.due:
            self._collect()
        if not self._ready:
            self._look_after()
        return self._ready.popleft() if self._ready else None

    def _hear(self, timeout_s: float | None) -> None:
        try:
            self._take(*self._answers.get(timeout=timeout_s))
            while True:
                self._take(*self._answers.get_nowait())
        except queue.Empty:
            return

    def _take(self, run_id: str, answer: Answer) -> None:
        assert self._gathering is not None
        self._cluster.forget(run_id)
        plan = self._out.get(run_id)
        if plan is None:
            return  # its run was collected before it answered
        if isinstance(answer, TrialResult):
            del self._out[run_id]
            self._refusals = 0
            self._gathering.expect()
            self._ready.append(answer)
            return
        self._collect()  # it may have died after it had handed the run over
        if self._out.pop(run_id, None) is None:
            return
        if isinstance(answer, StorageError):
            self._refuse(answer)
        how = answer.how if isinstance(answer, Died) else answer.message
        self._ready.append(self._gathering.result(run_id) or lost(plan, how))

    def _refuse(self, error: StorageError) -> None:
        """Go on without a worker that cannot hand its runs over, and end the sweep where none can."""
        self._refusals += 1
        if self._refusals > max(3, 2 * self._cluster.slots):
            raise error

    def _collect(self) -> None:
        assert self._gathering is not None
        for result in self._gathering.collect():
            if self._out.pop(result.run_id, None) is not None:
                self._cluster.forget(result.run_id)
                self._ready.append(result)

    def _look_after(self) -> None:
        if time.monotonic() - self._asked < HEALTH_S:
            return
        self._asked = time.monotonic()
        if not self._cluster.alive():
            self._collect()
            raise StateError(
                f"{self._cluster.what} does not answer any more. What its workers had handed over is in the folio; go on with --resume "
                "when it is back."
            )

    def stop(self, *, now: bool = False) -> None:
        """Let go of the cluster, and fold in what was handed over."""
        self._cluster.close(now=now)
        if self._gathering is not None and self._sweep:
            try:
                self._gathering.collect()
                if not now:
                    self._gathering.tidy(self._sweep)
            except RunfolioError as error:
                self._say(f"runs wait in the inbox: {error.message} Take them in with: runfolio collect")
        self._out.clear()


def answer_of(error: BaseException) -> Answer:
    """Return an error that a task raised as an answer: one of ours as it is, any other in words."""
    return error if isinstance(error, RunfolioError) else Died(f"{type(error).__name__}: {error}"[:500])
