"""Errors under the name that MLflow's users catch: ``MlflowException`` is :class:`runfolio.errors.RunfolioError`."""

from runfolio.errors import RunfolioError

MlflowException = RunfolioError

__all__ = ["MlflowException", "RunfolioError"]
