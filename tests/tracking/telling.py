"""What the stories told to MLflow and to runfolio share: their steps, how a refusal is written, and how both are run and told.

The stories run as scripts, also by a Python that has nothing of ours: this module needs the standard library only.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

Steps = dict[str, Callable[[], Any]]


def code(action: Callable[[], Any]) -> str:
    """Return the error code of a refusal, or "taken"."""
    try:
        action()
    except Exception as error:  # MLflow raises bare exceptions too
        return str(getattr(error, "error_code", "other"))
    return "taken"


def tell(steps: Steps, after: Callable[[], None] = lambda: None) -> None:
    """Run a story, and print what each step gave."""
    made = {}
    for name, action in steps.items():
        try:
            made[name] = action()
        except Exception as error:
            made[name] = f"{type(error).__name__}: {error}"
        after()
    print("RESULT " + json.dumps(made, default=str))


def told(script: Path, python: str, module: str, folder: Path) -> dict[str, Any]:
    """Run a story in a folder by a Python and return what each step gave."""
    env = {key: value for key, value in os.environ.items() if not key.startswith(("RUNFOLIO_", "MLFLOW_"))}
    env["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
    command = [python, str(script), module]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    assert lines, done.stderr[-2000:]
    found: dict[str, Any] = json.loads(lines[-1].removeprefix("RESULT "))
    return found
