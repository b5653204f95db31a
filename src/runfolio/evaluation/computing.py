"""One model on the rows: its answers, its metrics, and what resampling needs."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.evaluation.classification import Answers, Found, classification_metrics
from runfolio.evaluation.extra import Bench
from runfolio.evaluation.labels import arranged, labels_of
from runfolio.evaluation.metric_values import MetricValue
from runfolio.evaluation.regression import as_numbers, regression_metrics
from runfolio.evaluation.rows import Rows, check_present
from runfolio.evaluation.settings import Settings, read_weights
from runfolio.evaluation.statistics import Counted, Measured
from runfolio.evaluation.subjects import Subject

CLASSIFIER, REGRESSOR = "classifier", "regressor"


@dataclass
class Outcome:
    """What one model did on the rows.

    Parameters
    ----------
    said : Answers or Measured or None
        None of texts, and of a task without default metrics.
    counted : Counted or None
    bench : Bench
        With the default metrics.
    notes : list of str
        What could not be computed, and why.
    """

    said: Answers | Measured | None
    counted: Counted | None
    bench: Bench
    notes: list[str] = field(default_factory=list)

    @property
    def metrics(self) -> dict[str, float]:
        """The metrics, with no prefix."""
        return self.bench.aggregates()


def run_model(
    model_type: str | None, rows: Rows, subject: Subject | None, settings: Settings, predictions: str | None, timed: bool = False
) -> Outcome:
    """Have a model answer, and compute the default metrics of the task.

    Parameters
    ----------
    model_type : str or None
    rows : Rows
    subject : Subject or None
        None where the data holds the answers.
    settings : Settings
    predictions : str or None
        Column of the model's output that holds the answers.
    timed : bool
        Whether each row is predicted on its own, and its seconds are a metric.

    Raises
    ------
    UsageError
        If there are no answers, or they do not fit the rows or the task.
    """
    values: dict[str, MetricValue] = {}
    if subject is None:
        if rows.predictions is None:
            raise UsageError(
                "evaluate needs a model or answers: give model=…, or predictions='COLUMN' (of a Dataset: from_pandas(…, predictions=…))."
            )
        output = rows.predictions
        values |= {"latency": MetricValue(scores=[0.0] * len(rows))} if timed else {}
    elif timed:
        output, seconds = _row_by_row(rows, subject)
        values["latency"] = MetricValue(scores=seconds)
    else:
        output = subject.predict(rows)
    answers, others, name = answers_of(output, predictions, len(rows))
    bench = Bench(rows, answers, settings.given, others, name, values)
    if model_type == CLASSIFIER:
        return _classified(rows, subject, settings, bench)
    if model_type == REGRESSOR:
        return _measured(rows, subject, settings, bench)
    return Outcome(None, None, bench)


def _row_by_row(rows: Rows, subject: Subject) -> tuple[Any, list[float]]:
    import dataclasses

    made: list[Any] = []
    seconds = []
    for at in range(len(rows)):
        one = dataclasses.replace(rows, features=rows.features.iloc[[at]])
        start = time.perf_counter()
        output = subject.predict(one)
        seconds.append(time.perf_counter() - start)
        made.extend([output] if isinstance(output, str) else list(answers_of(output, None, 1)[0]))
    return made, seconds


def answers_of(output: Any, wanted: str | None, rows: int) -> tuple[Any, Mapping[str, Any], str | None]:
    """Return the answers in a model's output, its other columns, and what the answers' column is called.

    Parameters
    ----------
    output : DataFrame, dict, ndarray, Series or list
    wanted : str or None
    rows : int

    Raises
    ------
    UsageError
        If there is not one answer for each row, or several columns and nobody said which.
    """
    if isinstance(output, list) and output and all(isinstance(each, Mapping) for each in output):
        output = {name: [each.get(name) for each in output] for name in output[0]}
    others: Mapping[str, Any] = {}
    if isinstance(output, Mapping) or hasattr(output, "columns"):
        columns = {str(name): output[name] for name in output}
        if wanted not in columns and len(columns) == 1:
            wanted = next(iter(columns))
        if wanted is None or wanted not in columns:
            said = (
                "Output column name is not specified for the multi-output model"
                if wanted is None
                else f"There is no column {wanted!r}"
            )
            raise UsageError(f"{said}: the model returns {', '.join(columns)}. Name the answers' column: predictions='COLUMN'.")
        output = columns[wanted]
        others = {name: values for name, values in columns.items() if name != wanted}
    if isinstance(output, str) or not hasattr(output, "__len__"):
        raise UsageError(
            f"evaluate: the model returned one {type(output).__name__} for {rows} rows; one answer a row is expected."
        )
    if len(output) != rows:
        raise UsageError(
            f"evaluate: {len(output)} answers for {rows} rows. One answer a row is expected, in the order of the rows."
        )
    return output, others, wanted


def _flat(answers: Any, what: str) -> Any:
    import numpy

    made = answers.to_numpy() if hasattr(answers, "to_numpy") else numpy.asarray(answers)
    if made.ndim == 2 and made.shape[1] == 1:
        made = made[:, 0]
    if made.ndim != 1:
        raise UsageError(
            f"evaluate: the answers have the shape {made.shape}: one {what} a row is expected, not one for each class."
        )
    check_present(made, "predictions")
    return made


def _classified(rows: Rows, subject: Subject | None, settings: Settings, bench: Bench) -> Outcome:
    answers, targets = _labelled(_flat(bench.answers, "label")), _labelled(rows.targets)
    if targets.dtype.kind == "f" and (targets % 1 != 0).any():
        raise UsageError(
            "evaluate: the targets are fractions, and those of a classifier are labels (0.0 and 1.0 may stand for 0 and 1). To measure "
            "numbers: model_type='regressor'. To make labels of them, say from which number on: data['label'] = data['target'] > 0.5."
        )
    if answers.dtype.kind == "f" and (answers % 1 != 0).any():
        raise UsageError(
            "evaluate: the answers of the classifier are fractions, and the targets are labels. A model that returns probabilities: "
            "return labels from predict, and probabilities from predict_proba."
        )
    classes = subject.classes if subject is not None else None
    labels = labels_of(targets, answers, classes, settings.labels, settings.positive)
    notes: list[str] = []
    probabilities = None
    if subject is not None and subject.probabilities is not None:
        probabilities, missing = arranged(subject.probabilities(rows), classes, labels)
        notes += [f"No metric of probabilities: {missing}."] if missing else []
    weights = read_weights(settings.weights, len(rows))
    said = Answers(labels, targets, answers, probabilities, weights, settings.average)
    bench.answers = answers
    found = classification_metrics(said)
    return _outcome(said, said.counted, found, notes, rows, subject, bench, (targets, weights))


def _labelled(values: Any) -> Any:
    """Return labels as one kind of array: text is text, whatever holds it."""
    import numpy

    if values.dtype.kind == "O" and all(isinstance(value, str) for value in values.tolist()):
        return values.astype(str)
    if values.dtype.kind == "O" and all(isinstance(value, (bool, int, float, numpy.number)) for value in values.tolist()):
        return numpy.asarray(values.tolist())
    return values


def _measured(rows: Rows, subject: Subject | None, settings: Settings, bench: Bench) -> Outcome:
    answers = as_numbers(_flat(bench.answers, "number"), "predictions")
    weights = read_weights(settings.weights, len(rows))
    said = Measured(as_numbers(rows.targets, "targets"), answers, weights)
    bench.answers = answers
    return _outcome(said, said, regression_metrics(said), [], rows, subject, bench, (said.true, weights))


def _outcome(
    said: Answers | Measured,
    counted: Counted,
    found: Found,
    notes: list[str],
    rows: Rows,
    subject: Subject | None,
    bench: Bench,
    scored: tuple[Any, Any],
) -> Outcome:
    metrics = dict(found.metrics)
    if subject is not None and subject.score is not None:
        try:
            metrics["score"] = subject.score(rows, *scored)
        except UsageError as error:
            notes = [*notes, f"No score: {error.message}"]
    bench.values |= {name: MetricValue(aggregate_results={name: value}) for name, value in metrics.items()}
    return Outcome(said, counted, bench, [*notes, *found.notes])
