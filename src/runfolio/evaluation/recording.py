"""What an evaluation leaves in a run: the dataset, the metrics, the document, pictures and tables, and which model it was."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.evaluation.artifacts import (
    CsvEvaluationArtifact,
    EvaluationArtifact,
    ImageEvaluationArtifact,
    JsonEvaluationArtifact,
    of_value,
)
from runfolio.records.evaluations import CONTEXT
from runfolio.tracking import fluent, fluent_logging
from runfolio.tracking.datasets import Dataset

DOCUMENT = "evaluation"


@dataclass
class Leaving:
    """What is logged.

    Parameters
    ----------
    prefix : str
    dataset : Dataset
    metrics : Mapping of str to float
        With the prefix.
    document : Mapping
    pictures : Mapping of str to bytes
        PNG by name.
    tables : Mapping of str to DataFrame
        Written as CSV.
    by_row : DataFrame or None
        The rows with their scores, for ``eval_results_table.json``.
    files : Mapping of str to Path
        Of the user's own functions.
    tags : Mapping of str to str
    run_name : str or None
        Of the run that is made where none is active.
    began : int or None
        When the evaluation began, milliseconds since the epoch, UTC: that run starts then, though all is computed before it is made.
    """

    prefix: str
    dataset: Dataset
    metrics: Mapping[str, float]
    document: Mapping[str, Any]
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    tables: Mapping[str, Any] = field(default_factory=dict)
    by_row: Any = None
    files: Mapping[str, Path] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    run_name: str | None = None
    began: int | None = None


def leave(found: Leaving) -> tuple[str, dict[str, EvaluationArtifact]]:
    """Log to the active run, or to a new one that ends with it; return its id, and the artifacts by name."""
    active = fluent.active_run()
    if active is not None:
        return active.info.run_id, _leave(found, active.info.run_id)
    with _new_run(found) as run:
        artifacts = _leave(found, run.info.run_id)
    return run.info.run_id, artifacts


def _new_run(found: Leaving) -> fluent.ActiveRun:
    from runfolio.tracking.client import RunfolioClient

    if os.environ.get("RUNFOLIO_RUN_ID"):  # a run was started for this process
        return fluent.start_run()
    made = RunfolioClient().create_run(fluent._get_experiment_id(), start_time=found.began, run_name=found.run_name)
    return fluent.start_run(run_id=made.info.run_id)


def _leave(found: Leaving, run_id: str) -> dict[str, EvaluationArtifact]:
    from runfolio.tracking.client import RunfolioClient

    client = RunfolioClient()
    fluent_logging.log_input(found.dataset, context=CONTEXT)
    fluent_logging.log_metrics(found.metrics)
    if found.tags:
        fluent_logging.set_tags(found.tags)
    made: dict[str, EvaluationArtifact] = {}

    def put(name: str, file: str, data: bytes, kind: type[EvaluationArtifact], content: Any = None) -> None:
        client.log_bytes(run_id, data, file)
        made[name] = kind(f"runs:/{run_id}/{file}", content)

    said = json.dumps(found.document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    put(DOCUMENT, f"{found.prefix}{DOCUMENT}.json", said, JsonEvaluationArtifact, dict(found.document))
    for name, table in found.tables.items():
        put(name, f"{name}.csv", table.to_csv(index=False).encode(), CsvEvaluationArtifact, table)
    for name, picture in found.pictures.items():
        put(name, f"{found.prefix}{name}.png", picture, ImageEvaluationArtifact)
    for name, path in found.files.items():
        kind = of_value(name, path, "custom_artifacts")[0]
        put(name, path.name, path.read_bytes(), kind)
        made[name].load(path)
    if found.by_row is not None:
        file = f"{found.prefix}eval_results_table.json"
        fluent_logging.log_table(found.by_row, file, run_id)
        made["eval_results_table"] = JsonEvaluationArtifact(f"runs:/{run_id}/{file}")
    return made
