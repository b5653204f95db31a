"""Slurm: a round is a job array, submitted by ``sbatch``, followed by ``squeue`` and, where accounting is on, ``sacct``.

``runfolio sweep FILE --engine slurm -C partition=gpu -C time=02:00:00``; ``--dry-run`` prints the script. The nodes see the folder where
the sweep was started (or the store is a bucket), and have runfolio: ``program`` and ``setup`` say how.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from runfolio.deployments.client import Config
from runfolio.errors import MissingPackageError, StateError, storage_error
from runfolio.folio.folio import Folio
from runfolio.sweeps.engines.batch import KEYS, BatchEngine, Standing
from runfolio.sweeps.engines.batch_job import BatchJob, names_of
from runfolio.sweeps.engines.slurm_script import per_task_of, submit_script
from runfolio.tracking.session import Session

TIMEOUT_S = 120
_ENDED = frozenset(
    "BOOT_FAIL CANCELLED COMPLETED DEADLINE FAILED NODE_FAIL OUT_OF_MEMORY PREEMPTED REVOKED SPECIAL_EXIT TIMEOUT".split()
)
_TASK = re.compile(r"\d+_(\d+)\Z")


def slurm_engine(address: object = None, *, n_jobs: int | None = None, config: Config | None = None) -> BatchEngine:
    """Make the engine.

    Parameters
    ----------
    address : object, optional
        Not used: the cluster is the one that ``sbatch`` submits to.
    n_jobs : int, optional
        Tasks at once; as the setting ``limit``.
    config : Mapping, optional
        See `runfolio.sweeps.engines.slurm_script.KEYS` and `runfolio.sweeps.engines.batch.KEYS`.
    """
    said = dict(config or {})
    if n_jobs is not None:
        said.setdefault("limit", n_jobs)
    ours = {key: said.pop(key) for key in list(said) if key in KEYS}
    return BatchEngine(Slurm(said), ours)


class Slurm:
    """The cluster that ``sbatch`` submits to.

    Parameters
    ----------
    config : Mapping
        Checked at once.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self._logs = Path("slurm")
        submit_script(BatchJob("0" * 32, 1, 1, 1, "", ""), config, "", "")  # says what is wrong before anything is done
        self._ids: dict[str, list[str]] = {}

    def per_task(self, trials: int) -> int:
        """Return how many trials one task runs."""
        return per_task_of(trials, self._config)

    def open(self, held: Session) -> None:
        """Look for ``sbatch``, and make a folder for what tasks print.

        Raises
        ------
        MissingPackageError
            If it is not on PATH.
        """
        if shutil.which("sbatch") is None:
            raise MissingPackageError(
                "sbatch is not on PATH: this machine submits to no Slurm. Start the sweep on a login node, or print the script with "
                "--dry-run.",
                name="sbatch",
            )
        if isinstance(held.folio, Folio):
            self._logs = held.folio.place.local / "slurm"

    def text(self, job: BatchJob) -> str:
        """Return the script."""
        return submit_script(job, self._config, os.getcwd(), str(self._folder(job.name)))

    def _folder(self, name: str) -> Path:
        return (self._logs / name).absolute()

    def submit(self, job: BatchJob) -> None:
        """Submit the script, unless a job of its name waits or runs."""
        if self._find(job.name):
            return
        folder = self._folder(job.name)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "submit.sh").write_text(self.text(job), "utf-8")
        except OSError as error:
            raise storage_error("write the submit script", error) from None
        said = _run("sbatch", "--parsable", str(folder / "submit.sh"))
        self._ids[job.name] = [said.strip().split(";")[0]]

    def earlier(self, sweep_id: str) -> list[str]:
        """List the names of the sweep's jobs in the queue."""
        return sorted({name for _, name in _queue() if name.startswith(names_of(sweep_id))})

    def _find(self, name: str) -> list[str]:
        found = list(dict.fromkeys(job for job, named in _queue() if named == name))
        if found:
            self._ids[name] = found
        return found

    def look(self, name: str) -> Standing:
        """Ask the queue, and the accounting where there is one."""
        going = bool(self._find(name))
        over: dict[int, str] = {}
        for job in self._ids.get(name, ()) if shutil.which("sacct") else ():
            try:
                said = _run("sacct", "-X", "-n", "-P", "-j", job, "--format=JobID,State")
            except StateError:
                break  # no accounting here: the queue alone is asked
            for line in said.splitlines():
                task, _, state = line.partition("|")
                match = _TASK.match(task.strip())
                if match and state.split(" ")[0] in _ENDED:
                    over[int(match[1])] = (
                        f"its task is {state.strip()} in Slurm (what it printed: {self._folder(name)}/{match[1]}.log)"
                    )
        return Standing(going, over)

    def cancel(self, name: str) -> None:
        """Cancel the job."""
        for job in self._find(name):
            _run("scancel", job)


def _queue() -> list[tuple[str, str]]:
    """List id and name of this user's jobs that wait or run, a line for each task."""
    lines = _run("squeue", "--me", "-h", "-r", "-o", "%F|%j").splitlines()
    return [(job.strip(), name.strip()) for job, _, name in (line.partition("|") for line in lines) if name]


def _run(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except FileNotFoundError:
        raise StateError(f"{command[0]} is not on PATH.") from None
    except subprocess.TimeoutExpired:
        raise StateError(f"{command[0]} took more than {TIMEOUT_S} seconds.") from None
    if done.returncode:
        said = done.stderr.strip().replace("\n", " | ")[:600]
        raise StateError(f"{command[0]}: {said or 'it failed and said nothing'}")
    return done.stdout
