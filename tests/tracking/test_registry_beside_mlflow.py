"""The registry's rules, through MLflow 2.22 and through runfolio: what differs is listed here with its reason, and nothing else does.

``mlflow-registry-2.22.json`` is what MLflow itself gave, made by ``python tests/tracking/registry_journey.py mlflow`` with MLflow 2.22.0 on
SQLite. With ``RUNFOLIO_MLFLOW_PYTHON`` naming a Python that has MLflow, the story is run through it again and compared with the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.tracking.telling import told

HERE = Path(__file__).parent
PATHS = (
    "a name is a folder's: no '/' or ':' (MLflow 3's rule), no '\\', no line end, not '.', '..' or blank; at most 250 characters"
)
LONG = "tags of 100,000 characters are taken, as in MLflow 3"
CODED = "an unhandled error there, a named one here"
MORE = "more can be asked here"
REFUSED_MODEL = "the model a/b, which is refused here, is not found"
DIFFERENCES = {
    **dict.fromkeys(
        [
            f"names_of_models/{name}"
            for name in (" 1", "xxxx256", "xxxx257", ".1", "..2", "a\\b3", "a/b3", "a:b3", "a\nb3", "number")
        ],
        PATHS,
    ),
    "register_model_makes_both/bad name": PATHS,
    "descriptions_and_names/slash": PATHS,
    "tags_of_models/tags/longer": LONG,
    "tags_of_models/value of 5001": LONG,
    "tags_of_versions/value of 5001": LONG,
    "versions_are_copied/copied/tags/longer": LONG,
    "versions_are_numbered/negative": "versions count from 1: it is no number of one",
    "versions_are_numbered/zero": "versions count from 1: it is no number of one",
    "tags_of_versions/by stage of none": CODED,
    "stages/0/empty": CODED,
    "stages/0/archive with archived": CODED,
    "stages/0/archive with none": CODED,
    "descriptions_and_names/empty": CODED,
    "versions_are_copied/of a run": CODED,
    "versions_are_copied/unknown": CODED,
    "aliases/of nothing": "the model is not there, which is said first",
    "a_version_in_production_is_deleted/alias": "an alias goes with its version; there it stays and points at nothing",
    "a_version_in_production_is_deleted/aliases": "an alias goes with its version; there it stays and points at nothing",
    "models_are_searched/orders/creation_timestamp": MORE,
    "models_are_searched/orders/tags.team": MORE,
    "models_are_searched/filters/NAME = 'wine'": MORE,
    "models_are_searched/filters/name IN ('wine')": MORE,
    "versions_are_searched/orders/run_id": MORE,
    "versions_are_searched/orders/tags.k": MORE,
    "versions_are_searched/filters/current_stage = 'Production'": MORE,
    "versions_are_searched/filters/name IN ('wine')": MORE,
    "models_are_searched/limits/0": "no page has less than one entry",
    "models_are_searched/limits/-1": "no page has less than one entry",
    "versions_are_searched/by runs": REFUSED_MODEL,
    "versions_are_searched/filters/": REFUSED_MODEL,
    "versions_are_searched/filters/name != 'wine'": REFUSED_MODEL,
    "versions_are_searched/filters/version_number = 1": REFUSED_MODEL,
    "versions_are_searched/filters/source_path LIKE 'runs%'": "register_model keeps the URI that was given, not a folder of the machine",
}


def story(python: str, module: str, folder: Path) -> dict[str, Any]:
    """Run the story in a folder and return what each step gave."""
    return told(HERE / "registry_journey.py", python, module, folder)


def differing(theirs: Any, ours: Any, place: str) -> Iterator[str]:
    """Yield the places where two answers differ, as far inside as their shapes are the same."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for key in {**theirs, **ours}:
            yield from differing(theirs.get(key), ours.get(key), f"{place}/{key}" if place else key)
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours) and any(map(_holds_more, theirs)):
        for index, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from differing(one, other, f"{place}/{index}")
    elif theirs != ours:
        yield place


def _holds_more(value: Any) -> bool:
    return isinstance(value, (dict, list))


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("story")
    subprocess.run([sys.executable, "-m", "runfolio", "init"], cwd=folder, check=True, capture_output=True)
    return story(sys.executable, "runfolio", folder)


@pytest.fixture(scope="module")
def theirs() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "mlflow-registry-2.22.json").read_text("utf-8"))
    return found


def test_no_step_of_either_ends_early(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert sorted(ours) == sorted(theirs)
    assert not [name for told in (ours, theirs) for name, value in told.items() if isinstance(value, str)]


def test_what_differs_is_what_is_meant_to(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    assert sorted(differing(theirs, ours, "")) == sorted(DIFFERENCES)


def test_the_file_is_what_mlflow_gives(theirs: dict[str, Any], tmp_path: Path) -> None:
    python = os.environ.get("RUNFOLIO_MLFLOW_PYTHON")
    if not python:
        pytest.skip("RUNFOLIO_MLFLOW_PYTHON names no Python with MLflow 2.22: the file is not compared with MLflow itself")
    assert story(python, "mlflow", tmp_path) == theirs
