"""``runfolio models update-pip-requirements``: change what a saved model says that it needs."""

from __future__ import annotations

import click


@click.command("update-pip-requirements")
@click.option("-m", "--model-uri", metavar="FOLDER", required=True, help="Of a saved model.")
@click.argument("operation", type=click.Choice(["add", "remove"]))
@click.argument("requirements", nargs=-1, required=True)
def update_pip_requirements(model_uri: str, operation: str, requirements: tuple[str, ...]) -> None:
    """Add requirements to a saved model, or remove some, as numpy==1.26.4.

    Its requirements.txt and conda.yaml are changed. What a run or a version of the registry holds stands: log the model again.
    """
    from runfolio.tracking.model_environments import update_model_requirements

    update_model_requirements(model_uri, operation, requirements)
    click.echo(f"{model_uri}: requirements changed", err=True)
