"""Datasets of numpy, under the name that MLflow's scripts import: ``mlflow.data.numpy_dataset``."""

from runfolio.tracking.datasets.arrays import NumpyDataset, from_numpy

__all__ = ["NumpyDataset", "from_numpy"]
