"""Datasets of polars, under the name that MLflow's scripts import: ``mlflow.data.polars_dataset``."""

from runfolio.tracking.datasets.frames import PolarsDataset, from_polars

__all__ = ["PolarsDataset", "from_polars"]
