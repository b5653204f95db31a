"""``LifecycleStage``, under the name that MLflow's scripts import: ``mlflow.entities.lifecycle_stage``."""

from runfolio.records.runs import Lifecycle as LifecycleStage

__all__ = ["LifecycleStage"]
