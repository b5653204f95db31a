"""Code as a source, under the name that MLflow's scripts import: ``mlflow.data.code_dataset_source``."""

from runfolio.tracking.datasets.sources import CodeDatasetSource

__all__ = ["CodeDatasetSource"]
