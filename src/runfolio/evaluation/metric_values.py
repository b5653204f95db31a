"""Metrics of one's own: what a metric function returns, and what makes a function a metric. MLflow's ``mlflow.metrics``.

>>> over = make_metric(eval_fn=lambda predictions, targets: float((predictions > targets).mean()), greater_is_better=False, name="over")
>>> over.name, over.greater_is_better
('over', False)
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError

_log = logging.getLogger("runfolio")


def standard_aggregations(scores: Sequence[float]) -> dict[str, float]:
    """Return mean, variance and 90th percentile of scores by row."""
    import numpy

    return {"mean": float(numpy.mean(scores)), "variance": float(numpy.var(scores)), "p90": float(numpy.percentile(scores, 90))}


def is_numeric(value: object) -> bool:
    """Tell whether a value is a number, of Python or numpy."""
    import numpy

    return isinstance(value, (int, float, numpy.number))


@dataclass
class MetricValue:
    """The value of a metric: by row, in all, or both.

    Parameters
    ----------
    scores : list of float or str, optional
        One a row.
    justifications : list of str, optional
        Why each score is what it is.
    aggregate_results : dict of str to float, optional
        Mean, variance and 90th percentile of numeric scores by default.
    """

    scores: list[str] | list[float] | None = None
    justifications: list[str] | None = None
    aggregate_results: dict[str, float] | None = None

    def __post_init__(self) -> None:
        scores = self.scores
        if self.aggregate_results is None and isinstance(scores, (list, tuple)) and all(map(is_numeric, scores)):
            self.aggregate_results = standard_aggregations([float(score) for score in scores])


class EvaluationMetric:
    """A metric: a function and what it is called; made by :func:`make_metric`.

    Parameters
    ----------
    eval_fn : callable
        Called with the columns that its parameters name.
    name : str
    greater_is_better : bool
    long_name, version, metric_details : str, optional
    metric_metadata, genai_metric_args : dict, optional
    """

    def __init__(
        self,
        eval_fn: Callable[..., Any],
        name: str,
        greater_is_better: bool,
        long_name: str | None = None,
        version: str | None = None,
        metric_details: str | None = None,
        metric_metadata: Mapping[str, Any] | None = None,
        genai_metric_args: Mapping[str, Any] | None = None,
    ) -> None:
        self.eval_fn, self.name, self.greater_is_better = eval_fn, name, greater_is_better
        self.long_name, self.version, self.metric_details = long_name or name, version, metric_details
        self.metric_metadata, self.genai_metric_args = metric_metadata, genai_metric_args

    def __call__(self, **kwargs: Any) -> Any:
        """Compute the metric of what is given by name: ``metric(predictions=…, targets=…)``."""
        return self.eval_fn(**kwargs)

    def __str__(self) -> str:
        said = {"long_name": self.long_name, "version": self.version, "metric_details": self.metric_details}
        more = [f"{key}={value}" for key, value in {**said, "metric_metadata": self.metric_metadata}.items() if value]
        return f"EvaluationMetric({', '.join([f'name={self.name}, greater_is_better={self.greater_is_better}', *more])})"


def make_metric(
    *,
    eval_fn: Callable[..., Any],
    greater_is_better: bool,
    name: str | None = None,
    long_name: str | None = None,
    version: str | None = None,
    metric_details: str | None = None,
    metric_metadata: Mapping[str, Any] | None = None,
    genai_metric_args: Mapping[str, Any] | None = None,
) -> EvaluationMetric:
    """Make a metric of a function, for ``extra_metrics`` of ``runfolio.evaluate``.

    Parameters
    ----------
    eval_fn : callable
        Its parameters say what it gets: ``predictions``, ``targets`` (Series), ``metrics`` (those computed so far, by name), a column
        of the data, a key of ``evaluator_config``, the name of another metric; or, of two parameters of other names, a DataFrame with
        ``prediction`` and ``target``, and the metrics. It returns a number or a :class:`MetricValue`.
    greater_is_better : bool
    name : str, optional
        The function's by default; a lambda needs one.
    long_name, version, metric_details : str, optional
    metric_metadata, genai_metric_args : dict, optional

    Raises
    ------
    UsageError
        If there is no name, or it has a slash.
    """
    called = name if name is not None else getattr(eval_fn, "__name__", None)
    if called is None:
        raise UsageError("`name` must be specified if `eval_fn` does not have a `__name__` attribute.")
    if called == "<lambda>":
        raise UsageError("`name` must be specified if `eval_fn` is a lambda function.")
    if "/" in called:
        raise UsageError(f"Invalid metric name '{called}'. Metric names cannot include forward slashes ('/').")
    if not called.isidentifier() or called in ("predictions", "targets", "metrics"):
        _log.warning("The metric name %r cannot be a parameter of another metric's function.", called)
    return EvaluationMetric(
        eval_fn, called, greater_is_better, long_name, version, metric_details, metric_metadata, genai_metric_args
    )
