"""What a metric must reach, alone and against a baseline: MLflow's ``MetricThreshold`` and the check of a result against it.

>>> wanted = {"accuracy_score": MetricThreshold(threshold=0.9, greater_is_better=True)}
>>> [finding.passed for finding in judged(wanted, {"accuracy_score": 0.85}, {})]
[False]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import ModelValidationFailedError, UsageError

ModelValidationFailedException = ModelValidationFailedError
"""MLflow's name for it."""
_WHEN_ZERO = 1e-10
"""By how much a metric must be better where the baseline's is 0, so that no share of it can be told (MLflow's rule)."""


class MetricThreshold:
    """What a metric must reach.

    Parameters
    ----------
    threshold : float, optional
        The metric must be at least so great (at most, where less is better).
    min_absolute_change : float, optional
        By how much it must be better than the baseline's; more than 0.
    min_relative_change : float, optional
        By which share of the baseline's value it must be better, from 0 to 1.
    greater_is_better : bool
    higher_is_better : bool, optional
        An older name of `greater_is_better`.

    Raises
    ------
    UsageError
        If a number is of the wrong kind, no threshold is given, or nobody says which way is better.
    """

    def __init__(
        self,
        threshold: float | None = None,
        min_absolute_change: float | None = None,
        min_relative_change: float | None = None,
        greater_is_better: bool | None = None,
        higher_is_better: bool | None = None,
    ) -> None:
        if threshold is not None and not _is_number(threshold):
            raise _refused("`threshold` parameter must be a number.")
        if min_absolute_change is not None and (not _is_number(min_absolute_change) or min_absolute_change <= 0):
            raise _refused("`min_absolute_change` parameter must be a positive number.")
        if min_relative_change is not None:
            if not isinstance(min_relative_change, float):
                raise _refused("`min_relative_change` parameter must be a floating point number.")
            if not 0 <= min_relative_change <= 1:
                raise _refused("`min_relative_change` parameter must be between 0 and 1.")
        if greater_is_better is None and higher_is_better is None:
            raise _refused("`greater_is_better` parameter must be defined.")
        if greater_is_better is not None and higher_is_better is not None:
            raise _refused("`higher_is_better` parameter must be None when `greater_is_better` is defined.")
        better = higher_is_better if greater_is_better is None else greater_is_better
        if not isinstance(better, bool):
            raise _refused("`greater_is_better` parameter must be a boolean.")
        if threshold is None and min_absolute_change is None and min_relative_change is None:
            raise _refused("no threshold was specified.")
        self._threshold, self._absolute, self._relative, self._better = (
            threshold,
            min_absolute_change,
            min_relative_change,
            better,
        )

    @property
    def threshold(self) -> float | None:
        """The value to reach."""
        return self._threshold

    @property
    def min_absolute_change(self) -> float | None:
        """By how much the metric must be better than the baseline's."""
        return self._absolute

    @property
    def min_relative_change(self) -> float | None:
        """By which share of the baseline's value it must be better."""
        return self._relative

    @property
    def greater_is_better(self) -> bool:
        """Whether more is better."""
        return self._better

    @property
    def higher_is_better(self) -> bool:
        """An older name of :attr:`greater_is_better`."""
        return self._better

    def __str__(self) -> str:
        """Return all that is asked for, in words."""
        said = [
            ("Threshold", self._threshold),
            ("Minimum Absolute Change", self._absolute),
            ("Minimum Relative Change", self._relative),
        ]
        parts = [f"{name}: {value}." for name, value in said if value is not None]
        return " ".join([*parts, "Higher value is better." if self._better else "Lower value is better."])

    def __repr__(self) -> str:
        return f"<MetricThreshold: {self}>"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and not math.isnan(value)


def _refused(message: str) -> UsageError:
    return UsageError(f"Could not instantiate MetricThreshold class: {message}")


@dataclass(frozen=True, slots=True)
class Finding:
    """What came of one threshold.

    Parameters
    ----------
    metric : str
    passed : bool
    text : str
        What was asked, what was found.
    """

    metric: str
    passed: bool
    text: str


