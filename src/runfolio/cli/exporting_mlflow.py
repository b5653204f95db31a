"""``runfolio export mlflow``: the folio, written into an MLflow store."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli.opening import opened
from runfolio.cli.transfers_told import choice_of, choice_options, tell


@click.command("mlflow")
@click.argument("uri", metavar="DIR|URI")
@click.option(
    "--artifacts", metavar="DIR|URI", help="Where files of new experiments go; by default beside a folder or an SQLite database."
)
@click.option("--no-models", is_flag=True, help="Leave registered models out.")
@choice_options("write", "written")
def mlflow(uri: str, artifacts: str | None, no_models: bool, as_json: bool, **options: Any) -> None:
    """Write the folio into an MLflow store, by the MLflow that is installed: a database, a folder mlruns, or a server's http://HOST:PORT.

    Experiments, runs with whole histories, params, tags, datasets and artifacts, deleted ones too; logged models (MLflow 3); registered
    models with their versions, stages and aliases. Ids, numbers and times are kept; a server gives ids, and times of experiments and
    versions, of its own, and the tag runfolio.run_id of a run says which it was. The same again writes only what is new. Each run is
    read back and compared. Exit code 1 says that there are findings: each thing that was not written, or not as it was, with its reason.
    """
    from runfolio.transfer.exporting import export_store
    from runfolio.transfer.folio_source import FolioSource
    from runfolio.transfer.mlflow_target import open_target

    choice = choice_of(models=not no_models, **options)
    with opened() as folio:
        target = open_target(uri, artifacts, dry_run=choice.dry_run)
        done = export_store(FolioSource(folio, logged=target.logged), target, choice)
    tell(done, "would write" if choice.dry_run else "wrote", dry_run=choice.dry_run, as_json=as_json)
