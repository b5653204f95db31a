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
_PATIENCE_S = 30
_ELSEWHERE = "make the build context and build it elsewhere: runfolio models generate-dockerfile -m URI -d FOLDER"
_PIP_FOUND_NOTHING = ("No matching distribution found", "Could not find a version that satisfies")
_NO_INDEX = "Where the build reaches no package index, put the packages into the context: --wheels"
_NAME = re.compile(r"[a-z0-9][\w.\-]*(?::\d+)?(?:/[a-z0-9][\w.\-]*)*(?::[\w][\w.\-]{0,127})?\Z", re.ASCII)


def find_engine(wanted: str | None = None) -> str:
    """Return the engine to build with: the one asked for, or the first that is installed and answers.

    Raises
    ------
    NotFoundError
        If it is not installed.
    StateError
        If what is installed does not answer: docker's command without its daemon.
    """
    if wanted is not None and wanted not in ENGINES:
        raise UsageError(f"There is no engine {wanted!r}; there are {', '.join(ENGINES)}.")
    found = [name for name in ([wanted] if wanted else ENGINES) if shutil.which(name)]
    if not found:
        missing = f"{wanted} is not" if wanted else "None of docker, podman and buildah is"
        raise NotFoundError(f"{missing} installed here: {_ELSEWHERE}")
    said = []
    for name in found:
        trouble = _trouble(name)
        if trouble is None:
            return name
        said.append(f"{name} is installed, and does not answer ({trouble})")
    raise StateError(f"{'; '.join(said)}. Start it, or {_ELSEWHERE}")


def _trouble(engine: str) -> str | None:
    """Return what keeps an engine from working, in its last line; None where it answers."""
    try:
        done = subprocess.run(
            [engine, "info"], capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return (lines or [f"exit code {done.returncode}"])[-1].rstrip(".")[:300]


def check_image_name(name: str) -> None:
    """Refuse what is no name of an image.

    Raises
    ------
    UsageError
        If it is none.
    """
    if not _NAME.match(name):
        raise UsageError(f"-n: not the name of an image: {name!r}. Write it in lower case, as NAME:TAG.")


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
    check_image_name(name)
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
    last: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace") as done:
        assert done.stdout is not None
        for line in done.stdout:
            tell(line.rstrip())
            last = [*last[-4:], line.rstrip()]
    if done.returncode:
        said = " | ".join(filter(None, last))
        hint = f" {_NO_INDEX}" if any(word in said for word in _PIP_FOUND_NOTHING) else ""
        raise StateError(f"{engine} could not build {name} (exit code {done.returncode}): {said}.{hint}")
    show = "{{.FromImageID}}" if engine == "buildah" else "{{.Id}}"
    asked = subprocess.run(
        [engine, "inspect", "--type", "image", "--format", show, name], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""
