"""Run a hook of the repository as ``git commit`` would.

Only where a team asked for it (``commit.hooks`` in ``runfolio.yaml``): a hook is a program of the repository's own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from runfolio.errors import StateError
from runfolio.gitstore.process import environment
from runfolio.gitstore.repo import Repo


def run_hook(repo: Repo, name: str, *args: str, env: Mapping[str, str] | None = None) -> None:
    """Run a hook, if there is one.

    Parameters
    ----------
    repo : Repo
    name : str
        Such as ``pre-commit``.
    *args : str
        Its arguments.
    env : mapping, optional
        Variables to add.

    Raises
    ------
    StateError
        If it ended with an exit code other than 0, or could not be started; the message has its last words.
    """
    hook = _find(repo, name)
    if hook is None:
        return
    places = {"GIT_DIR": str(repo.git_dir), "GIT_EDITOR": ":"}
    if repo.work_tree is not None:
        places["GIT_WORK_TREE"] = str(repo.work_tree)
    try:
        done = subprocess.run(
            (str(hook), *args),
            cwd=repo.work_tree or repo.git_dir,
            env=environment({**places, **(env or {})}),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            start_new_session=True,
            check=False,
        )
    except OSError as error:
        raise StateError(f"the hook {hook} could not be started: {error.strerror or error}. {_REMEDY}") from None
    if done.returncode:
        said = (done.stderr + done.stdout).decode("utf-8", "replace").strip().splitlines()
        words = "; ".join(line.strip() for line in said[-3:]) or f"exit code {done.returncode}"
        raise StateError(f"the hook {name} refused the commit of records: {words[:600]}. {_REMEDY}")


_REMEDY = "Mend it, or set commit.hooks: false in runfolio.yaml; then run: runfolio commit"


def _find(repo: Repo, name: str) -> Path | None:
    """Return the hook's file; None where there is none that git would run."""
    # core.hooksPath as the user has it: without hooks=True it is ours, which finds none.
    found = repo.run("rev-parse", "--git-path", f"hooks/{name}", hooks=True).decode("utf-8", "surrogateescape").rstrip("\n")
    hook = (repo.work_tree or repo.git_dir) / found
    return hook if hook.is_file() and os.access(hook, os.X_OK) else None
