"""Models of every framework exchanged with MLflow itself, 2.22 and the newest: one process each, for all of them, both ways.

``.ci/test`` puts each into a folder that only these processes see, and names them in ``RUNFOLIO_MLFLOW`` and ``RUNFOLIO_MLFLOW3``:
``pip install --target FOLDER mlflow-skinny==2.22.0 fastapi==0.115.12``, ``pip install --target FOLDER mlflow-skinny==3.17.2``.
The frameworks are in the table of :mod:`tests.flavors.exchanged`.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.models import Model
from tests.flavors.exchanged import ROWS, Row, plain

HERE = Path(__file__).parents[2]
VERSIONS = {"2.22": "RUNFOLIO_MLFLOW", "3.": "RUNFOLIO_MLFLOW3"}
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.xdist_group("exchange"),  # what a process tells is for all tests here
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),  # of the frameworks, which are not ours to mend
    pytest.mark.filterwarnings("ignore:.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*:PendingDeprecationWarning"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exchange")


@pytest.fixture(scope="module")
def saved(place: Path) -> Callable[[Row], Path]:
    """Return the folder of ours of a row, and save it first."""

    @cache
    def save(name: str) -> Path:
        row = next(each for each in ROWS if each.name == name)
        model, data = row.train()
        folder = place / "ours" / name
        folder.parent.mkdir(exist_ok=True)
        getattr(runfolio, row.flavor).save_model(model, folder, **row.saving(data))
        return folder

    return lambda row: save(row.name)


@pytest.fixture(scope="module")
def told(place: Path, saved: Callable[[Row], Path]) -> Callable[[str], dict[str, Any]]:
    """Return what a version of MLflow told."""

    @cache
    def ask(version: str) -> dict[str, Any]:
        rows = [row for row in ROWS if not row.missing()]
        for row in rows:
            saved(row)
        folder = place / version
        folder.mkdir()
        (folder / "ours").symlink_to(place / "ours")
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((os.environ[VERSIONS[version]], str(HERE))),
            "MLFLOW_TRACKING_URI": "file:./mlruns",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
            "PYTHONWARNINGS": "ignore",
        }
        names = [row.name for row in rows]
        done = subprocess.run(
            [sys.executable, "-m", "tests.flavors.exchange_there", *names],
            cwd=folder, env=env, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["version"].startswith(version)
        return found

    return ask


def one_of(row: Row, version: str, told: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    if not Path(os.environ.get(VERSIONS[version]) or "-", "mlflow").is_dir():
        pytest.skip(f"{VERSIONS[version]} names no folder with MLflow in it")
    if row.missing():
        pytest.skip(f"not installed: {', '.join(row.missing())}")
    found: dict[str, Any] = told(version)[row.name]
    assert "fault" not in found, found["fault"]
    return found


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_ours_says_the_same_in_mlflow(row: Row, version: str, saved: Any, told: Any) -> None:
    found = one_of(row, version, told)["ours"]
    folder = saved(row)
    data = row.train()[1]
    loaded = runfolio.pyfunc.load_model(folder)
    assert found["pyfunc"] == plain(loaded.predict(data))
    assert found["native"] == plain(row.said(getattr(runfolio, row.flavor).load_model(folder), data))
    model = Model.load(folder)
    assert found["signature"] == (model.signature.to_dict() if model.signature else None)
    assert found["flavors"] == sorted(model.flavors) == sorted(["python_function", row.flavor])


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_theirs_says_the_same_here(row: Row, version: str, place: Path, told: Any) -> None:
    found = one_of(row, version, told)["theirs"]
    folder = place / version / "theirs" / row.name
    data = row.train()[1]
    loaded = runfolio.pyfunc.load_model(folder, trust=True)
    assert plain(loaded.predict(data)) == found["pyfunc"]
    native = importlib.import_module(f"runfolio.{row.flavor}").load_model(folder, trust=True)
    assert plain(row.said(native, data)) == found["native"]
    assert (loaded.metadata.signature.to_dict() if loaded.metadata.signature else None) == found["signature"]
