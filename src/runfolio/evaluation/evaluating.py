"""``runfolio.evaluate``: a model on data whose answers are known. MLflow's ``mlflow.evaluate``, and what lies beyond it.

>>> import pandas, runfolio
>>> data = pandas.DataFrame({"x": [0, 1, 2, 3], "y": ["no", "no", "yes", "yes"]})
>>> model = lambda frame: ["yes" if x > 0 else "no" for x in frame["x"]]
>>> result = runfolio.evaluate(model, data, targets="y", model_type="classifier")                # doctest: +SKIP
>>> result.metrics["accuracy_score"]                                                             # doctest: +SKIP
0.75

All is computed before anything is logged: an evaluation that fails leaves no run.
"""

from __future__ import annotations

import logging
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.autologging.sessions import session
from runfolio.errors import UsageError
from runfolio.evaluation.classification import Answers, per_class
from runfolio.evaluation.comparing import Part, by_slice, deltas, looked_at, worst
from runfolio.evaluation.computing import CLASSIFIER, REGRESSOR, Outcome, run_model
from runfolio.evaluation.document import make_document
from runfolio.evaluation.extra import compute_metrics
from runfolio.evaluation.extra import custom_artifacts as made_artifacts
from runfolio.evaluation.metric_values import EvaluationMetric
from runfolio.evaluation.plots import can_draw, classifier_pictures, regressor_pictures
from runfolio.evaluation.ready_metrics import LATENCY
from runfolio.evaluation.recording import Leaving, leave
from runfolio.evaluation.result import EvaluationResult
from runfolio.evaluation.rows import Rows, read_rows
from runfolio.evaluation.settings import Settings, read_settings
from runfolio.evaluation.slices import Slice, slices_of
from runfolio.evaluation.subjects import Subject, subject_of
from runfolio.evaluation.tasks import default_metrics, gaps
from runfolio.evaluation.thresholds import Finding, MetricThreshold, checked_thresholds, judged, refuse_missed
from runfolio.records.evaluations import BASELINE_TAG, DIGEST_TAG, MODEL_TAG
from runfolio.tracking.datasets import Dataset

_log = logging.getLogger("runfolio")
MOST_CLASS_ROWS = 200
"""Classes beyond which no table has a row for each."""
_NO_PICTURES = "no pictures are logged as PNG: matplotlib is not installed (pip install matplotlib). The site draws its own."


def evaluate(
    model: Any = None,
    data: Any = None,
    *,
    model_type: str | None = None,
    targets: Any = None,
    predictions: str | None = None,
    dataset_path: str | None = None,
    feature_names: Sequence[str] | None = None,
    evaluators: Any = None,
    evaluator_config: Mapping[str, Any] | None = None,
    custom_metrics: Sequence[EvaluationMetric] | None = None,
    extra_metrics: Sequence[EvaluationMetric] | None = None,
    custom_artifacts: Sequence[Callable[..., Any]] | None = None,
    validation_thresholds: dict[str, MetricThreshold] | None = None,
    baseline_model: Any = None,
    env_manager: str = "local",
    model_config: Mapping[str, Any] | None = None,
    baseline_config: Mapping[str, Any] | None = None,
    inference_params: Mapping[str, Any] | None = None,
    slices: Any = None,
    run_name: str | None = None,
) -> EvaluationResult:
    """Evaluate a model on data, and log what was found to the active run (a new one if there is none).

    Parameters
    ----------
    model : str, PyFuncModel, estimator, callable, or None
        ``models:/NAME/VERSION``, ``runs:/RUN/PATH`` or a folder; a loaded model; a function of a DataFrame; None where the data holds the
        answers.
    data : DataFrame, ndarray, list or Dataset
    model_type : str, optional
        ``"classifier"``, ``"regressor"``, ``"question-answering"``, ``"text-summarization"``, ``"text"``, ``"retriever"``; None with
        `extra_metrics`.
    targets : str, or array where `data` is one
        The column with what is true.
    predictions : str, optional
        Without a model: the column with the answers. With one: which column of its output.
    dataset_path : str, optional
        Where the data came from.
    feature_names : sequence of str, optional
        The columns that the model gets; all but targets and predictions by default.
    evaluators, evaluator_config : optional
        See docs/how-to/evaluate.md for the keys.
    extra_metrics : sequence of EvaluationMetric, optional
        Made by :func:`runfolio.models.make_metric`.
    custom_metrics : sequence of EvaluationMetric, optional
        An older name of `extra_metrics`.
    custom_artifacts : sequence of callable, optional
        Of a frame with ``prediction`` and ``target``, the metrics, and a folder; each returns artifacts by name.
    validation_thresholds : dict of str to MetricThreshold, optional
        Checked when all is logged.
    baseline_model : optional
        Another model, to be compared with on the same rows.
    env_manager : str
        ``"local"``: the model runs in this process.
    model_config, baseline_config : dict, optional
        For models that are loaded here.
    inference_params : optional
        Of endpoints of MLflow Deployments, which are not called from here.
    slices : str, sequence or mapping, optional
        Columns (a slice a value) and expressions (``"age > 60"``) whose rows are looked at on their own, too.
    run_name : str, optional
        Of the run that is made where none is active.

    Returns
    -------
    EvaluationResult

    Raises
    ------
    UsageError
        If arguments, data, answers and task do not fit each other; nothing is logged then.
    ModelValidationFailedError
        If a threshold is missed; all is logged then.
    """
    began = time.time_ns() // 1_000_000
    asked = _Asked(model_type, _metrics_of(extra_metrics, custom_metrics), custom_artifacts or (), predictions, run_name, began)
    _check_arguments(asked, data, targets, predictions, model, env_manager, inference_params)
    settings = read_settings(evaluators, evaluator_config)
    thresholds = checked_thresholds(validation_thresholds or {})
    mapped = settings.given.get("col_mapping") or {}
    targets, predictions = (mapped.get(name, name) if isinstance(name, str) else name for name in (targets, predictions))
    subject, other = subject_of(model, model_config), subject_of(baseline_model, baseline_config)
    rows = read_rows(data, targets, predictions if subject is None else None, feature_names, dataset_path)
    if model_type in (CLASSIFIER, REGRESSOR) and rows.targets is None:
        raise UsageError(f"The targets column name must be specified in the provided Dataset for {model_type} models.")
    parts = slices_of(rows.frame, slices)
    # A session of autologging: what the evaluation calls of a framework is part of it, and is not logged once more by itself.
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder, session("evaluation"):
        found = _look(asked, rows, settings, subject, other, parts)
        files = made_artifacts(asked.artifacts, found.outcome.bench, Path(folder))
        result, findings = _left(asked, settings, subject, other, found, thresholds, files)
    refuse_missed(findings)
    return result


