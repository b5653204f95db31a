"""Logs by MlflowClient, as tools do: a batch, a history, a failure, a deletion that is taken back."""

import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

client = MlflowClient()
experiment_id = client.create_experiment("client", tags={"team": "red"})
run_id = client.create_run(experiment_id, run_name="batch", tags={"tool": "ours"}).info.run_id
now = int(time.time() * 1000)
client.log_batch(
    run_id,
    metrics=[Metric("loss", 1.0 / (at + 1), now + at, at) for at in range(1500)],
    params=[Param(f"p{at}", str(at)) for at in range(120)],
    tags=[RunTag("stage", "tuning")],
)
client.log_text(run_id, "text", "folder/note.txt")
client.set_terminated(run_id)
assert len(client.get_metric_history(run_id, "loss")) == 1500
assert [item.path for item in client.list_artifacts(run_id, "folder")] == ["folder/note.txt"]

failed = client.create_run(experiment_id, run_name="failed").info.run_id
client.set_terminated(failed, "FAILED")
client.delete_run(failed)
assert [item.info.run_name for item in client.search_runs([experiment_id])] == ["batch"]
client.restore_run(failed)
assert [item.info.run_id for item in client.search_runs([experiment_id], "attributes.status = 'FAILED'")] == [failed]
