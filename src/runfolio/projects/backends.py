"""Where projects run: here, or by a backend of another package.

A package adds a backend with an entry point of the group ``runfolio.project_backends``; it names a class, or a function, that returns an
object with MLflow's ``run(project_uri, entry_point, params, version, backend_config, tracking_uri, experiment_id)``, which starts the
project and returns a :class:`~runfolio.projects.SubmittedRun`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol

from runfolio.errors import NotFoundError, UsageError, storage_errors
from runfolio.projects.submitted import SubmittedRun

GROUP = "runfolio.project_backends"
LOCAL = "local"
_ELSEWHERE = {
    "databricks": "It is a service that MLflow's own client starts: run the project there with mlflow. On a machine of Databricks', "
    "--backend local runs it.",
    "kubernetes": "MLflow builds an image, pushes it and starts a job. Here these are steps that you see: runfolio run "
    "--build-image builds, docker push pushes, and a job of your cluster's runs the image.",
}


class Backend(Protocol):
    """What a backend has."""

    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: Mapping[str, Any],
        version: str | None,
        backend_config: Mapping[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> SubmittedRun:
        """Start a project."""


def load_backend(name: str) -> Backend:
    """Return a backend of another package.

    Raises
    ------
    UsageError
        If it is one of MLflow's that is not here.
    NotFoundError
        If no installed package has one of that name.
    """
    from importlib.metadata import entry_points

    found = {each.name: each for each in entry_points(group=GROUP)}
    if name in found:
        backend: Backend = found[name].load()()
        return backend
    if name in _ELSEWHERE:
        raise UsageError(f"The backend {name!r} is not a part of runfolio. {_ELSEWHERE[name]}")
    names = ", ".join([LOCAL, *sorted(found)])
    raise NotFoundError(
        f"There is no backend {name!r}. Backends: {names}. Another package adds one by an entry point of {GROUP}."
    )


def read_config(given: str | os.PathLike[str] | Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a backend's configuration: a mapping, the path of a JSON file (``.json``), or JSON.

    Raises
    ------
    UsageError
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    text, where = os.fspath(given), "--backend-config"
    if text.endswith(".json"):
        where = text
        if not os.path.isfile(text):
            raise NotFoundError(f"--backend-config: there is no file {text!r}.")
        with storage_errors(f"read {text}"), open(text, encoding="utf-8") as file:
            text = file.read()
    try:
        value = json.loads(text)
    except ValueError as error:
        raise UsageError(f"{where}: not JSON: {error}. Give a JSON object, or the path of a file that ends in .json.") from None
    if not isinstance(value, dict):
        raise UsageError(f"{where}: a JSON object is expected.")
    return value
