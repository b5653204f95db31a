"""Walking the folders of a user."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runfolio.errors import NotFoundError, UsageError
from runfolio.objects import walk_files


def names(folder: Path) -> list[str]:
    return [name for name, _ in walk_files(folder)]


def test_files_come_in_order_of_their_relative_paths(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a/b/c", "a.txt", ".hidden"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    (tmp_path / "empty").mkdir()
    found = walk_files(tmp_path)
    assert [name for name, _ in found] == [".hidden", "a.txt", "a/b/c", "a/z", "b"]
    assert [path.read_text() for _, path in found] == [name for name, _ in found]


def test_links_are_followed_but_not_round_in_circles(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").touch()
    top = tmp_path / "top"
    (top / "inner").mkdir(parents=True)
    (top / "inner" / "file").touch()
    (top / "inner" / "up").symlink_to("..")
    (top / "inner" / "self").symlink_to(".")
    (top / "latest").symlink_to(tmp_path / "other")
    (top / "file_link").symlink_to("inner/file")
    assert names(top) == ["file_link", "inner/file", "latest/file"]
    (tmp_path / "other" / "back").symlink_to(top)
    assert names(top) == ["file_link", "inner/file", "latest/file"]


def test_all_that_cannot_be_stored_is_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    os.mkfifo(tmp_path / "a" / "pipe")
    (tmp_path / "gone").symlink_to("nowhere")
    (tmp_path / "fine").touch()
    with pytest.raises(UsageError, match=r"a/pipe is a pipe; gone is a link to nothing"):
        walk_files(tmp_path)


def test_a_missing_folder_and_a_file_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotFoundError, match="There is no folder"):
        walk_files(tmp_path / "absent")
    with pytest.raises(UsageError, match="is a file, not a folder"):
        walk_files(tmp_path / "file")