def judged(
    thresholds: Mapping[str, MetricThreshold], candidate: Mapping[str, float], baseline: Mapping[str, float]
) -> list[Finding]:
    """Compare metrics with thresholds; a metric that is not there fails.

    Parameters
    ----------
    thresholds : Mapping of str to MetricThreshold
    candidate, baseline : Mapping of str to float
        Metrics; those of the baseline may be none.
    """
    return [_finding(name, threshold, candidate, baseline) for name, threshold in thresholds.items()]


def _finding(name: str, wanted: MetricThreshold, candidate: Mapping[str, float], baseline: Mapping[str, float]) -> Finding:
    if name not in candidate:
        text = f"Metric validation failed: metric {name} was missing from the evaluation result of the candidate model."
        return Finding(name, False, text)
    value, texts = candidate[name], []
    if wanted.threshold is not None and not _reaches(value, wanted.threshold, wanted):
        texts.append(
            f"Metric {name} value threshold check failed: candidate model {name} = {value}, {name} threshold = {wanted.threshold}."
        )
    if wanted.min_absolute_change or wanted.min_relative_change:
        if name in baseline:
            texts += _changes(name, wanted, value, baseline[name])
        else:
            texts.append(f"Model comparison failed: metric {name} was missing from the evaluation result of the baseline model.")
    return Finding(name, not texts, " ".join(texts) or f"Metric {name} passed the validation: it is {value}. {wanted}")


def _reaches(value: float, wanted: float, threshold: MetricThreshold) -> bool:
    return value >= wanted if threshold.greater_is_better else value <= wanted


def _changes(name: str, wanted: MetricThreshold, value: float, old: float) -> list[str]:
    sign = 1 if wanted.greater_is_better else -1
    made = []
    pair = f"candidate model {name} = {value}, baseline model {name} = {old}"
    by = wanted.min_absolute_change
    if by is not None and not (_finite(value, old) and sign * Decimal(value) >= sign * Decimal(old + sign * by)):
        made.append(
            f"Metric {name} minimum absolute change check failed: {pair}, {name} minimum absolute change threshold = {by}."
        )
    share = wanted.min_relative_change
    if share is not None:
        changed = sign * (value - old) - _WHEN_ZERO if old == 0 else sign * (value - old) / old - share
        if not changed >= 0:
            made.append(
                f"Metric {name} minimum relative change check failed: {pair}, {name} minimum relative change threshold = {share}."
            )
    return made


def _finite(*values: float) -> bool:
    return all(math.isfinite(value) for value in values)


def validate_evaluation_results(
    validation_thresholds: dict[str, MetricThreshold], candidate_result: Any, baseline_result: Any = None
) -> None:
    """Check the result of an evaluation against thresholds, and against the result of a baseline.

    Parameters
    ----------
    validation_thresholds : dict of str to MetricThreshold
        By the metric's name.
    candidate_result, baseline_result : EvaluationResult
        What ``runfolio.evaluate`` returned.

    Raises
    ------
    ModelValidationFailedError
        Naming every threshold that was missed, with both values.
    UsageError
        If the thresholds are no dictionary of thresholds.
    """
    checked = checked_thresholds(validation_thresholds)
    refuse_missed(judged(checked, candidate_result.metrics, baseline_result.metrics if baseline_result else {}))


def checked_thresholds(said: object) -> dict[str, MetricThreshold]:
    """Return thresholds if they are a dictionary of them, by name."""
    if not isinstance(said, dict) or not all(
        isinstance(key, str) and isinstance(value, MetricThreshold) for key, value in said.items()
    ):
        raise UsageError("The validation thresholds argument must be a dictionary that maps strings to MetricThreshold objects.")
    return said


def refuse_missed(findings: list[Finding]) -> None:
    """Raise where a threshold was missed."""
    missed = [finding.text for finding in findings if not finding.passed]
    if missed:
        raise ModelValidationFailedError("\n".join(missed))
