"""The sampling thread logs MLflow's names, ends when told, and never harms the training."""

from __future__ import annotations

import itertools
import os
import sys
import threading
import types
from typing import Any

import pytest

from runfolio.errors import MissingPackageError, StateError, UsageError
from runfolio.tracking.system import Gpus, SystemMetrics

psutil = pytest.importorskip("psutil")

NAMES = {
    "system/cpu_utilization_percentage",
    "system/system_memory_usage_megabytes",
    "system/system_memory_usage_percentage",
    "system/disk_usage_percentage",
    "system/disk_usage_megabytes",
    "system/disk_available_megabytes",
    "system/network_receive_megabytes",
    "system/network_transmit_megabytes",
}


class Log:
    """Keeps what was logged, and says when there is enough."""

    def __init__(self, enough: int = 1, error: Exception | None = None) -> None:
        self.entries: list[tuple[dict[str, float], int]] = []
        self.faults: list[str] = []
        self.done = threading.Event()
        self._enough, self._error = enough, error

    def __call__(self, values: dict[str, float], step: int) -> None:
        self.entries.append((values, step))
        if len(self.entries) >= self._enough:
            self.done.set()
        if self._error is not None:
            raise self._error

    def fault(self, sentence: str) -> None:
        self.faults.append(sentence)
        self.done.set()


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", None)


def test_a_run_shorter_than_the_interval_has_one_sample() -> None:
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault) as metrics:
        assert metrics.running
    assert not metrics.running
    assert log.faults == []
    [(values, step)] = log.entries
    assert step == 0 and set(values) >= NAMES - {"system/network_receive_megabytes", "system/network_transmit_megabytes"}
    assert 0 < values["system/system_memory_usage_percentage"] <= 100
    assert 0 <= values["system/cpu_utilization_percentage"] <= 100
    assert values["system/disk_available_megabytes"] >= 0


def test_names_are_mlflows() -> None:
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault):
        pass
    assert set(log.entries[0][0]) <= NAMES


def test_samples_go_on_and_steps_count_up() -> None:
    log = Log(enough=4)
    with SystemMetrics(log, interval_s=0.001, on_fault=log.fault, first_step=10):
        assert log.done.wait(30)
    steps = [step for _, step in log.entries]
    assert steps == list(range(10, 10 + len(steps))) and len(steps) >= 5


def test_several_samples_make_one_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    readings = itertools.count()
    monkeypatch.setattr(psutil, "virtual_memory", lambda: types.SimpleNamespace(used=next(readings) * 1e6, total=1e12))
    log = Log(enough=2)
    with SystemMetrics(log, interval_s=0.001, samples_before_logging=5, on_fault=log.fault):
        assert log.done.wait(30)
    used = [values["system/system_memory_usage_megabytes"] for values, _ in log.entries]
    assert used[:2] == [2.0, 7.0]
    assert len(used) - 1 == (next(readings) - 1) // 5


def test_the_node_is_part_of_the_name() -> None:
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault, node_id="node-1"):
        pass
    assert all(name.startswith("system/node-1/") for name in log.entries[0][0])


@pytest.mark.parametrize("error", [StateError("the run is over"), OSError("disk full")])
def test_a_fault_of_the_log_ends_sampling_and_is_told_once(error: Exception) -> None:
    log = Log(enough=99, error=error)
    metrics = SystemMetrics(log, interval_s=0.001, on_fault=log.fault)
    metrics.start()
    assert log.done.wait(30)
    metrics.stop()
    assert log.faults == [f"System metrics ended: {error}"]
    assert len(log.entries) == 1 and not metrics.running


def test_a_fault_of_psutil_ends_sampling_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise psutil.AccessDenied(1)

    monkeypatch.setattr(psutil, "virtual_memory", fail)
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault):
        pass
    assert log.entries == [] and len(log.faults) == 1


def test_a_machine_without_network_counters_has_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "net_io_counters", lambda: None)
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault):
        pass
    assert set(log.entries[0][0]) == {name for name in NAMES if "network" not in name} and log.faults == []


def test_start_and_stop_may_be_repeated() -> None:
    log = Log()
    metrics = SystemMetrics(log, interval_s=3600, on_fault=log.fault)
    metrics.stop()
    metrics.start()
    metrics.start()
    metrics.stop()
    metrics.stop()
    metrics.start()
    metrics.stop()
    assert [step for _, step in log.entries] == [0, 1]


