"""The scheduled job: runs of machines without git come in, and are pushed with the job's own token."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workflows.conftest import Team, team_at
from tests.workflows.host import host_at
from tests.workflows.runner import Run

WORKER = """
import runfolio, sys
runfolio.set_tracking_uri("spool:" + sys.argv[1])
runfolio.set_experiment("Wine")
with runfolio.start_run():
    runfolio.log_metric("accuracy", 0.8125)
    runfolio.log_text("of a worker", "notes.txt")
"""


@pytest.fixture(params=[[], ["--ledger", "runfolio/ledger"]], ids=["branch", "ledger"])
def shared(request: pytest.FixtureRequest, tmp_path: Path, pinned_git: Path) -> Iterator[Team]:
    """A folio whose artifacts lie in a folder that workers and the job share, with a worker's run in its inbox."""
    with host_at(tmp_path / "host") as host:
        team = team_at(tmp_path, host, "--artifacts", str(tmp_path / "store"), *request.param)
        inbox = tmp_path / "store" / "inbox" / "worker-1"
        inbox.parent.mkdir(parents=True)
        subprocess.run([sys.executable, "-c", WORKER, str(inbox)], env=team.env, cwd=tmp_path, check=True)
        yield team


def test_runs_in_the_inbox_are_taken_in_once_and_pushed(shared: Team) -> None:
    text = shared.workflow("collect")
    run = Run(shared.host, "schedule", {}, {"ref": "refs/heads/main"}).start(text)
    job = run.jobs["collect"]
    assert run.outcome == "success", job.text()
    assert "1 run taken in" in job.text() and "1 object" in job.text()
    assert "0 run records came, 1 went" in job.text()
    again = Run(shared.host, "schedule", {}, {"ref": "refs/heads/main"}).start(text)
    assert again.outcome == "success" and "0 runs taken in" in again.jobs["collect"].text()
    shared.runfolio("sync")
    assert "0.8125" in shared.runfolio("runs", "list")


def test_without_the_right_to_push_nothing_is_lost_and_the_words_say_so(shared: Team) -> None:
    text = shared.workflow("collect").replace("contents: write", "contents: read")
    run = Run(shared.host, "schedule", {}, {"ref": "refs/heads/main"}).start(text)
    assert run.outcome == "failure" and "did not take" in run.jobs["collect"].text()


REGISTERING = """
import runfolio
with runfolio.start_run() as run:
    runfolio.log_text("weights", "model/weights.txt")
runfolio.register_model(f"runs:/{run.info.run_id}/model", "wine")
"""


def test_a_model_whose_files_lie_in_the_clone_that_logged_it_does_not_make_the_job_red(team: Team) -> None:
    subprocess.run([sys.executable, "-c", REGISTERING], env=team.env, cwd=team.ada, check=True)
    team.push()
    run = Run(team.host, "schedule", {}, {"ref": "refs/heads/main"}).start(team.workflow("collect"))
    assert run.outcome == "success", run.jobs["collect"].text()
    assert "unused           0 objects" in run.jobs["collect"].text()
