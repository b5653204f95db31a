"""``ModelVersionTag``, under the name that MLflow's scripts import: ``mlflow.entities.model_registry.model_version_tag``."""

from runfolio.tracking.model_entities import ModelVersionTag

__all__ = ["ModelVersionTag"]
