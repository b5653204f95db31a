"""``docker_env``: the commands that docker is given, by a program that takes them as docker does and runs the entry point here.

The real docker was not run: there is no engine here.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from tests.projects.conftest import LOGGING, RunProject, log_of, runs_of

FAKE = """\
#!{python}
import json, os, sys
args = sys.argv[1:]
with open({log!r}, "a") as file:
    file.write(json.dumps(args) + "\\n")
if args[0] == "build":
    text = open(args[-1] + "/Dockerfile").read()
    assert os.path.isfile(args[-1] + "/code/train.py") and not os.path.exists(args[-1] + "/code/.git")
    sys.exit("no such image" if "FROM gone" in text else 0)
assert args[:2] == ["run", "--rm"]
rest, variables = args[2:], {{"PATH": os.environ["PATH"], "HOME": os.environ["HOME"]}}
while rest[0].startswith("-"):
    flag = rest.pop(0)
    if flag in ("-v", "-e", "--user", "--network"):
        value = rest.pop(0)
        if flag == "-e":
            name, sign, text = value.partition("=")
            variables[name] = text if sign else os.environ[name]
image, *command = rest
assert command[:2] == ["sh", "-c"], command
os.execvpe("sh", command, variables)
"""


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A docker on ``PATH``; returns the file where it writes how it was called."""
    log = tmp_path / "calls"
    program = tmp_path / "programs" / "docker"
    program.parent.mkdir()
    program.write_text(FAKE.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}")
    return log


@pytest.fixture
def docker_project(project: Path) -> Path:
    (project / "train.py").write_text(LOGGING + "import os\nprint(os.environ['FROM_HERE'], os.environ['SET'])\n")
    (project / "MLproject").write_text(
        "name: wine\ndocker_env:\n  image: python:3.11\n  volumes: ['/data:/data:ro']\n  environment: [FROM_HERE, [SET, 'a b']]\n"
        f"entry_points:\n  main:\n    parameters: {{name: string}}\n    command: 'cd {project} && python train.py {{name}} && echo done'\n"
    )
    return project


def calls(log: Path) -> list[list[str]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def test_the_command_runs_in_the_container_as_one_argument(
    run_project: RunProject, in_folio: Path, docker_project: Path, docker: Path
) -> None:
    done = run_project(docker_project, "-P", "name=a b;id", "-A", "network=host", "-A", "t", FROM_HERE="here")
    assert (done.code, done.out) == (0, "arguments ['a b;id']\nhere a b\ndone\n"), done.err
    [args] = calls(docker)
    assert args[:5] == ["run", "--rm", "--network", "host", "-t"]
    assert args[args.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    mounts = [args[at + 1] for at, word in enumerate(args) if word == "-v"]
    assert f"{in_folio}:{in_folio}" in mounts
    assert mounts[-1] == "/data:/data:ro"
    assert args[-4:-1] == ["python:3.11", "sh", "-c"]
    assert "here" not in args  # its value is docker's to take, and in no list of processes
    [run] = runs_of(in_folio)
    assert run.metrics["count"].last == 1
    assert run.tags["mlflow.project.env"] == "docker"
    assert log_of(in_folio, run).endswith("done\n")


def test_an_image_is_built_with_the_projects_files(
    run_project: RunProject, in_folio: Path, docker_project: Path, docker: Path
) -> None:
    done = run_project(docker_project, "-P", "name=x", "--build-image", FROM_HERE="here")
    assert done.code == 0, done.err
    build, run = calls(docker)
    assert build[:4] == ["build", "--force-rm", "-t", "wine"]
    assert run[-4] == "wine"


def test_a_variable_that_is_not_set_is_named(run_project: RunProject, docker_project: Path, docker: Path) -> None:
    done = run_project(docker_project, "-P", "name=x")
    assert done.code == 2
    assert "not set here: FROM_HERE" in done.err


def test_what_docker_says_of_a_build_is_shown(run_project: RunProject, docker_project: Path, docker: Path) -> None:
    file = docker_project / "MLproject"
    file.write_text(file.read_text().replace("python:3.11", "gone"))
    done = run_project(docker_project, "-P", "name=x", "--build-image", FROM_HERE="here")
    assert done.code == 21
    assert "no such image" in done.err


def test_no_docker_is_a_clear_error(run_project: RunProject, docker_project: Path, tmp_path: Path) -> None:
    programs = tmp_path / "few"
    programs.mkdir()
    for name in ("git", "bash", "env"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    done = run_project(docker_project, "-P", "name=x", FROM_HERE="here", PATH=str(programs))
    assert done.code == 20
    assert "docker is not on PATH" in done.err
