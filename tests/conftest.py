"""Fixtures for tests that need a real repository or a whole folio.

``pinned_git``
    Git as on a fresh machine: an identity (Ada), ``main`` as first branch, nothing else; no ``RUNFOLIO_*`` variables, no git host's. Processes
    that a test starts see the same.
``repo_dir``
    A git repository with one commit (``train.py``).
``folio_dir``
    That repository made into a folio, the settings committed. ``RUNFOLIO_TRACKING_URI`` is not set: change into it, or name it.

``browser``
    Debian's Chromium, started once for all tests of a process: Playwright's loop is one a process, so there is one of these. Where
    Chromium or the package playwright is missing, the tests that want it are skipped and say so.

After each test every folio that this process logged to is left, as at the end of a process; see
:func:`runfolio.tracking.session.forget_sessions`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# Time limits of single examples fail on a busy machine, and say nothing about the code.
settings.register_profile("runfolio", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("runfolio")

# A shell that starts this in its background has interrupts ignored, and nohup hang-ups; so would all processes of ours.
for _signal, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_signal) is signal.SIG_IGN:
        signal.signal(_signal, _usual)

LEFT_OUT = ("GIT_", "RUNFOLIO_", "GITHUB_", "GH_", "GITLAB_", "GITEA_", "FORGEJO_", "CODEBERG_", "CI_")
"""Variables of a developer or a CI job that no test may see: it would ask a real git host."""

GIT_CONFIG = "[user]\n\tname = Ada\n\temail = ada@example.org\n[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n"


def git(folder: Path, *args: str) -> str:
    """Run git in a folder and return what it printed."""
    done = subprocess.run(["git", *args], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(autouse=True)
def _sessions_left() -> Iterator[None]:
    yield
    session = sys.modules.get("runfolio.tracking.session")
    if session is not None:
        session.forget_sessions()


@pytest.fixture
def pinned_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    config = tmp_path / "gitconfig"
    config.write_text(GIT_CONFIG)
    for name in [key for key in os.environ if key.startswith(LEFT_OUT)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return config


@pytest.fixture
def repo_dir(tmp_path: Path, pinned_git: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q")
    (folder / "train.py").write_text("print('training')\n")
    git(folder, "add", "train.py")
    git(folder, "commit", "-qm", "first")
    return folder


@pytest.fixture
def folio_dir(repo_dir: Path) -> Path:
    from runfolio.folio import initialise

    made = initialise(repo_dir, commit=True)
    made.folio.close()
    return repo_dir


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    program = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("NOT TESTED: Chromium is not installed (Debian: apt-get install chromium)")
    sync_api = pytest.importorskip("playwright.sync_api", reason="NOT TESTED: the Python package playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        # No GPU and no shared memory: the same pixels on every machine, also in a container.
        started = playwright.chromium.launch(executable_path=program, args=["--disable-gpu", "--disable-dev-shm-usage"])
        yield started
        started.close()