@dataclass(frozen=True, slots=True)
class _Asked:
    model_type: str | None
    metrics: tuple[EvaluationMetric, ...]
    artifacts: Sequence[Callable[..., Any]]
    predictions: str | None
    run_name: str | None
    began: int


@dataclass(frozen=True, slots=True)
class _Found:
    outcome: Outcome
    baseline: Outcome | None
    whole: Part | None
    slices: list[tuple[str, Part]]
    notes: list[str]


def _metrics_of(extra: Any, custom: Any) -> tuple[EvaluationMetric, ...]:
    if extra and custom:
        raise UsageError("custom_metrics is an older name of extra_metrics: give one of the two.")
    return tuple(extra or custom or ())


def _check_arguments(
    asked: _Asked, data: Any, targets: Any, predictions: Any, model: Any, env_manager: str, inference_params: Any
) -> None:
    if inference_params is not None:
        raise UsageError("inference_params are for endpoints of MLflow Deployments, which are not called from here.")
    if env_manager != "local":
        raise UsageError(
            f"env_manager={env_manager!r}: the model is evaluated in this process. To have another environment, make it first, and "
            "evaluate there: the model's requirements.txt says what it needs."
        )
    if data is None:
        raise UsageError("The data argument cannot be None.")
    if isinstance(data, Dataset):
        if targets is not None:
            raise UsageError("The Dataset says which column the targets are: leave targets=… away, or give the table itself.")
        if model is None and predictions is not None:
            raise UsageError(
                "The Dataset says which column the predictions are: leave predictions=… away, or give the table itself."
            )
        if model is not None and getattr(data, "predictions", None) is not None:
            raise UsageError("The predictions parameter should not be specified in the Dataset since a model is specified.")
    elif asked.model_type in (CLASSIFIER, REGRESSOR) and targets is None:
        raise UsageError(f"The targets argument must be specified for {asked.model_type} models.")
    if asked.model_type is None and not asked.metrics:
        raise UsageError("The extra_metrics argument must be specified where model_type is None.")


def _look(
    asked: _Asked, rows: Rows, settings: Settings, subject: Subject | None, other: Subject | None, parts: list[Slice]
) -> _Found:
    outcome = _computed(asked, rows, settings, subject)
    baseline = _computed(asked, rows, settings, other) if other is not None else None
    notes = [*outcome.notes, *gaps(asked.model_type), *_unexplained(settings)]
    counted, against = outcome.counted, baseline.counted if baseline is not None else None
    if counted is None:
        notes += ["Slices are of classifiers and regressors: none was looked at."] if parts else []
        return _Found(outcome, baseline, None, [], notes)
    whole = looked_at(counted, against, settings.resampling)
    return _Found(outcome, baseline, whole, by_slice(parts, counted, against, settings.resampling), notes)


