"""The tables of an MLflow database, where asking MLflow's client would read the same rows again and again, or hold them all.

A search of MLflow skips the pages before the one that is asked for, and a history comes metric by metric, each as a list: at 100,000 runs,
and at a million points, that is neither fast nor bounded. Here the ids of an experiment are read once, in order, and the points of a run in
one query, as the database gives them. Everything else is asked of MLflow itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runfolio.transfer.source import Point

ROWS = 10_000
"""Points that are fetched at once."""


class Tables:
    """An MLflow database.

    Parameters
    ----------
    engine : sqlalchemy.engine.Engine
        The one that MLflow opened.
    """

    def __init__(self, engine: Any) -> None:
        self._engine = engine

    def run_ids(self, experiment_id: str, since_ms: int | None) -> list[str]:
        """Return the ids of an experiment's runs, deleted ones too, oldest first: 32 characters each are held."""
        from mlflow.store.tracking.dbmodels.models import SqlRun

        runs = SqlRun.__table__.c
        asked = SqlRun.__table__.select().with_only_columns(runs.run_uuid).where(runs.experiment_id == int(experiment_id))
        if since_ms is not None:
            asked = asked.where(runs.start_time >= since_ms)
        with self._engine.connect() as connection:
            return list(connection.execute(asked.order_by(runs.start_time, runs.run_uuid)).scalars())

    def points(self, run_id: str) -> Iterator[tuple[str, Point]]:
        """Yield the points of all metrics of a run, metric by metric, as the database gives them."""
        from mlflow.store.tracking.dbmodels.models import SqlMetric

        rows = SqlMetric.__table__.c
        columns = rows.key, rows.value, rows.timestamp, rows.step, rows.is_nan
        asked = SqlMetric.__table__.select().with_only_columns(*columns).where(rows.run_uuid == run_id)
        asked = asked.order_by(rows.key, rows.timestamp, rows.step, rows.value)
        with self._engine.connect().execution_options(stream_results=True, yield_per=ROWS) as connection:
            for key, value, timestamp, step, is_nan in connection.execute(asked):
                yield key, Point(float("nan") if is_nan else value, timestamp, step)
