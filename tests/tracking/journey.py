"""One script, run through MLflow and through runfolio: ``python journey.py mlflow`` prints what each step gave, as JSON.

It is no test of its own: ``test_beside_mlflow.py`` runs it twice and compares. Ids, times and places differ by nature and are
left out or named by their part in the story; a refusal is its ``error_code``.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import sys
from collections.abc import Callable
from typing import Any

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from telling import code, tell  # type: ignore[import-not-found] # also by a Python that has nothing of ours

mlflow = importlib.import_module(sys.argv[1])
entities = importlib.import_module(f"{sys.argv[1]}.entities")
MlflowClient = importlib.import_module(f"{sys.argv[1]}.tracking").MlflowClient
STEPS: dict[str, Callable[[], Any]] = {}
ids: dict[str, str] = {}


def step(function: Callable[[], Any]) -> Callable[[], Any]:
    """Make a function one step of the story, named by it."""
    STEPS[function.__name__] = function
    return function


def own(tags: dict[str, str]) -> dict[str, str]:
    """Return the tags without those that name machine, user and code."""
    kept = ("mlflow.runName", "mlflow.note.content")
    return {key: value for key, value in tags.items() if not key.startswith("mlflow.") or key in kept}


def shown(run_id: str) -> dict[str, Any]:
    """Return what a run holds."""
    run = mlflow.get_run(run_id)
    return {
        "status": run.info.status,
        "stage": run.info.lifecycle_stage,
        "name": run.info.run_name,
        "ended": run.info.end_time is not None,
        "params": run.data.params,
        "metrics": run.data.metrics,
        "tags": own(run.data.tags),
    }


def named(runs: Any) -> list[str]:
    """Return the runs by their names, in order."""
    return [run.info.run_name for run in runs]


@step
def experiments_are_made_once() -> Any:
    ids["wine"] = mlflow.set_experiment("wine").experiment_id
    ids["other"] = mlflow.create_experiment("other", tags={"team": "red"})
    return {
        "again": mlflow.set_experiment("wine").experiment_id == ids["wine"],
        "duplicate": code(lambda: mlflow.create_experiment("other")),
        "tags": mlflow.get_experiment(ids["other"]).tags,
        "by_name": mlflow.get_experiment_by_name("other").experiment_id == ids["other"],
        "unknown_name": mlflow.get_experiment_by_name("nowhere"),
        "default": mlflow.get_experiment("0").name,
    }


@step
def a_plain_run() -> Any:
    with mlflow.start_run(run_name="first", tags={"team": "red"}, description="a *note*") as run:
        ids["first"] = run.info.run_id
        given = [mlflow.log_param("depth", 3), mlflow.log_params({"lr": 0.1, "flag": True, "none": None, "list": [1, "a"]})]
        mlflow.log_metric("acc", 0.5)
        mlflow.log_metrics({"loss": 1, "f1": 0.25}, step=2)
        for number in range(5):
            mlflow.log_metric("curve", 1 / (number + 1), step=number, timestamp=1_000 + number)
        mlflow.set_tag("number", 5)
        mlflow.set_tags({"a/b": "x", "empty": ""})
        mlflow.set_tag("gone", "soon")
        mlflow.delete_tag("gone")
    return [given, shown(ids["first"])]


@step
def the_latest_value_has_the_largest_step_then_time_then_value() -> Any:
    with mlflow.start_run(run_name="latest") as run:
        client = MlflowClient()
        for value, timestamp, at in ((1, 10, 3), (9, 99, 1), (5, 12, 3), (4, 12, 3), (2, 11, 3)):
            client.log_metric(run.info.run_id, "m", value, timestamp, at)
        history = client.get_metric_history(run.info.run_id, "m")
    return [shown(run.info.run_id)["metrics"], sorted((point.step, point.timestamp, point.value) for point in history)]


@step
def an_error_in_the_block_fails_the_run() -> Any:
    try:
        with mlflow.start_run(run_name="broken") as run:
            raise KeyError("x")
    except KeyError:
        pass
    return shown(run.info.run_id)


@step
def runs_nest() -> Any:
    with mlflow.start_run(run_name="parent") as parent:
        refused = code(lambda: mlflow.start_run())
        with mlflow.start_run(run_name="child", nested=True) as child:
            active = mlflow.active_run().info.run_id == child.info.run_id
        wrong_parent = code(lambda: mlflow.start_run(nested=True, parent_run_id=child.info.run_id))
        last = mlflow.last_active_run().info.run_id == parent.info.run_id
    after = mlflow.last_active_run().info.run_id == parent.info.run_id
    with mlflow.start_run(run_name="later child", parent_run_id=parent.info.run_id) as later:
        pass
    parents = [mlflow.get_parent_run(run.info.run_id) for run in (child, later, parent)]
    return [refused, active, wrong_parent, last, after, [item and item.info.run_name for item in parents], mlflow.active_run()]


@step
def a_finished_run_is_opened_again() -> Any:
    with mlflow.start_run(run_id=ids["first"], tags={"more": "1"}, run_name="not taken") as run:
        during = [run.info.status, run.info.run_name, mlflow.get_run(ids["first"]).info.status]
        mlflow.log_metric("acc", 0.75, step=1)
        mlflow.log_param("late", 1)
    return [during, shown(ids["first"]), len(MlflowClient().get_metric_history(ids["first"], "acc"))]


@step
def end_run_takes_the_final_states() -> Any:
    made = {}
    for status in ("FINISHED", "FAILED", "KILLED"):
        run = mlflow.start_run(run_name=status)
        mlflow.end_run(status)
        made[status] = mlflow.get_run(run.info.run_id).info.status
    mlflow.end_run()
    return made


@step
def keys_are_checked() -> Any:
    keys = [
        "a b",
        "a/b",
        "a:b",
        "thử",
        "a.b-c_d",
        "x" * 250,
        "x" * 251,
        "",
        "a//b",
        "../a",
        "/a",
        "a/..",
        ".",
        "a\nb",
        "a,b",
        "ключ",
        "a/./b",
    ]
    with mlflow.start_run(run_name="keys"):
        return {
            kind: {key[:12] + str(len(key)): code(lambda key=key, log=log: log(key)) for key in keys}
            for kind, log in (
                ("metric", lambda key: mlflow.log_metric(key, 1)),
                ("param", lambda key: mlflow.log_param(key, 1)),
                ("tag", lambda key: mlflow.set_tag(key, 1)),
            )
        }


@step
def long_values_are_cut() -> Any:
    with mlflow.start_run(run_name="long") as run:
        mlflow.log_param("p", "x" * 7000)
        mlflow.set_tag("t", "x" * 9000)
    data = mlflow.get_run(run.info.run_id).data
    return [len(data.params["p"]), len(data.tags["t"])]


@step
def params_are_written_once() -> Any:
    with mlflow.start_run(run_name="once"):
        mlflow.log_param("p", 1)
        return [
            code(lambda: mlflow.log_param("p", "1")),
            code(lambda: mlflow.log_param("p", 2)),
            code(lambda: mlflow.log_params({"q": 1, "p": 3})),
        ]


@step
def batches_are_all_or_nothing() -> Any:
    client = MlflowClient()
    run_id = client.create_run(ids["wine"], run_name="batch").info.run_id
    metric, param, tag = entities.Metric, entities.Param, entities.RunTag
    twice = code(lambda: client.log_batch(run_id, params=[param("p", "1"), param("p", "2")]))
    same = code(lambda: client.log_batch(run_id, params=[param("s", "1"), param("s", "1")]))
    client.log_batch(run_id, [metric("m", 1.5, 5, 0), metric("m", 2.5, 6, 1)], [param("q", "1")], [tag("t", "1"), tag("t", "2")])
    bad = code(lambda: client.log_batch(run_id, [metric("n", 1, 5, 0)], [param("bad\n", "1")], [tag("u", "1")]))
    client.set_terminated(run_id, "KILLED", 123456)
    ended = client.get_run(run_id).info.end_time
    return [twice, same, bad, ended, shown(run_id)]


@step
def metric_values_are_numbers() -> Any:
    import numpy

    values = {
        "int": 1, "numpy float": numpy.float32(0.5), "numpy int": numpy.int64(3), "zero-d": numpy.array(2.0), "one": numpy.array([2.0]),
        "huge": 10**400, "text": "1.0", "none": None, "two": numpy.array([1.0, 2.0]), "list": [1], "nan": math.nan,
    }  # fmt: skip
    with mlflow.start_run(run_name="values") as run:
        codes = {name: code(lambda name=name, value=value: mlflow.log_metric(name, value)) for name, value in values.items()}
    metrics = mlflow.get_run(run.info.run_id).data.metrics
    return [codes, {key: str(value) for key, value in metrics.items()}]


@step
def names_of_experiments_are_checked() -> Any:
    names: list[Any] = ["", None, 5, "x" * 500, "x" * 501, "thử nghiệm", "a/b"]
    return [code(lambda name=name: mlflow.create_experiment(name)) for name in names]


@step
def unknown_things_are_named() -> Any:
    client = MlflowClient()
    absent = "0" * 32
    return {
        "run": code(lambda: mlflow.get_run(absent)),
        "experiment": code(lambda: mlflow.get_experiment("12345")),
        "metric of run": code(lambda: client.log_metric(absent, "a", 1)),
        "tag of run": code(lambda: client.set_tag(absent, "a", 1)),
        "missing tag": code(lambda: client.delete_tag(ids["first"], "never")),
        "resume": code(lambda: mlflow.start_run(run_id=absent)),
        "set_experiment": code(lambda: mlflow.set_experiment(experiment_id="12345")),
        "set_experiment of both": code(lambda: mlflow.set_experiment("wine", ids["wine"])),
        "set_experiment of none": code(lambda: mlflow.set_experiment()),
        "create_run": code(lambda: client.create_run("12345")),
        "start_run": code(lambda: mlflow.start_run(experiment_id="12345")),
        "delete_run": code(lambda: client.delete_run(absent)),
        "restore_run": code(lambda: client.restore_run(absent)),
        "delete_experiment": code(lambda: client.delete_experiment("12345")),
        "restore_experiment": code(lambda: client.restore_experiment("12345")),
        "rename_experiment": code(lambda: client.rename_experiment("12345", "x")),
        "parent": code(lambda: mlflow.start_run(parent_run_id=absent)),
        "history": code(lambda: list(client.get_metric_history(ids["first"], "never"))),
    }


@step
def runs_are_deleted_and_restored() -> Any:
    client = MlflowClient()
    run_id = client.create_run(ids["wine"], run_name="deleted").info.run_id
    client.set_terminated(run_id)
    made = {"delete": code(lambda: mlflow.delete_run(run_id)), "stage": mlflow.get_run(run_id).info.lifecycle_stage}
    made["log"] = code(lambda: client.log_metric(run_id, "a", 1))
    made["param"] = code(lambda: client.log_param(run_id, "a", 1))
    made["tag"] = code(lambda: client.set_tag(run_id, "a", 1))
    made["untag"] = code(lambda: client.delete_tag(run_id, "a"))
    made["batch"] = code(lambda: client.log_batch(run_id, params=[entities.Param("a", "1")]))
    made["update"] = code(lambda: client.update_run(run_id, name="b"))
    made["resume"] = code(lambda: mlflow.start_run(run_id=run_id))
    made["parent"] = code(lambda: mlflow.start_run(parent_run_id=run_id))
    made["active"] = mlflow.active_run()
    made["restore"] = code(lambda: client.restore_run(run_id))
    made["after"] = [mlflow.get_run(run_id).info.lifecycle_stage, code(lambda: client.log_metric(run_id, "a", 1))]
    made["restored again"] = code(lambda: client.restore_run(run_id))
    return made


@step
def experiments_are_deleted_and_restored() -> Any:
    client = MlflowClient()
    experiment_id = client.create_experiment("short-lived")
    run_id = client.create_run(experiment_id, run_name="within").info.run_id
    client.set_terminated(run_id)
    client.set_experiment_tag(experiment_id, "k", "v")
    client.delete_experiment(experiment_id)
    made = {"stage": client.get_experiment(experiment_id).lifecycle_stage}
    made["run"] = client.get_run(run_id).info.lifecycle_stage
    made["active runs"] = named(client.search_runs([experiment_id]))
    made["deleted runs"] = named(client.search_runs([experiment_id], run_view_type=entities.ViewType.DELETED_ONLY))
    made["create"] = code(lambda: client.create_run(experiment_id))
    made["set"] = code(lambda: mlflow.set_experiment("short-lived"))
    made["set by id"] = code(lambda: mlflow.set_experiment(experiment_id=experiment_id))
    made["same name"] = code(lambda: client.create_experiment("short-lived"))
    made["rename"] = code(lambda: client.rename_experiment(experiment_id, "x"))
    made["tag"] = code(lambda: client.set_experiment_tag(experiment_id, "k", "w"))
    made["again"] = code(lambda: client.delete_experiment(experiment_id))
    client.restore_experiment(experiment_id)
    made["after"] = [client.get_experiment(experiment_id).lifecycle_stage, client.get_run(run_id).info.lifecycle_stage]
    made["restored again"] = code(lambda: client.restore_experiment(experiment_id))
    made["rename after"] = code(lambda: client.rename_experiment(experiment_id, "renamed"))
    made["name taken"] = code(lambda: client.rename_experiment(experiment_id, "other"))
    made["name"] = client.get_experiment(experiment_id).name
    made["tags"] = client.get_experiment(experiment_id).tags
    return made


@step
def updates_of_runs() -> Any:
    client = MlflowClient()
    run_id = client.create_run(ids["wine"], start_time=1_600_000_000_000, tags={"mlflow.runName": "by tag"}).info.run_id
    start = client.get_run(run_id).info.start_time
    first = client.get_run(run_id).info.run_name
    client.update_run(run_id, name="second")
    client.update_run(run_id, status="FAILED")
    return [
        start, first, client.get_run(run_id).info.run_name, client.get_run(run_id).data.tags["mlflow.runName"],
        client.get_run(run_id).info.status,
        code(lambda: client.update_run(run_id, status="BOGUS")),
        code(lambda: client.create_run(ids["wine"], tags={"mlflow.runName": "x"}, run_name="y")),
    ]  # fmt: skip


def _searchable() -> None:
    client = MlflowClient()
    if "find" in ids:
        return
    ids["find"] = client.create_experiment("find")
    rows = (("a", 1.0, "5", 100), ("b", math.nan, "10", 200), ("c", None, None, 310), ("d", 3.0, "5", 300), ("e", -2.0, "x", 50))
    for name, value, param, start in rows:
        run_id = client.create_run(ids["find"], start_time=start, run_name=name).info.run_id
        if value is not None:
            client.log_metric(run_id, "m", value, 1, 0)
        if param is not None:
            client.log_param(run_id, "p", param)
            client.set_tag(run_id, "t", f"v{param}")
        client.set_terminated(run_id, "FAILED" if name == "e" else "FINISHED", start + 1000)


@step
def runs_are_found_by_filters() -> Any:
    _searchable()
    filters = [
        "", "metrics.m > 0", "metrics.m >= 1 and metrics.m < 3", "metrics.m != 1", "metrics.`m` = 3", "params.p = '5'", "params.p != '5'",
        "params.p LIKE '%1%'", "params.p ILIKE 'X'", "tags.t = 'v5'", "tag.t LIKE 'v%'", "parameter.p = \"5\"", "metric.m = 1",
        "status = 'FAILED'", "attributes.status != 'FAILED'", "run_name = 'a'", "attributes.run_name LIKE 'a%'", "`run name` = 'b'",
        "start_time > 150", "attributes.end_time <= 1100", "start_time >= 100 AND start_time <= 200", "params.nope = 'x'",
        "tags.mlflow.runName = 'c'", "metrics.m > -1e1", "metrics.m > 1 AND ",
        # refused:
        "metrics.m > '1'", "params.p = 5", "params.p > '5'", "m > 1", "metrics.m LIKE 'x'", "params.p = '5' OR params.p = 'x'",
        "status IN ('FAILED')", "metrics.m", "start_time = 'x'", "bogus.x = 'y'", "(metrics.m > 1)",
    ]  # fmt: skip
    client, made = MlflowClient(), {}
    for text in filters:
        try:
            made[text] = named(client.search_runs([ids["find"]], text))
        except Exception as error:
            made[text] = str(getattr(error, "error_code", type(error).__name__))
    return made


@step
def runs_are_ordered() -> Any:
    _searchable()
    orders = [
        None, ["metrics.m"], ["metrics.m DESC"], ["metrics.m ASC"], ["params.p"], ["params.p DESC", "metrics.m"], ["start_time ASC"],
        ["attributes.start_time DESC"], ["tags.t DESC"], ["run_name"], ["end_time desc"], ["metrics.nope"], ["status", "run_name DESC"],
        ["metrics.m UP"], ["m"], ["metrics.m, params.p"],
    ]  # fmt: skip
    client, made = MlflowClient(), {}
    for order in orders:
        try:
            # Equal runs may come in any order where ids decide: c and d start together.
            found = named(client.search_runs([ids["find"]], order_by=order))
            made[str(order)] = "".join(found).replace("dc", "cd")
        except Exception as error:
            made[str(order)] = str(getattr(error, "error_code", type(error).__name__))
    return made


@step
def runs_come_in_pages() -> Any:
    _searchable()
    client = MlflowClient()
    pages, token = [], None
    for _ in range(5):
        page = client.search_runs([ids["find"]], max_results=2, order_by=["run_name"], page_token=token)
        pages.append(named(page))
        token = page.token
        if not token:
            break
    return {
        "pages": pages,
        "none left": token is None or token == "",
        "too many": code(lambda: client.search_runs([ids["find"]], max_results=50001)),
        "most": code(lambda: client.search_runs([ids["find"]], max_results=50000)),
        "negative": code(lambda: client.search_runs([ids["find"]], max_results=-1)),
        "token": code(lambda: client.search_runs([ids["find"]], page_token="garbage")),
        "no experiment": named(client.search_runs([])),
        "unknown experiment": named(client.search_runs(["12345"])),
        "text": len(client.search_runs(ids["find"])) if sys.argv[1] != "mlflow" else 5,
    }


@step
def frames_have_the_same_columns() -> Any:
    _searchable()
    frame = mlflow.search_runs([ids["find"]], order_by=["run_name"])
    columns = [name for name in frame.columns if not name.startswith("tags.mlflow.") or name == "tags.mlflow.runName"]
    some = frame[columns]
    empty = mlflow.search_runs([ids["find"]], "metrics.m > 99")
    return {
        "columns": columns[:6] + sorted(columns[6:]),
        "types": {name: str(some[name].dtype) for name in columns if name not in ("start_time", "end_time")},
        "times": [str(some[name].dtype)[:10] + str(some[name].dt.tz) for name in ("start_time", "end_time")],
        "first": [str(some[name].iloc[0]) for name in ("start_time", "end_time", "status", "metrics.m", "params.p")],
        "missing": [str(frame["metrics.m"].iloc[2]), str(frame["params.p"].iloc[2]), str(frame["tags.t"].iloc[2])],
        "empty": [list(empty.columns), len(empty)],
        "list": named(mlflow.search_runs([ids["find"]], output_format="list", order_by=["run_name"])),
        "names": len(mlflow.search_runs(experiment_names=["find", "nowhere"])),
        "both": code(lambda: mlflow.search_runs([ids["find"]], experiment_names=["find"])),
        "format": code(lambda: mlflow.search_runs([ids["find"]], output_format="csv")),
        "all": len(mlflow.search_runs(search_all_experiments=True)) > 10,
        "no ids": "first" in named(mlflow.search_runs([], output_format="list")),
        "two": len(mlflow.search_runs([ids["find"]], max_results=2)),
    }


@step
def experiments_are_searched() -> Any:
    client = MlflowClient()
    made = {}
    for text in ("name = 'find'", "name LIKE 'f%'", "name ILIKE 'WINE'", "tags.team = 'red'", "tags.`team` != 'red'", "experiment_id = '0'",
                 "creation_time > 0 AND name = 'find'", "metrics.x > 1", "name > 'a'"):  # fmt: skip
        try:
            made[text] = sorted(item.name for item in client.search_experiments(filter_string=text))
        except Exception as error:
            made[text] = str(getattr(error, "error_code", type(error).__name__))
    ordered = [item.name for item in mlflow.search_experiments(order_by=["name ASC"], filter_string="name LIKE '%i%'")]
    page = client.search_experiments(max_results=2, order_by=["name"])
    second = client.search_experiments(max_results=2, order_by=["name"], page_token=page.token)
    bad = [code(lambda size=size: client.search_experiments(max_results=size)) for size in (0, -1, 50001, 50000)]
    return [made, ordered, [item.name for item in page], [item.name for item in second], bad]


@step
def files_are_logged_and_listed() -> Any:
    import pathlib
    import tempfile

    with mlflow.start_run(run_name="files") as run, tempfile.TemporaryDirectory() as folder:
        ids["files"] = run.info.run_id
        path = pathlib.Path(folder)
        (path / "one.txt").write_text("one")
        (path / "sub").mkdir()
        (path / "sub" / "two.txt").write_text("two")
        mlflow.log_artifact(str(path / "one.txt"))
        mlflow.log_artifact(path / "one.txt", "in/here")
        mlflow.log_artifacts(folder, "all")
        mlflow.log_artifact(str(path / "sub"), "as folder")
        mlflow.log_text("text é", "notes/a.txt")
        mlflow.log_dict({"a": [1, 2]}, "a.json")
        mlflow.log_dict({"a": [1, 2]}, "a.yaml")
        mlflow.log_table({"q": ["x"], "n": [1]}, "table.json")
        mlflow.log_table({"q": ["y"], "n": [2]}, "table.json")
        bad = [code(lambda name=name: mlflow.log_text("x", name)) for name in ("../x", "/x", "a/../../x")]
    client = MlflowClient()
    tree = {}
    for place in (None, "all", "all/sub", "in", "nowhere"):
        tree[str(place)] = [(item.path, item.is_dir, item.file_size) for item in client.list_artifacts(run.info.run_id, place)]
    for files in tree.values():  # how many spaces JSON has, and the bytes of YAML, are no part of the interface
        files[:] = [(name, is_dir, None if name in ("a.json", "a.yaml", "table.json") else size) for name, is_dir, size in files]
    base = f"runs:/{run.info.run_id}"
    where = mlflow.artifacts.download_artifacts(f"{base}/all/sub/two.txt")
    with tempfile.TemporaryDirectory() as target:
        folder_got = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="all", dst_path=target)
        got = sorted(str(item.relative_to(target)) for item in pathlib.Path(target).rglob("*"))
        inside = pathlib.Path(folder_got).is_relative_to(target)
    table = mlflow.load_table("table.json", run_ids=[run.info.run_id], extra_columns=["run_id", "tags.mlflow.runName"])
    return {
        "tree": tree,
        "bad": bad,
        "text": mlflow.artifacts.load_text(f"{base}/notes/a.txt"),
        "dict": mlflow.artifacts.load_dict(f"{base}/a.json"),
        "file": [pathlib.Path(where).name, pathlib.Path(where).read_text()],
        "folder": [got, inside, pathlib.Path(folder_got).name],
        "table": [list(table.columns), table["q"].tolist(), table["n"].tolist(), table["tags.mlflow.runName"].tolist()],
        "missing": code(lambda: mlflow.artifacts.load_text(f"{base}/no.txt")) != "taken",
        "listed": [item.path for item in mlflow.artifacts.list_artifacts(run_id=run.info.run_id, artifact_path="notes")],
    }


@step
def datasets_are_logged() -> Any:
    import numpy
    import pandas

    frame = pandas.DataFrame({"a": [1, 2, 3], "b": ["x", "y", "z"]})
    with mlflow.start_run(run_name="data") as run:
        mlflow.log_input(mlflow.data.from_pandas(frame, name="frame"), context="training")
        mlflow.log_input(mlflow.data.from_numpy(numpy.eye(2), name="eye"), context="test", tags={"k": "v"})
    inputs = mlflow.get_run(run.info.run_id).inputs.dataset_inputs
    rows = []
    for item in sorted(inputs, key=lambda item: item.dataset.name):
        rows.append([item.dataset.name, item.dataset.digest, json.loads(item.dataset.schema), json.loads(item.dataset.profile),
                     sorted((tag.key, tag.value) for tag in item.tags)])  # fmt: skip
    found = named(MlflowClient().search_runs([ids["wine"]], "dataset.name = 'frame'"))
    role = named(MlflowClient().search_runs([ids["wine"]], "dataset.context = 'test'"))
    return [rows, found, role]


@step
def asynchronous_calls_can_be_waited_for() -> Any:
    with mlflow.start_run(run_name="later") as run:
        mlflow.log_metric("m", 1, synchronous=False).wait()
        mlflow.log_metrics({"n": 1}, synchronous=False).wait()
        mlflow.log_params({"p": 1}, synchronous=False).wait()
        mlflow.set_tags({"t": 1}, synchronous=False).wait()
        client = MlflowClient()
        client.log_metric(run.info.run_id, "o", 2, synchronous=False).wait()
        client.set_tag(run.info.run_id, "u", 2, synchronous=False).wait()
        client.log_batch(run.info.run_id, [entities.Metric("q", 1, 1, 0)], synchronous=False).wait()
    return shown(run.info.run_id)


@step
def entities_read_the_same() -> Any:
    run = mlflow.get_run(ids["first"])
    info = dict(run.info)
    return {
        "info": sorted(info),
        "dictionary": [sorted(run.to_dictionary()), sorted(run.to_dictionary()["info"]), sorted(run.to_dictionary()["data"])],
        "experiment": sorted(dict(mlflow.get_experiment(ids["wine"]))),
        "types": [
            type(info["start_time"]).__name__,
            type(info["experiment_id"]).__name__,
            type(run.data.metrics["acc"]).__name__,
        ],
        "prefix": mlflow.get_run(ids["first"]).info.artifact_uri != "",
        "uri": mlflow.get_run(ids["first"]).info.run_id == run.info.run_id,
    }


def nothing_runs_on() -> None:
    """End what a step left running."""
    while mlflow.active_run() is not None:
        mlflow.end_run("KILLED")


if __name__ == "__main__":
    tell(STEPS, nothing_runs_on)
