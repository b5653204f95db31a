"""Our errors as MLflow's: the same code, the same words."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

from mlflow.exceptions import MlflowException
from mlflow.protos import databricks_pb2

from runfolio.errors import RunfolioError

_OWN = ("__init__", "_search_runs", "_search_datasets", "_download_file")
"""Names with an underscore that MLflow calls."""
F = TypeVar("F", bound=Callable[..., Any])
C = TypeVar("C", bound=type)


def as_mlflow(error: RunfolioError) -> MlflowException:
    """Return MLflow's exception for an error of ours."""
    return MlflowException(error.message, error_code=code_of(error.error_code))


def code_of(name: str) -> int:
    """Return the number of an error code of MLflow's."""
    return int(databricks_pb2.ErrorCode.Value(name))


class RefusedError(MlflowException, NotImplementedError):  # type: ignore[misc]  # MLflow's classes are not typed
    """Something was asked for that a folio does not keep.

    MLflow catches the one of its bases here, the other there.

    Parameters
    ----------
    what : str
        In the plural.
    """

    def __init__(self, what: str) -> None:
        super().__init__(
            f"A folio keeps no {what}: runs, metrics, params, tags, datasets, artifacts and models are what it records. "
            "Send it to an MLflow server: mlflow.set_tracking_uri('http://…').",
            error_code=databricks_pb2.NOT_IMPLEMENTED,
        )  # type: ignore[call-arg]


def translated(method: F) -> F:
    """Let a method raise MLflow's exceptions in place of ours."""

    @functools.wraps(method)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except RunfolioError as error:
            raise as_mlflow(error) from None

    return call  # type: ignore[return-value]  # the same signature


def translates(made: C) -> C:
    """Translate the errors of every method that a class itself defines."""
    for name, value in list(vars(made).items()):
        if callable(value) and not isinstance(value, type) and (not name.startswith("_") or name in _OWN):
            setattr(made, name, translated(value))
    return made
