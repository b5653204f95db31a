"""The folder of an export: whole or not at all, and nothing of others' is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from runfolio.errors import StateError, UsageError
from runfolio.exports.folders import export_folder, read_about, write_about
from runfolio.exports.report import Report
from runfolio.exports.selection import Selection


def write(target: Path, root: Path, names: dict[str, str], *, force: bool = False) -> None:
    with export_folder(target, root, force=force) as folder:
        for name, text in names.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text)
        write_about(folder, "csv", Selection(), Report(), {})


def held(target: Path) -> dict[str, str]:
    return {path.relative_to(target).as_posix(): path.read_text() for path in target.rglob("*") if path.is_file()}


def test_an_earlier_export_is_replaced_whole(tmp_path: Path) -> None:
    target, root = tmp_path / "out", tmp_path / "folio"
    write(target, root, {"a.csv": "1", "deep/b.csv": "2"})
    write(target, root, {"c.csv": "3"})
    assert sorted(held(target)) == ["c.csv", "export.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]


def test_what_others_wrote_there_is_refused_and_kept_with_force(tmp_path: Path) -> None:
    target, root = tmp_path / "out", tmp_path / "folio"
    write(target, root, {"a.csv": "1"})
    (target / "mine.ipynb").write_text("work")
    (target / "link").symlink_to("mine.ipynb")
    with pytest.raises(StateError, match=r"mine\.ipynb.*--force"):
        write(target, root, {"b.csv": "2"})
    assert "a.csv" in held(target)
    write(target, root, {"b.csv": "2"}, force=True)
    assert {**held(target), "export.json": ""} == {"b.csv": "2", "mine.ipynb": "work", "link": "work", "export.json": ""}
    assert (target / "link").is_symlink()


def test_a_foreign_folder_keeps_all_but_the_names_that_the_export_needs(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "a.csv").write_text("theirs")
    (target / "kept.txt").write_text("theirs")
    with pytest.raises(StateError, match="holds files that no export"):
        write(target, tmp_path / "folio", {"a.csv": "ours"})
    write(target, tmp_path / "folio", {"a.csv": "ours"}, force=True)
    assert {**held(target), "export.json": ""} == {"a.csv": "ours", "kept.txt": "theirs", "export.json": ""}


@pytest.mark.parametrize("inside", ["", "ml"])
def test_the_folio_is_never_replaced(tmp_path: Path, inside: str) -> None:
    root = tmp_path / "folio" / inside
    root.mkdir(parents=True)
    with pytest.raises(StateError, match="holds the folio"):
        write(tmp_path / "folio", root, {"a.csv": "1"}, force=True)
    write(root / "tables", root, {"a.csv": "1"})


def test_the_folder_in_which_somebody_stands_stays_that_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out"
    target.mkdir()
    monkeypatch.chdir(target)
    same = target.stat().st_ino
    write(Path("."), tmp_path / "folio", {"a.csv": "1", "deep/b.csv": "2"})
    write(Path("."), tmp_path / "folio", {"c.csv": "3"})
    assert target.stat().st_ino == same
    assert sorted(held(Path("."))) == ["c.csv", "export.json"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out"]
    assert not (target / "deep").exists()


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    for text in ("1", "2"):
        write(tmp_path / "link", tmp_path / "folio", {"a.csv": text})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real/a.csv").read_text() == "2"


def test_a_file_is_no_place_for_a_folder(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UsageError, match="is a file"):
        write(tmp_path / "out", tmp_path / "folio", {"a.csv": "1"}, force=True)


def test_an_export_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    write(target, tmp_path / "folio", {"a.csv": "1"})
    with pytest.raises(StateError, match="no more"), export_folder(target, tmp_path / "folio", force=False) as folder:
        (folder / "b.csv").write_text("half")
        raise StateError("no more")
    assert "a.csv" in held(target)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_export_left_is_swept_by_the_next(tmp_path: Path) -> None:
    target = tmp_path / "out"
    program = (
        "import sys, os, signal, pathlib\n"
        "from runfolio.exports.folders import export_folder\n"
        "with export_folder(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), force=False) as folder:\n"
        "    (folder / 'half.csv').write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(target), str(tmp_path / "folio")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not target.exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out.runfolio-new-")]
    write(target, tmp_path / "folio", {"a.csv": "1"})
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_is_no_export_is_told_from_one(tmp_path: Path) -> None:
    (tmp_path / "export.json").write_text("[1, 2]")
    assert read_about(tmp_path) is None
    (tmp_path / "export.json").write_text("{torn")
    assert read_about(tmp_path) is None
    assert os.listdir(tmp_path) == ["export.json"]
