"""``ModelInputExample``, under the name that MLflow's scripts import: ``mlflow.models.utils``."""

from runfolio.models import ModelInputExample

__all__ = ["ModelInputExample"]
