"""Runs that have waited for ten seconds are committed beside the next run; neither a fork nor the process's end outruns that."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

BEGINS = """
import os, pathlib, subprocess, sys, time
import runfolio
from runfolio.tracking import session

session.AUTO_PAUSE_S = 0.5
pathlib.Path("go").unlink(missing_ok=True)
with runfolio.start_run() as run:
    runfolio.log_metric("loss", 0.5)
time.sleep(0.6)
assert not pathlib.Path("asked").exists(), "committed while the script may commit, too"
session.AUTO_PAUSE_S = 0.0
next_run = runfolio.start_run()
session.AUTO_PAUSE_S = 3600.0
assert not pathlib.Path("answered").exists(), "the next run waited for the commit"
"""
HOOK = """#!/bin/sh
touch asked
for each in $(seq 500); do [ -e go ] && break; sleep 0.02; done
touch answered
[ -e go ] && [ ! -e refuse ]
"""
"""Waits for the file ``go``, ten seconds at most, and says no where ``refuse`` is."""


@pytest.fixture
def slow(folio_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folio in which a commit asks a hook that takes its time."""
    monkeypatch.chdir(folio_dir)
    monkeypatch.delenv("RUNFOLIO_COMMIT", raising=False)
    settings = folio_dir / "runfolio.yaml"
    settings.write_text(settings.read_text() + "commit:\n  hooks: true\n")
    subprocess.run(["git", "commit", "-qam", "settings"], check=True)
    hook = folio_dir / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(HOOK)
    hook.chmod(0o755)
    return folio_dir


def ran(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BEGINS + code], capture_output=True, text=True, check=False, timeout=60)


def commits(folder: Path) -> int:
    """Count the commits of runs."""
    told = subprocess.run(["git", "log", "--format=%s", "--", "*.json"], cwd=folder, capture_output=True, text=True, check=True)
    return len(told.stdout.splitlines())


def test_the_next_run_does_not_wait_for_the_commit_and_the_process_does(slow: Path) -> None:
    done = ran(
        "while not pathlib.Path('asked').exists(): time.sleep(0.01)\n"
        "runfolio.log_metric('loss', 0.25)\n"
        "assert len(runfolio.search_runs(output_format='list')) == 2\n"
        "assert not pathlib.Path('answered').exists(), 'the next run waited'\n"
        "pathlib.Path('go').touch()\nrunfolio.end_run()\n"
        "assert pathlib.Path('answered').exists(), 'its end did not'\n"
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert commits(slow) == 2  # the one under way, and the process's end's


def test_a_run_in_a_run_begins_no_commit(slow: Path) -> None:
    done = ran(
        "pathlib.Path('go').touch()\n"
        "while not pathlib.Path('answered').exists(): time.sleep(0.01)\n"
        "runfolio.start_run(nested=True)\nrunfolio.end_run()\npathlib.Path('asked').unlink()\n"
        "session.AUTO_PAUSE_S = 0.0\nrunfolio.start_run(nested=True)\ntime.sleep(0.3)\n"
        "assert not pathlib.Path('asked').exists(), 'parent and children are one commit'\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_script_commits_its_own_work_as_a_run_has_ended(slow: Path) -> None:
    done = ran(
        "pathlib.Path('go').touch()\nruns = 20\n"
        "for number in range(runs):\n"
        "    runfolio.end_run()\n"
        "    session.AUTO_PAUSE_S = 0.0005\n"
        "    pathlib.Path('notes.txt').write_text(str(number))\n"
        "    subprocess.run(['git', 'add', 'notes.txt'], check=True)\n"
        "    subprocess.run(['git', 'commit', '-qm', f'notes {number}'], check=True)\n"
        "    runfolio.start_run()\n"
    )
    assert done.returncode == 0, done.stderr


def test_a_fork_waits_for_the_commit(slow: Path) -> None:
    done = ran(
        "import threading\n"
        "threading.Timer(0.5, pathlib.Path('go').touch).start()\n"
        "child = os.fork()\n"
        "if child == 0:\n    os._exit(0 if pathlib.Path('answered').exists() else 3)\n"
        "assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, 'forked beside the commit'\n"
        "runfolio.end_run()\n"
    )
    assert done.returncode == 0, done.stderr
    assert commits(slow) == 2


def test_what_a_killed_process_was_committing_waits_for_the_next(slow: Path) -> None:
    done = ran("while not pathlib.Path('asked').exists(): time.sleep(0.01)\nos.kill(os.getpid(), 9)\n")
    assert done.returncode == -9, done.stderr
    (slow / "go").touch()
    assert commits(slow) == 0
    again = subprocess.run([sys.executable, "-m", "runfolio", "commit"], capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert commits(slow) == 1


def test_a_commit_that_fails_beside_is_said_and_its_runs_wait(slow: Path) -> None:
    done = ran("pathlib.Path('refuse').touch()\npathlib.Path('go').touch()\nrunfolio.end_run()\n")
    assert done.returncode == 0 and "finished runs wait in" in done.stderr, done.stderr
    assert commits(slow) == 0
