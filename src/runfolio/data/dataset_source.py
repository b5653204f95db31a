"""Where a dataset came from, under the name that MLflow's scripts import: ``mlflow.data.dataset_source``."""

from runfolio.tracking.datasets.sources import DatasetSource

__all__ = ["DatasetSource"]
