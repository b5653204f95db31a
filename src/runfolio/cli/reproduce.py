"""``runfolio reproduce`` and ``runfolio verify``: a run made again and judged, and whether it could be."""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from runfolio.cli import options
from runfolio.cli.opening import opened
from runfolio.errors import EXIT_FINDINGS
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.records.reproductions import Reproduction
    from runfolio.reproduction import Verified

_MANAGERS = click.Choice(["local", "virtualenv", "uv", "conda"])
_SHOWN = 10


@click.command("reproduce")
@options.run
@click.option(
    "--env-manager", type=_MANAGERS, help="By default local where just what the run had is installed here, else virtualenv."
)
@click.option(
    "--tolerance", type=click.FloatRange(0, 1, max_open=True), metavar="REL", help="Relative; as runfolio.yaml says, or 1e-9."
)
@click.option(
    "--ignore", multiple=True, metavar="PATTERN", help="Metrics that are not compared, such as 'time/*'; repeat for more."
)
@click.option(
    "--code", default="recorded", metavar="WHICH", show_default=True, help="recorded, here (the work tree), or a revision."
)
@click.option(
    "--data",
    type=click.Choice(["recorded", "here"]),
    default="recorded",
    show_default=True,
    help="By digest, or as it lies here.",
)
@click.option(
    "--fill", multiple=True, metavar="NAME=VALUE", help="A secret argument that the record has as ***; =@VARIABLE reads it there."
)
@click.option("--timeout", metavar="SPAN", help="Stop the command after so long: 90s, 30m, 12h; a bare number is seconds.")
@click.option(
    "--keep",
    type=click.Path(file_okay=False, path_type=Path),
    help="Leave the code as it ran, and what it wrote, in a new folder.",
)
@click.option("--no-record", is_flag=True, help="Do not commit the verdict.")
@options.as_json
def reproduce(
    run: str,
    env_manager: str | None,
    tolerance: float | None,
    ignore: tuple[str, ...],
    code: str,
    data: str,
    fill: tuple[str, ...],
    timeout: str | None,
    keep: Path | None,
    no_record: bool,
    as_json: bool,
) -> None:
    """Make a run again and compare every metric with its record.

    RUN is a run's id or name, runs:/RUN, or models:/NAME/STAGE. The recorded code runs in the recorded environment, on the recorded
    data, in a scratch folio; the verdict is committed under reproductions/. Exit code 0: reproduced, or within the spread of its
    replicates; 1: it differs; 22: it could not be run.
    """
    from runfolio.formats.reproductions import reproduction_fields
    from runfolio.reproduction import ReproduceOptions, asked_for
    from runfolio.reproduction import reproduce as make_again

    chosen = ReproduceOptions(
        env_manager,
        tolerance,
        ignore,
        code,
        data,
        _seconds(timeout),
        _filled(fill),
        keep.expanduser() if keep else None,
        not no_record,
    )
    with opened() as folio:
        made = make_again(folio, asked_for(folio, run), chosen, lambda text: click.echo(f"runfolio: {visible(text)}", err=True))
    if as_json:
        click.echo(json.dumps(reproduction_fields(made.verdict), indent=2))
    else:
        for line in verdict_lines(made.verdict):
            click.echo(line)
        if made.last_words:
            click.echo("\nIts last words:\n" + "\n".join(f"  {visible(line)}" for line in made.last_words.splitlines()), err=True)
        if made.path:
            click.echo(f"runfolio: the verdict is committed: {made.path}", err=True)
    raise SystemExit(made.exit_code)


@click.command("verify")
@options.run
@click.option("--read-data", is_flag=True, help="Read every object and compare it with its digest.")
@click.option("--packages", is_flag=True, help="Ask the package index for every package of the recorded list.")
@click.option("--here", is_flag=True, help="Say also what differs in the work tree, the data in it, and what is installed.")
@options.as_json
def verify(run: str, read_data: bool, packages: bool, here: bool, as_json: bool) -> None:
    """Look whether a run could be made again, without running anything.

    RUN is a run's id or name, runs:/RUN, or models:/NAME/STAGE. Are its code, data, artifacts and environment still there, and intact?
    Exit code 1 where something is not, or, with --here, where something differs.
    """
    from runfolio.reproduction import asked_for
    from runfolio.reproduction import verify as look

    with opened() as folio:
        found = look(folio, asked_for(folio, run), read_data=read_data, here=here, packages=packages)
    if as_json:
        facts = [{"what": fact.what, "state": fact.state, "text": fact.text, "remedy": fact.remedy} for fact in found.facts]
        shown = {"run_id": found.run.run_id, "whole": found.whole, "facts": facts}
        click.echo(json.dumps(shown if found.changed is None else {**shown, "changed": found.changed}, indent=2))
    else:
        _say(found)
    if not (found.whole and found.same_here):
        raise SystemExit(EXIT_FINDINGS)


