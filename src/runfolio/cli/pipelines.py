"""Pipelines: ``run``, ``status``, ``graph``, and ``template`` for orchestrators."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli.opening import chosen_folio
from runfolio.cli.options import as_json, key_values
from runfolio.errors import EXIT_FINDINGS

if TYPE_CHECKING:
    from runfolio.pipelines.planning import Judged
    from runfolio.pipelines.results import PipelineRun, StepResult

F = TypeVar("F", bound=Callable[..., Any])

_file = click.argument("file", metavar="[FILE]", default="pipeline.yaml")
_params = click.option("-P", "--param", "params", metavar="NAME=VALUE", multiple=True, help="A param's value; repeat for more.")
_steps = click.option("--step", "steps", metavar="NAME", multiple=True, help="Only this step and what it needs; repeat for more.")
_from = click.option("--from", "start_from", metavar="NAME", multiple=True, help="Only this step and what follows from it.")
_force = click.option("--force", is_flag=True, help="Make the named steps again (or all), also where they are up to date.")


@click.group("pipeline")
def pipeline() -> None:
    """Run steps that feed each other; what is up to date is skipped.

    The steps are in pipeline.yaml: what each runs, reads and makes. See how-to/pipelines in the documentation.
    """


@pipeline.command("run")
@_file
@_params
@_steps
@_from
@_force
@click.option("--jobs", "-j", type=click.IntRange(1), default=1, show_default=True, help="So many steps at once.")
@click.option("--overwrite", is_flag=True, help="Overwrite outputs that you changed by hand; else they are refused.")
@click.option("--run-name", metavar="TEXT", help="The name of the pipeline's run.")
@click.option("--dry-run", is_flag=True, help="Only say what would run, and why.")
@as_json
def run(
    file: str,
    params: tuple[str, ...],
    steps: tuple[str, ...],
    start_from: tuple[str, ...],
    force: bool,
    jobs: int,
    overwrite: bool,
    run_name: str | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make what is not up to date.

    Each step that runs is a run below that of the pipeline, with its outputs as artifacts and its output as console.log. With nothing to do
    no run is made. Exit status: 0 all is up to date, 1 a step failed; 128 and the signal's number after Ctrl-C or another signal.

    \b
    runfolio pipeline run
    runfolio pipeline run -P depth=5 --step train
    """
    from runfolio.pipelines import run as run_pipeline
    from runfolio.pipelines import status as judge
    from runfolio.pipelines.showing import shower

    given = key_values(params, "param")
    chosen: dict[str, Any] = {
        "params": given,
        "steps": steps,
        "start_from": start_from,
        "force": force,
        "tracking_uri": chosen_folio(),
    }
    if dry_run:
        said, judged = judge(file, **chosen)
        _tell_judged(said.name, judged, as_json, "would run")
        return
    done = run_pipeline(
        file, **chosen, jobs=jobs, overwrite=overwrite, run_name=run_name, told=_tell, show=shower(jobs > 1, errors_only=as_json)
    )  # fmt: skip
    if as_json:
        click.echo(json.dumps(_run_shape(done), indent=2))
    elif not done.run_id:
        how_many = "1 step is" if len(done.steps) == 1 else f"{len(done.steps)} steps are"
        click.echo(f"{done.name}: nothing to do, {how_many} up to date")
    else:
        _tell_end(done)
    if done.signal:
        raise SystemExit(128 + done.signal)
    if not done.succeeded:
        raise SystemExit(EXIT_FINDINGS)


@pipeline.command("status")
@_file
@_params
@as_json
def status(file: str, params: tuple[str, ...], as_json: bool) -> None:
    """Say which steps are up to date, which are not, and why.

    Exit status: 0 all are up to date, 1 some are not.
    """
    from runfolio.pipelines import status as judge

    said, judged = judge(file, params=key_values(params, "param"), tracking_uri=chosen_folio())
    _tell_judged(said.name, judged, as_json, "stale")
    if any(one.made is None for one in judged):
        raise SystemExit(EXIT_FINDINGS)


