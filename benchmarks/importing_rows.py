"""Importing an MLflow store: our import of a SQLite store beside MLflow's own client that only reads the same runs and histories."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.door_rows import SIDE, _site
from benchmarks.places import clean_environment, folio

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.rows import Row, Setting

POINTS = 100
"""Of each run: 20 of each of five metrics."""


def _measured(command: list[str], folder: Path) -> tuple[float, int]:
    """Return seconds, and the peak of resident memory in bytes, of a process that sees MLflow."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=clean_environment(PYTHONPATH=_site()), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}")
    return time.perf_counter() - start, used.ru_maxrss * 1024


def importing(setting: Setting) -> Iterator[Row]:
    """Many runs with histories, and one run with very many points."""
    from benchmarks.rows import Row

    if setting.alone:
        return  # every row is MLflow beside us
    runs, points = setting.size(10_000, 500), setting.size(1_000_000, 100_000)
    for task, number, expected, what in (
        ("fill_histories", runs, runs * POINTS, f"{runs:,} runs of {POINTS} points"),
        ("fill_long", points, points, f"a run of {points:,} points"),
    ):
        there = setting.new(f"import-{task}")
        database = f"sqlite:///{there / 'runs.db'}"
        _measured([sys.executable, SIDE, task, database, str(number)], there)
        theirs, their_peak = _measured([sys.executable, SIDE, "read_store", database, str(expected)], there)
        here = folio(setting.new(f"imported-{task}"))
        ours, our_peak = _measured([sys.executable, "-W", "ignore", "-m", "runfolio", "import", "mlflow", database], here)
        rate = f"{runs / ours * 60:,.0f} runs a minute" if task == "fill_histories" else f"{ours:.0f} s"
        yield Row(
            f"`runfolio import mlflow` of {what}: taken, committed, read back",
            "MLflow's client, which only reads them",
            theirs / ours,
            "≥ 1,000 runs a minute" if task == "fill_histories" else "",
            rate,
        )
        yield Row(
            f"peak memory of importing {what}",
            "MLflow's client, which only reads them",
            their_peak / our_peak,
            "bounded",
            f"{our_peak / 1e6:.0f} MB",
        )
