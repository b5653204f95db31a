"""A dataset's facts, and the drift between two contents, in words and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from runfolio.cli.tables import Column, print_table
from runfolio.records.times import utc_text
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.diff.drift import Drift
    from runfolio.folio.dataset_uses import Shown
    from runfolio.records.datasets import ColumnFacts, Dataset, Facts


def print_shown(found: Shown) -> None:
    """Print what is known of a content."""
    _head(found.dataset, found.facts)
    if found.facts is not None:
        _facts(found.facts)
    if found.versions:
        click.echo("\nVersions")
        rows = [
            [item.dataset.digest.partition(":")[2][:12], utc_text(item.at)[:16].replace("T", " "), item.author, item.subject]
            for item in found.versions
        ]
        print_table(
            [Column("Digest", whole=True), Column("Recorded (UTC)", whole=True), Column("By"), Column("Commit", rank=1)], rows
        )
    if found.runs:
        click.echo("\nRuns that read this content")
        rows = [[run.run_id[:12], run.name, found.experiments[run.experiment], run.status.value] for run in found.runs]
        print_table([Column("Run", whole=True), Column("Name"), Column("Experiment"), Column("Status", whole=True)], rows)


def _head(dataset: Dataset, facts: Facts | None) -> None:
    from runfolio.folio.datasets import named_holder

    lines = [("name", dataset.name), ("digest", dataset.digest), ("path", dataset.path), ("kept by", named_holder(dataset))]
    lines += [("source", dataset.source), ("description", dataset.description)]
    if facts is None:
        lines.append(("facts", "none are recorded"))
    else:
        lines += [
            ("size", f"{facts.size:,} bytes"),
            ("files", f"{facts.files:,}" if facts.files != 1 else ""),
            ("type", facts.media_type),
        ]
        lines.append(("rows", "" if facts.rows is None else f"{facts.rows:,}"))
        lines += [(f"array {name}", text) for name, text in facts.arrays.items()]
        lines += [("note", note) for note in facts.notes]
    wide = max(len(visible(name)) for name, _ in lines)
    for name, text in lines:
        if text:
            click.echo(f"{visible(name):<{wide}}  {visible(text)}")


def _facts(facts: Facts) -> None:
    if facts.types:
        click.echo("\nFiles by type")
        rows = [[name, f"{item.files:,}", f"{item.size:,}"] for name, item in facts.types.items()]
        print_table([Column("Type"), Column("Files", True), Column("Bytes", True)], rows)
    if facts.columns:
        click.echo("\nColumns")
        rows = [_column(column) for column in facts.columns]
        heads = [
            Column("Name"),
            Column("Type", rank=1),
            Column("Missing", True),
            Column("Min", True),
            Column("Mean", True),
            Column("Max", True),
        ]
        print_table([*heads, Column("SD", True, 1), Column("Distinct", True, 2)], rows)
    if facts.columns_left_out:
        click.echo(f"… and {facts.columns_left_out:,} more columns", err=True)
    if facts.sample:
        click.echo("\nFirst rows")
        names = list(facts.sample[0])
        print_table(
            [Column(name) for name in names],
            [["" if row.get(name) is None else str(row.get(name)) for name in names] for row in facts.sample],
        )


def _column(column: ColumnFacts) -> list[str]:
    def number(value: float | str | None) -> str:
        return "" if value is None else value if isinstance(value, str) else f"{value:.6g}"

    distinct = "" if column.distinct is None else f"{column.distinct:,}"
    return [
        column.name, column.type, f"{column.missing:,}" if column.missing else "", number(column.min), number(column.mean),
        number(column.max), number(column.std), distinct,
    ]  # fmt: skip


def shown_shape(found: Shown) -> dict[str, Any]:
    """Return what is known of a content as JSON values."""
    from runfolio.formats.datasets import dataset_fields, facts_fields

    return {
        "dataset": {**dataset_fields(found.dataset), "name": found.dataset.name, "slug": found.dataset.slug},
        "facts": None if found.facts is None else facts_fields(found.facts),
        "versions": [
            {
                "digest": item.dataset.digest,
                "commit": item.commit,
                "at": utc_text(item.at),
                "author": item.author,
                "subject": item.subject,
            }
            for item in found.versions
        ],
        "runs": [
            {
                "run_id": run.run_id,
                "name": run.name,
                "experiment": found.experiments[run.experiment],
                "status": run.status.value,
            }
            for run in found.runs
        ],
    }


def print_drift(found: Drift) -> None:
    """Print how one content differs from another."""
    if found.same:
        click.echo(found.words())
        return
    click.echo(f"{found.old.partition(':')[2][:12]} → {found.new.partition(':')[2][:12]}: {found.words()}")
    for line in found.schema:
        click.echo(f"  {visible(line)}")
    for item in found.columns:
        if item.level or not item.compared:
            click.echo(f"  {visible(item.text)}")


def drift_shape(found: Drift) -> dict[str, Any]:
    """Return how one content differs from another as JSON values."""
    columns = [
        {
            "name": item.name,
            "level": item.level.name.lower(),
            "text": item.text,
            "compared": item.compared,
            "mean_shift": item.mean_shift,
            "psi": item.psi,
            "jensen_shannon": item.js,
            "missing": item.missing,
        }
        for item in found.columns
    ]
    made: dict[str, Any] = {
        "old": found.old,
        "new": found.new,
        "same": found.same,
        "level": found.level.name.lower(),
        "text": found.words(),
    }
    for key in ("rows", "size", "files", "schema"):
        made[key] = list(getattr(found, key))
    return {**made, "columns": columns}
