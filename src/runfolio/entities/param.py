"""``Param``, under the name that MLflow's scripts import: ``mlflow.entities.param``."""

from runfolio.tracking.entities import Param

__all__ = ["Param"]
