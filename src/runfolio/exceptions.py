"""Errors under the names that MLflow's users catch: ``MlflowException`` is :class:`runfolio.errors.RunfolioError`."""

from runfolio.errors import RunfolioError
from runfolio.projects.submitted import ExecutionException

MlflowException = RunfolioError

__all__ = ["ExecutionException", "MlflowException", "RunfolioError"]
