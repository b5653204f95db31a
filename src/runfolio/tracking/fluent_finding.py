"""The fluent API: verbs that find, make, hide and bring back runs and experiments; none of them starts a run.

Names, arguments and defaults are MLflow's.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from runfolio.errors import UsageError
from runfolio.records import Lifecycle, ViewType
from runfolio.tracking import entities
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.fluent import experiment_in_force
from runfolio.tracking.session import session

MAX_FRAME_RESULTS = 100_000


def get_run(run_id: str) -> entities.Run:
    """Return a run as it is now."""
    return RunfolioClient().get_run(run_id)


def get_parent_run(run_id: str) -> entities.Run | None:
    """Return the run of which this one is a child, or None."""
    return RunfolioClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    """Hide a run; :func:`restore_run` brings it back."""
    RunfolioClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    """Bring a deleted run back."""
    RunfolioClient().restore_run(run_id)


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, Any] | None = None) -> str:
    """Make an experiment and return its id."""
    return RunfolioClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> entities.Experiment:
    """Return an experiment by its id."""
    return RunfolioClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> entities.Experiment | None:
    """Return an experiment by its name, or None."""
    return RunfolioClient().get_experiment_by_name(name)


def delete_experiment(experiment_id: str) -> None:
    """Hide an experiment and its runs."""
    RunfolioClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    """Bring a deleted experiment back."""
    RunfolioClient().restore_experiment(experiment_id)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[entities.Experiment]:
    """Search experiments; all results, in a list."""
    return RunfolioClient().search_experiments(view_type, max_results, filter_string, order_by).to_list()


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = MAX_FRAME_RESULTS,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Search runs.

    Parameters
    ----------
    experiment_ids, experiment_names : sequence of str, optional
        One of the two; the experiment in force by default. Text is one of them. A name that no experiment has is told on standard error.
    filter_string : str
        MLflow's grammar: ``"metrics.accuracy > 0.9 AND params.depth = '5'"``.
    run_view_type : int
        A number of :class:`~runfolio.entities.ViewType`.
    max_results : int, optional
        None for all.
    order_by : sequence of str, optional
        ``["metrics.accuracy DESC"]``; newest first by default.
    output_format : str
        ``"pandas"`` for a DataFrame with one row a run, ``"list"`` for entities.
    search_all_experiments : bool
        Where no experiment is named.
    """
    from runfolio.tracking.frames import runs_frame
    from runfolio.tracking.searching import search_runs as search

    if output_format not in ("pandas", "list"):
        raise UsageError(f"Unsupported output format: {output_format!r}. Supported string values are 'pandas' or 'list'.")
    experiment_ids, experiment_names = _listed(experiment_ids, "experiment_ids"), _listed(experiment_names, "experiment_names")
    if experiment_ids and experiment_names:
        raise UsageError("Only experiment_ids or experiment_names can be used, but not both.")
    folio = session().folio
    if experiment_names is not None:
        ids = []
        for name in experiment_names:
            found = folio.experiments.by_name(name)
            if found is not None:
                ids.append(found.experiment_id)
            elif name is not None:
                session().say(f"search_runs: there is no experiment {name!r} here; list them: runfolio experiments list --all")
    elif experiment_ids:
        ids = experiment_ids
    elif search_all_experiments:
        ids = [
            item.experiment_id
            for item in folio.experiments.all()
            if item.lifecycle is Lifecycle.ACTIVE or run_view_type != ViewType.ACTIVE_ONLY
        ]
    else:
        ids = [experiment_in_force(session()).experiment_id]
    wanted = sys.maxsize - 1 if max_results is None else max_results
    runs = search(folio, ids, filter_string, run_view_type, wanted, order_by, None, limit=sys.maxsize).to_list()
    return runs if output_format == "list" else runs_frame(runs)


def _listed(items: Any, argument: str) -> list[str] | None:
    """Return ids or names as a list: also of an array or a column of a frame, which has no truth, and of one text alone.

    Raises
    ------
    UsageError
        If nothing can be listed.
    """
    if items is None:
        return None
    if isinstance(items, str):
        return [items]
    try:
        return list(items)
    except TypeError:
        raise UsageError(f"{argument} is a list of texts, this is {type(items).__name__}.") from None
