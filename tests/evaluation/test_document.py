"""evaluation.json: the documents that are written are as the schema and docs/evaluation-format.md say, and hostile ones are harmless."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.formats.evaluations import MAX_POINTS, decode_evaluation
from runfolio.models import MetricThreshold

jsonschema = pytest.importorskip("jsonschema")
numpy = pytest.importorskip("numpy")
pandas = pytest.importorskip("pandas")
SCHEMA: dict[str, Any] = json.loads(files("runfolio.formats").joinpath("evaluation.schema.json").read_text("utf-8"))
DOCS = Path(__file__).parents[2] / "docs" / "evaluation-format.md"
CONFIG = {"log_plots": False, "bootstrap_resamples": 50}


def documents(cancer: Any, cancer_models: tuple[Any, Any]) -> dict[str, dict[str, Any]]:
    from sklearn.datasets import load_wine
    from sklearn.linear_model import LinearRegression
    from sklearn.tree import DecisionTreeClassifier

    X, y = load_wine(as_frame=True, return_X_y=True)
    good, bad = cancer_models
    wine, tree = X.iloc[:, :3].assign(kind=y), DecisionTreeClassifier(max_depth=2).fit(X.iloc[:, :3], y)
    numbers, line = X.iloc[:, :3].assign(price=X["proline"]), LinearRegression().fit(X.iloc[:, :3], X["proline"])
    wanted = {"accuracy_score": MetricThreshold(threshold=0.1, greater_is_better=True)}
    said = {"evaluator_config": CONFIG, "model_type": "classifier"}
    return {
        "binary": runfolio.evaluate(
            good, cancer, targets="target", baseline_model=bad, slices=["mean radius"], validation_thresholds=wanted, **said
        ).document,
        "multiclass": runfolio.evaluate(tree, wine, targets="kind", slices=["alcohol"], **said).document,
        "regression": runfolio.evaluate(
            line, numbers, targets="price", baseline_model=lambda frame: numpy.zeros(len(frame)),
            **{**said, "model_type": "regressor"},
        ).document,
    }  # fmt: skip


@pytest.mark.filterwarnings("ignore:Sparse.*:FutureWarning")
def test_documents_are_as_schema_and_docs_say_and_survive_reading(
    folio: Path, cancer: Any, cancer_models: tuple[Any, Any]
) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    told = DOCS.read_text("utf-8")
    seen: set[str] = set()
    for document in documents(cancer, cancer_models).values():
        jsonschema.validate(document, SCHEMA)
        found = decode_evaluation(json.dumps(document).encode())
        assert found == {key: value for key, value in document.items() if key not in ("format", "schema")}
        seen |= document.keys()
    assert seen == SCHEMA["properties"].keys()
    assert {name for name in SCHEMA["properties"] if f"`{name}`" not in told} == set()
    fields = {**SCHEMA["$defs"]["metric"]["properties"], **SCHEMA["$defs"]["curve"]["properties"]}
    assert {name for name in fields if f"`{name}`" not in told} == set()


@pytest.mark.parametrize(
    "data",
    [b"", b"{}", b"[]", b"runfolio-evaluation", b'{"format": "runfolio-evaluation", "schema": 2}', b'"runfolio-evaluation"',
     b'{"format": "runfolio-evaluation", "schema": 1, "x": ' + b"[" * 100_000, b'{"format": "runfolio-evaluation", "schema": 1' + b" " * 5_000_000],
)  # fmt: skip
def test_what_is_no_document_is_none(data: bytes) -> None:
    assert decode_evaluation(data) is None


def test_what_does_not_fit_is_left_out() -> None:
    head = {"format": "runfolio-evaluation", "schema": 1}
    hostile = {
        **head,
        "model_type": ["classifier"],
        "metrics": {
            "a": {"value": 1, "low": "<script>", "html": "<b>"},
            "b": {"low": 1},
            "c": 3,
            "d": {"value": "NaN"},
            "e": {"value": True},
        },
        "notes": ["ok", 3, "x" * 10_000],
        "confusion": {"labels": ["a", "b"], "counts": [[1, 2], [3]]},
        "curves": [
            {
                "label": "a",
                "auc": 1e400,
                "roc": {"fpr": [0, 1], "tpr": [0]},
                "pr": {"recall": [0.0] * (MAX_POINTS + 1), "precision": []},
            },
            "curve",
        ],
        "residuals": {"target": [1], "prediction": [1], "edges": [0, 1], "rows": [1, 2]},
        "slices": {"metric": "a", "rows": [{"name": "s", "rows": -1, "metrics": []}, 5] + [{"name": "t"}] * 1000},
        "thresholds": {"metric": "a"},
    }
    found = decode_evaluation(json.dumps(hostile).encode())
    assert found is not None
    assert found["metrics"] == {"a": {"value": 1}, "d": {"value": "NaN"}}
    assert found["notes"] == ["ok", "x" * 500]
    assert found["curves"] == [{"label": "a"}]
    assert found["slices"]["rows"][0] == {"name": "s"}
    assert len(found["slices"]["rows"]) == 199
    assert found.keys() == {"metrics", "notes", "curves", "slices"}
