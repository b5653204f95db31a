"""``runfolio.azureml.deploy``: MLflow 1's function, over the client of the target.

Azure took Container Instances (``computeType: aci``) as a deployment target of Azure ML away with SDK v1; what such a ``deployment_config``
asks for is given by the smallest managed machine that has it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runfolio.deployments.azureml import AzureMLDeploymentClient
from runfolio.deployments.azureml_files import of_container_resources
from runfolio.errors import UsageError

_COMPUTE = ("aci", "managed")
_ACI = frozenset(
    "computeType containerResourceRequirements replicas numReplicas authEnabled tags description location environmentVariables".split()
)


def deploy(
    model_uri: str,
    workspace: Any,
    deployment_config: Any = None,
    service_name: str | None = None,
    model_name: str | None = None,
    tags: Mapping[str, str] | None = None,
    mlflow_home: str | None = None,
    synchronous: bool = True,
    **config: Any,
) -> tuple[Any, dict[str, Any]]:
    """Put a model onto an online endpoint of a workspace, and record it.

    Parameters
    ----------
    model_uri : str
    workspace : Workspace or MLClient
        ``azureml.core.Workspace`` (its subscription, resource group and name are read), or ``azure.ai.ml.MLClient``.
    deployment_config : dict, optional
        ``{"computeType": "aci", "containerResourceRequirements": {"cpu": 1, "memoryInGB": 2}}``: the smallest machine that has this is
        taken. A path to a JSON file is read, too.
    service_name : str, optional
        Of the endpoint; made from the model's name by default.
    model_name, tags, mlflow_home, synchronous : optional
        Taken for the sake of MLflow 1: the model is not registered in Azure a second time, and an answer comes when it serves.
    **config
        Further keys of the target ``azureml``: ``image``, ``instance_type``, …

    Returns
    -------
    (endpoint, dict)
        The endpoint of the SDK, and what was made: MLflow 1 returned service and model.
    """
    said = _settings(deployment_config)
    for key, value in (said.get("environmentVariables") or {}).items():
        config.setdefault(f"env.{key}", value)
    if "instance_type" not in config and said:
        config["instance_type"], count = of_container_resources(said)
        config.setdefault("instance_count", count)
    client = client_of(workspace)
    name = service_name or _name_of(model_uri)
    made = client.create_deployment(name, model_uri, config=config)
    return client._workspace({}).endpoint(name), made


def delete(service_name: str, workspace: Any) -> None:
    """Delete an endpoint with its deployments, and record it."""
    client_of(workspace).delete_deployment(service_name)


def client_of(workspace: Any) -> AzureMLDeploymentClient:
    """Return the client of a workspace, given as the SDKs of both versions give it.

    Raises
    ------
    UsageError
        If it is neither.
    """
    group = getattr(workspace, "resource_group", None) or getattr(workspace, "resource_group_name", None)
    subscription = getattr(workspace, "subscription_id", None)
    name = getattr(workspace, "workspace_name", None) or getattr(workspace, "name", None)
    if not (group and subscription and name):
        raise UsageError("workspace: azureml.core.Workspace.from_config() or azure.ai.ml.MLClient.from_config(…) is expected.")
    given = workspace if hasattr(workspace, "online_endpoints") else None
    return AzureMLDeploymentClient(f"azureml:/{subscription}/{group}/{name}", given)


def _settings(given: Any) -> dict[str, Any]:
    import json
    from pathlib import Path

    if given is None:
        return {}
    if isinstance(given, (str, Path)):
        given = json.loads(Path(given).read_text("utf-8"))
    if not isinstance(given, Mapping):
        raise UsageError(
            "deployment_config: a dict such as {'computeType': 'aci', …} is expected. Objects of SDK v1 are not taken."
        )
    kind = str(given.get("computeType", "managed")).lower()
    if kind not in _COMPUTE:
        raise UsageError(
            f"deployment_config: computeType {kind!r}: for a Kubernetes cluster use the target kubernetes; here aci is taken."
        )
    strange = sorted(set(given) - _ACI)
    if strange:
        raise UsageError(f"deployment_config: {', '.join(strange)}: not taken; {', '.join(sorted(_ACI))} are.")
    return dict(given)


def _name_of(model_uri: str) -> str:
    from runfolio.records.names import slug_of

    return slug_of(model_uri.partition(":/")[2].split("/")[0].partition("@")[0])[:32].strip("-_").replace("_", "-")
