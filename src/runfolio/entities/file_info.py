"""``FileInfo``, under the name that MLflow's scripts import: ``mlflow.entities.file_info``."""

from runfolio.tracking.entities import FileInfo

__all__ = ["FileInfo"]
