"""``runfolio export mlflow``: the folio, written into an MLflow store."""

from __future__ import annotations

import click

from runfolio.cli.opening import opened
from runfolio.cli.transfers_told import moment_option, tell


@click.command("mlflow")
@click.argument("uri", metavar="DIR|URI")
@click.option(
    "--experiment", "experiments", metavar="NAME", multiple=True, help="Write this one only, by name or id; repeatable."
)
@click.option(
    "--since",
    "since_ms",
    metavar="DATE",
    callback=moment_option,
    help="Write runs that started then or later: 2026-01-31, or with a time, in UTC.",
)
@click.option(
    "--artifacts", metavar="DIR|URI", help="Where files of new experiments go; by default beside a folder or an SQLite database."
)
@click.option("--no-artifacts", is_flag=True, help="Leave the files of runs where they are.")
@click.option("--no-models", is_flag=True, help="Leave registered models out.")
@click.option("--no-verify", is_flag=True, help="Do not read back what was written.")
@click.option("--dry-run", is_flag=True, help="Count what would be written, with its size, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def mlflow(
    uri: str,
    experiments: tuple[str, ...],
    since_ms: int | None,
    artifacts: str | None,
    no_artifacts: bool,
    no_models: bool,
    no_verify: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Write the folio into an MLflow store, by the MLflow that is installed: a database, a folder mlruns, or a server's http://HOST:PORT.

    Experiments, runs with whole histories, params, tags, datasets and artifacts, deleted ones too; logged models (MLflow 3); registered
    models with their versions, stages and aliases. Ids, numbers and times are kept; a server gives ids, and times of experiments and
    versions, of its own, and the tag runfolio.run_id of a run says which it was. The same again writes only what is new. Each run is
    read back and compared. Exit code 1 says that there are findings: each thing that was not written, or not as it was, with its reason.
    """
    from runfolio.transfer.exporting import export_store
    from runfolio.transfer.folio_source import FolioSource
    from runfolio.transfer.mlflow_target import open_target

    with opened() as folio:
        target = open_target(uri, artifacts)
        done = export_store(
            FolioSource(folio, logged=target.logged),
            target,
            experiments=experiments,
            since_ms=since_ms,
            dry_run=dry_run,
            files=not no_artifacts,
            models=not no_models,
            verify=not no_verify,
            tell=lambda text: click.echo(f"runfolio: {text}", err=True),
        )
    tell(done, "would write" if dry_run else "wrote", dry_run=dry_run, as_json=as_json)
