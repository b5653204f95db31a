"""The golden table that is shipped with the package, as runs and cases."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from runfolio.formats.canonical import read_number
from runfolio.records import DatasetInput, Lifecycle, MetricSummary, Run, RunStatus


@cache
def golden() -> dict[str, Any]:
    """The table as it stands in the file."""
    table: dict[str, Any] = json.loads((files("runfolio.query") / "golden.json").read_text("utf-8"))
    return table


def run_of(value: dict[str, Any]) -> Run:
    """Build a run from its compact form."""
    return Run(
        run_id=value["run_id"],
        experiment=value["experiment"],
        name=value["name"],
        status=RunStatus(value["status"]),
        start=value["start"],
        end=value["end"],
        lifecycle=Lifecycle(value["lifecycle"]),
        user=value["user"],
        parent=value.get("parent"),
        params=value["params"],
        metrics={key: MetricSummary(read_number(last), 0, 0) for key, last in value["metrics"].items()},
        tags={
            key: text for key, text in value["tags"].items() if key not in ("mlflow.runName", "mlflow.user", "mlflow.parentRunId")
        },
        inputs=tuple(
            DatasetInput(item["name"], item["digest"], tags={"mlflow.data.context": item["context"]} if "context" in item else {})
            for item in value["inputs"]
        ),
    )


def golden_runs() -> list[Run]:
    """The runs of the table."""
    return [run_of(value) for value in golden()["runs"]]
