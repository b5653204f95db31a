"""Which runs a list shows, and in which columns."""

from __future__ import annotations

import re
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from itertools import chain
from typing import TYPE_CHECKING, Generic, TypeVar

from runfolio._dataclass import dataclass
from runfolio.cli.tables import Column
from runfolio.diff.describe import duration_text, number_text
from runfolio.errors import UsageError
from runfolio.query import parse_filter, parse_order_by, sort_runs
from runfolio.records import Experiment, Lifecycle, Run, ViewType
from runfolio.records.briefs import RunBrief, brief_of
from runfolio.records.times import utc_text

if TYPE_CHECKING:
    from runfolio.folio import Folio

EVERYTHING = 1 << 31
MOST_METRICS = 6
MOST_PARAMS = 8
SHORT_ID = 8
_DAY_MS = 86_400_000
R = TypeVar("R", Run, RunBrief)
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
class Listing(Generic[R]):
    """What was found.

    Parameters
    ----------
    runs : list of Run or RunBrief
    total : int
        Runs that there are, shown or not.
    experiments : Mapping of slug to Experiment
    objectives : Mapping of slug to (metric, direction)
    unreadable : int
        Records that cannot be read; not counted for the past.
    """

    runs: list[R]
    total: int
    experiments: Mapping[str, Experiment] = field(default_factory=dict)
    objectives: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    unreadable: int = 0


def find_listing(folio: Folio, question: Question) -> Listing[Run]:
    """Answer a question; only the runs that are shown are decoded.

    Runs of a deleted experiment are shown only where that experiment, or deleted runs, are asked for.
    """
    search = _Search(folio, question)
    return search.listing(search.runs())


def find_briefs(folio: Folio, question: Question) -> Listing[RunBrief]:
    """Answer a question for a table, for which no run is decoded."""
    search = _Search(folio, question)
    return search.listing(search.briefs())


class _Search:
    """A question as the folio is asked it: one more run than are shown, so that a count is asked only where there are more."""

    def __init__(self, folio: Folio, question: Question) -> None:
        from runfolio.folio.past import commit_at
        from runfolio.folio.scopes import search_parts

        self._folio = folio
        self._filter = parse_filter(question.filter, "runs")
        self._order = parse_order_by(list(question.order_by), "runs")
        self._at = commit_at(folio.place, question.at) if question.at else None
        self._known = {item.slug: item for item in folio.experiments.all(self._at)}
        self._limit = EVERYTHING if question.limit is None else question.limit
        self._parts = search_parts(folio, question.experiments, question.view, self._known)

    def runs(self) -> list[Run]:
        search = self._folio.runs.search
        found = [
            run
            for slugs, view in self._parts
            for run in search(self._filter, self._order, slugs, view, self._limit + 1, 0, self._at)
        ]
        ids = {item.slug: item.experiment_id for item in self._known.values()}
        return found if len(self._parts) == 1 else sort_runs(found, self._order, ids)

    def briefs(self) -> list[RunBrief]:
        if len(self._parts) > 1:
            return list(map(brief_of, self.runs()))
        ((slugs, view),) = self._parts
        return self._folio.runs.search_briefs(self._filter, self._order, slugs, view, self._limit + 1, 0, self._at)

    def listing(self, runs: list[R]) -> Listing[R]:
        folio, total = self._folio, len(runs)
        if total > self._limit:
            runs = runs[: self._limit]
            total = sum(folio.runs.count(self._filter, slugs, view, self._at) for slugs, view in self._parts)
        unreadable = len(folio.index.faults()) if self._at is None else 0
        return Listing(runs, total, self._known, _objectives(folio, self._known), unreadable)


