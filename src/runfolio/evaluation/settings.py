"""What ``evaluator_config`` says, read once: MLflow's keys, and ours for intervals and slices.

Keys that are not known are kept: functions of extra metrics may ask for them by name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.evaluation.intervals import Resampling

EVALUATORS = ("default", "classifier", "regressor", "shap")


@dataclass(frozen=True, slots=True)
class Settings:
    """How to evaluate.

    Parameters
    ----------
    prefix : str
        Before each metric's name.
    labels : sequence or None
    positive : Any
    average : str
    weights : Any
        One a row, or None.
    most_curves : int
        Classes beyond which no curves are made.
    bins : int
        Of calibration.
    resampling : Resampling
    slice_metric : str or None
        The metric that a page shows of slices first.
    fewest_rows : int
        Of a slice that can be the worst one.
    k : int
        Of retrievers.
    drawn : bool
        Whether pictures are made.
    explains : bool
        Whether an explanation by SHAP was asked for in so many words.
    given : Mapping
        All that was said.
    """

    prefix: str = ""
    labels: Sequence[Any] | None = None
    positive: Any = None
    average: str = "weighted"
    weights: Any = None
    most_curves: int = 10
    bins: int = 10
    resampling: Resampling = field(default_factory=Resampling)
    slice_metric: str | None = None
    fewest_rows: int = 10
    k: int = 3
    drawn: bool = True
    explains: bool = False
    given: Mapping[str, Any] = field(default_factory=dict)


def read_settings(evaluators: Any, said: Any) -> Settings:
    """Read the arguments ``evaluators`` and ``evaluator_config``.

    Parameters
    ----------
    evaluators : str, sequence of str or None
    said : Mapping or None
        Flat, or by evaluator.

    Raises
    ------
    UsageError
        If there is no such evaluator, or a value is of the wrong kind.
    """
    names = [evaluators] if isinstance(evaluators, str) else list(evaluators or ())
    strange = [name for name in names if name not in EVALUATORS]
    if strange:
        raise UsageError(f"evaluators: there is no {', '.join(map(repr, strange))} here. There is: {', '.join(EVALUATORS)}.")
    config = _dictionary(said, "evaluator_config")
    of_each = {name: _dictionary(config[name], f"evaluator_config: {name}") for name in EVALUATORS if name in config}
    if of_each:
        config = {key: value for each in of_each.values() for key, value in each.items()}
    return _settings(config)


def _dictionary(said: Any, what: str) -> dict[str, Any]:
    if said is not None and not isinstance(said, Mapping):
        raise UsageError(f"{what} is a dictionary, this is {type(said).__name__}.")
    return dict(said or {})


def _settings(config: dict[str, Any]) -> Settings:
    if config.get("eval_results_path"):
        raise UsageError("evaluator_config: eval_results_path writes a table of Spark, which is not done here.")
    level = _number(config, "confidence_level", 0.95, 0.5, 0.9999)
    times = _whole(config, "bootstrap_resamples", 1000, 0)
    resampling = Resampling(level, times if config.get("intervals", True) else 0, _whole(config, "bootstrap_seed", 0, 0))
    prefix = config.get("metric_prefix") or ""
    if not isinstance(prefix, str):
        raise UsageError(f"evaluator_config: metric_prefix is text, not {prefix!r}.")
    labels = config.get("label_list")
    if labels is not None and (isinstance(labels, (str, Mapping)) or not hasattr(labels, "__len__")):
        raise UsageError(f"evaluator_config: label_list is a list of labels, not {labels!r}.")
    _dictionary(config.get("col_mapping"), "evaluator_config: col_mapping")
    return Settings(
        prefix,
        labels,
        config.get("pos_label"),
        config.get("average", "weighted"),
        config.get("sample_weights"),
        _whole(config, "max_classes_for_multiclass_roc_pr", 10, 0),
        _whole(config, "calibration_bins", 10, 2),
        resampling,
        config.get("slice_metric"),
        _whole(config, "min_slice_rows", 10, 1),
        _whole(config, "retriever_k", 3, 1),
        bool(config.get("log_plots", True)),
        bool(config.get("log_model_explainability", False)),
        config,
    )


def _whole(config: Mapping[str, Any], key: str, default: int, least: int) -> int:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"evaluator_config: {key} is a whole number from {least}, not {value!r}.")
    return value


def _number(config: Mapping[str, Any], key: str, default: float, least: float, most: float) -> float:
    value = config.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        raise UsageError(f"evaluator_config: {key} is a number from {least} to {most}, not {value!r}.")
    return float(value)


def read_weights(said: Any, rows: int) -> Any:
    """Return weights of rows as an array; None where there are none.

    Parameters
    ----------
    said : Any
    rows : int

    Raises
    ------
    UsageError
        If there is not one finite weight of 0 or more for each row, or all are 0.
    """
    if said is None:
        return None
    import numpy

    try:
        made = numpy.asarray(said, dtype=float)
    except (TypeError, ValueError):
        raise UsageError("evaluator_config: sample_weights are numbers, one a row.") from None
    if made.shape != (rows,):
        raise UsageError(f"evaluator_config: sample_weights: {rows} rows, and weights of shape {made.shape}.")
    if not (numpy.isfinite(made).all() and (made >= 0).all() and math.isfinite(made.sum()) and made.sum() > 0):
        raise UsageError("evaluator_config: sample_weights are finite and not negative, and not all 0.")
    return made
