"""Time as runs tell it, under the name that MLflow 2's earlier scripts import: ``mlflow.utils.time_utils``."""

from runfolio.utils.time import get_current_time_millis

__all__ = ["get_current_time_millis"]
