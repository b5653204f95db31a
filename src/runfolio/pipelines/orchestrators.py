"""Pipelines handed over: the file by which Airflow or Prefect runs the steps, each a task that calls ``runfolio pipeline run --step``.

The orchestrator brings schedules, retries, alarms and machines; runfolio goes on to decide what is up to date, to hold what steps made,
and to show the runs. So a task that is retried, or a DAG that is run again, does only what is missing, and tasks pass nothing on to each
other but their order.

The files are texts of the user's from then on. They hold no path of this machine: where the repository lies is read from the environment
variable ``RUNFOLIO_PROJECT`` when they run. Names of steps are quoted as Python, and the command is a list that no shell reads.
"""

from __future__ import annotations

import os
import re

from runfolio.errors import UsageError
from runfolio.formats.training_settings import is_schedule
from runfolio.pipelines.model import Pipeline
from runfolio.pipelines.reading import read_pipeline

_HEAD = '''"""{title}: made by `runfolio pipeline template {orchestrator}`, yours to change.

Each task is one step of {file}, run by runfolio: what is up to date is skipped, what is made becomes a run of the folio.
Set RUNFOLIO_PROJECT to the folder of the repository on the machine that runs the tasks. Tasks need runfolio and git there; the
tasks of one run share that folder, so keep them on one machine, or mount it.
"""

from __future__ import annotations

'''

_AIRFLOW = '''import os
import subprocess
from datetime import datetime, timedelta

from airflow import DAG

try:  # Airflow 3
    from airflow.providers.standard.operators.python import PythonOperator
except ImportError:  # Airflow 2
    from airflow.operators.python import PythonOperator

PIPELINE = {file!r}
PARAMS = {params!r}
"""Of pipeline.yaml; what the DAG is triggered with takes their place."""


def run_step(name, **context):
    """Bring one step up to date. A failure of the step fails the task; the run in the folio has its log."""
    given = {{**PARAMS, **(context.get("params") or {{}})}}
    command = ["runfolio", "pipeline", "run", PIPELINE, "--step", name]
    for key in PARAMS:
        command += ["-P", f"{{key}}={{given[key]}}"]
    subprocess.run(command, cwd=os.environ.get("RUNFOLIO_PROJECT", "."), check=True)


with DAG(
    dag_id={dag!r},
    description={description!r},
    schedule={schedule!r},
    start_date=datetime(2024, 1, 1),
    catchup=False,
    max_active_runs=1,
    max_active_tasks=1,  # the work tree is shared: what a step reads is put there before it starts
    params=PARAMS,
    default_args={{"retries": 1, "retry_delay": timedelta(minutes=5)}},
    tags=["runfolio"],
) as dag:
    tasks = {{
        name: PythonOperator(task_id=name, python_callable=run_step, op_args=[name])
        for name in {names!r}
    }}
{edges}'''

_PREFECT = '''import os
import subprocess

from prefect import flow, task

PIPELINE = {file!r}


@task(retries=1, retry_delay_seconds=30, task_run_name="{{name}}")
def run_step(name: str, params: dict[str, str], after: list[str]) -> str:
    """Bring one step up to date, after others. A failure of the step fails the task; the run in the folio has its log."""
    command = ["runfolio", "pipeline", "run", PIPELINE, "--step", name]
    for key, value in params.items():
        command += ["-P", f"{{key}}={{value}}"]
    subprocess.run(command, cwd=os.environ.get("RUNFOLIO_PROJECT", "."), check=True)
    return name


@flow(name={dag!r}, description={description!r})
def pipeline(params: dict[str, str] | None = None) -> None:
    """Run the pipeline; params take the place of those in pipeline.yaml."""
    given = {{**{params!r}, **(params or {{}})}}
    done: dict[str, str] = {{}}
{edges}

if __name__ == "__main__":
{main}'''


def template(orchestrator: str, path: str | os.PathLike[str], schedule: str | None = None) -> str:
    """Return the text of an orchestrator's file.

    Parameters
    ----------
    orchestrator : {"airflow", "prefect"}
    path : path
        The pipeline's file.
    schedule : str, optional
        When it runs, in cron's five fields; only by hand without it.

    Raises
    ------
    UsageError
        If the schedule is not of that form.
    """
    if schedule is not None and not is_schedule(schedule):
        raise UsageError(f"{schedule!r} is no schedule: write cron's five fields, such as '0 3 * * *'.")
    pipeline = read_pipeline(path)[1]
    make = {"airflow": _airflow, "prefect": _prefect}[orchestrator]
    head = _HEAD.format(title=f"The pipeline {pipeline.name}", orchestrator=orchestrator, file=_in_words(pipeline.file))
    return head + make(pipeline, schedule)


def _in_words(text: str) -> str:
    """Return a file's name as it may stand in a docstring."""
    return re.sub(r'["\\]', "_", text)


def _airflow(pipeline: Pipeline, schedule: str | None) -> str:
    edges = "".join(
        f"    {_tasks(step.needs)} >> tasks[{step.name!r}]\n" for step in pipeline.steps if step.needs
    )  # fmt: skip
    return _AIRFLOW.format(
        file=pipeline.file, params=dict(pipeline.params), dag=pipeline.name, description=_one_line(pipeline), schedule=schedule,
        names=[step.name for step in pipeline.steps], edges=edges,
    )  # fmt: skip


def _tasks(names: tuple[str, ...]) -> str:
    listed = [f"tasks[{name!r}]" for name in names]
    return listed[0] if len(listed) == 1 else f"[{', '.join(listed)}]"


def _prefect(pipeline: Pipeline, schedule: str | None) -> str:
    edges = "".join(
        f"    done[{step.name!r}] = run_step({step.name!r}, given, [{', '.join(f'done[{name!r}]' for name in step.needs)}])\n"
        for step in pipeline.steps
    )
    main = f"    pipeline.serve(name={pipeline.name!r}, cron={schedule!r})\n" if schedule else "    pipeline()\n"
    return _PREFECT.format(
        file=pipeline.file,
        params=dict(pipeline.params),
        dag=pipeline.name,
        description=_one_line(pipeline),
        edges=edges,
        main=main,
    )


def _one_line(pipeline: Pipeline) -> str:
    return " ".join(pipeline.description.split()) or f"The pipeline {pipeline.name}"
