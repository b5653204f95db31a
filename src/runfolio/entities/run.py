"""``Run``, under the name that MLflow's scripts import: ``mlflow.entities.run``."""

from runfolio.tracking.entities import Run

__all__ = ["Run"]
