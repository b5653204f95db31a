"""The ids at a server of each run and logged model of a folio: ``python ids_there.py URI``, in a process that sees MLflow."""

import json
import sys

import mlflow
from mlflow.entities import ViewType


def main(uri):
    client = mlflow.MlflowClient(uri, uri)
    runs, models = {}, {}
    for item in client.search_experiments(ViewType.ALL):
        for run in client.search_runs([item.experiment_id], "", ViewType.ALL, 1000):
            runs.setdefault(run.data.tags.get("runfolio.run_id", "none"), []).append(run.info.run_id)
        if hasattr(client, "search_logged_models"):
            for model in client.search_logged_models([item.experiment_id]):
                models.setdefault(model.tags.get("runfolio.model_id", "none"), []).append(model.model_id)
    print(json.dumps([runs, models]))


if __name__ == "__main__":
    main(*sys.argv[1:])
