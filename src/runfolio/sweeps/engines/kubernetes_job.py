"""The manifest of an indexed Job for Kubernetes: data, made of a round and of what the user says about the cluster.

One index is one task. A trial that fails is a result, and its pod succeeds; a pod fails where the worker died or could not reach the
store, and only its index is tried again (``backoffLimitPerIndex``: Kubernetes 1.29 and newer). Pods run as nobody, without a token of the
cluster and with a read-only root; credentials come from secrets that are named, never from values here.
"""

from __future__ import annotations

import re
import shlex
from typing import Any

from runfolio._version import __version__
from runfolio.deployments.client import Config, truth, whole
from runfolio.deployments.manifests import checked_name, quantity
from runfolio.errors import UsageError
from runfolio.sweeps.engines.batch_job import BatchJob, check_config

KEYS = {
    "image": "container image with runfolio and your code, best NAME@sha256:…; needed",
    "namespace": "namespace; default by default",
    "cpu": "processors asked for; 1 by default",
    "memory": "memory asked for, and its limit; 1Gi by default",
    "cpu_limit": "processors at most; none by default",
    "gpus": "GPUs for a pod (nvidia.com/gpu)",
    "limit": "pods that run at once, at most; 10 by default",
    "per_task": "trials that one pod runs; 1 by default",
    "retries": "how often an index is tried again whose pod failed; 3 by default",
    "time": "seconds after which the whole round is ended; none by default",
    "keep": "seconds for which a round that ended is kept; 86400 by default",
    "secrets": "names of secrets whose keys become variables, joined by commas: the credentials of the store",
    "pull_secret": "name of the secret to pull the image with",
    "service_account": "service account of the pods",
    "folder": "working folder in the image",
    "program": "how runfolio is called in the image; runfolio by default",
    "read_only": "false lets trials write to the image's own folders; true by default",
    "user": "number of the user that pods run as; 10001 by default",
    "scratch": "size of /tmp; 10Gi by default",
    "env.": "env.NAME=VALUE: a variable of the pods; never a secret",
    "claim.": "claim.NAME=/PATH: a persistent volume claim, and where it is mounted",
    "node.": "node.LABEL=VALUE: a label that nodes must have",
}
LARGEST_JOB = 10_000
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_OBJECT = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\Z")


