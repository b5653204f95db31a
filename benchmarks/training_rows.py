"""Training: what autologging adds to the CPU of a small real one, with it and without it in turn."""

from __future__ import annotations

import importlib.util
import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.places import folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

NEEDS = {"pytorch": ("torch", "lightning", "sklearn"), "keras": ("keras", "tensorflow", "sklearn")}
SAID = {"pytorch": "Lightning's Trainer", "keras": "Keras' fit"}


def training(setting: Setting) -> Iterator[Row]:
    """CPU of a training that logs itself, beside the same one that does not."""
    from benchmarks.rows import Row

    rounds, epochs = setting.size(9, 1), setting.size(5, 1)
    for framework, modules in NEEDS.items():
        if any(importlib.util.find_spec(each) is None for each in modules):
            continue
        side = Path(__file__).with_name("training_side.py")
        command = [sys.executable, str(side), framework, str(rounds), str(epochs)]
        place = folio(setting.new(framework), "process")
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=True)
        rounds_of = json.loads(done.stdout.splitlines()[-1])
        plain, logged, spent = (statistics.median(each) for each in zip(*rounds_of, strict=True))
        note = f"a small CNN, {epochs} epochs: {plain:.1f} s and {spent * 1e3:.0f} ms; both as wholes: {logged / plain:.2f} ×"
        what = f"CPU of a training that logs itself, {SAID[framework]}"
        yield Row(what, "the same without autologging", 1 + spent / plain, "≤ 1.02 ×", note)
