"""A sweep as indexed Jobs, with a real S3 server as store: pods get its credentials from a secret alone, and their runs come back."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import runfolio
from runfolio.cli.main import main
from runfolio.errors import MissingPackageError, NotFoundError, UsageError
from runfolio.folio import initialise
from runfolio.objects.places import open_bucket
from runfolio.records import Run
from runfolio.records import sweeps as tags
from tests.objects import s3
from tests.sweeps.engines import fake_cluster
from tests.sweeps.engines.conftest import ROOT

pytest.importorskip("optuna", reason="NOT TESTED: the package optuna is not installed")
kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="NOT TESTED: kubernetes-validate is not installed")
pytestmark = pytest.mark.xdist_group("engines-s3")
SPACE = {"x": {"type": "float", "low": -1, "high": 1}}
OBJECTIVE = "tests.sweeps.engines.train:square"
IMAGE = f"registry.example.org/wine@sha256:{'1' * 64}"
Read = Callable[[str], list[Run]]


@pytest.fixture
def cluster(
    tmp_path: Path, repo_dir: Path, calls: Path, s3_endpoint: str, s3_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A kubectl on PATH, the current folder a folio whose store is a bucket; returns where the state of the cluster is."""
    state, folder = tmp_path / "cluster", tmp_path / "bin"
    state.mkdir()
    folder.mkdir()
    (folder / "kubectl").write_text(f'#!/bin/sh\nexec {sys.executable} {fake_cluster.__file__} "$@"\n')
    (folder / "kubectl").chmod(0o755)
    (state / "secret.s3-keys.json").write_text(json.dumps({"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET}))
    monkeypatch.setenv("FAKE_CLUSTER", str(state))
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    initialise(repo_dir, commit=True, artifacts=f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}").folio.close()
    monkeypatch.chdir(repo_dir)
    return state


@pytest.fixture
def folio_dir(repo_dir: Path) -> Path:
    """The folio that `cluster` makes."""
    return repo_dir


def config(calls: Path, **more: Any) -> dict[str, Any]:
    variables = {"env.CALLS": str(calls), "env.PYTHONPATH": str(ROOT), "env.RUNFOLIO_STORE_TIMEOUT": "5"}
    return {
        "poll": 0.1,
        "image": IMAGE,
        "secrets": "s3-keys",
        "program": f"{sys.executable} -m runfolio",
        "limit": 2,
        **variables,
        **more,
    }


def sweep(calls: Path, settings: dict[str, Any] | None = None, **more: Any) -> Any:
    said = {
        "trials": 5,
        "seed": 3,
        "sampler": "random",
        "engine": "kubernetes",
        "engine_config": settings or config(calls),
        **more,
    }
    return runfolio.sweep(OBJECTIVE, SPACE, **said)


def jobs(state: Path) -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(state.glob("job.*.json"))]


def test_pods_hand_their_runs_over_through_the_bucket(
    cluster: Path, calls: Path, trials: Read, s3_bucket: str, s3_endpoint: str
) -> None:
    (calls / "kill-3").touch()  # a pod that is killed is tried again by the cluster: the same plan, the same run
    found = sweep(calls)
    (job,) = jobs(cluster)
    assert job["status"]["completedIndexes"] == "0,1,2,3,4" and job["spec"]["parallelism"] == 2
    runs = trials(found.run_id)
    assert [tags.trial_number(run) for run in runs] == list(range(5))
    assert min(run.metrics["value"].last for run in runs) == found.best_value
    assert len((calls / "0003").read_text().split()) == 2 and tags.RETRY_TAG not in runs[3].tags
    place = open_bucket(f"s3://{s3_bucket}/wine?endpoint={s3_endpoint}")
    assert list(place.list("inbox/")) == []


def test_an_index_that_fails_for_good_is_lost_and_its_trial_is_run_again_by_the_sweep(
    cluster: Path, calls: Path, trials: Read
) -> None:
    (calls / "always-1").touch()
    found = sweep(calls, config(calls, retries=0), trials=2, attempts=2)
    runs = trials(found.run_id)
    assert [run.status.value for run in runs] == ["FINISHED", "FAILED"] and len(jobs(cluster)) == 2
    assert "its pods failed (kubectl logs" in runs[1].tags[tags.FAULT_TAG]


def test_pods_without_credentials_fail_and_no_trial_is_counted(cluster: Path, calls: Path, trials: Read) -> None:
    settings = config(calls, retries=0)
    del settings["secrets"]
    found = sweep(calls, settings, trials=1, attempts=1)
    assert [run.status.value for run in trials(found.run_id)] == ["FAILED"] and not (calls / "0000").exists()


def test_what_the_cluster_refuses_is_told_in_its_words(cluster: Path, calls: Path) -> None:
    with pytest.raises(NotFoundError, match=r'Error from server \(NotFound\): namespaces "ml" not found'):
        sweep(calls, config(calls, namespace="ml"), trials=1)


def test_without_kubectl_the_dry_run_is_named(cluster: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bare = cluster.parent / "bare"
    bare.mkdir()
    (bare / "git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(bare))
    with pytest.raises(MissingPackageError, match="--dry-run"):
        sweep(calls)


def test_a_dry_run_prints_the_manifest_and_does_nothing(cluster: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("sweep.yaml").write_text(
        "command: python train.py --x={x}\nspace: {x: {type: float, low: 0, high: 1}}\nmetrics: {loss: minimize}\ntrials: 250\n"
        f"engine: kubernetes\nengine_config:\n  image: {IMAGE}\n  round: 40\n"
    )
    assert main(["sweep", "sweep.yaml", "-C", "limit=8", "--dry-run"]) == 0
    made = yaml.safe_load(capsys.readouterr().out)
    kubernetes_validate.validate(made, "1.33", strict=True)
    assert (made["spec"]["completions"], made["spec"]["parallelism"]) == (40, 8)
    assert jobs(cluster) == [] and runfolio.search_runs(output_format="list") == []


def test_a_missing_image_is_named_before_anything_is_recorded(cluster: Path, calls: Path) -> None:
    with pytest.raises(UsageError, match="image is needed"):
        sweep(calls, {"poll": 0.1})
    assert runfolio.search_runs(output_format="list") == []
