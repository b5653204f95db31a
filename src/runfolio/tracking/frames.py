"""Runs as a pandas frame, with MLflow's columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

    from runfolio.tracking.entities import Run

LEADING = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")


def runs_frame(runs: Sequence[Run]) -> pandas.DataFrame:
    """Return one row a run.

    Parameters
    ----------
    runs : sequence of Run

    Returns
    -------
    pandas.DataFrame
        ``run_id, experiment_id, status, artifact_uri, start_time, end_time`` (times as UTC timestamps), then ``metrics.*``
        (float, NaN where a run has none), ``params.*`` and ``tags.*`` (text, None where a run has none).
    """
    import pandas

    times: Any = pandas.to_datetime  # its stubs take no list with gaps, which it reads as NaT
    infos = [run.info for run in runs]
    columns: dict[str, Any] = {
        "run_id": [info.run_id for info in infos],
        "experiment_id": [info.experiment_id for info in infos],
        "status": [info.status for info in infos],
        "artifact_uri": [info.artifact_uri for info in infos],
        "start_time": times([info.start_time for info in infos], unit="ms", utc=True),
        "end_time": times([info.end_time for info in infos], unit="ms", utc=True),
    }
    for part, missing in (("metrics", float("nan")), ("params", None), ("tags", None)):
        found = [getattr(run.data, part) for run in runs]
        keys = dict.fromkeys(key for entries in found for key in entries)
        for key in keys:
            columns[f"{part}.{key}"] = [entries.get(key, missing) for entries in found]
    return pandas.DataFrame(columns)
