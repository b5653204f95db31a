"""Runs of any program: ``record``, ``log`` inside it, and ``collect`` for runs that were made elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.errors import EXIT_FINDINGS

if TYPE_CHECKING:
    from runfolio.folio.collecting import Collected

F = TypeVar("F", bound=Callable[..., Any])
if TYPE_CHECKING:
    _Type = click.ParamType[Any]
else:
    _Type = click.ParamType
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}


class _Pair(_Type):
    name = "name=value"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        key, sign, text = str(value).partition("=")
        if not sign or not key:
            self.fail(f"{value!r} is not of the form NAME=VALUE", param, ctx)
        return key, text


class _Size(_Type):
    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = re.fullmatch(r"(\d+)\s*([kmg]?)(?:i?b)?", str(value).strip().lower())
        if match is None or not int(match[1]):
            self.fail(f"{value!r} is not a size; write bytes, or 500KB, 10MB", param, ctx)
        return int(match[1]) * _UNITS[match[2]]


SIZE = _Size()


def _folio(ctx: click.Context) -> str | None:
    found = ctx.find_root().params.get("folio")
    return str(found) if found else None


@click.command("record", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--experiment", metavar="NAME", help="The run's experiment; made if it is missing.")
@click.option("--name", metavar="TEXT", help="The run's name.")
@click.option("--tag", "tags", type=_Pair(), multiple=True, help="A tag; may be given several times.")
@click.option("--param", "params", type=_Pair(), multiple=True, help="A param; may be given several times.")
@click.option("--no-log", is_flag=True, help="Do not keep the program's output.")
@click.option("--log-limit", type=SIZE, default="10MB", show_default=True, help="Output kept: its beginning and end.")
@click.argument("command", nargs=-1, type=click.UNPROCESSED, required=True)
@click.pass_context
def record(
    ctx: click.Context,
    experiment: str | None,
    name: str | None,
    tags: tuple[tuple[str, str], ...],
    params: tuple[tuple[str, str], ...],
    no_log: bool,
    log_limit: int,
    command: tuple[str, ...],
) -> None:
    """Run any program as a run.

    Its exit status becomes the run's status and ours; its output passes through, and is kept as the artifact console.log. Inside,
    `runfolio log` and lines appended to the file $RUNFOLIO_LINES log to the run.

    \b
    runfolio record --experiment wine -- ./train.sh --depth 5
    runfolio record -- Rscript train.R
    """
    from runfolio.tracking.recording import record as run
    from runfolio.tracking.session import session

    for option, pairs in (("--param", params), ("--tag", tags)):
        names = [key for key, _ in pairs]
        twice = next((key for key in names if names.count(key) > 1), None)
        if twice is not None:
            raise click.UsageError(f"{option} names {twice!r} twice; which value is meant?")
    held = session(_folio(ctx))
    said: dict[str, Any] = {"experiment": experiment, "name": name, "tags": dict(tags), "params": dict(params)}
    done = run(held, command, **said, console=not no_log, limit=log_limit)
    how = f"ended by {done.ending.signal}" if done.ending.signal else f"exit status {done.ending.code}"
    click.echo(f"runfolio: recorded {done.name} ({done.run_id}): {done.ending.status}, {how}", err=True)
    raise SystemExit(done.ending.code)


@click.group("log")
def log() -> None:
    """Log to a run from the shell.

    Inside `runfolio record -- COMMAND` to its run; elsewhere to the one of --run, or of the variable RUNFOLIO_RUN_ID.

    \b
    runfolio log param depth 5
    runfolio log metric loss 0.25 --step 3
    runfolio log artifact model.bin
    """


_VALUES = {"ignore_unknown_options": True}  # -0.5 is a value


def _run_option(command: F) -> F:
    return click.option("--run", "run_id", metavar="ID", help="The run, where it is not the one at hand.")(command)


@log.command("param", context_settings=_VALUES)
@click.argument("name")
@click.argument("value")
@_run_option
@click.pass_context
def log_param(ctx: click.Context, name: str, value: str, run_id: str | None) -> None:
    """Log a param, once."""
    from runfolio.tracking.attaching import attached, chosen_run

    with attached(chosen_run(run_id), _folio(ctx), (name,)) as live:
        live.param(name, value)


@log.command("metric", context_settings=_VALUES)
@click.argument("name")
@click.argument("value")
@click.option("--step", type=int, metavar="N", help="0 by default.")
@click.option("--timestamp", type=int, metavar="MS", help="Milliseconds since the epoch; now by default.")
@_run_option
@click.pass_context
def log_metric(ctx: click.Context, name: str, value: str, step: int | None, timestamp: int | None, run_id: str | None) -> None:
    """Log one point of a metric."""
    from runfolio.formats.loose import read_loose_number
    from runfolio.tracking.attaching import attached, chosen_run

    try:
        number = read_loose_number(value)
    except ValueError as error:
        raise click.UsageError(f"metric {name}: {error}.") from None
    with attached(chosen_run(run_id), _folio(ctx)) as live:
        live.metric(name, number, timestamp, step)


@log.command("tag", context_settings=_VALUES)
@click.argument("name")
@click.argument("value")
@_run_option
@click.pass_context
def log_tag(ctx: click.Context, name: str, value: str, run_id: str | None) -> None:
    """Set a tag."""
    from runfolio.tracking.attaching import attached, chosen_run

    with attached(chosen_run(run_id), _folio(ctx)) as live:
        live.tag(name, value)


@log.command("artifact")
@click.argument("path", type=click.Path())
@click.argument("folder", default="")
@_run_option
@click.pass_context
def log_artifact(ctx: click.Context, path: str, folder: str, run_id: str | None) -> None:
    """Store a file, or a folder with all that is in it; FOLDER is where in the run."""
    from runfolio.tracking.attaching import attached, chosen_run
    from runfolio.tracking.tailing import log_path

    with attached(chosen_run(run_id), _folio(ctx)) as live:
        log_path(live, Path(path).expanduser(), folder)


@click.command("collect")
@click.argument("folders", nargs=-1, metavar="[FOLDER]...", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be taken.")
@click.option("--remove", is_flag=True, help="Remove run folders that were taken in, rather than renaming them.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def collect(folders: tuple[Path, ...], dry_run: bool, remove: bool, as_json: bool) -> None:
    """Take runs in from spool folders.

    Each run exactly once, however often it is called. Without FOLDER: the inbox beside the artifacts, in a folder or in a bucket
    (`runfolio send`). The folders hold what was logged with set_tracking_uri("spool:FOLDER"), or one folder a run with run.json, written
    by any language.
    """
    from runfolio.cli.opening import opened
    from runfolio.folio.collecting import collect as take

    with opened() as folio:
        result = take(folio, folders, dry_run=dry_run, remove=remove)
        names = {run.experiment: folio.experiments.name_of(run.experiment) for run in result.taken}
    click.echo(json.dumps(_shape(result, names), indent=2)) if as_json else _say(result, names, dry_run)
    if result.left:
        raise SystemExit(EXIT_FINDINGS)


@click.command("send")
@click.argument(
    "folders", nargs=-1, required=True, metavar="FOLDER...", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option(
    "--to", "place", required=True, metavar="PLACE", help="The folio's object store, as its setting artifacts names it: s3://…"
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def send(folders: tuple[Path, ...], place: str, as_json: bool) -> None:
    """Send the runs of spool folders to the inbox of an object store, from a machine without the repository.

    Runs that have ended go up, their files first, and are let go here; `runfolio collect` in the folio takes them in, each exactly once.
    """
    from runfolio.folio.sending import send as up
    from runfolio.records.visible import visible

    results = [up(folder.expanduser(), place) for folder in folders]
    runs, left = [run for item in results for run in item.runs], [found for item in results for found in item.left]
    unfinished = [name for item in results for name in item.unfinished]
    if as_json:
        shown = {"sent": runs, "left": [{"where": where, "reason": reason} for where, reason in left], "unfinished": unfinished}
        click.echo(json.dumps(shown, indent=2))
    else:
        for _, reason in left:
            click.echo(f"left: {visible(reason)}", err=True)
        if unfinished:
            click.echo(f"{len(unfinished)} not ended yet, and not sent.", err=True)
        click.echo(f"{len(runs)} run{'s' * (len(runs) != 1)} sent.", err=True)
    if left:
        raise SystemExit(EXIT_FINDINGS)


def _shape(result: Collected, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "taken": [{"run_id": run.run_id, "name": run.name, "experiment": names[run.experiment]} for run in result.taken],
        "there": list(result.there),
        "left": [{"where": item.where, "reason": item.reason} for item in result.left],
        "unfinished": list(result.unfinished),
        "commits": result.commits,
    }


def _say(result: Collected, names: Mapping[str, str], dry_run: bool) -> None:
    from runfolio.records.visible import visible

    for run in result.taken[:20]:
        click.echo(f"{run.run_id} {visible(run.name)} ({visible(names[run.experiment])})")
    if len(result.taken) > 20:
        click.echo(f"… and {len(result.taken) - 20} more")
    for item in result.left:
        for line in item.reason.splitlines():
            click.echo(f"left: {visible(line)}", err=True)
    if result.unfinished:
        some = ", ".join(visible(name) for name in result.unfinished[:5])
        more = " …" if len(result.unfinished) > 5 else ""
        click.echo(f"{len(result.unfinished)} unfinished, left alone: {some}{more}", err=True)
    would = "would be taken" if dry_run else "taken in"
    runs = f"{len(result.taken)} run{'s' * (len(result.taken) != 1)}"
    click.echo(f"{runs} {would}, {len(result.there)} there already, {len(result.left)} left.")
