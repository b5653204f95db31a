"""The workflow that trains: real git, a host on loopback, up to the pull request; what is live changes by its merge alone."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from runfolio.hosts.webhook import is_genuine
from tests.conftest import git
from tests.workflows.conftest import Team, team_at
from tests.workflows.host import host_at
from tests.workflows.runner import Run

SCRIPT = """\
import os
import runfolio

runfolio.set_experiment("Wine")
with runfolio.start_run():
    runfolio.log_metric("accuracy", 0.9375)
    runfolio.log_text("weights", "model/weights.txt")
print("token in the environment:", [name for name in os.environ if "TOKEN" in name])
"""
SETTINGS = f"training:\n  command: {sys.executable} train.py\n  model: wine\n  stage: Production\n  schedule: '0 3 * * 1'\n"
POLICY = "schema: 1\npromotions:\n  - to: Production\n    require:\n      - {where: metrics.accuracy >= 0.99, id: good-enough}\n"


def trains(team: Team, script: str = SCRIPT, **files: str) -> Team:
    """Let the team train in CI, and push that."""
    (team.ada / "train.py").write_text(script)
    settings = team.ada / "runfolio.yaml"
    settings.write_text(settings.read_text() + SETTINGS)
    for name, text in files.items():
        (team.ada / f"{name}.yaml").write_text(text)
    team.runfolio("ci", "write", "github", "--branch", "main")
    team.commit("train in CI")
    team.push()
    return team


def trained(team: Team, event: str = "workflow_dispatch") -> Run:
    return Run(team.host, event, {}, {"ref": "refs/heads/main", "sha": team.host.resolve("main")}).start(team.workflow("train"))


def on_host(team: Team, rev: str, path: str) -> str:
    return git(team.host.bare, "show", f"{rev}:{path}")


@pytest.fixture
def ledger(tmp_path: Path, pinned_git: Path) -> Iterator[Team]:
    with host_at(tmp_path / "host") as host:
        yield team_at(tmp_path, host, "--ledger", "runfolio/ledger")


def test_a_training_registers_and_opens_the_pull_request_and_nothing_is_live_before_its_merge(team: Team) -> None:
    trains(team)
    main = team.host.resolve("main")
    run = trained(team)
    job = run.jobs["train"]
    assert run.outcome == "success", job.text()
    assert run.jobs["notify"].outcome == "skipped"
    pull = team.host.api.pulls[-1]
    branch = f"runfolio/train-{run.number}"
    assert (pull.title, pull.base, pull.branch) == ("Promote wine 1 to Production", "main", branch)
    assert f"{team.host.server.url}/team/wine/actions/runs/{run.number}" in pull.body
    assert "0.9375" in pull.body
    # The branch that is merged into is as it was.
    assert team.host.resolve("main") == main
    with pytest.raises(Exception, match="exit status 128"):
        on_host(team, "main", "models/wine/model.yaml")
    assert "Production: 1" in on_host(team, branch, "models/wine/model.yaml")
    assert "runs/wine/" in git(team.host.bare, "diff", "--name-only", "main", branch)
    # The report is written on it, since no workflow starts for it.
    assert any("wine" in remark.body for remark in team.host.api.remarks if team.host.api.threads[remark.id] == pull.number)
    assert "Production" in job.summary
    # Merged, it is live.
    team.git("fetch", "-q", "origin")
    team.git("merge", "-q", f"origin/{branch}")
    team.push()
    assert "1  Production" in " ".join(team.runfolio("models", "list").split()) or "Production" in team.runfolio("models", "list")


class _Receiver(BaseHTTPRequestHandler):
    """A chat service that keeps what it is told."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((dict(self.headers), body))  # type: ignore[attr-defined]
        self.send_response(204)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


def test_a_job_of_its_own_tells_the_team_and_only_that_job_has_the_secret(team: Team) -> None:
    trains(team)
    with HTTPServer(("127.0.0.1", 0), _Receiver) as server:
        server.told = []  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        team.host.variables["RUNFOLIO_NOTIFY"] = "true"
        address = f"http://127.0.0.1:{server.server_port}/hook"
        team.host.secrets.update(RUNFOLIO_WEBHOOK=address, RUNFOLIO_WEBHOOK_SECRET="s3cret")
        run = trained(team)
        server.shutdown()
        assert run.outcome == "success", run.jobs["notify"].text()
        ((headers, body),) = server.told  # type: ignore[attr-defined]
    said = json.loads(body)
    assert said["event"] == "training"
    assert said["text"].startswith("Trained wine 1 (1 run). It waits for review. http")
    assert said["data"]["link"].endswith(f"/{team.host.api.pulls[-1].number}")
    assert is_genuine(headers, body, "s3cret")
    assert address not in run.jobs["train"].text() and "s3cret" not in run.jobs["train"].text()
    assert run.jobs["notify"].rights == {}


