"""``RunTag``, under the name that MLflow's scripts import: ``mlflow.entities.run_tag``."""

from runfolio.tracking.entities import RunTag

__all__ = ["RunTag"]
