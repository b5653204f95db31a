"""``RegisteredModelTag``, under the name that MLflow's scripts import: ``mlflow.entities.model_registry.registered_model_tag``."""

from runfolio.tracking.model_entities import RegisteredModelTag

__all__ = ["RegisteredModelTag"]
