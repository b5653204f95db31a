"""Environments are made by real installers, once, and used only when they are whole."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.environments import EnvironmentFailedError, Wanted, make_environment
from runfolio.environments.cache import locked
from runfolio.errors import BusyError, MissingPackageError, UsageError
from tests.environments.conftest import in_it, other_python

TINY = Wanted(("tiny==1.0",))
QUICK = "uv" if shutil.which("uv") else "virtualenv"
"""Where the manager is of no matter: uv makes an environment in a tenth of venv's time."""
MANAGERS = [
    "virtualenv",
    pytest.param("uv", marks=pytest.mark.skipif(shutil.which("uv") is None, reason="NOT TESTED: no uv here")),
]


def until(condition: Callable[[], object]) -> None:
    """Wait for something that another process does."""
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit
        time.sleep(0.01)


@pytest.mark.parametrize("manager", MANAGERS)
def test_an_environment_has_what_was_asked_for_and_this_runfolio(offline: Path, manager: str) -> None:
    made = make_environment(TINY, manager)
    assert made.made
    assert made.folder is not None
    assert made.folder.parent == offline
    assert made.version == "{}.{}.{}".format(*sys.version_info[:3])
    shown = in_it(
        made.python,
        "import tiny, runfolio, os; from importlib import metadata; print(tiny.version, os.path.realpath(runfolio.__file__), metadata.version('runfolio'))",
    )
    import runfolio

    assert shown == f"1.0 {os.path.realpath(str(runfolio.__file__))} {runfolio.__version__}"
    # Only runfolio itself is lent: what lies beside it is not there.
    assert in_it(made.python, "import importlib.util as u; print(u.find_spec('pandas'))") == "None"
    script = subprocess.run([made.folder / "bin" / "runfolio", "--version"], capture_output=True, text=True, check=True)
    assert script.stdout == f"runfolio {runfolio.__version__}\n"


