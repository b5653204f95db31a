"""Registered models, under the name that MLflow's scripts import: ``mlflow.entities.model_registry``."""

from runfolio.entities.model_registry.model_version_status import ModelVersionStatus
from runfolio.tracking.model_entities import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag,
)

__all__ = [
    "ModelVersion",
    "ModelVersionStatus",
    "ModelVersionTag",
    "RegisteredModel",
    "RegisteredModelAlias",
    "RegisteredModelTag",
]
