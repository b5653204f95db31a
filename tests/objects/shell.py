"""Commands in a folder, as a user types them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def run(*args: str, cwd: Path, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(args, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True, timeout=120)
    assert made.returncode == code, f"{args}: {made.returncode}\n{made.stdout}\n{made.stderr}"
    return made


def folio(*args: str, cwd: Path, code: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
    return run(sys.executable, "-m", "runfolio", *args, cwd=cwd, code=code, **env)


LOG = """
import sys, runfolio
with runfolio.start_run(run_name=sys.argv[1]):
    runfolio.log_metric("accuracy", 0.9)
    runfolio.log_text(sys.argv[1] * 1000, "model/weights.txt")
    runfolio.log_text("shared", "model/tokens.txt")
"""


def log(name: str, cwd: Path, **env: str) -> str:
    return run(sys.executable, "-c", LOG, name, cwd=cwd, **env).stderr
