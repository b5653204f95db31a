"""A traced function: it runs; where its trace cannot be kept, that is said, and the run is kept."""

import mlflow
from mlflow.exceptions import MlflowException

mlflow.set_experiment("traces")


@mlflow.trace
def double(x):
    return 2 * x


with mlflow.start_run(run_name="traced"):
    mlflow.log_metric("doubled", double(21))
try:
    mlflow.MlflowClient().set_trace_tag("tr-1", "k", "v")
except MlflowException as error:
    print(error.error_code, error.message)
