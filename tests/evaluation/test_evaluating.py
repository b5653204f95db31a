"""``runfolio.evaluate`` as its users call it: models in every form, what is logged, slices, a baseline, thresholds."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.errors import ModelValidationFailedError, UsageError
from runfolio.evaluation.slices import slices_of
from runfolio.exceptions import MlflowException
from runfolio.models import EvaluationResult, MetricThreshold, make_metric
from tests.evaluation.conftest import artifacts_of, run_count

pandas = pytest.importorskip("pandas")
numpy = pytest.importorskip("numpy")
pytest.importorskip("matplotlib")

Models = tuple[Any, Any]


def evaluated(model: Any, data: Any, **more: Any) -> EvaluationResult:
    more = {"targets": "target", "model_type": "classifier", **more}
    config = {"bootstrap_resamples": 100, "log_plots": False, **more.pop("evaluator_config", {})}
    return runfolio.evaluate(model, data, evaluator_config=config, **more)


def test_a_run_holds_the_dataset_metrics_document_and_pictures(folio: Path, cancer: Any, cancer_models: Models) -> None:
    found = evaluated(cancer_models[0], cancer, evaluator_config={"log_plots": True})
    assert found.run_id is not None
    run = runfolio.get_run(found.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == found.metrics
    (entry,) = run.inputs.dataset_inputs
    assert entry.dataset.digest == runfolio.data.from_pandas(cancer).digest
    assert [tag.value for tag in entry.tags] == ["eval"]
    assert artifacts_of(found.run_id) == {
        "evaluation.json", "roc_curve_plot.png", "precision_recall_curve_plot.png", "lift_curve_plot.png", "calibration_curve_plot.png",
        "confusion_matrix.png",
    }  # fmt: skip
    assert json.loads(json.dumps(found.document)) == found.artifacts["evaluation"].content
    assert len(json.dumps(found.document)) < 40_000


def test_an_active_run_is_used(folio: Path, cancer: Any, cancer_models: Models) -> None:
    with runfolio.start_run() as run:
        assert evaluated(cancer_models[0], cancer).run_id == run.info.run_id
        assert runfolio.active_run() is not None
    assert run_count() == 1


def test_every_form_of_a_model_gives_the_same(folio: Path, cancer: Any, cancer_models: Models, tmp_path: Path) -> None:
    X = cancer.drop(columns="target")
    with runfolio.start_run() as run:
        info = runfolio.sklearn.log_model(
            cancer_models[0], "model", registered_model_name="cancer", signature=runfolio.models.infer_signature(X)
        )
    uris = [info.model_uri, "models:/cancer/1", runfolio.pyfunc.load_model(info.model_uri), cancer_models[0]]
    found = [evaluated(model, cancer) for model in uris]
    assert all(each.metrics == found[0].metrics for each in found)
    assert found[0].metrics["score"] == found[0].metrics["accuracy_score"]
    tags = [runfolio.get_run(str(each.run_id)).data.tags for each in found]
    digest = tags[0]["runfolio.evaluated.digest"]
    assert [each.get("runfolio.evaluated.digest") for each in tags] == [digest, digest, digest, None]
    assert found[1].document["model"] == {
        "uri": "models:/cancer/1", "name": "cancer", "version": "1", "run": run.info.run_id, "digest": digest,
    }  # fmt: skip
    # A function has no probabilities, and no score of its own.
    by_function = evaluated(lambda frame: cancer_models[0].predict(frame), cancer)
    assert by_function.metrics == {key: by_function.metrics[key] for key in by_function.metrics if key in found[0].metrics}
    assert "roc_auc" not in by_function.metrics


@pytest.mark.parametrize("form", ["pandas", "dataset", "polars", "array", "list", "features named"])
def test_every_form_of_data_gives_the_same(folio: Path, cancer: Any, form: str) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = cancer.iloc[:, :3], cancer["target"]
    data, targets, names = X.assign(target=y), "target", None
    fit_on = X.to_numpy() if form in ("array", "list") else X
    model = LogisticRegression(max_iter=500).fit(fit_on, y)
    if form == "dataset":
        data, targets = runfolio.data.from_pandas(data, targets="target", name="cancer"), None
    elif form == "polars":
        data = pytest.importorskip("polars").DataFrame({name: data[name].to_list() for name in data})
    elif form == "features named":
        data, names = data.assign(other=1), list(X.columns)
    elif form != "pandas":
        data, targets = (X.to_numpy(), y.to_numpy()) if form == "array" else (X.to_numpy().tolist(), y.tolist())
    found = evaluated(model, data, targets=targets, feature_names=names)
    wanted = model.score(fit_on, y)
    assert found.metrics["accuracy_score"] == wanted == found.metrics["score"]
    assert found.document["dataset"]["name"] == ("cancer" if form == "dataset" else "dataset")


def test_answers_may_stand_in_the_data(folio: Path, cancer: Any) -> None:
    data = cancer.assign(said=1 - cancer["target"])
    found = evaluated(None, data, predictions="said")
    assert found.metrics["accuracy_score"] == 0
    # What was answered is no part of the data: the digest is that of the rows.
    assert found.document["dataset"]["digest"] == runfolio.data.from_pandas(cancer).digest
    kept = evaluated(None, runfolio.data.from_pandas(data, targets="target", predictions="said"), targets=None)
    assert kept.metrics == found.metrics


def test_slices_are_columns_expressions_functions_and_masks(folio: Path, cancer: Any, cancer_models: Models) -> None:
    large = (cancer["mean radius"] > 14).to_numpy()
    slices = {"big": "`mean radius` > 14", "same": large, "also": lambda frame: frame["mean radius"] > 14}
    found = evaluated(cancer_models[0], cancer, slices=slices)
    rows = found.slices
    assert list(rows["slice"]) == ["big", "same", "also"]
    assert rows["rows"].tolist() == [int(large.sum())] * 3
    said = cancer_models[0].predict(cancer.drop(columns="target"))
    assert rows["accuracy_score"].tolist() == [float((said == cancer["target"])[large].mean())] * 3
    assert (rows["accuracy_score_low"] < rows["accuracy_score"]).all()
    methods = {name: each.get("method") for name, each in found.document["slices"]["rows"][0]["metrics"].items()}
    assert (methods["accuracy_score"], methods["roc_auc"]) == ("wilson", "bootstrap")


def test_a_column_makes_a_slice_a_value_and_a_number_quarters() -> None:
    frame = pandas.DataFrame({"kind": ["b", "a", "b", None], "size": [1.0, 2.0, numpy.nan, 4.0], "at": range(4)})
    assert [(part.name, part.chosen.sum()) for part in slices_of(frame, "kind")] == [
        ("kind = b", 2),
        ("kind = a", 1),
        ("kind missing", 1),
    ]
    many = pandas.DataFrame({"n": list(range(100)), "word": [f"w{at % 30:02d}" for at in range(100)]})
    assert [part.chosen.sum() for part in slices_of(many, "n")] == [25, 25, 25, 25]
    by_word = slices_of(many, ["word"])
    assert len(by_word) == 21
    assert by_word[-1].name == "word: 10 other values"
    assert sum(part.chosen.sum() for part in by_word) == 100


@pytest.mark.parametrize(
    ("slices", "says"),
    [
        (["nosuch"], "no column and no expression"),
        (["age >"], "no column and no expression"),
        (["age + 1"], "chooses no rows"),
        (["__import__('os').system('true')"], "no column and no expression"),
        (["@pandas"], "no column and no expression"),
        ([numpy.ones(3, bool)], "To give a mask a name"),
        ({"m": numpy.ones(2, bool)}, "chooses no rows"),
        (["age > 1", "age > 1"], "named twice"),
        ({"f": lambda frame: 1 / 0}, "ZeroDivisionError"),
    ],
)
def test_what_is_no_slice_is_refused_by_name(slices: Any, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        slices_of(pandas.DataFrame({"age": [1, 2, 3]}), slices)


def test_a_baseline_is_compared_on_the_same_rows(folio: Path, cancer: Any, cancer_models: Models) -> None:
    good, bad = cancer_models
    found = evaluated(good, cancer, baseline_model=bad, slices=["`mean radius` > 14", "`mean radius` <= 14"])
    metrics, old = found.metrics, found.baseline_metrics
    assert old == evaluated(bad, cancer).metrics
    assert metrics["delta_accuracy_score"] == pytest.approx(metrics["accuracy_score"] - old["accuracy_score"])
    assert 0 < metrics["delta_accuracy_score_low"] <= metrics["delta_accuracy_score"] <= metrics["delta_accuracy_score_high"]
    assert metrics["delta_log_loss_high"] < 0
    X, y = cancer.drop(columns="target"), cancer["target"]
    right, was = good.predict(X) == y, bad.predict(X) == y
    assert found.document["baseline"]["mcnemar"]["only_candidate"] == int((right & ~was).sum())
    rows = found.slices
    assert metrics["worst_slice_accuracy_score"] == rows["accuracy_score"].min()
    assert metrics["worst_slice_log_loss"] == rows["log_loss"].max()
    assert metrics["worst_slice_delta_accuracy_score"] == pytest.approx(rows["accuracy_score_difference"].min())


def test_a_model_against_itself_differs_by_nothing(folio: Path, cancer: Any, cancer_models: Models) -> None:
    found = evaluated(cancer_models[0], cancer, baseline_model=cancer_models[0])
    assert {value for name, value in found.metrics.items() if name.startswith("delta_")} == {0.0}
    assert found.document["baseline"]["mcnemar"]["p_value"] == 1


def test_a_small_slice_is_shown_and_never_the_worst(folio: Path, cancer: Any, cancer_models: Models) -> None:
    data = cancer.assign(few=["yes"] * 3 + ["no"] * (len(cancer) - 3), none=False)
    found = evaluated(cancer_models[0], data, feature_names=list(cancer.columns[:-1]), slices=["few", "none"])
    assert found.slices["rows"].tolist() == [281, 3, 284]
    assert "roc_auc_low" not in found.slices or math.isnan(found.slices["roc_auc_low"][1])
    assert found.metrics["worst_slice_accuracy_score"] == min(found.slices["accuracy_score"][[0, 2]])
    empty = evaluated(cancer_models[0], data, feature_names=list(cancer.columns[:-1]), slices={"nobody": "few == 'maybe'"})
    assert empty.slices["rows"].tolist() == [0]
    assert not [name for name in empty.metrics if name.startswith("worst_slice")]


def test_missed_thresholds_are_all_told_and_the_run_is_kept(folio: Path, cancer: Any, cancer_models: Models) -> None:
    wanted = {
        "accuracy_score": MetricThreshold(threshold=0.999, greater_is_better=True),
        "log_loss": MetricThreshold(threshold=0.01, min_absolute_change=0.5, greater_is_better=False),
        "nosuch": MetricThreshold(threshold=1, greater_is_better=True),
        "roc_auc": MetricThreshold(threshold=0.5, min_relative_change=0.01, greater_is_better=True),
    }
    with pytest.raises(MlflowException) as told:
        evaluated(cancer_models[0], cancer, baseline_model=cancer_models[1], validation_thresholds=wanted)
    assert isinstance(told.value, ModelValidationFailedError)
    lines = told.value.message.splitlines()
    assert [line.split(" value threshold")[0].split(" was missing")[0] for line in lines] == [
        "Metric accuracy_score", "Metric log_loss", "Metric validation failed: metric nosuch",
    ]  # fmt: skip
    assert "minimum absolute change check failed" in lines[1]
    assert run_count() == 1


@pytest.mark.parametrize(
    ("threshold", "value", "old", "passes"),
    [
        (MetricThreshold(threshold=0.5, greater_is_better=True), 0.5, None, True),
        (MetricThreshold(threshold=0.5, greater_is_better=False), 0.51, None, False),
        (MetricThreshold(threshold=0.5, greater_is_better=True), math.nan, None, False),
        (MetricThreshold(min_absolute_change=0.1, greater_is_better=True), 0.6, 0.5, True),
        (MetricThreshold(min_absolute_change=0.1, greater_is_better=False), 0.45, 0.5, False),
        (MetricThreshold(min_absolute_change=0.1, greater_is_better=True), 0.6, None, False),
        (MetricThreshold(min_relative_change=0.1, greater_is_better=True), 0.56, 0.5, True),
        (MetricThreshold(min_relative_change=0.1, greater_is_better=False), 0.46, 0.5, False),
        (MetricThreshold(min_relative_change=0.1, greater_is_better=True), 0.0, 0.0, False),
        (MetricThreshold(min_relative_change=0.1, greater_is_better=True), 0.1, 0.0, True),
    ],
    ids=str,
)
def test_thresholds_hold_as_in_mlflow(threshold: MetricThreshold, value: float, old: float | None, passes: bool) -> None:
    candidate, baseline = EvaluationResult({"m": value}, {}), EvaluationResult({} if old is None else {"m": old}, {})
    if passes:
        runfolio.validate_evaluation_results({"m": threshold}, candidate, baseline)
    else:
        with pytest.raises(ModelValidationFailedError, match="m"):
            runfolio.validate_evaluation_results({"m": threshold}, candidate, baseline)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"threshold": "0.5", "greater_is_better": True}, "must be a number"),
        ({"threshold": True, "greater_is_better": True}, "must be a number"),
        ({"min_absolute_change": 0, "greater_is_better": True}, "positive number"),
        ({"min_relative_change": 1, "greater_is_better": True}, "floating point"),
        ({"min_relative_change": 1.5, "greater_is_better": True}, "between 0 and 1"),
        ({"threshold": 1}, "must be defined"),
        ({"threshold": 1, "greater_is_better": True, "higher_is_better": True}, "must be None"),
        ({"threshold": 1, "greater_is_better": 1}, "boolean"),
        ({"greater_is_better": True}, "no threshold"),
    ],
    ids=str,
)
def test_a_threshold_that_makes_no_sense_is_refused(arguments: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError, match=f"Could not instantiate MetricThreshold class: .*{says}"):
        MetricThreshold(**arguments)


def test_metrics_of_ones_own_ask_for_what_they_need(folio: Path, cancer: Any, cancer_models: Models) -> None:
    def share(predictions: Any, targets: Any, metrics: Any, cost: float) -> float:
        assert metrics["accuracy_score"].aggregate_results == {"accuracy_score": evaluated_accuracy}
        return cost * float((predictions == targets).mean())

    def doubled(share: Any) -> float:
        return 2 * float(share.aggregate_results["share"])

    def by_frame(eval_df: Any, builtin_metrics: Any) -> float:
        return float((eval_df["prediction"] != eval_df["target"]).mean() + builtin_metrics["accuracy_score"])

    evaluated_accuracy = evaluated(cancer_models[0], cancer).metrics["accuracy_score"]
    made = [make_metric(eval_fn=function, greater_is_better=True) for function in (doubled, share, by_frame)]
    found = evaluated(cancer_models[0], cancer, extra_metrics=made, evaluator_config={"cost": 10})
    assert found.metrics["share"] == pytest.approx(10 * evaluated_accuracy)
    assert found.metrics["doubled"] == pytest.approx(20 * evaluated_accuracy)
    assert found.metrics["by_frame"] == pytest.approx(1)
    assert found.document["metrics"]["share"]["better"] == "max"


def test_scores_by_row_make_a_table(folio: Path) -> None:
    data = pandas.DataFrame({"q": ["a", "b"], "truth": ["the cat", "a dog"], "said": ["the cat sat", "no"]})
    found = runfolio.evaluate(data=data, targets="truth", predictions="said", model_type="text-summarization")
    assert found.metrics["rouge1/v1/mean"] == pytest.approx(0.4)
    assert found.tables["eval_results_table"]["rouge1/v1/score"].tolist() == pytest.approx([0.8, 0.0])
    assert any("token_count" in note for note in found.document["notes"])


def test_latency_is_measured_row_by_row(folio: Path, cancer: Any, cancer_models: Models) -> None:
    rows = []

    def model(frame: Any) -> Any:
        rows.append(len(frame))
        return cancer_models[0].predict(frame)

    found = evaluated(model, cancer.iloc[:5], extra_metrics=[runfolio.metrics.latency()], evaluator_config={"label_list": [0, 1]})
    assert rows == [1] * 5
    assert found.metrics["latency/mean"] > 0


def test_artifacts_of_ones_own_are_logged(folio: Path, cancer: Any, cancer_models: Models, tmp_path: Path) -> None:
    def made(eval_df: Any, builtin_metrics: Any, artifacts_dir: str) -> dict[str, Any]:
        (Path(artifacts_dir) / "told.txt").write_text("hello")
        return {
            "told": f"{artifacts_dir}/told.txt", "table": eval_df.head(2), "array": numpy.arange(3), "facts": {"rows": numpy.int64(3)},
            "spelled": '{"a": 1}',
        }  # fmt: skip

    found = evaluated(cancer_models[0], cancer, custom_artifacts=[made])
    assert {"told.txt", "table.csv", "array.npy", "facts.json", "spelled.json"} <= artifacts_of(found.run_id)
    found.save(tmp_path / "saved")
    again = EvaluationResult.load(tmp_path / "saved")
    assert again.metrics == found.metrics
    assert again.artifacts["array"].content.tolist() == [0, 1, 2]
    assert again.artifacts["facts"].content == {"rows": 3}
    assert again.artifacts["told"].content == "hello"
    assert again.document == found.document
    with pytest.raises(UsageError, match="would be a pickle"):
        evaluated(cancer_models[0], cancer, custom_artifacts=[lambda *_: {"odd": object()}])


def test_a_saved_pickle_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("{}")
    kind = "mlflow.models.evaluation.artifacts.PickleEvaluationArtifact"
    (tmp_path / "artifacts_metadata.json").write_text(json.dumps({"x": {"uri": "runs:/1/x.pickle", "class_name": kind}}))
    with pytest.raises(runfolio.errors.DamagedError, match="a pickle would run code"):
        EvaluationResult.load(tmp_path)


def test_a_prefix_stands_before_metrics_and_files(folio: Path, cancer: Any, cancer_models: Models) -> None:
    config = {"metric_prefix": "val_", "log_plots": True}
    found = evaluated(
        cancer_models[0], cancer, evaluator_config=config, slices=["`mean radius` > 14"], baseline_model=cancer_models[1]
    )
    assert all(name.startswith("val_") for name in found.metrics)
    assert {"val_evaluation.json", "val_confusion_matrix.png"} <= artifacts_of(found.run_id)
    assert "val_worst_slice_roc_auc" in found.metrics


def test_autologging_does_not_log_an_evaluation_once_more(folio: Path, cancer: Any) -> None:
    from sklearn.linear_model import LogisticRegression

    X, y = cancer.iloc[:, :3], cancer["target"]
    runfolio.sklearn.autolog(log_models=False)
    try:
        with runfolio.start_run() as run:
            model = LogisticRegression(max_iter=500).fit(X, y)
            found = evaluated(model, X.assign(target=y))
    finally:
        runfolio.sklearn.autolog(disable=True)
    more = runfolio.get_run(run.info.run_id).data.metrics.keys() - found.metrics.keys()
    assert {name.split("_")[0] for name in more} == {"training"}


def test_columns_of_slices_are_no_surprise_to_the_model(folio: Path, caplog: pytest.LogCaptureFixture) -> None:
    from sklearn.linear_model import LogisticRegression

    frame = pandas.DataFrame({"x": [0.0, 1.0, 2.0, 3.0] * 5, "group": ["a", "b"] * 10, "y": [0, 0, 1, 1] * 5})
    model = LogisticRegression().fit(frame[["x"]], frame["y"])
    with runfolio.start_run():
        info = runfolio.sklearn.log_model(model, "model", input_example=frame[["x"]][:2])
    caplog.clear()
    result = evaluated(info.model_uri, frame, targets="y", slices=["group"])
    assert len(result.slices) == 2
    assert "does not know these columns" not in caplog.text
