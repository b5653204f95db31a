"""What MLflow does, run by MLflow's own Python: ``python mlflow_side.py TASK URI N`` prints seconds (or milliseconds) as JSON."""

import json
import logging
import random
import statistics
import sys
import time
import warnings

warnings.filterwarnings("ignore")
logging.disable(logging.CRITICAL)


def log_runs(mlflow, n):
    """Log runs call by call: 5 params, 5 metrics, 3 tags."""
    mlflow.set_experiment("bench")
    with mlflow.start_run():
        mlflow.log_param("warm", 1)
    start = time.perf_counter()
    for _ in range(n):
        with mlflow.start_run():
            for key in range(5):
                mlflow.log_param(f"p{key}", key)
                mlflow.log_metric(f"m{key}", key / 7)
            for key in range(3):
                mlflow.set_tag(f"t{key}", key)
    return (time.perf_counter() - start) / n


def log_metric(mlflow, n):
    """Median seconds of one log_metric."""
    mlflow.set_experiment("bench")
    took = []
    with mlflow.start_run():
        for step in range(n):
            start = time.perf_counter()
            mlflow.log_metric("loss", step / 7, step=step)
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def log_artifact(mlflow, n):
    """Median seconds of logging a file of 1 MB."""
    import os
    import tempfile

    mlflow.set_experiment("bench")
    took = []
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run():
        for number in range(n):
            path = f"{folder}/{number}.bin"
            with open(path, "wb") as file:
                file.write(os.urandom(1_000_000))
            start = time.perf_counter()
            mlflow.log_artifact(path)
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def run_of_artifact(mlflow, n):
    """Median seconds of a whole run with one file of 1 MB, ended."""
    import os
    import tempfile

    mlflow.set_experiment("bench")
    took = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(n):
            path = f"{folder}/{number}.bin"
            with open(path, "wb") as file:
                file.write(os.urandom(1_000_000))
            start = time.perf_counter()
            with mlflow.start_run():
                mlflow.log_artifact(path)
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def fill(mlflow, n, points=1):
    """Fill an experiment with n runs through the store's own tables; `points` of each of the five metrics."""
    import uuid

    from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

    experiment = mlflow.set_experiment("bench").experiment_id
    from mlflow.tracking._tracking_service.utils import _get_store

    engine, pick = _get_store().engine, random.Random(0)
    for start in range(0, n, 2000):
        runs, metrics, latest, params, tags = [], [], [], [], []
        for number in range(start, min(n, start + 2000)):
            run_id = uuid.UUID(int=pick.getrandbits(128)).hex
            runs.append({"run_uuid": run_id, "name": f"r{number}", "source_type": "LOCAL", "source_name": "", "entry_point_name": "",
                         "user_id": "u", "status": "FINISHED", "start_time": 1_700_000_000_000 + number, "end_time": 1_700_000_001_000,
                         "source_version": "", "lifecycle_stage": "active", "artifact_uri": f"file:///a/{run_id}/artifacts",
                         "experiment_id": int(experiment)})  # fmt: skip
            for key in range(5):
                value = {"key": f"m{key}", "value": pick.random(), "timestamp": 1, "step": 0, "is_nan": False, "run_uuid": run_id}
                metrics += [{**value, "step": step, "value": value["value"] / (step + 1)} for step in range(points)]
                latest.append(metrics[-1])
                params.append({"key": f"p{key}", "value": str(pick.randint(0, 9)), "run_uuid": run_id})
            tags += [{"key": f"t{key}", "value": "x", "run_uuid": run_id} for key in range(3)]
        with engine.begin() as connection:
            for table, rows in (
                (SqlRun, runs),
                (SqlMetric, metrics),
                (SqlLatestMetric, latest),
                (SqlParam, params),
                (SqlTag, tags),
            ):
                connection.execute(table.__table__.insert(), rows)
    return n


