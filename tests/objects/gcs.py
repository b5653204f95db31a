"""A stand-in for Google Cloud Storage on loopback: what runfolio asks of it, as its documentation tells it.

Resumable sessions of the JSON API ("Perform resumable uploads", "Resumable uploads"):

- ``POST /upload/storage/v1/b/BUCKET/o?uploadType=resumable&name=NAME``: 200 and the session's address in ``Location``.
- ``PUT SESSION`` with ``Content-Range: bytes FIRST-LAST/SIZE``: 308 and ``Range: bytes=0-LAST`` of what is kept, without ``Range``
  where nothing is; 200 once all bytes are there. Chunks but the last are multiples of 256 KiB; less may be kept than was sent,
  in such multiples. A chunk that does not begin where the last one ended is refused.
- ``PUT SESSION`` with ``Content-Range: bytes */SIZE``: the same answers, nothing is sent.
- a session that was cancelled (``DELETE``: 499) or is over: 410, one that never was: 404.

And of the XML API what obstore asks: PUT (also with ``x-goog-copy-source``), GET, HEAD, DELETE.
"""

from __future__ import annotations

import hashlib
import re
import threading
import uuid
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

QUANTUM = 256 << 10


class Gcs:
    """The stand-in: objects, sessions, and what a test lets go wrong.

    Parameters
    ----------
    bucket : str
    """

    def __init__(self, bucket: str) -> None:
        self.bucket = bucket
        self.objects: dict[str, bytes] = {}
        self.sessions: dict[str, tuple[str, int, bytearray]] = {}
        self.gone: set[str] = set()
        self.received = 0
        self.chunks: list[str] = []
        self.break_after = -1
        """Chunks that go well, before one of which half is kept and the connection breaks."""
        self.spoil = False
        self.lock = threading.Lock()
        stand_in = self

        class Handler(_Handler):
            gcs = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Gcs:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def key_file(self) -> str:
        """What obstore takes in place of a service account's key: no login, this address."""
        return f'{{"gcs_base_url": "{self.endpoint}", "disable_oauth": true, "client_email": "", "private_key": "", "private_key_id": ""}}'


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    gcs: Gcs

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _reply(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"", length: int | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _key(self) -> str:
        return unquote(urlsplit(self.path).path).removeprefix(f"/{self.gcs.bucket}/")

    def do_POST(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        self._body()
        if asked.get("uploadType") != ["resumable"]:
            self._reply(400)
            return
        session = uuid.uuid4().hex
        self.gcs.sessions[session] = (asked["name"][0], int(self.headers["X-Upload-Content-Length"]), bytearray())
        self._reply(200, {"Location": f"{self.gcs.endpoint}{self.path}&upload_id={session}"})

    def do_PUT(self) -> None:
        session = parse_qs(urlsplit(self.path).query).get("upload_id")
        body = self._body()
        if session:
            with self.gcs.lock:
                self._chunk(session[0], body)
            return
        source = self.headers.get("x-goog-copy-source")
        if source:
            body = self.gcs.objects[unquote(source).removeprefix(f"{self.gcs.bucket}/")]
        self.gcs.objects[self._key()] = body
        self._reply(200, {"ETag": f'"{hashlib.md5(body).hexdigest()}"'})

    def _chunk(self, session: str, body: bytes) -> None:
        if session not in self.gcs.sessions:
            self._reply(410 if session in self.gcs.gone else 404)
            return
        name, size, held = self.gcs.sessions[session]
        asked = re.fullmatch(r"bytes (?:\*|(\d+)-(\d+))/(\d+)", self.headers["Content-Range"])
        assert asked and int(asked[3]) == size
        self.gcs.received += len(body)
        if asked[1] is not None:
            first, last = int(asked[1]), int(asked[2])
            if first != len(held) or last - first + 1 != len(body) or (last + 1 < size and len(body) % QUANTUM):
                self._reply(400)
                return
            self.gcs.chunks.append(f"{first}-{last}")
            if self.gcs.break_after == 0:
                held += body[: len(body) // 2 // QUANTUM * QUANTUM]
                self.gcs.break_after = -1
                self.close_connection = True
                return
            self.gcs.break_after -= 1
            held += body
        if len(held) == size:
            self.gcs.objects[name] = bytes(held) if not self.gcs.spoil else b"\0" + bytes(held[1:])
            self._reply(200, body=b"{}")
        else:
            self._reply(308, {"Range": f"bytes=0-{len(held) - 1}"} if held else {})

    def do_DELETE(self) -> None:
        session = parse_qs(urlsplit(self.path).query).get("upload_id")
        if session:
            self.gcs.sessions.pop(session[0], None)
            self.gcs.gone.add(session[0])
            self._reply(499)
        else:
            self._reply(204 if self.gcs.objects.pop(self._key(), None) is not None else 404)

    def do_GET(self) -> None:
        self._send(self.gcs.objects.get(self._key()))

    do_HEAD = do_GET

    def _send(self, data: Any) -> None:
        if data is None:
            self._reply(404)
            return
        facts = {"Last-Modified": formatdate(usegmt=True), "ETag": f'"{hashlib.md5(data).hexdigest()}"'}
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if start:
            facts["Content-Range"] = f"bytes {start[1]}-{len(data) - 1}/{len(data)}"
            self._reply(206, facts, data[int(start[1]) :])
        else:
            self._reply(200, facts, data)
