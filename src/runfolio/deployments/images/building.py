"""The image of a model by its URI: what ``runfolio models build-docker`` does, and ``runfolio.models.build_docker``, which is MLflow's."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from runfolio.errors import UsageError

if TYPE_CHECKING:
    from runfolio.deployments.images.context import ImageContext, ImageOptions
    from runfolio.folio.folio import Folio

MLSERVER = "MLServer is not put in: runfolio's own server answers MLflow's protocol at /invocations, as MLServer does."
_log = logging.getLogger("runfolio")


def image_context(uri: str, scratch: Path, options: ImageOptions, folio: Folio | None = None) -> tuple[ImageContext, list[str]]:
    """Fetch a model, and return the build context of its image and what its user is told.

    Parameters
    ----------
    uri : str
        ``models:/…``, ``runs:/…``, or a folder.
    scratch : Path
        Where its files are put.
    options : ImageOptions
    folio : Folio, optional
        The one in force by default.
    """
    from runfolio.deployments.images.context import make_context
    from runfolio.deployments.source import fetch

    context = make_context(fetch(uri, scratch, folio=folio), options)
    if context.pinned:
        return context, []
    return context, [f"the base {context.base} may change under its name; pin it: --base-image NAME@sha256:…"]


def build_docker(
    model_uri: str | os.PathLike[str] | None = None,
    name: str = "mlflow-pyfunc",
    env_manager: str | None = None,
    mlflow_home: str | None = None,
    install_java: bool = False,
    install_mlflow: bool = False,
    enable_mlserver: bool = False,
    base_image: str | None = None,
    *,
    engine: str | None = None,
    lock: bool = True,
) -> str:
    """Build the container image of a model with docker, podman or buildah; it serves at port 8080.

    Parameters
    ----------
    model_uri : str or path
        ``models:/…``, ``runs:/…``, or a folder. An image without a model is not built: this one verifies the model that it was built of.
    name : str
        ``NAME:TAG`` of the image.
    base_image : str, optional
        To build on, best ``NAME@sha256:…``; ``python:3.X-slim`` by default.
    env_manager, mlflow_home, install_mlflow, enable_mlserver
        Taken for MLflow's sake: the image is the environment, and the server is runfolio's own.
    install_java : bool
        Must be false: no model that is loaded here needs Java.
    engine : {"docker", "podman", "buildah"}, optional
        The first that is installed and answers by default.
    lock : bool
        Resolve every package now and install by hash; False leaves the choice to the build.

    Returns
    -------
    str
        The image's id, or its digest, as the engine says it.

    Raises
    ------
    UsageError
        If no model is named, or Java is asked for.
    NotFoundError, StateError
        If no engine is installed, or none answers, or it failed.
    """
    from runfolio.deployments.images.context import ImageOptions
    from runfolio.deployments.images.engines import build_image, find_engine

    if model_uri is None:
        raise UsageError("build_docker: model_uri is needed: the image holds the model, and verifies it by its digest.")
    if install_java:
        raise UsageError(
            "build_docker: install_java: no model that runfolio loads needs Java. Build from a base_image that has it."
        )
    if enable_mlserver:
        _log.warning(MLSERVER)
    chosen = find_engine(engine)
    with tempfile.TemporaryDirectory(prefix="runfolio-") as scratch:
        context, told = image_context(os.fspath(model_uri), Path(scratch), ImageOptions(base_image or "", lock=lock))
        for line in told:
            _log.warning(line)
        folder = Path(scratch) / "context"
        context.write(folder)
        return build_image(context, folder, name, chosen, _log.info)
