"""One HTTP request and its answer, on the standard library: nothing is followed, retried or believed here.

Invariants: an answer is read whole or not at all, within a size and a time; a redirect is an answer like any other, so that
whoever holds a token decides where it goes; no header of a request is ever part of an error's text.
"""

from __future__ import annotations

import http.client
import ipaddress
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from email.message import Message
from functools import lru_cache
from typing import IO, Any

from runfolio._dataclass import dataclass
from runfolio._version import __version__

TIMEOUT_S = 30.0
MOST_BYTES = 64 << 20
_CHUNK = 1 << 16


class NoAnswerError(Exception):
    """The place could not be reached, or its answer broke off; the text says how.

    Attributes
    ----------
    final : bool
        Whether asking again would end the same way.
    """

    def __init__(self, message: str, *, final: bool = False) -> None:
        super().__init__(message)
        self.final = final


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """What came back, whatever its status.

    Parameters
    ----------
    status : int
    headers : Mapping of str to str
        Names in lower case.
    body : bytes
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follow nothing: the redirect itself is the answer."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str) -> None:
        return None


def split_url(url: str) -> urllib.parse.SplitResult | None:
    """Take an address apart; None where it is none (a bracket left open, a port that is no number).

    Examples
    --------
    >>> split_url("https://[::1/") is None
    True
    """
    try:
        parts = urllib.parse.urlsplit(url)
        _ = parts.port, parts.hostname
    except ValueError:
        return None
    return parts


def is_loopback(url: str) -> bool:
    """Say whether an address is on this machine.

    Examples
    --------
    >>> [is_loopback(url) for url in ("http://127.0.0.1:3000/api", "http://localhost", "http://[::1]/", "http://localhost.evil.org")]
    [True, True, True, False]
    """
    host = urllib.parse.urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def origin(url: str) -> tuple[str, str, int]:
    """Return scheme, host and port of an address: who would get what is sent there.

    Examples
    --------
    >>> origin("https://API.github.com/repos") == origin("https://api.github.com:443/")
    True
    """
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.hostname or "", parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)


def exchange(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None = None, timeout_s: float = TIMEOUT_S
) -> RawAnswer:
    """Send one request and read its answer.

    Parameters
    ----------
    method, url : str
    headers : Mapping of str to str
    body : bytes, optional
    timeout_s : float, optional
        For the whole of it; a server that trickles does not hold us longer.

    Returns
    -------
    RawAnswer

    Raises
    ------
    NoAnswerError
        If there was none, or only a part of one.
    """
    given = {"User-Agent": f"runfolio/{__version__}", **headers}
    request = urllib.request.Request(url, data=body, headers=given, method=method)  # noqa: S310  # callers allow http(s) only
    opener = _opener(url)
    end = time.monotonic() + timeout_s
    try:
        try:
            answer = opener.open(request, timeout=timeout_s)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            return RawAnswer(answer.status, {key.lower(): value for key, value in answer.headers.items()}, _whole(answer, end))
    except TimeoutError:
        raise NoAnswerError(f"no answer within {timeout_s:g} s") from None
    except urllib.error.URLError as error:
        if isinstance(error.reason, TimeoutError):
            raise NoAnswerError(f"no answer within {timeout_s:g} s") from None
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            advice = "SSL_CERT_FILE names the certificates of an authority of your own"
            raise NoAnswerError(f"its certificate is not trusted: {error.reason.verify_message} ({advice})", final=True) from None
        raise NoAnswerError(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except http.client.HTTPException as error:
        raise NoAnswerError(f"the answer is no HTTP, or broke off ({type(error).__name__})") from None
    except ValueError:  # a chunk's length that is no number
        raise NoAnswerError("the answer is no HTTP") from None
    except OSError as error:
        raise NoAnswerError(error.strerror or type(error).__name__) from None


def _opener(url: str) -> urllib.request.OpenerDirector:
    """Return what opens an address: urllib's own parts, less those that follow, log in or remember."""
    # A proxy is for the world outside: what listens on this machine is asked directly.
    here = is_loopback(url)
    parts = [
        urllib.request.ProxyHandler({} if here else None),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Stay(),
    ]
    if not here or url.startswith("https"):
        parts.append(urllib.request.HTTPSHandler(context=_trust(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))))
    opener = urllib.request.OpenerDirector()
    for part in parts:
        opener.add_handler(part)
    return opener


@lru_cache(maxsize=1)
def _trust(file: str | None, folder: str | None) -> ssl.SSLContext:
    """Return the certificates that are trusted: reading them is most of what a request costs, and OpenSSL's variables choose them."""
    return ssl.create_default_context()


def _whole(answer: Any, end: float) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        if time.monotonic() > end:
            raise TimeoutError
        part = answer.read1(_CHUNK)
        if not part:
            break
        size += len(part)
        if size > MOST_BYTES:
            raise NoAnswerError(f"the answer is larger than {MOST_BYTES >> 20} MiB")
        parts.append(part)
    # A closed connection ends the reading like an end does: what was promised tells them apart.
    promised = answer.headers.get("Content-Length", "")
    if promised.isascii() and promised.isdigit() and size < int(promised):
        raise NoAnswerError(f"the answer broke off after {size} of {promised} bytes")
    return b"".join(parts)
