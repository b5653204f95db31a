"""What the site says of one run: the cells of its table row, and everything that its page shows. From the record's JSON.

Invariants:

- Pure: a record in, JSON values out; no git, no store, no clock.
- Numbers that JSON cannot spell stay as the record spells them: ``"NaN"``, ``"Infinity"``, ``"-Infinity"``.

It does not decide what a public site leaves out: :mod:`runfolio.site.public` takes that from what this makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FOLLOW = (("mlflow.source.name", "entry", "script"), ("mlflow.source.git.commit", "code", "commit"),
           ("mlflow.source.git.branch", "code", "branch"), ("mlflow.source.git.repoURL", "code", "remote"))  # fmt: skip


def row_cells(record: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return a run's cells in the table, by kind and column key.

    Parameters
    ----------
    record : Mapping
        The JSON values of the run's record.
    """
    numbers = {f"metrics.{key}": value["last"] for key, value in record.get("metrics", {}).items()}
    if "end" in record:
        numbers["attributes.duration"] = record["end"] - record["start"]
    numbers["attributes.artifact_count"] = record.get("artifact_count", len(record.get("artifacts", ())))
    texts = {f"params.{key}": value for key, value in record.get("params", {}).items()}
    texts["attributes.run_name"] = record.get("name", "")
    texts["attributes.status"] = record["status"]
    for column, field in (("attributes.user_id", "user"), ("attributes.parent_run_id", "parent")):
        if record.get(field):
            texts[column] = record[field]
    for tag, section, field in _FOLLOW:
        if record.get(section, {}).get(field):
            texts[f"tags.{tag}"] = str(record[section][field])
    texts.update((f"tags.{key}", value) for key, value in record.get("tags", {}).items())
    made = {"time": {"attributes.start_time": record["start"]}, "num": numbers, "text": texts}
    inputs = record.get("inputs")
    if inputs:
        made["list"] = {
            "datasets.name": tuple(item["name"] for item in inputs),
            "datasets.digest": tuple(item["digest"] for item in inputs),
            "datasets.context": tuple(item.get("tags", {}).get("mlflow.data.context", "") for item in inputs),
        }
    return made


def detail_of(
    record: Mapping[str, Any],
    experiment_name: str,
    series: Mapping[str, Any] | None,
    artifacts: Mapping[str, Mapping[str, Any]],
    previews: Mapping[str, Any],
    children: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Return everything that a run's page shows.

    Parameters
    ----------
    record : Mapping
        The JSON values of the run's record.
    experiment_name : str
    series : Mapping or None
        The metric histories to draw: step, time and value by metric.
    artifacts : Mapping
        By path: digest, size, type.
    previews : Mapping
        What the site publishes of them, by path.
    children : tuple of str
        Ids of nested runs.
    """
    metrics = {key: _metric(value) for key, value in record.get("metrics", {}).items()}
    return {
        "run_id": record["run_id"],
        "name": record.get("name", ""),
        "experiment": {"slug": record["experiment"], "name": experiment_name},
        "status": record["status"],
        "start": record["start"],
        "end": record.get("end"),
        "user": record.get("user", ""),
        "parent": record.get("parent"),
        "children": list(children),
        "params": record.get("params", {}),
        "metrics": metrics,
        "tags": record.get("tags", {}),
        "inputs": record.get("inputs", []),
        "artifacts": [
            {
                "path": path,
                "size": entry["size"],
                "digest": entry["digest"],
                "media_type": entry.get("type", ""),
                "preview": previews.get(path),
            }
            for path, entry in sorted(artifacts.items())
        ],
        "artifact_count": record.get("artifact_count", len(artifacts)),
        "code": record.get("code", {}),
        "entry": record.get("entry", {}),
        "environment": record.get("environment", {}),
        "notices": record.get("notices", []),
        "series": series or {},
    }


def _metric(value: Mapping[str, Any]) -> dict[str, Any]:
    last = value["last"]
    made = {"last": last, "step": value.get("step", 0), "timestamp": value.get("at", 0), "count": value.get("count", 1)}
    for name in ("min", "max"):
        made[name] = value.get(name, last)
        made[f"{name}_step"] = value.get(f"{name}_step", made["step"])
    return made
