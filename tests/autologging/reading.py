"""What tests read of runs that logged themselves."""

from __future__ import annotations

from pathlib import Path

import runfolio
from runfolio.entities import Run


def runs() -> list[Run]:
    """Return the runs, oldest first."""
    found: list[Run] = runfolio.search_runs(output_format="list")
    return sorted(found, key=lambda run: run.info.run_id)


def artifacts(run: Run, path: str | None = None) -> list[str]:
    """Return the paths of a run's files."""
    made = []
    for each in runfolio.MlflowClient().list_artifacts(run.info.run_id, path):
        made += artifacts(run, each.path) if each.is_dir else [each.path]
    return made


def text(run: Run, path: str) -> str:
    """Return a file of a run."""
    return Path(runfolio.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path=path)).read_text()


def points(run: Run, key: str) -> list[tuple[int, float]]:
    """Return a metric's steps and values."""
    return [(each.step, each.value) for each in runfolio.MlflowClient().get_metric_history(run.info.run_id, key)]