def per_task_of(trials: int, config: Config) -> int:
    """Return how many trials one pod runs."""
    return max(whole(config.get("per_task", 1), "per_task", 1), -(-trials // LARGEST_JOB))


def job_manifest(job: BatchJob, config: Config) -> dict[str, Any]:
    """Make the Job.

    Parameters
    ----------
    job : BatchJob
    config : Mapping
        See `KEYS`.

    Raises
    ------
    UsageError
        If a setting is unknown, cannot be read, or the image is missing.
    """
    check_config("kubernetes", config, KEYS)
    labels = {
        "app.kubernetes.io/name": job.name,
        "app.kubernetes.io/managed-by": "runfolio",
        "app.kubernetes.io/component": "sweep-worker",
        "runfolio/sweep": job.sweep_id[:63],
    }
    notes = {"runfolio/tool": f"runfolio {__version__}", "runfolio/plans": job.plans, "runfolio/round": str(job.number)}
    spec: dict[str, Any] = {
        "completionMode": "Indexed",
        "completions": job.tasks,
        "parallelism": min(whole(config.get("limit", 10), "limit", 1), job.tasks),
        "backoffLimitPerIndex": whole(config.get("retries", 3), "retries"),
        "maxFailedIndexes": job.tasks,
        "ttlSecondsAfterFinished": whole(config.get("keep", 86_400), "keep"),
        "template": {"metadata": {"labels": labels, "annotations": notes}, "spec": _pod(job, config)},
    }
    if config.get("time"):
        spec["activeDeadlineSeconds"] = whole(config["time"], "time", 1)
    about = {"name": job.name, "namespace": namespace_of(config), "labels": labels, "annotations": notes}
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": about, "spec": spec}


def namespace_of(config: Config) -> str:
    """Return the namespace."""
    return _object(config.get("namespace") or "default", "namespace")


def _pod(job: BatchJob, config: Config) -> dict[str, Any]:
    user = whole(config.get("user", 10_001), "user", 1)
    claims = _claims(config)
    made: dict[str, Any] = {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(job, config, claims)],
        "volumes": [
            {"name": "scratch", "emptyDir": {"sizeLimit": quantity(config, "scratch", "10Gi")}},
            *({"name": f"claim-{at}", "persistentVolumeClaim": {"claimName": name}} for at, (name, _) in enumerate(claims)),
        ],
        "terminationGracePeriodSeconds": 30,
    }
    if config.get("pull_secret"):
        made["imagePullSecrets"] = [{"name": _object(config["pull_secret"], "pull_secret")}]
    if config.get("service_account"):
        made["serviceAccountName"] = _object(config["service_account"], "service_account")
    nodes = {key[5:]: str(value) for key, value in sorted(config.items()) if key.startswith("node.")}
    if nodes:
        made["nodeSelector"] = nodes
    return made


def _container(job: BatchJob, config: Config, claims: list[tuple[str, str]]) -> dict[str, Any]:
    image = str(config.get("image") or "")
    if not image:
        raise UsageError(
            "kubernetes: config: image is needed: a container image with runfolio and your code, where the cluster can pull it. Say "
            "-C image=NAME@sha256:…"
        )
    memory = quantity(config, "memory", "1Gi")
    limits = {"memory": memory}
    if config.get("cpu_limit"):
        limits["cpu"] = quantity(config, "cpu_limit", "")
    if config.get("gpus"):
        limits["nvidia.com/gpu"] = str(whole(config["gpus"], "gpus", 1))
    made: dict[str, Any] = {
        "name": "worker",
        "image": image,
        "command": job.command(tuple(shlex.split(str(config.get("program") or "runfolio")))),
        "env": _variables(config),
        "resources": {"requests": {"cpu": quantity(config, "cpu", "1"), "memory": memory}, "limits": limits},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": truth(config.get("read_only", True), "read_only"),
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "scratch", "mountPath": "/tmp"},  # noqa: S108 # in the container
            *({"name": f"claim-{at}", "mountPath": path} for at, (_, path) in enumerate(claims)),
        ],
    }
    secrets = [_object(name.strip(), "secrets") for name in str(config.get("secrets") or "").split(",") if name.strip()]
    if secrets:
        made["envFrom"] = [{"secretRef": {"name": name}} for name in secrets]
    if config.get("folder"):
        made["workingDir"] = _absolute(str(config["folder"]), "folder")
    return made


def _variables(config: Config) -> list[dict[str, str]]:
    # What is written besides the run lies in the pod's own /tmp: the root may be read-only, and the user has no home.
    made = {"HOME": "/tmp", "TMPDIR": "/tmp", "RUNFOLIO_CACHE": "/tmp/cache"}  # noqa: S108 # in the container
    for key, value in sorted(config.items()):
        if key.startswith("env."):
            if not _VARIABLE.match(key[4:]):
                raise UsageError(f"kubernetes: config: {key}: {key[4:]!r} is no name of a variable.")
            made[key[4:]] = str(value)
    return [{"name": name, "value": value} for name, value in made.items()]


def _claims(config: Config) -> list[tuple[str, str]]:
    named = [(key[6:], str(value)) for key, value in sorted(config.items()) if key.startswith("claim.")]
    return [(_object(name, f"claim.{name}"), _absolute(path, f"claim.{name}")) for name, path in named]


def _absolute(path: str, key: str) -> str:
    if not path.startswith("/") or ":" in path or ".." in path.split("/"):
        raise UsageError(f"kubernetes: config: {key}: an absolute path in the container is expected, found {path!r}.")
    return path


def _object(name: Any, key: str) -> str:
    if key == "namespace":
        return checked_name(str(name), "kubernetes: config: namespace")
    if not _OBJECT.match(str(name)):
        raise UsageError(f"kubernetes: config: {key}: the name of an object is expected, found {str(name)!r}.")
    return str(name)
