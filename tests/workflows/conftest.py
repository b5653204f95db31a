"""A git host with a folio on it, whose CI was written by ``runfolio init --ci``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import git
from tests.site.conftest import open_page, serve  # noqa: F401
from tests.workflows.host import Host, host_at, identity, log_runs
from tests.workflows.runner import Run


@dataclass
class Team:
    """The host, Ada's clone, and how she works."""

    host: Host
    ada: Path
    env: dict[str, str]

    def runfolio(self, *args: str, folder: Path | None = None) -> str:
        command = [sys.executable, "-c", "import sys; from runfolio.cli.main import main; sys.exit(main())", *args]
        done = subprocess.run(command, cwd=folder or self.ada, env=self.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def git(self, *args: str, folder: Path | None = None) -> str:
        done = subprocess.run(["git", *args], cwd=folder or self.ada, env=self.env, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-qm", message)

    def log(self, *accuracies: float, folder: Path | None = None, **params: str) -> None:
        log_runs(folder or self.ada, list(accuracies), self.env, **params)

    def push(self) -> dict[str, str]:
        """Push main; return what GitHub tells a workflow of it."""
        self.git("push", "-q", "origin", "main")
        return {"ref": "refs/heads/main", "sha": self.git("rev-parse", "HEAD"), "ref_name": "main"}

    def on_push(self, workflow: str) -> Run:
        """Push main, and run a workflow for it as main has it."""
        github = self.push()
        return Run(self.host, "push", {}, github).start(self.workflow(workflow))

    def workflow(self, name: str, rev: str = "main") -> str:
        """A workflow as a revision on the host has it."""
        return git(self.host.bare, "show", f"{rev}:.github/workflows/runfolio-{name}.yml")

    def on_pull(self, payload: Mapping[str, Any]) -> Run:
        """Run the report for a pull request, as its own head has it: GitHub takes the workflow from the merge of both."""
        pull = payload["pull_request"]
        github = {
            "ref": f"refs/pull/{pull['number']}/merge", "sha": pull["head"]["sha"], "base_ref": pull["base"]["ref"],
            "head_ref": pull["head"]["ref"],
        }  # fmt: skip
        return Run(self.host, "pull_request", payload, github).start(self.workflow("report", pull["head"]["sha"]))

    def after(self, run: Run, workflow: str) -> Run:
        """Run a workflow that follows another, as main has it, with main's rights."""
        pull = run.payload["pull_request"]
        of = {
            "name": "runfolio report", "event": "pull_request", "conclusion": run.outcome, "head_sha": pull["head"]["sha"],
            "head_branch": pull["head"]["ref"], "head_repository": {"full_name": pull["head"]["repo"]["full_name"]}, "pull_requests": [],
        }  # fmt: skip
        github = {"ref": "refs/heads/main", "sha": self.host.resolve("main")}
        return Run(self.host, "workflow_run", {"action": "completed", "workflow_run": of}, github).start(self.workflow(workflow))


def team_at(folder: Path, host: Host, *init: str, within: str = "") -> Team:
    """Ada makes a folio with its CI and pushes it."""
    team = Team(host, folder / "host" / "ada", identity(folder))
    team.git("clone", "-q", str(host.bare), str(team.ada), folder=folder)
    home = team.ada / within
    home.mkdir(exist_ok=True, parents=True)
    (team.ada / "train.py").write_text("print('training')\n")
    team.commit("code")
    team.runfolio("init", *init, "--no-commit", folder=home)
    (home / "runfolio.yaml").write_text(
        (home / "runfolio.yaml").read_text() + "objectives:\n  Wine:\n    metric: accuracy\n    direction: max\n"
    )
    team.runfolio("ci", "write", "github", "gitlab", "forgejo", "--branch", "main", folder=home)
    team.commit("folio")
    team.push()
    return team


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A team's repository and clone, as every test of a plain folio begins with."""
    folder = tmp_path_factory.mktemp("team")
    with host_at(folder / "host") as host:
        team_at(folder, host)
    return folder


@pytest.fixture
def team(tmp_path: Path, made_once: Path, pinned_git: Path) -> Iterator[Team]:
    with host_at(tmp_path / "host") as host:
        shutil.rmtree(host.bare)
        shutil.copytree(made_once / "host" / "git" / "team" / "wine.git", host.bare)
        shutil.copytree(made_once / "host" / "ada", tmp_path / "host" / "ada", symlinks=True)
        made = Team(host, tmp_path / "host" / "ada", identity(tmp_path))
        made.git("remote", "set-url", "origin", str(host.bare))
        yield made
