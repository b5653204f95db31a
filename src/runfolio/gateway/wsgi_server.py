"""A server for one WSGI application: HTTP/1.1 with connections that are kept, a thread for each, all in this one process.

Werkzeug's own closes the connection after each answer: three quarters of the gateway's CPU went into accepting connections and starting
threads. gunicorn, by which MLflow 2.22 serves, forks workers: two of them would both hold a run, and neither could end it alone. Two
libraries were tried in its place: waitress reads a whole body before the application, and so the guard, is asked, so that whoever has no
token could fill the disk; with cheroot 16 connections that say nothing keep everybody waiting. Eight connections logged 0.7 times as many
runs through either.

What the application raises ends the connection, and is told on standard error; Flask's answers for itself.

What it does *not* do: TLS, HTTP/2, WebSocket. A reverse proxy before it does.
"""

from __future__ import annotations

import io
import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from runfolio.gateway.http_requests import Body, Head, RequestError, Source, parse_head

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
MAX_CONNECTIONS = 1000
IDLE_S = 120
"""How long a connection may be silent, between requests and within one."""
END_S = 10.0
LINGER_S = 2
_SMALL = 1 << 20
_DRAINED = 1 << 24
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_log = logging.getLogger("runfolio.gateway")


class WsgiServer:
    """Serves an application on a socket that listens.

    Parameters
    ----------
    app : callable
    listener : socket
    """

    def __init__(self, app: Application, listener: socket.socket) -> None:
        self.app = app
        self.listener = listener
        host, port = listener.getsockname()[:2]
        self.base = {
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "SCRIPT_NAME": "",
            "SERVER_NAME": host,
            "SERVER_PORT": str(port),
        }
        self.ending = False
        self._room = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._busy = 0
        self._change = threading.Condition()
        self._date = (0, "")

    def serve_for_ever(self) -> None:
        """Take connections until told to end, by :meth:`end` or a KeyboardInterrupt; then requests under way have some seconds."""
        try:
            while True:
                self._room.acquire()  # more than can be served wait to be accepted
                try:
                    taken, address = self.listener.accept()
                except OSError as error:
                    self._room.release()
                    if self.ending:
                        return
                    _log.warning("a connection could not be taken: %s", error)
                    time.sleep(0.1)  # no file descriptor is free, mostly
                    continue
                self._begin(taken, address)
        finally:
            self.ending = True
            self.listener.close()
            with self._change:
                self._change.wait_for(lambda: self._busy == 0, END_S)

    def end(self) -> None:
        """End :meth:`serve_for_ever`, which another thread runs."""
        self.ending = True
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection

    def _begin(self, taken: socket.socket, address: Any) -> None:
        thread = threading.Thread(target=self._work, args=(taken, address), name="runfolio-gateway", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            _log.warning("a connection could not be served: %s", error)
            taken.close()
            self._room.release()

    def _work(self, taken: socket.socket, address: Any) -> None:
        try:
            with taken:
                taken.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):  # the kernel's clock: Python's asks it once more a call
                    taken.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", IDLE_S, 0))
                Connection(self, taken, address).serve()
        except (OSError, RequestError):
            pass  # the client is gone, or silent
        finally:
            self._room.release()

    def busy(self, by: int) -> None:
        """Count the requests that are under way."""
        with self._change:
            self._busy += by
            if self.ending:
                self._change.notify_all()

    def date(self) -> str:
        """Return the line that tells the time."""
        now = int(time.time())
        known, line = self._date
        if known != now:
            line = f"Date: {formatdate(now, usegmt=True)}\r\n"
            self._date = (now, line)
        return line


class Connection:
    """One client's connection.

    Parameters
    ----------
    server : WsgiServer
    client : socket
    address : tuple
    """

    def __init__(self, server: WsgiServer, client: socket.socket, address: Any) -> None:
        self._server, self._client = server, client
        self._source = Source(client.recv)
        self._environ = {**server.base, "REMOTE_ADDR": str(address[0]), "REMOTE_PORT": str(address[1])}

    def serve(self) -> None:
        """Answer requests, one after the other, until one of both sides ends."""
        keep = True
        while keep:
            try:
                data = self._source.head()
                if data is None:
                    return
                head = parse_head(data)
            except RequestError as refused:
                self._refuse(refused)
                return
            self._server.busy(1)
            try:
                keep = Exchange(self._server, self._client, self._source, head).answer(self._environ)
            except RequestError as refused:
                self._refuse(refused)
                return
            finally:
                self._server.busy(-1)

    def _refuse(self, refused: RequestError) -> None:
        status, body = HTTPStatus(refused.status), f"{refused.reason}\n".encode()
        head = f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
        self._client.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        linger(self._client)


