"""``runfolio models evaluate``: a model on a file of rows whose answers are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.opening import chosen_folio
from runfolio.cli.tables import Column, print_json, print_table

if TYPE_CHECKING:
    from runfolio.evaluation.result import EvaluationResult
    from runfolio.evaluation.thresholds import MetricThreshold

_THRESHOLD = re.compile(r"\s*([^<>=]+?)\s*(>=|<=)\s*(\S+)\s*\Z")
_CHANGE = re.compile(r"\s*(\S+)\s+([0-9.eE+-]+)\s*(%?)\s*\Z")


@click.command("evaluate")
@click.option("-m", "--model-uri", "model", metavar="URI", help="The model; none where the data holds the answers.")
@click.option(
    "-d",
    "--data",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A .csv, .parquet or .jsonl file.",
)
@click.option("--targets", required=True, metavar="COLUMN", help="The column with what is true.")
@click.option("--predictions", metavar="COLUMN", help="The column with the answers, where there is no model.")
@click.option("--model-type", required=True, metavar="TASK", help="classifier, regressor, …")
@click.option("--baseline", metavar="URI", help="Another model, to compare with on the same rows.")
@click.option(
    "--slice", "slices", metavar="COLUMN|EXPRESSION", multiple=True, help="Rows to look at on their own, too; repeat for more."
)
@click.option(
    "--threshold", "thresholds", metavar="'METRIC >= VALUE'", multiple=True, help="What a metric must reach; repeat for more."
)
@click.option(
    "--min-change",
    "changes",
    metavar="'METRIC VALUE[%]'",
    multiple=True,
    help="By how much it must be better than the baseline's.",
)
@click.option("--experiment", metavar="NAME", help="The run's experiment; made if it is missing.")
@click.option("--name", metavar="TEXT", help="The run's name.")
@options.as_json
def evaluate(
    model: str | None,
    data: Path,
    targets: str,
    predictions: str | None,
    model_type: str,
    baseline: str | None,
    slices: tuple[str, ...],
    thresholds: tuple[str, ...],
    changes: tuple[str, ...],
    experiment: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Evaluate a model, and log what was found as a run.

    Ends with 1 where a threshold is missed; the run is kept.

    \b
    runfolio models evaluate -m models:/churn/3 -d test.csv --targets churned --model-type classifier
    runfolio models evaluate -d answered.csv --targets y --predictions said --model-type regressor --threshold "r2_score >= 0.8"
    """
    from runfolio.evaluation.evaluating import evaluate as run
    from runfolio.evaluation.rows import read_file
    from runfolio.evaluation.thresholds import judged, refuse_missed
    from runfolio.tracking import fluent
    from runfolio.tracking.datasets import from_pandas
    from runfolio.tracking.session import set_tracking_uri

    wanted = _wanted(thresholds, changes)
    frame = read_file(data)
    given: Any = {"targets": targets, "predictions": predictions, "dataset_path": str(data)}
    if predictions is None:
        if targets not in frame.columns:
            raise click.UsageError(f"{data} has no column {targets!r}. It has: {', '.join(map(str, list(frame.columns)[:20]))}.")
        frame, given = from_pandas(frame, source=str(data), targets=targets, name=data.stem), {}
    set_tracking_uri(chosen_folio())
    if experiment:
        fluent.set_experiment(experiment)
    found = run(model, frame, model_type=model_type, baseline_model=baseline, slices=list(slices), run_name=name, **given)
    fluent.flush()
    if as_json:
        print_json({"run_id": found.run_id, "metrics": found.metrics, "document": found.document})
    else:
        _show(found)
    refuse_missed(judged(wanted, found.metrics, found.baseline_metrics))


def _wanted(thresholds: tuple[str, ...], changes: tuple[str, ...]) -> dict[str, MetricThreshold]:
    from runfolio.evaluation.statistics import better_of
    from runfolio.evaluation.thresholds import MetricThreshold

    said: dict[str, dict[str, Any]] = {}
    for text in thresholds:
        match = _THRESHOLD.match(text)
        if match is None:
            raise click.UsageError(f"--threshold {text!r}: write METRIC >= VALUE, or METRIC <= VALUE.")
        said[match[1]] = {"threshold": _number(match[3], text), "greater_is_better": match[2] == ">="}
    for text in changes:
        match = _CHANGE.match(text)
        if match is None:
            raise click.UsageError(f"--min-change {text!r}: write METRIC VALUE, such as 'roc_auc 0.01' or 'roc_auc 1%'.")
        entry = said.setdefault(match[1], {})
        way = better_of(match[1])
        if "greater_is_better" not in entry and way is None:
            raise click.UsageError(
                f"--min-change {text!r}: nobody says which way {match[1]} is better: give a --threshold for it, too."
            )
        entry.setdefault("greater_is_better", way == "max")
        entry["min_relative_change" if match[3] else "min_absolute_change"] = _number(match[2], text) / (100 if match[3] else 1)
    return {name: MetricThreshold(**entry) for name, entry in said.items()}


def _number(text: str, said: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{said!r}: {text!r} is no number.") from None


def _show(found: EvaluationResult) -> None:
    from runfolio.diff.describe import number_text

    rows = []
    for name, entry in found.document["metrics"].items():
        between = f"{number_text(entry['low'])} to {number_text(entry['high'])}" if "low" in entry else ""
        changed = f"{entry['difference']:+.4g}" if "difference" in entry else ""
        rows.append([name, number_text(found.metrics.get(name, entry["value"])), between, entry.get("method", ""), changed])
    columns = [Column("metric"), Column("value", right=True, whole=True), Column("95 %", rank=1), Column("by", rank=3)]
    if any(row[-1] for row in rows):
        columns.append(Column("to baseline", right=True, rank=2))
    print_table(columns, [row[: len(columns)] for row in rows])
    entries = found.document.get("slices", {}).get("rows", ())
    first = found.document.get("slices", {}).get("metric", "")
    if entries:
        click.echo()
        made = [_slice_row(entry, first) for entry in entries]
        print_table(
            [Column("slice"), Column("rows", right=True), Column(first, right=True, whole=True), Column("95 %", rank=1)], made
        )
    click.echo(f"runfolio: run {found.run_id}", err=True)


def _slice_row(entry: dict[str, Any], metric: str) -> list[str]:
    from runfolio.diff.describe import number_text

    value = entry["metrics"].get(metric, {})
    between = f"{number_text(value['low'])} to {number_text(value['high'])}" if "low" in value else ""
    return [entry["name"], str(entry["rows"]), number_text(value["value"]) if value else "–", between]
