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
from runfolio.errors import UsageError
from runfolio.models import Model
from tests.flavors.exchanged import PYTHON, ROWS, Row, plain

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
        save_python(place / "ours")
        folder = place / version
        folder.mkdir()
        (folder / "ours").symlink_to(place / "ours")
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join((os.environ[VERSIONS[version]], str(HERE), str(Path(runfolio.__file__).parents[1]))),
            "MLFLOW_TRACKING_URI": "file:./mlruns",
            "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "true",
            "PYTHONWARNINGS": "ignore",
        }
        names = [row.name for row in rows]
        done = subprocess.run(
            [sys.executable, "-m", "tests.flavors.exchange_there", *names],
            cwd=folder, env=env, capture_output=True, text=True, timeout=1500, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        assert found["version"].startswith(version)
        return found

    return ask


SCRIPT = """
import runfolio

class Greeting(runfolio.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [context.model_config["word"] + each for each in model_input]

runfolio.models.set_model(Greeting())
"""


def save_python(folder: Path) -> None:
    if (folder / "script").is_dir():
        return

    class Shouting(runfolio.pyfunc.PythonModel):
        def predict(self, model_input: list[str]) -> list[str]:  # type: ignore[override] # as people write it
            return [each.upper() for each in model_input]

    def tripled(model_input: list[int]) -> list[int]:
        return [each * 3 for each in model_input]

    runfolio.pyfunc.save_model(folder / "hinted-class", python_model=Shouting())
    runfolio.pyfunc.save_model(folder / "hinted-function", python_model=tripled)
    (folder / "greeting.py").write_text(SCRIPT)
    runfolio.pyfunc.save_model(folder / "script", python_model=folder / "greeting.py", model_config={"word": "hi "})


def needs_mlflow(version: str) -> None:
    if not Path(os.environ.get(VERSIONS[version]) or "-", "mlflow").is_dir():
        pytest.skip(f"{VERSIONS[version]} names no folder with MLflow in it")


def one_of(row: Row, version: str, told: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    needs_mlflow(version)
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


@pytest.mark.parametrize("version", VERSIONS)
def test_ours_of_plain_python_say_the_same_in_mlflow(version: str, place: Path, told: Any) -> None:
    needs_mlflow(version)
    found = told(version)["python"]
    assert "fault" not in found, found["fault"]
    assert {name: found[name] for name in PYTHON} == {"hinted-class": ["A", "B"], "hinted-function": [3, 6], "script": ["hi c"]}
    for name in ("hinted-class", "hinted-function"):
        assert "type hint" in found[f"{name} refused"]
        assert runfolio.pyfunc.load_model(place / "ours" / name).predict(PYTHON[name]) == found[name]


@pytest.mark.parametrize("version", VERSIONS)
def test_theirs_of_plain_python_hold_data_against_type_hints_here(version: str, place: Path, told: Any) -> None:
    needs_mlflow(version)
    signatures = told(version)["python"]["signatures"]
    models = [runfolio.pyfunc.load_model(place / version / "theirs" / name, trust=True) for name in ("class", "function")]
    assert [each.metadata.signature.to_dict() for each in models] == signatures  # type: ignore[union-attr]
    assert models[0].predict([1, 2]) == [2, 4]
    assert models[1].predict([{"a": 1.0, "b": 2.0}]) == [3.0]
    for model, wrong in zip(models, (["x"], [{"a": "x"}]), strict=True):
        with pytest.raises(UsageError, match="type hint"):
            model.predict(wrong)


@pytest.mark.parametrize("version", VERSIONS)
def test_requirements_are_those_that_mlflow_infers_but_for_what_is_optional(version: str, saved: Any, told: Any) -> None:
    row = next(each for each in ROWS if each.name == "sklearn")
    one_of(row, version, told)
    [inferred] = told(version)["python"]["needs"]
    ours = (saved(row) / "requirements.txt").read_text().splitlines()
    assert set(inferred) & set(ours) == {each for each in ours if each.startswith("scikit-learn==")}
    # MLflow lists what is imported when it loads the model in a process of its own, and leaves out what others of the list bring.
    assert {each.partition("==")[0] for each in set(inferred) - set(ours)} <= {
        "mlflow",
        "mlflow-skinny",
        "pandas",
        "psutil",
        "rich",
    }
