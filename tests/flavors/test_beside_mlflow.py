"""Model folders exchanged with MLflow 2.22 itself, which runs in processes of its own.

``.ci/test`` puts ``mlflow-skinny`` into a folder that only these processes see, and names it in ``RUNFOLIO_MLFLOW``:
``pip install --target FOLDER mlflow-skinny==2.22.0 fastapi==0.115.12``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.models import Model, infer_signature

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it"),
]
sklearn = pytest.importorskip("sklearn")
pandas = pytest.importorskip("pandas")
from sklearn.datasets import load_wine  # noqa: E402
from sklearn.ensemble import RandomForestClassifier  # noqa: E402

HEAD = """
import json, warnings
warnings.simplefilter("ignore")
import mlflow, mlflow.sklearn, pandas
assert mlflow.__version__.startswith("2.22")
frame, wanted = pandas.read_pickle("frame.pkl"), json.load(open("wanted.json"))
"""
LOAD = """
model = mlflow.pyfunc.load_model("ours")
assert model.predict(frame).tolist() == wanted
assert mlflow.sklearn.load_model("ours").predict(frame).tolist() == wanted
assert model.metadata.load_input_example("ours").equals(frame.head(2))
info = mlflow.models.get_model_info("ours")
try:
    model.predict(frame.drop(columns="alcohol"))
except mlflow.exceptions.MlflowException as error:
    assert "alcohol" in str(error)
else:
    raise AssertionError("the signature was not enforced")
print(json.dumps([info.signature.to_dict(), sorted(info.flavors), info.model_uuid]))
"""
SAVE = """
from sklearn.ensemble import RandomForestClassifier
forest = RandomForestClassifier(5, random_state=0).fit(frame, wanted)
signature = mlflow.models.infer_signature(frame, forest.predict(frame), params={"times": 1})
mlflow.sklearn.save_model(forest, "theirs", signature=signature, input_example=frame.head(2), pip_requirements=["scikit-learn"])

class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return model_input["n"] * 2

mlflow.pyfunc.save_model("class", python_model=Doubled(), pip_requirements=["pandas"])
print(json.dumps(signature.to_dict()))
"""


@pytest.fixture
def wine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Any, Any]:
    """The data, a forest, and what it says of the data; the folder at hand holds what MLflow's process needs."""
    monkeypatch.chdir(tmp_path)
    frame, target = load_wine(return_X_y=True, as_frame=True)
    forest = RandomForestClassifier(5, random_state=0).fit(frame, target)
    said = forest.predict(frame).tolist()
    frame.to_pickle("frame.pkl")
    Path("wanted.json").write_text(json.dumps(said))
    return frame, forest, said


def mlflow(code: str) -> Any:
    """Run code in a process that has MLflow; returns what it printed last."""
    path = os.pathsep.join((MLFLOW, str(Path(runfolio.__file__).parents[1])))
    env = {**os.environ, "PYTHONPATH": path, "MLFLOW_TRACKING_URI": "file:./mlruns"}
    done = subprocess.run([sys.executable, "-c", HEAD + code], env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_ours_load_in_mlflow_with_signature_and_example(wine: tuple[Any, Any, Any]) -> None:
    frame, forest, _ = wine
    made = runfolio.sklearn.save_model(
        forest, "ours", signature=infer_signature(frame, forest.predict(frame)), input_example=frame.head(2)
    )
    signature, flavors, uuid = mlflow(LOAD)
    assert (signature, flavors, uuid) == (made.signature.to_dict(), ["python_function", "sklearn"], made.model_uuid)


def test_a_class_and_a_function_of_ours_load_in_mlflow(wine: tuple[Any, Any, Any]) -> None:
    class Doubled(runfolio.pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
            return model_input["n"] * 2

    runfolio.pyfunc.save_model("class", python_model=Doubled(), input_example=pandas.DataFrame({"n": [1, 2]}))
    runfolio.pyfunc.save_model("function", python_model=lambda model_input: [each * 3 for each in model_input["n"]])
    call = "mlflow.pyfunc.load_model({!r}).predict(pandas.DataFrame({{'n': [3, 4]}}))"
    assert mlflow(f"print(json.dumps([list(map(int, {call.format('class')})), list(map(int, {call.format('function')}))]))") == [
        [6, 8],
        [9, 12],
    ]


def test_theirs_load_here_with_signature_and_example(wine: tuple[Any, Any, Any]) -> None:
    frame, _, said = wine
    signature = mlflow(SAVE)
    loaded = runfolio.pyfunc.load_model("./theirs", trust=True)
    assert loaded.predict(frame).tolist() == said
    assert runfolio.sklearn.load_model("./theirs", trust=True).predict(frame).tolist() == said
    assert Model.load("./theirs").signature.to_dict() == signature
    assert runfolio.pyfunc.load_model("./class", trust=True).predict(pandas.DataFrame({"n": [3]})).tolist() == [6]
