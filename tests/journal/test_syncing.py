"""An end is acknowledged when the journal and its folder are on disk: never before, and never one without the other."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from runfolio.journal import syncing
from runfolio.journal.syncing import sync_with_folder
from tests.faults.repositories import environment, make_folio


@pytest.fixture
def fd(tmp_path: Path) -> int:
    return os.open(tmp_path / "file", os.O_CREAT | os.O_WRONLY)


def test_a_fault_of_either_is_raised(tmp_path: Path, fd: int) -> None:
    sync_with_folder(fd, tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_with_folder(fd, tmp_path / "gone")
    with pytest.raises(OSError, match="Bad file descriptor"):
        sync_with_folder(1_000_000, tmp_path)


def test_without_a_thread_one_comes_after_the_other(tmp_path: Path, fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    monkeypatch.setattr(syncing, "_folders", None)
    monkeypatch.setattr(threading.Thread, "start", refuse)
    sync_with_folder(fd, tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_with_folder(fd, tmp_path / "gone")


def test_a_forked_child_has_a_thread_of_its_own(tmp_path: Path, fd: int) -> None:
    sync_with_folder(fd, tmp_path)
    child = os.fork()
    if child == 0:
        try:
            sync_with_folder(fd, tmp_path)
            os._exit(7)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_threads_get_their_own_answers(tmp_path: Path) -> None:
    folders = [tmp_path / str(number) for number in range(8)]
    for folder in folders[::2]:
        folder.mkdir()
    found: dict[Path, bool] = {}

    def work(folder: Path) -> None:
        fd = os.open(tmp_path / f"file-{folder.name}", os.O_CREAT | os.O_WRONLY)
        for _ in range(10):
            try:
                sync_with_folder(fd, folder)
                found[folder] = True
            except FileNotFoundError:
                found[folder] = False

    threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert found == {folder: number % 2 == 0 for number, folder in enumerate(folders)}


SCRIPT = """
import os, runfolio
for number in range(3):
    run = runfolio.start_run()
    runfolio.log_metric("m", 1)
    os.write(1, b"ending\\n")
    runfolio.end_run()
    os.write(1, b"ended\\n")
os._exit(0)
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize(("mode", "syncs"), [("process", 0), ("power", 1), ("power-each", 1)])
def test_an_end_is_acknowledged_after_both_syncs(tmp_path: Path, mode: str, syncs: int) -> None:
    folder = make_folio(tmp_path / "folio")
    settings = folder / "runfolio.yaml"
    settings.write_text(settings.read_text().replace("durability: power", f"durability: {mode}"))
    said = tmp_path / "strace"
    command = ["strace", "-f", "-y", "-e", "trace=fsync,fdatasync,write", "-o", str(said), sys.executable, "-c", SCRIPT]
    done = subprocess.run(
        command, cwd=folder, env=environment(RUNFOLIO_COMMIT="demand"), capture_output=True, text=True, check=False
    )
    if done.returncode and "ptrace" in done.stderr:
        pytest.skip("strace may not trace here")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["ending", "ended"] * 3
    calls = finished(said.read_text().splitlines())
    marks = [number for number, (_, call) in enumerate(calls) if re.match(r'write\(1<.*"end(ing|ed)', call)]
    assert len(marks) == 6
    for begin, end in zip(marks[::2], marks[1::2], strict=True):
        synced = [call for _, call in calls[begin:end] if call.startswith("fsync")]
        assert sum(".jsonl>" in call for call in synced) == syncs
        assert sum("/journal>" in call for call in synced) == syncs


def finished(lines: list[str]) -> list[tuple[str, str]]:
    """Return (thread, call) in the order in which calls returned."""
    begun: dict[str, str] = {}
    made = []
    for line in lines:
        thread, _, call = line.partition(" ")
        call = call.strip()
        if call.endswith("<unfinished ...>"):
            begun[thread] = call
        elif call.startswith("<..."):
            made.append((thread, begun.pop(thread)))
        else:
            made.append((thread, call))
    return made
