"""HTTP/1.1 as clients and attackers send it, against an application that tells what it saw."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from runfolio.gateway.wsgi_server import WsgiServer


def _app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    path = environ["PATH_INFO"]
    if path == "/nothing":
        start("204 No Content", [])
        return []
    if path == "/stream":
        start("200 OK", [("Content-Type", "text/plain")])
        return (piece for piece in (b"one,", b"", b"two"))
    if path == "/unread":
        start("200 OK", [])
        return [b"not read"]
    if path == "/broken":
        raise RuntimeError("a fault of the application")
    if path == "/split":
        start("200 OK", [("Location", "/a\r\nSet-Cookie: x=1")])
        return [b""]
    body = environ["wsgi.input"].read()
    seen = {key: value for key, value in environ.items() if isinstance(value, str)}
    start("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({**seen, "size": len(body), "begin": body[:20].decode("latin-1")}).encode()]


@pytest.fixture
def port() -> Iterator[int]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = WsgiServer(_app, listener)
    thread = threading.Thread(target=server.serve_for_ever, daemon=True)
    thread.start()
    at = listener.getsockname()[1]
    yield at
    server.end()
    thread.join(10)
    assert not thread.is_alive()


def sent(port: int, data: bytes) -> bytes:
    """Send bytes as they are, and return all that comes until the server ends the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
        got = b""
        while piece := client.recv(65536):
            got += piece
        return got


def test_a_connection_is_kept_for_the_next_request(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    used = set()
    for number in range(3):
        client.request("POST", f"/a%20b/{number}?c=%2F", b"x" * number, {"Content-Type": "text/plain", "X-Own": "y"})
        assert client.sock is not None
        used.add(client.sock.getsockname()[1])
        seen = json.loads(client.getresponse().read())
        assert (seen["PATH_INFO"], seen["QUERY_STRING"], seen["size"]) == (f"/a b/{number}", "c=%2F", number)
        assert (seen["HTTP_X_OWN"], seen["CONTENT_TYPE"], seen["REMOTE_ADDR"]) == ("y", "text/plain", "127.0.0.1")
        assert seen["RAW_URI"] == f"/a%20b/{number}?c=%2F" and "HTTP_CONTENT_TYPE" not in seen
    client.close()
    assert len(used) == 1


def test_bodies_of_any_size_in_chunks_or_announced_arrive_whole(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for body, chunked in ((b"z" * 3_000_000, False), ((b"z" * 700_000 for _ in range(5)), True), (iter(()), True)):
        headers = {"Expect": "100-continue"} if not chunked else {}
        client.request("PUT", "/", body, headers, encode_chunked=chunked)
        seen = json.loads(client.getresponse().read())
        assert seen["size"] in (3_000_000, 3_500_000, 0)
        assert ("HTTP_TRANSFER_ENCODING" in seen) is chunked
    client.close()


def test_a_body_that_is_not_read_does_not_become_the_next_request(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for size in (10, 2_000_000):
        client.request("POST", "/unread", b"GET /other HTTP/1.1\r\n\r\n" + b"x" * size)
        assert client.getresponse().read() == b"not read"
    client.request("GET", "/after")
    assert json.loads(client.getresponse().read())["PATH_INFO"] == "/after"
    client.close()


def test_an_answer_of_unknown_length_comes_in_chunks_and_to_an_old_client_until_the_end(port: int) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    client.request("GET", "/stream")
    answer = client.getresponse()
    assert answer.headers["Transfer-Encoding"] == "chunked" and answer.read() == b"one,two"
    client.request("HEAD", "/stream")
    assert client.getresponse().read() == b""
    client.request("GET", "/nothing")
    answer = client.getresponse()
    assert answer.status == 204 and answer.read() == b"" and "Content-Length" not in answer.headers
    client.close()
    old = sent(port, b"GET /stream HTTP/1.0\r\n\r\n")
    assert old.endswith(b"\r\n\r\none,two") and b"Connection: close" in old


def test_requests_sent_ahead_are_answered_in_order(port: int) -> None:
    got = sent(
        port, b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\nGET /c HTTP/1.1\r\n\r\n"
    )
    assert got.count(b"HTTP/1.1 200 OK") == 2
    assert got.index(b'"PATH_INFO": "/a"') < got.index(b'"PATH_INFO": "/b"') and b"/c" not in got


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"GET other HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX Y: 1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : h\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: 1\nB: 2\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 70_000 + b"\r\n\r\n", 431),
    ],
)  # fmt: skip
def test_what_is_no_request_or_could_be_read_in_two_ways_is_refused(port: int, request_: bytes, status: int) -> None:
    got = sent(port, request_ + b"GET /second HTTP/1.1\r\nHost: h\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 %d " % status), got
    assert b"Connection: close" in got and b"/second" not in got


def test_a_client_that_ends_within_its_request_is_left(port: int) -> None:
    assert sent(port, b"GET / HT") == b""
    assert sent(port, b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc") == b""
    assert sent(port, b"") == b""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("path", [b"/broken", b"/split"])
def test_a_fault_of_the_application_ends_one_connection_alone(port: int, path: bytes) -> None:
    got = sent(port, b"GET " + path + b" HTTP/1.1\r\nHost: h\r\n\r\n")
    assert b"Set-Cookie" not in got and b"200" not in got
    assert b"200 OK" in sent(port, b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
