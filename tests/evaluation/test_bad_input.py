"""What cannot be evaluated is refused in a sentence, and leaves no run; what can only partly be says which part is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import RunfolioError, UsageError
from runfolio.models import make_metric
from tests.evaluation.conftest import run_count

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
DATA = pandas.DataFrame(
    {"x": range(20), "y": [0, 1] * 10, "text": ["a", "b"] * 10, "half": [0.5, 1.5] * 10, "gap": [None, 1.0] * 10}
)


def right(frame: Any) -> Any:
    return (frame["x"] % 2).to_numpy()


def raising(frame: Any) -> Any:
    raise KeyError("no such column")


CASES: dict[str, tuple[dict[str, Any], str]] = {
    "targets that are fractions": ({"targets": "half"}, "(?s)targets are fractions.*model_type='regressor'"),
    "answers to targets that are fractions": ({"model": None, "targets": "half", "predictions": "x"}, "targets are fractions"),
    "a config that is text": ({"evaluator_config": "bad"}, "evaluator_config is a dictionary, this is str"),
    "a config by evaluator that is text": ({"evaluator_config": {"default": "bad"}}, "default is a dictionary, this is str"),
    "a mapping of columns that is text": ({"evaluator_config": {"col_mapping": "bad"}}, "col_mapping is a dictionary, this is str"),
    "labels that are a number": ({"evaluator_config": {"label_list": 5}}, "label_list is a list of labels, not 5"),
    "no data": ({"data": None}, "data argument cannot be None"),
    "no rows": ({"data": DATA.iloc[:0]}, "has no rows"),
    "no targets": ({"targets": None}, "targets argument must be specified"),
    "no such targets": ({"targets": "z"}, "no column 'z'"),
    "targets of another kind": ({"targets": [0, 1]}, "name of a column"),
    "missing targets": ({"targets": "gap"}, r"10 of 20 rows have no value \(rows 0, 2, 4, 6, 8, …\)"),
    "no model and no answers": ({"model": None}, "needs a model or answers"),
    "no such answers": ({"model": None, "predictions": "z"}, "no column 'z'"),
    "missing answers": ({"model": None, "predictions": "gap"}, "predictions: 10 of 20 rows have no value"),
    "too few answers": ({"model": lambda frame: [1]}, "1 answers for 20 rows"),
    "one answer for all": ({"model": lambda frame: 1}, "returned one int for 20 rows"),
    "answers that are NaN": ({"model": lambda frame: [numpy.nan] * 20}, "predictions: 20 of 20 rows"),
    "several columns": ({"model": lambda frame: pandas.DataFrame({"a": [1] * 20, "b": [1] * 20})}, "Output column name is not specified"),
    "a column for each class": ({"model": lambda frame: numpy.ones((20, 2))}, "not one for each class"),
    "probabilities for labels": ({"model": lambda frame: numpy.linspace(0, 1, 20)}, "predict_proba"),
    "text beside numbers": ({"model": lambda frame: ["0", "1"] * 10}, "labels of different kinds"),
    "one class": ({"data": DATA.assign(y=1), "model": lambda frame: [1] * 20}, "at least two unique labels"),
    "unlisted labels": ({"evaluator_config": {"label_list": [0, 2]}}, r"not in label_list: 1"),
    "no such positive label": ({"evaluator_config": {"pos_label": 7}}, "'pos_label' 7"),
    "a model that raises": ({"model": raising}, "the function failed on the data: KeyError"),
    "no model at all": ({"model": 3}, "this is int"),
    "an endpoint": ({"model": "endpoints:/chat"}, "endpoints"),
    "no such run": ({"model": "runs:/0123456789abcdef0123456789abcdef/model"}, "0123456789abcdef"),
    "no such task": ({"model_type": "clustering"}, "there is no 'clustering'"),
    "no task and no metric": ({"model_type": None}, "extra_metrics"),
    "labels of a regressor": ({"model_type": "regressor", "targets": "text"}, "are numbers"),
    "an infinite target": ({"model_type": "regressor", "data": DATA.assign(y=numpy.inf)}, "infinite"),
    "another environment": ({"env_manager": "virtualenv"}, "in this process"),
    "an unknown evaluator": ({"evaluators": "giskard"}, "no 'giskard'"),
    "weights of another length": ({"evaluator_config": {"sample_weights": [1, 2]}}, r"20 rows, and weights of shape \(2,\)"),
    "weights below zero": ({"evaluator_config": {"sample_weights": [-1] * 20}}, "not negative"),
    "no such average": ({"evaluator_config": {"average": "mean"}, "model": lambda frame: [0, 1, 2, 3] * 5}, "average"),
    "a level beyond one": ({"evaluator_config": {"confidence_level": 95}}, "confidence_level"),
    "a metric that is none": ({"extra_metrics": [right]}, "make_metric"),
    "a metric that asks for nothing there": (
        {"extra_metrics": [make_metric(eval_fn=lambda nosuch: 1, greater_is_better=True, name="m")]}, "asks for 'nosuch'",
    ),
    "a metric that raises": (
        {"extra_metrics": [make_metric(eval_fn=lambda predictions: 1 / 0, greater_is_better=True, name="m")]}, "ZeroDivisionError",
    ),
    "thresholds that are none": ({"validation_thresholds": {"accuracy_score": 0.5}}, "MetricThreshold objects"),
    "a feature that is not there": ({"feature_names": ["x", "z"]}, "no column z"),
    "features named twice": ({"feature_names": ["x", "x"]}, "unique"),
    "a table twice named": ({"data": pandas.DataFrame([[1, 0, 0], [2, 1, 1]], columns=["x", "y", "y"])}, "share a name: y"),
    "an array of one dimension": ({"data": numpy.arange(4), "targets": numpy.arange(4)}, "two dimensions"),
    "arrays of two lengths": ({"data": numpy.ones((4, 1)), "targets": numpy.arange(3)}, "4 rows of features"),
    "a file": ({"data": "data.csv"}, "this is str"),
    "a table of Spark": ({"evaluator_config": {"eval_results_path": "x"}}, "Spark"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_bad_input_is_refused_in_a_sentence_and_leaves_no_run(folio: Path, name: str) -> None:
    arguments, says = CASES[name]
    given = {"model": right, "data": DATA, "targets": "y", "model_type": "classifier", **arguments}
    with pytest.raises(RunfolioError, match=says):
        runfolio.evaluate(**given)
    assert run_count() == 0


def test_a_dataset_says_its_columns_itself(folio: Path) -> None:
    dataset = runfolio.data.from_pandas(DATA, targets="y")
    with pytest.raises(UsageError, match="leave targets=… away"):
        runfolio.evaluate(right, dataset, targets="y", model_type="classifier")
    with pytest.raises(UsageError, match="targets column name"):
        runfolio.evaluate(right, runfolio.data.from_pandas(DATA), model_type="classifier")


def test_labels_may_be_whole_numbers_spelled_as_fractions(folio: Path) -> None:
    data = DATA[["x", "y"]].astype({"y": float})
    for answers in (right, lambda frame: right(frame).astype(float)):
        found = runfolio.evaluate(answers, data, targets="y", model_type="classifier")
        assert found.metrics["accuracy_score"] == 1.0
        assert found.metrics["true_positives"] == 10


def test_one_row_has_metrics_and_says_what_is_not_defined(folio: Path) -> None:
    one = runfolio.evaluate(
        right, DATA.iloc[:1], targets="y", model_type="classifier", evaluator_config={"label_list": [0, 1], "log_plots": False}
    )
    assert one.metrics["accuracy_score"] == 1
    number = runfolio.evaluate(right, DATA.iloc[:1], targets="half", model_type="regressor")
    assert "r2_score" not in number.metrics
    assert any("r2_score is not defined" in note for note in number.document["notes"])


def test_a_class_without_rows_has_no_area_and_is_named(folio: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(DATA[["x"]], DATA["y"])
    found = runfolio.evaluate(model, DATA[DATA["y"] == 0][["x", "y"]], targets="y", model_type="classifier")
    assert "roc_auc" not in found.metrics
    assert any("no row is of the class 1" in note for note in found.document["notes"])
    assert found.metrics["false_negatives"] == 0


def test_labels_that_the_model_does_not_know_leave_out_its_probabilities(folio: Path) -> None:
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(DATA[["x"]], DATA["y"])
    data = DATA[["x", "y"]].assign(y=[0, 1, 2, 1] * 5)
    found = runfolio.evaluate(model, data, targets="y", model_type="classifier")
    assert "log_loss" not in found.metrics
    assert any("no probability for the labels 2" in note for note in found.document["notes"])


def test_very_many_classes_leave_out_what_is_a_row_a_class(folio: Path) -> None:
    generator = numpy.random.default_rng(0)
    labels = generator.integers(0, 5000, 20_000)
    data = pandas.DataFrame({"x": labels, "y": numpy.where(generator.random(20_000) < 0.9, labels, 0)})
    config = {"bootstrap_resamples": 20, "log_plots": False}
    found = runfolio.evaluate(lambda frame: frame["x"], data, targets="y", model_type="classifier", evaluator_config=config)
    assert found.metrics["accuracy_score"] == pytest.approx(0.9, abs=0.01)
    assert found.document["classes"] > 4000
    assert len(found.document["confusion"]["labels"]) == 30
    assert sum(map(sum, found.document["confusion"]["counts"])) == 20_000
    assert any("No per_class_metrics.csv" in note for note in found.document["notes"])


def test_a_metric_that_returns_nothing_is_left_out_with_a_warning(folio: Path, caplog: pytest.LogCaptureFixture) -> None:
    metric = make_metric(eval_fn=lambda predictions: None, greater_is_better=True, name="nothing")
    found = runfolio.evaluate(right, DATA, targets="y", model_type="classifier", extra_metrics=[metric])
    assert "nothing" not in found.metrics
    assert "returned None" in caplog.text


def test_an_explanation_that_was_asked_for_is_said_to_be_missing(folio: Path) -> None:
    config = {"log_model_explainability": True}
    found = runfolio.evaluate(right, DATA, targets="y", model_type="classifier", evaluator_config=config)
    assert any("SHAP" in note for note in found.document["notes"])
