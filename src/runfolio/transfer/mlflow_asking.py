"""What every opening of an MLflow store needs: MLflow with its settings, and what an address says."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio.errors import missing_package


def installed_mlflow(purpose: str) -> Any:
    """Return MLflow, quiet and willing to open folders.

    Raises
    ------
    MissingPackageError
        If it is not installed.
    """
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # MLflow 3.17 opens mlruns only when it is asked to
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
    except ImportError:
        raise missing_package("mlflow", "mlflow", purpose) from None
    return mlflow


@contextmanager
def quiet() -> Iterator[None]:
    """Keep a database's migrations, which MLflow tells one by one, out of the output."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        yield
    finally:
        logging.disable(before)


@contextmanager
def no_folder_left() -> Iterator[None]:
    """Remove the folder ``mlruns`` that MLflow 2 makes in the current folder for whatever store it opens; one that was there stays."""
    made = Path("mlruns").absolute()
    before = made.exists()
    try:
        yield
    finally:
        if not before:
            with suppress(OSError):  # there is none, or something is in it
                made.rmdir()


def has_logged_models(client: Any) -> bool:
    """Tell whether a server knows logged models: no client of MLflow 2 does, and no server of it has what the client of MLflow 3 asks for.

    Parameters
    ----------
    client : mlflow.MlflowClient
    """
    from mlflow.exceptions import MlflowException

    if not hasattr(client, "search_logged_models"):
        return False
    try:
        client.search_logged_models(["0"], max_results=1)
    except MlflowException as error:  # whatever else is wrong is told where something is asked for
        return bool(error.error_code != "ENDPOINT_NOT_FOUND")
    return True


def database_file(uri: str) -> Path | None:
    """Return the file of an SQLite database, or None where the address is none."""
    parts = urlsplit(uri)
    return Path(unquote(parts.path[1:])) if parts.scheme.startswith("sqlite") else None


def without_secret(uri: str) -> str:
    """Return an address without its user and password."""
    parts = urlsplit(uri)
    return uri.replace(f"{parts.netloc.rpartition('@')[0]}@", "") if "@" in parts.netloc else uri
