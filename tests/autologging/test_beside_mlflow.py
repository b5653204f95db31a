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
    # Of the frameworks, about themselves and each other: Lightning about loaders without workers, TensorFlow about numpy 2.
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"),
    pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it"),
]

TIMES = {
    "mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time",
    *(f"{part}_{name}" for part in ("train", "eval") for name in ("runtime", "samples_per_second", "steps_per_second")),
}  # fmt: skip
"""Metrics that no two trainings share; that both have them is compared."""

ONLY_OURS = {
    "xgboost_train": {"metrics": {"best_score"}},
    "lightgbm_train": {"metrics": {"best_score"}},
    "statsmodels_ols": {"inputs": {"train dataset"}},
    "statsmodels_logit": {"inputs": {"train dataset"}},
    "tensorflow_stops_early": {"artifacts": {"checkpoints/latest_checkpoint.keras"}},
    "transformers_trainer": {"tags": {"mlflow.autologging"}},
}
"""What MLflow does not log and we do: the score that early stopping went by, and what a statistical model was fitted to. Checkpoints of
Keras are in its own format, since Keras 3 loses losses and metrics in the older one. Transformers' own callback is not autologging."""

_BOARD = "tensorboard_logs/{}/events.out"
ONLY_THEIRS: dict[str, dict[str, set[str]]] = {
    "statsmodels_ols": {"params": {"kwargs"}},
    "statsmodels_logit": {"params": {"kwargs"}},
    "tensorflow_stops_early": {
        "artifacts": {"checkpoints/latest_checkpoint.h5", _BOARD.format("train"), _BOARD.format("validation")}
    },
    "tensorflow_dataset": {"artifacts": {_BOARD.format("train")}},
    "tensorflow_by_steps": {"artifacts": {_BOARD.format("train")}},
}
"""What MLflow logs and we do not: "kwargs" with the value "<class 'inspect._empty'>" says nothing about a training. A callback of
TensorBoard that nobody asked for costs time, and its files say the metrics of the run once more; those of a user's own are kept."""

DIFFERENT = {"transformers_trainer": {"params": {"report_to"}}}
"""Transformers' callback for MLflow is asked for by an argument of the training, which is a param."""

FRAMEWORKS = {"sklearn": "sklearn", "xgboost": "xgboost", "lightgbm": "lightgbm", "statsmodels": "statsmodels", "pytorch": "lightning",
    "tensorflow": "tensorflow", "transformers": "accelerate"}  # fmt: skip
# Digests of datasets are not compared: MLflow's is eight digits of the first rows, ours of the content (docs/format.md).
# Of files their names are: pictures are drawn anew, and estimator.html numbers its elements.


@pytest.mark.parametrize("framework", trainings.CASES)
def test_same_trainings_log_the_same(framework: str, folio: Path) -> None:
    package = pytest.importorskip(FRAMEWORKS[framework])
    theirs = _by_mlflow(framework)
    if framework == "tensorflow":
        package.keras.backend.clear_session()  # Keras counts the optimizers of a process: sgd, sgd_1 …
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
            f"{part}: {key}: {one[key]!r}, MLflow {other[key]!r}"
            for key in one.keys() & other.keys()
            if one[key] != other[key] and key not in DIFFERENT.get(name, {}).get(part, set())
        ]
    return made


def _comparable(part: str, said: Any) -> dict[str, Any]:
    if part == "metrics":
        # MLflow writes batches of points from threads, in any order.
        return {key: "a time" if key in TIMES else sorted(points) for key, points in said.items()}
    if part == "tags":
        return {key: value for key, value in said.items() if not key.startswith("mlflow.") or key == "mlflow.autologging"}
    if part == "artifacts":
        return {path.partition(".tfevents.")[0]: True for path in said}  # the rest of that name is time and machine
    if part == "inputs":
        return {f"{each['context']} {each['name']}": each for each in said}
    return dict(said) if isinstance(said, dict) else {part: said}
