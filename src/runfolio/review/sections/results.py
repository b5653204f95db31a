"""The best new run beside the baseline, and a chart of the configurations that were tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runfolio.diff.compare import Comparison, Row, compare_runs
from runfolio.diff.sparklines import sparkline
from runfolio.diff.verdict import IMPROVED, REGRESSED, Group, Trial, Verdict, group_trials, is_number
from runfolio.records import RunStatus
from runfolio.review.change import Change, ExperimentChange
from runfolio.review.options import ReportOptions
from runfolio.review.parts import (
    BAD,
    GOOD,
    QUIET,
    Bars,
    Block,
    Items,
    Line,
    Name,
    Paragraph,
    Section,
    State,
    Table,
    table,
    value,
)
from runfolio.review.sections.alarms import shown
from runfolio.review.sections.ends import SHOWN
from runfolio.review.words import arrow, mean_words, tone_of, verdict_line
from runfolio.site.words import number_words, pair_words, signed_words

BARS = 20
"""Configurations in a chart, at most; more cannot be told apart in a comment."""
_KINDS = ("metric", "param")


def results(change: Change, options: ReportOptions) -> Section | None:
    """Show, for each experiment with new results, the verdict and what differs between baseline and best."""
    blocks: list[Block] = []
    told = [item for item in change.experiments if item.added]
    left = max(0, len(told) - options.rows)
    if len(told) > 1:
        blocks.append(_overview(told, options))
    for item in told[: options.rows]:
        blocks.append(Paragraph(_title(item, change, options)))
        if item.objective and item.verdict and item.verdict.after:
            found = _table(item, options)
            if found.rows:
                blocks.append(found)
    if left:
        blocks.append(Items((), "experiment", left))
    files = [item for item in change.experiments if item.what]
    if files:
        blocks += list(_files(files, options))
    return Section("results", "Results", tuple(blocks)) if blocks else None


def chart(change: Change, options: ReportOptions) -> Section | None:
    """Draw the experiment with the most new configurations, where there are enough to see something."""
    charts = [found for found in map(bars_of, change.experiments) if found is not None]
    charts = [found for found in charts if len(found.values) + bool(found.baseline) > 2]
    if not charts:
        return None
    best = max(charts, key=lambda found: (bool(found.baseline), len(found.values)))
    return Section("chart", "", (best,))


def groups_of(item: ExperimentChange) -> list[Group]:
    """Return the configurations of the new runs, the best first."""
    if item.objective is None:
        return []
    metric, sign = item.objective.metric, -1 if item.objective.direction == "max" else 1
    trials = [
        Trial(run.run_id, run.name, run.params, run.metrics[metric].last)
        for run in item.added
        if metric in run.metrics and is_number(run.metrics[metric].last) and run.status is RunStatus.FINISHED
    ]
    return sorted(group_trials(trials, item.objective), key=lambda group: (sign * group.mean, group.trials[0].run_id))


def bars_of(item: ExperimentChange) -> Bars | None:
    """Return the chart of an experiment's new configurations, or None where there is nothing to draw."""
    groups = groups_of(item)
    if not groups or item.objective is None:
        return None
    values = tuple(tuple(trial.value for trial in group.trials) for group in groups[:BARS])
    before = item.verdict.before if item.verdict else None
    baseline = tuple(trial.value for trial in before.trials) if before else ()
    return Bars(item.name, item.objective.metric, item.objective.direction, values, baseline, len(groups))


def _overview(told: Sequence[ExperimentChange], options: ReportOptions) -> Table:
    """Put the experiments below each other, with the course of the objective over the new runs of each."""
    rows = []
    for item in told[: options.rows]:
        verdict = item.verdict
        rows.append((
            (Name(item.name),),
            (Name(item.objective.metric),) if item.objective else ("–",),
            (number_words(verdict.before.mean if verdict and verdict.before else None),),
            (number_words(verdict.after.mean if verdict and verdict.after else None),),
            (State(verdict.word, tone_of(verdict)),) if verdict else ("nothing to compare",),
            (f"{len(item.added):,}",),
            course(item) or ("–",),
        ))  # fmt: skip
    heads = ("Experiment", "Objective", "Before", "Best new", "Verdict", "New runs", "From the first to the last")
    return table(heads, rows, "experiment", (2, 3, 5), len(told) - len(rows))


def course(item: ExperimentChange) -> Line:
    """Draw the objective of the new runs in the order in which they ran; empty for fewer than three."""
    if item.objective is None:
        return ()
    metric = item.objective.metric
    values = [run.metrics[metric].last for run in sorted(item.added, key=lambda run: run.start) if metric in run.metrics]
    return (Name(sparkline(values)),) if len(values) > 2 else ()


