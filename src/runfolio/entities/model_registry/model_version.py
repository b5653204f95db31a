"""``ModelVersion``, under the name that MLflow's scripts import: ``mlflow.entities.model_registry.model_version``."""

from runfolio.tracking.model_entities import ModelVersion

__all__ = ["ModelVersion"]
