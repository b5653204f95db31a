"""``runfolio runs show|history|artifacts|code``: one run, and what it left behind."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from runfolio.cli import options
from runfolio.cli.completion import metric_names
from runfolio.cli.opening import opened
from runfolio.cli.run_files import artifact_rows, chosen, copy_files, show_files
from runfolio.cli.shapes import mlflow_table, point_shape, whole_run_shape
from runfolio.cli.tables import Column, print_json, print_table, render_table, terminal_width
from runfolio.diff.describe import duration_text, number_text
from runfolio.diff.sparklines import sparkline
from runfolio.errors import NotFoundError
from runfolio.formats.csv_text import csv_text
from runfolio.formats.datasets import named_in_source
from runfolio.records import ArtifactEntry, DatasetInput, Experiment, Lifecycle, MetricPoint, Run
from runfolio.records.times import utc_text
from runfolio.records.visible import visible

MOST_ARTIFACTS = 20


@click.command("show")
@options.run
@options.at
@options.as_json
@options.as_csv
@options.raw
def show(run: str, at: str | None, as_json: bool, as_csv: bool, raw: bool) -> None:
    """Show all that is known of a run.

    With --csv one row with MLflow's columns, as `runs list` has it.
    """
    from runfolio.folio.past import commit_at

    options.check_formats(json=as_json, csv=as_csv)
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None
        found = folio.runs.named(run, commit)
        experiment = next((item for item in folio.experiments.all(commit) if item.slug == found.experiment), None)
        if as_csv:
            titles, rows = mlflow_table([found], {experiment.slug: experiment.experiment_id} if experiment else {})
            click.echo(csv_text(titles, rows, raw=raw), nl=False)
            return
        files = folio.runs.artifacts(found)
        if as_json:
            print_json(whole_run_shape(found, experiment, files))
            return
        curves = folio.runs.preview(found, commit)
        for part in (_facts(found, experiment), _values(found, curves), _origin(found), _files(found, files)):
            for line in part:
                click.echo(line)


def _facts(run: Run, experiment: Experiment | None) -> Iterator[str]:
    yield click.style(f"run {run.run_id}", bold=True) + (f"  {visible(run.name)}" if run.name else "")
    deleted = " (deleted)" if run.lifecycle is Lifecycle.DELETED else ""
    facts = {
        "experiment": experiment.name if experiment else run.experiment,
        "status": f"{run.status}{deleted}",
        "started": utc_text(run.start),
        "ended": utc_text(run.end) if run.end is not None else "",
        "duration": duration_text(run.duration_ms) if run.duration_ms is not None else "",
        "resumed": ", ".join(map(utc_text, run.resumed)),
        "user": run.user,
        "parent": run.parent or "",
    }
    for name, value in facts.items():
        if value:
            yield f"{name + ':':12} {visible(value)}"
    if run.tags.get("mlflow.note.content"):
        yield f"{'note:':12} {visible(run.tags['mlflow.note.content'])}"


def _values(run: Run, curves: Mapping[str, Sequence[MetricPoint]]) -> Iterator[str]:
    yield from _pairs("params", run.params)
    if run.metrics:
        columns = [Column("metric"), *(Column(name, right=True, whole=True) for name in ("last", "min", "max", "step", "points"))]
        rows = []
        for key in sorted(run.metrics):
            item = run.metrics[key]
            low, high = ("" if value is None else number_text(value) for value in (item.min, item.max))
            shape = sparkline([point.value for point in curves.get(key, ())]) if item.count > 1 else ""
            rows.append([key, number_text(item.last), low, high, str(item.step), str(item.count), shape])
        yield ""
        yield from _table([*columns, Column("", rank=1)], rows)
    yield from _pairs("tags", {key: value for key, value in run.tags.items() if key != "mlflow.note.content"})


def _pairs(title: str, pairs: Mapping[str, str]) -> Iterator[str]:
    if pairs:
        yield ""
        yield from _table([Column(title), Column("")], [[key, pairs[key]] for key in sorted(pairs)])


def _table(columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield from render_table(columns, rows, terminal_width())[0].splitlines()


def _origin(run: Run) -> Iterator[str]:
    if run.inputs:
        yield ""
        rows = [[item.name, item.context or "", item.digest, _source(item)] for item in run.inputs]
        yield from _table([Column("dataset"), Column("role"), Column("digest"), Column("source")], rows)
    facts = {
        **{f"code {key}": value for key, value in run.code.items()},
        **{f"entry {key}": value for key, value in run.entry.items()},
    }
    facts |= {f"environment {key}": value for key, value in run.environment.items()}
    if facts:
        yield ""
        size = max(map(len, facts)) + 2
        for key, value in facts.items():
            yield f"{key + ':':{size}} {visible(_plain(value))}"
    if run.code.get("tree"):
        yield f"Get this code back: runfolio runs code {run.run_id[:16]} DIR"
    if run.code.get("commit") and not run.code.get("dirty"):
        yield f"            or: git switch --detach {visible(str(run.code['commit']))}"


def _source(item: DatasetInput) -> str:
    found = named_in_source(item.source_type, item.source)
    return f"{found[0]}@{found[1].partition(':')[2][:12]} (runfolio data show)" if found else item.source_type


def _plain(value: object) -> str:
    if isinstance(value, (list, tuple)):
        return " ".join(_plain(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(item)}" for key, item in value.items())
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _files(run: Run, files: Mapping[str, ArtifactEntry]) -> Iterator[str]:
    if files:
        yield ""
        columns, rows = artifact_rows(files, sorted(files)[:MOST_ARTIFACTS])
        yield from _table(columns, rows)
        if len(files) > MOST_ARTIFACTS:
            yield f"… and {len(files) - MOST_ARTIFACTS} more: runfolio runs artifacts {run.run_id[:16]}"
    if run.notices:
        yield ""
    for notice in run.notices:
        yield f"notice: {visible(notice)}"


@click.command("history")
@options.run
@click.argument("metric", shell_complete=metric_names)
@options.at
@options.as_json
@options.as_csv
def history(run: str, metric: str, at: str | None, as_json: bool, as_csv: bool) -> None:
    """Print every point of a metric.

    In the order in which they were logged.
    """
    from runfolio.folio.past import commit_at

    options.check_formats(json=as_json, csv=as_csv)
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None
        found = folio.runs.named(run, commit)
        if metric not in found.metrics:
            there = ", ".join(visible(key) for key in sorted(found.metrics)) or "none"
            raise NotFoundError(f"Run {found.run_id} has no metric {metric!r}. It has: {there}.")
        points = folio.runs.history(found, metric, commit)
        if as_json:
            print_json([point_shape(point) for point in points])
        elif as_csv:
            click.echo(
                csv_text(("step", "timestamp", "value"), ((item.step, item.timestamp, item.value) for item in points)), nl=False
            )
        else:
            columns = [Column("step", right=True), Column("time"), Column("value", right=True)]
            print_table(columns, [[str(item.step), utc_text(item.timestamp), repr(item.value)] for item in points])


@click.command("artifacts")
@options.run
@click.argument("path", default="")
@click.option("--get", "target", metavar="DIR", type=click.Path(file_okay=False, path_type=Path), help="Copy them into a folder.")
@options.at
@options.as_json
@options.as_csv
@options.raw
def artifacts(run: str, path: str, target: Path | None, at: str | None, as_json: bool, as_csv: bool, raw: bool) -> None:
    """List or copy the artifacts of a run.

    With PATH only that file, or what is below that folder. Copies are verified.
    """
    from runfolio.folio.past import commit_at

    options.check_formats(json=as_json, csv=as_csv)
    with opened() as folio:
        _, _, files = chosen(folio, run, path, commit_at(folio.place, at) if at else None)
        if target is not None:
            copy_files(folio, files, target)
    show_files(files, as_json=as_json, as_csv=as_csv, raw=raw)


@click.command("code")
@options.run
@click.argument("directory", type=click.Path(file_okay=False, path_type=Path))
def code(run: str, directory: Path) -> None:
    """Get the exact code of a run back.

    It is written into DIRECTORY, which must be empty or new. What was not committed when the run started is there, too. A submodule
    is an empty folder: its commit is named.
    """
    from runfolio.gitstore.snapshots import restore_tree
    from runfolio.gitstore.trees import SUBMODULE

    with opened() as folio:
        found = folio.runs.get(folio.runs.resolve(run))
        tree = found.code.get("tree")
        if not tree:
            raise NotFoundError(
                f"Run {found.run_id} kept no code: it ran outside a git repository, or capture.code is off in runfolio.yaml."
            )
        count = restore_tree(folio.repo, str(tree), directory)
        modules = [entry for entry in folio.repo.tree_entries(str(tree), "") if entry.mode == SUBMODULE]
    click.echo(f"{count} file{'s' * (count != 1)} written to {directory}")
    for entry in modules:
        click.echo(
            f"left empty: {visible(entry.path)}, a submodule: its repository at commit {entry.oid} belongs there", err=True
        )
    for item in found.code.get("left_out") or ():
        click.echo(f"left out: {visible(_left_out(item))}", err=True)


def _left_out(item: object) -> str:
    known = isinstance(item, Mapping) and "path" in item and "reason" in item
    return f"{item['path']} ({item['reason']})" if known and isinstance(item, Mapping) else _plain(item)
