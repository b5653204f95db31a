"""Who may speak to a gateway: who shows its token, by a name that is its own.

MLflow's clients show a token as ``Authorization: Bearer`` (``MLFLOW_TRACKING_TOKEN``) or as the password of a user of any name
(``MLFLOW_TRACKING_PASSWORD``). A browser opens ``/?token=…`` once, and shows a cookie from then on. A request whose ``Host`` is none of
the gateway's names comes from a page that plays with names (DNS rebinding), and is refused, and so is a write from another
site's page.

What it does *not* do: tell users apart. Whoever has the token may do what the folio's owner may.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from runfolio._dataclass import dataclass

COOKIE = "runfolio_gateway"
OPEN = ("/health", "/version")
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAFE = ("GET", "HEAD", "OPTIONS")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered in place of MLflow's application.

    Parameters
    ----------
    status : int
    headers : tuple of (str, str)
    body : str
    """

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str = ""


@dataclass(frozen=True, slots=True)
class Guard:
    """Decides about requests.

    Parameters
    ----------
    token : str
        Empty where none is asked for.
    hosts : tuple of str
        Names by which the gateway may be called, without ports; ``*`` for any.
    """

    token: str
    hosts: tuple[str, ...] = LOOPBACK

    def answer(self, method: str, path: str, query: str, headers: Mapping[str, str]) -> Answer | None:
        """Return what to answer in place of the application, or None where the request may pass.

        Parameters
        ----------
        method, path, query : str
        headers : Mapping of str to str
            By their names in lower case.
        """
        host = name_of(headers.get("host", ""))
        if "*" not in self.hosts and host not in self.hosts:
            return _refused(403, f"This gateway is not called {host!r}. Start it with --allow-host {host}.")
        if method not in SAFE and not self._own(headers):
            return _refused(403, "This request comes from a page of another site.")
        if not self.token or path in OPEN:
            return None
        given = dict(parse_qsl(query))
        if method == "GET" and self._is(given.pop("token", "")):
            return _entered(self.token, path, given)
        if any(self._is(shown) for shown in _shown(headers)):
            return None
        return _refused(
            401,
            "The gateway's token is missing or wrong. Clients: MLFLOW_TRACKING_TOKEN. A browser: /?token=…, as the gateway said "
            "when it started.",
            ("WWW-Authenticate", 'Basic realm="runfolio gateway", charset="UTF-8"'),
        )

    def _is(self, shown: str) -> bool:
        return hmac.compare_digest(shown.encode("utf-8", "replace"), self.token.encode())

    def _own(self, headers: Mapping[str, str]) -> bool:
        if headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site"):
            return False
        origin = headers.get("origin")
        return origin is None or urlsplit(origin).netloc == headers.get("host", "")


def name_of(host: str) -> str:
    """Return the name in a ``Host`` header, without port and brackets, in lower case."""
    return (urlsplit(f"//{host}").hostname or "") if "\\" not in host else host


def _shown(headers: Mapping[str, str]) -> list[str]:
    """Return what a request shows as tokens."""
    kind, _, value = headers.get("authorization", "").partition(" ")
    made = []
    if kind.lower() == "bearer":
        made.append(value.strip())
    elif kind.lower() == "basic":
        with contextlib.suppress(binascii.Error, UnicodeDecodeError, ValueError):
            made.append(base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2])
    try:
        cookie = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        cookie = None
    if cookie is not None:
        made.append(cookie.value)
    return made


def _entered(token: str, path: str, rest: Mapping[str, str]) -> Answer:
    place = "/" + path.lstrip("/") + (f"?{urlencode(rest)}" if rest else "")
    return Answer(303, (("Location", place), ("Set-Cookie", f"{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict")))


def _refused(status: int, text: str, *more: tuple[str, str]) -> Answer:
    import json

    code = "UNAUTHENTICATED" if status == 401 else "PERMISSION_DENIED"
    return Answer(status, (("Content-Type", "application/json"), *more), json.dumps({"error_code": code, "message": text}))
