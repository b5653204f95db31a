"""``runfolio models predict``: predictions for a file; what it does is in :mod:`runfolio.serving.by_uri`."""

from __future__ import annotations

import sys

import click

from runfolio.cli.opening import chosen_folio


@click.command("predict")
@click.option("-m", "--model-uri", metavar="URI", required=True, help="models:/NAME/Production, runs:/RUN/PATH, or a folder.")
@click.option("-i", "--input-path", metavar="FILE", type=click.Path(dir_okay=False), help="Standard input by default.")
@click.option("-o", "--output-path", metavar="FILE", type=click.Path(dir_okay=False), help="Standard output by default.")
@click.option(
    "-t", "--content-type", type=click.Choice(["json", "jsonl", "csv", "parquet"]), help="Of the input; by its name, or JSON."
)
@click.option(
    "--output-type", type=click.Choice(["json", "jsonl", "csv", "parquet"]), help="Of the output; by its name, or JSON."
)
@click.option("--chunk-size", metavar="ROWS", type=click.IntRange(1), default=10_000, show_default=True, help="Rows at a time.")
@click.option(
    "--env-manager",
    type=click.Choice(["local", "virtualenv", "uv"]),
    default="local",
    show_default=True,
    help="Run the model here, or in an environment made of its requirements.txt.",
)
@click.option("--trust", is_flag=True, help="Let the code of a folder run that no record vouches for.")
def predict(
    model_uri: str,
    input_path: str | None,
    output_path: str | None,
    content_type: str | None,
    output_type: str | None,
    chunk_size: int,
    env_manager: str,
    trust: bool,
) -> None:
    """Predict a file.

    JSON is a request's body as for serve, and its answer is written as a server writes it. CSV, JSON lines and Parquet are read by
    chunks, so they may be larger than memory.
    """
    from runfolio.serving.batches import kind_of
    from runfolio.serving.by_uri import Files, predict_by_uri
    from runfolio.serving.sources import Source

    source = Source(model_uri, chosen_folio() if model_uri.startswith(("models:/", "runs:/")) else None, trust=trust or None)
    files = Files(input_path, output_path, kind_of(input_path, content_type, "json"), output_type, chunk_size)
    tell = (lambda rows: click.echo(f"\r{rows:,} rows", nl=False, err=True)) if sys.stderr.isatty() else None
    try:
        code = predict_by_uri(source, files, manager=env_manager, told=tell)
    finally:
        source.close()
    if tell is not None and env_manager == "local":
        click.echo(err=True)
    if code:
        raise click.exceptions.Exit(code)
