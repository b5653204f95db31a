"""Make a repository with results for asv: ``python asv_results.py FOLDER N`` writes one result file of five values for each of N commits."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
import sys
from pathlib import Path

KEYS = [f"bench.m{number}" for number in range(5)]
MACHINE = "box"
ENVIRONMENT = "virtualenv-py3.11"


def make_commits(folder: Path, count: int) -> list[str]:
    """Make a repository with so many commits, and return their ids, oldest first."""
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)
    stream = "".join(
        f"commit refs/heads/main\ncommitter Bench <bench@example.org> {1_700_000_000 + number * 30} +0000\ndata 2\nx\n"
        f"M 100644 inline n\ndata {len(str(number))}\n{number}\n"
        for number in range(count)
    )
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream.encode(), check=True)
    listed = subprocess.run(["git", "rev-list", "--reverse", "main"], cwd=folder, capture_output=True, text=True, check=True)
    return listed.stdout.split()


def write_results(folder: Path, commits: list[str]) -> None:
    """Write what ``asv run`` would have left."""
    settings = {"version": 1, "project": "bench", "project_url": "https://example.org", "repo": "project", "branches": ["main"],
                "environment_type": "virtualenv", "results_dir": "results", "html_dir": "html"}  # fmt: skip
    (folder / "asv.conf.json").write_text(json.dumps(settings))
    results = folder / "results"
    (results / MACHINE).mkdir(parents=True)
    machine = {"arch": "x86_64", "cpu": "c", "machine": MACHINE, "num_cpu": "2", "os": "Linux", "ram": "8", "version": 1}
    (results / MACHINE / "machine.json").write_text(json.dumps(machine))
    version = hashlib.sha256(b"1").hexdigest()
    known = {
        key: {"code": "", "name": key, "param_names": [], "params": [], "type": "track", "unit": "unit", "version": version,
              "timeout": 60.0}
        for key in KEYS
    }  # fmt: skip
    (results / "benchmarks.json").write_text(json.dumps({**known, "version": 2}))
    pick = random.Random(0)
    for number, commit in enumerate(commits):
        held = {
            "commit_hash": commit, "env_name": ENVIRONMENT, "date": (1_700_000_000 + number * 30) * 1000, "params": {**machine, "python": "3.11"},
            "python": "3.11", "requirements": {}, "env_vars": {}, "result_columns": ["result", "params", "version", "started_at", "duration"],
            "results": {key: [[pick.random()], [], version, 1_700_000_000_000, 0.1] for key in KEYS}, "durations": {}, "version": 2,
        }  # fmt: skip
        held["params"].pop("version")
        (results / MACHINE / f"{commit[:8]}-{ENVIRONMENT}.json").write_text(json.dumps(held))


if __name__ == "__main__":
    work = Path(sys.argv[1])
    write_results(work, make_commits(work / "project", int(sys.argv[2])))
