"""The target ``azureml``: a managed online endpoint of an Azure ML workspace.

``azureml:/SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE`` says where. A version is a deployment of its own below the endpoint; an update makes the
new one, gives it the traffic, and only then deletes those before it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from runfolio.deployments.azure_sdk import AzureWorkspace
from runfolio.deployments.azureml_files import KEYS, checked_name, deployment_file, endpoint_file, other_files
from runfolio.deployments.calling import payload_of
from runfolio.deployments.client import Config, Outcome, Target, whole
from runfolio.deployments.plan import Plan, Step, already_there, not_there, plain
from runfolio.deployments.source import Source
from runfolio.errors import NotFoundError, RunfolioError, StateError, UsageError
from runfolio.formats.mlmodel import render_yaml

ENDPOINT, DEPLOYMENT, FILE, TRAFFIC, DELETE = "endpoint.yml", "deployment.yml", "file", "traffic", "delete the endpoint"
REPLACED = "delete the deployments before"
_PARTS = (
    ("subscription_id", "AZURE_SUBSCRIPTION_ID"),
    ("resource_group", "AZURE_RESOURCE_GROUP"),
    ("workspace_name", "AZURE_ML_WORKSPACE"),
)


class AzureMLDeploymentClient(Target):
    """Endpoints of a workspace.

    Parameters
    ----------
    target_uri : str
    client : object, optional
        An ``azure.ai.ml.MLClient`` of that workspace, in place of one that is made.
    """

    name: ClassVar[str] = "azureml"
    keys: ClassVar[Mapping[str, str]] = KEYS

    def __init__(self, target_uri: str, client: Any = None) -> None:
        super().__init__(target_uri)
        self._given = client

    @property
    def place(self) -> str:
        """The workspace's name."""
        return self._parts({})[2]

    def _parts(self, config: Config) -> list[str]:
        said = [part for part in self.target_uri.partition(":")[2].strip("/").split("/") if part]
        said += [""] * len(_PARTS)
        found = [
            str(config.get(key) or part or os.environ.get(name, "")) for (key, name), part in zip(_PARTS, said, strict=False)
        ]
        lacks = [key for (key, _), value in zip(_PARTS, found, strict=True) if not value]
        if lacks:
            raise UsageError(
                f"Which workspace? {', '.join(lacks)} is missing: -t azureml:/SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE, or "
                f"-C {lacks[0]}=…"
            )
        return found

    def _workspace(self, config: Config) -> AzureWorkspace:
        subscription, group, name = self._parts(config)
        return AzureWorkspace(subscription, group, name, self._given)

    def plan(self, verb: str, name: str, source: Source | None, config: Config) -> Plan:
        """Write the files."""
        plan = Plan(self.name, self._parts(config)[2], verb, checked_name(name), source, config)
        if verb == "delete":
            return replace(plan, steps=(Step(DELETE, {"name": name, "deployments": "{all of them}"}),))
        if source is None:
            raise UsageError("azureml: update takes the model, too: -m models:/NAME/VERSION")
        share = whole(config.get("traffic", 100), "traffic")
        if share > 100:
            raise UsageError(f"config: traffic: 0 to 100 is expected, found {share}.")
        deployment = deployment_file(name, source, config)
        first = [Step(ENDPOINT, endpoint_file(name, source, config))] if verb == "create" else []
        files = other_files(source, config)
        told = [
            Step(f"{FILE} {path}", text if isinstance(text, str) else f"({text.stat().st_size} bytes)")
            for path, text in files.items()
        ]
        replaced = {"endpoint": name, "deployments": "{all others}"}
        after = [Step(REPLACED, replaced)] if verb == "update" and share == 100 else []
        traffic = Step(TRAFFIC, {deployment["name"]: share})
        return replace(plan, steps=(*first, Step(DEPLOYMENT, deployment), *told, traffic, *after))

    def carry_out(self, plan: Plan) -> Outcome:
        """Make or delete what the files say."""
        config, workspace = plan.config or {}, self._workspace(plan.config or {})
        there = self._there(workspace, plan.name)
        if plan.verb == "delete":
            if there:
                workspace.delete_endpoint(plan.name)
            return Outcome()
        if plan.verb == "create" and there:
            raise already_there(plan)
        if plan.verb == "update" and not there:
            raise not_there(plan)
        (deployment,), (share,) = plan.contents(DEPLOYMENT), plan.contents(TRAFFIC)
        before = [item.name for item in workspace.deployments(plan.name)] if there else []
        with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
            self._put(plan, workspace, Path(scratch))
        percent = share[deployment["name"]]
        self._move(workspace, plan.name, deployment["name"], percent)
        if percent == 100:
            for old in before:
                if old != deployment["name"]:
                    workspace.delete_deployment(plan.name, old)
        url = str(getattr(workspace.endpoint(plan.name), "scoring_uri", "") or "")
        facts = {
            "deployment": deployment["name"],
            "instance": deployment["instance_type"],
            "count": str(deployment["instance_count"]),
        }
        facts["traffic"] = f"{percent}%"
        image = str(config.get("image") or "")
        return Outcome(endpoint=url, image=image, facts=facts, shown={"url": url, "deployment": deployment["name"]})

    def _put(self, plan: Plan, workspace: AzureWorkspace, folder: Path) -> None:
        assert plan.source is not None
        for path, content in other_files(plan.source, plan.config or {}).items():
            place = folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                place.write_text(content, "utf-8")
            else:
                shutil.copyfile(content, place)
        for step in plan.steps:
            if step.what in (ENDPOINT, DEPLOYMENT) and isinstance(step.content, Mapping):
                (folder / step.what).write_bytes(render_yaml(plain(step.content)))
        if plan.verb == "create":
            workspace.put_endpoint(folder / ENDPOINT)
        try:
            workspace.put_deployment(folder / DEPLOYMENT)
        except RunfolioError:
            if plan.verb == "create":  # an endpoint without a deployment is of no use, and would be in the way
                with suppress(RunfolioError):
                    workspace.delete_endpoint(plan.name)
            raise

    def _move(self, workspace: AzureWorkspace, endpoint: str, name: str, percent: int) -> None:
        others = {key: value for key, value in workspace.traffic(endpoint).items() if key != name and value}
        total, left = sum(others.values()), 100 - percent
        if not others and percent < 100:
            raise StateError(f"{endpoint}: there is no other deployment to take the other {left} percent. Leave traffic out.")
        shares = {key: value * left // total for key, value in others.items()}
        if shares:
            shares[max(shares, key=lambda key: shares[key])] += left - sum(shares.values())
        workspace.set_traffic(endpoint, {**{key: value for key, value in shares.items() if value}, name: percent})

    def _there(self, workspace: AzureWorkspace, name: str) -> bool:
        try:
            workspace.endpoint(name)
        except NotFoundError:
            return False
        return True

    def list_deployments(self, endpoint: str | None = None) -> list[dict[str, Any]]:
        """List the endpoints of the workspace."""
        return [_shown(item) for item in self._workspace({}).endpoints()]

    def get_deployment(self, name: str, endpoint: str | None = None) -> dict[str, Any]:
        """Return address, traffic and tags of an endpoint, with its deployments."""
        workspace = self._workspace({})
        shown = _shown(workspace.endpoint(checked_name(name)))
        return {**shown, "deployments": [item.name for item in workspace.deployments(name)]}

    def predict(self, deployment_name: str | None = None, inputs: Any = None, endpoint: str | None = None) -> Any:
        """Ask an endpoint."""
        import json

        with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
            file = Path(scratch) / "request.json"
            file.write_bytes(payload_of(inputs))
            said = self._workspace({}).invoke(checked_name(endpoint or deployment_name or ""), file)
        try:
            return json.loads(said)
        except ValueError:
            return said


def _shown(item: Any) -> dict[str, Any]:
    return {
        "name": item.name,
        "url": getattr(item, "scoring_uri", None) or "",
        "status": getattr(item, "provisioning_state", None) or "",
        "traffic": dict(getattr(item, "traffic", None) or {}),
        "tags": dict(getattr(item, "tags", None) or {}),
    }


def run_local(name: str, model_uri: str, flavor: str | None = None, config: Config | None = None) -> dict[str, Any]:
    """Serve a model on this machine, as the endpoint would."""
    from runfolio.deployments.local import run_local as run

    return run(name, model_uri, flavor, config)


def target_help() -> str:
    """Say what the target is and takes."""
    from runfolio.deployments.helping import help_text

    form = "azureml:/SUBSCRIPTION/RESOURCE_GROUP/WORKSPACE"
    return help_text(
        AzureMLDeploymentClient, form, "A managed online endpoint of Azure ML.", "Who you are is azure-identity's business."
    )
