"""What runfolio does, in a process of its own: ``python our_side.py TASK N`` in a folio prints the figure as JSON."""

from __future__ import annotations

import json
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def log_runs(n: int) -> float:
    """Log runs call by call (5 params, 5 metrics, 3 tags), sealed and committed; seconds a run."""
    import runfolio

    runfolio.set_experiment("bench")
    with runfolio.start_run():
        runfolio.log_param("warm", 1)
    runfolio.flush()
    start = time.perf_counter()
    for _ in range(n):
        with runfolio.start_run():
            for key in range(5):
                runfolio.log_param(f"p{key}", key)
                runfolio.log_metric(f"m{key}", key / 7)
            for key in range(3):
                runfolio.set_tag(f"t{key}", key)
    runfolio.flush()
    return (time.perf_counter() - start) / n


def cpu_of_runs(n: int) -> float:
    """CPU seconds a run, our children's too."""
    before = os.times()
    log_runs(n)
    after = os.times()
    return sum(after[:4]) / n - sum(before[:4]) / n


def log_metric(n: int) -> list[float]:
    """Median seconds of one log_metric, and of appending the same line to an open file."""
    import runfolio

    runfolio.set_experiment("bench")
    took, plain = [], []
    fd = os.open("plain.log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    with runfolio.start_run():
        for step in range(n):
            start = time.perf_counter()
            runfolio.log_metric("loss", step / 7, step=step)
            middle = time.perf_counter()
            os.write(fd, f'["m","loss",{step / 7!r},1700000000000,{step}]\n'.encode())
            took.append(middle - start)
            plain.append(time.perf_counter() - middle)
    os.close(fd)
    return [statistics.median(took), statistics.median(plain)]


def million(n: int) -> list[float]:
    """Peak memory in MB after n / 10 and after n points of one run, sealed and committed."""
    import runfolio

    peaks = []
    for points in (n // 10, n):
        with runfolio.start_run():
            for step in range(points):
                runfolio.log_metric("loss", step / 7, step=step)
        runfolio.flush()
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return peaks


def log_artifact(n: int) -> float:
    """Median seconds of logging a file of 1 MB."""
    import runfolio

    took = []
    # As on MLflow's side: in one folder for temporary files, which decides from where and to where a file system copies.
    with tempfile.TemporaryDirectory() as folder, runfolio.start_run():
        for number in range(n):
            path = f"{folder}/{number}.bin"
            Path(path).write_bytes(os.urandom(1_000_000))
            start = time.perf_counter()
            runfolio.log_artifact(path)
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def run_of_artifact(n: int) -> float:
    """Median seconds of a whole run with one file of 1 MB, ended."""
    import runfolio

    took = []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(n):
            path = f"{folder}/{number}.bin"
            Path(path).write_bytes(os.urandom(1_000_000))
            start = time.perf_counter()
            with runfolio.start_run():
                runfolio.log_artifact(path)
            took.append(time.perf_counter() - start)
    return statistics.median(took)


def search(n: int, filter_string: str = "metrics.m0 > 0.5", order_by: tuple[str, ...] = ("metrics.m0 DESC",)) -> float:
    """Median seconds of finding the best 100, in a warm process."""
    from runfolio import MlflowClient

    client = MlflowClient()
    experiment = client.search_experiments(filter_string="name = 'bench'")[0].experiment_id
    client.search_runs([experiment], max_results=1)
    took = []
    for _ in range(n):
        start = time.perf_counter()
        found = client.search_runs([experiment], filter_string, max_results=100, order_by=list(order_by))
        took.append(time.perf_counter() - start)
    assert len(found) == 100
    return statistics.median(took)


def search_plain(n: int) -> float:
    """Median seconds of 100 runs that match, newest first."""
    return search(n, order_by=())


def search_frame(n: int) -> float:
    """Median seconds of a data frame of 10,000 runs."""
    import runfolio

    took = []
    for _ in range(n):
        start = time.perf_counter()
        found = runfolio.search_runs(experiment_names=["bench"], max_results=10_000)
        took.append(time.perf_counter() - start)
    assert len(found) == 10_000
    return statistics.median(took)


def register(n: int) -> float:
    """Median seconds of registering a version, giving it an alias, and reading it back by that."""
    import runfolio

    client = runfolio.MlflowClient()
    runfolio.set_experiment("bench")
    with runfolio.start_run() as run:
        runfolio.log_text("weights", "model/model.bin")
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


def register_later(n: int) -> float:
    """The same, where the model has many versions already."""
    import runfolio

    client = runfolio.MlflowClient()
    source = client.get_model_version("bench", 1).source or ""
    took = []
    for _ in range(n):
        start = time.perf_counter()
        made = client.create_model_version("bench", source)
        client.set_registered_model_alias("bench", "newest", made.version)
        found = client.get_model_version_by_alias("bench", "newest")
        took.append(time.perf_counter() - start)
        assert found.version == made.version
    return statistics.median(took)


def load_by_alias(n: int) -> dict[str, list[float]]:
    """Median seconds, wall and CPU, of loading a small registered model by its alias."""
    import numpy
    from sklearn.linear_model import LinearRegression

    import runfolio

    model = LinearRegression().fit(numpy.zeros((9, 4)), numpy.zeros(9))
    with runfolio.start_run():
        runfolio.sklearn.log_model(model, "model", registered_model_name="line")
    runfolio.MlflowClient().set_registered_model_alias("line", "champion", 1)
    return {
        "sklearn": _timed(lambda: runfolio.sklearn.load_model("models:/line@champion"), n),
        "pyfunc": _timed(lambda: runfolio.pyfunc.load_model("models:/line@champion"), n),
    }


def _timed(action: Any, n: int) -> list[float]:
    wall, cpu = [], []
    for _ in range(n):
        start, used = time.perf_counter(), time.process_time()
        action()
        wall.append(time.perf_counter() - start)
        cpu.append(time.process_time() - used)
    return [statistics.median(wall), statistics.median(cpu)]


def large_model(megabytes: int) -> dict[str, list[float]]:
    """CPU seconds of saving and of logging a model of one large array, and of writing and hashing the same bytes; five rounds in turn."""
    import hashlib

    import numpy
    from sklearn.neighbors import KNeighborsRegressor

    import runfolio

    took: dict[str, list[float]] = {"plain": [], "save": [], "log": []}

    def measure(what: str, action: Any) -> None:
        used = time.process_time()
        action()
        took[what].append(time.process_time() - used)

    def plain(data: bytes, number: int) -> None:
        with open(f"plain-{number}", "wb") as file:
            file.write(data)
        hashlib.sha256(data).hexdigest()

    for number in range(6):
        pick = numpy.random.default_rng(number)
        values = pick.random((megabytes * 12_500, 10))
        model = KNeighborsRegressor(algorithm="brute").fit(values, numpy.zeros(len(values)))
        data = values.tobytes()
        measure("plain", lambda data=data, number=number: plain(data, number))
        measure("save", lambda model=model, number=number: runfolio.sklearn.save_model(model, f"model-{number}"))
        with runfolio.start_run():
            measure("log", lambda model=model: runfolio.sklearn.log_model(model, "model"))
        os.remove(f"plain-{number}")
        shutil.rmtree(f"model-{number}")
    return {what: each[1:] for what, each in took.items()}  # the first round loads the modules


TASKS: dict[str, Any] = {
    function.__name__: function
    for function in (
        log_runs,
        cpu_of_runs,
        log_metric,
        million,
        log_artifact,
        run_of_artifact,
        search,
        search_plain,
        search_frame,
        register,
        register_later,
        load_by_alias,
        large_model,
    )
}

if __name__ == "__main__":
    print("RESULT", json.dumps(TASKS[sys.argv[1]](int(sys.argv[2]))))
