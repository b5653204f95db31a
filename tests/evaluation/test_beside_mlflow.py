"""The default metrics beside those of MLflow 2.22's own default evaluator, which computes in a process of its own.

Where ours differ, :data:`DIFFERENT` says which and why, and that they do is tested, too. See also docs/how-to/evaluate.md.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.models import EvaluationResult, make_metric

MLFLOW = os.environ.get("RUNFOLIO_MLFLOW", "")
pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(not Path(MLFLOW or "-", "mlflow").is_dir(), reason="RUNFOLIO_MLFLOW names no folder with MLflow in it"),
]
pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")

CASES: dict[str, dict[str, Any]] = {
    "binary": {"data": "cancer", "model": "cancer", "type": "classifier"},
    "binary, text labels": {"data": "named", "model": "named", "type": "classifier"},
    "binary, weights": {"data": "cancer", "model": "cancer", "type": "classifier", "weights": True},
    "binary, the other label positive": {"data": "cancer", "model": "cancer", "type": "classifier", "config": {"pos_label": 0}},
    "binary, prefix": {"data": "cancer", "model": "cancer", "type": "classifier", "config": {"metric_prefix": "val_"}},
    "multiclass": {"data": "wine", "model": "wine", "type": "classifier"},
    "multiclass, macro": {"data": "wine", "model": "wine", "type": "classifier", "config": {"average": "macro"}},
    "multiclass, micro": {"data": "wine", "model": "wine", "type": "classifier", "config": {"average": "micro"}},
    "multiclass, weights": {"data": "wine", "model": "wine", "type": "classifier", "weights": True},
    "without a model": {"data": "answered", "type": "classifier", "predictions": "answer"},
    "regression": {"data": "diabetes", "model": "diabetes", "type": "regressor"},
    "regression, weights": {"data": "diabetes", "model": "diabetes", "type": "regressor", "weights": True},
    # The task's own token_count needs the network in MLflow, which then evaluates nothing.
    "questions": {"data": "texts", "type": None, "predictions": "said", "extra": "exact_match"},
    "documents": {"data": "documents", "type": "retriever", "predictions": "said", "config": {"retriever_k": 2}},
    "own metric": {"data": "diabetes", "model": "diabetes", "type": "regressor", "extra": "twice"},
}
DIFFERENT = {
    # MLflow takes the probability of the last class for the first one's; and its counts stay those of the greater label.
    "binary, the other label positive": {
        "true_negatives", "true_positives", "false_negatives", "false_positives", "precision_recall_auc",
    },
}  # fmt: skip
THEIRS = """
import json, pickle, sys, warnings
warnings.simplefilter("ignore")
import mlflow, numpy, pandas
from mlflow.models import make_metric
assert mlflow.__version__.startswith("2.22")
mlflow.set_tracking_uri("file:" + sys.argv[1] + "/mlruns")
cases, told = json.load(open("cases.json")), {}
def twice(predictions, targets):
    return float(numpy.abs(predictions - targets).mean() * 2)
for name, case in cases.items():
    data = pandas.read_pickle(case["data"] + ".pkl")
    config = dict(case.get("config", {}))
    if case.get("weights"):
        config["sample_weights"] = numpy.linspace(1, 2, len(data))
    own = {"twice": make_metric(eval_fn=twice, greater_is_better=False), "exact_match": mlflow.metrics.exact_match()}
    metrics = [own[case["extra"]]] if "extra" in case else None
    with mlflow.start_run() as run:
        found = mlflow.evaluate(
            case.get("model") and case["model"] + "-model", data, targets="target", model_type=case["type"],
            predictions=case.get("predictions"), evaluators="default", evaluator_config=config, extra_metrics=metrics,
        )
    files = [item.path for item in mlflow.MlflowClient().list_artifacts(run.info.run_id)]
    told[name] = [{key: float(value) for key, value in found.metrics.items()}, files, sorted(found.artifacts)]
    found.save("saved " + name)
