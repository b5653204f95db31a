"""``runfolio models predict``: predictions for a file; what it does is in :mod:`runfolio.serving.batches`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

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
    from runfolio.serving.batches import kind_of, predict_file
    from runfolio.serving.environments import python_for
    from runfolio.serving.sources import Source

    source = Source(model_uri, chosen_folio() if model_uri.startswith(("models:/", "runs:/")) else None, trust=trust or None)
    kind = kind_of(input_path, content_type, "json")
    with tempfile.TemporaryDirectory(prefix="runfolio-predict-") as made:
        try:
            folder = source.fetch(source.which(), Path(made) / "model")
        finally:
            source.close()
        if env_manager == "local":
            from runfolio.flavors.python_function import load_folder

            tell = (lambda rows: click.echo(f"\r{rows:,} rows", nl=False, err=True)) if sys.stderr.isatty() else None
            predict_file(
                load_folder(folder), input_path, output_path, kind=kind, output_kind=output_type, chunk=chunk_size, told=tell
            )
            if tell is not None:
                click.echo(err=True)
            return
        said = {"model": str(folder), "source": input_path, "target": output_path, "kind": kind, "output_kind": output_type,
                "chunk": chunk_size}  # fmt: skip
        python = python_for(folder, env_manager)
        done = subprocess.run(
            [python, "-m", "runfolio.serving.predicting"], env={**os.environ, "RUNFOLIO_PREDICT": json.dumps(said)}, check=False
        )
        if done.returncode:
            raise click.exceptions.Exit(done.returncode)
