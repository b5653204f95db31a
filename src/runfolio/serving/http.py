"""HTTP/1.1 on asyncio: bytes to requests, answers to bytes, and a limit on all that a client may take of us.

The grammar is llhttp's (package httptools). Ours is what surrounds it: one request at a time of each connection (those sent ahead
wait in order), heads of at most 64 KiB, bodies refused at their head where it says too much, and three clocks: for a head, for a
body, and between requests. One sweep twice a second looks at all clocks, since a timer for each request costs more than the request.

No task is made for a request: :class:`Handler` answers when it can, by calling :meth:`Request.respond`.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, Protocol

import httptools

from runfolio.serving.answers import Answer, error_answer
from runfolio.serving.options import ServeOptions

MAX_HEAD = 64 * 1024
MAX_AHEAD = 64
SWEEP_S = 0.5
_LINGER_S = 2.0
_STATUS = {each.value: f"HTTP/1.1 {each.value} {each.phrase}\r\n".encode() for each in HTTPStatus}
_IDLE, _HEAD, _BODY, _LAST = "idle", "head", "body", "last"
"""What is read: nothing since the last request, a head, a body; or all is dropped, since the last answer was given."""


_HEAD_TOO_LONG = error_answer(431, "BAD_REQUEST", f"The request's head is larger than {MAX_HEAD} bytes.", close=True)


class Handler(Protocol):
    """What answers requests."""

    def admit(self, request: Request) -> Answer | None:
        """Look at a request's head; return an answer to refuse it before its body is read."""

    def handle(self, request: Request) -> None:
        """Answer a whole request, now or later, in the event loop's thread."""

    def refused(self, request: Request, answer: Answer) -> None:
        """Hear of a request that was refused at its head."""

    def told(self, kind: str) -> None:
        """Hear of a connection that was refused or ended by us: ``timeout``, ``invalid``, ``full``."""


class Request:
    """One request.

    Attributes
    ----------
    method, path, query : str
    headers : dict of str to str
        By lower-case name; of a name that comes twice, the last.
    body : bytes
    begun : float
        On the monotonic clock, when its last byte had come.
    """

    __slots__ = ("_connection", "answered", "begun", "body", "headers", "keep", "method", "path", "query", "twice")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.method = self.path = self.query = ""
        self.headers: dict[str, str] = {}
        self.body = b""
        self.begun = 0.0
        self.keep = True
        self.twice: set[str] = set()
        self.answered = False

    def respond(self, answer: Answer) -> None:
        """Send the answer; a second one is dropped."""
        if not self.answered:
            self.answered = True
            self._connection.answer(self, answer)


class Listener:
    """All connections of one worker.

    Parameters
    ----------
    options : ServeOptions
    handler : Handler
    """

    def __init__(self, options: ServeOptions, handler: Handler) -> None:
        self.options = options
        self.handler = handler
        self.connections: set[Connection] = set()
        self.draining = False
        self.date = b""
        self._tick()

    def connect(self) -> Connection:
        """Make the protocol of a new connection."""
        return Connection(self)

    def _tick(self) -> None:
        self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()

    async def sweep_for_ever(self, also: Callable[[float], None]) -> None:
        """End connections whose time is up, twice a second; `also` is called with the time each turn."""
        while True:
            await asyncio.sleep(SWEEP_S)
            self._tick()
            now = time.monotonic()
            for connection in tuple(self.connections):
                connection.check_clock(now)
            also(now)

    def drain(self) -> None:
        """Answer what is under way, and say on each answer that the connection ends; silent connections have two seconds."""
        self.draining = True
        for connection in tuple(self.connections):
            connection.drain()


