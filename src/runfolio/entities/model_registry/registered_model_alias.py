"""``RegisteredModelAlias``, under the name that MLflow's scripts import: ``mlflow.entities.model_registry.registered_model_alias``."""

from runfolio.tracking.model_entities import RegisteredModelAlias

__all__ = ["RegisteredModelAlias"]
