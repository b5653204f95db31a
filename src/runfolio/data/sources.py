"""Where a dataset came from, under the names that MLflow's scripts import: ``mlflow.data.sources``."""

from runfolio.tracking.datasets.sources import CodeDatasetSource, HTTPDatasetSource, HuggingFaceDatasetSource, LocalDatasetSource

LocalArtifactDatasetSource = LocalDatasetSource

__all__ = ["CodeDatasetSource", "HTTPDatasetSource", "HuggingFaceDatasetSource", "LocalArtifactDatasetSource"]
