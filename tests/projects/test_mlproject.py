"""The ``MLproject`` file: what it may say, and every mistake named with its line and field, all at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from runfolio.errors import NotFoundError, UsageError
from runfolio.projects import load_project


def made(folder: Path, text: str) -> Path:
    (folder / "MLproject").write_text(text)
    return folder


def test_a_project_is_read(tmp_path: Path) -> None:
    (tmp_path / "env.yaml").write_text("python: '3.11'\n")
    project = load_project(
        made(
            tmp_path,
            "name: wine\npython_env: env.yaml\nentry_points:\n  main:\n    parameters:\n      data: path\n"
            "      alpha: {type: float, default: 0.5}\n      note:\n        default: hi\n    command: 'python a.py {data} {alpha} {note}'\n",
        )
    )
    main = project.entry_point("main")
    assert (project.name, project.environment, project.environment_file) == ("wine", "python_env", tmp_path / "env.yaml")
    assert [(item.name, item.type, item.default) for item in main.parameters.values()] == [
        ("data", "path", None), ("alpha", "float", 0.5), ("note", "string", "hi"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["MLproject", "mlproject", "MLPROJECT"])
def test_the_files_name_may_be_written_in_any_case(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("name: x\n")
    assert load_project(tmp_path).file == name


def test_a_folder_without_the_file_is_a_project_of_scripts(tmp_path: Path) -> None:
    (tmp_path / "a b.py").write_text("")
    (tmp_path / "conda.yaml").write_text("dependencies: []\n")
    project = load_project(tmp_path)
    assert project.entry_point("a b.py").command == "python 'a b.py'"
    assert project.environment == "conda_env"


@pytest.mark.parametrize("name", ["main", "gone.py", "../outside.py", "/etc/passwd", "notes.txt"])
def test_what_is_no_entry_point_and_no_script_of_the_project_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.py").write_text("")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("")
    made(folder, "entry_points: {train: {command: 'python a.py'}}\n")
    with pytest.raises(NotFoundError, match="Entry points: train"):
        load_project(folder).entry_point(name)


BAD = {
    "a list": ("- a\n", ["'key: value' lines are expected, found a list"]),
    "not YAML": ("name: [\n", ["line 2: not YAML"]),
    "no command": ("entry_points:\n  main:\n    parameters: {a: float}\n", ["line 3: entry_points.main.command: the command is missing"]),
    "a command that is a number": ("entry_points: {main: {command: 5}}\n", ["entry_points.main.command: text is expected, found the number 5"]),
    "an unknown type": ("entry_points: {main: {command: x, parameters: {a: floot}}}\n", ["parameters.a: there is no type 'floot'"]),
    "a default of another type": (
        "entry_points: {main: {command: x, parameters: {a: {type: int, default: 1.5}}}}\n",
        ["parameters.a.default: '1.5' is no whole number"],
    ),
    "a place without a parameter": ("entry_points: {main: {command: 'x {b}'}}\n", ["{b} has no parameter of that name (declared: none)"]),
    "two environments": ("python_env: a\nconda_env: b\n", ["there are several environments (python_env, conda_env)", "python_env: there is no file 'a'"]),
    "a file that is not there": ("python_env: a.yaml\n", ["line 1: python_env: there is no file 'a.yaml' in the project"]),
    "a file outside": ("conda_env: ../a.yaml\n", ["'../a.yaml' lies outside the project"]),
    "a misspelt key": ("entrypoints: {}\n", ["entrypoints: there is no such key. Did you mean 'entry_points'?"]),
    "a doubled key": ("name: a\nname: b\n", ["line 2: name: the key is there twice"]),
    "a docker_env without image": ("docker_env: {volumes: []}\n", ["docker_env: the image is missing"]),
    "volumes that are text": ("docker_env: {image: a, volumes: /a:/b}\n", ["docker_env.volumes: a list is expected"]),
    "environment with three parts": ("docker_env: {image: a, environment: [[A, b, c]]}\n", ["docker_env.environment[0]: a name, or [name, value]"]),
    "an image that is an option": ("docker_env: {image: --privileged}\n", ["'--privileged' is no name of an image"]),
    "all at once": (
        "name: 5\nentry_points:\n  a: {parameters: {x: floot}}\n  b: {command: 'x {y}'}\npython_env: gone.yaml\n",
        ["line 1: name: text is expected", "entry_points.a.command", "entry_points.a.parameters.x", "entry_points.b.command", "line 5: python_env"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_every_mistake_is_named_with_file_and_field(tmp_path: Path, name: str) -> None:
    text, wanted = BAD[name]
    with pytest.raises(UsageError) as caught:
        load_project(made(tmp_path, text))
    lines = caught.value.message.splitlines()
    assert all(line.startswith("MLproject: line ") for line in lines)
    assert len(lines) == len(wanted)
    assert all(any(want in line for line in lines) for want in wanted), caught.value.message


def test_keys_of_others_are_passed_over_and_told(tmp_path: Path) -> None:
    project = load_project(made(tmp_path, "name: a\nowner: Ada\ndatabricks_spark_job: {python_file: a.py}\n"))
    assert [notice.split(" ")[1] for notice in project.notices] == ["owner", "databricks_spark_job"]
