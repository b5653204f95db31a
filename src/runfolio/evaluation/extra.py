"""Metrics and artifacts of the user's own functions, computed beside the default ones by MLflow's rules.

A metric's function is given what its parameters name: the answers, the targets, the metrics so far, a column, a key of the configuration,
another metric. Metrics that need others wait for them, whatever their order.
"""

from __future__ import annotations

import copy
import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import UsageError
from runfolio.evaluation.artifacts import of_value, plain
from runfolio.evaluation.metric_values import EvaluationMetric, MetricValue, is_numeric
from runfolio.evaluation.rows import Rows
from runfolio.evaluation.subjects import faults_of

_log = logging.getLogger("runfolio")
_EMPTY = inspect.Parameter.empty
_MISSING = object()


@dataclass
class Bench:
    """What metric functions may ask for.

    Parameters
    ----------
    rows : Rows
    answers : Any
        One a row.
    config : Mapping
        The evaluator's configuration.
    others : Mapping of str to Any
        Further columns of the model's output.
    predictions_name : str or None
    values : dict of str to MetricValue
        Metrics computed so far, by name; a version after a slash.
    """

    rows: Rows
    answers: Any
    config: Mapping[str, Any]
    others: Mapping[str, Any] = field(default_factory=dict)
    predictions_name: str | None = None
    values: dict[str, MetricValue] = field(default_factory=dict)

    def frame(self) -> Any:
        """Return a DataFrame with ``prediction`` and ``target``."""
        import pandas

        made = pandas.DataFrame({"prediction": pandas.Series(list(self.answers))})
        if self.rows.targets is not None:
            made["target"] = self.rows.targets
        return made

    def aggregates(self) -> dict[str, float]:
        """Return the metrics as they are logged: ``rouge1/v1/mean``."""
        made = {}
        for name, value in self.values.items():
            for part, number in (value.aggregate_results or {}).items():
                if number is not None:
                    made[name if part == name.split("/")[0] else f"{name}/{part}"] = number
        return made

    def argument(self, parameter: str) -> Any:
        """Return what a parameter of a metric's function gets, or a mark that there is nothing of that name."""
        column = self.config.get("col_mapping", {}).get(parameter, parameter)
        if not isinstance(column, str):
            return column
        if column in ("predictions", self.predictions_name, self.rows.predictions_name):
            return self.frame()["prediction"]
        if column in ("targets", self.rows.targets_name):
            return self.frame()["target"] if self.rows.targets is not None else _MISSING
        if column == "metrics":
            return copy.deepcopy(self.values)
        for held in (self.rows.features, self.others, self.config):
            if column in held:
                return held[column]
        return next((value for name, value in self.values.items() if name.split("/")[0] == column), _MISSING)


def compute_metrics(metrics: Sequence[EvaluationMetric], bench: Bench) -> None:
    """Compute metrics of the user's, and add them to the bench.

    Parameters
    ----------
    metrics : sequence of EvaluationMetric
    bench : Bench

    Raises
    ------
    UsageError
        If one is no metric, asks for what is not there, or its function fails.
    """
    wrong = [f"{metric!r} is a {type(metric).__name__}" for metric in metrics if not isinstance(metric, EvaluationMetric)]
    if wrong:
        raise UsageError(f"extra_metrics: metrics are made by runfolio.models.make_metric; {'; '.join(wrong)}.")
    waiting = list(metrics)
    while waiting:
        later, lacking = [], {}
        for metric in waiting:
            missing = _compute(metric, bench)
            if missing:
                later.append(metric)
                lacking[metric.name] = missing
        if len(later) == len(waiting):
            raise UsageError(_asked_in_vain(lacking, bench))
        waiting = later


