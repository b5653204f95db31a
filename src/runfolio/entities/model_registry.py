"""Registered models, under the name that MLflow's scripts import: ``mlflow.entities.model_registry``."""

from runfolio.tracking.model_entities import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)

__all__ = ["ModelVersion", "ModelVersionTag", "RegisteredModel", "RegisteredModelAlias", "RegisteredModelTag"]
