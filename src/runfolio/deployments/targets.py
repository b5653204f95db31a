"""Which targets there are, and the client of each: loaded by name when it is asked for.

Another package adds a target with an entry point of the group ``runfolio.deployments`` (or MLflow's ``mlflow.deployments``): the name is
what ``-t`` takes, the value a module with a subclass of ``BaseDeploymentClient``, ``run_local`` and ``target_help``. A target of the house
comes before one of the same name from elsewhere.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, cast

from runfolio.deployments.client import BaseDeploymentClient, Config
from runfolio.errors import NotFoundError, UsageError

GROUPS = ("runfolio.deployments", "mlflow.deployments")
OURS = {
    "azureml": "runfolio.deployments.azureml",
    "kserve": "runfolio.deployments.kserve",
    "kubernetes": "runfolio.deployments.kubernetes",
    "local": "runfolio.deployments.local",
    "sagemaker": "runfolio.deployments.sagemaker",
}
_METHODS = ("create_deployment", "update_deployment", "delete_deployment", "list_deployments", "get_deployment", "predict")


def target_names() -> list[str]:
    """List the targets that can be used here, by name."""
    return sorted({*OURS, *_from_elsewhere()})


def get_deploy_client(target_uri: str) -> BaseDeploymentClient:
    """Return the client of a target.

    Parameters
    ----------
    target_uri : str
        The target's name, with where at it after a colon: ``sagemaker:/us-east-1``, ``kubernetes:/default``, ``local``.

    Raises
    ------
    NotFoundError
        If there is no such target.
    UsageError
        If the package that adds it has no client.
    """
    return _client_class(_name(target_uri))(target_uri)


def run_local(target: str, name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> Any:
    """Let a target serve a model on this machine, as it would there."""
    module = _module(_name(target))
    function = getattr(module, "run_local", None)
    if function is None:
        raise UsageError(f"The target {target} serves nothing on this machine. Try: runfolio models serve -m {model_uri}")
    return function(name, model_uri, flavor, config)


def target_help(target: str) -> str:
    """Return what a target says of itself and of its config."""
    function = cast("Callable[[], str] | None", getattr(_module(_name(target)), "target_help", None))
    return function() if function is not None else f"{target} says nothing of itself.\n"


def _name(uri: str) -> str:
    name = uri.partition(":")[0].strip() if isinstance(uri, str) else ""
    if not name:
        raise UsageError(f"Not a target: {uri!r}. Name one of {', '.join(target_names())}, such as sagemaker:/us-east-1.")
    return name


def _module(name: str) -> ModuleType:
    if name in OURS:
        return importlib.import_module(OURS[name])
    found = _from_elsewhere().get(name)
    if found is None:
        raise NotFoundError(
            f"There is no target {name!r}. There are {', '.join(target_names())}; a package adds one by an entry point {GROUPS[0]}."
        )
    return cast(ModuleType, found.load())


def _client_class(name: str) -> type[BaseDeploymentClient]:
    module = _module(name)
    found = [
        item
        for _, item in inspect.getmembers(module, inspect.isclass)
        if all(callable(getattr(item, method, None)) for method in _METHODS) and not inspect.isabstract(item)
    ]
    own = [item for item in found if item.__module__.startswith(module.__name__)] or found
    if len(own) != 1:
        raise UsageError(
            f"{module.__name__}, which adds the target {name}, has {len(own) or 'no'} clients; one "
            "subclass of BaseDeploymentClient is expected."
        )
    return cast("type[BaseDeploymentClient]", own[0])


def _from_elsewhere() -> dict[str, EntryPoint]:
    found: dict[str, EntryPoint] = {}
    for group in reversed(GROUPS):
        found.update({each.name: each for each in entry_points(group=group)})
    return found
