"""A sweep on a real local Ray: killed workers lose and double nothing."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.errors import UsageError
from runfolio.records import Run
from runfolio.records import sweeps as tags
from runfolio.sweeps.engines.ray import ray_engine

pytest.importorskip("optuna", reason="NOT TESTED: the package optuna is not installed")
HAS_RAY = importlib.util.find_spec("ray") is not None
Read = Callable[[str], list[Run]]

SEARCH = """
import json, sys
import runfolio

config = json.loads(sys.argv[1])
found = runfolio.sweep(
    "tests.sweeps.engines.train:square", {"x": {"type": "float", "low": -1, "high": 1}}, seed=3, sampler="random", engine="ray", n_jobs=2,
    attempts=2, trials=config.pop("trials"), engine_config=config,
)
print(json.dumps([found.run_id, found.best_value]))
"""


@pytest.mark.xdist_group("ray")
@pytest.mark.frameworks
@pytest.mark.slow
@pytest.mark.skipif(not HAS_RAY, reason="NOT TESTED: the package ray is not installed")
def test_a_trial_whose_worker_is_killed_is_started_again_and_one_that_kills_every_worker_has_failed(
    folio_dir: Path, calls: Path, trials: Read, tmp_path: Path
) -> None:
    (tmp_path / "search.py").write_text(SEARCH)
    (calls / "kill-2").touch()  # the worker dies once: Ray starts the task again
    (calls / "always-4").touch()  # the workers die at each try: lost, begun again under another run id, failed
    # Ray keeps a token in the home folder.
    done = subprocess.run(
        [sys.executable, str(tmp_path / "search.py"), json.dumps({"retries": 1, "trials": 6})],
        cwd=folio_dir,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    sweep, best = json.loads(done.stdout.splitlines()[-1])
    runs = trials(sweep)
    assert [tags.trial_number(run) for run in runs] == list(range(6))
    assert [run.status.value for run in runs] == [*["FINISHED"] * 4, "FAILED", "FINISHED"]
    assert "the workers of Ray that were at it died" in runs[4].tags[tags.FAULT_TAG]
    assert min(run.metrics["value"].last for run in runs if "value" in run.metrics) == best
    assert len((calls / "0002").read_text().split()) == 2 and len((calls / "0004").read_text().split()) == 4
    assert len((calls / "0000").read_text().split()) == 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"cpus": "many"}, "cpus: a number from 0 is expected, found 'many'"),
        ({"retries": -1}, "retries: a whole number from 0"),
        ({"gpu": 1}, "no such key 'gpu'; did you mean 'gpus'?"),
    ],
)
def test_settings_that_cannot_be_read_are_named(config: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        ray_engine(config=config)
    assert said in caught.value.message
