"""A real Dask scheduler with real worker processes on loopback, and a sweep that kills them and itself at known moments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.objects import s3

PATIENCE_S = 120

SWEEP = '''
"""Searches where x² + k is least; on its way trials kill the worker that runs them, and the process of the sweep."""
import json, os, pathlib, signal, sys

import runfolio

FACTS = json.loads(pathlib.Path(sys.argv[1]).read_text())
FACTS["parent"] = os.getpid()


def once(name):
    """Tell whether this is asked for the first time, on any machine."""
    try:
        (pathlib.Path(FACTS["folder"]) / name).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def objective(trial):
    x = trial.params["x"]
    runfolio.log_metric("loss", x * x, step=0)
    if trial.number in FACTS["kill_worker"] and once(f"worker-{trial.number}"):
        os.kill(os.getpid(), signal.SIGKILL)
    if trial.number == FACTS["kill_parent"] and once("parent"):
        os.kill(FACTS["parent"], signal.SIGKILL)
    if trial.number == FACTS.get("kill_scheduler") and once("scheduler"):
        os.kill(FACTS["scheduler"], signal.SIGKILL)
    runfolio.log_text(f"weights of {trial.number}", "weights.txt")
    return x * x


if __name__ == "__main__":
    found = runfolio.sweep(
        objective, {"x": {"type": "float", "low": -1, "high": 1}}, name="far", metrics="value", trials=FACTS["trials"], seed=7,
        sampler="random", resume=True, **FACTS["engine"],
    )
    print(json.dumps({"sweep": found.run_id, "trials": len(found.trials), "best": found.best_value}))
'''


@dataclass
class DaskProcesses:
    """A scheduler and its workers; those that die are replaced, as by Dask's nanny or a cluster's own manager."""

    folder: Path
    address: str = ""
    size: int = 4
    deaths: int = 0
    scheduler: int = 0
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    @property
    def calls(self) -> Path:
        """Where the objectives of ``train.py`` leave a line for each call on a worker."""
        return self.folder / "calls"

    def add(self) -> None:
        command = [
            sys.executable,
            "-m",
            "distributed.cli.dask_worker",
            self.address,
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
        ]
        with (self.folder / f"worker-{len(self.workers)}-{self.deaths}.log").open("wb") as log:
            said = [*command, "--local-directory", str(self.folder)]
            self.workers.append(subprocess.Popen(said, cwd=self.folder, env=_worker_env(self.calls), stdout=log, stderr=log))

    def keep(self) -> None:
        """Replace workers that die, until the end."""
        while not self._ended.wait(0.05):
            for worker in list(self.workers):
                if worker.poll() is not None:
                    self.workers.remove(worker)
                    self.deaths += worker.returncode == -signal.SIGKILL
                    self.add()

    def end(self) -> None:
        self._ended.set()


def _worker_env(calls: Path) -> dict[str, str]:
    """Of a machine that has nothing to do with the folio: no git on PATH, no repository, no settings of ours."""
    made = {key: value for key, value in os.environ.items() if not key.startswith(("RUNFOLIO_TRACKING", "GIT_"))}
    made |= {"PATH": "/nonexistent", "CALLS": str(calls), "PYTHONPATH": str(Path(__file__).parents[3])}
    made |= {"AWS_ACCESS_KEY_ID": s3.KEY, "AWS_SECRET_ACCESS_KEY": s3.SECRET, "RUNFOLIO_CACHE": str(calls.parent / "cache")}
    return made


@contextmanager
def dask_processes(folder: Path, size: int = 4) -> Iterator[DaskProcesses]:
    """Start a scheduler and workers, and end them."""
    (folder / "calls").mkdir(parents=True, exist_ok=True)
    file = folder / "scheduler.json"
    command = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    env = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "2"}
    with (folder / "scheduler.log").open("wb") as log:
        scheduler = subprocess.Popen([*command, "--scheduler-file", str(file)], cwd=folder, stdout=log, stderr=log, env=env)
    made = DaskProcesses(folder, size=size, scheduler=scheduler.pid)
    keeper = threading.Thread(target=made.keep, daemon=True)
    try:
        made.address = json.loads(_appears(file, scheduler))["address"]
        for _ in range(size):
            made.add()
        keeper.start()
        yield made
    finally:
        made.end()
        if keeper.is_alive():
            keeper.join()
        for process in [*made.workers, scheduler]:
            process.kill()
            process.wait()


def _appears(file: Path, process: subprocess.Popen[bytes]) -> str:
    """Wait for a file that is written whole."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert process.poll() is None, "it ended"
        if file.exists() and file.read_text().rstrip().endswith("}"):
            return file.read_text()
        threading.Event().wait(0.05)
    raise AssertionError(f"{file} did not appear")


def sweep_process(folio: Path, facts: Path, script: Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the sweep to its end, or to where it is killed."""
    script.write_text(SWEEP)
    return subprocess.run(
        [sys.executable, str(script), str(facts)],
        cwd=folio,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        timeout=3000,
    )
