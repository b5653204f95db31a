"""``RunInfo``, under the name that MLflow's scripts import: ``mlflow.entities.run_info``."""

from runfolio.tracking.entities import RunInfo

__all__ = ["RunInfo"]
