"""``runfolio sweep``: a search over params from a file, and what the sweeps of the folio have found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from runfolio.cli import options
from runfolio.cli.completion import run_names
from runfolio.cli.opening import chosen_folio
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.errors import EXIT_FINDINGS

if TYPE_CHECKING:
    from runfolio.sweeps.book import TrialEntry
    from runfolio.sweeps.files import SweepFile
    from runfolio.sweeps.result import SweepResult, TrialSummary

MOST_SHOWN, DRY_POINTS = 10, 5


@click.command("sweep")
@click.argument("file", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--trials", type=click.IntRange(1), help="How many trials in all.")
@click.option("--jobs", "n_jobs", type=int, help="Trials at once; -1 for all processors.")
@click.option("--timeout", metavar="SPAN", help="How long new trials are begun, such as 2h.")
@click.option("--name", metavar="TEXT", help="Of the sweep's run.")
@click.option("--experiment", "experiment_name", metavar="NAME", help="The runs' experiment; made if it is missing.")
@click.option("--seed", type=click.IntRange(0), help="Of the points.")
@click.option("--engine", metavar="NAME", help="Who runs the trials: local, dask, ray, slurm, kubernetes.")
@click.option(
    "--address", metavar="ADDRESS", help="Of the cluster: tcp://HOST:8786 of Dask's scheduler, auto or ray://HOST:10001."
)
@click.option("-C", "--config", metavar="KEY=VALUE", multiple=True, help="A setting of the engine; repeat for more.")
@click.option("--resume", metavar="RUN", shell_complete=run_names, help="Go on with this sweep: what finished counts.")
@click.option(
    "--continue", "go_on", is_flag=True, help="Go on with the newest sweep of this name that has not finished, or start."
)
@click.option("--dry-run", is_flag=True, help="Only show what would be run, or submitted.")
@click.option("--show", metavar="RUN", shell_complete=run_names, help="Show what a sweep has found so far.")
@click.option("--list", "listed", is_flag=True, help="List the sweeps.")
@options.as_json
def sweep(
    file: Path | None,
    resume: str | None,
    go_on: bool,
    dry_run: bool,
    show: str | None,
    listed: bool,
    as_json: bool,
    config: tuple[str, ...],
    **given: Any,
) -> None:
    """Search a space of params: many runs of one command or function.

    \b
    runfolio sweep sweep.yaml --trials 50 --jobs 4
    runfolio sweep sweep.yaml --resume RUN        after a kill: nothing is lost or run twice
    runfolio sweep --show RUN
    """
    from runfolio.tracking.session import set_tracking_uri

    if (file is not None) + (show is not None) + listed != 1:
        raise click.UsageError("Give a file to run, or --show RUN, or --list.")
    if resume and go_on:
        raise click.UsageError("--resume names a sweep, --continue finds one: give one of the two.")
    if (uri := chosen_folio()) is not None:
        set_tracking_uri(uri)
    if listed:
        _list(as_json)
    elif show is not None:
        from runfolio.sweeps.showing import load

        _print(load(show), as_json)
    else:
        assert file is not None
        said = {key: value for key, value in given.items() if value is not None}
        _run(file, said, options.key_values(config, "setting"), resume or go_on, dry_run, as_json)


def _run(
    file: Path, given: Mapping[str, Any], config: Mapping[str, str], resume: str | bool, dry_run: bool, as_json: bool
) -> None:
    from runfolio.errors import storage_error
    from runfolio.sweeps.files import read_sweep_file
    from runfolio.sweeps.sweeping import sweep as run
    from runfolio.tracking import fluent

    try:
        data = file.read_bytes()
    except OSError as error:
        raise storage_error(f"read {file}", error) from None
    found = read_sweep_file(data, str(file))
    arguments: dict[str, Any] = {"name": file.stem, **found.arguments, **given}
    if config:
        arguments["engine_config"] = {**(arguments.get("engine_config") or {}), **config}
    _import_from_here()
    if dry_run:
        _dry_run(found, arguments, as_json)
        return
    result = run(found.objective, **arguments, resume=resume or None, told=_Teller(arguments.get("metrics")))
    fluent.flush()
    _print(result, as_json)
    if result.trials and all(trial.state == "failed" for trial in result.trials):
        click.echo("runfolio: every trial failed: look at console.log or traceback.txt of one of them", err=True)
        raise SystemExit(EXIT_FINDINGS)


def _import_from_here() -> None:
    """Let functions of the current folder be imported, as ``python -m`` does."""
    import sys

    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))


class _Teller:
    """Says each trial that is over on standard error."""

    def __init__(self, metrics: Any) -> None:
        self._names = list(metrics or ["value"])

    def __call__(self, entry: TrialEntry) -> None:
        from runfolio.diff.describe import number_text
        from runfolio.records.visible import visible

        values = entry.values if str(entry.state) == "complete" else ()
        said = ", ".join(f"{name} {number_text(value)}" for name, value in zip(self._names, values, strict=False))
        why = f": {entry.fault}" if entry.fault else ""
        click.echo(visible(f"runfolio: trial {entry.number}: {said or str(entry.state)}{why}"), err=True)


def _dry_run(found: SweepFile, arguments: Mapping[str, Any], as_json: bool) -> None:
    from runfolio.sweeps.objectives import Command
    from runfolio.sweeps.sweeping import plan

    settings, points = plan(found.objective, DRY_POINTS, **arguments)
    submitted = None
    if arguments.get("engine"):
        from runfolio.sweeps.engines.preview import preview

        submitted = preview(settings, arguments)
    if submitted is not None and not as_json:
        click.echo(submitted, nl=False)
        return
    shown: list[dict[str, Any]] = []
    for number, params in enumerate(points):
        command = found.objective.filled(params, number) if isinstance(found.objective, Command) else None
        shown.append({"trial": number, "params": params, "command": command})
    if as_json:
        print_json({"objective": settings.objective, "sampler": settings.sampler.name, "trials": settings.trials, "first": shown})
        return
    many = "until the time is over" if settings.trials is None else f"{settings.trials} trials"
    repeated = f", each run {settings.repeats} times" if settings.replicates else ""
    click.echo(f"{many}{repeated}, sampler {settings.sampler.name}, pruner {settings.pruner.name}; nothing was run.")
    for each in shown:
        words = each["command"] or [f"{name}={value}" for name, value in each["params"].items()]
        click.echo(f"  {each['trial']}: {' '.join(map(str, words))}")


def _print(result: SweepResult, as_json: bool) -> None:
    if as_json:
        print_json({"run_id": result.run_id, **result.document})
        return
    from runfolio.diff.describe import number_text
    from runfolio.records.redaction import MASK
    from runfolio.records.visible import visible

    front = list(result.pareto_front)
    if front:
        names = list(front[0].params)
        secret = {name for name, said in result.document["space"].items() if said.get("value") == MASK}
        columns = [Column("trial", right=True), *(Column(name, right=True, whole=True) for name in result.metrics)]
        columns += [Column(name, rank=2) for name in names] + [Column("run", rank=1)]
        print_table(columns, [_row(trial, result, names, secret) for trial in front[:MOST_SHOWN]])
        if len(front) > MOST_SHOWN:
            click.echo(f"runfolio: {len(front) - MOST_SHOWN} more on the front", err=True)
    for metric, shares in result.importance.items():
        said = ", ".join(f"{name} {100 * share:.0f} %" for name, share in shares.items())
        click.echo(visible(f"{metric} is explained by: {said}"))
    if len(result.metrics) > 1 and front:
        click.echo(f"runfolio: {len(front)} on the Pareto front", err=True)
    counts = ", ".join(f"{count} {state}" for state, count in result.document["counts"].items() if count)
    click.echo(visible(f"runfolio: sweep {result.name} ({result.run_id}): {counts or 'no trial yet'}"), err=True)
    if front and len(result.metrics) == 1 and result.best_value is not None:
        way = next(iter(result.metrics.values()))
        click.echo(f"runfolio: best {number_text(result.best_value)} ({way})", err=True)


def _row(trial: TrialSummary, result: SweepResult, names: list[str], secret: set[str]) -> list[str]:
    from runfolio.diff.describe import number_text
    from runfolio.records.redaction import MASK

    values = []
    for metric in result.metrics:
        spread = f" ± {number_text(trial.spreads[metric])}" if metric in trial.spreads else ""
        values.append(number_text(trial.values[metric]) + spread)
    found = (MASK if name in secret else trial.params.get(name, "") for name in names)
    params = [number_text(value) if isinstance(value, float) else str(value) for value in found]
    return [str(trial.number), *values, *params, trial.runs[0][:12] if trial.runs else ""]


def _list(as_json: bool) -> None:
    from runfolio.records.sweeps import SAMPLER_TAG
    from runfolio.records.times import utc_text
    from runfolio.sweeps.settings import settings_of
    from runfolio.sweeps.showing import sweeps_here

    found = sweeps_here()
    if as_json:
        keys = ("run_id", "name", "experiment")
        print_json(
            [{**{key: getattr(run, key) for key in keys}, "status": run.status.value, "start": run.start} for run in found]
        )
        return
    columns = [
        Column("run"),
        Column("name"),
        Column("status"),
        Column("started", rank=1),
        Column("metrics"),
        Column("sampler", rank=2),
    ]
    rows = []
    for run in found:
        settings = settings_of(run)
        rows.append([
            run.run_id[:12], run.name, run.status.value, utc_text(run.start), ", ".join(settings.names),
            settings.sampler.name if SAMPLER_TAG in run.tags else "",
        ])  # fmt: skip
    print_table(columns, rows)
