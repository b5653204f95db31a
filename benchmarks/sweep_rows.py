"""Sweeps: many trials of an objective that costs nothing, beside Optuna with MLflow's callback."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import peers
from benchmarks.places import HERE, folio, result

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting


def _side(python: str, folder: Path, side: str, sampler: str, trials: int) -> Any:
    return result([python, str(HERE / "sweep_side.py"), side, sampler, str(trials)], folder)


def sweeps(setting: Setting) -> Iterator[Row]:
    """Time of a sweep, and what a trial costs over the bare function."""
    from benchmarks.rows import Row

    # A round of the peer takes minutes.
    trials, rounds = setting.size(1000, 50), 1
    peer = None if setting.alone else str(peers.python_of("mlflow-optuna"))
    for sampler in ("tpe", "random"):
        said: dict[str, list[Any]] = {"runfolio": [], "optuna": [], "mlflow": []}
        for at in range(rounds):  # in turn: what else the machine does meets all alike
            said["runfolio"].append(_side(sys.executable, folio(setting.new(f"{sampler}-{at}")), "runfolio", sampler, trials))
            said["optuna"].append(_side(sys.executable, setting.new(f"{sampler}-bare-{at}"), "optuna", sampler, trials))
            if peer is not None:
                said["mlflow"].append(_side(peer, setting.new(f"{sampler}-mlflow-{at}"), "mlflow", sampler, trials))
        seconds = {side: statistics.median(each["s"] for each in found) for side, found in said.items() if found}
        cpu = {side: statistics.median(each["cpu"] for each in found) for side, found in said.items() if found}
        if peer is not None:
            note = f"{seconds['runfolio']:.1f} s and {seconds['mlflow']:.1f} s; CPU {cpu['runfolio']:.1f} s and {cpu['mlflow']:.1f} s"
            what = f"Sweep of {trials:,} trials of a trivial objective, sampler {sampler}, each a run"
            yield Row(what, "Optuna with MLflow's callback, SQLite", seconds["mlflow"] / seconds["runfolio"], "≥ 5 ×", note)
        # CPU: as time on the clock a busy machine moves both sides by more than they differ.
        more = (cpu["runfolio"] - cpu["optuna"]) / trials * 1e3
        note = f"{more:.2f} ms a trial; aim: under 5 ms. On the clock {seconds['runfolio']:.1f} s and {seconds['optuna']:.1f} s"
        yield Row(
            f"CPU of the same sweep, sampler {sampler}",
            "Optuna alone, nothing recorded",
            cpu["runfolio"] / cpu["optuna"],
            "–",
            note,
        )
    yield from _on_dask(setting)


def _on_dask(setting: Setting) -> Iterator[Row]:
    """Time of a trial on Dask, handed over and collected, beside the bare function on the same workers."""
    from benchmarks.rows import Row

    trials, rounds = setting.size(300, 20), setting.size(3, 1)
    said: dict[str, list[float]] = {"dask": [], "dask-bare": []}
    for at in range(rounds):
        for side in said:
            folder = folio(setting.new(f"{side}-{at}")) if side == "dask" else setting.new(f"{side}-{at}")
            said[side].append(_side(sys.executable, folder, side, "random", trials)["s"])
    ours, bare = (statistics.median(found) for found in said.values())
    note = f"{ours / trials * 1e3:.1f} ms and {bare / trials * 1e3:.1f} ms a trial, two worker processes on loopback, store in a folder"
    yield Row(
        f"Sweep of {trials:,} trials on Dask, each a run that a worker hands over",
        "client.submit, nothing recorded",
        ours / bare,
        "–",
        note,
    )
