"""``runfolio import table``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from runfolio.cli.importing_shared import carry_out, import_options
from runfolio.errors import NotFoundError, UsageError, storage_errors


@click.command("table")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--mapping", "mapping_file", metavar="FILE.yaml", type=click.Path(path_type=Path), help="What the columns are.")
@click.option("--propose", "only_propose", is_flag=True, help="Print a mapping for the table, and take nothing.")
@import_options
def table(file: Path, mapping_file: Path | None, only_propose: bool, **options: Any) -> None:
    """Take runs in from a table: CSV or lines of JSON, also compressed by gzip.

    A row is a run, or a point of a run's metrics; FILE.yaml says which column is what. Without it the names of the columns must say it;
    --propose prints a mapping to go on from. The same table again adds only what is new. A row that cannot be taken is named
    with its line. Exit code 1 says that there are findings.
    """
    from runfolio.transfer.table import decode_mapping, open_table, propose

    mapping = None
    if mapping_file is not None:
        if not mapping_file.exists():
            raise NotFoundError(
                f"{mapping_file}: there is no such file. Make one: runfolio import table {file} --propose > {mapping_file}"
            )
        with storage_errors(f"read {mapping_file}"):
            mapping = decode_mapping(mapping_file.read_bytes(), str(mapping_file))
    if only_propose:
        click.echo(propose(file, mapping).text(file), nl=False)
        return
    if mapping is None:
        proposal = propose(file)
        if proposal.guessed:
            raise UsageError(
                f"{file}: the names of these columns do not say what they are: {', '.join(proposal.guessed[:20])}. "
                f"Run: runfolio import table {file} --propose > mapping.yaml, look at it, and import with --mapping mapping.yaml."
            )
        mapping = proposal.mapping()
        click.echo(f"runfolio: without --mapping, by the names of the columns:\n{proposal.text(file)}", err=True, nl=False)
    carry_out(open_table(file, mapping), **options)
