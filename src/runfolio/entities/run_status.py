"""``RunStatus``, under the name that MLflow's scripts import: ``mlflow.entities.run_status``."""

from runfolio.tracking.entities import RunStatus

__all__ = ["RunStatus"]