def _compute(metric: EvaluationMetric, bench: Bench) -> list[str]:
    """Compute a metric; return what it asks for and is not there."""
    parameters = inspect.signature(metric.eval_fn).parameters
    names = list(parameters)
    if len(names) == 2 and names[0] != "predictions" and names[1] != "targets":
        args, missing = [bench.frame(), bench.aggregates()], []
    else:
        found = {name: bench.argument(name) for name in names if parameters[name].kind not in (2, 4)}
        found = {name: parameters[name].default if value is _MISSING else value for name, value in found.items()}
        missing = [name for name, value in found.items() if value is _EMPTY]
        args = list(found.values())
    if missing:
        return missing
    with faults_of(f"the metric {metric.name!r}"):
        value = metric.eval_fn(*args)
    checked = _checked(metric, value)
    if checked is not None:
        bench.values[f"{metric.name}/{metric.version}" if metric.version else metric.name] = checked
    return []


def _checked(metric: EvaluationMetric, value: Any) -> MetricValue | None:
    """Return what a function gave as a value of a metric; None, with a warning, where it is none."""
    if is_numeric(value):
        return MetricValue(aggregate_results={metric.name: value})
    wrong = ""
    if value is None:
        wrong = "returned None"
    elif not isinstance(value, MetricValue):
        wrong = f"returned a {type(value).__name__}, and neither a number nor a MetricValue"
    elif value.scores is not None and not isinstance(value.scores, list):
        wrong = "returned scores that are no list"
    elif not all(isinstance(key, str) and (number is None or is_numeric(number)) for key, number in _parts(value)):
        wrong = "returned aggregate_results that are not numbers by name"
    if wrong:
        _log.warning("The metric %r is not logged: its function %s.", metric.name, wrong)
        return None
    assert isinstance(value, MetricValue)
    return value


def _parts(value: MetricValue) -> Iterable[tuple[Any, Any]]:
    return (value.aggregate_results or {}).items()


def _asked_in_vain(lacking: Mapping[str, list[str]], bench: Bench) -> str:
    said = "; ".join(f"the metric {name!r} asks for {', '.join(map(repr, missing))}" for name, missing in lacking.items())
    columns = ", ".join(str(name) for name in [*bench.rows.features.columns, *bench.others][:30])
    return (
        f"extra_metrics: {said}: there is no such column, metric or key of evaluator_config. Columns: {columns}. To give a column "
        "another name: evaluator_config={'col_mapping': {'parameter': 'column'}}."
    )


def custom_artifacts(functions: Sequence[Callable[..., Any]], bench: Bench, folder: Path) -> dict[str, Path]:
    """Call the functions of ``custom_artifacts``, and write what they return to files.

    Parameters
    ----------
    functions : sequence of callable
        Of the frame of :meth:`Bench.frame`, the metrics, and a folder to write to.
    bench : Bench
    folder : Path

    Returns
    -------
    dict of str to Path
        Files by the artifact's name.

    Raises
    ------
    UsageError
        If a function fails, or two make an artifact of one name.
    """
    made: dict[str, Path] = {}
    for at, function in enumerate(functions):
        name = str(getattr(function, "__name__", repr(function)))
        own = folder / f"made-{at}"
        own.mkdir()
        with faults_of(f"the artifact function {name!r}"):
            found = function(bench.frame(), copy.deepcopy(bench.values), str(own))
        if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
            _log.warning("custom_artifacts: %r returned no dictionary of artifacts by name: nothing of it is logged.", name)
            continue
        for key, value in found.items():
            if key in made:
                raise UsageError(f"custom_artifacts: {key!r} is made twice.")
            made[key] = _written(key, value, folder, f"custom_artifacts: {name!r}")
    return made


def _written(name: str, value: Any, folder: Path, where: str) -> Path:
    kind, ending, source = of_value(name, value, where)
    if "/" in name or name in ("", ".", ".."):
        raise UsageError(f"{where}: {name!r} cannot name a file.")
    path = folder / f"{name}{ending}"
    if source is not None:
        path.write_bytes(source.read_bytes())
    elif hasattr(value, "savefig"):
        value.savefig(path)
    else:
        kind("", value if not isinstance(value, (dict, list, tuple)) else plain(value)).write(path)
    return path
