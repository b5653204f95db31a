"""What `runfolio reproduce` takes beyond the command that it runs, its own start included, where the environment is cached."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.places import clean_environment, folio
from runfolio.environments import VIRTUALENV, Wanted, make_environment

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

_SCRIPT = """\
import sys
import time

import runfolio

time.sleep(2)
with runfolio.start_run(run_name=sys.argv[1]):
    for step in range(1000):
        runfolio.log_metric("loss", 1 / (step + 1), step=step)
"""


def _took(command: Sequence[str], folder: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=clean_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return time.perf_counter() - began


def reproducing(setting: Setting) -> Iterator[Row]:
    """Measure `reproduce` beside the bare command: a script of two seconds that logs 1,000 points, in a made environment."""
    from benchmarks.rows import Row

    folder = folio(setting.folder / "again")
    (folder / "train.py").write_text(_SCRIPT, "utf-8")
    _took(("git", "add", "-A"), folder)
    _took(("git", "commit", "-qm", "code"), folder)
    python = str(make_environment(Wanted(), VIRTUALENV).python)
    _took((python, "train.py", "original"), folder)
    again = (sys.executable, "-m", "runfolio", "reproduce", "original", "--env-manager", VIRTUALENV)
    _took(again, folder)  # makes the environment of the run's own list
    pairs = [(_took((python, "train.py", "bare"), folder), _took(again, folder)) for _ in range(setting.size(7, 2))]
    bare, whole = (statistics.median(side) for side in zip(*pairs, strict=True))
    note = f"{whole:.2f} s and {bare:.2f} s: {whole - bare:.2f} s beyond it; aim: under 1 s"
    yield Row("`runfolio reproduce`, environment cached", "the bare command, 2 s of work", whole / bare, "≤ 1.5 ×", note)
