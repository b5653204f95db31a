"""GitHub's own program, ``gh``, where there is no token at hand: who is logged in with it needs none."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from runfolio.errors import RemoteError
from runfolio.records.visible import visible

_TIMEOUT_S = 120.0


def find_gh() -> str | None:
    """Return the path of ``gh``; None where it is not installed."""
    return shutil.which("gh")


def open_with_gh(program: str, folder: Path, head: str, base: str, title: str, body: str) -> str:
    """Open a pull request for a branch that is pushed.

    Parameters
    ----------
    program : str
    folder : Path
        Of the repository.
    head, base, title, body : str

    Returns
    -------
    str
        Its address.

    Raises
    ------
    RemoteError
        If it refuses, or does not end.
    """
    command = [program, "pr", "create", f"--head={head}", f"--base={base}", f"--title={title}", "--body-file", "-"]
    try:
        done = subprocess.run(command, cwd=folder, input=body, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        raise RemoteError(f"gh did not open the pull request within {_TIMEOUT_S:g} s. Open it on the host's page.") from None
    if done.returncode:
        said = visible(done.stderr.strip()) or "no reason given"
        raise RemoteError(f"gh did not open the pull request: {said}. Open it on the host's page.")
    return done.stdout.strip()
