"""The benchmarks run; no time is asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_our_side_of_the_benchmarks_runs(pinned_git: None) -> None:
    command = [
        sys.executable,
        "-m",
        "benchmarks",
        "--quick",
        "--alone",
        "--only",
        "starting",
        "--only",
        "bulk",
        "--only",
        "listing",
        "--only",
        "registry",
        "--only",
        "models",
        "--only",
        "stores",
        "--only",
        "autolog",
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) >= 14
    assert all(" × |" in row for row in rows)
