"""The object API: ``from runfolio.client import MlflowClient`` (or ``RunfolioClient``)."""

from runfolio.tracking.client import RunfolioClient

MlflowClient = RunfolioClient

__all__ = ["MlflowClient", "RunfolioClient"]