json.dump(told, open("told.json", "w"))
"""
LOADS = """
import sys, warnings
warnings.simplefilter("ignore")
from mlflow.models import EvaluationResult
found = EvaluationResult.load("ours")
print(len(found.metrics), sorted(found.artifacts), found.artifacts["confusion_matrix"].content.size[0] > 100)
"""


def mlflow(folder: Path, code: str, *args: str) -> str:
    path = os.pathsep.join([MLFLOW, os.environ.get("PYTHONPATH", "")]).strip(os.pathsep)
    env = {**os.environ, "PYTHONPATH": path, "HOME": str(folder), "MPLBACKEND": "Agg"}
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, models, and what MLflow said of them."""
    from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LinearRegression

    folder = tmp_path_factory.mktemp("mlflow")
    forest = RandomForestClassifier(5, max_depth=2, random_state=0)
    X, y = load_breast_cancer(as_frame=True, return_X_y=True)
    frames = {
        "cancer": X.iloc[:, :3].assign(target=y),
        "named": X.iloc[:, :3].assign(target=y.map({0: "no", 1: "yes"}).astype(object)),
    }
    X, y = load_wine(as_frame=True, return_X_y=True)
    frames["wine"] = X.iloc[:, :2].assign(target=y)
    X, y = load_diabetes(as_frame=True, return_X_y=True)
    frames["diabetes"] = X.assign(target=y)
    for name, frame in frames.items():
        X = frame.drop(columns="target")
        model = LinearRegression() if name == "diabetes" else forest
        runfolio.sklearn.save_model(model.fit(X, frame["target"]), folder / f"{name}-model")
    answers = numpy.where(
        numpy.arange(len(frames["cancer"])) % 5 == 0, 1 - frames["cancer"]["target"], frames["cancer"]["target"]
    )
    frames["answered"] = frames["cancer"].assign(answer=answers)
    frames["texts"] = pandas.DataFrame({"question": ["a", "b", "c"], "target": ["x y", "y", "z"], "said": ["x y", "n", "z"]})
    frames["documents"] = pandas.DataFrame(
        {
            "question": list("abcd"),
            "target": [["d1", "d2"], ["d3"], ["d1"], []],
            "said": [["d1", "d9", "d2"], ["d4", "d3"], ["d1", "d1"], []],
        }
    )
    for name, frame in frames.items():
        frame.to_pickle(folder / f"{name}.pkl")
    (folder / "cases.json").write_text(json.dumps(CASES))
    mlflow(folder, THEIRS, str(folder))
    return folder


def ours(place: Path, name: str) -> EvaluationResult:
    case = CASES[name]
    data = pandas.read_pickle(place / f"{case['data']}.pkl")
    config = dict(case.get("config", {}))
    if case.get("weights"):
        config["sample_weights"] = numpy.linspace(1, 2, len(data))

    def twice(predictions: Any, targets: Any) -> float:
        return float(numpy.abs(predictions - targets).mean() * 2)

    own = {"twice": make_metric(eval_fn=twice, greater_is_better=False), "exact_match": runfolio.metrics.exact_match()}
    model = case.get("model")
    # The folders lie outside any folio: this test vouches for them.
    loaded = runfolio.pyfunc.load_model(place / f"{model}-model", trust=True) if model else None
    return runfolio.evaluate(
        loaded, data, targets="target", model_type=case["type"], predictions=case.get("predictions"), evaluators="default",
        evaluator_config=config, extra_metrics=[own[case["extra"]]] if "extra" in case else None,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_metrics_have_mlflows_names_and_values(place: Path, folio: Path, name: str) -> None:
    metrics, files, _ = json.loads((place / "told.json").read_text())[name]
    found = ours(place, name)
    assert found.metrics.keys() == metrics.keys()
    differing = {key for key in found.metrics if not math.isclose(found.metrics[key], metrics[key], rel_tol=1e-9, abs_tol=1e-12)}
    assert differing == DIFFERENT.get(name, set())
    from tests.evaluation.conftest import artifacts_of

    assert set(files) <= artifacts_of(found.run_id)


def test_what_mlflow_saved_loads_here(place: Path) -> None:
    for name in ("binary", "multiclass", "documents"):
        metrics, _, artifacts = json.loads((place / "told.json").read_text())[name]
        found = EvaluationResult.load(place / f"saved {name}")
        assert found.metrics == pytest.approx(metrics)
        assert sorted(found.artifacts) == artifacts
    assert list(EvaluationResult.load(place / "saved multiclass").tables["per_class_metrics"]["positive_class"]) == [0, 1, 2]


def test_what_is_saved_here_loads_in_mlflow(place: Path, folio: Path) -> None:
    found = ours(place, "multiclass")
    found.save(place / "ours")
    assert mlflow(place, LOADS).split(" ", 1) == [str(len(found.metrics)), f"{sorted(found.artifacts)} True\n"]