def _computed(asked: _Asked, rows: Rows, settings: Settings, subject: Subject | None) -> Outcome:
    timed = any(metric.name == LATENCY for metric in asked.metrics if isinstance(metric, EvaluationMetric))
    outcome = run_model(asked.model_type, rows, subject, settings, asked.predictions, timed)
    own = [metric for metric in asked.metrics if not (isinstance(metric, EvaluationMetric) and metric.name == LATENCY)]
    compute_metrics([*default_metrics(asked.model_type, settings), *own], outcome.bench)
    return outcome


def _unexplained(settings: Settings) -> list[str]:
    return (
        ["Explanations (log_model_explainability) are not made here: no SHAP values were computed."] if settings.explains else []
    )


def _left(
    asked: _Asked,
    settings: Settings,
    subject: Subject | None,
    other: Subject | None,
    found: _Found,
    thresholds: dict[str, MetricThreshold],
    files: Mapping[str, Path],
) -> tuple[EvaluationResult, list[Finding]]:
    """Log what was found, and judge the thresholds by it."""
    metrics, prefix = found.outcome.metrics, settings.prefix
    if found.whole is not None:
        metrics |= worst(found.slices, settings.fewest_rows) | deltas(found.whole)
    named = {f"{prefix}{name}": value for name, value in metrics.items()}
    old = {f"{prefix}{name}": value for name, value in found.baseline.metrics.items()} if found.baseline is not None else {}
    findings = judged(thresholds, named, old)
    notes = [*found.notes, *_undrawn(found.outcome, settings)]
    # Not a note of the evaluation: the site draws it all the same, from the document.
    undrawn = [_NO_PICTURES] if found.outcome.said is not None and settings.drawn and not can_draw() else []
    for note in [*notes, *undrawn]:
        _log.warning("evaluate: %s", note)
    document = make_document(
        asked.model_type, found.outcome, settings, model=subject.facts if subject else {}, extra=asked.metrics, whole=found.whole,
        slices=found.slices, baseline=(other.facts, found.baseline) if other and found.baseline else None, findings=findings, notes=notes,
    )  # fmt: skip
    leaving = Leaving(
        prefix, found.outcome.bench.rows.dataset, named, document, _pictures(found.outcome, settings), _tables(found.outcome, settings),
        _by_row(found.outcome), files, _tags(subject, other), asked.run_name, asked.began,
    )  # fmt: skip
    run_id, artifacts = leave(leaving)
    return EvaluationResult(named, artifacts, run_id, document=document, baseline_metrics=old), findings


def _tags(subject: Subject | None, other: Subject | None) -> dict[str, str]:
    said = {}
    if subject is not None:
        said = {MODEL_TAG: _called(subject), DIGEST_TAG: subject.facts.get("digest", "")}
    if other is not None:
        said[BASELINE_TAG] = _called(other)
    return {key: value for key, value in said.items() if value}


def _called(subject: Subject) -> str:
    return subject.facts.get("uri") or subject.facts.get("name", "")


def _undrawn(outcome: Outcome, settings: Settings) -> list[str]:
    said, made = outcome.said, []
    if isinstance(said, Answers) and said.probabilities is not None and len(said.labels) > max(2, settings.most_curves):
        made.append(
            f"No ROC and precision-recall curves: {len(said.labels)} classes are more than {settings.most_curves} "
            "(evaluator_config: max_classes_for_multiclass_roc_pr)."
        )
    if isinstance(said, Answers) and len(said.labels) > MOST_CLASS_ROWS:
        made.append(f"No per_class_metrics.csv: {len(said.labels)} classes are more than {MOST_CLASS_ROWS}.")
    return made


def _pictures(outcome: Outcome, settings: Settings) -> dict[str, bytes]:
    if outcome.said is None or not settings.drawn or not can_draw():
        return {}
    if isinstance(outcome.said, Answers):
        return classifier_pictures(outcome.said, settings.most_curves, settings.bins)
    return regressor_pictures(outcome.said)


def _tables(outcome: Outcome, settings: Settings) -> dict[str, Any]:
    said = outcome.said
    if isinstance(said, Answers) and not said.labels.binary and len(said.labels) <= MOST_CLASS_ROWS:
        return {"per_class_metrics": per_class(said, areas=len(said.labels) <= settings.most_curves)}
    return {}


def _by_row(outcome: Outcome) -> Any:
    """Return the rows with the scores of each; None where no metric has scores by row."""
    bench = outcome.bench
    scored = {name: value for name, value in bench.values.items() if value.scores or value.justifications}
    if not scored:
        return None
    columns: dict[str, Any] = {}
    if bench.rows.targets is not None:
        columns[bench.rows.targets_name or "target"] = bench.rows.targets
    columns[bench.rows.predictions_name or bench.predictions_name or "outputs"] = list(bench.answers)
    for name, value in scored.items():
        if value.scores:
            columns[name if name == LATENCY else f"{name}/score"] = value.scores
        if value.justifications:
            columns[f"{name}/justification"] = value.justifications
    return bench.rows.features.assign(**columns)
