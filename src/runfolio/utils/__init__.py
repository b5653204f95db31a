"""What MLflow's users import from ``mlflow.utils``: the names of its tags, its limits, and a few small helps."""

from platform import python_version

from runfolio._absent import absent_names as _absent_names
from runfolio.utils import environment, file_utils, logging_utils, mlflow_tags, time, validation

PYTHON_VERSION = python_version()
"""Of the interpreter that runs: ``3.11.7``."""

__all__ = ["PYTHON_VERSION", "environment", "file_utils", "logging_utils", "mlflow_tags", "time", "validation"]

__getattr__ = _absent_names(__name__)