class Exchange:
    """One request and its answer.

    Parameters
    ----------
    server : WsgiServer
    client : socket
    source : Source
    head : Head
    """

    def __init__(self, server: WsgiServer, client: socket.socket, source: Source, head: Head) -> None:
        self._server, self._client, self._head = server, client, head
        self._body = Body(source, head.length)
        self._awaited = head.headers.get("expect", "").lower() == "100-continue"
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._begun = self._chunked = False
        self._left: int | None = None
        self._keep = head.keep

    def answer(self, base: dict[str, Any]) -> bool:
        """Let the application answer. Returns whether the connection goes on."""
        made: Iterable[bytes] = ()
        try:
            made = self._server.app({**base, **self._environ()}, self._start)
            if isinstance(made, (list, tuple)) and len(made) == 1 and not self._begun:
                self._told(len(made[0]))
            for piece in made:
                if piece:
                    self._write(piece)
            if not self._begun:
                self._told(0)
                self._write(b"")
            if self._chunked:
                self._client.sendall(b"0\r\n\r\n")
            elif self._left:
                self._keep = False  # less than was told
        finally:
            close = getattr(made, "close", None)
            if close is not None:
                close()
        if self._keep:
            return self._drained()
        if not self._body.whole:
            linger(self._client)
        return False

    def _environ(self) -> dict[str, Any]:
        head = self._head
        target = head.target
        if not target.startswith("/"):
            parts = urlsplit(target)
            if parts.scheme not in ("http", "https") or not parts.netloc:
                raise RequestError(400, "The request's target is no path.")
            target = parts._replace(scheme="", netloc="").geturl() or "/"
        path, _, query = target.partition("?")
        made: dict[str, Any] = {
            f"HTTP_{name.upper().replace('-', '_')}": value for name, value in head.headers.items() if "_" not in name
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if f"HTTP_{name}" in made:
                made[name] = made.pop(f"HTTP_{name}")
        made["REQUEST_METHOD"], made["QUERY_STRING"], made["SERVER_PROTOCOL"] = head.method, query, head.version
        made["PATH_INFO"] = unquote_to_bytes(path).decode("latin-1") if "%" in path else path
        made["RAW_URI"] = made["REQUEST_URI"] = head.target
        if head.length is None:
            made["wsgi.input_terminated"] = True
        made["wsgi.input"] = self._input()
        return made

    def _input(self) -> Any:
        length = self._head.length
        if length == 0:
            return io.BytesIO()
        if self._awaited:
            self._client.sendall(_CONTINUE)
        if length is not None and length <= _SMALL:
            data = bytearray(length)
            view, at = memoryview(data), 0
            while at < length:
                at += self._body.readinto(view[at:])
            return io.BytesIO(data)
        return io.BufferedReader(self._body, 1 << 16)

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], None]:
        if exc_info is not None and self._begun:
            raise exc_info[1].with_traceback(exc_info[2])
        if exc_info is None and self._status:
            raise RuntimeError("the application began its answer twice")
        self._status, self._headers = status, headers
        return self._write

    def _told(self, length: int) -> None:
        """Tell an answer's length, unless the application does, or there is none to tell."""
        if self._has_body() and all(name.lower() != "content-length" for name, _ in self._headers):
            self._headers = [*self._headers, ("Content-Length", str(length))]

    def _has_body(self) -> bool:
        return not (self._status.startswith(("1", "204", "304")))

    def _write(self, piece: bytes) -> None:
        head = b"" if self._begun else self._begin()
        if self._head.method == "HEAD" or not self._has_body():
            piece = b""
        elif self._chunked and piece:
            piece = b"%x\r\n%b\r\n" % (len(piece), piece)
        elif self._left is not None:
            piece = piece[: self._left]  # more than was told would be read as the next answer
            self._left -= len(piece)
        if head or piece:
            self._client.sendall(head + piece)

    def _begin(self) -> bytes:
        if not self._status:
            raise RuntimeError("the application answered without a status")
        self._begun = True
        lines = [f"HTTP/1.1 {self._status}\r\n", self._server.date()]
        for name, value in self._headers:
            if "\r" in value or "\n" in value or "\r" in name or "\n" in name:
                raise RuntimeError(f"the application gave a header of several lines: {name!r}")
            lowered = name.lower()
            if lowered == "content-length":
                self._left = int(value)
            if lowered not in ("connection", "keep-alive", "transfer-encoding"):
                lines.append(f"{name}: {value}\r\n")
        if self._left is None and self._has_body() and self._head.method != "HEAD":
            if self._head.version == "HTTP/1.1":
                self._chunked = True
                lines.append("Transfer-Encoding: chunked\r\n")
            else:
                self._keep = False
        if self._head.method == "HEAD":
            self._left = None
        if self._server.ending or not self._small_rest():
            self._keep = False
        if not self._keep:
            lines.append("Connection: close\r\n")
        elif self._head.version == "HTTP/1.0":
            lines.append("Connection: keep-alive\r\n")
        return ("".join(lines) + "\r\n").encode("latin-1")

    def _small_rest(self) -> bool:
        """Tell whether what is left of the request's body is worth reading for the sake of the connection."""
        return self._body.whole or (self._head.length is not None and self._head.length <= _DRAINED)

    def _drained(self) -> bool:
        """Read what the application left of the request's body."""
        if self._body.whole:
            return True
        with suppress(RequestError):
            while self._body.read(1 << 16):
                pass
        return self._body.whole


def linger(client: socket.socket) -> None:
    """Let a client read its answer before it hears that nobody reads the rest of its request."""
    client.shutdown(socket.SHUT_WR)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", LINGER_S, 0))
    for _ in range(_DRAINED >> 16):
        if not client.recv(1 << 16):
            return
