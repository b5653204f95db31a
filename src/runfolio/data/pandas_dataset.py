"""Datasets of pandas, under the name that MLflow's scripts import: ``mlflow.data.pandas_dataset``."""

from runfolio.tracking.datasets.frames import PandasDataset, from_pandas

__all__ = ["PandasDataset", "from_pandas"]
