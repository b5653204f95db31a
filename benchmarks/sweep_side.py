"""One side of a sweep of a trivial objective: ``python sweep_side.py SIDE SAMPLER N`` in a folder that is made ready.

``runfolio`` (in a folio), ``optuna`` alone in memory, or ``mlflow``: Optuna with the callback of optuna-integration, on SQLite; ``dask``, the same
on two worker processes of Dask on loopback, and ``dask-bare``, the function alone by ``client.submit``, as many at once. Prints the
seconds and the CPU seconds of the sweep alone; imports and the making of tables come before.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")


def objective(trial):
    x, y = trial.suggest_float("x", -4, 4), trial.suggest_float("y", -4, 4)
    return (x - 1) ** 2 + (y + 2) ** 2


def with_runfolio(sampler, n):
    import runfolio

    def run(count):
        runfolio.sweep(objective, metrics="value", sampler=sampler, trials=count, seed=1)
        runfolio.flush()

    return run


def with_optuna(sampler, n, callbacks=()):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    kind = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}[sampler]

    def run(count):
        optuna.create_study(sampler=kind(seed=1)).optimize(objective, n_trials=count, callbacks=list(callbacks))

    return run


def with_mlflow(sampler, n):
    import mlflow
    from optuna_integration.mlflow import MLflowCallback

    mlflow.set_tracking_uri("sqlite:///mlflow.db")
    mlflow.set_experiment("bench")
    return with_optuna(
        sampler, n, [MLflowCallback(tracking_uri="sqlite:///mlflow.db", metric_name="value", create_experiment=False)]
    )


def square(x, y):
    return (x - 1) ** 2 + (y + 2) ** 2


def dask_client():
    from distributed import Client, LocalCluster

    return Client(LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None))


def with_dask(sampler, n):
    import runfolio

    client = dask_client()
    space = {name: {"type": "float", "low": -4, "high": 4} for name in "xy"}

    def run(count):
        runfolio.sweep(square, space, metrics="value", sampler=sampler, trials=count, seed=1, engine="dask", address=client)
        runfolio.flush()

    return run


def with_bare_dask(sampler, n):
    import random

    from distributed import as_completed

    client, drawn = dask_client(), random.Random(1)

    def submit():
        return client.submit(square, drawn.uniform(-4, 4), drawn.uniform(-4, 4), pure=False)

    def run(count):
        done = as_completed([submit() for _ in range(2)])
        for at, future in enumerate(done, 3):
            future.result()
            if at <= count:
                done.add(submit())

    return run


SIDES = {"runfolio": with_runfolio, "optuna": with_optuna, "mlflow": with_mlflow, "dask": with_dask, "dask-bare": with_bare_dask}

if __name__ == "__main__":
    side, sampler, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
    run = SIDES[side](sampler, number)
    run(5)  # what is loaded and made at the first trial is not a trial's cost
    began, cpu = time.perf_counter(), time.process_time()
    run(number)
    print("RESULT " + json.dumps({"s": time.perf_counter() - began, "cpu": time.process_time() - cpu}))
