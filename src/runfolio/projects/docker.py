"""The command that runs a project's entry point in a container, and the one that builds its image.

The container logs to the run from inside: the repository and the place of live runs are mounted where they are here. Only ``docker`` is
called, never through a shell; the entry point's command is one argument, so that all of it runs inside.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runfolio.environments.missing import EnvironmentFailedError
from runfolio.errors import MissingPackageError, UsageError
from runfolio.projects.mlproject import Docker, Project

WORK_FOLDER = "/mlflow/projects/code/"
_TAIL = 15


def docker_program() -> str:
    """Return the path of docker.

    Raises
    ------
    MissingPackageError
        If it is not on ``PATH``.
    """
    found = shutil.which("docker")
    if found is None:
        raise MissingPackageError(
            "The project names a docker_env, and docker is not on PATH. Install it, or run the project without it."
        )
    return found


def container_command(
    program: str,
    image: str,
    docker: Docker,
    command: str,
    *,
    arguments: Mapping[str, Any],
    mounts: Sequence[str],
    passed: Sequence[str],
) -> list[str]:
    """Return the arguments of ``docker run``.

    Parameters
    ----------
    program, image : str
    docker : Docker
    command : str
        The entry point's.
    arguments : Mapping
        ``name: value`` as ``--name value``, ``name: True`` as ``--name``; names of one letter with one dash.
    mounts : sequence of str
        Folders that are mounted where they are.
    passed : sequence of str
        Names of variables whose values docker takes from its own environment.

    Raises
    ------
    UsageError
        If a variable that the project names is not set here.
    """
    made = [program, "run", "--rm"]
    for name, value in arguments.items():
        dashes = "-" if len(name) == 1 else "--"
        made += [dashes + name] if value is True else [dashes + name, str(value)]
    if not {"user", "u"} & set(arguments):
        # What the container writes into the repository is ours then, and not root's.
        made += ["--user", f"{os.getuid()}:{os.getgid()}"]
    for folder in dict.fromkeys(mounts):
        made += ["-v", f"{folder}:{folder}"]
    for volume in docker.volumes:
        made += ["-v", volume]
    missing = [item for item in docker.environment if isinstance(item, str) and item not in os.environ]
    if missing:
        raise UsageError(
            f"docker_env.environment: not set here: {', '.join(str(item) for item in missing)}. Set each, and run again."
        )
    for item in docker.environment:
        made += ["-e", item] if isinstance(item, str) else ["-e", f"{item[0]}={item[1]}"]
    for name in passed:
        made += ["-e", name]
    return [*made, image, "sh", "-c", command]


def build_image(program: str, project: Project, docker: Docker, commit: str) -> str:
    """Build an image with the project's files on top of the one it names; returns its name.

    Parameters
    ----------
    program : str
    project : Project
    docker : Docker
    commit : str
        The first seven digits become the image's tag, as in MLflow.

    Raises
    ------
    EnvironmentFailedError
        With what docker said.
    """
    name = f"{project.name or 'docker-project'}{f':{commit[:7]}' if commit else ''}"
    with tempfile.TemporaryDirectory(prefix="runfolio-image-") as made:
        code = Path(made) / "code"
        shutil.copytree(project.folder, code, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        (Path(made) / "Dockerfile").write_text(f"FROM {docker.image}\nCOPY code/ {WORK_FOLDER}\nWORKDIR {WORK_FOLDER}\n", "utf-8")
        done = subprocess.run(
            [program, "build", "--force-rm", "-t", name, made],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL:])
        raise EnvironmentFailedError(f"docker build ended with {done.returncode}:\n{said}")
    return name
