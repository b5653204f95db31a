"""What the stand-ins of git hosts share: a real HTTP server on loopback, in a thread, that records what it is asked.

A host's stand-in (``github.py``, ``gitlab.py``, ``gitea.py``) answers as its API is documented to. On top of that a test can put

- *faults*: answers given instead of the real one, to the next requests that match (``server.fault("POST", "/comments", …)``);
- *hooks*: functions that run just before a request is carried out, for what another build does at that moment.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Request:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes = b""


@dataclass
class Reply:
    """An answer; ``data`` is sent as JSON, ``raw`` as it is."""

    status: int = 200
    data: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    promised: int | None = None
    """What Content-Length says, where it lies."""
    hang: bool = False
    """Send nothing until the server is closed."""
    trickle: bool = False
    """Send a byte now and then, for ever."""


@dataclass
class Remark:
    """A comment on the pull request; edited in place."""

    id: int
    author: str
    body: str
    system: bool = False
    at: str = "2026-11-20T10:00:00Z"


@dataclass
class _Rule:
    method: str
    pattern: re.Pattern[str]
    times: int
    reply: Reply | None = None
    hook: Callable[[], None] | None = None

    def matches(self, request: Request) -> bool:
        return self.times > 0 and request.method == self.method and self.pattern.search(request.path) is not None


class StandIn:
    """A server that stands in for a git host; a context manager.

    Attributes
    ----------
    remarks : list of Remark
        On pull request 7, the oldest first.
    requests : list of Request
        All that was asked, in order.
    """

    base = ""
    """What its API's path begins with."""

    def __init__(self) -> None:
        self.remarks: list[Remark] = []
        self.requests: list[Request] = []
        self.next_id = 100
        self._rules: list[_Rule] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        return self.origin + self.base

    def __enter__(self) -> StandIn:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()

    def fault(self, method: str, pattern: str, *replies: Reply, times: int = 1) -> None:
        """Answer the next requests that match with these replies instead, one after the other."""
        self._rules += [_Rule(method, re.compile(pattern), times, reply=reply) for reply in replies]

    def before(self, method: str, pattern: str, hook: Callable[[], None], times: int = 1) -> None:
        """Run a function just before the next request that matches is carried out."""
        self._rules.append(_Rule(method, re.compile(pattern), times, hook=hook))

    def add(self, author: str, body: str, **more: Any) -> Remark:
        """Put a comment onto the pull request."""
        with self._lock:
            self.next_id += 1
            remark = Remark(self.next_id, author, body, **more)
            self.remarks.append(remark)
            return remark

    def remark(self, number: int) -> Remark | None:
        return next((item for item in self.remarks if item.id == number), None)

    def count(self, method: str, pattern: str = "") -> int:
        """Say how many requests there were."""
        return sum(request.method == method and re.search(pattern, request.path) is not None for request in self.requests)

    def answer(self, request: Request) -> Reply:
        """Answer as the host would; for the stand-ins to write."""
        raise NotImplementedError

    def paged(
        self, items: list[Any], request: Request, size_key: str, default: int, most: int
    ) -> tuple[list[Any], dict[str, str]]:
        """Cut a list into pages as the three hosts do; return the page and the ``Link`` header."""
        size = max(1, min(int(request.query.get(size_key, default)), most))
        page = max(1, int(request.query.get("page", 1)))
        links = []
        if page * size < len(items):
            query = urllib.parse.urlencode({**request.query, "page": page + 1})
            links.append(f'<{self.origin}{request.path}?{query}>; rel="next"')
        if page > 1:
            query = urllib.parse.urlencode({**request.query, "page": page - 1})
            links.append(f'<{self.origin}{request.path}?{query}>; rel="prev"')
        return items[(page - 1) * size : page * size], {"Link": ", ".join(links)} if links else {}

    def _replied(self, request: Request) -> Reply:
        with self._lock:
            self.requests.append(request)
            hooks = [rule for rule in self._rules if rule.hook and rule.matches(request)]
            for rule in hooks:
                rule.times -= 1
            for rule in hooks:
                assert rule.hook is not None
                rule.hook()
            for rule in self._rules:
                if rule.reply is not None and rule.matches(request):
                    rule.times -= 1
                    return rule.reply
            return self.answer(request)

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        standin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _any(self) -> None:
                parts = urllib.parse.urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                data = self.rfile.read(length)
                request = Request(
                    self.command,
                    parts.path,
                    dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)),
                    {key.lower(): value for key, value in self.headers.items()},
                    json.loads(data) if data else None,
                    data,
                )
                with contextlib.suppress(OSError):  # a client may leave
                    standin.send(self, standin._replied(request))

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = _any

            def log_message(self, format: str, *args: Any) -> None:
                pass

        return Handler

    def send(self, handler: http.server.BaseHTTPRequestHandler, reply: Reply) -> None:
        if reply.hang:
            self._closing.wait()
            return
        data = reply.raw if reply.raw is not None else b"" if reply.data is None else json.dumps(reply.data).encode()
        handler.send_response(reply.status)
        for key, value in {"Content-Type": "application/json; charset=utf-8", **reply.headers}.items():
            handler.send_header(key, value)
        if reply.status != 204 and not reply.trickle:
            handler.send_header("Content-Length", str(len(data) if reply.promised is None else reply.promised))
        handler.end_headers()
        handler.wfile.write(data)
        while reply.trickle and not self._closing.wait(0.02):
            handler.wfile.write(b" ")
            handler.wfile.flush()
