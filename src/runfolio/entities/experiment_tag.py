"""``ExperimentTag``, under the name that MLflow's scripts import: ``mlflow.entities.experiment_tag``."""

from runfolio.tracking.entities import ExperimentTag

__all__ = ["ExperimentTag"]
