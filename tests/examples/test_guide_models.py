"""The guide's examples of models run with the import changed, one after the other, in one folio: sweep, registry, serving, image, clouds."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import GIT_CONFIG, LEFT_OUT

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ACCOUNT = "123456789012"


def run(folder: Path, *command: str | Path, **env: str) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(LEFT_OUT)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    given = {**clean, "GIT_CONFIG_GLOBAL": str(folder.parent / "gitconfig"), "GIT_CONFIG_NOSYSTEM": "1", "PATH": path, **env}
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False, env=given)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


def listed(folder: Path, *command: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(run(folder, sys.executable, "-m", "runfolio", *command, "--json"))
    return found


@pytest.fixture
def folio(tmp_path: Path) -> Path:
    """A folio in which the guide's sweep and registry example were run."""
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder.parent / "gitconfig").write_text(GIT_CONFIG)
    run(folder, "git", "init", "-q")
    run(folder, sys.executable, "-m", "runfolio", "init")
    said = run(folder, sys.executable, EXAMPLES / "tracking_example.py")
    assert said.count("Run completed: accuracy=") == 5
    (folder / "said.txt").write_text(run(folder, sys.executable, EXAMPLES / "registry_example.py"))
    return folder


def sweep_made_five_runs_and_five_versions(folio: Path) -> None:
    runs = listed(folio, "runs", "list")
    assert (len(runs), {entry["experiment"] for entry in runs}) == (5, {"wine-classification"})
    versions = listed(folio, "models", "versions", "wine-classifier")
    assert [entry["version"] for entry in versions] == [6, 5, 4, 3, 2, 1]


def registry_example_registered_staged_described_tagged_listed_and_loaded(folio: Path) -> None:
    said = (folio / "said.txt").read_text()
    assert "Registered version: 6" in said
    assert "6 Staging Wine classifier with 94.4% accuracy" in said
    assert "Production says [0], version 2 says [0]" in said
    newest = listed(folio, "models", "list-versions", "-m", "wine-classifier")[0]
    assert newest["tags"] == {"reviewed_by": "ml-lead@company.com"}


def serving_answers_the_guides_curl(folio: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("NOT TESTED beyond the registry: curl is not installed (Debian: apt-get install curl)")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    said = run(folio, EXAMPLES / "serve.sh", PORT=str(port), DRY_RUN="1")
    assert json.loads(said.splitlines()[0]) == {"predictions": [0, 1]}
    assert "docker build -t wine-classifier-serving:v1.0" in said


def deployment_to_sagemaker_runs_against_moto(folio: Path) -> None:
    pytest.importorskip("flask", reason="NOT TESTED: moto's server is not installed (pip install 'moto[server]')")
    from tests.deployments.aws import running

    with running() as server:
        ecr = server.client("ecr")
        ecr.create_repository(repositoryName="wine-classifier")
        kind = "application/vnd.docker.distribution.manifest.v2+json"
        manifest = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": kind, "size": 7, "digest": f"sha256:{'1' * 64}"},
        }
        ecr.put_image(
            repositoryName="wine-classifier", imageManifest=json.dumps(manifest), imageManifestMediaType=kind, imageTag="1"
        )
        env = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_ENDPOINT_URL": server.url}
        run(folio, sys.executable, EXAMPLES / "deploy_sagemaker.py", **env)
        # Others of this process may have deployed to the same stand-in.
        assert "wine-classifier-prod" in [
            item["EndpointName"] for item in server.client("sagemaker").list_endpoints()["Endpoints"]
        ]
    (entry,) = [entry for entry in listed(folio, "deployments", "list") if entry["target"] == "sagemaker"]
    assert (entry["name"], entry["version"], entry["state"]) == ("wine-classifier-prod", 1, "live")


def deployment_to_azure_runs_against_a_stand_in(folio: Path) -> None:
    workspace = {"subscription_id": "sub", "resource_group": "group", "workspace_name": "space"}
    (folio / "config.json").write_text(json.dumps(workspace))
    run(folio, sys.executable, EXAMPLES / "deploy_azure.py", PYTHONPATH=str(ROOT / "tests" / "deployments" / "azure_fake"))
    (entry,) = [entry for entry in listed(folio, "deployments", "list") if entry["target"] == "azureml"]
    assert (entry["name"], entry["version"], entry["place"]) == ("wine-classifier-aci", 1, "space")


def test_the_guides_models_from_sweep_to_clouds(folio: Path) -> None:
    # One test: tests are spread over processes, and each would train the forests again.
    sweep_made_five_runs_and_five_versions(folio)
    registry_example_registered_staged_described_tagged_listed_and_loaded(folio)
    deployment_to_azure_runs_against_a_stand_in(folio)
    deployment_to_sagemaker_runs_against_moto(folio)
    serving_answers_the_guides_curl(folio)
