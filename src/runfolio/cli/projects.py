"""``runfolio run``: a project in MLflow's format; what it does is in :mod:`runfolio.projects`."""

from __future__ import annotations

from typing import Any

import click

from runfolio.cli.record import SIZE


@click.command("run")
@click.argument("uri")
@click.option(
    "-e", "--entry-point", metavar="NAME", default="main", show_default=True, help="Of the MLproject file, or a script."
)
@click.option("-v", "--version", metavar="REV", help="Branch, tag or commit of a git repository.")
@click.option("-P", "--param-list", "params", metavar="NAME=VALUE", multiple=True, help="A parameter; repeat for more.")
@click.option(
    "-A", "--docker-args", metavar="NAME[=VALUE]", multiple=True, help="An argument of docker run, such as gpus=all, or a flag."
)
@click.option("--experiment-name", metavar="NAME", help="Where the run goes; made if it is missing.")
@click.option("--experiment-id", metavar="ID", help="In place of its name.")
@click.option(
    "-b", "--backend", metavar="NAME", default="local", show_default=True, help="Here, or by a backend of another package."
)
@click.option("-c", "--backend-config", metavar="FILE", help="For the backend: a file that ends in .json, or JSON.")
@click.option(
    "--env-manager",
    type=click.Choice(["local", "virtualenv", "uv", "conda"]),
    help="Makes the project's environment; local takes the Python at hand. By default as the project says.",
)
@click.option("--storage-dir", metavar="FOLDER", help="Where files of path parameters are fetched to, and stay.")
@click.option("--run-id", metavar="ID", help="Go on with this run.")
@click.option("--run-name", metavar="TEXT", help="The run's name.")
@click.option("--build-image", is_flag=True, help="Of a docker_env: build an image with the project's files.")
@click.option(
    "--timeout", metavar="SPAN", help="Stop the command after so long: 90s, 30m, 12h. The run is KILLED, the exit code 124."
)
@click.option("--no-log", is_flag=True, help="Do not keep the command's output.")
@click.option("--log-limit", type=SIZE, default="10MB", show_default=True, help="Output kept: its beginning and end.")
@click.pass_context
def run(ctx: click.Context, /, uri: str, **given: Any) -> None:
    """Run a project: a folder, or a git repository, with an MLproject file as MLflow has it.

    The run has the project's source, parameters and environment, and the command's output as console.log. What the command logs goes to
    it. The command's exit status is ours.

    \b
    runfolio run . -P alpha=0.5
    runfolio run https://github.com/mlflow/mlflow-example -v master -P alpha=0.5
    runfolio run git@example.org:team/models.git#churn -e evaluate
    """
    from runfolio.formats.durations import parse_duration
    from runfolio.projects.running import run as start
    from runfolio.tracking.session import set_tracking_uri

    _refuse_verb(uri)
    folio = ctx.find_root().params.get("folio")
    if folio:
        set_tracking_uri(str(folio))
    submitted = start(
        uri,
        given["entry_point"],
        given["version"],
        _pairs(given["params"], "-P"),
        _pairs(given["docker_args"], "-A"),
        given["experiment_name"],
        given["experiment_id"],
        given["backend"],
        given["backend_config"],
        given["storage_dir"],
        given["backend"] == "local",
        given["run_id"],
        given["run_name"],
        given["env_manager"],
        given["build_image"],
        timeout_s=parse_duration(given["timeout"]) if given["timeout"] else None,
        log_limit=None if given["no_log"] else given["log_limit"],
    )
    click.echo(f"runfolio: run {submitted.run_id}: {submitted.get_status()}", err=True)


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        if not name or (not sign and option == "-P"):
            raise click.UsageError(f"Invalid format for {option} parameter: {text!r}. Use {option} name=value.")
        if name in made:
            raise click.UsageError(f"Repeated parameter: {name!r}")
        made[name] = value if sign else True
    return made


def _refuse_verb(uri: str) -> None:
    """Say what is meant by ``runfolio run list``.

    Raises
    ------
    UsageError
        If the project is named as a verb of ``runfolio runs``, and there is no such folder.
    """
    from pathlib import Path

    from runfolio.cli.runs import runs

    if uri in runs.list_commands(click.get_current_context()) and not Path(uri).exists():
        raise click.UsageError(
            f"`runfolio run` starts a project, and there is no folder {uri!r}. Of recorded runs: runfolio runs {uri}"
        )
