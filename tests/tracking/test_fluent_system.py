"""System metrics as runs hold them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import runfolio
from tests.conftest import git

pytest.importorskip("psutil", reason="psutil is not installed: no system metrics are sampled")

CPU, MEMORY = "system/cpu_utilization_percentage", "system/system_memory_usage_percentage"


@pytest.fixture(autouse=True)
def _folio(folio_dir: Path) -> None:
    runfolio.set_tracking_uri(folio_dir)


def metrics_of(run_id: str) -> dict[str, float]:
    return dict(runfolio.get_run(run_id).data.metrics)


def steps_of(run_id: str, key: str) -> list[int]:
    return [point.step for point in runfolio.MlflowClient().get_metric_history(run_id, key)]


def test_a_run_that_asks_for_them_has_them() -> None:
    with runfolio.start_run(log_system_metrics=True) as run:
        pass
    held = metrics_of(run.info.run_id)
    assert {CPU, MEMORY} <= set(held)
    assert all(key.startswith("system/") for key in held)
    assert 0 < held[MEMORY] <= 100


def test_a_run_that_does_not_ask_has_none() -> None:
    with runfolio.start_run() as run:
        pass
    assert metrics_of(run.info.run_id) == {}


def test_the_process_chooses_for_all_runs_and_a_call_for_its_own() -> None:
    runfolio.enable_system_metrics_logging()
    with runfolio.start_run() as with_them, runfolio.start_run(nested=True, log_system_metrics=False) as without:
        pass
    runfolio.disable_system_metrics_logging()
    with runfolio.start_run() as later:
        pass
    assert CPU in metrics_of(with_them.info.run_id)
    assert metrics_of(without.info.run_id) == metrics_of(later.info.run_id) == {}


def test_the_folio_chooses_where_nobody_else_does(folio_dir: Path) -> None:
    with open(folio_dir / "runfolio.yaml", "a", encoding="utf-8") as file:
        file.write("\nsystem_metrics: {enabled: true, interval_s: 60}\n")
    git(folio_dir, "commit", "-qam", "system metrics")
    with runfolio.start_run() as run:
        pass
    assert steps_of(run.info.run_id, CPU) == [0]


def test_a_resumed_run_counts_on() -> None:
    with runfolio.start_run(log_system_metrics=True) as run:
        pass
    for _ in range(2):
        with runfolio.start_run(run_id=run.info.run_id, log_system_metrics=True):
            pass
    assert steps_of(run.info.run_id, CPU) == [0, 1, 2]


def test_the_node_is_part_of_the_names() -> None:
    runfolio.set_system_metrics_node_id("gpu-7")
    with runfolio.start_run(log_system_metrics=True) as run:
        pass
    assert "system/gpu-7/cpu_utilization_percentage" in metrics_of(run.info.run_id)


def test_interval_and_samples_are_those_of_the_process() -> None:
    from runfolio.tracking.fluent import active_run

    runfolio.set_system_metrics_sampling_interval(120)
    runfolio.set_system_metrics_samples_before_logging(5)
    with runfolio.start_run(log_system_metrics=True):
        active = active_run()
        assert active is not None
        assert (active._sampler._interval_s, active._sampler._samples) == (120, 5)


@pytest.mark.parametrize("bad", [0, -1, float("nan")])
def test_an_interval_that_is_not_positive_is_refused(bad: float) -> None:
    with pytest.raises(runfolio.MlflowException, match="must be positive"):
        runfolio.set_system_metrics_sampling_interval(bad)


def test_fewer_than_one_sample_is_refused() -> None:
    with pytest.raises(runfolio.MlflowException, match="at least one"):
        runfolio.set_system_metrics_samples_before_logging(0)


def test_a_run_goes_on_where_psutil_is_missing(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "psutil", None)
    with runfolio.start_run(log_system_metrics=True) as run:
        runfolio.log_metric("m", 1)
    assert metrics_of(run.info.run_id) == {"m": 1.0}
    assert "pip install 'runfolio[system]'" in capsys.readouterr().err


def test_a_script_that_ends_within_its_run_has_them_too(folio_dir: Path) -> None:
    code = "import runfolio; runfolio.start_run(log_system_metrics=True); runfolio.log_metric('m', 1)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folio_dir, capture_output=True, text=True, check=False, env=os.environ
    )
    assert (done.returncode, done.stderr) == (0, "")
    [run] = runfolio.search_runs(output_format="list")
    assert {CPU, "m"} <= set(run.data.metrics)
    assert run.info.status == "FINISHED"