def test_the_step_that_runs_the_teams_code_has_no_token(team: Team) -> None:
    job = trained(trains(team)).jobs["train"]
    assert "token in the environment: []" in job.text()
    assert job.token not in job.text()


def test_a_gate_that_fails_leaves_the_stage_alone_and_the_pull_request_says_why(team: Team) -> None:
    trains(team, policy=POLICY)
    run = trained(team)
    job = run.jobs["train"]
    assert run.outcome == "success", job.text()
    pull = team.host.api.pulls[-1]
    assert pull.title == "Training: wine 1, not promoted"
    assert "good-enough" in pull.body
    assert "Production" not in on_host(team, pull.branch, "models/wine/model.yaml")
    assert "It is not proposed: good-enough failed." in job.outputs["text"]


def test_with_a_ledger_the_runs_go_there_and_the_promotion_is_a_pull_request_to_it(ledger: Team) -> None:
    trains(ledger)
    main = ledger.host.resolve("main")
    run = trained(ledger)
    assert run.outcome == "success", run.jobs["train"].text()
    pull = ledger.host.api.pulls[-1]
    assert (pull.base, pull.branch) == ("runfolio/ledger", "promote/wine-1-production")
    assert ledger.host.resolve("main") == main
    assert "Production" not in on_host(ledger, "runfolio/ledger", "models/wine/model.yaml")
    assert "Production" in on_host(ledger, pull.branch, "models/wine/model.yaml")
    assert "0.9375" in git(ledger.host.bare, "grep", "-h", "accuracy", "runfolio/ledger", "--", "runs")


def test_a_training_that_fails_fails_the_job_and_pushes_nothing(team: Team) -> None:
    trains(team, "raise SystemExit('no data')\n")
    before = git(team.host.bare, "for-each-ref")
    run = trained(team)
    assert run.outcome == "failure"
    assert "the training failed with exit status 1" in run.jobs["train"].text()
    assert git(team.host.bare, "for-each-ref") == before
    assert len(team.host.api.pulls) == 1


def test_a_training_without_a_model_to_register_says_what_is_missing(team: Team) -> None:
    trains(
        team,
        "import runfolio\nrunfolio.set_experiment('Wine')\nwith runfolio.start_run():\n    runfolio.log_metric('accuracy', 1)\n",
    )
    run = trained(team)
    assert run.outcome == "failure"
    assert "none that finished has the artifact 'model'" in run.jobs["train"].text()


def test_a_command_that_logs_nothing_is_told_how_to_be_recorded(team: Team) -> None:
    trains(team, "print('trained')\n")
    run = trained(team)
    assert run.outcome == "failure"
    assert "made no run" in run.jobs["train"].text()
    assert "training.command: runfolio record -- " in run.jobs["train"].text()


def test_without_the_right_to_push_the_words_say_so(team: Team) -> None:
    trains(team)
    text = team.workflow("train").replace("contents: write", "contents: read")
    run = Run(team.host, "workflow_dispatch", {}, {"ref": "refs/heads/main", "sha": team.host.resolve("main")}).start(text)
    assert run.outcome == "failure"
    assert len(team.host.api.pulls) == 1


def test_merges_and_the_clock_start_it_and_a_pull_request_never_does(team: Team) -> None:
    trains(team)
    text = team.workflow("train")
    assert "paths-ignore" in text
    assert "runs/**" in text
    pull = {"number": 7, "head": {"repo": {"full_name": "eve/wine"}}}
    assert Run(team.host, "pull_request", {"pull_request": pull}, {"base_ref": "main"}).start(text).jobs == {}
    assert set(trained(team, "schedule").jobs) == {"train", "notify"}


def test_a_pipeline_is_trained_as_any_command(team: Team) -> None:
    (team.ada / "pipeline.yaml").write_text(
        "steps:\n  - {name: train, command: PYTHON train.py, environment: none}\n".replace("PYTHON", sys.executable)
    )
    trains(team, SCRIPT.replace('runfolio.set_experiment("Wine")\n', ""))
    settings = team.ada / "runfolio.yaml"
    settings.write_text(settings.read_text().replace(f"{sys.executable} train.py", "runfolio pipeline run"))
    team.commit("a pipeline")
    team.push()
    run = trained(team)
    assert run.outcome == "success", run.jobs["train"].text()
    assert "Production: 1" in on_host(team, f"runfolio/train-{run.number}", "models/wine/model.yaml")


def test_what_cannot_be_trained_is_said_by_the_settings_file(team: Team) -> None:
    trains(team)
    settings = team.ada / "runfolio.yaml"
    before = settings.read_text()
    for command, said in (("''", "training.command is empty"), ("'python train.py > log'", "without a shell")):
        settings.write_text(before.replace(f"command: {sys.executable} train.py", f"command: {command}"))
        program = "import sys; from runfolio.cli.main import main; sys.exit(main())"
        import subprocess

        done = subprocess.run(
            [sys.executable, "-c", program, "ci", "train"],
            cwd=team.ada,
            env=team.env,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert said in done.stderr
