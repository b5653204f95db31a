"""The files of an Azure ML online deployment: endpoint and deployment in YAML (CLI v2), and what scores where there is no image of ours.

With ``image`` the deployment is a custom container: our image, asked at ``/invocations``. Without one it is the model's files, a scoring
script and a conda environment, which Azure ML builds an image of. Fields are those of Azure's published schemas
(managedOnlineEndpoint, managedOnlineDeployment); both ways the model is verified by its digest before it is loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio._version import __version__
from runfolio.deployments.client import Config, whole
from runfolio.deployments.source import MANIFEST, Source
from runfolio.errors import UsageError

SCHEMAS = "https://azuremlschemas.azureedge.net/latest"
BASE_IMAGE = "mcr.microsoft.com/azureml/minimal-ubuntu22.04-py310-cpu-inference"
INSTANCE = "Standard_DS3_v2"
_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{1,30}[a-zA-Z0-9]\Z")
_SIZES = ((2, 7, "Standard_DS2_v2"), (4, 14, "Standard_DS3_v2"), (8, 28, "Standard_DS4_v2"), (16, 56, "Standard_DS5_v2"))
"""Processors and gigabytes of the machines that Azure names for managed endpoints."""

KEYS = {
    "subscription_id": "of the workspace; else that of the target's URI, or AZURE_SUBSCRIPTION_ID",
    "resource_group": "of the workspace; else that of the target's URI, or AZURE_RESOURCE_GROUP",
    "workspace_name": "of the workspace; else that of the target's URI, or AZURE_ML_WORKSPACE",
    "image": "container image that the workspace can pull; without one, Azure ML builds one of scoring script and conda file",
    "base_image": f"what Azure ML builds on without an image; {BASE_IMAGE} by default",
    "runfolio": "requirement that brings runfolio into the conda environment; this version by default",
    "instance_type": f"{INSTANCE} by default",
    "instance_count": "machines; 1 by default",
    "auth_mode": "key (default), aml_token or aad_token",
    "deployment_name": "of the deployment below the endpoint; v and the version by default",
    "traffic": "percent of the requests that it gets; 100 by default",
    "request_timeout_ms": "5000 by default",
    "max_concurrent_requests": "in one instance; 1 by default",
    "env.": "env.NAME=VALUE: a variable of the container; never a secret",
}


def checked_name(name: str) -> str:
    """Return `name` if an endpoint of Azure ML may have it.

    Raises
    ------
    UsageError
        If it may not.
    """
    if not _NAME.match(name):
        raise UsageError(f"--name: Azure ML takes 3 to 32 letters, digits and '-', a letter first; found {name!r}.")
    return name


def endpoint_file(name: str, source: Source, config: Config) -> dict[str, Any]:
    """Return ``endpoint.yml``."""
    mode = str(config.get("auth_mode") or "key")
    if mode not in ("key", "aml_token", "aad_token"):
        raise UsageError(f"config: auth_mode: key, aml_token or aad_token is expected, found {mode!r}.")
    # It outlives the version, which the tags of its deployments tell.
    tags = {"runfolio_model": source.name}
    return {"$schema": f"{SCHEMAS}/managedOnlineEndpoint.schema.json", "name": name, "auth_mode": mode, "tags": tags}


def deployment_file(name: str, source: Source, config: Config) -> dict[str, Any]:
    """Return ``deployment.yml``; paths in it are from its own folder."""
    image = str(config.get("image") or "")
    settings = {
        "request_timeout_ms": whole(config.get("request_timeout_ms", 5000), "request_timeout_ms", 1),
        "max_concurrent_requests_per_instance": whole(config.get("max_concurrent_requests", 1), "max_concurrent_requests", 1),
    }
    probe = {"initial_delay": 10, "period": 10, "timeout": 5, "success_threshold": 1, "failure_threshold": 30}
    made: dict[str, Any] = {
        "$schema": f"{SCHEMAS}/managedOnlineDeployment.schema.json",
        "name": deployment_name(source, config),
        "endpoint_name": name,
        "tags": _tags(source),
        "instance_type": str(config.get("instance_type") or INSTANCE),
        "instance_count": whole(config.get("instance_count", 1), "instance_count", 1),
        "request_settings": settings,
        "liveness_probe": probe,
        "readiness_probe": probe,
        "environment_variables": {
            "RUNFOLIO_MODEL_DIGEST": source.digest,
            **{key[4:]: str(value) for key, value in sorted(config.items()) if key.startswith("env.")},
        },
    }
    if image:
        asked, scored = {"port": 8080, "path": "/ping"}, {"port": 8080, "path": "/invocations"}
        routes = {"liveness_route": asked, "readiness_route": asked, "scoring_route": scored}
        made["environment"] = {"image": image, "inference_config": routes}
        return made
    made["model"] = {"path": "model", "type": "custom_model"}
    made["code_configuration"] = {"code": "code", "scoring_script": "score.py"}
    made["environment"] = {"image": str(config.get("base_image") or BASE_IMAGE), "conda_file": "conda.yaml"}
    return made


def deployment_name(source: Source, config: Config) -> str:
    """Return the name of the deployment below its endpoint."""
    said = str(config.get("deployment_name") or (f"v{source.version}" if source.version else f"d{source.digest[7:15]}"))
    return said if len(said) >= 3 else f"{said}-{source.digest[7:11]}"


def other_files(source: Source, config: Config) -> dict[str, str | Path]:
    """Return the files beside the two, by name: text, or where they are; none where an image of ours is used."""
    if config.get("image"):
        return {}
    files: dict[str, str | Path] = {f"model/{name}": source.folder / name for name in source.files}
    files[f"model/{MANIFEST}"] = source.manifest.decode()
    files["code/score.py"] = Path(__file__).with_name("azureml_score.py").read_text("utf-8")
    files["conda.yaml"] = _conda(source, config)
    return files


def of_container_resources(said: Mapping[str, Any]) -> tuple[str, int]:
    """Return the smallest machine that has the ``containerResourceRequirements`` of an ACI deployment, and how many.

    Raises
    ------
    UsageError
        If no machine is that large.
    """
    wanted = said.get("containerResourceRequirements") or {}
    cpu, memory = float(wanted.get("cpu", 0.1)), float(wanted.get("memoryInGB", 0.5))
    for processors, gigabytes, name in _SIZES:
        if cpu <= processors and memory <= gigabytes:
            return name, int(said.get("replicas") or said.get("numReplicas") or 1)
    raise UsageError(f"deployment_config: no machine has {cpu:g} processors and {memory:g} GB; name one: instance_type.")


def _conda(source: Source, config: Config) -> str:
    from runfolio.formats.mlmodel import render_yaml

    ours = str(config.get("runfolio") or f"runfolio=={__version__}")
    needed = [*source.requirements, ours, "azureml-inference-server-http"]
    said = {
        "name": "model",
        "channels": ["conda-forge"],
        "dependencies": [f"python={source.python or '3.11'}", "pip", {"pip": needed}],
    }
    return render_yaml(said).decode()


def _tags(source: Source) -> dict[str, str]:
    told = {
        "runfolio_model": source.name,
        "runfolio_version": str(source.version or ""),
        "runfolio_run": source.run_id or "",
        "runfolio_digest": source.digest,
        "runfolio_commit": source.commit,
    }
    return {key: value for key, value in told.items() if value}
