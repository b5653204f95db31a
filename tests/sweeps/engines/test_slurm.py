"""A sweep as job arrays: the script is submitted to programs that do what Slurm's do, its tasks run, and their runs come back."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import runfolio
from runfolio.cli.main import main
from runfolio.errors import MissingPackageError, StateError, UsageError
from runfolio.folio import open_folio
from runfolio.folio.mailboxes import PREFIX
from runfolio.records import Run
from runfolio.records import sweeps as tags
from runfolio.sweeps.engines import batch, kubernetes_job, slurm_script
from tests.docs.pages import DOCS, fenced
from tests.sweeps.engines import fake_slurm

pytest.importorskip("optuna", reason="NOT TESTED: the package optuna is not installed")
SPACE = {"x": {"type": "float", "low": -1, "high": 1}}
OBJECTIVE = "tests.sweeps.engines.train:square"
Read = Callable[[str], list[Run]]


@pytest.fixture
def slurm(folio_dir: Path, tmp_path: Path, calls: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A login node: Slurm's programs on PATH, the current folder a folio; returns where the state of jobs is."""
    state = tmp_path / "slurm"
    state.mkdir()
    fake_slurm.install(tmp_path / "bin")
    monkeypatch.setenv("FAKE_SLURM", str(state))
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(folio_dir)
    return state


def config(**more: Any) -> dict[str, Any]:
    # The nodes have no git: neither program nor repository is needed there.
    return {"poll": 0.1, "program": f"{sys.executable} -m runfolio", "limit": 2, "setup": "unset GIT_CONFIG_GLOBAL", **more}


def sweep(**more: Any) -> Any:
    said = {"trials": 5, "seed": 3, "sampler": "random", "engine": "slurm", "engine_config": config(), **more}
    return runfolio.sweep(OBJECTIVE, SPACE, **said)


def jobs(state: Path) -> list[dict[str, Any]]:
    """Return the jobs; a task whose runs are here already may need a moment to end."""
    until = time.monotonic() + 60
    while True:
        found = [json.loads(file.read_text()) for file in sorted(state.glob("*.json"))]
        if not any("RUNNING" in job["tasks"].values() for job in found) or time.monotonic() > until:
            return found
        time.sleep(0.05)


def test_a_round_is_a_job_array_whose_runs_come_back_through_the_inbox(slurm: Path, folio_dir: Path, trials: Read) -> None:
    found = sweep()
    (job,) = jobs(slurm)
    assert set(job["tasks"].values()) == {"COMPLETED"} and len(job["tasks"]) == 5 and job["most"] == 2
    assert job["options"]["chdir"] == str(folio_dir)
    runs = trials(found.run_id)
    assert [tags.trial_number(run) for run in runs] == list(range(5))
    assert min(run.metrics["value"].last for run in runs) == found.best_value
    with closing(open_folio(folio_dir)) as folio:
        itself = folio.runs.get(found.run_id)
    assert all((run.code, run.entry, run.user) == (itself.code, itself.entry, itself.user) for run in runs)
    assert not list((folio_dir / ".git/runfolio/objects" / PREFIX).glob("*/journal/*"))
    log = next((folio_dir / ".git/runfolio/slurm").glob("*/0.log")).read_text()
    assert f"trial 0 ({runs[0].run_id}) complete" in log


def test_a_sampler_that_learns_is_told_a_round_before_the_next_is_drawn(slurm: Path, trials: Read) -> None:
    found = sweep(trials=7, sampler="tpe", engine_config=config(round=3, per_task=2))
    assert [len(job["tasks"]) for job in jobs(slurm)] == [2, 2, 1]
    assert [tags.trial_number(run) for run in trials(found.run_id)] == list(range(7))


@pytest.mark.parametrize("accounting", [True, False])
def test_a_task_that_is_killed_is_lost_and_its_trial_is_run_again(
    slurm: Path, calls: Path, trials: Read, accounting: bool
) -> None:
    if not accounting:
        (slurm / "no-accounting").touch()
    (calls / "kill-2").touch()
    found = sweep()
    runs = trials(found.run_id)
    assert [tags.trial_number(run) for run in runs] == list(range(5)) and len(jobs(slurm)) == 2
    assert runs[2].tags[tags.RETRY_TAG] != runs[2].run_id
    assert len((calls / "0002").read_text().split()) == 2


