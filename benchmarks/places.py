"""Folios and tables to measure on."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from runfolio.folio import initialise
from runfolio.formats import paths
from runfolio.formats.experiments import encode_experiment
from runfolio.formats.models import decode_model, edit_model
from runfolio.formats.runs import encode_run
from runfolio.gitstore import FileChange, Ident, Repo, commit_files
from runfolio.records import Experiment, MetricSummary, Run, RunStatus, new_run_id

HERE = Path(__file__).parent
AUTHOR = Ident("Bench", "bench@example.org")
FIRST = 1_700_000_000_000


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment of a measured process."""
    # Without its byte code, every start would compile our side anew, where the peers' were compiled when they were installed.
    foreign = ("RUNFOLIO_", "MLFLOW_", "GIT_", "PYTHONDONTWRITEBYTECODE")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**kept, "GIT_AUTHOR_NAME": "Bench", "GIT_AUTHOR_EMAIL": "bench@example.org", "DVC_NO_ANALYTICS": "1", **more}


def result(command: list[str], folder: Path, **env: str) -> Any:
    """Run one side and return what it measured."""
    done = subprocess.run(command, cwd=folder, env=clean_environment(**env), capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("RESULT ")]
    if not lines:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    return json.loads(lines[-1].removeprefix("RESULT "))


def ours(folder: Path, task: str, n: int, **env: str) -> Any:
    """Measure our side in a folio."""
    return result([sys.executable, str(HERE / "our_side.py"), task, str(n)], folder, **env)


def mlflow(python: Path, folder: Path, task: str, uri: str, n: int) -> Any:
    """Measure MLflow's side."""
    return result([str(python), str(HERE / "mlflow_side.py"), task, uri, str(n)], folder)


def folio(folder: Path, durability: str = "power", ledger: str | None = None) -> Path:
    """Make a folio."""
    made = initialise(folder, branch=ledger, commit=True)
    settings = folder / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("durability: power", f"durability: {durability}"))
    subprocess.run(["git", "commit", "-qam", "settings"], cwd=folder, env=clean_environment(), check=False)
    made.folio.close()
    return folder


def make_runs(n: int) -> Iterator[Run]:
    """Yield runs of 5 params, 5 metrics and 3 tags, spread over days."""
    pick = random.Random(0)
    for number in range(n):
        start = FIRST + number * 30_000
        metrics = {}
        for key in range(5):
            value = pick.random()
            metrics[f"m{key}"] = MetricSummary(value, 0, start, 1, value, value, 0, 0)
        yield Run(
            new_run_id(start), "bench", f"r{number}", RunStatus.FINISHED, start, start + 1000, user="Bench",
            params={f"p{key}": str(pick.randint(0, 9)) for key in range(5)}, metrics=metrics,
            tags={f"t{key}": "x" for key in range(3)},
            code={"branch": "main", "commit": "a" * 40, "dirty": False, "repository": "here", "tree": "b" * 40},
            entry={"script": "train.py", "type": "LOCAL"},
            environment={"implementation": "cpython", "lock": "f00c931d7a4d6058", "platform": "linux-x86_64", "python": "3.11.7"},
        )  # fmt: skip


def fill(folder: Path, n: int, branch: str = "refs/heads/main") -> None:
    """Put n runs into a folio by bulk commits, without a work tree's files."""
    repo = Repo.discover(folder)
    experiment = Experiment("bench", "bench", "bench", FIRST, FIRST)
    changes = [FileChange(paths.experiment_path("bench"), encode_experiment(experiment))]
    for number, run in enumerate(make_runs(n), 1):
        changes.append(FileChange(paths.run_path("bench", run.run_id, run.start), encode_run(run)))
        if number % 10_000 == 0 or number == n:
            assert commit_files(repo, branch, repo.resolve(branch), changes, "bench\n", AUTHOR)
            changes = []
    repo.close()
    subprocess.run(["git", "gc", "-q"], cwd=folder, env=clean_environment(), check=False)


def fill_versions(folder: Path, n: int, branch: str = "refs/heads/ledger") -> None:
    """Give the registered model ``bench`` n versions, and a history of 10 n promotions, a commit each."""
    repo = Repo.discover(folder)
    tip = repo.resolve(branch)
    data = repo.read(f"{tip}:{paths.model_path('bench')}") or b""
    first = repo.read(f"{tip}:{paths.version_path('bench', 1)}") or b""
    there = len(repo.tree_entries(str(tip), "models/bench/versions"))
    model = decode_model(data, paths.model_path("bench"))
    out = []
    for number in range(10 * n):
        at = f"{AUTHOR.name} <{AUTHOR.mail}> {1_700_000_000 + number} +0000"
        parent = f"from {tip}\n" if number == 0 else ""
        out.append(f"commit {branch}\nauthor {at}\ncommitter {at}\ndata 8\npromote\n\n{parent}".encode())
        moved = edit_model(data, model.with_stage(number % n + 1, "Production", archive="None"))
        out.append(b"M 100644 inline models/bench/model.yaml\ndata %d\n%s\n" % (len(moved), moved))
        if there <= number < n:
            out.append(b"M 100644 inline models/bench/versions/%d.yaml\ndata %d\n%s\n" % (number + 1, len(first), first))
    out.append(b"done\n")
    subprocess.run(
        ["git", "fast-import", "--quiet", "--done"], cwd=folder, env=clean_environment(), input=b"".join(out), check=True
    )
    repo.close()
    subprocess.run(["git", "gc", "-q"], cwd=folder, env=clean_environment(), check=False)
