"""Files made beside the objects become objects by a rename, and what is left of them goes."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from pathlib import Path

import pytest

from runfolio.objects import open_store
from runfolio.objects.leaving import SWEEP_AGE_S
from runfolio.objects.local import LocalStore
from runfolio.objects.remote import RemoteStore
from runfolio.records.runs import Digest


def digest(data: bytes) -> Digest:
    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


@pytest.mark.parametrize("durable", [False, True])
def test_taken_file_is_an_object_without_a_copy(tmp_path: Path, durable: bool) -> None:
    store = LocalStore(tmp_path / "objects", durable=durable)
    with store.making() as folder:
        (folder / "model").mkdir()
        file = folder / "model/weights"
        file.write_bytes(b"weights")
        inode = file.stat().st_ino
        assert store.take(file, digest(b"weights")) == 7
        assert not file.exists()
    assert not folder.exists()
    place = store.path(digest(b"weights"))
    assert place.stat().st_ino == inode and not place.stat().st_mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH)
    assert store.read(digest(b"weights")) == b"weights"


def test_file_that_is_an_object_already_is_left_to_go(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "objects", durable=False)
    store.put_bytes(b"weights")
    inode = store.path(digest(b"weights")).stat().st_ino
    with store.making() as folder:
        (folder / "w").write_bytes(b"weights")
        store.take(folder / "w", digest(b"weights"))
    assert store.path(digest(b"weights")).stat().st_ino == inode
    assert list(store.incoming.iterdir()) == []


def test_folder_is_gone_after_a_fault(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "objects", durable=False)
    with pytest.raises(ZeroDivisionError), store.making() as folder:
        (folder / "w").write_bytes(b"weights")
        1 / 0  # noqa: B018 # the fault
    assert list(store.incoming.iterdir()) == []


def test_folder_of_a_killed_process_is_swept_when_it_is_old(tmp_path: Path) -> None:
    store = LocalStore(tmp_path / "objects", durable=False)
    left = store.incoming / ".0123.part"
    (left / "model").mkdir(parents=True)
    assert store.sweep() == 0 and left.is_dir()
    old = time.time() - SWEEP_AGE_S - 10
    os.utime(left, (old, old))
    assert store.sweep() == 1 and not left.exists()


def test_taken_file_waits_for_the_bucket_and_is_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("fsspec")
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    store = open_store(f"local://{tmp_path}/store", tmp_path / "objects", tmp_path)
    assert isinstance(store, RemoteStore)
    with store.making() as folder:
        (folder / "w").write_bytes(b"weights")
        assert store.take(folder / "w", digest(b"weights")) == 7
    assert store.waits() == (1, 7)
    store.upload()
    assert store.waits() == (0, 0) and store.read(digest(b"weights")) == b"weights"
