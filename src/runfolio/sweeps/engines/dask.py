"""Dask: trials as tasks of an existing scheduler, which gives a task again whose worker died.

``runfolio sweep FILE --engine dask --address tcp://scheduler:8786``, or ``runfolio.sweep(…, engine="dask", address=…)``, or a client that
is there: ``engine=dask_engine(client)``. TLS and other settings of the connection are those of Dask's own configuration.

Needs the extra ``dask`` here and on the workers, the same version of runfolio on both, and credentials of the store on the workers.
"""

from __future__ import annotations

import importlib.metadata
import time
from concurrent.futures import CancelledError
from typing import Any

from runfolio._version import __version__
from runfolio.deployments.client import Config
from runfolio.errors import MissingPackageError, RunfolioError, StateError, UsageError, missing_package
from runfolio.sweeps.engines.batch_job import check_config
from runfolio.sweeps.engines.cluster import Answer, ClusterEngine, Died, Told, answer_of
from runfolio.sweeps.engines.outbox import Delivery, outbox_of, work
from runfolio.sweeps.trials import TrialPlan

KEYS = {
    "connect_timeout": "seconds to wait for the scheduler; 30 by default",
    "upload": "files that are sent to the workers to be imported there, joined by commas: the module of the objective",
    "resource.": "resource.NAME=AMOUNT: what a trial takes of a resource of the workers, such as resource.GPU=1",
}
FETCH_S = 5.0
SLOTS_S = 1.0
"""How long the number of workers is believed, in seconds."""


def dask_engine(address: Any = None, *, n_jobs: int | None = None, config: Config | None = None) -> ClusterEngine:
    """Make the engine.

    Parameters
    ----------
    address : str or distributed.Client
        Of the scheduler: ``tcp://…`` or ``tls://…``; or a client, which stays open.
    n_jobs : int, optional
        Trials at once; as many as the workers have threads by default.
    config : Mapping, optional
        See `KEYS`.

    Raises
    ------
    MissingPackageError
        If the package ``distributed`` is not installed.
    UsageError
        If no scheduler is named.
    """
    said = dict(config or {})
    check_config("dask", said, KEYS)
    if address is None or address == "":
        raise UsageError("dask: name the scheduler: --address tcp://HOST:8786 (address= in Python), or give a client.")
    return ClusterEngine(DaskCluster(address, said), n_jobs)


class DaskCluster:
    """A scheduler and its workers.

    Parameters
    ----------
    address : str or distributed.Client
    config : Mapping
    """

    def __init__(self, address: Any, config: Config) -> None:
        self._address, self._config = address, config
        self._owned = isinstance(address, str)
        self._client: Any = None if self._owned else address
        self._futures: dict[str, Any] = {}
        self._slots, self._counted = 0, 0.0

    @property
    def what(self) -> str:
        """The scheduler's address."""
        return f"the Dask scheduler at {self._address if self._owned else self._client.scheduler.address}"

    @property
    def slots(self) -> int:
        """Threads of all workers."""
        if time.monotonic() - self._counted > SLOTS_S and self.alive():
            self._slots, self._counted = sum(self._client.nthreads().values()), time.monotonic()
        return self._slots

    def open(self, delivery: Delivery) -> None:
        """Connect; then let each worker say which runfolio it has, and reach the store.

        Raises
        ------
        StateError
            If the scheduler does not answer, or a worker lacks what it needs.
        """
        if self._owned:
            try:
                import distributed
            except ImportError:
                raise missing_package("distributed", "dask", "run trials on Dask") from None
            try:
                timeout = float(self._config.get("connect_timeout", 30))
                connect: Any = distributed.Client  # without types of its own
                self._client = connect(self._address, timeout=timeout, set_as_default=False, name="runfolio-sweep")
            except (OSError, ValueError) as error:
                raise StateError(f"{self.what} does not answer: {error}. Is it running? Start it: dask scheduler") from None
        for name in filter(None, str(self._config.get("upload") or "").split(",")):
            self._client.upload_file(name.strip())
        self._check_versions()
        _told(self._client.run(_reach, delivery, on_error="return"))

    def _check_versions(self) -> None:
        # A function of the standard library: a worker without runfolio can still answer.
        said = self._client.run(importlib.metadata.version, "runfolio", on_error="return")
        for worker, version in sorted(said.items()):
            if not isinstance(version, str):
                raise MissingPackageError(
                    f"The Dask worker {worker} has no runfolio. Install there: pip install 'runfolio[dask]=={__version__}'",
                    name="runfolio",
                )
            if version != __version__:
                raise StateError(
                    f"The Dask worker {worker} has runfolio {version}, and this is {__version__}. Install the same on both."
                )

    def launch(self, plan: TrialPlan, delivery: Delivery, told: Told) -> None:
        """Submit a task under a key of the run's: a task that the scheduler has under it already is the same."""
        wanted = {key[9:]: float(value) for key, value in self._config.items() if key.startswith("resource.")}
        try:
            future = self._client.submit(
                work, plan, delivery, key=f"runfolio-{plan.run_id}", pure=False, resources=wanted or None
            )
        except RuntimeError as error:
            raise StateError(f"{self.what} is gone: {error}. Go on with --resume when it is back.") from None
        self._futures[plan.run_id] = future
        future.add_done_callback(lambda done: _tell(plan.run_id, done, told))

    def forget(self, run_id: str) -> None:
        """Let the scheduler drop a task's result."""
        future = self._futures.pop(run_id, None)
        if future is not None:
            future.release()

    def alive(self) -> bool:
        """Tell whether the client is connected."""
        return self._client is not None and self._client.status == "running"

    def close(self, *, now: bool) -> None:
        """Cancel what was submitted, and leave; a client that was given stays open."""
        if self._client is None:
            return
        if now and self._futures and self.alive():
            self._client.cancel(list(self._futures.values()), force=True)
        self._futures.clear()
        if self._owned:
            self._client.close(timeout=5)


def _tell(run_id: str, future: Any, told: Told) -> None:
    """Tell what a task came to; called in the one thread that the client has for this."""
    if future.status == "cancelled":
        told(run_id, Died("the scheduler has dropped it"))
        return
    error = future.exception() if future.status == "error" else None
    if type(error).__name__ == "KilledWorker":
        told(run_id, Died(f"{getattr(error, 'allowed_failures', 0) + 1} workers of Dask died at it"))
    elif error is not None:
        told(run_id, answer_of(error))
    else:
        _fetch(run_id, future, told)


def _fetch(run_id: str, future: Any, told: Told) -> None:
    """Fetch a result; where the worker that held it died, the task is executed again, and told of then."""
    try:
        found: Answer = future.result(timeout=FETCH_S)
    except TimeoutError:
        future.add_done_callback(lambda done: _tell(run_id, done, told))
    except (CancelledError, OSError) as error:
        told(run_id, answer_of(error))
    else:
        told(run_id, found)


def _reach(delivery: Delivery) -> str:
    """Let a worker reach the store."""
    outbox_of(delivery)
    return ""


def _told(answers: dict[str, Any]) -> None:
    for worker, answer in sorted(answers.items()):
        if isinstance(answer, RunfolioError):
            raise type(answer)(f"The Dask worker {worker}: {answer.message}")
        if isinstance(answer, BaseException):
            raise StateError(f"The Dask worker {worker} cannot run trials: {type(answer).__name__}: {answer}")
