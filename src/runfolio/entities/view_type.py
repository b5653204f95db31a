"""``ViewType``, under the name that MLflow's scripts import: ``mlflow.entities.view_type``."""

from runfolio.tracking.entities import ViewType

__all__ = ["ViewType"]
