"""Objectives that sweeps of the tests call, also from processes of their own."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import runfolio

SPACE = {"x": {"type": "float", "low": -4, "high": 4}, "kind": ["a", "b"]}


def bowl(x: float, kind: str) -> float:
    return (x - 1) ** 2 + (kind == "b")


def logging_bowl(x: float, kind: str) -> float:
    for step in range(3):
        runfolio.log_metric("loss", x * x + 3 - step, step=step)
    return bowl(x, kind)


def with_seed(x: float, seed: int) -> float:
    return x + seed


def drawing(trial: Any) -> float:
    x = trial.suggest_float("x", -4, 4)
    depth = trial.suggest_int("depth", 1, 5)
    return float(x * x + depth)


def reporting(trial: Any) -> float:
    for step in range(5):
        trial.report(trial.params["x"] ** 2 + 5 - step, step)
        if trial.should_prune():
            raise runfolio.sweeps.TrialPruned
    return float(trial.params["x"] ** 2)


def fails_above_one(x: float) -> float:
    if x > 1:
        raise ValueError(f"x is {x:.3f}: too large")
    return x


def kills_its_worker_once(x: float, mark: str) -> float:
    """Kill the process at the first call, and note each call."""
    path = Path(mark)
    with open(path, "a") as file:
        file.write(f"{x!r}\n")
    if len(path.read_text().splitlines()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return x


def always_kills(x: float) -> float:
    os.kill(os.getpid(), signal.SIGKILL)
    return x
