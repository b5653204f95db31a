"""The same trainings logged by MLflow 2.22 and by us, compared key by key; each difference stands here with its reason.

MLflow runs in a process of its own, one a framework; see :mod:`tests.flavors.test_beside_mlflow` for how it gets there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runfolio
from tests.autologging import trainings

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.slow,
    pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it"),
]

TIMES = {"mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time"}
"""Metrics of a search that no two runs share; that both have them is compared."""

ONLY_OURS = {
    "xgboost_train": {"metrics": {"best_score"}},
    "lightgbm_train": {"metrics": {"best_score"}},
    "statsmodels_ols": {"inputs": {"train dataset"}},
    "statsmodels_logit": {"inputs": {"train dataset"}},
}
"""What MLflow does not log and we do: the score that early stopping went by, and what a statistical model was fitted to."""

ONLY_THEIRS = {
    "statsmodels_ols": {"params": {"kwargs"}},
    "statsmodels_logit": {"params": {"kwargs"}},
}
"""What MLflow logs and we do not: "kwargs" with the value "<class 'inspect._empty'>" says nothing about a training."""

FRAMEWORKS = {"sklearn": "sklearn", "xgboost": "xgboost", "lightgbm": "lightgbm", "statsmodels": "statsmodels"}
# Digests of datasets are not compared: MLflow's is eight digits of the first rows, ours of the content (docs/format.md).
# Of files their names are: pictures are drawn anew, and estimator.html numbers its elements.


@pytest.mark.parametrize("framework", trainings.CASES)
def test_same_trainings_log_the_same(framework: str, folio: Path) -> None:
    pytest.importorskip(FRAMEWORKS[framework])
    theirs = _by_mlflow(framework)
    found = [line for case in trainings.CASES[framework] for line in _compared(case, theirs[case.__name__])]
    assert found == []


def _by_mlflow(framework: str) -> dict[str, list[dict[str, Any]]]:
    env = {**os.environ, "PYTHONPATH": MLFLOW, "MLFLOW_TRACKING_URI": "file:./mlruns"}
    command = [sys.executable, trainings.__file__, framework]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    made: dict[str, list[dict[str, Any]]] = json.loads(done.stdout.splitlines()[-1])
    return made


def _compared(case: Callable[[Any], None], theirs: list[dict[str, Any]]) -> list[str]:
    name = case.__name__
    ours = trainings.logged_by(runfolio, case)
    runfolio.autolog(disable=True)
    if len(ours) != len(theirs):
        return [f"{name}: {len(ours)} runs of ours, {len(theirs)} of MLflow's"]
    return [f"{name}: {line}" for one, other in zip(ours, theirs, strict=True) for line in _differences(name, one, other)]


def _differences(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    made = []
    for part in ("params", "metrics", "tags", "artifacts", "inputs", "status"):
        one, other = _comparable(part, ours[part]), _comparable(part, theirs[part])
        for key in sorted(one.keys() - other.keys() - ONLY_OURS.get(name, {}).get(part, set())):
            made.append(f"{part}: {key} = {one[key]!r} is ours only")
        for key in sorted(other.keys() - one.keys() - ONLY_THEIRS.get(name, {}).get(part, set())):
            made.append(f"{part}: {key} = {other[key]!r} is MLflow's only")
        made += [
            f"{part}: {key}: {one[key]!r}, MLflow {other[key]!r}" for key in one.keys() & other.keys() if one[key] != other[key]
        ]
    return made


def _comparable(part: str, said: Any) -> dict[str, Any]:
    if part == "metrics":
        # MLflow writes batches of points from threads, in any order.
        return {key: "a time" if key in TIMES else sorted(points) for key, points in said.items()}
    if part == "tags":
        return {key: value for key, value in said.items() if not key.startswith("mlflow.") or key == "mlflow.autologging"}
    if part == "artifacts":
        return dict.fromkeys(said, True)
    if part == "inputs":
        return {f"{each['context']} {each['name']}": each for each in said}
    return dict(said) if isinstance(said, dict) else {part: said}
