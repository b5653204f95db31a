"""Pages of a search, under the name that MLflow's scripts import: ``mlflow.store.entities.paged_list``."""

from runfolio.tracking.entities import PagedList

__all__ = ["PagedList"]
