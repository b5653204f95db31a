"""What scripts do with MLflow, told as plain data: run with any MLflow against any store, and compare what two of them tell.

``python journey.py STORE_URI OUTPUT`` in a process that sees the MLflow wanted. It imports nothing of runfolio.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException

NEW = int(mlflow.__version__.split(".")[0]) >= 3
ORIGIN = ("mlflow.source.", "mlflow.user", "mlflow.log-model.history", "runfolio.")


def outcome(call, *args, **kwargs):
    """Return what a call gave, or the code of its error."""
    try:
        return call(*args, **kwargs)
    except MlflowException as error:
        return f"error {error.error_code}"
    except TypeError:  # what a client over HTTP makes of a value that is no number
        return "error INVALID_PARAMETER_VALUE"


def shown(run):
    """Return a run without what differs between any two."""
    tags = {key: value for key, value in run.data.tags.items() if not key.startswith(ORIGIN)}
    inputs = [
        [item.dataset.name, item.dataset.digest, item.dataset.source_type, sorted((tag.key, tag.value) for tag in item.tags)]
        for item in run.inputs.dataset_inputs
    ]
    return {
        "name": run.info.run_name,
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "ended": run.info.end_time is not None,
        "params": dict(sorted(run.data.params.items())),
        "metrics": {key: repr(value) for key, value in sorted(run.data.metrics.items())},
        "tags": {key: value for key, value in sorted(tags.items()) if key != "mlflow.parentRunId"},
        "inputs": inputs,
    }


def fluent(told):
    experiment_id = mlflow.create_experiment("fluent", tags={"team": "red"})
    mlflow.set_experiment("fluent")
    with mlflow.start_run(run_name="first", tags={"a": "1"}, description="what for") as run:
        mlflow.log_param("depth", 3)
        mlflow.log_params({"rate": 0.1, "kind": "tree"})
        for step in range(5):
            mlflow.log_metric("loss", 1 / (step + 1), step=step)
        mlflow.log_metrics({"accuracy": 0.5, "gap": float("nan")}, step=2)
        mlflow.set_tags({"b": 2, "c": "x"})
        mlflow.set_tag("late", True)
        mlflow.log_text("hello", "notes/hello.txt")
        mlflow.log_dict({"k": [1, 2]}, "notes/k.json")
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a.csv").write_text("x\n1\n")
            Path(folder, "sub").mkdir()
            Path(folder, "sub", "b.bin").write_bytes(b"\0" * 1000)
            mlflow.log_artifact(os.path.join(folder, "a.csv"))
            mlflow.log_artifacts(folder, "all")
        told["same param"] = outcome(mlflow.log_param, "depth", 3)
        told["other param"] = outcome(mlflow.log_param, "depth", 4)
        told["bad key"] = outcome(mlflow.log_metric, "a//b", 1)
        told["bad value"] = outcome(mlflow.log_metric, "x", "text")
        with mlflow.start_run(nested=True, run_name="child") as child:
            mlflow.log_metric("accuracy", 0.25)
        told["parent"] = mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run.info.run_id
        import numpy

        data = mlflow.data.from_numpy(numpy.arange(6.0).reshape(3, 2), name="grid")
        mlflow.log_input(data, context="training")
    told["first"] = shown(mlflow.get_run(run.info.run_id))
    told["text"] = mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/hello.txt")
    told["dict"] = mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/notes/k.json")
    told["folder"] = sorted(
        path.relative_to(root).as_posix()
        for root in [Path(mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="all"))]
        for path in root.rglob("*")
    )
    told["resumed"] = resume(run.info.run_id)
    told["failed"] = failing()
    told["experiment"] = [
        mlflow.get_experiment_by_name("fluent").experiment_id == experiment_id,
        mlflow.get_experiment(experiment_id).tags,
    ]
    frame = mlflow.search_runs(
        experiment_ids=[experiment_id], filter_string="metrics.accuracy > 0.3", order_by=["metrics.loss DESC"]
    )
    told["frame"] = [list(frame["tags.mlflow.runName"]), sorted(name for name in frame.columns if name.startswith("metrics."))]
    return experiment_id, run.info.run_id


def resume(run_id):
    with mlflow.start_run(run_id=run_id):
        mlflow.log_metric("after", 2.0)
    found = mlflow.get_run(run_id)
    return [found.info.status, found.data.metrics["after"]]


def failing():
    try:
        with mlflow.start_run(run_name="fails"):
            raise ValueError("no")
    except ValueError:
        pass
    return mlflow.last_active_run().info.status


def client_verbs(told, experiment_id, run_id):
    client = MlflowClient()
    made = client.create_run(experiment_id, run_name="by client", tags={"t": "1"}, start_time=1700000000000)
    name = made.info.run_id
    client.log_batch(
        name,
        metrics=[Metric("m", value, 1700000000000 + at, at) for at, value in enumerate([3.0, 1.0, 2.0])],
        params=[Param("p", "1"), Param("q", "2")],
        tags=[RunTag("u", "v")],
    )
    client.log_metric(name, "m", 9.0, timestamp=1700000000500, step=7)
    client.set_tag(name, "gone", "soon")
    client.delete_tag(name, "gone")
    told["no tag"] = outcome(client.delete_tag, name, "gone")
    told["history"] = [[item.value, item.timestamp, item.step] for item in client.get_metric_history(name, "m")]
    client.update_run(name, name="renamed")
    client.set_terminated(name, "FAILED", end_time=1700000001000)
    told["by client"] = shown(client.get_run(name))
    told["times"] = [client.get_run(name).info.start_time, client.get_run(name).info.end_time]
    client.delete_run(name)
    told["deleted"] = shown(client.get_run(name))["stage"]
    told["log to deleted"] = outcome(client.log_param, name, "z", "1")
    told["found"] = {
        str(view): sorted(item.info.run_name for item in client.search_runs([experiment_id], run_view_type=view))
        for view in (ViewType.ACTIVE_ONLY, ViewType.DELETED_ONLY, ViewType.ALL)
    }
    client.restore_run(name)
    pages = []
    token = None
    while True:
        page = client.search_runs([experiment_id], max_results=2, page_token=token, order_by=["attributes.run_name ASC"])
        pages.append([item.info.run_name for item in page])
        token = page.token
        if not token:
            break
    told["pages"] = pages
    told["bad filter"] = outcome(client.search_runs, [experiment_id], "metrics.loss ~ 3")
    told["no run"] = outcome(client.get_run, "0" * 32)
    told["no experiment"] = outcome(client.get_experiment, "4711")
    told["again"] = outcome(client.create_experiment, "fluent")
    told["listed"] = {
        str(path): [[item.path, item.is_dir, item.file_size] for item in client.list_artifacts(run_id, path)]
        for path in (None, "all", "all/sub", "notes/hello.txt", "nowhere")
    }
    other = client.create_experiment("short lived")
    client.set_experiment_tag(other, "k", "v")
    client.rename_experiment(other, "renamed")
    client.delete_experiment(other)
    told["gone experiment"] = [client.get_experiment(other).lifecycle_stage, client.get_experiment(other).name]
    told["run there"] = outcome(client.create_run, other)
    client.restore_experiment(other)
    told["experiments"] = sorted(item.name for item in client.search_experiments())
    told["by tag"] = [item.name for item in client.search_experiments(filter_string="tags.team = 'red'")]


def models(told):
    import numpy
    from sklearn.linear_model import LogisticRegression

    x, y = numpy.arange(20.0).reshape(10, 2), numpy.array([0, 1] * 5)
    mlflow.set_experiment("models")
    client = MlflowClient()
    with mlflow.start_run(run_name="model") as run:
        fitted = LogisticRegression().fit(x, y)
        place = {"name": "model"} if NEW else {"artifact_path": "model"}
        kwargs = {"serialization_format": "cloudpickle"} if NEW else {}
        info = mlflow.sklearn.log_model(fitted, registered_model_name="wine", input_example=x[:2], **place, **kwargs)
        told["listed model"] = sorted(item.path for item in client.list_artifacts(run.info.run_id, "model"))
    told["predicted"] = [
        mlflow.pyfunc.load_model(uri).predict(x[:3]).tolist()
        for uri in (info.model_uri, f"runs:/{run.info.run_id}/model", "models:/wine/1", "models:/wine/latest")
    ]
    version = client.get_model_version("wine", "1")
    told["version"] = [
        version.name,
        str(version.version),
        version.status,
        version.current_stage,
        version.run_id == run.info.run_id,
    ]
    second = mlflow.register_model(f"runs:/{run.info.run_id}/model", "wine", tags={"from": "uri"})
    told["second"] = [str(second.version), second.tags]
    client.transition_model_version_stage("wine", "1", "Production")
    client.transition_model_version_stage("wine", "2", "production", archive_existing_versions=True)
    client.set_registered_model_alias("wine", "champion", "2")
    client.set_registered_model_tag("wine", "team", "red")
    client.set_model_version_tag("wine", "1", "good", "no")
    client.update_registered_model("wine", "Which wine?")
    client.update_model_version("wine", "2", "The second.")
    found = client.get_registered_model("wine")
    told["model"] = [found.description, dict(found.tags), {key: str(value) for key, value in found.aliases.items()}]
    told["stages"] = {str(item.version): item.current_stage for item in client.search_model_versions("name='wine'")}
    told["latest"] = sorted((str(item.version), item.current_stage) for item in client.get_latest_versions("wine"))
    told["by alias"] = [
        str(client.get_model_version_by_alias("wine", "champion").version),
        mlflow.pyfunc.load_model("models:/wine@champion").predict(x[:2]).tolist(),
        mlflow.pyfunc.load_model("models:/wine/Production").predict(x[:2]).tolist(),
    ]
    told["no alias"] = outcome(client.get_model_version_by_alias, "wine", "nobody")
    told["models"] = [item.name for item in client.search_registered_models("name LIKE 'wi%'")]
    told["model again"] = outcome(client.create_registered_model, "wine")
    told["bad model"] = outcome(client.create_registered_model, "a/b")
    told["no model"] = outcome(client.get_registered_model, "beer")
    client.delete_model_version("wine", "1")
    told["no version"] = outcome(client.get_model_version, "wine", "1")
    copied = client.copy_model_version("models:/wine/2", "cider")
    told["copied"] = [copied.name, str(copied.version)]
    # MLflow's file store cannot rename a model whose versions have tags.
    renamed = "cider" if mlflow.get_tracking_uri().startswith("file:") else "perry"
    if renamed == "perry":
        client.rename_registered_model("cider", renamed)
    client.delete_registered_model(renamed)
    told["names"] = sorted(item.name for item in client.search_registered_models())
    return run.info.run_id


def logged_models(told, run_id):
    client = MlflowClient()
    experiment_id = client.get_run(run_id).info.experiment_id
    found = mlflow.search_logged_models(experiment_ids=[experiment_id], output_format="list")
    told["logged"] = [[item.name, str(item.status), item.source_run_id == run_id] for item in found]
    model_id = found[0].model_id
    told["outputs"] = [[item.model_id == model_id, item.step] for item in client.get_run(run_id).outputs.model_outputs]
    client.set_logged_model_tags(model_id, {"k": "v"})
    tags = client.get_logged_model(model_id).tags
    told["model tags"] = {key: tags[key] for key in sorted(tags) if key == "k"}
    client.delete_logged_model_tag(model_id, "k")
    told["model tags after"] = "k" in client.get_logged_model(model_id).tags
    with mlflow.start_run(run_name="measures"):
        mlflow.log_metric("accuracy", 0.75, model_id=model_id)
    told["model metrics"] = [[item.key, item.value] for item in client.get_logged_model(model_id).metrics]
    told["filtered"] = [
        len(mlflow.search_logged_models(experiment_ids=[experiment_id], filter_string=text, output_format="list"))
        for text in ("metrics.accuracy > 0.5", "metrics.accuracy > 0.9", "name = 'model'")
    ]
    alone = mlflow.initialize_logged_model(name="alone", params={"p": "1"}, tags={"t": "2"})
    mlflow.finalize_logged_model(alone.model_id, "READY")
    alone = mlflow.get_logged_model(alone.model_id)
    told["alone"] = [alone.name, str(alone.status), alone.params, {key: alone.tags[key] for key in ("t",)}]
    client.delete_logged_model(alone.model_id)
    told["deleted model"] = outcome(client.get_logged_model, alone.model_id)


def main(uri, output):
    mlflow.set_tracking_uri(uri)
    told = {}
    experiment_id, run_id = fluent(told)
    client_verbs(told, experiment_id, run_id)
    model_run = models(told)
    if NEW:
        logged_models(told, model_run)
    Path(output).write_text(json.dumps(told, indent=1, sort_keys=True, default=str))


if __name__ == "__main__":
    main(*sys.argv[1:])
