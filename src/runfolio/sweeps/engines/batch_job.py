"""One round of trials as a batch system is given it: how many tasks, and what each of them runs.

A batch system starts tasks that differ by a number alone. So a round's plans are one object in the store, every task runs the same
command, and takes the plans whose turn it is by that number::

    runfolio sweep-worker --store s3://ml-artifacts/wine --plans sha256:9f86… --per-task 2

The command carries the digest of the plans. Who may write to the store can therefore not make a worker run anything else: plans whose
bytes are not those of the digest are refused.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from runfolio._dataclass import dataclass
from runfolio.deployments.client import Config
from runfolio.errors import UsageError
from runfolio.formats.fields import suggestion

TASK_VARIABLES = ("SLURM_ARRAY_TASK_ID", "JOB_COMPLETION_INDEX")
"""Where Slurm, and where Kubernetes, tells a task its number."""


@dataclass(frozen=True, slots=True)
class BatchJob:
    """A round of trials.

    Parameters
    ----------
    sweep_id : str
        Run id of the sweep.
    number : int
        Of the round, from 1.
    trials : int
    per_task : int
        Trials that one task runs, one after the other.
    store : str
        Where workers read plans and put runs: a bucket, or a folder that they share.
    plans : str
        Digest of the plans.
    """

    sweep_id: str
    number: int
    trials: int
    per_task: int
    store: str
    plans: str

    @property
    def tasks(self) -> int:
        """How many tasks there are."""
        return -(-self.trials // self.per_task)

    @property
    def name(self) -> str:
        """A name for the batch system: the same for the same plans, so that a job that is there already is known."""
        return f"{names_of(self.sweep_id)}{self.plans[7:15]}"

    def command(self, program: tuple[str, ...] = ("runfolio",)) -> list[str]:
        """Return what each task runs."""
        given = ["--store", self.store, "--plans", self.plans, "--per-task", str(self.per_task)]
        return [*program, "sweep-worker", *given]


def names_of(sweep_id: str) -> str:
    """Return how the names of a sweep's jobs begin; of its id they have the end, since its beginning is the time."""
    return f"runfolio-{sweep_id[-8:].lower()}-"


def task_number(environment: Mapping[str, str] | None = None) -> int:
    """Return the number of this task, from 0, as the batch system tells it.

    Raises
    ------
    UsageError
        If no batch system does.

    Examples
    --------
    >>> task_number({"SLURM_ARRAY_TASK_ID": "7"})
    7
    """
    found = os.environ if environment is None else environment
    for name in TASK_VARIABLES:
        said = found.get(name)
        if said is not None:
            if not said.isdecimal():
                raise UsageError(f"{name}: the number of a task is expected, found {said!r}.")
            return int(said)
    raise UsageError(
        f"Which task this is, no batch system tells ({', '.join(TASK_VARIABLES)}). Give its number: --task N, from 0."
    )


def check_config(engine: str, config: Config, known: Mapping[str, str]) -> None:
    """Refuse settings that the engine does not have.

    Parameters
    ----------
    engine : str
    config : Mapping
    known : Mapping of str to str
        Keys; one that ends with a dot stands for all that start with it.

    Raises
    ------
    UsageError
    """
    for key in config:
        if key not in known and not any(entry.endswith(".") and key.startswith(entry) and key != entry for entry in known):
            raise UsageError(f"{engine}: config: no such key {key!r}{suggestion(key, known, '.')}")
