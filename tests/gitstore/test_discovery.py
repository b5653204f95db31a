"""A repository found without git is the one that git finds, and what is not plain is asked of git."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.errors import GitError, NotAFolioError
from runfolio.gitstore import Repo, program
from runfolio.gitstore.discovery import plain_repository
from tests.faults.repositories import environment, git


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    folder = tmp_path / "top"
    (folder / "a" / "b").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    git(folder, "commit", "-q", "--allow-empty", "-m", "start")
    return folder


def as_git_says(folder: Path) -> tuple[Path, Path, Path | None]:
    said = git(folder, "rev-parse", "--absolute-git-dir", "--path-format=absolute", "--git-common-dir").splitlines()
    work_tree = git(folder, "rev-parse", "--show-toplevel", check=False).strip()
    return Path(said[0]), Path(said[1]), Path(work_tree) if work_tree else None


@pytest.mark.parametrize("below", [".", "a", "a/b"])
def test_a_plain_repository_is_found_without_git(top: Path, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    wanted = as_git_says(top / below)
    for place, name in ((os, "posix_spawn"), (subprocess, "Popen")):
        monkeypatch.setattr(place, name, lambda *args, **more: pytest.fail("git was started"))
    repo = Repo.discover(top / below)
    assert (repo.git_dir, repo.common_dir, repo.work_tree) == wanted


def linked(top: Path) -> Path:
    git(top, "worktree", "add", "-q", "../linked")
    return top.parent / "linked"


def submodule(top: Path) -> Path:
    git(top, "-c", "protocol.file.allow=always", "submodule", "add", "-q", str(top), "sub")
    return top / "sub"


def configured(*values: str) -> Callable[[Path], Path]:
    def change(top: Path) -> Path:
        git(top, "config", *values)
        return top

    return change


def elsewhere(top: Path) -> Path:
    (top.parent / "moved").mkdir()
    git(top, "config", "core.worktree", str(top.parent / "moved"))
    return top


def separate(top: Path) -> Path:
    git(top.parent, "init", "-q", "--separate-git-dir", "kept.git", "apart")
    return top.parent / "apart"


def said_on_one_line(top: Path) -> Path:
    config = top / ".git" / "config"
    config.write_text("[core] bare = true\n" + config.read_text())
    return top


def bare(top: Path) -> Path:
    git(top.parent, "clone", "-q", "--bare", "top", "bare.git")
    return top.parent / "bare.git"


ODD = {
    "linked": linked,
    "submodule": submodule,
    "elsewhere": elsewhere,
    "separate": separate,
    "bare": bare,
    "within the git folder": lambda top: top / ".git",
    "within its objects": lambda top: top / ".git" / "objects",
    "called bare": configured("core.bare", "true"),
    "called bare in the line of the section": said_on_one_line,
    "a newer format": configured("core.repositoryFormatVersion", "1"),
    "an extension": configured("extensions.partialClone", "origin"),
    "an include": configured("include.path", "more"),
    "no repository": lambda top: top.parent,
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_not_plain_is_asked_of_git(top: Path, name: str) -> None:
    folder = ODD[name](top)
    assert plain_repository(folder.resolve()) is None
    if name == "no repository":
        with pytest.raises(NotAFolioError):
            Repo.discover(folder)
        return
    repo = Repo.discover(folder)
    wanted = as_git_says(folder)
    assert (repo.git_dir, repo.common_dir) == wanted[:2]
    if name != "elsewhere":  # git names the other work tree there, and so do we only from within it
        assert repo.work_tree in (wanted[2], top if "within" in name or name == "called bare" else None)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
@pytest.mark.parametrize("given", [".", ".git"])
def test_a_repository_of_somebody_else_is_refused_in_git_s_words(top: Path, given: str) -> None:
    os.chown(top / given, 12345, 12345)
    assert plain_repository(top) is None
    if given == ".":
        with pytest.raises(GitError, match=r"safe\.directory"):
            Repo.discover(top)


def test_a_git_that_is_too_old_is_named_when_it_is_needed(top: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "bin" / "git"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho git version 2.20.1\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent))
    caches = (program.git_program, program.git_version, program.found_git, program._kept)
    for cached in caches:
        cached.cache_clear()
    try:
        with pytest.raises(GitError, match=r"git 2\.20 is too old.*Upgrade git"):
            Repo.discover(top).run("status")
    finally:
        for cached in caches:
            cached.cache_clear()
