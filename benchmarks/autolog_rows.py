"""What autologging adds to a training: beside the training, and beside what MLflow's adds to it."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers
from benchmarks.places import HERE, clean_environment, folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

TOLD = {"xgboost": "XGBoost, 400 rounds, two sets evaluated in each", "sklearn": "a forest of 300 trees"}


def autologging(setting: Setting) -> Iterator[Row]:
    """Trainings with and without autologging in turn, by us and by MLflow: CPU, that of child processes included."""
    from benchmarks.rows import Row

    folder = folio(setting.folder / "autolog", "process")
    ending, rounds = ("-quick", "1") if setting.quick else ("", "3")
    for case, told in TOLD.items():
        made = _side(folder, "runfolio", case + ending, rounds)
        plain, added = statistics.median(made["plain"]), _added(made)
        note = f"{plain:.1f} s and {added:.2f} s more; {made['first']:.1f} s more at the first training of a process"
        yield Row(f"CPU of a training that logs itself: {told}", "the same without logging", 1 + added / plain, "≤ 1.02 ×", note)
        if setting.alone:
            continue
        theirs = _side(
            setting.new(f"autolog-mlflow-{case}"), "mlflow", case + ending, rounds, PYTHONPATH=str(peers.mlflow_apart())
        )
        note = f"{_added(theirs):.1f} s, file store; {theirs['first']:.1f} s at the first training of a process"
        yield Row(f"CPU that autologging adds: {told}", "MLflow 2.22's", _added(theirs) / added, "> 1 ×", note)


def _added(made: dict[str, Any]) -> float:
    """Return the median of what logging adds, each round beside its own training without."""
    return statistics.median(one - other for one, other in zip(made["logged"], made["plain"], strict=True))


def _side(folder: Path, library: str, case: str, rounds: str, **env: str) -> dict[str, Any]:
    command = [sys.executable, str(HERE / "autolog_side.py"), library, case, rounds]
    done = subprocess.run(command, cwd=folder, env=clean_environment(**env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    made: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return made
