"""Errors under the names that MLflow's users catch: ``MlflowException`` is :class:`runfolio.errors.RunfolioError`.

There is no server, so what MLflow's client raises about an answer of one (``RestException``) is the same class: who catches it, catches
what went wrong here.
"""

from runfolio.errors import NotFoundError, RunfolioError, UsageError
from runfolio.projects.submitted import ExecutionException

MlflowException = RunfolioError
RestException = RunfolioError
InvalidUrlException = UsageError
MissingConfigException = NotFoundError

__all__ = [
    "ExecutionException",
    "InvalidUrlException",
    "MissingConfigException",
    "MlflowException",
    "RestException",
    "RunfolioError",
]
