"""Which runs a list shows, and in which columns."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from itertools import pairwise
from typing import TYPE_CHECKING

from runfolio._dataclass import dataclass
from runfolio.cli.tables import Column
from runfolio.diff.describe import duration_text, number_text
from runfolio.errors import UsageError
from runfolio.query import parse_filter, parse_order_by, sort_runs
from runfolio.records import Experiment, Lifecycle, Run, ViewType
from runfolio.records.times import utc_text

if TYPE_CHECKING:
    from runfolio.folio import Folio

EVERYTHING = 1 << 31
MOST_METRICS = 6
MOST_PARAMS = 8
SHORT_ID = 8
_LONG_NUMBER = re.compile(r"-?\d{1,15}\.\d{8,}(e-?\d{1,3})?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Question:
    """What a list is asked for.

    Parameters
    ----------
    filter : str
    order_by : sequence of str
    experiments : sequence of str
        Ids, names or folder names; all by default.
    view : int
        A number of :class:`~runfolio.records.ViewType`.
    limit : int or None
    at : str or None
        A revision or date.
    """

    filter: str = ""
    order_by: Sequence[str] = ()
    experiments: Sequence[str] = ()
    view: int = ViewType.ACTIVE_ONLY
    limit: int | None = None
    at: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found.

    Parameters
    ----------
    runs : list of Run
    total : int
        Runs that there are, shown or not.
    experiments : Mapping of slug to Experiment
    objectives : Mapping of slug to (metric, direction)
    unreadable : int
        Records that cannot be read; not counted for the past.
    """

    runs: list[Run]
    total: int
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    objectives: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unreadable: int = 0


def find_listing(folio: Folio, question: Question) -> Listing:
    """Answer a question; only the runs that are shown are decoded.

    Runs of a deleted experiment are shown only where that experiment, or deleted runs, are asked for.
    """
    from runfolio.folio.past import commit_at
    from runfolio.folio.scopes import search_parts

    wanted, order = parse_filter(question.filter, "runs"), parse_order_by(list(question.order_by), "runs")
    at = commit_at(folio.place, question.at) if question.at else None
    known = {item.slug: item for item in folio.experiments.all(at)}
    limit = EVERYTHING if question.limit is None else question.limit
    parts = search_parts(folio, question.experiments, question.view, known)
    found = [run for slugs, view in parts for run in folio.runs.search(wanted, order, slugs, view, limit + 1, 0, at)]
    runs = found if len(parts) == 1 else sort_runs(found, order, {item.slug: item.experiment_id for item in known.values()})
    total = len(runs)
    if total > limit:
        runs, total = runs[:limit], sum(folio.runs.count(wanted, slugs, view, at) for slugs, view in parts)
    unreadable = len(folio.index.faults()) if at is None else 0
    return Listing(runs, total, known, _objectives(folio, known), unreadable)


