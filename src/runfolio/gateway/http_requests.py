"""HTTP/1.1 requests as WSGI sees them: heads parsed strictly, bodies of a told length or in chunks (RFC 9112, PEP 3333).

What can be understood in two ways is refused, since a proxy before the gateway might understand it the other way: two lengths, a length
beside chunks, folded lines, a space before a colon.

>>> head = parse_head(b"GET /a%20b?c=1 HTTP/1.1\\r\\nHost: here\\r\\nX-A: 1")
>>> head.method, head.target, head.headers["host"], head.length, head.keep
('GET', '/a%20b?c=1', 'here', 0, True)
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass

MAX_HEAD = 64 * 1024
_LINE = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+) HTTP/1\.([01])\Z")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_BAD = re.compile(r"\x00|\r(?!\n)|(?<!\r)\n")
_names: dict[str, str] = {}
"""Names of headers that were found valid, in lower case: clients send the same eight with each call."""
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n\Z")


class RequestError(Exception):
    """A request that is not read.

    Parameters
    ----------
    status : int
    reason : str
    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


@dataclass(frozen=True, slots=True)
class Head:
    """What a request says before its body.

    Parameters
    ----------
    method, target : str
    headers : Mapping of str to str
        By their names in lower case; of a name that comes twice, the values with a comma between them.
    length : int or None
        Of the body, in bytes; None where it comes in chunks.
    keep : bool
        Whether the client may send another request on the connection.
    version : str
    """

    method: str
    target: str
    headers: Mapping[str, str]
    length: int | None
    keep: bool
    version: str


def parse_head(data: bytes) -> Head:
    """Read a request's head, without the empty line that ends it.

    Raises
    ------
    RequestError
        If it is no valid one.
    """
    text = data.decode("latin-1")
    first, *lines = text.split("\r\n")
    found = _LINE.match(first)
    if found is None or _BAD.search(text):
        raise RequestError(400, "This is no request of HTTP/1.1.")
    headers: dict[str, str] = {}
    for line in lines:
        spelled, colon, value = line.partition(":")
        name = _names.get(spelled) or _checked(spelled)
        if not colon:
            raise RequestError(400, "A line of the request's head is no header.")
        value = value.strip(" \t")
        if name in headers:
            if name in ("content-length", "host", "transfer-encoding", "authorization"):
                raise RequestError(400, f"The request has the header {name} twice.")
            value = f"{headers[name]}{'; ' if name == 'cookie' else ','}{value}"
        headers[name] = value
    method, target, minor = found.groups()
    said = headers.get("connection", "").lower()
    keep = "close" not in said if minor == "1" else "keep-alive" in said
    return Head(method, target, headers, _length(headers), keep, f"HTTP/1.{minor}")


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise RequestError(400, "A line of the request's head is no header.")
    lowered = name.lower()
    if len(_names) < 256 and len(name) < 64:
        _names[name] = lowered
    return lowered


def _length(headers: Mapping[str, str]) -> int | None:
    said, coding = headers.get("content-length"), headers.get("transfer-encoding")
    if coding is not None:
        if said is not None:
            raise RequestError(400, "The request tells a length, and chunks.")
        if coding.lower() != "chunked":
            raise RequestError(501, f"The transfer coding {coding!r} is not known here. Send chunks, or a length.")
        return None
    if said is None:
        return 0
    if not (said.isascii() and said.isdigit() and len(said) < 16):
        raise RequestError(400, "The request's Content-Length is no number.")
    return int(said)


class Source:
    """What a client sends, read piece by piece.

    Parameters
    ----------
    receive : callable
        Returns the next bytes, at most so many; none at the end.
    """

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""

    def head(self) -> bytes | None:
        """Return the next request's head, or None where the client ended instead."""
        searched = 0
        while True:
            end = self._held.find(b"\r\n\r\n", max(0, searched - 3))
            if 0 <= end <= MAX_HEAD:
                head, self._held = self._held[:end], self._held[end + 4 :]
                return head
            searched = len(self._held)
            if end >= 0 or searched > MAX_HEAD:
                raise RequestError(431, f"The request's head is larger than {MAX_HEAD} bytes.")
            got = self._receive(65536)
            if not got:
                return None
            self._held = (self._held + got).lstrip(b"\r\n") if not searched else self._held + got

    def read(self, most: int) -> bytes:
        """Return some bytes, at most so many; none at the end."""
        if self._held:
            got, self._held = self._held[:most], self._held[most:]
            return got
        return self._receive(min(most, 1 << 20))

    def line(self) -> bytes:
        """Return the next line, of at most 4 KiB."""
        while (end := self._held.find(b"\n")) < 0:
            got = self._receive(4096)
            if not got or len(self._held) > 4096:
                raise RequestError(400, "The request's chunks are not as they should be.")
            self._held += got
        line, self._held = self._held[: end + 1], self._held[end + 1 :]
        return line


class Body(io.RawIOBase):
    """A request's body, read as it comes.

    Parameters
    ----------
    source : Source
    length : int or None
        None for one in chunks.
    """

    def __init__(self, source: Source, length: int | None) -> None:
        super().__init__()
        self._source = source
        self._chunked = length is None
        self._left = length or 0
        self._first = True
        self.whole = length == 0
        """Whether all of it was read."""

    def readable(self) -> bool:
        """Tell that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes, none at the end.

        Raises
        ------
        ConnectionError
            If the client ended before its body did.
        """
        if self._chunked and not self._left and not self.whole:
            self._next_chunk()
        if self.whole:
            return 0
        got = self._source.read(min(len(buffer), self._left))
        if not got:
            raise ConnectionError("the client ended before its request did")
        buffer[: len(got)] = got
        self._left -= len(got)
        self.whole = not self._left and not self._chunked
        return len(got)

    def _next_chunk(self) -> None:
        if not self._first and self._source.line() != b"\r\n":
            raise RequestError(400, "A chunk of the request does not end where it says.")
        self._first = False
        found = _SIZE.match(self._source.line())
        if found is None:
            raise RequestError(400, "A chunk of the request does not tell its size.")
        self._left = int(found[1], 16)
        if not self._left:
            while self._source.line() != b"\r\n":
                pass  # trailers say nothing here
            self.whole = True
