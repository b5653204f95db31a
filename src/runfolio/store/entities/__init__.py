"""Pages of a search, under the name that MLflow's scripts import: ``mlflow.store.entities``."""

from runfolio.tracking.entities import PagedList

__all__ = ["PagedList"]
