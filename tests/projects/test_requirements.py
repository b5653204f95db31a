"""What a project's files of requirements come to: lines for an installer, and a digest of what the lines name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runfolio.environments import Wanted
from runfolio.errors import NotFoundError, UsageError
from runfolio.projects import load_project
from runfolio.projects.requirements import choose_manager, wanted_environment


def wanted(folder: Path, manager: str = "virtualenv", *, copied: bool = False, said: list[str] | None = None) -> Wanted:
    return wanted_environment(load_project(folder), manager, (said if said is not None else []).append, copied=copied)


def python_env(folder: Path, *lines: str) -> Path:
    (folder / "python_env.yaml").write_text(f"python: '3.11'\nbuild_dependencies: [pip]\ndependencies: {list(lines)!r}\n")
    return folder


def test_files_of_requirements_take_the_place_of_their_lines(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    (tmp_path / "requirements.txt").write_text(
        "# comment\nsix==1.0  # why\n\n-r more/extra.txt\nlong==1 \\\n  ; python_version > '3'\n"
    )
    (tmp_path / "more" / "extra.txt").write_text("attrs\n-r sibling.txt\n")
    (tmp_path / "more" / "sibling.txt").write_text("idna\n")
    made = wanted(python_env(tmp_path, "-r requirements.txt", "numpy"))
    assert made.lines == ("six==1.0", "attrs", "idna", "long==1    ; python_version > '3'", "numpy")
    assert (made.python, made.build, made.content) == ("3.11", ("pip",), "")


@pytest.mark.parametrize("line", ["-r ../outside.txt", "--requirement=../outside.txt", "-c ../outside.txt", "-r/etc/passwd"])
def test_a_file_outside_the_project_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "outside.txt").write_text("")
    folder = tmp_path / "project"
    folder.mkdir()
    with pytest.raises(UsageError, match="lies outside the project"):
        wanted(python_env(folder, line))


def test_a_file_that_is_not_there_is_named_with_the_file_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"python_env.yaml: there is no file gone.txt"):
        wanted(python_env(tmp_path, "-r gone.txt"))


def test_files_that_name_each_other_end(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r a.txt\n")
    with pytest.raises(UsageError, match="name each other"):
        wanted(python_env(tmp_path, "-r a.txt"))


def test_other_constraints_and_other_local_code_are_another_environment(tmp_path: Path) -> None:
    (tmp_path / "pins.txt").write_text("six==1\n")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "code.py").write_text("x = 1\n")
    python_env(tmp_path, "-c pins.txt", "./pkg")
    first = wanted(tmp_path)
    assert first.lines == (f"-c {tmp_path}/pins.txt", f"{tmp_path}/pkg")
    (tmp_path / "pkg" / "code.py").write_text("x = 2\n")
    second = wanted(tmp_path)
    (tmp_path / "pins.txt").write_text("six==2\n")
    assert len({first.content, second.content, wanted(tmp_path).content}) == 3


def test_an_editable_install_of_a_fetched_project_is_a_copy(tmp_path: Path) -> None:
    python_env(tmp_path, "-e .[extra]", "-e git+https://host.invalid/x.git#egg=x")
    assert wanted(tmp_path).lines[0] == f"-e {tmp_path}[extra]"
    assert wanted(tmp_path, copied=True).lines[0] == f"{tmp_path}[extra]"
    assert wanted(tmp_path).lines[1] == "-e git+https://host.invalid/x.git#egg=x"


CONDA = """\
name: x
channels: [conda-forge]
dependencies:
  - python=3.11.4
  - pip<=24
  - scikit-learn=1.2
  - pip:
      - six==1.0
"""


def test_of_a_conda_file_pip_installs_what_it_can_and_the_rest_is_told(tmp_path: Path) -> None:
    (tmp_path / "conda.yaml").write_text(CONDA)
    said: list[str] = []
    made = wanted(tmp_path, "uv", said=said)
    assert (made.python, made.build, made.lines) == ("3.11.4", ("pip<=24",), ("six==1.0",))
    assert said == ["conda.yaml: only conda has these, and uv does not install them: scikit-learn=1.2"]
    assert wanted(tmp_path, "conda").conda == CONDA


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("dependencies: [python>3.9]\n", r"dependencies\[0\]: 'python>3.9' names no version of Python"),
        ("dependencies: [{conda: x}]\n", r"dependencies\[0\]: text"),
        ("dependencies: six\n", "dependencies: a list is expected"),
    ],
)
def test_mistakes_of_a_conda_file_are_named(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "conda.yaml").write_text(text)
    with pytest.raises(UsageError, match=f"conda.yaml: line 1: {wrong}"):
        wanted(tmp_path)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("python: 3.10\n", "python: text is expected, found the number 3.1. Put it in quotes"),
        ("dependency: []\n", "Did you mean 'dependencies'?"),
        ("dependencies: [5]\n", r"dependencies\[0\]: text is expected"),
    ],
)
def test_mistakes_of_a_python_env_are_named(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "python_env.yaml").write_text(text)
    with pytest.raises(UsageError, match=wrong):
        wanted(tmp_path)


@pytest.mark.parametrize(
    ("file", "chosen", "manager"),
    [
        ("python_env.yaml", None, "virtualenv"),
        ("python_env.yaml", "uv", "uv"),
        ("conda.yaml", None, "conda"),
        ("conda.yaml", "virtualenv", "virtualenv"),
        (None, None, "local"),
        (None, "virtualenv", "virtualenv"),
    ],
)
def test_the_manager_follows_from_what_the_project_names(
    tmp_path: Path, file: str | None, chosen: str | None, manager: str
) -> None:
    if file:
        (tmp_path / file).write_text("dependencies: []\n")
    assert choose_manager(load_project(tmp_path), chosen) == manager


def test_conda_makes_no_python_env(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Choose virtualenv, uv or local"):
        choose_manager(load_project(python_env(tmp_path)), "conda")