def _tell_judged(name: str, judged: list[Judged], as_json: bool, word: str) -> None:
    from runfolio.records.visible import visible

    if as_json:
        steps = [
            {
                "name": one.step.name,
                "up_to_date": one.made is not None,
                "run_id": one.made.run.run_id if one.made else None,
                "why": list(one.why),
                "needs": list(one.step.needs),
                "key": one.facts.key if one.facts else None,
            }
            for one in judged
        ]
        click.echo(json.dumps({"pipeline": name, "steps": steps}, indent=2))
        return
    width = max(len(one.step.name) for one in judged)
    for one in judged:
        said = f"up to date  run {one.made.run.run_id}" if one.made else f"{word:<10}  {visible('; '.join(one.why))}"
        click.echo(f"{one.step.name:<{width}}  {said}")


def _tell(result: StepResult) -> None:
    """Say on standard error what becomes of a step."""
    from runfolio.records.pipelines import FAILED, KILLED, MADE, NOT_RUN, RUNNING, UP_TO_DATE
    from runfolio.records.visible import visible

    took = "" if result.end is None or result.start is None else f" in {(result.end - result.start) / 1000:.1f} s"
    why = visible("; ".join(result.why))
    said = {
        UP_TO_DATE: f"up to date (run {result.run_id})",
        RUNNING: f"runs: {why} (run {result.run_id})",
        MADE: f"made{took}",
        FAILED: f"FAILED{took}: {why.rstrip('.')}. Look: runfolio artifacts cat {result.run_id} console.log",
        KILLED: f"ended{took}: {why}",
        NOT_RUN: f"not run: {why}",
    }[result.state]
    click.echo(f"{result.name}: {said}", err=True)


def _tell_end(done: PipelineRun) -> None:
    from runfolio.records.pipelines import STATES

    counts = [(state, sum(step.state == state for step in done.steps)) for state in STATES]
    shown = ", ".join(f"{count} {state}" for state, count in counts if count)
    click.echo(f"{done.name}: {shown} (run {done.run_id})")


def _run_shape(done: PipelineRun) -> dict[str, Any]:
    return {
        "pipeline": done.name,
        "run_id": done.run_id or None,
        "succeeded": done.succeeded,
        "steps": [
            {
                "name": step.name,
                "state": step.state,
                "run_id": step.run_id or None,
                "why": list(step.why),
                "start": step.start,
                "end": step.end,
                "key": step.key or None,
                "outputs": {path: str(entry.digest) for path, entry in sorted((step.files or {}).items())},
            }
            for step in done.steps
        ],
    }


@pipeline.command("graph")
@_file
@click.option("--format", "form", type=click.Choice(["text", "mermaid", "svg"]), default="text", show_default=True)
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
def graph(file: str, form: str, output: Path | None) -> None:
    """Draw the steps and what they pass on to each other.

    \b
    runfolio pipeline graph
    runfolio pipeline graph --format svg -o pipeline.svg
    """
    from runfolio.pipelines.drawing import draw

    _written(draw(file, form), output)


@pipeline.command("template")
@click.argument("orchestrator", type=click.Choice(["airflow", "prefect"]))
@_file
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it to this file.")
@click.option("--schedule", metavar="CRON", help="When it runs, such as '0 3 * * *'; only by hand without it.")
def template(orchestrator: str, file: str, output: Path | None, schedule: str | None) -> None:
    """Write the file by which an orchestrator runs the pipeline: a task for each step, that logs here.

    \b
    runfolio pipeline template airflow -o dags/wine.py
    runfolio pipeline template prefect -o flow.py
    """
    from runfolio.pipelines.orchestrators import template as made

    _written(made(orchestrator, file, schedule), output)


def _written(text: str, output: Path | None) -> None:
    from runfolio.errors import storage_errors

    if output is None:
        click.echo(text, nl=False)
        return
    with storage_errors(f"write {output}"):
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(text, "utf-8")
    click.echo(f"wrote {output}", err=True)
