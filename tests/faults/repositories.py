"""Repositories to break: made with real git, in an environment that no configuration of this machine reaches."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

FULL = os.environ.get("RUNFOLIO_SCALE") == "full"
"""Whether the loops run at the size of the promise, or at a size for every commit."""

COMMAND = (sys.executable, "-c", "from runfolio.cli.main import main; raise SystemExit(main())")


def scaled(full: int, small: int) -> int:
    """Return the size of a loop: `full` under ``RUNFOLIO_SCALE=full``."""
    return full if FULL else small


def environment(**more: str) -> dict[str, str]:
    """Return the environment of every process of these tests."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("GIT_", "RUNFOLIO_"))}
    made = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
        "PYTHONUNBUFFERED": "1",
    }
    return {**kept, **made, **more}


def git(folder: Path, *args: str, check: bool = True, **env: str) -> str:
    """Run git as the user would, and return what it printed."""
    done = subprocess.run(("git", *args), cwd=folder, env=environment(**env), capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise AssertionError(f"git {' '.join(args)} in {folder}: {done.stdout}{done.stderr}")
    return done.stdout


def runfolio(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a runfolio command."""
    return subprocess.run((*COMMAND, *args), cwd=folder, env=environment(**env), capture_output=True, text=True, check=False)


def python(folder: Path, code: str, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a user's script."""
    return subprocess.run(
        (sys.executable, "-c", code, *args), cwd=folder, env=environment(**env), capture_output=True, text=True, check=False
    )


def make_folio(folder: Path, *options: str, settings: str = "", init: tuple[str, ...] = ()) -> Path:
    """Make a folio in the repository of some code, all committed.

    Parameters
    ----------
    folder : Path
    *options : str
        Of ``runfolio init``.
    settings : str
        Lines for ``runfolio.yaml``.
    init : tuple of str
        Options of ``git init``.
    """
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main", *init)
    (folder / "train.py").write_text("print(1)\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "code")
    done = runfolio(folder, "init", *options)
    assert done.returncode == 0, done.stderr
    if settings:
        with open(folder / "runfolio.yaml", "a", encoding="utf-8") as file:
            file.write("\n" + settings + "\n")
    git(folder, "add", "runfolio.yaml", ".gitattributes")
    git(folder, "commit", "-qm", "folio")
    return folder


def leave_work(folder: Path) -> None:
    """Leave work in progress of every kind: staged, changed, staged and changed again, untracked."""
    (folder / "both.py").write_text("a\n")
    git(folder, "add", "both.py")
    git(folder, "commit", "-qm", "more code")
    (folder / "staged.py").write_text("staged\n")
    (folder / "both.py").write_text("b\n")
    git(folder, "add", "staged.py", "both.py")
    (folder / "both.py").write_text("c\n")
    (folder / "train.py").write_text("print(2)\n")
    (folder / "notes.txt").write_text("untracked\n")


def work_of(folder: Path) -> tuple[str, ...]:
    """Return the user's work in progress as git and the file system see it."""
    files = tuple((folder / name).read_text() for name in ("staged.py", "both.py", "train.py", "notes.txt"))
    # Whole ids: git writes longer short ones as the repository grows.
    shown = [git(folder, "diff", "--full-index", *staged) for staged in (("--cached",), ())]
    return (git(folder, "status", "--porcelain"), *shown, *files)


def locks(folder: Path) -> list[str]:
    """List git's lock files, once no upkeep works in the background any more: the lock that it holds is no left one."""
    _wait_for_upkeep(folder / ".git" / "gc.pid")
    return [str(path.relative_to(folder)) for path in (folder / ".git").rglob("*.lock")]


def _wait_for_upkeep(pid_file: Path) -> None:
    with contextlib.suppress(FileNotFoundError, ValueError, psutil.NoSuchProcess):
        process, give_up = psutil.Process(int(pid_file.read_text().split()[0])), time.monotonic() + 120
        while process.status() != psutil.STATUS_ZOMBIE and time.monotonic() < give_up:
            time.sleep(0.05)


def fsck(folder: Path) -> str:
    """Return what ``git fsck --strict`` has to say but for dangling objects."""
    done = subprocess.run(("git", "fsck", "--strict"), cwd=folder, env=environment(), capture_output=True, text=True, check=False)
    said = [line for line in (done.stdout + done.stderr).splitlines() if not line.startswith(("dangling", "notice"))]
    return "\n".join(said) if said or not done.returncode else f"exit code {done.returncode}"
