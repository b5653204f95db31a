"""``runfolio models prepare-env``: the environment that ``serve`` and ``predict`` run a model in, made ahead of them."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from runfolio.cli.opening import chosen_folio


@click.command("prepare-env")
@click.option("-m", "--model-uri", metavar="URI", required=True, help="models:/NAME/Production, runs:/RUN/PATH, or a folder.")
@click.option(
    "--env-manager", type=click.Choice(["virtualenv", "uv"]), default="virtualenv", show_default=True, help="What makes it."
)
@click.option(
    "--engine", type=click.Choice(["native", "onnx"]), default="native", show_default=True, help="What is to predict in it."
)
@click.option("--trust", is_flag=True, help="Make the environment of a folder that no record vouches for.")
@click.option("--install-mlflow", is_flag=True, hidden=True)
def prepare_env(model_uri: str, env_manager: str, engine: str, trust: bool, install_mlflow: bool) -> None:
    """Make the environment that a model is served in, and print its folder.

    It is the one that serve and predict use with the same --env-manager and --engine: they start at once then, also without a network.
    """
    from runfolio.serving.environments import environment_for
    from runfolio.serving.sources import Source

    source = Source(model_uri, chosen_folio() if model_uri.startswith(("models:/", "runs:/")) else None, trust=trust or None)
    try:
        with tempfile.TemporaryDirectory(prefix="runfolio-prepare-") as made:
            folder = source.fetch(source.which(), Path(made) / "model")
            found = environment_for(folder, env_manager, engine, tell=lambda line: click.echo(line, err=True))
    finally:
        source.close()
    if not found.made:
        click.echo("it was there already", err=True)
    click.echo(str(found.python.parents[1]))