def _objectives(folio: Folio, known: Mapping[str, Experiment]) -> dict[str, tuple[str, str]]:
    made = {}
    for slug, item in known.items():
        objective = item.objective or folio.settings.objective(item.name)
        if objective:
            made[slug] = (objective.metric, objective.direction)
    return made


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a list of runs: how it is laid out, and what it says of each."""

    column: Column
    cells: Callable[[Sequence[RunBrief]], list[str]]


def chosen_fields(listing: Listing[RunBrief], names: Sequence[str], now_ms: int | None = None) -> list[Field]:
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
    if any(run.lifecycle == Lifecycle.DELETED for run in listing.runs):
        made.append(plain["lifecycle"])
    goals = {listing.objectives[run.experiment] for run in listing.runs if run.experiment in listing.objectives}
    arrows = {metric: {"max": " ↑", "min": " ↓"}[direction] for metric, direction in sorted(goals)}
    metrics = _metrics(listing.runs, list(arrows))
    params = _params(listing.runs)
    made += [_metric(key, key + arrows.get(key, ""), 2 + 2 * at) for at, key in enumerate(metrics)]
    made += [_param(key, f"params.{key}" if key in metrics else key, 5 + 2 * at) for at, key in enumerate(params)]
    return made


def _plain_fields(listing: Listing[RunBrief], now: int) -> dict[str, Field]:
    size = _id_length([run.run_id for run in listing.runs])
    names = {slug: item.name for slug, item in listing.experiments.items()}
    fields = (
        Field(Column("id", whole=True), lambda runs: [run.run_id[:size] for run in runs]),
        Field(Column("run_id", whole=True), lambda runs: [run.run_id for run in runs]),
        Field(Column("name", least=24), lambda runs: [run.name for run in runs]),
        Field(Column("experiment", rank=3), lambda runs: [names.get(run.experiment, run.experiment) for run in runs]),
        Field(Column("status", whole=True), lambda runs: [run.status for run in runs]),
        Field(Column("lifecycle", rank=1, whole=True), lambda runs: [run.lifecycle for run in runs]),
        Field(Column("started", rank=4, whole=True), lambda runs: _ages([run.start for run in runs], now)),
        Field(Column("start_time", rank=4, whole=True), lambda runs: [utc_text(run.start) for run in runs]),
        Field(
            Column("end_time", rank=4, whole=True), lambda runs: ["" if run.end is None else utc_text(run.end) for run in runs]
        ),
        Field(
            Column("duration", right=True, rank=7, whole=True),
            lambda runs: [duration_text((now if run.end is None else run.end) - run.start) for run in runs],
        ),
        Field(Column("user", rank=6), lambda runs: [run.user for run in runs]),
        Field(Column("parent", rank=6), lambda runs: [(run.parent or "")[:size] for run in runs]),
    )
    return {field.column.title: field for field in fields}


def _named(listing: Listing[RunBrief], plain: Mapping[str, Field], name: str) -> Field:
    kind, _, key = name.partition(".")
    if kind in ("metrics", "metric") and key:
        return _metric(key, name, 0)
    if kind in ("params", "param") and key:
        return _param(key, name, 0)
    if kind in ("tags", "tag") and key:
        return _tag(key, name)
    if name in plain:
        return plain[name]
    if any(name in run.metrics for run in listing.runs):
        return _metric(name, name, 0)
    if any(name in run.params for run in listing.runs):
        return _param(name, name, 0)
    if any(name in run.all_tags for run in listing.runs):
        return _tag(name, name)
    raise UsageError(f"There is no column {name!r}. There are: {', '.join(plain)}, and metrics.KEY, params.KEY, tags.KEY.")


def _metric(key: str, title: str, rank: int) -> Field:
    return Field(
        Column(title, right=True, rank=rank, whole=True),
        lambda runs: [number_text(run.metrics[key]) if key in run.metrics else "" for run in runs],
    )


def _param(key: str, title: str, rank: int) -> Field:
    return Field(Column(title, rank=rank), lambda runs: [param_text(run.params.get(key, "")) for run in runs])


def _tag(key: str, title: str) -> Field:
    return Field(Column(title), lambda runs: [run.all_tags.get(key, "") for run in runs])


def param_text(value: str) -> str:
    """Return a param's value for a table; a number with a long tail of digits is rounded.

    Examples
    --------
    >>> param_text("0.30000000000000004"), param_text("relu")
    ('0.3', 'relu')
    """
    return number_text(float(value)) if _LONG_NUMBER.match(value) else value


def _metrics(runs: Sequence[RunBrief], first: Sequence[str]) -> list[str]:
    """Return the metrics worth a column: objectives, then what most runs have."""
    counted = Counter(chain.from_iterable(run.metrics for run in runs))
    found = {key: count for key, count in counted.items() if not key.startswith("system/")}
    rest = sorted((key for key in found if key not in first), key=lambda key: (-found[key], key))
    return [*(key for key in first if key in found), *rest][:MOST_METRICS]


def _params(runs: Sequence[RunBrief]) -> list[str]:
    """Return the params that differ, those of most runs first."""
    found = Counter(chain.from_iterable(run.params for run in runs))
    differing = [key for key in found if len({run.params.get(key) for run in runs}) > 1]
    return sorted(differing, key=lambda key: (-found[key], key))[:MOST_PARAMS]


def _id_length(ids: Sequence[str]) -> int:
    """Return how many digits tell the shown ids apart; ids of one sweep share their first ones, which are the time."""
    different = len(set(ids))
    lengths = range(SHORT_ID, max([SHORT_ID, *map(len, ids)]) + 1)
    return lengths[bisect_left(lengths, True, key=lambda size: len({run_id[:size] for run_id in ids}) == different)]


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


def _ages(moments: Sequence[int], now_ms: int) -> list[str]:
    """Say of each moment how long ago it was; the runs of a day that is long past share what is said."""
    days: dict[int, str] = {}
    made = []
    for at_ms in moments:
        if now_ms - at_ms < 31 * _DAY_MS:
            made.append(age_text(at_ms, now_ms))
            continue
        day = at_ms // _DAY_MS
        if day not in days:
            days[day] = age_text(at_ms, now_ms)
        made.append(days[day])
    return made


def as_tree(runs: Sequence[RunBrief]) -> list[tuple[int, RunBrief]]:
    """Order runs so that children follow their parent, each with its depth; a child without its parent here stands alone."""
    ids = {run.run_id for run in runs}
    children: dict[str | None, list[RunBrief]] = {}
    for run in runs:
        children.setdefault(run.parent if run.parent in ids and run.parent != run.run_id else None, []).append(run)
    made: list[tuple[int, RunBrief]] = []
    waiting = [(0, run) for run in reversed(children.get(None, []))]
    while waiting:
        depth, run = waiting.pop()
        made.append((depth, run))
        waiting += [(depth + 1, child) for child in reversed(children.get(run.run_id, []))]
    told = {run.run_id for _, run in made}
    # Two runs that name each other as parent are no tree; they must not vanish.
    return [*made, *((0, run) for run in runs if run.run_id not in told)]
