"""One story of 26 steps, through MLflow 2.22 and through runfolio: what differs is listed here, and nothing else does.

``mlflow-2.22.json`` is what MLflow itself gave, made by ``python tests/tracking/journey.py mlflow`` with MLflow 2.22.0 on SQLite. With
``RUNFOLIO_MLFLOW_PYTHON`` naming a Python that has MLflow, the story is run through it again and compared with the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.tracking.telling import told

HERE = Path(__file__).parent
DIFFERENCES = {
    "runs_nest": "an active run is refused with an error code; a wrong parent is INVALID_PARAMETER_VALUE",
    "batches_are_all_or_nothing": "a key that ends with a line end is refused (MLflow's pattern lets it pass)",
    "metric_values_are_numbers": "what is no number is INVALID_PARAMETER_VALUE, not an error of Python's",
    "runs_are_deleted_and_restored": "a deleted run or parent is INVALID_PARAMETER_VALUE, not INTERNAL_ERROR",
    "experiments_are_deleted_and_restored": "error codes of rename and of a name that is taken",
    "updates_of_runs": "an unknown status is INVALID_PARAMETER_VALUE",
    "runs_are_found_by_filters": "NaN is not greater than a number (SQL stores it as 0); IN works on every text attribute",
    "frames_have_the_same_columns": "pandas 3 has a text type of its own; an unknown format is refused with an error code",
    "experiments_are_searched": "experiment_id can be searched",
    "files_are_logged_and_listed": "a bad path is INVALID_PARAMETER_VALUE, not INTERNAL_ERROR",
    "datasets_are_logged": "digests are made of all values, by our own rule",
}


def story(python: str, module: str, folder: Path) -> dict[str, Any]:
    """Run the story in a folder and return what each step gave."""
    return told(HERE / "journey.py", python, module, folder)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("story")
    subprocess.run([sys.executable, "-m", "runfolio", "init"], cwd=folder, check=True, capture_output=True)
    return story(sys.executable, "runfolio", folder)


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "mlflow-2.22.json").read_text("utf-8"))
    return found


def test_the_story_is_told_whole(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(theirs)


def test_steps_give_what_mlflow_gives(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    differ = {name: (theirs[name], ours[name]) for name in theirs if theirs[name] != ours[name] and name not in DIFFERENCES}
    assert not differ


def test_no_step_ends_in_an_error_of_ours(ours: dict[str, Any]) -> None:
    assert not {name: value for name, value in ours.items() if isinstance(value, str) and "Error" in value}


def test_differences_are_only_those_that_are_meant(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    searched = dict(theirs["runs_are_found_by_filters"])
    searched.update({"metrics.m > -1e1": ["d", "a", "e"], "status IN ('FAILED')": ["e"]})
    assert ours["runs_are_found_by_filters"] == searched
    assert ours["runs_nest"] == ["INVALID_STATE", True, "INVALID_PARAMETER_VALUE", *theirs["runs_nest"][3:]]
    codes, values = theirs["metric_values_are_numbers"]
    assert ours["metric_values_are_numbers"] == [codes | dict.fromkeys(("huge", "list"), "INVALID_PARAMETER_VALUE"), values]
    deleted = theirs["runs_are_deleted_and_restored"] | {"resume": "INVALID_PARAMETER_VALUE", "parent": "INVALID_PARAMETER_VALUE"}
    assert ours["runs_are_deleted_and_restored"] == deleted


def test_the_file_is_what_mlflow_gives(theirs: dict[str, Any], tmp_path: Path) -> None:
    python = os.environ.get("RUNFOLIO_MLFLOW_PYTHON")
    if not python:
        pytest.skip("RUNFOLIO_MLFLOW_PYTHON names no Python with MLflow 2.22: the file is not compared with MLflow itself")
    assert story(python, "mlflow", tmp_path) == theirs
