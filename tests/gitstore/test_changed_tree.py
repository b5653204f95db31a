"""The tree of a changed work tree is the one that ``git add`` and ``git write-tree`` make, whoever of the two wrote it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runfolio.gitstore import Repo
from runfolio.gitstore.codestate import code_tree
from tests.faults.repositories import environment, git


def _edit(folder: Path) -> None:
    (folder / "a" / "one").write_text("changed")


def _new(folder: Path) -> None:
    (folder / "new" / "deep").mkdir(parents=True)
    (folder / "new" / "deep" / "é file").write_text("new")
    (folder / "new" / "tool").write_text("#!/bin/sh\n")
    (folder / "new" / "tool").chmod(0o755)


def _staged(folder: Path) -> None:
    (folder / "b").write_text("staged")
    git(folder, "add", "b")
    (folder / "b").write_text("and changed again")
    (folder / "staged").write_text("new and staged")
    git(folder, "add", "staged")


def _staged_and_gone(folder: Path) -> None:
    (folder / "gone").write_text("x")
    git(folder, "add", "gone")
    (folder / "gone").unlink()


def _to_be_added(folder: Path) -> None:
    (folder / "intended").write_text("x")
    git(folder, "add", "-N", "intended")


def _removed(folder: Path) -> None:
    (folder / "a" / "one").unlink()
    git(folder, "rm", "-q", "--cached", "b")


def _folder_removed(folder: Path) -> None:
    shutil.rmtree(folder / "a")


def _made_executable(folder: Path) -> None:
    (folder / "b").chmod(0o755)


def _link(folder: Path) -> None:
    (folder / "b").unlink()
    (folder / "b").symlink_to("a/one")


def _file_becomes_folder(folder: Path) -> None:
    (folder / "b").unlink()
    (folder / "b").mkdir()
    (folder / "b" / "inside").write_text("x")


def _folder_becomes_file(folder: Path) -> None:
    shutil.rmtree(folder / "a")
    (folder / "a").write_text("x")


def _line_ends(folder: Path) -> None:
    (folder / ".gitattributes").write_text("*.txt text eol=crlf\n*.up filter=up\n")
    git(folder, "config", "filter.up.clean", "tr a-z A-Z")
    (folder / "lines.txt").write_bytes(b"one\r\ntwo\r\n")
    (folder / "word.up").write_text("shout")


def _modes_ignored(folder: Path) -> None:
    git(folder, "config", "core.fileMode", "false")
    (folder / "b").chmod(0o755)
    (folder / "tool").write_text("x")
    (folder / "tool").chmod(0o755)


def _names(folder: Path) -> None:
    for name in ('"quoted"', "with\nline", "-dash", "sp ace", ".gitmodule"):
        (folder / name).write_text(name)


def _returns_in_the_index(folder: Path) -> None:
    git(folder, "config", "core.autocrlf", "false")
    (folder / "dos.py").write_bytes(b"one\r\ntwo\r\n")
    git(folder, "add", "dos.py")
    git(folder, "commit", "-qm", "line ends of another system")
    git(folder, "config", "core.autocrlf", "input")
    (folder / "dos.py").write_bytes(b"one\r\ntwo\r\nthree\r\n")
    (folder / "new.py").write_bytes(b"one\r\n")


def _returns_staged(folder: Path) -> None:
    (folder / "dos.py").write_bytes(b"one\r\n")
    git(folder, "add", "dos.py")
    (folder / ".gitattributes").write_text("* text=auto\n")
    (folder / "dos.py").write_bytes(b"two\r\n")


def _name_ends_with_a_return(folder: Path) -> None:
    (folder / "twice").write_text("one")
    (folder / "twice\r").write_text("other")


CHANGES = [
    _edit, _new, _staged, _staged_and_gone, _to_be_added, _removed, _folder_removed, _made_executable, _link, _file_becomes_folder,
    _folder_becomes_file, _line_ends, _modes_ignored, _names, _returns_in_the_index, _returns_staged, _name_ends_with_a_return,
]  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for key, value in environment().items():
        monkeypatch.setenv(key, value)
    made = tmp_path / "repo"
    (made / "a").mkdir(parents=True)
    git(made, "init", "-q", "-b", "main")
    for name in ("a/one", "a/two", "b", "a.b"):
        (made / name).write_text(name)
    git(made, "add", ".")
    git(made, "commit", "-qm", "start")
    return made


def _told_by_git(folder: Path, index: Path) -> str:
    shutil.copy2(folder / ".git" / "index", index)
    env = {**os.environ, "GIT_INDEX_FILE": str(index)}
    subprocess.run(["git", "add", "-A"], cwd=folder, env=env, check=True, capture_output=True)
    return subprocess.run(["git", "write-tree"], cwd=folder, env=env, check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__.strip("_"))
@pytest.mark.parametrize("packed", [False, True], ids=["loose", "packed"])
def test_it_is_the_tree_that_git_makes(change: Callable[[Path], None], packed: bool, folder: Path, tmp_path: Path) -> None:
    if packed:
        git(folder, "gc", "-q")
    change(folder)
    index = (folder / ".git" / "index").read_bytes()
    found = code_tree(Repo.discover(folder))
    assert found.dirty and found.tree == _told_by_git(folder, tmp_path / "index")
    assert (folder / ".git" / "index").read_bytes() == index
    git(folder, "fsck", "--strict")


@pytest.mark.parametrize("odd", [False, True], ids=["here", "by git"])
def test_code_is_kept_where_git_would_refuse_its_line_ends(odd: bool, folder: Path) -> None:
    git(folder, "config", "core.autocrlf", "input")
    git(folder, "config", "core.safecrlf", "true")
    (folder / "dos.py").write_bytes(b"one\r\n")
    if odd:
        (folder / "link").symlink_to("b")
    found = code_tree(Repo.discover(folder))
    assert git(folder, "ls-tree", "--name-only", found.tree, "dos.py").strip() == "dos.py"
    assert git(folder, "cat-file", "blob", f"{found.tree}:dos.py") == "one\n"


def test_what_changes_a_file_alone_starts_git_four_times(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "trace"
    _edit(folder)
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin" / "git"
    program.write_text(f'#!/bin/sh\necho "$@" >> {log}\nexec {shutil.which("git")} "$@"\n')
    program.chmod(0o755)
    code = (
        "import sys; from runfolio.gitstore import Repo; from runfolio.gitstore.codestate import code_tree; "
        "code_tree(Repo.discover(sys.argv[1]))"
    )
    env = {**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(["python", "-c", code, str(folder)], env=env, check=True)
    said = log.read_text()
    assert [said.count(verb) for verb in ("--version", "status", "config", "hash-object")] == [1, 1, 1, 1]
    assert len(said.splitlines()) == 4
