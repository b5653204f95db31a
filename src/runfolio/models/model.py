"""What ``MLmodel`` says, under the name that MLflow's scripts import: ``mlflow.models.model``."""

from runfolio.flavors.model import Model, ModelInfo
from runfolio.tracking.model_logging import get_model_info

__all__ = ["Model", "ModelInfo", "get_model_info"]
