"""``runfolio init --ci`` and ``runfolio ci write``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Command
from tests.conftest import git


def test_init_writes_workflows_that_fit_the_folio_and_again_changes_nothing(run_cli: Command, folio_dir: Path) -> None:
    done = run_cli("init", "--ci", "github", "--ci", "gitlab")
    assert done.code == 0 and "wrote .github/workflows/runfolio-report.yml" in done.out, done.err
    assert "include: {local: .gitlab/runfolio.yml}" in done.err
    again = run_cli("init", "--ci", "github")
    assert again.code == 0 and "wrote" not in again.out and "is up to date" in again.out
    assert git(folio_dir, "status", "--porcelain", "-uall").split() == [
        word
        for path in (
            ".github/workflows/runfolio-collect.yml", ".github/workflows/runfolio-publish.yml",
            ".github/workflows/runfolio-report-forks.yml", ".github/workflows/runfolio-report.yml", ".gitlab/runfolio.yml",
        )
        for word in ("??", path)
    ]  # fmt: skip


def test_the_facts_of_the_folio_are_in_the_workflows(run_cli: Command, folio_dir: Path) -> None:
    (folio_dir / "runfolio.yaml").write_text("schema: 1\nartifacts: s3://lab/objects\nrecords:\n  branch: runfolio/ledger\n")
    assert run_cli("ci", "write", "github", "--branch", "trunk").code == 0
    publish = (folio_dir / ".github" / "workflows" / "runfolio-publish.yml").read_text()
    assert 'branches: ["trunk"]' in publish and "runfolio[s3,site]==" in publish and "aws-actions" in publish
    assert 'cron: "17 * * * *"' in publish


def test_what_a_person_changed_stays_and_the_difference_is_shown(run_cli: Command, folio_dir: Path) -> None:
    run_cli("ci", "write", "github")
    file = folio_dir / ".github" / "workflows" / "runfolio-report.yml"
    file.write_text(file.read_text() + "# mine\n")
    done = run_cli("ci", "write", "github")
    assert done.code == 0 and "left alone: .github/workflows/runfolio-report.yml" in done.out and "-# mine" in done.err
    shown = run_cli("ci", "write", "github", "--dry-run")
    assert shown.code == 1 and "-# mine" in shown.out and file.read_text().endswith("# mine\n")
    assert "overwrote" in run_cli("ci", "write", "github", "--force").out and "# mine" not in file.read_text()
    assert run_cli("ci", "write", "github", "--dry-run").code == 0


def test_outside_of_a_job_a_pull_request_is_asked_for_in_vain(run_cli: Command, folio_dir: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(folio_dir), "remote.git")
    git(folio_dir, "remote", "add", "origin", str(tmp_path / "remote.git"))
    assert run_cli("ci", "fetch").code == 0
    done = run_cli("ci", "fetch", "--pull-request")
    assert done.code == 11 and "about no pull request" in done.err
    assert run_cli("ci", "fetch", "--remote", "elsewhere").code == 19


def test_the_commands_that_are_said_next_work_where_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = tmp_path / "repo"
    within = repo / "ml" / "x"
    within.mkdir(parents=True)
    git(repo, "init", "-q", "-b", "main")
    for where, args in (
        (within, ["init"]),
        (within, ["ci", "write", "github"]),
        (tmp_path, ["-C", str(within), "ci", "write", "gitlab"]),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "runfolio", *args], cwd=where, capture_output=True, text=True, encoding="utf-8", check=True
        )
        (said,) = (line for line in done.stderr.splitlines() if line.startswith("Next: "))
        subprocess.run(said.removeprefix("Next: "), shell=True, cwd=where, check=True, capture_output=True)
        assert git(repo, "status", "--porcelain") == ""
