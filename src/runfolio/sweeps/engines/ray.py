"""Ray: trials as tasks of a Ray cluster, which starts a task again whose worker died.

``runfolio sweep FILE --engine ray`` starts Ray on this machine, ``--address auto`` or ``ray://HOST:10001`` joins a cluster that is there;
a program that has called ``ray.init`` itself is left with what it has.

Needs the extra ``ray`` here and on the nodes, the same version of runfolio on both, and credentials of the store on the nodes.
"""

from __future__ import annotations

import os
import time
from typing import Any

from runfolio._version import __version__
from runfolio.deployments.client import Config, whole
from runfolio.errors import RunfolioError, StateError, UsageError, missing_package
from runfolio.sweeps.engines.batch_job import check_config
from runfolio.sweeps.engines.cluster import ClusterEngine, Died, Told, answer_of
from runfolio.sweeps.engines.outbox import Delivery, outbox_of, work
from runfolio.sweeps.trials import TrialPlan

KEYS = {
    "cpus": "processors that a trial takes; 1 by default",
    "gpus": "GPUs that a trial takes; 0 by default",
    "retries": "how often a trial is started again whose worker died; 3 by default",
    "working_dir": "folder that is sent to the nodes, where trials start: the module of the objective",
    "resource.": "resource.NAME=AMOUNT: what a trial takes of a resource of the nodes",
}
SLOTS_S = 1.0
"""How long the size of the cluster is believed, in seconds."""


def ray_engine(address: Any = None, *, n_jobs: int | None = None, config: Config | None = None) -> ClusterEngine:
    """Make the engine.

    Parameters
    ----------
    address : str, optional
        Of a cluster, as ``ray.init`` takes it; without one Ray is started on this machine, with `n_jobs` processors where that is given.
    n_jobs : int, optional
        Trials at once; as many as the cluster has processors for by default.
    config : Mapping, optional
        See `KEYS`.

    Raises
    ------
    MissingPackageError
        If the package ``ray`` is not installed.
    UsageError
        If a setting cannot be read.
    """
    said = dict(config or {})
    check_config("ray", said, KEYS)
    if address is not None and not isinstance(address, str):
        raise UsageError(f"ray: the address of a cluster is text, this is {type(address).__name__}.")
    return ClusterEngine(RayCluster(address or None, said, n_jobs), n_jobs)


