"""All new runs, folded away: the best by the objective first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from runfolio.records import Run, RunStatus
from runfolio.review.change import Change, ExperimentChange
from runfolio.review.options import ReportOptions
from runfolio.review.parts import BAD, WARN, Block, Line, Name, Paragraph, Section, State, Table, value
from runfolio.review.sections.results import course
from runfolio.site.words import count_words, number_words

METRICS, PARAMS = 3, 4
"""Columns of each in a table that still fits a comment."""


def runs(change: Change, options: ReportOptions) -> Section | None:
    """List the new runs of each experiment, with a sparkline of the objective in the order in which they ran."""
    having = [item for item in change.experiments if item.added]
    if not having:
        return None
    blocks: list[Block] = []
    for item in having[: options.rows]:
        blocks += [Paragraph(_intro(item)), _table(item, options)]
    if len(having) > options.rows:
        rest = having[options.rows :]
        count = sum(len(item.added) for item in rest)
        blocks.append(Paragraph((f"…and {count_words(count, 'run')} in {count_words(len(rest), 'more experiment')}.",)))
    return Section("runs", "New runs", tuple(blocks), _folded(change, having, options))


def _folded(change: Change, having: Sequence[ExperimentChange], options: ReportOptions) -> str:
    """Say what is folded away: not all of them, where only the first rows of each table are."""
    if change.added == 1:
        return "The new run"
    said = count_words(change.added, "new run")
    whole = len(having) <= options.rows and all(len(item.added) <= options.runs for item in having)
    best = all(item.objective for item in having)
    return f"All {said}" if whole else f"{said}, the {'best' if best else 'first'} of them listed"


def _intro(item: ExperimentChange) -> Line:
    failed = f", {item.failed} failed" if item.failed else ""
    start: Line = (Name(item.name), f": {count_words(len(item.added), 'run')}{failed}")
    if item.objective is None:
        return (*start, ", the newest first")
    drawn = course(item)
    if not drawn:
        return (*start, ", the best first")
    return (*start, ", the best first; ", Name(item.objective.metric), " from the first to the last: ", *drawn)


def _table(item: ExperimentChange, options: ReportOptions) -> Table:
    shown = item.added[: options.runs]
    metrics = metric_columns(item, shown)
    params = varied_params(item.added)[:PARAMS]
    heads: list[Line] = [("Run",), *((Name(key),) for key in (*metrics, *params))]
    rows = tuple(_row(run, metrics, params) for run in shown)
    numbers = frozenset(range(1, 1 + len(metrics)))
    return Table(tuple(heads), rows, "run", numbers, len(item.added) - len(shown))


def metric_columns(item: ExperimentChange, shown: Sequence[Run]) -> list[str]:
    """Return the objective and the metrics that most of the runs have."""
    counts = Counter(key for run in shown for key in run.metrics if not key.startswith("system/"))
    objective = item.objective.metric if item.objective else ""
    return sorted(counts, key=lambda key: (key != objective, -counts[key], key))[:METRICS]


def varied_params(added: Sequence[Run]) -> list[str]:
    """Return the params that are not the same in all runs, those that most runs have first."""
    counts = Counter(key for run in added for key in run.params)
    seen: dict[str, set[str | None]] = {key: set() for key in counts}
    for key, values in seen.items():
        for run in added:
            values.add(run.params.get(key))
            if len(values) > 1:
                break
    return sorted((key for key in counts if len(seen[key]) > 1), key=lambda key: (-counts[key], key))


def _row(run: Run, metrics: Sequence[str], params: Sequence[str]) -> tuple[Line, ...]:
    tone = BAD if run.status in (RunStatus.FAILED, RunStatus.KILLED) else WARN
    state: Line = () if run.status is RunStatus.FINISHED else (" ", State(run.status.value.lower(), tone))
    cells: list[Line] = [(Name(run.name or run.run_id[:12]), *state)]
    cells += [(number_words(run.metrics[key].last) if key in run.metrics else "–",) for key in metrics]
    cells += [(value(run.params[key]) if key in run.params else "–",) for key in params]
    return tuple(cells)
