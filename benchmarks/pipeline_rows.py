"""A pipeline with nothing to do: what it costs to find that out; beside `dvc repro` of the same steps."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.places import clean_environment, folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

OURS = [sys.executable, "-m", "runfolio", "pipeline", "run"]


def _wall(command: list[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=folder, env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def _names(count: int) -> list[str]:
    return [f"f{at:03d}.txt" for at in range(count + 1)]


def _inputs(folder: Path, count: int) -> None:
    (folder / "f000.txt").write_text("a line\n" * 1000)
    (folder / ".gitignore").write_text("".join(f"{name}\n" for name in _names(count)[1:]))


def _ours(setting: Setting, count: int) -> Path:
    folder = folio(setting.folder / f"ours-{count}", "process")
    _inputs(folder, count)
    names = _names(count)
    steps = "".join(
        f"  - {{name: s{at}, command: cp {names[at]} {names[at + 1]}, inputs: [{names[at]}], outputs: [{names[at + 1]}]}}\n"
        for at in range(count)
    )
    (folder / "pipeline.yaml").write_text(f"steps:\n{steps}")
    _committed(folder)
    subprocess.run(OURS, cwd=folder, env=clean_environment(), capture_output=True, check=True)
    return folder


def _theirs(setting: Setting, count: int) -> tuple[Path, list[str]]:
    python, folder = peers.python_of("dvc"), setting.new(f"dvc-{count}")
    env = clean_environment()
    program = str(python.parent / "dvc")
    for command in (["git", "init", "-q", "-b", "main"], [program, "init", "-q"]):
        subprocess.run(command, cwd=folder, env=env, check=True)
    (folder / "f000.txt").write_text("a line\n" * 1000)
    names = _names(count)
    stages = {
        f"s{at}": {"cmd": f"cp {names[at]} {names[at + 1]}", "deps": [names[at]], "outs": [names[at + 1]]} for at in range(count)
    }
    (folder / "dvc.yaml").write_text(json.dumps({"stages": stages}))
    _committed(folder)
    subprocess.run([program, "repro", "-q"], cwd=folder, env=env, check=True)
    return folder, [program, "repro", "-q"]


def _committed(folder: Path) -> None:
    for command in (["git", "add", "-A"], ["git", "commit", "-qm", "steps"]):
        subprocess.run(command, cwd=folder, env=clean_environment(), check=True)


def pipelines(setting: Setting) -> Iterator[Row]:
    """Time and CPU of a run with nothing to do."""
    from benchmarks.rows import Row, cpu_of, median_ratio

    for count in (10, setting.size(100, 20)):
        ours = _ours(setting, count)
        rounds = setting.size(7, 3)
        wall = statistics.median(_wall(OURS, ours) for _ in range(rounds))
        what = f"`pipeline run` with nothing to do, {count} steps"
        yield Row(what, "1 s", wall, "≤ 1 ×", f"{wall:.2f} s")
        if not setting.alone:
            theirs, command = _theirs(setting, count)
            ratio = median_ratio(rounds, lambda: _wall(command, theirs), lambda: _wall(OURS, ours))  # noqa: B023 # called in this round
            cpu = median_ratio(rounds, lambda: cpu_of(command, theirs), lambda: cpu_of(OURS, ours))  # noqa: B023
            yield Row(what, "`dvc repro` of the same steps, nothing to do", ratio, "≥ 1 ×", f"wall time; {cpu:.1f} × of CPU")
