"""Large uploads to Google Cloud Storage that go on where they stopped: against a stand-in of its sessions, whose contract it records."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from runfolio.errors import DamagedError, StorageError
from runfolio.objects import open_store, resuming
from runfolio.objects.keys import key_of
from runfolio.objects.remote import RemoteStore
from tests.objects.gcs import Gcs
from tests.objects.slow import SlowProxy

pytest.importorskip("google.auth", reason="google-auth is not installed: pip install 'runfolio[gcs]'")

MB = 1 << 20
DATA = random.Random(9).randbytes(20 * MB + 5)
UPLOAD = """
import sys
from pathlib import Path
from runfolio.objects import open_store, resuming
resuming.RESUME_BYTES = 16 << 20
store = open_store("gs://bucket/team", Path(sys.argv[1]) / "objects", Path(sys.argv[1]))
store.upload()
"""


@pytest.fixture
def gcs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Gcs]:
    with Gcs("bucket") as made:
        monkeypatch.setattr(resuming, "RESUME_BYTES", 16 * MB)
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", made.key_file)
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", made.endpoint)
        monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("RUNFOLIO_STORE_TIMEOUT", "5")
        yield made


def opened(folder: Path) -> RemoteStore:
    store = open_store("gs://bucket/team", folder / "objects", folder)
    assert isinstance(store, RemoteStore)
    return store


def test_a_large_file_goes_up_in_a_session_and_is_read_back(gcs: Gcs, tmp_path: Path) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    seen: list[int] = []
    store.upload(seen.append)
    assert gcs.objects == {f"team/{key_of(digest)}": DATA}
    assert (sum(seen), gcs.received, gcs.chunks[-1]) == (len(DATA), len(DATA), f"{16 * MB}-{len(DATA) - 1}")
    assert list((tmp_path / "waiting/uploads").iterdir()) == []


def test_a_connection_that_breaks_goes_on_with_what_was_kept(gcs: Gcs, tmp_path: Path) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    gcs.break_after = 1
    store.upload()
    assert gcs.chunks[1:3] == [f"{8 * MB}-{16 * MB - 1}", f"{12 * MB}-{16 * MB - 1}"]
    assert (gcs.objects[f"team/{key_of(digest)}"], gcs.received) == (DATA, len(DATA) + 4 * MB)


def test_a_process_that_is_killed_is_taken_up_by_the_next(gcs: Gcs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    with SlowProxy(gcs.endpoint, rate=10e6) as proxy:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.endpoint)
        gcs.endpoint, endpoint = proxy.endpoint, gcs.endpoint  # addresses of sessions lead through the proxy
        environment = {**os.environ, "STORAGE_EMULATOR_HOST": proxy.endpoint}
        process = subprocess.Popen([sys.executable, "-c", UPLOAD, str(tmp_path)], env=environment)
        assert proxy.wait_for(10 * MB, 60)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert gcs.objects == {}
        assert subprocess.run([sys.executable, "-c", UPLOAD, str(tmp_path)], env=environment, timeout=60).returncode == 0
        assert proxy.up < len(DATA) + 9 * MB
        gcs.endpoint = endpoint
    assert gcs.objects == {f"team/{key_of(digest)}": DATA}


@pytest.mark.parametrize("how", ["cancelled", "never was", "of another host"])
def test_a_session_that_is_gone_begins_anew(gcs: Gcs, tmp_path: Path, how: str) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    parts = store._sender.in_parts
    assert parts is not None
    session = parts._uploads.begin("incoming/abc", len(DATA))
    if how == "cancelled":
        parts._uploads.abandon("incoming/abc", session)
    elif how == "never was":
        session += "x"
    else:
        session = session.replace("127.0.0.1", "attacker.example")
    state = parts._state(digest)
    state.parent.mkdir()
    state.write_text(json.dumps({"place": "gs://bucket/team/", "key": "incoming/abc", "upload": session}))
    store.upload()
    assert gcs.objects == {f"team/{key_of(digest)}": DATA}


def test_wrong_bytes_are_found_when_they_are_read_back(gcs: Gcs, tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.put_bytes(DATA)
    gcs.spoil = True
    with pytest.raises(StorageError, match="not what was sent"):
        store.upload()
    assert (gcs.objects, store.waits()[0]) == ({}, 1)
    gcs.spoil = False
    store.upload()
    assert list(gcs.objects.values()) == [DATA]


def test_an_upload_that_was_complete_is_only_read_back(gcs: Gcs, tmp_path: Path) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    gcs.objects["team/incoming/abc"] = DATA
    state = store._sender.in_parts._state(digest)  # type: ignore[union-attr]
    state.parent.mkdir()
    state.write_text(json.dumps({"place": "gs://bucket/team/", "key": "incoming/abc", "upload": "over"}))
    store.upload()
    assert (gcs.objects, gcs.received) == ({f"team/{key_of(digest)}": DATA}, 0)


def test_what_was_damaged_while_it_waited_is_not_published(gcs: Gcs, tmp_path: Path) -> None:
    store = opened(tmp_path)
    digest, _ = store.put_bytes(DATA)
    copy = store.waiting.path(digest)
    copy.chmod(0o644)
    copy.write_bytes(b"x" + DATA[1:])
    with pytest.raises(DamagedError, match=digest):
        store.upload()
    assert gcs.objects == {}
