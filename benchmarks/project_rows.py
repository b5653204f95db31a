"""Projects: a run in an environment that was made before, beside ``mlflow run`` with its environment made before."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import peers
from benchmarks.places import clean_environment, folio

if TYPE_CHECKING:
    from benchmarks.rows import Row, Setting

PROJECT = "name: quick\npython_env: python_env.yaml\nentry_points:\n  main:\n    parameters: {a: int}\n    command: 'python main.py {a}'\n"
FIND = (
    "import time; t = time.perf_counter(); from runfolio.environments import Wanted, make_environment; "
    "made = make_environment(Wanted(('six',)), 'virtualenv'); print(made.made, time.perf_counter() - t)"
)


def _project(folder: Path) -> Path:
    (folder / "MLproject").write_text(PROJECT)
    # MLflow makes its environment of just these lines; the script needs none.
    version = "{}.{}.{}".format(*sys.version_info[:3])
    (folder / "python_env.yaml").write_text(f'python: "{version}"\nbuild_dependencies: [pip]\ndependencies: [six]\n')
    (folder / "main.py").write_text("import sys, six\nprint(sys.argv[1])\n")
    return folder


def _seconds(command: Sequence[str], folder: Path, **env: str) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=clean_environment(**env), capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1500:]}")
    return time.perf_counter() - began


def projects(setting: Setting) -> Iterator[Row]:
    """Time of the second run of a project, and of finding its environment."""
    from benchmarks.rows import Row

    rounds = setting.size(5, 2)
    cache = {"XDG_CACHE_HOME": str(setting.new("cache"))}
    project, here, there = _project(setting.new("project")), folio(setting.new("folio")), setting.new("mlflow")
    ours = [sys.executable, "-m", "runfolio", "run", str(project), "-P", "a=1"]
    first = _seconds(ours, here, **cache)
    python = None if setting.alone else peers.python_of("mlflow")
    theirs = (
        [] if python is None else [str(python), "-m", "mlflow", "run", str(project), "-P", "a=1", "--env-manager", "virtualenv"]
    )
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}" if python else ""
    store = {"MLFLOW_TRACKING_URI": f"sqlite:///{there / 'mlflow.db'}", "PATH": path, "MLFLOW_ENV_ROOT": str(there / "envs")}
    if python is not None:
        # MLflow makes environments by `python -m virtualenv`, which it does not bring; pyenv, by which it finds Pythons, is the user's.
        [packages] = peers.python_of("virtualenv").parents[1].glob("lib/python3*/site-packages")
        store["PYTHONPATH"] = str(packages)
        _seconds(theirs, there, **store)
    warm: dict[str, list[float]] = {"runfolio": [], "mlflow": []}
    for _ in range(rounds):  # in turn: what else the machine does meets both alike
        warm["runfolio"].append(_seconds(ours, here, **cache))
        if python is not None:
            warm["mlflow"].append(_seconds(theirs, there, **store))
    again = statistics.median(warm["runfolio"])
    if python is not None:
        peer = statistics.median(warm["mlflow"])
        note = f"{again:.2f} s and {peer:.2f} s, source, parameters and log recorded and committed; MLflow keeps no log"
        yield Row("Project run in an environment made before", "mlflow run, SQLite", peer / again, "> 1 ×", note)
    yield Row(
        "Project run in an environment made before",
        "the first run, which makes it",
        first / again,
        "–",
        f"{again:.2f} s and {first:.1f} s",
    )
    subprocess.run([sys.executable, "-c", FIND], env=clean_environment(**cache), check=True, capture_output=True)
    made = [
        subprocess.run(
            [sys.executable, "-c", FIND], env=clean_environment(**cache), check=True, capture_output=True, text=True
        ).stdout.split()
        for _ in range(rounds)
    ]
    assert {item[0] for item in made} == {"False"}
    found = statistics.median(float(item[1]) for item in made)
    yield Row(
        "Finding a made environment, imports included",
        "the aim of one second",
        1 / found,
        "≥ 1 ×",
        f"{found * 1e3:.0f} ms; no installer is started",
    )
