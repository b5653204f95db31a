"""The version of git is asked once a machine: what is remembered, of which program, and when it is asked again."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runfolio.errors import GitError
from runfolio.gitstore import program

Asked = Callable[[], int]
CACHES = (program.git_program, program.git_version, program.found_git, program._kept)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the file of a cache of one's own, in a process that knows nothing of git yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    forget()
    yield tmp_path / "cache" / "runfolio" / "git"
    forget()


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Return what counts the processes that were started."""
    started: list[object] = []
    spawn = os.posix_spawn

    def counted(path: str, *args: object, **more: object) -> int:
        started.append(path)
        return spawn(path, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "posix_spawn", counted)
    return lambda: len(started)


@pytest.fixture
def own_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a git that nobody else uses, the first on the path."""
    made = tmp_path / "bin" / "git"
    made.parent.mkdir()
    shutil.copy2(os.path.realpath(str(shutil.which("git"))), made)
    monkeypatch.setenv("PATH", str(made.parent), prepend=os.pathsep)
    return made


def forget() -> None:
    """Be a process that was just started."""
    program._asked.clear()
    for cached in CACHES:
        cached.cache_clear()


def test_the_next_process_does_not_ask(memory: Path, asked: Asked, own_git: Path) -> None:
    version = program.git_version()
    assert asked() == 1 and version >= program.OLDEST_GIT and memory.is_file()
    forget()
    program.ask_version_ahead()
    assert program.git_program() == str(own_git) and program.git_version() == version
    assert asked() == 1


def test_another_program_is_asked(memory: Path, asked: Asked, own_git: Path) -> None:
    program.git_version()
    stat = own_git.stat()
    shutil.copy(own_git, own_git.with_name("other"))
    os.utime(own_git.with_name("other"), ns=(stat.st_atime_ns, stat.st_mtime_ns))
    os.replace(own_git.with_name("other"), own_git)  # of the same size and time, and no less another file
    forget()
    program.ask_version_ahead()
    assert program.git_version() and asked() == 2


def test_a_script_is_asked_each_time(memory: Path, asked: Asked, own_git: Path) -> None:
    for number in (41, 42):
        own_git.write_text(f"#!/bin/sh\necho git version 2.{number}.0\n")
        forget()
        assert program.git_version() == (2, number)
    assert asked() == 2 and not memory.exists()


def test_a_program_behind_a_link_of_another_name_is_asked_each_time(memory: Path, own_git: Path) -> None:
    own_git.rename(own_git.with_name("starter"))
    own_git.symlink_to("starter")
    assert program.git_version() and not memory.exists()


@pytest.mark.parametrize("damage", [b"", b"2.40", b"9.x 1 2 3", b"\xff\xfe", b"99.0 1 2 3 4 5 /usr/bin/git\n"])
def test_a_damaged_memory_is_not_believed(memory: Path, asked: Asked, own_git: Path, damage: bytes) -> None:
    memory.parent.mkdir(parents=True)
    memory.write_bytes(damage)
    version = program.git_version()
    assert asked() == 1 and version < (99, 0)
    forget()
    assert program.git_version() == version and asked() == 1


def test_what_is_remembered_of_a_git_that_is_too_old_refuses_it(memory: Path, own_git: Path) -> None:
    program.git_version()
    number, _, rest = memory.read_text().partition(" ")
    memory.write_text(f"2.20 {rest}")
    forget()
    with pytest.raises(GitError, match=r"git 2\.20 is too old"):
        program.git_program()
    assert number != "2.20"


def test_a_cache_that_cannot_be_written_is_done_without(memory: Path, own_git: Path) -> None:
    memory.parent.parent.write_text("a file where the folder should be")
    assert program.git_version() >= program.OLDEST_GIT
