"""Kubernetes and KServe: manifests that the published schemas take, applied by kubectl, recorded in the folio."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from runfolio.cli.main import main
from runfolio.deployments import get_deploy_client
from runfolio.errors import AlreadyExistsError, MissingPackageError, NotFoundError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.records.deployments import Deployment
from tests.conftest import git

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="NOT TESTED: kubernetes-validate is not installed")
IMAGE = f"registry.example.org/wine@sha256:{'1' * 64}"


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A kubectl on PATH that keeps what it is given in a folder, which is returned."""
    state, folder = tmp_path / "cluster", tmp_path / "bin"
    state.mkdir()
    folder.mkdir()
    script = Path(__file__).with_name("fake_kubectl.py")
    (folder / "kubectl").write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    (folder / "kubectl").chmod(0o755)
    import os

    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("FAKE_KUBECTL", str(state))
    return state


def recorded(folder: Path) -> list[Deployment]:
    folio = open_folio(folder)
    try:
        return [item for _, item in folio.deployments.all()]
    finally:
        folio.close()


def planned(target: str, capsys: pytest.CaptureFixture[str], *settings: str) -> list[dict[str, Any]]:
    words = [word for setting in settings for word in ("-C", setting)]
    command = [
        "deployments",
        "create",
        "-t",
        target,
        "--name",
        "wine",
        "-m",
        "models:/wine/Production",
        "-C",
        f"image={IMAGE}",
        *words,
    ]
    assert main([*command, "--dry-run"]) == 0
    return [item for item in yaml.safe_load_all(capsys.readouterr().out) if item and "apiVersion" in item]


@pytest.mark.parametrize(
    "settings",
    [(), ("replicas=3", "cpu_limit=2", "pull_secret=regcred", "token_secret=wine", "env.OMP_NUM_THREADS=1", "open=true")],
)
def test_manifests_fit_the_published_schemas_strictly(
    wine: Path, capsys: pytest.CaptureFixture[str], settings: tuple[str, ...]
) -> None:
    found = planned("kubernetes:/prod", capsys, *settings)
    for item in found:
        for version in ("1.29", "1.33"):
            kubernetes_validate.validate(item, version, strict=True)
    kinds = [item["kind"] for item in found]
    assert kinds == ["Deployment", "Service", "NetworkPolicy", *(["PodDisruptionBudget"] if settings else [])]
    pod = found[0]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (pod["securityContext"]["runAsNonRoot"], container["securityContext"]["readOnlyRootFilesystem"]) == (True, True)
    assert container["readinessProbe"]["httpGet"]["path"] == "/ping"
    assert {"name": "RUNFOLIO_MODEL_DIGEST", "value": found[0]["metadata"]["annotations"]["runfolio/digest"]} in container["env"]
    assert found[0]["spec"]["selector"]["matchLabels"].items() <= found[0]["spec"]["template"]["metadata"]["labels"].items()
    assert found[2]["spec"]["egress"] == []


