"""System metrics: a thread that samples CPU, memory, disk, network and GPU while a run goes on.

Names and units are MLflow's (``system/cpu_utilization_percentage``, …; megabytes are 10^6 bytes). Invariants:

- It runs between ``start`` and ``stop`` only, and takes a last sample on ``stop``, so that a short run has one too.
- A fault never reaches the training: the sampling ends and ``on_fault`` is told once, in words.
- It does not run in a forked child: threads do not survive a fork, and the child's copy does nothing.

It does *not* know of runs or stores: ``log`` gets values and a step. Call ``stop`` without holding a lock that ``log`` takes.

>>> seen = []
>>> with SystemMetrics(lambda values, step: seen.append(values), interval_s=60, on_fault=print):
...     pass
>>> "system/cpu_utilization_percentage" in seen[0]
True
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from runfolio.errors import RunfolioError, UsageError, missing_package

if TYPE_CHECKING:
    from typing_extensions import Self

PREFIX = "system/"

Log = Callable[[dict[str, float], int], None]


class SystemMetrics:
    """Samples the machine and logs the means.

    Parameters
    ----------
    log : callable
        Called as ``log(values, step)`` in the sampling thread; the steps count up from `first_step`.
    interval_s : float
        Seconds between two samples.
    samples_before_logging : int
        How many samples make one logged mean.
    on_fault : callable
        Called with one sentence when sampling has to end, or the GPU can no longer be read.
    node_id : str, optional
        Set between ``system/`` and the metric's name, to tell machines of one run apart.
    first_step : int
        The step after those that a resumed run has.

    Raises
    ------
    MissingPackageError
        If psutil is not installed.
    UsageError
        If the interval or the number of samples is not positive.
    """

    def __init__(
        self,
        log: Log,
        interval_s: float = 10.0,
        samples_before_logging: int = 1,
        *,
        on_fault: Callable[[str], None],
        node_id: str | None = None,
        first_step: int = 0,
    ) -> None:
        try:
            import psutil
        except ImportError as error:
            raise missing_package("psutil", "system", "log system metrics") from error
        if not interval_s > 0 or samples_before_logging < 1:
            raise UsageError(
                f"System metrics: the interval is {interval_s} seconds and the samples before logging are "
                f"{samples_before_logging}; both must be positive."
            )
        self._psutil: Any = psutil
        self._log, self._on_fault = log, on_fault
        self._interval_s, self._samples = interval_s, samples_before_logging
        self._prefix = f"{PREFIX}{node_id}/" if node_id else PREFIX
        self._step = first_step
        self._sums: dict[str, list[float]] = {}
        self._received = self._sent = 0.0
        self._gpus: Gpus | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._process = 0

    def start(self) -> None:
        """Begin to sample; a second call does nothing."""
        if self.running:
            return
        self._process = os.getpid()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runfolio-system-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Log a last sample and end; a second call, or one in a forked child, does nothing."""
        thread, self._thread = self._thread, None
        # In a forked child the event's lock may have been copied while it was held: it must not be touched.
        if thread is None or os.getpid() != self._process:
            return
        self._stopping.set()
        if thread is not threading.current_thread():
            thread.join()

    @property
    def running(self) -> bool:
        """Whether the thread is alive in this process."""
        return self._thread is not None and os.getpid() == self._process and self._thread.is_alive()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _run(self) -> None:
        try:
            self._begin()
            sampled = 0
            while not self._stopping.wait(self._interval_s):
                self._sample()
                sampled += 1
                if sampled % self._samples == 0:
                    self._publish()
            self._sample()
            self._publish()
        except (self._psutil.Error, OSError, RunfolioError) as error:
            self._on_fault(f"System metrics ended: {error}")
        finally:
            if self._gpus is not None:
                self._gpus.close()

    def _begin(self) -> None:
        # The first reading of the CPU counter has nothing to compare with and is always 0.
        self._psutil.cpu_percent()
        network = self._psutil.net_io_counters()
        if network is not None:
            self._received, self._sent = network.bytes_recv, network.bytes_sent
        self._gpus = Gpus.find()

    def _sample(self) -> None:
        memory = self._psutil.virtual_memory()
        disk = self._psutil.disk_usage(os.sep)
        self._add("cpu_utilization_percentage", self._psutil.cpu_percent())
        self._add("system_memory_usage_megabytes", memory.used / 1e6)
        self._add("system_memory_usage_percentage", memory.used / memory.total * 100)
        self._add("disk_usage_percentage", disk.percent)
        self._add("disk_usage_megabytes", disk.used / 1e6)
        self._add("disk_available_megabytes", disk.free / 1e6)
        network = self._psutil.net_io_counters()
        if network is not None:
            # Amounts since the start, not means: the newest one counts.
            self._sums["network_receive_megabytes"] = [(network.bytes_recv - self._received) / 1e6]
            self._sums["network_transmit_megabytes"] = [(network.bytes_sent - self._sent) / 1e6]
        if self._gpus is not None:
            self._sample_gpus(self._gpus)

    def _sample_gpus(self, gpus: Gpus) -> None:
        try:
            values = gpus.sample()
        except gpus.error as error:
            self._gpus = None
            self._on_fault(f"GPU metrics ended: {error}")
            return
        for name, value in values.items():
            self._add(name, value)

    def _add(self, name: str, value: float) -> None:
        self._sums.setdefault(name, []).append(value)

    def _publish(self) -> None:
        means = {
            self._prefix + name: round(sum(values) / len(values), 3 if name.startswith("network") else 1)
            for name, values in self._sums.items()
        }
        self._sums.clear()
        self._log(means, self._step)
        self._step += 1


