"""Build an image with the engine that is there: docker, podman or buildah."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from runfolio.deployments.images.context import ImageContext
from runfolio.errors import NotFoundError, StateError, UsageError

ENGINES = ("docker", "podman", "buildah")
_NAME = re.compile(r"[a-z0-9][\w.\-]*(?::\d+)?(?:/[a-z0-9][\w.\-]*)*(?::[\w][\w.\-]{0,127})?\Z", re.ASCII)


def find_engine(wanted: str | None = None) -> str:
    """Return the engine to build with: the one asked for, or the first that is installed.

    Raises
    ------
    NotFoundError
        If it is not installed.
    """
    if wanted is not None and wanted not in ENGINES:
        raise UsageError(f"There is no engine {wanted!r}; there are {', '.join(ENGINES)}.")
    found = next((name for name in ([wanted] if wanted else ENGINES) if shutil.which(name)), None)
    if found is None:
        raise NotFoundError(
            f"{wanted or 'None of docker, podman and buildah'} is installed here. Make the build context and build it elsewhere: "
            "runfolio models generate-dockerfile -m URI -d FOLDER"
        )
    return found


def build_command(engine: str, context: ImageContext, folder: Path, name: str) -> list[str]:
    """Return the command that builds an image.

    Parameters
    ----------
    engine : str
    context : ImageContext
    folder : Path
        Where it was written.
    name : str
        ``NAME:TAG``.

    Raises
    ------
    UsageError
        If it is no name of an image.
    """
    if not _NAME.match(name):
        raise UsageError(f"-n: not the name of an image: {name!r}. Write it in lower case, as NAME:TAG.")
    verb = {"docker": ["build"], "podman": ["build", "--format", "docker"], "buildah": ["bud", "--format", "docker"]}[engine]
    # Only docker's own format knows a health check. A fixed time makes two builds of one context the same image.
    times = [] if engine == "docker" else ["--timestamp", str(context.epoch)]
    return [engine, *verb, *times, "-t", name, "-f", str(folder / "Dockerfile"), str(folder)]


def build_image(context: ImageContext, folder: Path, name: str, engine: str, tell: Callable[[str], None]) -> str:
    """Build an image and return its id, or its digest, as the engine says it.

    Raises
    ------
    StateError
        If the engine failed; its last lines are told.
    """
    command = build_command(engine, context, folder, name)
    tell(" ".join(command))
    done = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    last: list[str] = []
    assert done.stdout is not None
    for line in done.stdout:
        tell(line.rstrip())
        last = [*last[-4:], line.rstrip()]
    if done.wait():
        raise StateError(f"{engine} could not build {name} (exit code {done.returncode}): {' | '.join(filter(None, last))}")
    show = "{{.FromImageID}}" if engine == "buildah" else "{{.Id}}"
    asked = subprocess.run(
        [engine, "inspect", "--type", "image", "--format", show, name], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""
