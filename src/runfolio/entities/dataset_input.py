"""``DatasetInput``, under the name that MLflow's scripts import: ``mlflow.entities.dataset_input``."""

from runfolio.tracking.entities import DatasetInput

__all__ = ["DatasetInput"]
