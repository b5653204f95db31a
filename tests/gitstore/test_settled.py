"""A file that changed is never taken for the one that was read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from runfolio.gitstore import settled
from runfolio.gitstore.settled import SettledFiles, _settled


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


def test_a_folder_is_listed_again_when_a_name_comes_or_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = SettledFiles()
    for number in range(200):  # within one tick of the file system's clock
        (tmp_path / str(number)).touch()
        assert len(files.names(str(tmp_path))) == number + 1
    monkeypatch.setattr(
        settled, "_SETTLED_NS", -(10**12)
    )  # as if it had stood so for long: the time of its status is not to be set
    monkeypatch.setattr(settled, "_COARSE_NS", -(10**12))
    assert files.names(str(tmp_path)) is files.names(str(tmp_path))
    monkeypatch.undo()
    os.utime(tmp_path, (1, 1))  # another time than its last, whatever the grain of the clock
    (tmp_path / "7").unlink()
    assert "7" not in files.names(str(tmp_path))


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        SettledFiles().names(str(tmp_path / "gone"))


@pytest.mark.parametrize(
    ("age_ns", "fraction_ns", "told"), [(10**9, 0, False), (3 * 10**9, 0, True), (10**9, 1, True), (10**7, 1, False)]
)
def test_a_time_that_is_a_whole_second_tells_of_a_change_after_two(age_ns: int, fraction_ns: int, told: bool) -> None:
    newest = 1_795_428_000 * 10**9 + fraction_ns
    assert _settled((1, 2, newest, newest), newest + age_ns) is told
