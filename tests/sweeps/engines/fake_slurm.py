"""``sbatch``, ``squeue``, ``sacct`` and ``scancel`` for tests: programs on PATH that do what Slurm's do, with tasks as local processes.

No mock of our code: it reads the ``#SBATCH`` lines of the script as Slurm does (up to the first command), starts ``bash SCRIPT`` for each task of the
array with Slurm's variables, at most as many at once as ``%N`` says, in the folder of ``--chdir``, prints to ``--output``, and keeps the state of each
task in Slurm's words.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

STATE = Path(os.environ.get("FAKE_SLURM", "unset"))
LIVE = ("PENDING", "RUNNING")


def options_of(script: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in script.splitlines()[1:]:
        if line.strip() and not line.startswith("#"):
            break
        if line.startswith("#SBATCH"):
            for word in shlex.split(line.removeprefix("#SBATCH"), comments=True):
                name, _, value = word.removeprefix("--").partition("=")
                found[name] = value
    return found


def write(file: Path, data: Any) -> None:
    aside = file.with_suffix(".new")
    aside.write_text(json.dumps(data))
    os.replace(aside, file)


def jobs() -> list[dict[str, Any]]:
    return [json.loads(file.read_text()) for file in sorted(STATE.glob("*.json"), key=lambda file: int(file.stem))]


def sbatch(args: list[str]) -> None:
    script = Path(args[-1]).read_text()
    if not script.startswith("#!"):
        sys.exit("sbatch: error: This does not look like a batch script.")
    options = options_of(script)
    known = {
        "job-name",
        "array",
        "chdir",
        "output",
        "open-mode",
        "requeue",
        "no-requeue",
        "partition",
        "time",
        "cpus-per-task",
        "mem",
    }
    if set(options) - known:
        sys.exit(f"sbatch: unrecognized option '--{min(set(options) - known)}'")
    if options.get("partition", "debug") != "debug":
        sys.exit("sbatch: error: invalid partition specified: " + options["partition"])
    match = re.fullmatch(r"(\d+)-(\d+)(?:%(\d+))?", options["array"])
    assert match
    if int(match[2]) > 1000:
        sys.exit("sbatch: error: Batch job submission failed: Invalid job array specification")
    number = len(jobs()) + 1
    (STATE / f"{number}.sh").write_text(script)
    tasks = {str(at): "PENDING" for at in range(int(match[1]), int(match[2]) + 1)}
    write(
        STATE / f"{number}.json",
        {"id": number, "name": options["job-name"], "tasks": tasks, "options": options, "limit": match[3]},
    )
    subprocess.Popen(
        [sys.executable, __file__, "run", str(number)],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    print(number if "--parsable" in args else f"Submitted batch job {number}")


def start(job: dict[str, Any], task: str) -> subprocess.Popen[bytes]:
    options = job["options"]
    name = options["output"].replace("%%", "\0").replace("%a", task).replace("%A", str(job["id"])).replace("\0", "%")
    env = {**os.environ, "SLURM_ARRAY_TASK_ID": task, "SLURM_ARRAY_JOB_ID": str(job["id"]), "SLURM_JOB_NAME": job["name"]}
    with open(name, "ab") as log:
        return subprocess.Popen(
            ["bash", str(STATE / f"{job['id']}.sh")],
            cwd=options["chdir"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def run(number: str) -> None:
    file, cancelled = STATE / f"{number}.json", STATE / f"{number}.cancelled"
    job = json.loads(file.read_text())
    limit = int(job["limit"] or 2)
    going: dict[str, subprocess.Popen[bytes]] = {}
    while any(state in LIVE for state in job["tasks"].values()):
        for task, process in list(going.items()):
            if process.poll() is not None:
                del going[task]
                job["tasks"][task] = "COMPLETED" if process.returncode == 0 else "FAILED"
        if cancelled.exists():
            for process in going.values():
                os.killpg(process.pid, signal.SIGTERM)
                process.wait()
            job["tasks"] = {
                task: f"CANCELLED by {os.getuid()}" if state in LIVE else state for task, state in job["tasks"].items()
            }
            going.clear()
        for task, state in job["tasks"].items():
            if state == "PENDING" and len(going) < limit:
                going[task] = start(job, task)
                job["tasks"][task] = "RUNNING"
        job["most"] = max(job.get("most", 0), len(going))
        write(file, job)
        time.sleep(0.05)


def squeue(args: list[str]) -> None:
    assert args == ["--me", "-h", "-r", "-o", "%F|%j"], args
    for job in jobs():
        for state in job["tasks"].values():
            if state in LIVE:
                print(f"{job['id']}|{job['name']}")


def sacct(args: list[str]) -> None:
    if (STATE / "no-accounting").exists():
        sys.exit("Slurm accounting storage is disabled")
    wanted = int(args[args.index("-j") + 1])
    for job in jobs():
        if job["id"] == wanted:
            for task, state in job["tasks"].items():
                print(f"{wanted}_{task}|{state}")


def scancel(args: list[str]) -> None:
    (STATE / f"{int(args[0])}.cancelled").touch()


def install(folder: Path) -> None:
    """Put the programs into a folder for PATH."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("sbatch", "squeue", "sacct", "scancel"):
        (folder / name).write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    {"sbatch": sbatch, "squeue": squeue, "sacct": sacct, "scancel": scancel, "run": lambda args: run(args[0])}[sys.argv[1]](
        sys.argv[2:]
    )
