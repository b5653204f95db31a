"""Sources at a web address, under the name that MLflow's scripts import: ``mlflow.data.http_dataset_source``."""

from runfolio.tracking.datasets.sources import HTTPDatasetSource

__all__ = ["HTTPDatasetSource"]
