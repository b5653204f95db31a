"""The whole of what logging adds to small real trainings: all that is logged, from the run's start to its end."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.places import HERE, clean_environment, folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

NETS = ("torch", "lightning", "sklearn")
CASES = {
    "loop": ("a loop of one's own in PyTorch, each step's loss logged", NETS, 150),
    "pytorch": ("Lightning's Trainer", NETS, 150),
    "keras": ("Keras' fit", ("keras", "tensorflow", "sklearn"), 150),
    "xgboost": ("XGBoost, 400 rounds, two sets evaluated in each", ("xgboost", "sklearn"), 400),
    "sklearn": ("a forest of 300 trees", ("sklearn",), 300),
}
"""Of each what it is, what it needs, and how long it is: epochs, rounds, trees."""


def whole(setting: Setting) -> Iterator[Row]:
    """CPU and time of all that is logged of a training, beside those of the training itself; within one process, part by part."""
    from benchmarks.rows import Row

    for case, (told, modules, length) in CASES.items():
        if any(importlib.util.find_spec(each) is None for each in modules):
            continue
        place = folio(setting.new(f"whole-{case}"), "process")
        command = [sys.executable, str(HERE / "whole_side.py"), case, str(setting.size(length, 2)), str(setting.size(3, 1))]
        done = subprocess.run(command, cwd=place, env=clean_environment(), capture_output=True, text=True, check=True)
        made = json.loads(done.stdout.splitlines()[-1])
        for clock, what in (("CPU", "CPU of"), ("wall", "time that a user waits for")):
            rounds = [each for each in made if each["clock"] == clock]
            ratios = [each["whole"] / (each["whole"] - each["logging"]) for each in rounds]
            middle = sorted(rounds, key=lambda each: each["logging"])[len(rounds) // 2]
            most = ", ".join(f"{part} {1e3 * spent:.0f} ms" for part, spent in middle["parts"][:3])
            yield Row(
                f"{what} a training with all that is logged of it: {told}",
                "the same without",
                statistics.median(ratios),
                "≤ 1.02 ×",
                f"{middle['whole']:.1f} s, of which {1e3 * middle['logging']:.0f} ms: {most}",
            )
