"""A sweep and its workers are killed, and the disk fills up: each trial is there once in the end.

The whole loop: ``python -m tests.faults.sweep_loop --trials 1000 --kills 20``.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.faults.repositories import make_folio, python, runfolio, scaled
from tests.faults.sweep_loop import loop

pytest.importorskip("optuna", reason="NOT TESTED: optuna is not installed")

FULL_DISK = """
import resource, runfolio
if {limited}:
    resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, resource.RLIM_INFINITY))

def objective(x):
    for step in range(x * 40):
        runfolio.log_metric("loss", 1 / (step + 1), step=step)
    return x

found = runfolio.sweep(objective, {{"x": list(range(12))}}, name="full", sampler="grid", resume=True)
print(found.document["counts"])
"""


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_trial_is_there_once_after_kill_9(tmp_path: Path, jobs: int) -> None:
    outcome = loop(tmp_path / "folio", scaled(1000, 60), jobs, scaled(20, 3), seed=jobs)
    assert outcome.sweeps_killed > 0
    assert outcome.faults == []


def test_a_full_disk_stops_the_sweep_and_it_goes_on_when_there_is_room(tmp_path: Path) -> None:
    folder = make_folio(tmp_path / "folio")
    stopped = python(folder, FULL_DISK.format(limited=True))
    assert stopped.returncode != 0
    assert "Could not write to the run's journal" in stopped.stderr
    assert "free some space" in stopped.stderr
    shown = json.loads(runfolio(folder, "sweep", "--show", "full", "--json").stdout)
    assert 0 < shown["counts"]["complete"] < 12
    done = python(folder, FULL_DISK.format(limited=False))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.replace("'", '"'))["complete"] == 12
    runs = json.loads(runfolio(folder, "runs", "list", "--json", "--limit", "100").stdout)
    trials = [run for run in runs if run["name"].startswith("trial-")]
    assert sorted(run["params"]["x"] for run in trials if run["status"] == "FINISHED") == sorted(map(str, range(12)))
    assert [run["status"] for run in trials if run["status"] not in ("FINISHED", "KILLED")] == []
