"""The requests that MLflow's own client sends for a run, recorded once, and sent again by clients that cost next to nothing.

Eight Python processes with MLflow in them need more of a small machine than the server that they are to measure. What they send is recorded
between client and server, byte for byte; then one thread sends it over as many connections as there are clients, each waiting for its
answer before it sends the next, as a client does: a run's id is the one that the server gave. A connection is kept for as long as the server keeps
it, as MLflow's client does.

``python recorded_requests.py URI CLIENTS RUNS FILE`` prints seconds a run, of all clients together.
"""

from __future__ import annotations

import http.client
import json
import re
import selectors
import socket
import sys
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

PLACE = b"@RUN@"
_CREATES = re.compile(rb"^POST /api/2\.0/mlflow/runs/create ")
_RUN_ID = re.compile(rb'"run_id":\s*"([0-9a-f]{32})"')


def record(uri: str, run_client: Callable[[str], None]) -> list[bytes]:
    """Return what a client sends from the start of its last run to its end.

    Parameters
    ----------
    uri : str
        A server.
    run_client : callable
        Given the URI that the client is to talk to; logs two runs or more.

    Returns
    -------
    list of bytes
        Whole requests, with :data:`PLACE` where the run's id is.
    """
    target, sent = urlsplit(uri), list[tuple[bytes, bytes]]()

    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            there = http.client.HTTPConnection(str(target.hostname), target.port, timeout=120)
            there.request(self.command, self.path, body, dict(self.headers.items()))
            answer = there.getresponse()
            content = answer.read()
            there.close()
            head = [f"{self.command} {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in self.headers.items())]
            sent.append(("\r\n".join(head).encode() + b"\r\n\r\n" + body, content))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = do_DELETE = do_PUT = _pass  # noqa: N815  # the names that http.server calls

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Between) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        run_client(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
    last = [at for at, (request, _) in enumerate(sent) if _CREATES.match(request)][-1]
    found = _RUN_ID.search(sent[last][1])
    assert found, sent[last][1]
    # The id that takes the place is as long as the one that was there, so that Content-Length stays true.
    return [request.replace(found[1], PLACE) for request, _ in sent[last:]]


class _Client:
    """One connection that sends the requests of a run again and again."""

    def __init__(self, place: tuple[str, int], requests: list[bytes], runs: int) -> None:
        self._place, self._requests, self._left = place, requests, runs
        self._at, self._run, self._got, self._closes = 0, b"", b"", False
        self.socket = self._connected()

    def _connected(self) -> socket.socket:
        made = socket.create_connection(self._place)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    def send(self) -> None:
        """Send the request that is next."""
        self.socket.sendall(self._requests[self._at].replace(PLACE, self._run))

    def receive(self) -> bool:
        """Take what came. Returns whether the answer is whole."""
        got = self.socket.recv(65536)
        self._got += got
        head, found, body = self._got.partition(b"\r\n\r\n")
        if not got and not found:
            raise RuntimeError("the server closed the connection without an answer")
        if not found or len(body) < _length(head):
            return False
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(self._got[:2000].decode("utf-8", "replace"))
        if self._at == 0:
            made = _RUN_ID.search(body)
            assert made, body
            self._run = made[1]
        self._closes = b"connection: close" in head.lower()
        self._got = b""
        return True

    def next(self) -> bool:
        """Go to the next request. Returns whether there is one."""
        self._at = (self._at + 1) % len(self._requests)
        if self._at == 0:
            self._left -= 1
        if self._closes:
            self.socket.close()
            if self._left:
                self.socket = self._connected()
        return self._left > 0


def _length(head: bytes) -> int:
    found = re.search(rb"\r\ncontent-length:\s*(\d+)", head, re.IGNORECASE)
    if found is None:
        raise RuntimeError(f"an answer without its length: {head!r}")
    return int(found[1])


def send(uri: str, clients: int, runs: int, requests: list[bytes]) -> float:
    """Send the requests of `runs` runs from each of several clients at once. Returns seconds a run, of all together."""
    place = urlsplit(uri)
    start = time.perf_counter()
    with selectors.DefaultSelector() as ready:
        for _ in range(clients):
            client = _Client((str(place.hostname), int(place.port or 80)), requests, runs)
            ready.register(client.socket, selectors.EVENT_READ, client)
            client.send()
        while ready.get_map():
            for key, _ in ready.select():
                client = key.data
                if not client.receive():
                    continue
                before = client.socket
                goes_on = client.next()
                if client.socket is not before or not goes_on:
                    ready.unregister(before)
                    before.close()
                    if goes_on:
                        ready.register(client.socket, selectors.EVENT_READ, client)
                if goes_on:
                    client.send()
    return (time.perf_counter() - start) / (clients * runs)


if __name__ == "__main__":
    recorded = [bytes.fromhex(item) for item in json.loads(Path(sys.argv[4]).read_text())]
    print("RESULT", json.dumps(send(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), recorded)))
