"""The submit script of a job array for Slurm: text, made of a round and of what the user says about the cluster.

Every value stands in a ``#SBATCH`` line, where it may hold no blank and no control character, or is quoted for the shell; ``setup`` alone
is the user's own shell code (``module load …``), and stands as it is. No secret is written: ``sbatch`` hands the environment of who calls
it to the tasks, and with it the credentials of the store.

>>> job = BatchJob("01a20af6586b7000ad3376d9e9ffcfe6", 1, 4, 1, "/shared", "sha256:" + "9" * 64)
>>> print(submit_script(job, {"partition": "gpu", "time": "02:00:00", "limit": 2}, "/home/ada/wine", "/tmp/logs"), end="")
#!/bin/bash
#SBATCH --job-name=runfolio-e9ffcfe6-99999999
#SBATCH --array=0-3%2
#SBATCH --chdir=/home/ada/wine
#SBATCH --output=/tmp/logs/%a.log
#SBATCH --open-mode=append
#SBATCH --requeue
#SBATCH --partition=gpu
#SBATCH --time=02:00:00
# Round 1 of the sweep 01a20af6586b7000ad3376d9e9ffcfe6: 4 trials.
set -euo pipefail
exec runfolio sweep-worker --store /shared --plans sha256:9999999999999999999999999999999999999999999999999999999999999999 --per-task 1
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any

from runfolio.deployments.client import Config, truth, whole
from runfolio.errors import UsageError
from runfolio.sweeps.engines.batch_job import BatchJob, check_config

KEYS = {
    "partition": "partition (queue) of the cluster",
    "account": "account that is charged",
    "qos": "quality of service",
    "time": "longest time of a task: minutes, HH:MM:SS or D-HH:MM:SS",
    "cpus": "processors for a task",
    "memory": "memory for a task, such as 4G",
    "gpus": "GPUs for a task, such as 1 or a100:2",
    "constraint": "features that nodes must have",
    "limit": "tasks that run at once, at most",
    "per_task": "trials that one task runs; 1 by default",
    "requeue": "false does not start a task again whose node failed",
    "setup": "shell lines before the worker, such as: module load python",
    "program": "how runfolio is called on the nodes; runfolio by default",
    "env.": "env.NAME=VALUE: a variable of the tasks; never a secret",
    "sbatch.": "sbatch.NAME=VALUE: any other option of sbatch",
}
LARGEST_ARRAY = 1000
"""Slurm's ``MaxArraySize`` is 1001 by default, which leaves the numbers 0 to 1000."""

_WORD = re.compile(r"[!-~]+\Z")
_TIME = re.compile(r"(\d+-)?\d+(:\d{1,2}){0,2}\Z")
_MEMORY = re.compile(r"\d+[KMGT]?\Z")
_GPUS = re.compile(r"([A-Za-z][\w.-]*:)?\d+\Z")
_OPTION = re.compile(r"[a-z][a-z0-9-]*\Z")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DIRECTIVES: tuple[tuple[str, str, re.Pattern[str], str], ...] = (
    ("partition", "partition", _WORD, "a name"),
    ("account", "account", _WORD, "a name"),
    ("qos", "qos", _WORD, "a name"),
    ("time", "time", _TIME, "minutes, HH:MM:SS or D-HH:MM:SS"),
    ("cpus", "cpus-per-task", re.compile(r"[1-9]\d*\Z"), "a number"),
    ("memory", "mem", _MEMORY, "an amount such as 4G"),
    ("gpus", "gpus", _GPUS, "a number, or a kind and a number such as a100:2"),
    ("constraint", "constraint", _WORD, "a feature"),
)


def per_task_of(trials: int, config: Config) -> int:
    """Return how many trials one task runs: as many as are asked for, or as an array of the largest size needs."""
    least = -(-trials // LARGEST_ARRAY)
    return max(whole(config.get("per_task", 1), "per_task", 1), least)


def submit_script(job: BatchJob, config: Config, folder: str, logs: str) -> str:
    """Write the script that ``sbatch`` takes.

    Parameters
    ----------
    job : BatchJob
    config : Mapping
        See `KEYS`.
    folder : str
        Where the tasks start.
    logs : str
        Folder for what they print, a file for each task.

    Raises
    ------
    UsageError
        If a setting is unknown, or cannot be read.
    """
    check_config("slurm", config, KEYS)
    limit = f"%{whole(config['limit'], 'limit', 1)}" if config.get("limit") else ""
    lines = [
        f"--job-name={job.name}",
        f"--array=0-{job.tasks - 1}{limit}",
        f"--chdir={_path(folder, pattern=False)}",
        f"--output={_path(logs)}/%a.log",
        "--open-mode=append",
        "--requeue" if truth(config.get("requeue", True), "requeue") else "--no-requeue",
        *(f"--{option}={_said(config, key, shape, what)}" for key, option, shape, what in _DIRECTIVES if config.get(key)),
        *_named(config, "sbatch.", _OPTION, lambda name, value: f"--{name}={value}" if value else f"--{name}", _WORD),
    ]
    exports = _named(config, "env.", _VARIABLE, lambda name, value: f"export {name}={shlex.quote(value)}", None)
    program = tuple(shlex.split(str(config.get("program") or "runfolio")))
    return "\n".join(
        [
            "#!/bin/bash",
            *(f"#SBATCH {line}" for line in lines),
            f"# Round {job.number} of the sweep {job.sweep_id}: {job.trials} trials.",
            "set -euo pipefail",
            *exports,
            *_setup(config),
            f"exec {shlex.join(job.command(program))}",
            "",
        ]
    )


def _said(config: Config, key: str, shape: re.Pattern[str], what: str) -> str:
    value = str(config[key])
    if not shape.match(value):
        raise UsageError(f"slurm: config: {key}: {what} is expected, found {value!r}.")
    return value


def _named(
    config: Config, prefix: str, names: re.Pattern[str], form: Callable[[str, str], str], values: re.Pattern[str] | None
) -> list[str]:
    made = []
    for key in sorted(config):
        if not key.startswith(prefix):
            continue
        name, value = key[len(prefix) :], _text(config[key])
        if not names.match(name):
            raise UsageError(f"slurm: config: {key}: {name!r} is no name of {'an option' if values else 'a variable'}.")
        if "\0" in value or (values and value and not values.match(value)):
            raise UsageError(f"slurm: config: {key}: a value without blanks and control characters is expected, found {value!r}.")
        made.append(form(name, value))
    return made


def _text(value: Any) -> str:
    return "" if value is None or value is True else str(value)


def _setup(config: Config) -> list[str]:
    """Return the user's own lines; a list is one line each."""
    said = config.get("setup") or ""
    text = "\n".join(map(str, said)) if isinstance(said, (list, tuple)) else str(said)
    return text.rstrip("\n").split("\n") if text.strip() else []


def _path(path: str, *, pattern: bool = True) -> str:
    """Return a path as a ``#SBATCH`` line takes it: in quotes where it holds blanks, and where Slurm looks for patterns, ``%`` doubled."""
    if any(ord(letter) < 32 or letter in '"\\' for letter in path):
        raise UsageError(f"slurm: {path!r} cannot stand in a submit script. Start the sweep from a folder of a plainer name.")
    text = path.replace("%", "%%") if pattern else path
    return f'"{text}"' if " " in text or "'" in text or "#" in text else text
