"""What MLflow's users import from ``mlflow.utils``: the names of its tags."""

from runfolio.utils import mlflow_tags

__all__ = ["mlflow_tags"]