@pytest.mark.parametrize(
    "settings", [(), ("min_replicas=0", "max_replicas=5", "concurrency=8", "canary_percent=20", "mode=RawDeployment")]
)
def test_an_inference_service_fits_kserves_schema(
    wine: Path, capsys: pytest.CaptureFixture[str], settings: tuple[str, ...]
) -> None:
    schema = json.loads(Path(__file__).with_name("kserve.schema.json").read_text())
    (found,) = planned("kserve:/prod", capsys, *settings)
    jsonschema.validate(found, schema)
    predictor = dict(found["spec"]["predictor"])
    least, most = predictor.pop("minReplicas"), predictor.pop("maxReplicas")
    predictor.pop("containerConcurrency", None), predictor.pop("canaryTrafficPercent", None)
    kubernetes_validate.validate(
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": predictor}, "1.33", strict=True
    )
    assert (least, most) == ((0, 5) if settings else (1, 1))
    found["spec"]["predictor"]["containers"][0]["name"] = "wine"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(found, schema)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "image is needed"),
        ({"image": IMAGE, "replicas": "two"}, "replicas: a whole number from 1"),
        ({"image": IMAGE, "replicas": "0"}, "replicas: a whole number from 1"),
        ({"image": IMAGE, "memory": "lots"}, "memory: a quantity"),
        ({"image": IMAGE, "open": "maybe"}, "open: true or false"),
        ({"image": IMAGE, "replcas": "2"}, "no such key 'replcas'; did you mean 'replicas'?"),
    ],
)
def test_a_wrong_setting_is_named_and_nothing_is_asked(wine: Path, kubectl: Path, settings: dict[str, str], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        get_deploy_client("kubernetes").create_deployment("wine", "models:/wine/2", config=settings)
    assert said in caught.value.message
    assert not (kubectl / "calls.jsonl").exists()


def test_a_name_that_no_cluster_takes_is_refused(wine: Path, kubectl: Path) -> None:
    for name in ("Wine", "wine_1", "-wine", "w" * 64, ""):
        with pytest.raises(UsageError, match="Kubernetes takes"):
            get_deploy_client("kubernetes").create_deployment(name, "models:/wine/2", config={"image": IMAGE})


@pytest.mark.parametrize("target", ["kubernetes:/prod", "kserve:/prod"])
def test_create_update_predict_and_delete_are_applied_and_recorded(wine: Path, kubectl: Path, target: str) -> None:
    client = get_deploy_client(target)
    made = client.create_deployment("wine-prod", "models:/wine@old", config={"image": IMAGE})
    assert (made["name"], made["namespace"]) == ("wine-prod", "prod")
    (record,) = recorded(wine)
    assert (record.target, record.place, record.version, record.uri) == (target.split(":")[0], "prod", 1, "models:/wine@old")
    assert (record.image, record.state.value) == (IMAGE, "live")
    with pytest.raises(AlreadyExistsError, match="update"):
        client.create_deployment("wine-prod", "models:/wine/1", config={"image": IMAGE})
    client.update_deployment("wine-prod", "models:/wine/Production", config={"image": IMAGE})
    (record,) = recorded(wine)
    assert (record.version, record.digest) == (2, client.get_deployment("wine-prod")["digest"])
    assert [item["name"] for item in client.list_deployments()] == ["wine-prod"]
    if target.startswith("kubernetes"):
        assert client.predict("wine-prod", [1, 4]) == {"predictions": [2, 8]}
    client.delete_deployment("wine-prod")
    assert client.list_deployments() == []
    assert list(kubectl.glob("*.json")) == []
    assert [item.state.value for item in recorded(wine)] == ["deleted"]
    client.delete_deployment("wine-prod")  # nothing there: no error, and no commit
    assert git(wine, "log", "--format=%s", "-3").splitlines()[0].startswith("deployments: delete wine-prod at k")
    with pytest.raises(NotFoundError, match="create"):
        client.update_deployment("wine-prod", "models:/wine/1", config={"image": IMAGE})
    with pytest.raises(NotFoundError, match="not found"):
        client.get_deployment("wine-prod")


def test_what_the_cluster_refuses_is_told_and_not_recorded(wine: Path, kubectl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    client = get_deploy_client("kubernetes")
    monkeypatch.setenv("FAKE_DOWN", "1")
    with pytest.raises(
        StateError, match=r"kubectl get deployment -n default -l \S+ -o json: The connection .* was refused"
    ) as caught:
        client.create_deployment("wine", "models:/wine/2", config={"image": IMAGE})
    assert "memcache.go" not in str(caught.value)
    monkeypatch.delenv("FAKE_DOWN")
    monkeypatch.setenv("FAKE_NEVER_READY", "1")
    with pytest.raises(StateError, match="timed out"):
        client.create_deployment("wine", "models:/wine/2", config={"image": IMAGE})
    assert recorded(wine) == []
    client.update_deployment("wine", "models:/wine/2", config={"image": IMAGE, "wait": "false"})
    assert [item.state.value for item in recorded(wine)] == ["requested"]
    monkeypatch.setenv("PATH", str(kubectl))
    with pytest.raises(MissingPackageError, match="--dry-run"):
        client.list_deployments()


def test_an_order_that_is_interrupted_says_that_the_cluster_may_go_on(
    wine: Path, kubectl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_SLOW", "1")
    words = ["-t", "kubernetes:/prod", "--name", "wine", "-m", "models:/wine/2", "-C", f"image={IMAGE}"]
    order = subprocess.Popen(
        [sys.executable, "-m", "runfolio", "deployments", "create", *words], stderr=subprocess.PIPE, text=True, cwd=wine
    )
    calls, deadline = Path(os.environ["FAKE_KUBECTL"]) / "calls.jsonl", time.monotonic() + 120
    while not calls.exists() or '"rollout"' not in calls.read_text():
        assert order.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    order.send_signal(signal.SIGINT)
    said = order.communicate(timeout=60)[1]
    assert order.returncode == 130
    assert "create wine was not seen through, and is not recorded: kubernetes may go on with it" in said
    assert "runfolio deployments delete -t kubernetes:/prod --name wine" in said


def test_the_records_are_listed_and_a_dry_run_leaves_none(wine: Path, kubectl: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["deployments", "list"]) == 0
    assert "No deployment is recorded" in capsys.readouterr().err
    planned("kubernetes", capsys)
    assert recorded(wine) == []
    assert not (kubectl / "calls.jsonl").exists()
    command = ["deployments", "create", "-t", "kubernetes", "--name", "wine", "-m", "models:/wine/2", "-C", f"image={IMAGE}"]
    assert main(command) == 0
    capsys.readouterr()
    assert main(["deployments", "list", "--json"]) == 0
    (entry,) = json.loads(capsys.readouterr().out)
    assert (entry["model"], entry["version"], entry["target"], entry["user"]) == ("wine", 2, "kubernetes", "Ada")
    assert main(["deployments", "delete", "-t", "kubernetes", "--name", "wine", "--dry-run"]) == 0
    assert "selector: app.kubernetes.io/name=wine" in capsys.readouterr().out
    assert main(["deployments", "list"]) == 0
    assert "kubernetes (default)" in capsys.readouterr().out


def test_a_record_that_is_not_wanted_is_not_written_and_a_run_has_none(
    wine: Path, kubectl: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    client = get_deploy_client("kubernetes")
    client.create_deployment("one", "models:/wine/2", config={"image": IMAGE, "record": False})
    folio = open_folio(wine)
    run = folio.models.version(folio.models.find("wine"), 2).run_id
    folio.close()
    client.create_deployment("two", f"runs:/{run}/model", config={"image": IMAGE})
    assert recorded(wine) == []
    assert "is no registered version" in capsys.readouterr().err
