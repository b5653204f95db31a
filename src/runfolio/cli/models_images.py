"""``runfolio models build-docker|generate-dockerfile``: container images of models."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from runfolio.cli.opening import chosen_folio

if TYPE_CHECKING:
    from runfolio.deployments.images.context import ImageContext
    from runfolio.folio import Folio

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    click.option("-m", "--model-uri", metavar="URI", required=True, help="models:/NAME/Production, runs:/RUN/PATH, or a folder."),
    click.option(
        "--base-image", metavar="IMAGE", default="", help="To build on, best NAME@sha256:…; python:3.X-slim by default."
    ),
    click.option(
        "--runfolio-wheel", metavar="FILE", type=click.Path(path_type=Path), help="Of runfolio; the running one if not."
    ),
    click.option("--no-lock", is_flag=True, help="Let the build choose versions, without hashes."),
    click.option("--wheels", is_flag=True, help="Put every package into the context: the build needs no network."),
    click.option("--machine", metavar="NAME", default="", help="x86_64 or aarch64; this one's by default."),
    click.option("--enable-mlserver", is_flag=True, help="Taken as MLflow takes it; the server is runfolio's own."),
    click.option("--env-manager", metavar="NAME", hidden=True, help="Taken as MLflow takes it; the image is the environment."),
    click.option("--install-mlflow", is_flag=True, hidden=True),
)


def _image_options(function: F) -> F:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command("generate-dockerfile")
@_image_options
@click.option(
    "-d",
    "--output-directory",
    "folder",
    metavar="FOLDER",
    default="mlflow-dockerfile",
    show_default=True,
    help="Missing, or empty.",
)
def generate_dockerfile(folder: str, **given: Any) -> None:
    """Write the build context of a model's image: Dockerfile, model, lock, manifest, SBOM.

    The same version gives the same bytes. Build it with any engine: docker build -t NAME FOLDER
    """
    from runfolio.deployments.images.context import check_folder

    check_folder(Path(folder))  # before packages are resolved
    with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
        context = _context(Path(scratch), given)
        context.write(Path(folder))
    click.echo(folder)
    click.echo(f"{len(context.files)} files, {len(context.packages)} packages. Build it: docker build -t NAME {folder}", err=True)


@click.command("build-docker")
@_image_options
@click.option("-n", "--name", metavar="NAME:TAG", default="mlflow-pyfunc-servable", show_default=True, help="Of the image.")
@click.option("--engine", type=click.Choice(["docker", "podman", "buildah"]), help="What builds; the first that is installed.")
@click.option("--dry-run", is_flag=True, help="Print the Dockerfile and the command, and build nothing.")
def build_docker(name: str, engine: str | None, dry_run: bool, **given: Any) -> None:
    """Build the container image of a model.

    It serves on port 8080: docker run -p 5001:8080 NAME. The model is verified by its digest when the image is built and
    whenever it starts.
    """
    from runfolio.deployments.images.engines import build_command, build_image, check_image_name, find_engine

    check_image_name(name)
    with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
        chosen = (engine or "docker") if dry_run else find_engine(engine)
        context = _context(Path(scratch), given)
        folder = Path(scratch) / "context"
        command = build_command(chosen, context, folder, name)
        if dry_run:
            dockerfile = context.files["Dockerfile"]
            assert isinstance(dockerfile, bytes)
            click.echo(dockerfile.decode() + "\n" + " ".join([*command[:-1], "FOLDER"]).replace(str(folder), "FOLDER"))
            return
        context.write(folder)
        made = build_image(context, folder, name, chosen, lambda line: click.echo(line, err=True))
    click.echo(f"{name} {made}".rstrip())


def _context(scratch: Path, given: dict[str, Any]) -> ImageContext:
    from runfolio.deployments.images.building import MLSERVER, image_context
    from runfolio.deployments.images.context import ImageOptions
    from runfolio.deployments.source import LOGGED, REGISTERED

    if given["enable_mlserver"]:
        click.echo(f"runfolio: {MLSERVER}", err=True)
    uri = given["model_uri"]
    options = ImageOptions(
        given["base_image"], given["runfolio_wheel"], lock=not given["no_lock"], offline=given["wheels"], machine=given["machine"]
    )
    with _folio() if uri.startswith((LOGGED, REGISTERED)) else nullcontext() as folio:
        context, told = image_context(uri, scratch, options, folio)
    for line in told:
        click.echo(f"runfolio: {line}", err=True)
    return context


def _folio() -> AbstractContextManager[Folio]:
    from runfolio.folio.opening import open_folio

    return closing(open_folio(chosen_folio()))