class RayCluster:
    """A Ray cluster, or Ray on this machine.

    Parameters
    ----------
    address : str or None
    config : Mapping
    processors : int or None
        Of Ray on this machine.
    """

    def __init__(self, address: str | None, config: Config, processors: int | None = None) -> None:
        self._address, self._config, self._processors = address, config, processors
        self._ray: Any = None
        self._task: Any = None
        self._owned = False
        self._refs: dict[str, Any] = {}
        self._slots, self._counted = 0, 0.0
        self._cpus = _amount(config.get("cpus", 1), "cpus")
        self._gpus = _amount(config.get("gpus", 0), "gpus")
        self._others = {key[9:]: _amount(value, key) for key, value in config.items() if key.startswith("resource.")}
        self._retries = whole(config.get("retries", 3), "retries")

    @property
    def what(self) -> str:
        """The address."""
        return f"Ray at {self._address}" if self._address else "Ray on this machine"

    @property
    def slots(self) -> int:
        """How many trials the cluster has processors, GPUs and other resources for."""
        if time.monotonic() - self._counted > SLOTS_S and self.alive():
            there = self._ray.cluster_resources()
            wanted = {"CPU": self._cpus, "GPU": self._gpus, **self._others}
            fits = [int(there.get(name, 0) / amount) for name, amount in wanted.items() if amount > 0]
            self._slots, self._counted = min(fits, default=os.cpu_count() or 1), time.monotonic()
        return self._slots

    def open(self, delivery: Delivery) -> None:
        """Start or join; then let a worker say which runfolio it has, and reach the store.

        Raises
        ------
        StateError
            If the cluster does not answer, or a worker lacks what it needs.
        """
        try:
            import ray
        except ImportError:
            raise missing_package("ray", "ray", "run trials on Ray") from None
        self._ray = ray
        if not ray.is_initialized():
            self._begin()
        options: dict[str, Any] = {"max_retries": self._retries, "num_cpus": self._cpus, "num_gpus": self._gpus}
        if self._others:
            options["resources"] = self._others
        self._task = ray.remote(**options)(work)
        probe = ray.remote(num_cpus=0, max_retries=0)(_reach)
        try:
            version = ray.get(probe.remote(delivery))
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, RunfolioError):
                raise type(cause)(f"A worker of {self.what}: {cause.message}") from None
            raise StateError(f"A worker of {self.what} cannot run trials: {type(cause).__name__}: {cause}") from None
        except ray.exceptions.RayError as error:
            raise StateError(f"A worker of {self.what} cannot run trials (has it runfolio {__version__}?): {error}") from None
        if version != __version__:
            raise StateError(
                f"The workers of {self.what} have runfolio {version}, and this is {__version__}. Install the same on both."
            )

    def _begin(self) -> None:
        environment = {"working_dir": str(self._config["working_dir"])} if self._config.get("working_dir") else None
        said: dict[str, Any] = {"log_to_driver": False, "configure_logging": False, "runtime_env": environment}
        if self._address:
            said["address"] = self._address
        else:
            # "local" never joins a cluster that another user of this machine has started.
            said.update(address="local", include_dashboard=False, num_cpus=self._processors, _node_ip_address="127.0.0.1")
        try:
            self._ray.init(**said)
        except Exception as error:  # noqa: BLE001 - Ray's own of a start that failed is a bare Exception
            raise StateError(f"{self.what} does not answer: {error}") from None
        self._owned = True

    def launch(self, plan: TrialPlan, delivery: Delivery, told: Told) -> None:
        """Start a task."""
        ref = self._refs[plan.run_id] = self._task.remote(plan, delivery)
        ref.future().add_done_callback(lambda done: self._tell(plan.run_id, done, told))

    def _tell(self, run_id: str, done: Any, told: Told) -> None:
        """Tell what a task came to; called in a thread of Ray's."""
        exceptions = self._ray.exceptions
        if done.cancelled():
            told(run_id, Died("it was cancelled"))
            return
        error = done.exception()
        if error is None:
            told(run_id, done.result())
        elif isinstance(error, exceptions.RayTaskError):
            told(run_id, answer_of(error.cause if isinstance(error.cause, BaseException) else error))
        elif isinstance(error, (exceptions.WorkerCrashedError, exceptions.NodeDiedError, exceptions.OutOfMemoryError)):
            told(run_id, Died(f"the workers of Ray that were at it died ({type(error).__name__})"))
        else:
            told(run_id, answer_of(error))

    def forget(self, run_id: str) -> None:
        """Let go of a task's result."""
        self._refs.pop(run_id, None)

    def alive(self) -> bool:
        """Tell whether Ray is there."""
        return self._ray is not None and bool(self._ray.is_initialized())

    def close(self, *, now: bool) -> None:
        """Cancel what was started, and leave; Ray that was there before stays."""
        if not self.alive():
            return
        if now:
            for ref in self._refs.values():
                self._ray.cancel(ref, force=True)
        self._refs.clear()
        if self._owned:
            self._ray.shutdown()


def _reach(delivery: Delivery) -> str:
    """Let a worker reach the store, and say its version."""
    outbox_of(delivery)
    return __version__


def _amount(value: Any, key: str) -> float:
    try:
        made = float(value)
    except (TypeError, ValueError):
        made = -1.0
    if made < 0:
        raise UsageError(f"ray: config: {key}: a number from 0 is expected, found {value!r}.")
    return made
