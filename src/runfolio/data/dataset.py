"""Datasets, under the name that MLflow's scripts import: ``mlflow.data.dataset``."""

from runfolio.tracking.datasets.dataset import Dataset

__all__ = ["Dataset"]