class Gpus:
    """The NVIDIA GPUs of this machine, read through the package nvidia-ml-py.

    Attributes
    ----------
    error : type
        What :meth:`sample` raises when the driver is gone.
    """

    def __init__(self, nvml: Any) -> None:
        self._nvml = nvml
        self.error: type[Exception] = nvml.NVMLError
        self._devices = [nvml.nvmlDeviceGetHandleByIndex(at) for at in range(nvml.nvmlDeviceGetCount())]

    @classmethod
    def find(cls) -> Gpus | None:
        """Return the GPUs; None where the package, the driver or the hardware is missing."""
        try:
            import pynvml
        except ImportError:
            return None
        try:
            pynvml.nvmlInit()
            return cls(pynvml)
        except pynvml.NVMLError:
            return None

    def sample(self) -> dict[str, float]:
        """Read every GPU; what one of them does not support is left out.

        Raises
        ------
        NVMLError
            If the driver no longer answers.
        """
        values: dict[str, float] = {}
        for at, device in enumerate(self._devices):
            for read in (self._memory, self._use, self._power, self._power_share):
                try:
                    values.update({f"gpu_{at}_{name}": value for name, value in read(device).items()})
                except self._nvml.NVMLError_NotSupported:
                    continue
        return values

    def close(self) -> None:
        """Let go of the driver."""
        try:
            self._nvml.nvmlShutdown()
        except self.error:
            return

    def _memory(self, device: Any) -> dict[str, float]:
        memory = self._nvml.nvmlDeviceGetMemoryInfo(device)
        return {"memory_usage_percentage": memory.used / memory.total * 100, "memory_usage_megabytes": memory.used / 1e6}

    def _use(self, device: Any) -> dict[str, float]:
        return {"utilization_percentage": float(self._nvml.nvmlDeviceGetUtilizationRates(device).gpu)}

    def _power(self, device: Any) -> dict[str, float]:
        return {"power_usage_watts": self._nvml.nvmlDeviceGetPowerUsage(device) / 1000}

    def _power_share(self, device: Any) -> dict[str, float]:
        limit = self._nvml.nvmlDeviceGetEnforcedPowerLimit(device)
        return {"power_usage_percentage": self._nvml.nvmlDeviceGetPowerUsage(device) / limit * 100} if limit else {}
