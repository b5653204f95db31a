"""``examples/mlproject`` runs as its README would tell it: by a shell, from a folio elsewhere."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.projects.conftest import log_of, runs_of

PROJECT = Path(__file__).parents[2] / "examples" / "mlproject"


def test_the_example_project_runs_and_its_entry_points_log(folio_dir: Path) -> None:
    (folio_dir / "numbers.txt").write_text("1\n2\n")
    for args in (("-P", "alpha=0.3"), ("-e", "score", "-P", "data=numbers.txt")):
        command = [sys.executable, "-m", "runfolio", "run", str(PROJECT), "--env-manager", "local", *args]
        done = subprocess.run(command, cwd=folio_dir, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
    score, train = runs_of(folio_dir)
    assert score.metrics["mean"].last == 1.5
    assert train.params == {"alpha": "0.3", "l1_ratio": "0.1", "rows": "200"}
    assert 1.8 < train.metrics["slope"].last < 2.0
    assert log_of(folio_dir, train).startswith("slope ")
