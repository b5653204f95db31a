"""Projects in folders and in real git repositories, run in a folio."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from runfolio.folio.opening import open_folio
from runfolio.records import Run
from tests.conftest import git
from tests.environments.conftest import offline, wheels

__all__ = ["offline", "wheels"]

LOGGING = """\
import sys, runfolio
with runfolio.start_run():
    runfolio.log_metric("count", len(sys.argv) - 1)
    print("arguments", sys.argv[1:])
"""
MLPROJECT = """\
name: wine
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      name: string
    command: "python train.py {alpha} {name}"
  fail:
    command: "echo before; exit 7"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project's folder that is no repository."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").write_text(MLPROJECT)
    (folder / "train.py").write_text(LOGGING)
    return folder


@pytest.fixture
def project_repo(project: Path, pinned_git: Path) -> Path:
    """The project as a git repository: main with a tag ``v1``, a branch ``side`` on which the command is another."""
    git(project, "init", "-q")
    git(project, "add", ".")
    git(project, "commit", "-qm", "first")
    git(project, "tag", "v1")
    git(project, "checkout", "-qb", "side")
    (project / "train.py").write_text(LOGGING + "print('side')\n")
    git(project, "commit", "-qam", "on the side")
    git(project, "checkout", "-q", "main")
    return project


@dataclass(frozen=True)
class Done:
    """How ``runfolio run`` ended, and the newest run of the folio."""

    code: int
    out: str
    err: str


RunProject = Callable[..., Done]


@pytest.fixture
def in_folio(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(folio_dir)
    return folio_dir


@pytest.fixture
def run_project(in_folio: Path) -> RunProject:
    """``runfolio run`` in a process of its own, inside the folio."""

    def call(*args: object, **env: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "runfolio", "run", *map(str, args)],
            cwd=in_folio, capture_output=True, text=True, env={**os.environ, **env}, check=False, timeout=120, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    return call


def runs_of(folio_dir: Path) -> list[Run]:
    """Return the folio's runs, the newest first."""
    from runfolio.query import parse_filter

    folio = open_folio(str(folio_dir))
    try:
        return list(folio.runs.search(parse_filter("")))
    finally:
        folio.close()


def log_of(folio_dir: Path, run: Run) -> str:
    """Return what the run's command printed."""
    folio = open_folio(str(folio_dir))
    try:
        entry = folio.runs.artifacts(run)["console.log"]
        with folio.store.open(entry.digest) as file:
            return file.read().decode()
    finally:
        folio.close()
