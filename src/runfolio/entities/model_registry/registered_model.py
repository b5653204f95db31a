"""``RegisteredModel``, under the name that MLflow's scripts import: ``mlflow.entities.model_registry.registered_model``."""

from runfolio.tracking.model_entities import RegisteredModel

__all__ = ["RegisteredModel"]
