"""``Dataset``, under the name that MLflow's scripts import: ``mlflow.entities.dataset``."""

from runfolio.tracking.entities import Dataset

__all__ = ["Dataset"]
