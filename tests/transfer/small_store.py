"""A small MLflow store: ``python small_store.py URI RUNS``, in a process that sees MLflow."""

import logging
import sys

logging.disable(logging.CRITICAL)

import mlflow  # noqa: E402


def main(uri, number):
    mlflow.set_tracking_uri(uri)
    mlflow.set_experiment("small")
    for at in range(number):
        with mlflow.start_run(run_name=f"r{at}"):
            mlflow.log_params({"at": at, "kind": "x"})
            for step in range(4):
                mlflow.log_metric("loss", 1 / (at + step + 1), step=step)
            mlflow.log_metric("gap", float("nan"), step=1)
            mlflow.log_text(f"run {at}\n" * 50, "notes/about.txt")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
