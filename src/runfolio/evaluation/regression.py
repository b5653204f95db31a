"""The metrics of a regression, by MLflow's names and with scikit-learn's values."""

from __future__ import annotations

from typing import Any

from runfolio.errors import UsageError
from runfolio.evaluation.classification import Found, sklearn_metrics
from runfolio.evaluation.statistics import Measured


def as_numbers(values: Any, what: str) -> Any:
    """Return values as an array of finite floats.

    Parameters
    ----------
    values : ndarray, shape (n,)
    what : str
        For the error.

    Raises
    ------
    UsageError
        If some are no numbers, or infinite.
    """
    import numpy

    try:
        made = numpy.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise UsageError(
            f"evaluate: {what} of a regressor are numbers; these are {numpy.asarray(values).dtype}. For labels: model_type='classifier'."
        ) from None
    if not numpy.isfinite(made).all():
        raise UsageError(
            f"evaluate: {what}: {int((~numpy.isfinite(made)).sum())} of {len(made)} are infinite, and no metric counts them."
        )
    return made


def regression_metrics(said: Measured) -> Found:
    """Compute the default metrics of a regression.

    Parameters
    ----------
    said : Measured
    """
    metrics, weights = sklearn_metrics(), said.weights
    true, answered = said.true, said.answered
    total = float((true * weights).sum() if weights is not None else true.sum())
    found = Found(
        {
            "example_count": len(true),
            "mean_absolute_error": float(metrics.mean_absolute_error(true, answered, sample_weight=weights)),
            "mean_squared_error": float(metrics.mean_squared_error(true, answered, sample_weight=weights)),
            "root_mean_squared_error": float(metrics.mean_squared_error(true, answered, sample_weight=weights) ** 0.5),
            "sum_on_target": total,
            "mean_on_target": total / len(true),
            "max_error": float(metrics.max_error(true, answered)),
            "mean_absolute_percentage_error": float(
                metrics.mean_absolute_percentage_error(true, answered, sample_weight=weights)
            ),
        }
    )
    if len(true) > 1:
        found.metrics["r2_score"] = float(metrics.r2_score(true, answered, sample_weight=weights))
    else:
        found.notes.append("r2_score is not defined of one row.")
    return found
