"""A search over parameters: the best ones in its run, the candidates as child runs, all results as a table."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import Any

from runfolio.autologging.run_log import AUTOLOGGING_TAG, RunLog
from runfolio.errors import UsageError
from runfolio.tracking import fluent
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.session import session

PARENT_TAG = "mlflow.parentRunId"
_NOT_METRICS = ("param", "split")


def is_search(estimator: Any) -> bool:
    """Tell whether an estimator is a search over the parameters of another one."""
    from sklearn.model_selection._search import BaseSearchCV

    return isinstance(estimator, BaseSearchCV)


def is_without_model(estimator: Any) -> bool:
    """Tell whether an estimator is a search that only compares: it has results, and no estimator that predicts."""
    return is_search(estimator) and not getattr(estimator, "refit", True)


def estimator_tags(estimator: Any) -> dict[str, str]:
    """Return the tags that name an estimator's class."""
    kind = type(estimator)
    return {"estimator_name": kind.__name__, "estimator_class": f"{kind.__module__}.{kind.__name__}"}


def checked_number(max_tuning_runs: int | None) -> None:
    """Refuse a number of child runs that is none.

    Raises
    ------
    UsageError
    """
    if max_tuning_runs is not None and (not isinstance(max_tuning_runs, Integral) or max_tuning_runs < 0):
        raise UsageError(
            f"max_tuning_runs must be a number that is not negative, and is {max_tuning_runs!r}. None logs every candidate."
        )


def log_search(log: RunLog, search: Any) -> None:
    """Log what a search found."""
    if hasattr(search, "best_score_"):
        log.metrics({"best_cv_score": search.best_score_})
    if hasattr(search, "best_params_"):
        log.params({f"best_{name}": value for name, value in search.best_params_.items()})
    if hasattr(search, "cv_results_"):
        with log.guard("the child runs of the search"):
            _log_children(log, search)
        with log.guard("cv_results.csv"):
            import pandas

            log.text(pandas.DataFrame.from_dict(search.cv_results_).to_csv(index=False), "cv_results.csv")


def _log_children(log: RunLog, search: Any) -> None:
    results, seed = search.cv_results_, search.estimator
    base = seed.get_params(deep=not is_search(seed))
    tags = {AUTOLOGGING_TAG: log.framework, PARENT_TAG: log.run_id, **estimator_tags(seed)}
    client = RunfolioClient()
    active = fluent.active_run()
    assert active is not None
    for row in _best(log, results, log.options["max_tuning_runs"]):
        # When each candidate was tried is not known: they all began with the search.
        child = client.create_run(active.info.experiment_id, start_time=log.live.record.start, tags=tags)
        made = RunLog(log.framework, log.options, session().run(child.info.run_id))
        made.params({**base, **results["params"][row]})
        made.metrics({key: values[row] for key, values in results.items() if not key.startswith(_NOT_METRICS)})
        client.set_terminated(child.info.run_id)


def _best(log: RunLog, results: Mapping[str, Any], most: int | None) -> list[int]:
    """Return the rows of the best candidates; all of them, in their order, where there is no bound."""
    rows = list(range(len(results["params"])))
    if most is None:
        return rows
    ranks = [name for name in results if name.startswith("rank_test_")]
    rank = "rank_test_score" if "rank_test_score" in ranks else ranks[0]
    if rank != "rank_test_score" and len(rows) > most:
        log.say(f"the {most} best candidates by {rank} are child runs; max_tuning_runs=None logs them all")
    return sorted(rows, key=lambda row: results[rank][row])[:most]
