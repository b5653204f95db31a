"""A file that changed is never taken for the one that was read."""

from __future__ import annotations

import os
import time
from pathlib import Path

from runfolio.gitstore.settled import SettledFiles


def aged(path: Path, seconds: float = 60) -> None:
    then = time.time() - seconds
    os.utime(path, (then, then))


def test_a_file_that_was_just_written_is_read_every_time(tmp_path: Path) -> None:
    files, path = SettledFiles(), tmp_path / "HEAD"
    for number in range(200):  # many changes within one tick of the file system's clock, of one length
        path.write_text(f"{number:04}")
        assert files.read(str(path)) == f"{number:04}"


def test_a_file_that_is_replaced_is_read_again(tmp_path: Path) -> None:
    files, path = SettledFiles(), tmp_path / "HEAD"
    path.write_text("one")
    aged(path)
    assert files.read(str(path)) == "one"
    (tmp_path / "new").write_text("two")
    os.replace(tmp_path / "new", path)
    assert files.read(str(path)) == "two"


def test_a_file_written_in_place_with_its_old_time_is_read_again(tmp_path: Path) -> None:
    files, path = SettledFiles(), tmp_path / "HEAD"
    path.write_text("one")
    aged(path)
    assert files.read(str(path)) == "one"
    before = path.stat()
    path.write_text("two")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))  # its status time still tells
    assert files.read(str(path)) == "two"


def test_what_is_not_there_or_not_text_is_none(tmp_path: Path) -> None:
    files = SettledFiles()
    assert files.read(str(tmp_path / "HEAD")) is None
    (tmp_path / "index").write_bytes(b"\xff\xfe\xff")
    assert files.read(str(tmp_path / "index")) is None
    assert files.read(str(tmp_path)) is None
