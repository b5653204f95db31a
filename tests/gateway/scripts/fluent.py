"""Logs by the fluent API: a run with a child, an artifact of each kind, a dataset, a resumed run, a search."""

import tempfile
from pathlib import Path

import mlflow
import pandas

mlflow.set_experiment("fluent")
with mlflow.start_run(run_name="parent", description="Which depth?") as parent:
    mlflow.set_tag("team", "red")
    mlflow.log_params({"depth": 3, "rate": 0.1})
    data = pandas.DataFrame({"x": [1.0, 2.0, 3.0], "y": [0, 1, 1]})
    mlflow.log_input(mlflow.data.from_pandas(data, name="grapes", targets="y"), context="training")
    for step in range(10):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_text("It works.", "notes.txt")
    mlflow.log_dict({"classes": ["a", "b"]}, "classes.json")
    mlflow.log_table({"question": ["a", "b"], "answer": ["c", "d"]}, "answers.json")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "part.csv").write_text("x,y\n1,2\n")
        mlflow.log_artifacts(folder, "parts")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_metrics({"accuracy": 0.75, "loss": 0.5})
with mlflow.start_run(run_id=parent.info.run_id):
    mlflow.log_metric("loss", 0.05, step=10)

found = mlflow.search_runs(experiment_names=["fluent"], filter_string="metrics.accuracy > 0.5")
assert list(found["tags.mlflow.runName"]) == ["child"]
assert mlflow.artifacts.load_text(f"runs:/{parent.info.run_id}/notes.txt") == "It works."
assert len(mlflow.load_table("answers.json", run_ids=[parent.info.run_id])) == 2
assert mlflow.last_active_run().info.run_name == "parent"
