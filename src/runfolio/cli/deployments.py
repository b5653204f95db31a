"""``runfolio deployments``: models put where they are called, and taken down again; MLflow's commands of that name."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli import options
from runfolio.cli.opening import chosen_folio, opened
from runfolio.cli.tables import Column, print_json, print_table
from runfolio.errors import NotFoundError
from runfolio.records.visible import visible

if TYPE_CHECKING:
    from runfolio.deployments.client import BaseDeploymentClient

F = TypeVar("F", bound=Callable[..., Any])
_target = click.option(
    "-t", "--target", metavar="TARGET", required=True, help="sagemaker:/REGION, kubernetes:/NAMESPACE, local, …"
)
_name = click.option("--name", metavar="NAME", required=True, help="Of the deployment.")
_endpoint = click.option("--endpoint", metavar="NAME", help="For targets that have endpoints apart from deployments.")
_config = click.option("-C", "--config", metavar="KEY=VALUE", multiple=True, help="A setting of the target; repeat for more.")
_flavor = click.option("-f", "--flavor", metavar="NAME", help="python_function; taken as MLflow takes it.")
_dry = click.option("--dry-run", is_flag=True, help="Print everything that would be made, and do nothing.")


@click.group("deployments")
def deployments() -> None:
    """Put models where they are called: clouds, clusters, this machine.

    A target is named with where at it: sagemaker:/eu-west-1, kubernetes:/NAMESPACE, local. What it takes: runfolio deployments help
    -t TARGET. What is put somewhere is recorded beside its model, in a commit of its own; no secret ever is.
    """


@deployments.command("create")
@_target
@_name
@click.option("-m", "--model-uri", metavar="URI", required=True, help="models:/NAME/Production, runs:/RUN/PATH, or a folder.")
@_flavor
@_config
@_endpoint
@_dry
def create(
    target: str, name: str, model_uri: str, flavor: str | None, config: tuple[str, ...], endpoint: str | None, dry_run: bool
) -> None:
    """Put a model there under a name."""
    client, said = _client(target), _settings(config)
    if dry_run:
        _print_plan(client, "create", name, model_uri, said)
        return
    print_json(client.create_deployment(name, model_uri, flavor, said, **_given(endpoint)))


@deployments.command("update")
@_target
@_name
@click.option("-m", "--model-uri", metavar="URI", help="The model that takes its place.")
@_flavor
@_config
@_endpoint
@_dry
def update(
    target: str,
    name: str,
    model_uri: str | None,
    flavor: str | None,
    config: tuple[str, ...],
    endpoint: str | None,
    dry_run: bool,
) -> None:
    """Put another model, or other settings, under a name that is there."""
    client, said = _client(target), _settings(config)
    if dry_run:
        _print_plan(client, "update", name, model_uri, said)
        return
    print_json(client.update_deployment(name, model_uri, flavor, said, **_given(endpoint)))


@deployments.command("delete")
@_target
@_name
@_config
@_endpoint
@_dry
def delete(target: str, name: str, config: tuple[str, ...], endpoint: str | None, dry_run: bool) -> None:
    """Take a deployment down."""
    client, said = _client(target), _settings(config)
    if dry_run:
        _print_plan(client, "delete", name, None, said)
        return
    client.delete_deployment(name, said or None, endpoint)
    click.echo(f"{visible(name)} is gone.", err=True)


@deployments.command("list")
@click.option("-t", "--target", metavar="TARGET", help="Ask the target; by default the folio's records are listed.")
@_endpoint
@click.option("--all", "everything", is_flag=True, help="Records of those that are gone, too.")
@options.as_json
def list_deployments(target: str | None, endpoint: str | None, everything: bool, as_json: bool) -> None:
    """List deployments: what the folio has recorded, or what a target says."""
    if target is not None:
        print_json(_client(target).list_deployments(**_given(endpoint)))
        return
    with opened() as folio:
        names = {model.slug: model.name for model in folio.models.all()}
        found = [(names.get(slug, slug), item) for slug, item in folio.deployments.all() if everything or not item.gone]
    if as_json:
        from runfolio.formats.deployments import deployment_fields

        print_json([{"model": model, **deployment_fields(item)} for model, item in found])
    elif not found:
        click.echo("No deployment is recorded. Make one: runfolio deployments create -t TARGET --name NAME -m URI", err=True)
    else:
        columns = [Column("name"), Column("where"), Column("model"), Column("version", right=True, whole=True), Column("state")]
        rows = [[item.name, item.where, model, str(item.version), item.state.value, item.endpoint] for model, item in found]
        print_table([*columns, Column("endpoint", rank=1)], rows)


@deployments.command("get")
@_target
@_name
@_endpoint
def get(target: str, name: str, endpoint: str | None) -> None:
    """Print what a target says of a deployment."""
    print_json(_client(target).get_deployment(name, **_given(endpoint)))


@deployments.command("predict")
@_target
@click.option("--name", metavar="NAME", help="Of the deployment.")
@_endpoint
@click.option(
    "-I", "--input-path", metavar="FILE", type=click.Path(allow_dash=True), required=True, help="JSON; - is standard input."
)
@click.option("-O", "--output-path", metavar="FILE", type=click.Path(), help="Where the answer goes; else standard output.")
def predict(target: str, name: str | None, endpoint: str | None, input_path: str, output_path: str | None) -> None:
    """Let a deployment predict: {"inputs": …}, {"dataframe_split": …}, as MLflow's protocol has them."""
    import json

    if (name is None) == (endpoint is None):
        raise click.UsageError("Name the deployment or the endpoint: --name NAME, or --endpoint NAME.")
    try:
        text = sys.stdin.read() if input_path == "-" else Path(input_path).read_text("utf-8")
    except OSError as error:
        raise NotFoundError(f"{input_path}: {error.strerror}.") from None
    except ValueError as error:
        raise click.UsageError(f"{input_path}: not UTF-8: {error}.") from None
    try:
        inputs = json.loads(text)
    except ValueError as error:
        raise click.UsageError(f"{input_path}: not JSON: {error}.") from None
    answer = _client(target).predict(name, inputs, **_given(endpoint))
    if output_path:
        Path(output_path).write_text(json.dumps(answer, default=str) + "\n", "utf-8")
    else:
        print_json(answer)


