"""Everything that MLflow says of a store, as plain data: ``python told_of_all.py STORE_URI OUTPUT``. It imports nothing of runfolio.

What differs between any two runs (ids, times, addresses) is left out, so that two stores that were told the same tell the same.
"""

import json
import sys
from pathlib import Path

import mlflow
from mlflow import MlflowClient

ORIGIN = ("mlflow.source.", "mlflow.user", "mlflow.log-model.history", "mlflow.parentRunId", "runfolio.")
LOADED = "registered_model_meta"  # MLflow writes it where it loads from; a folio keeps what was logged
OURS = "mlflow_models.json"  # what a folio keeps of MLflow 3's models


def run_told(client, run):
    """Return a run with the histories of its metrics and the names of its files."""
    child = "mlflow.parentRunId" in run.data.tags
    named = ORIGIN + ("mlflow.runName",) * child  # MLflow makes names up
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith(named)}
    histories = {}
    for key in run.data.metrics:
        points = client.get_metric_history(run.info.run_id, key)
        histories[key] = "measured" if key.endswith("_time") else [[item.step, repr(item.value)] for item in points]
    return {
        "status": run.info.status,
        "params": dict(run.data.params),
        "tags": tags,
        "child": child,
        "metrics": histories,
        "inputs": sorted([item.dataset.name, item.dataset.digest, item.dataset.schema] for item in run.inputs.dataset_inputs),
        "files": sorted(files_below(client, run.info.run_id)),
    }


def files_below(client, run_id, path=None):
    """Return the paths of a run's files."""
    for item in client.list_artifacts(run_id, path):
        if item.is_dir:
            yield from files_below(client, run_id, item.path)
        elif item.path != OURS and not item.path.endswith(f"/{LOADED}"):
            yield item.path


def version_told(item):
    """Return a version of a registered model."""
    said = [str(item.version), item.current_stage, item.description or "", item.status, sorted(item.tags.items())]
    return [*said, bool(item.run_id)]  # its aliases are told of the model: a database leaves them out of a search


def main(uri, output):
    """Ask a store for everything."""
    mlflow.set_tracking_uri(uri)
    client = MlflowClient()
    told = {"experiments": {}, "models": {}}
    for experiment in client.search_experiments():
        runs = client.search_runs([experiment.experiment_id], order_by=["attributes.start_time ASC"])
        named = [
            [run.info.run_name if not run.data.tags.get("mlflow.parentRunId") else "", run_told(client, run)] for run in runs
        ]
        told["experiments"][experiment.name] = sorted(named, key=lambda pair: (pair[0], json.dumps(pair[1], sort_keys=True)))
    for model in client.search_registered_models():
        versions = client.search_model_versions(f"name = '{model.name}'")
        aliases = {key: str(value) for key, value in model.aliases.items()}
        said = {"description": model.description or "", "tags": dict(model.tags), "aliases": aliases}
        told["models"][model.name] = {**said, "versions": sorted(version_told(item) for item in versions)}
    Path(output).write_text(json.dumps(told, indent=1, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