class Connection(asyncio.Protocol):
    """One connection."""

    __slots__ = (
        "_ahead", "_body", "_current", "_deadline", "_head_bytes", "_listener", "_made", "_parser", "_paused", "_phase", "_size",
        "_transport", "_url", "_writable",
    )  # fmt: skip

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._transport: Any = None
        self._parser: Any = None
        self._made: Any = None
        self._current: Request | None = None
        self._ahead: deque[Request] = deque()
        self._phase = _HEAD
        self._deadline = time.monotonic() + listener.options.head_timeout_s
        self._url = b""
        self._body: list[bytes] = []
        self._size = self._head_bytes = 0
        self._paused = False
        self._writable = True

    # What asyncio calls.

    def connection_made(self, transport: Any) -> None:
        """Begin."""
        self._transport = transport
        self._parser = httptools.HttpRequestParser(self)
        connections = self._listener.connections
        connections.add(self)
        if len(connections) > self._listener.options.max_connections:
            self._listener.handler.told("full")
            self._end_with(error_answer(503, "TEMPORARILY_UNAVAILABLE", "Too many connections.", (("retry-after", "1"),)))

    def connection_lost(self, exc: Exception | None) -> None:
        """End: an answer that comes later is dropped."""
        self._listener.connections.discard(self)
        self._parser = None
        self._current = None
        self._ahead.clear()
        self._body = []

    def data_received(self, data: bytes) -> None:
        """Read."""
        if self._phase is _LAST or self._parser is None:
            return  # a refused request's body: read, so that the client can read the refusal, and dropped
        if self._phase is not _BODY:
            self._head_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            pass  # an offer that need not be taken: the request was read, and is answered as it is
        except httptools.HttpParserError:
            self._listener.handler.told("invalid")
            self._end_with(error_answer(400, "BAD_REQUEST", "This is no valid HTTP/1.1 request."))
            return
        if self._phase is _HEAD and self._head_bytes > MAX_HEAD:
            self._listener.handler.told("invalid")
            self._end_with(_HEAD_TOO_LONG)

    def eof_received(self) -> bool:
        """Hear that nothing more comes; what is under way is still answered."""
        if self._current is None or self._phase is _LAST:
            return False
        (self._ahead[-1] if self._ahead else self._current).keep = False
        return True

    def pause_writing(self) -> None:
        """Stop: the client does not read."""
        self._writable = False
        self._deadline = time.monotonic() + self._listener.options.body_timeout_s

    def resume_writing(self) -> None:
        """Go on."""
        self._writable = True

    # What the parser calls.

    def on_message_begin(self) -> None:
        """Begin a request."""
        if self._phase is _LAST:
            return
        if self._phase is _IDLE:
            self._phase, self._deadline = _HEAD, time.monotonic() + self._listener.options.head_timeout_s
        self._url = b""
        self._body = []
        self._size = 0
        self._made = Request(self)

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header."""
        key = name.decode("latin-1").lower()
        if key in self._made.headers:
            self._made.twice.add(key)
        self._made.headers[key] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Look at the head; refuse at once what is refused whatever its body says."""
        if self._phase is _LAST:
            return
        request, parser = self._made, self._parser
        request.method = parser.get_method().decode("latin-1")
        request.keep = parser.should_keep_alive() and parser.get_http_version() == "1.1"
        try:
            url = httptools.parse_url(self._url)
            request.path, request.query = url.path.decode("latin-1"), (url.query or b"").decode("latin-1")
        except (httptools.HttpParserError, AttributeError):
            request.path = ""
        refusal = self._too_long(request) if self._head_bytes > MAX_HEAD else None
        self._head_bytes = 0
        self._phase, self._deadline = _BODY, time.monotonic() + self._listener.options.body_timeout_s
        refusal = refusal or self._listener.handler.admit(request)
        length = request.headers.get("content-length", "")
        if refusal is None and length.isdigit() and int(length) > self._listener.options.max_body:
            refusal = self._too_large()
        if refusal is not None:
            self._refuse(request, refusal)
        elif request.headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._phase is _LAST:
            return
        self._size += len(body)
        if self._size > self._listener.options.max_body:
            self._refuse(self._made, self._too_large())
            return
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Hand the request on, or let it wait for the one before it."""
        if self._phase is _LAST:
            return
        request = self._made
        request.body = self._body[0] if len(self._body) == 1 else b"".join(self._body)
        self._body = []
        self._phase = _IDLE
        request.begun = time.monotonic()
        if self._current is None:
            self._current = request
            self._listener.handler.handle(request)
            return
        self._ahead.append(request)
        if len(self._ahead) >= MAX_AHEAD and not self._paused:
            self._transport.pause_reading()
            self._paused = True

    # Answers.

    def answer(self, request: Request, answer: Answer) -> None:
        """Write an answer to the request that is under way, and begin with the next that has come."""
        if request is not self._current or self._parser is None:
            return
        last = answer.close or not request.keep or self._listener.draining
        self._write(answer, last, headless=request.method == "HEAD")
        self._current = None
        if last:
            self._end()
            return
        if self._phase is _IDLE:
            self._deadline = time.monotonic() + self._listener.options.idle_timeout_s
        if self._ahead:
            if self._paused and len(self._ahead) < MAX_AHEAD:
                self._paused = False
                self._transport.resume_reading()
            following = self._current = self._ahead.popleft()
            # Not from here: a thousand requests sent ahead would be a thousand calls deep.
            asyncio.get_running_loop().call_soon(self._follow, following)

    def _follow(self, request: Request) -> None:
        if self._current is request:
            self._listener.handler.handle(request)

    def _write(self, answer: Answer, last: bool, *, headless: bool = False) -> None:
        head = [
            _STATUS[answer.status],
            b"content-type: ",
            answer.media.encode("latin-1"),
            b"\r\ncontent-length: %d\r\n" % len(answer.body),
            self._listener.date,
        ]
        for name, value in answer.headers:
            head.append(f"{name}: {value}\r\n".encode("latin-1", "replace"))
        head.append(b"connection: close\r\n\r\n" if last else b"\r\n")
        if not headless:
            head.append(answer.body)
        self._transport.write(b"".join(head))

    def _too_long(self, request: Request) -> Answer | None:
        """Refuse a head that is too long although it came at once; what was counted may be a body's beginning."""
        size = len(self._url) + sum(len(name) + len(value) for name, value in request.headers.items())
        return _HEAD_TOO_LONG if size > MAX_HEAD else None

    def _too_large(self) -> Answer:
        limit = self._listener.options.max_body
        return error_answer(413, "BAD_REQUEST", f"The body is larger than {limit} bytes (--max-body).", close=True)

    def _refuse(self, request: Request, answer: Answer) -> None:
        """Answer a request whose body has not come, and end."""
        if self._current is None:
            self._listener.handler.refused(request, answer)
        self._end_with(answer)

    def _end_with(self, answer: Answer) -> None:
        """Give a last answer; where requests before it are under way, theirs is the last."""
        if self._current is None:
            self._write(answer, last=True)
            self._end()
            return
        (self._ahead[-1] if self._ahead else self._current).keep = False
        self._phase, self._deadline = _LAST, time.monotonic() + self._listener.options.timeout_s * 2 + _LINGER_S

    def _end(self) -> None:
        """Say that nothing more comes, and read for a moment: a close with bytes unread would take the answer from the client."""
        self._phase, self._deadline = _LAST, time.monotonic() + _LINGER_S
        self._body = []
        if self._transport.is_closing():
            return
        try:
            self._transport.write_eof()
        except OSError:  # the client has gone
            self._transport.abort()

    # Clocks.

    def check_clock(self, now: float) -> None:
        """End the connection if its time is up."""
        if now < self._deadline:
            return
        if not self._writable or self._phase is _LAST:
            self._transport.abort()
        elif self._phase is not _IDLE:
            self._listener.handler.told("timeout")
            what = "head" if self._phase is _HEAD else "body"
            self._end_with(error_answer(408, "BAD_REQUEST", f"The request's {what} did not come in time."))
        elif self._current is None:
            self._transport.close()

    def drain(self) -> None:
        """End soon: after the answer that is under way, or when nothing comes."""
        if self._phase in (_IDLE, _HEAD) and self._current is None:
            self._deadline = min(self._deadline, time.monotonic() + _LINGER_S)
