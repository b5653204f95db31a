"""What an MLflow store says, whole, as plain data: ``python told_by.py URI OUTPUT``, in a process that sees MLflow."""

import json
import logging
import sys
from pathlib import Path

logging.disable(logging.CRITICAL)

import mlflow  # noqa: E402
from mlflow.entities import ViewType  # noqa: E402
from mlflow.exceptions import MlflowException  # noqa: E402

ORIGIN = ("runfolio.",)


def pages(ask):
    token = None
    while True:
        page = ask(token)
        yield from page
        token = page.token
        if not token:
            return


def files(ask, path=None):
    found = {}
    for item in ask(path):
        found.update(files(ask, item.path) if item.is_dir else {item.path: item.file_size})
    return found


def told_more(client, run):
    """What an export keeps, and a plug-in need not show."""
    outputs = getattr(getattr(run, "outputs", None), "model_outputs", None) or ()
    return {
        "profiles": sorted((item.dataset.name, item.dataset.profile or "") for item in run.inputs.dataset_inputs),
        "read": sorted(item.model_id for item in getattr(run.inputs, "model_inputs", None) or ()),
        "made": sorted([item.model_id, item.step] for item in outputs),
    }


def told_input(item):
    data = item.dataset
    tags = sorted([tag.key, tag.value] for tag in item.tags)
    return [data.name, data.digest, data.source_type, data.source, data.schema, tags]


def told_run(client, run):
    run_id = run.info.run_id
    return {
        "experiment": run.info.experiment_id,
        "name": run.info.run_name,
        "status": run.info.status,
        "times": [run.info.start_time, run.info.end_time],
        "stage": run.info.lifecycle_stage,
        "user": run.info.user_id,
        "params": dict(run.data.params),
        "tags": {key: value for key, value in run.data.tags.items() if not key.startswith(ORIGIN)},
        "metrics": {key: repr(value) for key, value in run.data.metrics.items()},
        "histories": {
            key: sorted([repr(item.value), item.timestamp, item.step] for item in client.get_metric_history(run_id, key))
            for key in run.data.metrics
        },
        "inputs": sorted(told_input(item) for item in run.inputs.dataset_inputs),
        "files": {
            path: size
            for path, size in files(lambda path: client.list_artifacts(run_id, path)).items()
            if path != "mlflow_models.json"
        },
    }


def files_of_logged(client, model, *, lost):
    try:
        return files(lambda path: client.list_logged_model_artifacts(model.model_id, path))
    except MlflowException:
        if not lost:  # in the trash of a folder MLflow itself does not find the models of an experiment
            raise
        return {}


def told_model(client, model):
    versions = {}
    for item in pages(lambda token: client.search_model_versions(f"name='{model.name}'", page_token=token)):
        versions[str(item.version)] = {
            "stage": item.current_stage,
            "run": item.run_id,
            "created": item.creation_timestamp,
            "description": item.description or "",
            "tags": dict(item.tags),
        }
    return {
        "created": model.creation_timestamp,
        "description": model.description or "",
        "tags": dict(model.tags),
        "aliases": {alias: str(version) for alias, version in model.aliases.items()},
        "versions": versions,
    }


def more_of_model(client, model):
    versions = {}
    for item in pages(lambda token: client.search_model_versions(f"name='{model.name}'", page_token=token)):
        found = [item.last_updated_timestamp, item.user_id or "", item.run_link or "", item.status, item.status_message or ""]
        place = Path(mlflow.artifacts.download_artifacts(client.get_model_version_download_uri(model.name, item.version)))
        held = {path.relative_to(place).as_posix(): path.read_bytes().hex() for path in place.rglob("*") if path.is_file()}
        versions[str(item.version)] = [*found, held]
    return [model.last_updated_timestamp, versions]


def tell(uri, *, more=False):
    """Return what MLflow says of a store; `more` asks also for what the plug-in shows otherwise."""
    mlflow.set_tracking_uri(uri)
    client = mlflow.MlflowClient(uri, uri)
    told = {"experiments": {}, "runs": {}, "models": {}, "logged": {}}
    for item in pages(lambda token: client.search_experiments(ViewType.ALL, page_token=token)):
        if item.experiment_id != "0":
            told["experiments"][item.experiment_id] = [item.name, item.lifecycle_stage, dict(item.tags), item.creation_time]
        for run in pages(lambda token, at=item.experiment_id: client.search_runs([at], "", ViewType.ALL, 100, None, token)):
            if run.data.tags.get("runfolio.carries") != "model":
                told["runs"][run.info.run_id] = told_run(client, run)
                if more:
                    told["runs"][run.info.run_id].update(told_more(client, run))
        if hasattr(client, "search_logged_models"):
            for model in pages(lambda token, at=item.experiment_id: client.search_logged_models([at], page_token=token)):
                found = files_of_logged(client, model, lost=item.lifecycle_stage == "deleted")
                metrics = sorted([entry.key, entry.value, entry.run_id] for entry in model.metrics or ())
                told["logged"][model.model_id] = [
                    model.name,
                    str(model.status),
                    model.source_run_id,
                    model.tags,
                    model.params,
                    found,
                    metrics,
                ]
    for model in pages(lambda token: client.search_registered_models(page_token=token)):
        if "/" not in model.name and "%2F" not in model.name:
            told["models"][model.name] = told_model(client, model)
            if more:
                told["models"][model.name]["more"] = more_of_model(client, model)
    return told


def main(uri, output):
    told = tell(uri)
    Path(output).write_text(json.dumps(told, indent=1, sort_keys=True))


if __name__ == "__main__":
    main(*sys.argv[1:])