def test_stop_from_within_the_log_does_not_wait_for_itself() -> None:
    done = threading.Event()
    holder: list[SystemMetrics] = []

    def log(values: dict[str, float], step: int) -> None:
        holder[0].stop()
        done.set()

    holder.append(SystemMetrics(log, interval_s=0.001, on_fault=print))
    holder[0].start()
    assert done.wait(30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_samples_nothing_and_can_stop() -> None:
    log = Log()
    metrics = SystemMetrics(log, interval_s=3600, on_fault=log.fault)
    metrics.start()
    child = os.fork()
    if child == 0:
        quiet = not metrics.running
        metrics.stop()
        os._exit(0 if quiet and not log.entries else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert metrics.running
    metrics.stop()
    assert len(log.entries) == 1


def test_without_psutil_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with pytest.raises(MissingPackageError, match=r"pip install 'runfolio\[system\]'"):
        SystemMetrics(lambda values, step: None, on_fault=print)


@pytest.mark.parametrize("bad", [{"interval_s": 0}, {"interval_s": float("nan")}, {"samples_before_logging": 0}])
def test_settings_that_are_not_positive_are_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="must be positive"):
        SystemMetrics(lambda values, step: None, on_fault=print, **bad)


class NVMLError(Exception):
    """Stands for the driver's own error class."""


class NVMLError_NotSupported(NVMLError):  # the driver library's name
    """What a reading that the card lacks raises."""


def driver(**changed: Any) -> types.ModuleType:
    """Make a stand-in for NVIDIA's library with two cards, since a test machine has none."""
    module = types.ModuleType("pynvml")
    module.__dict__.update(
        NVMLError=NVMLError,
        NVMLError_NotSupported=NVMLError_NotSupported,
        nvmlInit=lambda: None,
        nvmlShutdown=lambda: None,
        nvmlDeviceGetCount=lambda: 2,
        nvmlDeviceGetHandleByIndex=lambda at: at,
        nvmlDeviceGetMemoryInfo=lambda device: types.SimpleNamespace(used=2e9, total=8e9),
        nvmlDeviceGetUtilizationRates=lambda device: types.SimpleNamespace(gpu=40 + device),
        nvmlDeviceGetPowerUsage=lambda device: 150_000,
        nvmlDeviceGetEnforcedPowerLimit=lambda device: 300_000,
    )
    module.__dict__.update(changed)
    return module


def failing(error: Exception) -> Any:
    def fail(*arguments: object) -> None:
        raise error

    return fail


def test_gpus_have_mlflows_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver())
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault):
        pass
    gpu = {name: value for name, value in log.entries[0][0].items() if "gpu_1" in name}
    assert gpu == {
        "system/gpu_1_memory_usage_percentage": 25.0,
        "system/gpu_1_memory_usage_megabytes": 2000.0,
        "system/gpu_1_utilization_percentage": 41.0,
        "system/gpu_1_power_usage_watts": 150.0,
        "system/gpu_1_power_usage_percentage": 50.0,
    }


def test_a_reading_that_a_card_lacks_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    unsupported = failing(NVMLError_NotSupported("no"))
    monkeypatch.setitem(sys.modules, "pynvml", driver(nvmlDeviceGetPowerUsage=unsupported))
    gpus = Gpus.find()
    assert gpus is not None
    assert sorted(name for name in gpus.sample() if "gpu_0" in name) == [
        "gpu_0_memory_usage_megabytes",
        "gpu_0_memory_usage_percentage",
        "gpu_0_utilization_percentage",
    ]


def test_a_lost_driver_is_told_and_the_other_metrics_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(nvmlDeviceGetMemoryInfo=failing(NVMLError("lost"))))
    log = Log()
    with SystemMetrics(log, interval_s=3600, on_fault=log.fault):
        pass
    assert log.faults == ["GPU metrics ended: lost"]
    assert "system/cpu_utilization_percentage" in log.entries[0][0]


def test_a_machine_without_a_driver_has_no_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", driver(nvmlInit=failing(NVMLError("no driver"))))
    assert Gpus.find() is None
