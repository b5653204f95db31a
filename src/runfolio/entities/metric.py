"""``Metric``, under the name that MLflow's scripts import: ``mlflow.entities.metric``."""

from runfolio.tracking.entities import Metric

__all__ = ["Metric"]
