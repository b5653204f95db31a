"""``Experiment``, under the name that MLflow's scripts import: ``mlflow.entities.experiment``."""

from runfolio.tracking.entities import Experiment

__all__ = ["Experiment"]
