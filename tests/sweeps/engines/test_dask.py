"""A sweep on a real Dask scheduler with worker processes that have no git: killed workers and a killed sweep lose and double nothing."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from runfolio.folio import open_folio
from runfolio.query import parse_filter
from runfolio.records import Run
from runfolio.records import sweeps as tags
from tests.sweeps.engines.clusters import DaskProcesses, dask_processes, sweep_process

pytest.importorskip("distributed", reason="NOT TESTED: the package distributed is not installed")
pytest.importorskip("optuna", reason="NOT TESTED: the package optuna is not installed")
pytestmark = [pytest.mark.xdist_group("dask"), pytest.mark.frameworks]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DaskProcesses]:
    with dask_processes(tmp_path_factory.mktemp("dask")) as made:
        yield made


def trials_of(folder: Path, sweep: str) -> list[Run]:
    with closing(open_folio(folder)) as folio:
        found = folio.runs.search(parse_filter(f"tags.`mlflow.parentRunId` = '{sweep}'"))
        for run in found:
            entry = folio.runs.artifacts(run).get("weights.txt")
            if entry is not None:
                assert folio.store.read(entry.digest) == f"weights of {tags.trial_number(run)}".encode()
        return found


def test_killed_workers_and_a_killed_sweep_leave_every_trial_there_once(
    folio_dir: Path, tmp_path: Path, cluster: DaskProcesses
) -> None:
    facts = tmp_path / "facts.json"
    said = {"kill_worker": [3, 17], "kill_parent": 25, "trials": 40, "folder": str(tmp_path)}
    facts.write_text(json.dumps({**said, "engine": {"engine": "dask", "address": cluster.address}}))
    before = cluster.deaths
    first = sweep_process(folio_dir, facts, tmp_path / "search.py")
    assert first.returncode == -signal.SIGKILL, first.stderr
    second = sweep_process(folio_dir, facts, tmp_path / "search.py")
    assert second.returncode == 0, second.stderr
    answer = json.loads(second.stdout)
    assert answer["trials"] == 40 and cluster.deaths - before == 2
    runs = trials_of(folio_dir, answer["sweep"])
    assert sorted(tags.trial_number(run) for run in runs) == list(range(40))
    assert {run.status.value for run in runs} == {"FINISHED"}
    assert min(run.metrics["value"].last for run in runs) == answer["best"]
    assert all("weights.txt" in run.artifacts for run in runs)
