"""The part of ``azure.ai.ml`` that is called: the same names, arguments and rules, and a workspace in memory.

Rules that are Azure's: what is loaded fits its schema, and its files are there; a deployment needs its endpoint; traffic is 0 or 100 in all,
and goes to deployments that are there; a deployment with traffic is not deleted; an unknown name is ``ResourceNotFoundError``.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import yaml
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

SCHEMA = json.loads((Path(__file__).parents[4] / "azureml.schema.json").read_text())
WORKSPACES: dict[tuple[str, str, str], dict[str, Any]] = {}


def _loaded(source: str, kind: str) -> SimpleNamespace:
    said = yaml.safe_load(Path(source).read_text())
    jsonschema.validate(said, SCHEMA[kind])
    folder = Path(source).parent
    if "model" in said:
        for name in (
            said["model"]["path"],
            f"{said['code_configuration']['code']}/{said['code_configuration']['scoring_script']}",
        ):
            assert (folder / name).exists(), name
        environment = yaml.safe_load((folder / said["environment"]["conda_file"]).read_text())
        assert any(isinstance(item, dict) for item in environment["dependencies"])
    files = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return SimpleNamespace(**{"traffic": {}, "files": files, **{key: value for key, value in said.items() if key != "$schema"}})


def load_online_endpoint(source: str) -> SimpleNamespace:
    return _loaded(source, "endpoint")


def load_online_deployment(source: str) -> SimpleNamespace:
    return _loaded(source, "deployment")


class LROPoller:
    def __init__(self, made: Any) -> None:
        self._made = made

    def result(self) -> Any:
        return self._made


class _Endpoints:
    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def begin_create_or_update(self, endpoint: Any) -> LROPoller:
        if os.environ.get("FAKE_AZURE_STRANGER"):
            raise ClientAuthenticationError(
                "DefaultAzureCredential failed to retrieve a token from the included credentials.\nmore"
            )
        shares, there = endpoint.traffic or {}, self._held["deployments"].get(endpoint.name, {})
        if sum(shares.values()) not in (0, 100) or set(shares) - set(there):
            raise HttpResponseError(f"(BadArgument) Traffic {shares} does not fit the deployments {sorted(there)}.")
        endpoint.scoring_uri, endpoint.provisioning_state = f"https://{endpoint.name}.example.org/score", "Succeeded"
        self._held["endpoints"][endpoint.name] = endpoint
        return LROPoller(endpoint)

    def get(self, name: str, *, local: bool = False) -> Any:
        if name not in self._held["endpoints"]:
            raise ResourceNotFoundError(f"(ResourceNotFound) Online endpoint {name} was not found.")
        return SimpleNamespace(**vars(self._held["endpoints"][name]))

    def list(self, *, local: bool = False) -> Any:
        return iter(list(self._held["endpoints"].values()))

    def begin_delete(self, name: str, *, local: bool = False) -> LROPoller:
        self.get(name)
        self._held["endpoints"].pop(name)
        self._held["deployments"].pop(name, None)
        return LROPoller(None)

    def invoke(
        self, endpoint_name: str, *, request_file: str | None = None, deployment_name: str | None = None, local: bool = False
    ) -> str:
        if not any((self.get(endpoint_name).traffic or {}).values()):
            raise HttpResponseError("(NotFound) The endpoint has no deployment with traffic.")
        said = json.loads(Path(str(request_file)).read_text())
        return json.dumps({"predictions": [2 * value for value in said["inputs"]]})


class _Deployments:
    def __init__(self, held: dict[str, Any]) -> None:
        self._held = held

    def begin_create_or_update(self, deployment: Any, *, local: bool = False, skip_script_validation: bool = False) -> LROPoller:
        if deployment.endpoint_name not in self._held["endpoints"]:
            raise ResourceNotFoundError(f"(ResourceNotFound) Online endpoint {deployment.endpoint_name} was not found.")
        if deployment.instance_type == "Standard_Nonsense":
            raise HttpResponseError("(BadRequest) The specified instance type is not supported.")
        self._held["deployments"].setdefault(deployment.endpoint_name, {})[deployment.name] = deployment
        return LROPoller(deployment)

    def list(self, endpoint_name: str, *, local: bool = False) -> Any:
        return iter(list(self._held["deployments"].get(endpoint_name, {}).values()))

    def begin_delete(self, name: str, endpoint_name: str, *, local: bool = False) -> LROPoller:
        if (self._held["endpoints"][endpoint_name].traffic or {}).get(name):
            raise HttpResponseError(f"(BadRequest) The deployment {name} has traffic and is not deleted.")
        self._held["deployments"][endpoint_name].pop(name)
        return LROPoller(None)


class MLClient:
    def __init__(self, credential: Any, subscription_id: str, resource_group_name: str, workspace_name: str) -> None:
        key = (subscription_id, resource_group_name, workspace_name)
        held = WORKSPACES.setdefault(key, {"endpoints": {}, "deployments": {}})
        self.subscription_id, self.resource_group_name, self.workspace_name = key
        self.online_endpoints, self.online_deployments = _Endpoints(held), _Deployments(held)

    @classmethod
    def from_config(cls, credential: Any, *, path: str | None = None, file_name: str | None = None, **kwargs: Any) -> MLClient:
        said = json.loads((Path(path or ".") / (file_name or "config.json")).read_text())
        return cls(credential, said["subscription_id"], said["resource_group"], said["workspace_name"])