def _objectives(folio: Folio, known: Mapping[str, Experiment]) -> dict[str, tuple[str, str]]:
    made = {}
    for slug, item in known.items():
        objective = item.objective or folio.settings.objective(item.name)
        if objective:
            made[slug] = (objective.metric, objective.direction)
    return made


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a list of runs: how it is laid out, and what it says of a run."""

    column: Column
    value: Callable[[Run], str]


def chosen_fields(listing: Listing, names: Sequence[str], now_ms: int | None = None) -> list[Field]:
    """Return the columns that were asked for by name, or those that tell the runs apart.

    Raises
    ------
    UsageError
        If a name is no column; the message lists what there is.
    """
    now = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    plain = _plain_fields(listing, now)
    if names:
        return [_named(listing, plain, name) for name in names]
    made = [plain["id"], plain["name"]]
    if len({run.experiment for run in listing.runs}) > 1:
        made.append(plain["experiment"])
    made += [plain["status"], plain["started"], plain["duration"]]
    if any(run.lifecycle is Lifecycle.DELETED for run in listing.runs):
        made.append(plain["lifecycle"])
    goals = {listing.objectives[run.experiment] for run in listing.runs if run.experiment in listing.objectives}
    arrows = {metric: {"max": " ↑", "min": " ↓"}[direction] for metric, direction in sorted(goals)}
    metrics = _metrics(listing.runs, list(arrows))
    params = _params(listing.runs)
    made += [_metric(key, key + arrows.get(key, ""), 2 + 2 * at) for at, key in enumerate(metrics)]
    made += [_param(key, f"params.{key}" if key in metrics else key, 5 + 2 * at) for at, key in enumerate(params)]
    return made


def _plain_fields(listing: Listing, now: int) -> dict[str, Field]:
    size = _id_length([run.run_id for run in listing.runs])
    experiments = listing.experiments
    return {
        "id": Field(Column("id", whole=True), lambda run: run.run_id[:size]),
        "run_id": Field(Column("run_id", whole=True), lambda run: run.run_id),
        "name": Field(Column("name", least=24), lambda run: run.name),
        "experiment": Field(
            Column("experiment", rank=3),
            lambda run: experiments[run.experiment].name if run.experiment in experiments else run.experiment,
        ),
        "status": Field(Column("status", whole=True), lambda run: run.status.value),
        "lifecycle": Field(Column("lifecycle", rank=1, whole=True), lambda run: run.lifecycle.value),
        "started": Field(Column("started", rank=4, whole=True), lambda run: age_text(run.start, now)),
        "start_time": Field(Column("start_time", rank=4, whole=True), lambda run: utc_text(run.start)),
        "end_time": Field(Column("end_time", rank=4, whole=True), lambda run: "" if run.end is None else utc_text(run.end)),
        "duration": Field(
            Column("duration", right=True, rank=7, whole=True),
            lambda run: duration_text((now if run.end is None else run.end) - run.start),
        ),
        "user": Field(Column("user", rank=6), lambda run: run.user),
        "parent": Field(Column("parent", rank=6), lambda run: (run.parent or "")[:size]),
    }


def _named(listing: Listing, plain: Mapping[str, Field], name: str) -> Field:
    kind, _, key = name.partition(".")
    if kind in ("metrics", "metric") and key:
        return _metric(key, name, 0)
    if kind in ("params", "param") and key:
        return _param(key, name, 0)
    if kind in ("tags", "tag") and key:
        return _tag(key, name)
    if name in plain:
        return plain[name]
    for made, keys in ((_metric, "metrics"), (_param, "params")):
        if any(name in getattr(run, keys) for run in listing.runs):
            return made(name, name, 0)
    if any(name in run.all_tags for run in listing.runs):
        return _tag(name, name)
    raise UsageError(f"There is no column {name!r}. There are: {', '.join(plain)}, and metrics.KEY, params.KEY, tags.KEY.")


def _metric(key: str, title: str, rank: int) -> Field:
    return Field(
        Column(title, right=True, rank=rank, whole=True),
        lambda run: number_text(run.metrics[key].last) if key in run.metrics else "",
    )


def _param(key: str, title: str, rank: int) -> Field:
    return Field(Column(title, rank=rank), lambda run: param_text(run.params.get(key, "")))


def _tag(key: str, title: str) -> Field:
    return Field(Column(title), lambda run: run.all_tags.get(key, ""))


def param_text(value: str) -> str:
    """Return a param's value for a table; a number with a long tail of digits is rounded.

    Examples
    --------
    >>> param_text("0.30000000000000004"), param_text("relu")
    ('0.3', 'relu')
    """
    return number_text(float(value)) if _LONG_NUMBER.match(value) else value


def _metrics(runs: Sequence[Run], first: Sequence[str]) -> list[str]:
    """Return the metrics worth a column: objectives, then what most runs have."""
    found = Counter(key for run in runs for key in run.metrics if not key.startswith("system/"))
    rest = sorted((key for key in found if key not in first), key=lambda key: (-found[key], key))
    return [*(key for key in first if key in found), *rest][:MOST_METRICS]


def _params(runs: Sequence[Run]) -> list[str]:
    """Return the params that differ, those of most runs first."""
    found = Counter(key for run in runs for key in run.params)
    differing = [key for key in found if len({run.params.get(key) for run in runs}) > 1]
    return sorted(differing, key=lambda key: (-found[key], key))[:MOST_PARAMS]


def _id_length(ids: Sequence[str]) -> int:
    """Return how many digits tell the shown ids apart; ids of one sweep share their first ones, which are the time."""
    ordered, size = sorted(set(ids)), SHORT_ID
    for one, other in pairwise(ordered):
        same = next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
        size = max(size, same + 1)
    return size


def age_text(at_ms: int, now_ms: int) -> str:
    """Say how long ago something was; from a month on, on which day.

    Examples
    --------
    >>> age_text(0, 90_000)
    '1 min ago'
    """
    seconds = (now_ms - at_ms) // 1000
    if seconds < 0 or seconds >= 30 * 86_400:
        return utc_text(at_ms)[:10]
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def as_tree(runs: Sequence[Run]) -> list[tuple[int, Run]]:
    """Order runs so that children follow their parent, each with its depth; a child without its parent here stands alone."""
    ids = {run.run_id for run in runs}
    children: dict[str | None, list[Run]] = {}
    for run in runs:
        children.setdefault(run.parent if run.parent in ids and run.parent != run.run_id else None, []).append(run)
    made: list[tuple[int, Run]] = []
    waiting = [(0, run) for run in reversed(children.get(None, []))]
    while waiting:
        depth, run = waiting.pop()
        made.append((depth, run))
        waiting += [(depth + 1, child) for child in reversed(children.get(run.run_id, []))]
    told = {run.run_id for _, run in made}
    # Two runs that name each other as parent are no tree; they must not vanish.
    return [*made, *((0, run) for run in runs if run.run_id not in told)]