@deployments.command("help")
@click.option("-t", "--target", metavar="TARGET", help="Whose help; by default the targets are listed.")
def help_command(target: str | None) -> None:
    """Say which targets there are, or what one takes."""
    from runfolio.deployments.targets import target_help, target_names

    click.echo(target_help(target) if target else "\n".join(target_names()), nl=target is None)


@deployments.command("run-local")
@_target
@_name
@click.option("-m", "--model-uri", metavar="URI", required=True)
@_flavor
@_config
def run_local(target: str, name: str, model_uri: str, flavor: str | None, config: tuple[str, ...]) -> None:
    """Serve a model on this machine as a target would."""
    from runfolio.deployments.targets import run_local as run

    _in_folio()
    print_json(run(target, name, model_uri, flavor, _settings(config)))


def _client(target: str) -> BaseDeploymentClient:
    from runfolio.deployments.targets import get_deploy_client

    _in_folio()
    return get_deploy_client(target)


def _in_folio() -> None:
    """Let the API work on the folio that ``-C`` names."""
    from runfolio.tracking.session import set_tracking_uri

    chosen = chosen_folio()
    if chosen:
        set_tracking_uri(chosen)


def _settings(config: tuple[str, ...]) -> dict[str, str]:
    return options.key_values(config, "setting")


def _given(endpoint: str | None) -> dict[str, str]:
    """Hand an endpoint on where one is named: not every client of others takes it."""
    return {} if endpoint is None else {"endpoint": endpoint}


def _print_plan(client: BaseDeploymentClient, verb: str, name: str, model_uri: str | None, config: dict[str, str]) -> None:
    from runfolio.deployments.client import Target

    if not isinstance(client, Target):
        raise click.UsageError(f"The target {client.target_uri} comes from another package, which has no dry run.")
    with client.planned(verb, name, model_uri, config) as plan:
        click.echo(plan.text(), nl=False)
