"""Search, as MLflow's API shows it: entities, page tokens, experiment ids."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from operator import index

from runfolio._dataclass import replace
from runfolio.errors import UsageError
from runfolio.folio.folio import Folio
from runfolio.folio.offline import OfflineFolio
from runfolio.query import (
    Filter,
    OrderKey,
    decode_token,
    encode_token,
    matches,
    parse_filter,
    parse_order_by,
    sort_experiments,
    sort_runs,
)
from runfolio.records import Experiment, Lifecycle, Run
from runfolio.tracking import entities
from runfolio.tracking.states import ViewType

MAX_RESULTS = 50_000


def search_runs(
    folio: Folio | OfflineFolio,
    experiment_ids: Sequence[str],
    filter_string: str,
    view: int,
    max_results: int,
    order_by: Sequence[str] | None,
    page_token: str | None,
    limit: int = MAX_RESULTS,
) -> entities.PagedList[entities.Run]:
    """Search runs and return one page of entities."""
    found = find_runs(folio, experiment_ids, filter_string, view, max_results, order_by, page_token, limit)
    page = [entities.run_entity(run, experiment_id, f"runs:/{run.run_id}") for run, experiment_id in found]
    return entities.PagedList(page, found.token)


def _number(max_results: int, limit: int) -> int:
    """Return how many results are wanted; numpy's whole numbers are understood, and nothing but a whole number is.

    Raises
    ------
    UsageError
        If it is none, or out of range.
    """
    with suppress(TypeError):
        number = index(max_results)
        if type(max_results).__name__ not in ("bool", "bool_") and 1 <= number <= limit:
            return number
    raise UsageError(f"Invalid value {max_results!r} for max_results: a whole number from 1 to {limit} is expected.")


def find_runs(
    folio: Folio | OfflineFolio,
    experiment_ids: Sequence[str],
    filter_string: str,
    view: int,
    max_results: int,
    order_by: Sequence[str] | None,
    page_token: str | None,
    limit: int = MAX_RESULTS,
) -> entities.PagedList[tuple[Run, str]]:
    """Search runs and return one page of their records, each with the id of its experiment."""
    max_results = _number(max_results, limit)
    ViewType.to_string(view)
    known = {item.experiment_id: item for item in folio.experiments.all()}
    wanted = [known[str(name)] for name in experiment_ids if str(name) in known]
    wanted_filter, order = parse_filter(filter_string or "", "runs"), parse_order_by(list(order_by or ()), "runs")
    offset = decode_token(page_token) if page_token else 0
    found = _found(folio, wanted, wanted_filter, order, view, max_results + 1, offset) if wanted else []
    ids = {item.slug: item for item in known.values()}
    page = [_with_experiment(run, ids.get(run.experiment)) for run in found[:max_results]]
    return entities.PagedList(page, encode_token(offset + max_results) if len(found) > max_results else None)


def _found(
    folio: Folio | OfflineFolio,
    wanted: list[Experiment],
    filter: Filter,
    order: Sequence[OrderKey],
    view: int,
    limit: int,
    offset: int,
) -> list[Run]:
    """Search, where a run of a deleted experiment counts as deleted."""
    gone = [item.slug for item in wanted if item.lifecycle is Lifecycle.DELETED]
    kept = [item.slug for item in wanted if item.lifecycle is not Lifecycle.DELETED]
    if not gone or view == ViewType.ALL:
        return folio.runs.search(filter, order, [*kept, *gone], view, limit, offset)
    if view == ViewType.ACTIVE_ONLY:
        return folio.runs.search(filter, order, kept, view, limit, offset) if kept else []
    some = folio.runs.search(filter, order, kept, view, limit + offset, 0) if kept else []
    rest = folio.runs.search(filter, order, gone, ViewType.ALL, limit + offset, 0)
    return sort_runs([*some, *rest], order)[offset : offset + limit]


def _with_experiment(run: Run, experiment: Experiment | None) -> tuple[Run, str]:
    if experiment is not None and experiment.lifecycle is Lifecycle.DELETED:
        run = replace(run, lifecycle=Lifecycle.DELETED)
    return run, experiment.experiment_id if experiment else run.experiment


def search_experiments(
    folio: Folio | OfflineFolio,
    view: int,
    max_results: int | None,
    filter_string: str,
    order_by: Sequence[str] | None,
    page_token: str | None,
) -> entities.PagedList[entities.Experiment]:
    """Search experiments and return one page of entities."""
    limit = _number(max_results, MAX_RESULTS) if max_results is not None else MAX_RESULTS
    ViewType.to_string(view)
    wanted = parse_filter(filter_string, "experiments")
    order = parse_order_by(list(order_by or ()), "experiments")
    offset = decode_token(page_token) if page_token else 0
    shown = [
        item
        for item in folio.experiments.all()
        if view == ViewType.ALL or (item.lifecycle is Lifecycle.ACTIVE) == (view == ViewType.ACTIVE_ONLY)
    ]
    found = sort_experiments([item for item in shown if matches(wanted, item)], order)
    page = [entities.experiment_entity(item, f"experiments:/{item.experiment_id}") for item in found[offset : offset + limit]]
    return entities.PagedList(page, encode_token(offset + limit) if len(found) > offset + limit else None)
