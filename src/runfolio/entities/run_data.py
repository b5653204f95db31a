"""``RunData``, under the name that MLflow's scripts import: ``mlflow.entities.run_data``."""

from runfolio.tracking.entities import RunData

__all__ = ["RunData"]
