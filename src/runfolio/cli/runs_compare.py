"""``runfolio runs compare``: runs side by side."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli import options
from runfolio.cli.opening import opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.diff import Comparison, Row, compare_runs
from runfolio.diff.describe import duration_text, number_text
from runfolio.formats.csv_text import csv_text
from runfolio.records import Run
from runfolio.records.times import utc_text

_ALWAYS_DIFFERS = "mlflow.log-model.history"
"""Names its own run and the time: it differs between any two runs, and says nothing of them."""


@click.command("compare")
@options.some_runs
@click.option("--baseline", metavar="RUN", help="The run that metrics are compared with; the first by default.")
@click.option("--all", "everything", is_flag=True, help="What is the same, too.")
@options.at
@options.as_json
@options.as_csv
@options.raw
def compare(
    run_texts: tuple[str, ...], baseline: str | None, everything: bool, at: str | None, as_json: bool, as_csv: bool, raw: bool
) -> None:
    """Put runs side by side: only what differs.

    A metric's difference from the baseline stands in brackets.
    """
    from runfolio.folio.past import commit_at
    from runfolio.review.runs import comparison_document

    options.check_formats(json=as_json, csv=as_csv)
    with opened() as folio:
        commit = commit_at(folio.place, at) if at else None

        def run_of(text: str) -> Run:
            return folio.runs.named(text, commit)

        by_id = {run.run_id: run for run in map(run_of, run_texts)}
        base = run_of(baseline).run_id if baseline else None
        if base is not None and base not in by_id:
            by_id = {base: run_of(base), **by_id}
        if len(by_id) < 2:
            raise click.UsageError("Name two runs or more.")
        found = list(by_id.values())
    comparison = compare_runs(found, base)
    if not everything:
        comparison = comparison.only_differences().without("tag", _ALWAYS_DIFFERS)
    if as_json:
        print_json(comparison_document(comparison))
    elif as_csv:
        click.echo(csv_text(*_csv(comparison), raw=raw), nl=False)
    elif not comparison.rows:
        click.echo("The runs do not differ.", err=True)
    else:
        _print(comparison, found)


def _csv(comparison: Comparison) -> tuple[list[str], list[list[Any]]]:
    titles = ["kind", "key", *comparison.run_ids, *(f"delta.{run_id}" for run_id in comparison.run_ids)]
    blank = (None,) * len(comparison.run_ids)
    return titles, [[row.kind, row.key, *row.values, *(row.deltas or blank)] for row in comparison.rows]


def _print(comparison: Comparison, runs: list[Run]) -> None:
    names = [run.name or run.run_id[:12] for run in runs]
    heads = [f"{name} *" if at == comparison.baseline else name for at, name in enumerate(names)]
    columns = [Column("kind", whole=True), Column(""), *(Column(name) for name in heads)]
    rows = [[row.kind, row.key, *(_cell(row, at, comparison.baseline) for at in range(len(runs)))] for row in comparison.rows]
    last = ""
    for row in rows:
        row[0], last = "" if row[0] == last else row[0], row[0]
    print_table(columns, [["", "run", *comparison.run_ids], *rows])
    if any(row.deltas for row in comparison.rows):
        click.echo(f"* the baseline: {runs[comparison.baseline].run_id}", err=True)


def _cell(row: Row, at: int, baseline: int) -> str:
    value = row.values[at]
    if value is None:
        return "–"
    if row.kind == "attribute" and row.key == "start":
        return utc_text(value)
    if row.kind == "attribute" and row.key == "duration_ms":
        return duration_text(value)
    if not isinstance(value, float):
        return str(value)
    delta = row.deltas[at] if row.deltas and at != baseline else None
    if delta is None:
        return number_text(value)
    return f"{number_text(value)} ({'+' if delta >= 0 else ''}{number_text(delta)})"