def test_a_trial_that_kills_every_task_is_a_failed_run_that_says_so(slurm: Path, calls: Path, trials: Read) -> None:
    (calls / "always-1").touch()
    found = sweep(trials=3, attempts=2)
    runs = trials(found.run_id)
    assert [run.status.value for run in runs] == ["FINISHED", "FAILED", "FINISHED"]
    assert "its task is FAILED in Slurm" in runs[1].tags[tags.FAULT_TAG] and "2 times in a row" in runs[1].tags[tags.FAULT_TAG]


def test_a_sweep_that_was_killed_waits_for_its_job_and_repeats_nothing(
    slurm: Path, folio_dir: Path, calls: Path, trials: Read
) -> None:
    script = folio_dir.parent / "search.py"
    script.write_text(
        "import json, os, sys, runfolio\n"
        f"found = runfolio.sweep({OBJECTIVE!r}, {SPACE!r}, name='far', trials=6, seed=3, sampler='random', resume=True,\n"
        "    engine='slurm', engine_config=json.loads(sys.argv[1]))\n"
        "print(json.dumps([found.run_id, len(found.trials)]))\n"
    )
    # The first task kills the process of the sweep, whose other tasks are in the queue then.
    kill = f"test -e {calls}/killed || {{ touch {calls}/killed; kill -9 $(cat {calls}/parent); }}"
    said = [sys.executable, str(script), json.dumps(config(limit=1, setup=["unset GIT_CONFIG_GLOBAL", kill]))]
    with subprocess.Popen(said, cwd=folio_dir) as first:
        (calls / "parent").write_text(str(first.pid))
    assert first.returncode == -signal.SIGKILL
    done = subprocess.run(said, cwd=folio_dir, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    sweep_id, count = json.loads(done.stdout)
    assert count == 6
    assert [tags.trial_number(run) for run in trials(sweep_id)] == list(range(6))
    assert all(len((calls / f"{number:04d}").read_text().split()) == 1 for number in range(6)), "no trial was run twice"


def test_what_slurm_refuses_is_told_in_its_words(slurm: Path) -> None:
    with pytest.raises(StateError, match="sbatch: error: invalid partition specified: gpu"):
        sweep(engine_config=config(partition="gpu"))


def test_settings_are_checked_before_anything_is_recorded(slurm: Path, folio_dir: Path) -> None:
    with pytest.raises(UsageError, match="no such key 'partitoin'"):
        sweep(engine_config=config(partitoin="gpu"))
    with pytest.raises(UsageError, match="poll: seconds are expected"):
        sweep(engine_config=config(poll="soon"))
    assert runfolio.search_runs(output_format="list") == []


def test_without_slurm_the_dry_run_is_named(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folio_dir)
    (folio_dir.parent / "bare").mkdir()
    (folio_dir.parent / "bare/git").symlink_to(str(shutil.which("git")))
    monkeypatch.setenv("PATH", str(folio_dir.parent / "bare"))
    with pytest.raises(MissingPackageError, match="sbatch is not on PATH"):
        sweep()


def test_the_page_names_each_setting_and_its_example_is_submitted(slurm: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = (DOCS / "how-to/cluster-sweeps.md").read_text("utf-8")
    for keys in (slurm_script.KEYS, kubernetes_job.KEYS, batch.KEYS):
        assert [key for key in keys if f"`{key.rstrip('.')}" not in page] == []
    (example,) = [text for language, text in fenced("how-to/cluster-sweeps.md") if language == "yaml"]
    Path("sweep.yaml").write_text(example)
    assert main(["sweep", "sweep.yaml", "--jobs", "20", "--dry-run"]) == 0
    script = capsys.readouterr().out
    assert (
        "#SBATCH --array=0-99%20\n" in script
        and "#SBATCH --gpus=1\n" in script
        and "\nsource ~/envs/wine/bin/activate\n" in script
    )
    assert jobs(slurm) == []
