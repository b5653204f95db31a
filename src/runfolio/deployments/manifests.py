"""Kubernetes manifests of a model's server: data, the same for the targets ``kubernetes`` and ``kserve``.

The image is ours (:mod:`runfolio.deployments.images`): port 8080, user 10001, nothing written but to ``/tmp``, verified by its digest
when it starts. Everything else (replicas, memory, who may call) is said by the config.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio._version import __version__
from runfolio.deployments.client import Config, truth, whole
from runfolio.errors import UsageError

if TYPE_CHECKING:
    from runfolio.deployments.source import Source

PORT = 8080
_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?\Z")
_LABEL = re.compile(r"[^A-Za-z0-9_.\-]+")

CONTAINER_KEYS = {
    "image": "container image, best NAME@sha256:…; needed with create",
    "cpu": "processors asked for; 250m by default",
    "memory": "memory asked for, and its limit; 512Mi by default",
    "cpu_limit": "processors at most; none by default",
    "workers": "processes that predict in each pod; 1 by default",
    "pull_secret": "name of the secret to pull the image with",
    "token_secret": "name of a secret whose key 'token' clients must send",
    "env.": "env.NAME=VALUE: a variable of the container; never a secret",
}


def checked_name(name: str, what: str = "--name") -> str:
    """Return `name` if Kubernetes takes it (RFC 1035 label); `what` is what the user calls it.

    Raises
    ------
    UsageError
        If it does not.
    """
    if not _NAME.match(name):
        raise UsageError(
            f"{what}: Kubernetes takes lower-case letters, digits and '-', a letter first, 63 at most; found {name!r}."
        )
    return name


def labels_of(name: str, source: Source | None) -> dict[str, str]:
    """Return the recommended labels (kubernetes.io, "Recommended Labels")."""
    made = {
        "app.kubernetes.io/name": name,
        "app.kubernetes.io/managed-by": "runfolio",
        "app.kubernetes.io/component": "model-server",
    }
    if source is not None and source.version is not None:
        made["app.kubernetes.io/version"] = str(source.version)
        made["runfolio/model"] = _LABEL.sub("-", source.name)[:63].strip("-_.")
    return made


def annotations_of(source: Source | None) -> dict[str, str]:
    """Return where the model comes from: digests are too long for labels."""
    if source is None:
        return {}
    told = {
        "runfolio/uri": source.uri,
        "runfolio/digest": source.digest,
        "runfolio/run": source.run_id,
        "runfolio/commit": source.commit,
    }
    return {"runfolio/tool": f"runfolio {__version__}", **{key: value for key, value in told.items() if value}}


def container(name: str, source: Source | None, config: Config) -> dict[str, Any]:
    """Return the container of a pod.

    Raises
    ------
    UsageError
        If no image is named, or a value cannot be read.
    """
    image = str(config.get("image") or "")
    if not image:
        raise UsageError(
            "config: image is needed: the container image of the model, where the cluster can pull it. Build it: "
            "runfolio models build-docker -m URI -n NAME:TAG, push it, and say -C image=NAME@sha256:…"
        )
    memory = quantity(config, "memory", "512Mi")
    limits = {"memory": memory}
    if config.get("cpu_limit"):
        limits["cpu"] = quantity(config, "cpu_limit", "")
    workers = whole(config.get("workers", 1), "workers", 1)
    # The archive's digest is in the image itself; saying it here too keeps an image of another version from starting.
    env = [{"name": "RUNFOLIO_WORKERS", "value": str(workers)}]
    if source is not None:
        env.append({"name": "RUNFOLIO_MODEL_DIGEST", "value": source.digest})
    env += [{"name": key[4:], "value": str(value)} for key, value in sorted(config.items()) if key.startswith("env.")]
    if config.get("token_secret"):
        key = {"name": str(config["token_secret"]), "key": "token"}
        env.append({"name": "RUNFOLIO_SERVE_TOKEN", "valueFrom": {"secretKeyRef": key}})  # type: ignore[dict-item] # not all are text
    return {
        "name": name,
        "image": image,
        "args": ["serve"],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        "env": env,
        "resources": {"requests": {"cpu": quantity(config, "cpu", "250m"), "memory": memory}, "limits": limits},
        "readinessProbe": _probe(5, 3),
        "livenessProbe": _probe(10, 6),
        "startupProbe": _probe(2, 150),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108 # in the container
    }


def pod(name: str, source: Source | None, config: Config) -> dict[str, Any]:
    """Return the specification of a pod: one container, nobody's user, no token of the cluster."""
    made: dict[str, Any] = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 10001,
            "runAsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container(name, source, config)],
        "volumes": [{"name": "scratch", "emptyDir": {"sizeLimit": "1Gi"}}],
        "terminationGracePeriodSeconds": 45,
    }
    if config.get("pull_secret"):
        made["imagePullSecrets"] = [{"name": str(config["pull_secret"])}]
    return made


def service_objects(name: str, namespace: str, source: Source | None, config: Config) -> list[dict[str, Any]]:
    """Return Deployment, Service and NetworkPolicy (and a PodDisruptionBudget where there are several pods)."""
    replicas = whole(config.get("replicas", 1), "replicas", 1)
    chosen = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "runfolio"}

    def top(version: str, kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
        about = {"name": name, "namespace": namespace, "labels": labels_of(name, source), "annotations": annotations_of(source)}
        return {"apiVersion": version, "kind": kind, "metadata": about, "spec": dict(spec)}

    notes = {"labels": labels_of(name, source), "annotations": annotations_of(source)}
    made = [
        top(
            "apps/v1",
            "Deployment",
            {
                "replicas": replicas,
                "selector": {"matchLabels": chosen},
                "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
                "template": {"metadata": notes, "spec": pod(name, source, config)},
            },
        ),
        top(
            "v1",
            "Service",
            {
                "type": "ClusterIP",
                "selector": chosen,
                "ports": [{"name": "http", "port": 80, "targetPort": "http", "protocol": "TCP"}],
            },
        ),
        top("networking.k8s.io/v1", "NetworkPolicy", _policy(chosen, config)),
    ]
    if replicas > 1:
        made.append(top("policy/v1", "PodDisruptionBudget", {"maxUnavailable": 1, "selector": {"matchLabels": chosen}}))
    return made


def _policy(chosen: Mapping[str, str], config: Config) -> dict[str, Any]:
    """Let pods of the namespace in (or of all), to the one port, and nothing out: a model calls nobody."""
    anyone = truth(config.get("open", False), "open")
    sender: dict[str, Any] = {"namespaceSelector": {}} if anyone else {"podSelector": {}}
    return {
        "podSelector": {"matchLabels": dict(chosen)},
        "policyTypes": ["Ingress", "Egress"],
        "ingress": [{"from": [sender], "ports": [{"port": PORT, "protocol": "TCP"}]}],
        "egress": [],
    }


def _probe(period_s: int, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": "/ping", "port": "http"},
        "periodSeconds": period_s,
        "timeoutSeconds": 3,
        "failureThreshold": failures,
    }


def quantity(config: Config, key: str, default: str) -> str:
    """Read a quantity (kubernetes.io, "Quantity") from a config.

    Raises
    ------
    UsageError
        If it is none.
    """
    said = str(config.get(key) or default)
    if not _QUANTITY.match(said):
        raise UsageError(f"config: {key}: a quantity such as 500m, 2 or 512Mi is expected, found {said!r}.")
    return said
