"""``runfolio sweep-worker``: what the tasks of Slurm and Kubernetes run, called by the scripts and manifests of ``runfolio sweep``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.sweeps.trials import TrialPlan, TrialResult


@click.command("sweep-worker")
@click.option(
    "--store", metavar="PLACE", required=True, help="The folio's store: a bucket, or the absolute path of a shared folder."
)
@click.option("--plans", metavar="DIGEST", required=True, help="The plans of the round.")
@click.option("--per-task", metavar="N", type=click.IntRange(1), default=1, show_default=True, help="Trials that a task runs.")
@click.option(
    "--task", metavar="N", type=click.IntRange(0), help="Number of the task, from 0; the batch system's own by default."
)
def sweep_worker(store: str, plans: str, per_task: int, task: int | None) -> None:
    """Run a task's trials of a sweep, and hand their runs over.

    Slurm and Kubernetes start it, with the number of the task in the environment. It needs no git and no repository: plans come from
    the store, by their digest; runs go into its inbox.
    """
    from runfolio.sweeps.engines.task import run_task

    def told(plan: TrialPlan, result: TrialResult) -> None:
        what = f": {result.fault}" if result.fault else "".join(f" {value:g}" for value in result.values)
        click.echo(f"runfolio: trial {plan.number} ({plan.run_id}) {result.state}{visible(what)}", err=True)

    run_task(store, plans, per_task=per_task, task=task, told=told)