def test_a_second_use_starts_no_program(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_environment(TINY, "virtualenv")

    def refuse(*args: object, **named: object) -> None:
        raise AssertionError(f"a program was started: {args}")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    second = make_environment(TINY, "virtualenv")
    assert (second.python, second.made) == (first.python, False)


def test_other_lines_or_another_manager_are_another_environment(offline: Path) -> None:
    digests = {make_environment(TINY, "virtualenv").digest, make_environment(Wanted(("tiny==2.0",)), "virtualenv").digest}
    if shutil.which("uv"):
        digests.add(make_environment(TINY, "uv").digest)
        assert len(digests) == 3
    assert len(digests) >= 2


@pytest.mark.parametrize("manager", MANAGERS)
def test_every_requirement_that_cannot_be_had_is_named_with_its_reason(offline: Path, manager: str) -> None:
    with pytest.raises(EnvironmentFailedError) as caught:
        make_environment(Wanted(("tiny==9.9", "needy==1.0", "nowhere-to-be-found==3")), manager)
    assert [item.line for item in caught.value.missing] == ["tiny==9.9", "nowhere-to-be-found==3"]
    assert all(item.line in caught.value.message and item.reason in caught.value.message for item in caught.value.missing)
    assert all(item.line.partition("==")[0] in item.reason for item in caught.value.missing)
    assert list(offline.glob("[0-9a-f]*[0-9a-f]")) == []


def test_requirements_that_do_not_fit_each_other_are_told_as_that(offline: Path) -> None:
    with pytest.raises(EnvironmentFailedError, match="each requirement can be had for itself") as caught:
        make_environment(Wanted(("tiny==2.0", "needy==1.0")), QUICK)
    assert "tiny" in caught.value.message
    assert caught.value.missing == ()


def test_a_recorded_lock_is_installed_as_it_was_though_its_versions_do_not_fit(offline: Path) -> None:
    made = make_environment(Wanted(("tiny==2.0", "needy==1.0"), closed=True), QUICK)
    assert in_it(made.python, "import needy; print(needy.tiny.version)") == "2.0"


LOCK = ("mine==0.1  # editable install", "other==2  # from a local file", "runfolio==0.0.9", "tiny==1.0", "gone==1")


def test_what_came_from_a_local_folder_is_not_taken_from_an_index(offline: Path) -> None:
    with pytest.raises(EnvironmentFailedError) as caught:
        make_environment(Wanted(LOCK, closed=True), QUICK)
    assert [item.line for item in caught.value.missing] == ["mine==0.1", "other==2"]
    assert "editable" in caught.value.missing[0].reason


def test_an_environment_can_be_made_without_what_is_missing_and_says_so_each_time(offline: Path) -> None:
    first = make_environment(Wanted(LOCK, closed=True), QUICK, without_missing=True)
    again = make_environment(Wanted(LOCK, closed=True), QUICK, without_missing=True)
    assert [text.partition(":")[0] for text in first.unavailable] == ["mine==0.1", "other==2", "gone==1"]
    assert (again.unavailable, again.made) == (first.unavailable, False)
    assert in_it(again.python, "import tiny; print(tiny.version)") == "1.0"


def test_a_python_that_is_not_here_is_named_with_those_that_are(offline: Path) -> None:
    with pytest.raises(
        EnvironmentFailedError, match=rf"Python {other_python()} is wanted, and is not here. Found: .*{sys.version_info[0]}\."
    ):
        make_environment(Wanted(python=other_python()), "virtualenv")


def test_another_patch_release_is_used_and_told(offline: Path) -> None:
    minor = "{}.{}".format(*sys.version_info[:2])
    made = make_environment(Wanted(("tiny==1.0",), python=f"{minor}.99"), "virtualenv")
    assert made.version.startswith(f"{minor}.")
    [notice] = made.notices
    assert f"Python {minor}.99 was wanted" in notice
    assert make_environment(Wanted(("tiny==1.0",), python=f"{minor}.99"), "virtualenv").notices == made.notices


@pytest.mark.parametrize("python", ["3", "3.11", "3.11.7"])
def test_versions_of_python_are_numbers(python: str) -> None:
    assert Wanted(python=python).python == python


@pytest.mark.parametrize("python", [">=3.9", "three", "3.11;rm", "../3.11", "-c"])
def test_what_is_no_version_of_python_is_refused(python: str) -> None:
    with pytest.raises(UsageError, match="is no version of Python"):
        Wanted(python=python)


def test_an_unknown_manager_is_refused() -> None:
    with pytest.raises(UsageError, match="Choose one of: local, virtualenv, uv, conda"):
        make_environment(TINY, "poetry")


def test_local_is_the_python_at_hand() -> None:
    made = make_environment(TINY, "local")
    assert (str(made.python), made.folder, made.digest) == (sys.executable, None, "")


MAKER = """
import sys
from runfolio.environments import Wanted, make_environment
made = make_environment(Wanted(("tiny==1.0",)), "virtualenv", tell=lambda text: print(text, flush=True))
print("MADE", made.made, made.python, flush=True)
"""


def maker(**more: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", MAKER], stdout=subprocess.PIPE, text=True, env={**os.environ, **more})


def test_of_several_processes_at_once_one_makes_it(offline: Path) -> None:
    said = [process.communicate(timeout=120)[0].splitlines()[-1].split() for process in [maker() for _ in range(3)]]
    assert sorted(word[1] for word in said) == ["False", "False", "True"]
    assert len({word[2] for word in said}) == 1


def test_a_killed_maker_leaves_nothing_that_is_used_and_its_installer_is_waited_for(offline: Path, tmp_path: Path) -> None:
    # pip is held at its start by a named pipe that its configuration is to be read from.
    gate = tmp_path / "pip.conf"
    os.mkfifo(gate)
    process = maker(PIP_CONFIG_FILE=str(gate))
    opened = os.open(gate, os.O_WRONLY)  # returns once pip reads it
    [place] = [path for path in offline.iterdir() if path.is_dir()]
    process.send_signal(signal.SIGKILL)
    with process:
        process.wait()
    assert not (place / "environment.json").exists()
    with pytest.raises(BusyError), locked(place, wait=False):
        pass
    second = maker()
    (tmp_path / "empty").touch()
    os.replace(tmp_path / "empty", gate)  # pip reads its configuration more than once
    os.close(opened)  # the orphan goes on, and ends
    assert second.communicate(timeout=120)[0].splitlines()[-1].split()[1] == "True"
    assert (place / "environment.json").exists()
    assert in_it(place / "bin" / "python", "import tiny; print(tiny.version)") == "1.0"


@pytest.mark.parametrize("broken", ["facts cut short", "no python", "runfolio moved"])
def test_a_broken_environment_is_made_anew(offline: Path, broken: str) -> None:
    made = make_environment(TINY, QUICK)
    assert made.folder is not None
    if broken == "facts cut short":
        (made.folder / "environment.json").write_text('{"manager": "virt')
    elif broken == "no python":
        (made.folder / "bin" / "python").unlink()
    else:
        [link] = made.folder.glob("lib/python*/site-packages/runfolio")
        link.unlink()
        link.symlink_to("/nowhere/runfolio")
    again = make_environment(TINY, QUICK)
    assert (again.made, again.python) == (True, made.python)
    assert in_it(again.python, "import tiny, runfolio; print(tiny.version)") == "1.0"


def test_variables_of_the_caller_do_not_lead_out_of_the_environment(offline: Path, tmp_path: Path) -> None:
    (tmp_path / "tiny.py").write_text("version = 'the wrong one'\n")
    made = make_environment(TINY, QUICK)
    outer = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere"}
    shown = subprocess.run(
        ["python", "-c", "import tiny; print(tiny.version)"],
        env=made.variables(outer),
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "1.0\n"


def test_the_password_of_an_index_is_neither_kept_nor_told(offline: Path) -> None:
    secret = "hunter2hunter2"
    lines = (f"--extra-index-url=https://ada:{secret}@index.invalid/simple", "tiny==1.0")
    made = make_environment(Wanted(lines), QUICK)
    assert made.folder is not None
    assert secret not in (made.folder / "environment.json").read_text()
    with pytest.raises(EnvironmentFailedError) as caught:
        make_environment(Wanted((lines[0], "gone==1")), QUICK)
    assert secret not in caught.value.message


def test_uv_that_is_not_there_is_named(offline: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(MissingPackageError, match="pip install uv"):
        make_environment(TINY, "uv")