def _title(item: ExperimentChange, change: Change, options: ReportOptions) -> Line:
    """Return the verdict of an experiment, or only its name where the first lines of the report said it already."""
    judged = [found for found in change.experiments if found.verdict]
    if "verdict" in options.sections and item.verdict and len(judged) <= SHOWN:
        return (Name(item.name), f": {item.verdict.word}")
    return (*verdict_line(item), ".")


def _table(item: ExperimentChange, options: ReportOptions) -> Table:
    """Put the baseline and the best beside each other: the objective with its replicates first, then only what differs."""
    assert item.objective is not None
    assert item.verdict is not None
    verdict = item.verdict
    before = mean_words(verdict.before, item) if verdict.before else "–"
    after = mean_words(verdict.after, item) if verdict.after else "–"
    first: tuple[Line, ...] = (
        (Name(item.objective.metric), f" ({arrow(item.objective.direction)})"), (before,), (after,), _moved(item),
    )  # fmt: skip
    rows = [first]
    if item.baseline is not None and item.best is not None:
        compared = compare_runs([item.baseline, item.best]).only_differences()
        rows += [_row(row) for row in _telling(compared, item)]
    heads = ("", _baseline_words(item), "Best of the new runs", "Difference")
    names: tuple[Line, ...] = ()
    if item.baseline is not None and item.best is not None:
        names = (
            ("run" if _alone(verdict) else "a run of each",),
            _run_name(item.baseline.name, item.baseline.run_id),
            _run_name(item.best.name, item.best.run_id),
            ("",),
        )
        rows.insert(1, names)
    return Table(tuple((head,) for head in heads), tuple(rows), "row", frozenset((3,))).cut(options.rows)


def _alone(verdict: Verdict) -> bool:
    """Tell whether neither side has replicates, so that the run is all there is."""
    return all(group is None or len(group.trials) == 1 for group in (verdict.before, verdict.after))


def _run_name(name: str, run_id: str) -> Line:
    return (Name(name or run_id[:12]),)


def _telling(compared: Comparison, item: ExperimentChange) -> Iterator[Row]:
    """Yield the metrics and params that differ; not the objective, which has its row, nor what only tells replicates apart."""
    assert item.objective is not None
    for kind in _KINDS:
        for row in compared.rows:
            if row.kind != kind or row.key.startswith("system/"):
                continue
            if (kind == "metric" and row.key == item.objective.metric) or (
                kind == "param" and row.key == item.objective.replicate
            ):
                continue
            yield row


def _row(row: Row) -> tuple[Line, ...]:
    if row.kind == "metric":
        gap = row.deltas[1] if len(row.deltas) > 1 else None
        before, after = pair_words(*row.values[:2])
        return ((Name(row.key),), (before,), (after,), (signed_words(gap) if gap is not None else "–",))
    old, new = (found if found is not None else None for found in row.values[:2])
    return ((Name(row.key),), ("–",) if old is None else (value(old),), ("–",) if new is None else (value(new),), ("",))


def _moved(item: ExperimentChange) -> Line:
    """Say how the objective moved: an arrow for the number, and better or worse only where the verdict says so."""
    assert item.verdict is not None
    gap = item.verdict.difference
    if gap is None:
        return (State(item.verdict.word, QUIET),)
    arrowed = f"{'▲' if gap > 0 else '▼' if gap < 0 else '='} {signed_words(gap)}"
    if item.verdict.word == IMPROVED:
        return (State(f"{arrowed}, better", GOOD),)
    if item.verdict.word == REGRESSED:
        return (State(f"{arrowed}, worse", BAD),)
    return (f"{signed_words(gap)}, {item.verdict.word.removeprefix('not comparable: ')}",)


def _baseline_words(item: ExperimentChange) -> str:
    return {"pinned": "Baseline run", "live": "Live now", "best": "Best so far"}.get(item.baseline_is, "Before")


def _files(items: list[ExperimentChange], options: ReportOptions) -> Iterator[Block]:
    """Say which experiments were created, changed or removed, and show the fields that changed."""
    yield Items(tuple(("experiment ", Name(item.name), f" {item.what}") for item in items), "experiment").cut(options.rows)
    rows = [
        ((Name(item.name),), (Name(".".join(field.path)),), shown(field.old), shown(field.new))
        for item in items
        for field in item.fields
        if field.path != ("updated",)
    ]
    if rows:
        yield Table((("Experiment",), ("Field",), ("Before",), ("Now",)), tuple(rows), "field").cut(options.rows)
