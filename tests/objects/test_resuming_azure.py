"""Large uploads to Azure that go on where they stopped: against Azurite, Microsoft's own emulator.

It comes from npm (``npm install azurite``); ``RUNFOLIO_AZURITE`` names its ``azurite-blob``, else it is looked for on the path.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runfolio.errors import DamagedError
from runfolio.objects import open_store, resuming
from runfolio.objects.keys import key_of
from runfolio.objects.part_uploads import part_of
from runfolio.objects.remote import RemoteStore
from tests.objects import s3
from tests.objects.slow import SlowProxy

blob: Any = pytest.importorskip("azure.storage.blob", reason="azure-storage-blob is not installed: pip install 'runfolio[azure]'")
AZURITE = os.environ.get("RUNFOLIO_AZURITE") or shutil.which("azurite-blob")
pytestmark = pytest.mark.skipif(not AZURITE, reason="AZURITE IS MISSING: npm install azurite, and set RUNFOLIO_AZURITE")

ACCOUNT = "devstoreaccount1"
# Azurite's own account, the same for all: Microsoft's documentation, "Use the Azurite emulator for local Azure Storage development".
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
MB = 1 << 20
PART = 8 * MB
DATA = random.Random(10).randbytes(36 * MB)
UPLOAD = """
import sys
from pathlib import Path
from runfolio.objects import open_store, resuming
resuming.RESUME_BYTES = 16 << 20
store = open_store(sys.argv[1], Path(sys.argv[2]) / "objects", Path(sys.argv[2]))
store.upload()
"""


@pytest.fixture(scope="module")
def azurite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of its account."""
    folder = tmp_path_factory.mktemp("azurite")
    (port,) = s3.free_ports(1)
    assert AZURITE
    command = [
        AZURITE,
        "--blobPort",
        str(port),
        "--location",
        str(folder),
        "--silent",
        "--skipApiVersionCheck",
        "--disableTelemetry",
    ]
    with open(folder / "log", "wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as server:
        try:
            end = time.monotonic() + 60
            while not answers(port):
                assert server.poll() is None and time.monotonic() < end, (folder / "log").read_text()
                time.sleep(0.1)
            yield f"http://127.0.0.1:{port}/{ACCOUNT}"
        finally:
            server.kill()


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@pytest.fixture
def container(azurite: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY)
    monkeypatch.setenv("RUNFOLIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(resuming, "RESUME_BYTES", 16 * MB)
    client = blob.ContainerClient(azurite, f"c{random.randrange(10**9)}", {"account_name": ACCOUNT, "account_key": KEY})
    client.create_container()
    with client:
        yield client


def place(container: Any, endpoint: str) -> str:
    return f"az://{container.container_name}/team?account={ACCOUNT}&endpoint={endpoint}"


def opened(container: Any, endpoint: str, folder: Path) -> RemoteStore:
    store = open_store(place(container, endpoint), folder / "objects", folder)
    assert isinstance(store, RemoteStore)
    return store


def names(container: Any) -> list[str]:
    return [item.name for item in container.list_blobs()]


def staged(container: Any) -> int:
    """Return the bytes of blocks that are there, of blobs that are not."""
    begun = [item.name for item in container.list_blobs(include=["uncommittedblobs"])]
    return sum(block.size for name in begun for block in container.get_blob_client(name).get_block_list("uncommitted")[1])


def test_a_process_that_is_killed_is_taken_up_by_the_next(azurite: str, container: Any, tmp_path: Path) -> None:
    with SlowProxy(azurite.removesuffix(f"/{ACCOUNT}"), rate=4e6) as proxy:
        endpoint = f"{proxy.endpoint}/{ACCOUNT}"
        store = opened(container, endpoint, tmp_path)
        digest, _ = store.put_bytes(DATA)
        command = [sys.executable, "-c", UPLOAD, place(container, endpoint), str(tmp_path)]
        process = subprocess.Popen(command)
        end = time.monotonic() + 100
        while staged(container) < 2 * PART:  # parts go up side by side, and are ended together
            assert process.poll() is None and time.monotonic() < end
            time.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert names(container) == []
        before = proxy.up
        assert subprocess.run(command, timeout=120).returncode == 0
        assert proxy.up - before < len(DATA) - PART
    assert names(container) == [f"team/{key_of(digest)}"]
    assert container.download_blob(f"team/{key_of(digest)}").readall() == DATA
    assert store.waits() == (0, 0)


class Begun:
    """An object that waits, and an upload of it that is noted."""

    def __init__(self, store: RemoteStore, container: Any) -> None:
        self.digest, _ = store.put_bytes(DATA)
        self.blob = container.get_blob_client("team/incoming/abc")
        state = store._sender.in_parts._state(self.digest)  # type: ignore[union-attr]
        state.parent.mkdir()
        state.write_text(json.dumps({"place": store.bucket.url(""), "key": "incoming/abc", "upload": "incoming/abc"}))

    def put(self, number: int) -> None:
        data = DATA[number * PART : (number + 1) * PART]
        self.blob.stage_block(f"{number:05}-{part_of(data).md5}", data)


def test_blocks_that_are_there_are_not_sent_again(azurite: str, container: Any, tmp_path: Path) -> None:
    store = opened(container, azurite, tmp_path)
    begun = Begun(store, container)
    for number in range(4):
        begun.put(number)
    begun.blob.stage_block("00004-" + "0" * 32, b"other bytes")
    with SlowProxy(azurite.removesuffix(f"/{ACCOUNT}"), rate=1e9) as proxy:
        opened(container, f"{proxy.endpoint}/{ACCOUNT}", tmp_path).upload()
        assert 4 * MB < proxy.up < 5 * MB
    assert names(container) == [f"team/{key_of(begun.digest)}"]
    store.verify(begun.digest)


def test_blocks_that_went_away_begin_anew(azurite: str, container: Any, tmp_path: Path) -> None:
    store = opened(container, azurite, tmp_path)
    begun = Begun(store, container)
    begun.put(0)
    seen: list[int] = []

    def drop(size: int) -> None:
        seen.append(size)
        if len(seen) == 3:
            begun.blob.upload_blob(b"", overwrite=True)  # drops what is not committed
            begun.blob.delete_blob()

    store.upload(drop)
    assert names(container) == [f"team/{key_of(begun.digest)}"]
    store.verify(begun.digest)


def test_what_was_damaged_while_it_waited_is_not_published(azurite: str, container: Any, tmp_path: Path) -> None:
    store = opened(container, azurite, tmp_path)
    digest, _ = store.put_bytes(DATA)
    copy = store.waiting.path(digest)
    copy.chmod(0o644)
    copy.write_bytes(DATA[:-1] + b"x")
    with pytest.raises(DamagedError, match=digest):
        store.upload()
    assert names(container) == []


def test_wrong_keys_leave_it_to_the_plain_way_to_say_so(
    azurite: str, container: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(container, azurite, tmp_path)
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", KEY[::-1].lstrip("="))
    digest, _ = store.put_bytes(DATA)
    store.upload()  # obstore has the right one
    assert names(container) == [f"team/{key_of(digest)}"]
