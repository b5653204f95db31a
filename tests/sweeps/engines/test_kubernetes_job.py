"""The manifest of a round: it fits the published schemas, runs as nobody, and holds no secret."""

from __future__ import annotations

from typing import Any

import pytest

from runfolio.errors import UsageError
from runfolio.sweeps.engines.batch_job import BatchJob
from runfolio.sweeps.engines.kubernetes_job import job_manifest, per_task_of

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="NOT TESTED: kubernetes-validate is not installed")
JOB = BatchJob("01a20af6586b7000ad3376d9e9ffcfe6", 1, 10, 3, "s3://b/wine", f"sha256:{'9' * 64}")
IMAGE = f"registry.example.org/wine@sha256:{'1' * 64}"
EVERYTHING: dict[str, Any] = {
    "namespace": "ml",
    "cpu": "500m",
    "memory": "4Gi",
    "cpu_limit": 2,
    "gpus": 1,
    "limit": 2,
    "retries": 1,
    "time": 3600,
    "keep": 60,
    "secrets": "s3-keys, hf-token",
    "pull_secret": "regcred",
    "service_account": "trainer",
    "folder": "/app",
    "program": "python -m runfolio",
    "read_only": "false",
    "user": 1234,
    "scratch": "1Gi",
    "env.OMP_NUM_THREADS": 4,
    "claim.datasets": "/data",
    "node.cloud.example.org/gpu": "a100",
}


@pytest.mark.parametrize("config", [{}, EVERYTHING])
@pytest.mark.parametrize("version", ["1.29", "1.33"])
def test_the_job_fits_the_published_schema_strictly(config: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(job_manifest(JOB, {"image": IMAGE, **config}), version, strict=True)


def test_an_index_is_a_task_and_is_tried_again_alone() -> None:
    spec = job_manifest(JOB, {"image": IMAGE})["spec"]
    assert (spec["completionMode"], spec["completions"], spec["parallelism"]) == ("Indexed", 4, 4)
    assert (spec["backoffLimitPerIndex"], spec["maxFailedIndexes"], spec["ttlSecondsAfterFinished"]) == (3, 4, 86400)
    assert spec["template"]["spec"]["restartPolicy"] == "Never"
    (container,) = spec["template"]["spec"]["containers"]
    assert container["command"] == ["runfolio", *JOB.command()[1:]]


def test_each_setting_reaches_its_field() -> None:
    made = job_manifest(JOB, {"image": IMAGE, **EVERYTHING})
    spec, pod = made["spec"], made["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert made["metadata"]["namespace"] == "ml"
    assert (spec["parallelism"], spec["activeDeadlineSeconds"], spec["ttlSecondsAfterFinished"]) == (2, 3600, 60)
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "4Gi"},
        "limits": {"memory": "4Gi", "cpu": "2", "nvidia.com/gpu": "1"},
    }
    assert container["envFrom"] == [{"secretRef": {"name": "s3-keys"}}, {"secretRef": {"name": "hf-token"}}]
    assert {"name": "OMP_NUM_THREADS", "value": "4"} in container["env"]
    assert container["command"][:4] == ["python", "-m", "runfolio", "sweep-worker"]
    assert (container["workingDir"], container["securityContext"]["readOnlyRootFilesystem"]) == ("/app", False)
    assert (pod["securityContext"]["runAsUser"], pod["serviceAccountName"]) == (1234, "trainer")
    assert pod["imagePullSecrets"] == [{"name": "regcred"}]
    assert pod["nodeSelector"] == {"cloud.example.org/gpu": "a100"}
    assert {"name": "claim-0", "persistentVolumeClaim": {"claimName": "datasets"}} in pod["volumes"]
    assert {"name": "claim-0", "mountPath": "/data"} in container["volumeMounts"]


def test_pods_run_as_nobody_without_a_token_of_the_cluster() -> None:
    pod = job_manifest(JOB, {"image": IMAGE})["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["runAsUser"]) == (True, 10001)
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "envFrom" not in container


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"image": ""}, "image is needed"),
        ({"memory": "lots"}, "memory: a quantity"),
        ({"limit": 0}, "limit: a whole number from 1"),
        ({"namespace": "My_Space"}, "namespace: Kubernetes takes lower-case letters"),
        ({"secrets": "a b"}, "secrets: the name of an object is expected, found 'a b'"),
        ({"service_account": "Root!"}, "service_account: the name of an object"),
        ({"claim.data": "data"}, "claim.data: an absolute path"),
        ({"claim.data": "/data/../etc"}, "claim.data: an absolute path"),
        ({"folder": "app"}, "folder: an absolute path"),
        ({"env.A B": "1"}, "env.A B: 'A B' is no name of a variable"),
        ({"user": 0}, "user: a whole number from 1"),
        ({"imgae": "x"}, "no such key 'imgae'; did you mean 'image'?"),
    ],
)
def test_settings_that_cannot_be_read_are_named(config: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        job_manifest(JOB, {"image": IMAGE, **config})
    assert said in caught.value.message


def test_a_job_stays_within_what_a_cluster_takes() -> None:
    assert [per_task_of(trials, {}) for trials in (1, 10_000, 10_001)] == [1, 1, 2]
