"""``RunInputs``, under the name that MLflow's scripts import: ``mlflow.entities.run_inputs``."""

from runfolio.tracking.entities import RunInputs

__all__ = ["RunInputs"]