def fill_histories(mlflow, n):
    """Fill an experiment with n runs of 100 points."""
    return fill(mlflow, n, 20)


def fill_long(mlflow, n):
    """Make one run with n points, in five metrics, through the store's own tables."""
    return fill(mlflow, 1, n // 5)


def read_store(mlflow, n):
    """Seconds of reading all runs with their histories by MLflow's client."""
    client = mlflow.MlflowClient()
    start, number, token = time.perf_counter(), 0, None
    experiment = client.get_experiment_by_name("bench").experiment_id
    while True:
        page = client.search_runs([experiment], max_results=200, page_token=token)
        for run in page:
            for key in run.data.metrics:
                number += len(client.get_metric_history(run.info.run_id, key))
        token = page.token
        if not token:
            break
    assert number == n, number
    return time.perf_counter() - start


def search(mlflow, n, filter_string="metrics.m0 > 0.5", order_by=("metrics.m0 DESC",)):
    """Median seconds of finding the best 100."""
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    experiment = mlflow.set_experiment("bench").experiment_id
    took = []
    for _ in range(n):
        start = time.perf_counter()
        found = client.search_runs([experiment], filter_string, max_results=100, order_by=list(order_by))
        took.append(time.perf_counter() - start)
    assert len(found) == 100
    return statistics.median(took)


def search_plain(mlflow, n):
    """Median seconds of 100 runs that match, newest first."""
    return search(mlflow, n, order_by=())


def search_frame(mlflow, n):
    """Median seconds of a data frame of 10,000 runs."""
    mlflow.set_experiment("bench")
    took = []
    for _ in range(n):
        start = time.perf_counter()
        found = mlflow.search_runs(experiment_names=["bench"], max_results=10_000)
        took.append(time.perf_counter() - start)
    assert len(found) == 10_000
    return statistics.median(took)


def register(mlflow, n):
    """Median seconds of registering a version, giving it an alias, and reading it back by that."""
    client = mlflow.MlflowClient()
    mlflow.set_experiment("bench")
    with mlflow.start_run() as run:
        mlflow.log_text("weights", "model/model.bin")
    client.create_registered_model("bench")
    source = f"{run.info.artifact_uri}/model"
    took = []
    for number in range(n):
        start = time.perf_counter()
        made = client.create_model_version("bench", source, run.info.run_id)
        client.set_registered_model_alias("bench", "newest", made.version)
        found = client.get_model_version_by_alias("bench", "newest")
        took.append(time.perf_counter() - start)
        assert int(found.version) == number + 1
    return statistics.median(took)


def load_by_alias(mlflow, n):
    """Median seconds, wall and CPU, of loading a small registered model by its alias."""
    import mlflow.sklearn
    import numpy
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit(numpy.zeros((9, 4)), numpy.zeros(9))
    with mlflow.start_run():
        mlflow.sklearn.log_model(model, "model", registered_model_name="line", pip_requirements=["scikit-learn"])
    mlflow.MlflowClient().set_registered_model_alias("line", "champion", "1")
    found = {}
    for kind, load in (("sklearn", mlflow.sklearn.load_model), ("pyfunc", mlflow.pyfunc.load_model)):
        wall, cpu = [], []
        for _ in range(n):
            start, used = time.perf_counter(), time.process_time()
            load("models:/line@champion")
            wall.append(time.perf_counter() - start)
            cpu.append(time.process_time() - used)
        found[kind] = [statistics.median(wall), statistics.median(cpu)]
    return found


def analyze(mlflow, n):
    """Give the database its statistics."""
    import sqlalchemy
    from mlflow.tracking._tracking_service.utils import _get_store

    with _get_store().engine.begin() as connection:
        connection.execute(sqlalchemy.text("ANALYZE"))
    return n


if __name__ == "__main__":
    import mlflow

    mlflow.set_tracking_uri(sys.argv[2])
    print("RESULT", json.dumps(globals()[sys.argv[1]](mlflow, int(sys.argv[3]))))
