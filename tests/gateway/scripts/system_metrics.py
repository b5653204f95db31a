"""MLflow's own sampler of the machine beside a run."""

import time

import mlflow

mlflow.set_experiment("system metrics")
mlflow.set_system_metrics_sampling_interval(0.2)
mlflow.set_system_metrics_samples_before_logging(1)
with mlflow.start_run(run_name="sampled", log_system_metrics=True) as run:
    for _ in range(100):
        time.sleep(0.1)
        names = mlflow.MlflowClient().get_run(run.info.run_id).data.metrics
        if any(name.startswith("system/") for name in names):
            break
assert "system/cpu_utilization_percentage" in mlflow.get_run(run.info.run_id).data.metrics
