"""Real folios for the tests of reviews: a base with runs, and branches that change it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import runfolio
from runfolio.folio import open_folio
from runfolio.folio.folio import Folio
from runfolio.records import Objective
from tests.conftest import git

OBJECTIVE = Objective("accuracy", "max", "seed")
SMALL, LARGE = (0.900, 0.912, 0.906), (0.951, 0.955, 0.953)


def log_runs(folder: Path, experiment: str, params: Mapping[str, object], values: tuple[float, ...], **more: object) -> list[str]:
    """Log one run a value, seeds 0, 1, …, and commit them; return their ids."""
    runfolio.set_tracking_uri(str(folder))
    runfolio.set_experiment(experiment)
    made = []
    for seed, value in enumerate(values):
        with runfolio.start_run(run_name=f"{'-'.join(map(str, params.values()))}-seed{seed}") as run:
            runfolio.log_params({**params, "seed": seed})
            runfolio.log_metric("accuracy", value)
            for key, found in more.items():
                runfolio.log_metric(key, found)  # type: ignore[arg-type]
        made.append(run.info.run_id)
    commit(folder)
    return made


def commit(folder: Path) -> None:
    """Commit what waits, as the end of a process does."""
    from runfolio.tracking.session import forget_sessions

    forget_sessions()
    with folio_of(folder) as folio:
        folio.commit()


@contextmanager
def folio_of(folder: Path) -> Iterator[Folio]:
    """Open a folio for a moment."""
    folio = open_folio(folder)
    try:
        yield folio
    finally:
        folio.close()


def with_objective(folder: Path, name: str) -> None:
    """Make an experiment that is judged by accuracy, over seeds."""
    with folio_of(folder) as folio:
        made = folio.experiments.create(name)
        folio.experiments.edit(made.experiment_id, "set the objective of", objective=OBJECTIVE)


def branch(folder: Path, name: str, start: str = "main") -> None:
    """Begin a branch and stand on it."""
    git(folder, "switch", "-q", "-c", name, start)


def record_of(folder: Path, run_id: str) -> Path:
    """Return the file of a run's record."""
    return next(folder.glob(f"runs/**/{run_id}.json"))


def commit_all(folder: Path, message: str) -> str:
    """Commit the whole work tree with plain git, as somebody without runfolio would."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", message)
    return git(folder, "rev-parse", "HEAD").strip()


def runfolio_command(folder: Path, *args: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder, warnings as errors."""
    import sys

    program = "from runfolio.cli.main import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *args], cwd=folder, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_COLOR": "1", "COLUMNS": "120", **env},
    )  # fmt: skip
