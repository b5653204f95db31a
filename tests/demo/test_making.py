"""The demonstration, as a new user runs it: inside a clone of another repository."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_the_demo_commits_its_runs_into_a_repository_of_its_own(repo_dir: Path) -> None:
    def run(folder: Path, *command: str) -> str:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        return done.stdout

    before = run(repo_dir, "git", "rev-parse", "HEAD")
    said = run(repo_dir, sys.executable, "-m", "runfolio", "demo", "wine lab", "--no-open")
    assert "22 runs are committed in wine lab" in said
    assert "  cd 'wine lab'\n" in said
    assert run(repo_dir, "git", "rev-parse", "HEAD") == before
    demo = repo_dir / "wine lab"
    assert run(demo, "git", "status", "--porcelain") == ""
    assert "Runfolio demo" in (demo / "site" / "index.html").read_text()
    assert "runs: wine-classification: 16 runs, best accuracy" in run(demo, "git", "log", "--format=%s")
    runs = json.loads(run(demo, sys.executable, "-m", "runfolio", "runs", "list", "--json"))
    assert len(runs) == 22
    assert len({entry["metrics"]["accuracy"] if isinstance(entry["metrics"]["accuracy"], float) else str(entry["metrics"]["accuracy"])
                for entry in runs if "accuracy" in entry["metrics"]}) > 3  # fmt: skip
    assert run(demo, sys.executable, "-m", "runfolio", "check").startswith("Everything is in order")
    assert "wine-cultivar 2 is in Production. Version 3 was refused:" in said
    assert "not-worse-accuracy: accuracy 0.944 against 0.984 of version 2: worse beyond noise" in said
    model = json.loads(run(demo, sys.executable, "-m", "runfolio", "models", "show", "wine-cultivar", "--json"))
    assert (model["stages"], model["aliases"]) == ({"Production": [2], "Staging": [3]}, {"champion": 2, "challenger": 3})
    gates = [
        event.get("gates") for event in json.loads(run(demo, sys.executable, "-m", "runfolio", "models", "history", "--json"))
    ]
    assert "7 passed, 1 waived (no-code)" in gates
    (version,) = demo.glob("site/m/wine-cultivar/2/index.html")
    assert "accuracy_score by slice" in version.read_text("utf-8")
    loaded = "import runfolio; print(type(runfolio.sklearn.load_model('models:/wine-cultivar@champion')).__name__)"
    assert run(demo, sys.executable, "-c", loaded) == "RandomForestClassifier\n"