def _seconds(span: str | None) -> float | None:
    if span is None:
        return None
    try:
        seconds = float(span)
    except ValueError:
        from runfolio.formats.durations import parse_duration

        return parse_duration(span)
    if not (math.isfinite(seconds) and seconds > 0):
        raise click.UsageError(f"--timeout: a time above nothing is expected; found {span!r}.")
    return seconds


def _filled(pairs: tuple[str, ...]) -> dict[str, str]:
    made = {}
    for key, value in options.key_values(pairs, "value to fill in").items():
        if value.startswith("@"):
            found = os.environ.get(value[1:])
            if found is None:
                raise click.UsageError(f"--fill {key}: there is no environment variable {value[1:]}.")
            value = found
        made[key.lstrip("-")] = value
    return made


def verdict_lines(made: Reproduction) -> list[str]:
    """Tell a verdict: its words first, then what is behind them."""
    lines = [click.style(visible(made.words), bold=True), *(f"  {visible(line)}" for line in made.reason.splitlines()[1:])]
    if made.compared:
        metrics = f"{made.compared} metric{'s' * (made.compared != 1)}"
        lines.append(f"  {metrics} compared, {made.exact} the same bit for bit (tolerance: rel {made.tolerance:g})")
    for key, item in list(made.metrics.items())[:_SHOWN]:
        at = f" at step {item.step}" if item.step is not None else ""
        values = " → ".join("–" if value is None else f"{value!r}" for value in (item.was, item.now))
        lines.append(f"  {visible(key)}{at}: {values}, {item.by} ({item.outcome.value.replace('_', ' ')})")
    if len(made.metrics) > _SHOWN:
        lines.append(f"  … and {len(made.metrics) - _SHOWN} metrics more")
    files = made.artifacts
    if files.same or files.other or files.missing:
        other = (
            f", {files.other + files.missing} not: {', '.join(map(visible, files.names[:3]))}"
            if files.other + files.missing
            else ""
        )
        lines.append(f"  files: {files.same} of {files.same + files.other + files.missing} have the same bytes{other}")
    lines += [f"  code: {visible(path)} {lines_}" for path, lines_ in made.changed_code.items()]
    # Versions that differ first, each of them; of what is in one list alone (all that is installed here, maybe) some.
    alone = [name for name, pair in made.packages.items() if not all(pair)]
    named = [*(name for name in made.packages if name not in alone), *alone[:_SHOWN]]
    packages = {name: made.packages[name] for name in named}
    pairs = (("data", made.inputs), ("param", made.params), ("package", packages), ("", made.facts))
    lines += [f"  {changed_line(kind, name, pair)}" for kind, found in pairs for name, pair in found.items()]
    if len(packages) < len(made.packages):
        more = len(made.packages) - len(packages)
        lines.append(f"  … and {more} packages more that are in one of the lists alone (--json names all)")
    where = f"{made.manager}, Python {made.environment['python']}" if made.environment.get("python") else made.manager
    if made.manager:
        lines.append(f"  environment: {where}; it took {made.duration_ms / 1000:.1f} s")
    return [*lines, *(f"  note: {visible(note)}" for note in made.notes)]


def changed_line(kind: str, name: str, pair: tuple[str, str]) -> str:
    """Tell one thing that differs: ``package numpy 1.26.4 → 2.0.1``."""
    then, now = (visible(value) or "–" for value in pair)
    return f"{kind} {visible(name)} {then} → {now}".strip()


def _say(found: Verified) -> None:
    marks = {"ok": "✓", "fault": "✗", "unknown": "?"}
    for fact in found.facts:
        click.echo(f"{marks[fact.state]} {fact.what}: {visible(fact.text)}")
        if fact.state == "fault" and fact.remedy:
            click.echo(f"    {visible(fact.remedy)}")
    if found.changed is None:
        return
    if found.same_here:
        click.echo("Nothing differs here: code, packages and data are as they were.")
        return
    click.echo("\nHere and now differ:")
    for path, lines in found.changed["code"].items():
        click.echo(f"  code {visible(path)} {lines}")
    for kind, what in (("package", "packages"), ("", "facts"), ("data", "data")):
        for name, pair in found.changed[what].items():
            told = found.changed.get("data_told", {}).get(name, "") if what == "data" else ""
            click.echo(f"  {changed_line(kind, name, pair)}" + (f": {visible(told)}" if told else ""))
