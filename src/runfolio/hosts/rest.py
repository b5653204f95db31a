"""A git host's REST API: one place, one token, patience, and errors in words.

Invariants
----------
- The token goes to the API's own origin, and nowhere else: a redirect to another origin is an error that names it.
- What may be repeated is repeated: a host that is busy (429, a secondary rate limit) or broken (5xx, no answer, half an answer)
  is asked again, after as long as it asks for. A write that might have been carried out and must not be twice is not: it
  raises :class:`~runfolio.hosts.terms.UnclearError`, and who called looks first.
- An answer that is no JSON is no answer, whatever its status: proxies and login pages say 200.
"""

from __future__ import annotations

import json
import random
import time
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from runfolio.errors import RemoteError, UsageError
from runfolio.hosts.answers import asked_wait, is_limit, next_page, quoted, refusal, words
from runfolio.hosts.exchange import NoAnswerError, RawAnswer, exchange, origin, split_url
from runfolio.hosts.terms import Answer, Patience, Purpose, RefusedError, Token, UnclearError
from runfolio.records.visible import visible

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_REDIRECTS = 5
_MOST_PAGES = 100
_NOTHING: Mapping[str, str] = {}


class RestApi:
    """The API of one host.

    Parameters
    ----------
    url : str
        Where it begins: ``https://api.github.com``.
    name : str
        What people call the host: ``GitHub``.
    token : Token
    headers : Mapping of str to str
        Sent with each request, the token's among them.
    advise : callable
        Status, the host's words and purpose of a refusal in; a sentence that says what to do out.
    patience : Patience, optional
    """

    def __init__(
        self,
        url: str,
        name: str,
        token: Token,
        headers: Mapping[str, str],
        advise: Callable[[int, str, Purpose], str],
        patience: Patience | None = None,
    ) -> None:
        self.url = url.rstrip("/")
        self.name = name
        self.token = token
        self.patience = patience or Patience()
        self._headers = dict(headers)
        self._advise = advise
        parts = split_url(url)
        if parts is None or parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.username:
            raise UsageError(f"{visible(url)} is no address of a git host's API: https:// is expected.")

    def __repr__(self) -> str:
        return f"RestApi({self.url!r})"

    def get(self, path: str, purpose: Purpose, query: Mapping[str, Any] = _NOTHING) -> Any:
        """Return what is at a path."""
        return self.call("GET", path, purpose, query=query).data

    def items(self, path: str, purpose: Purpose, query: Mapping[str, Any] = _NOTHING) -> Iterator[Any]:
        """Yield what a list holds, page after page."""
        for page in self.pages(path, purpose, query):
            yield from page

    def pages(self, path: str, purpose: Purpose, query: Mapping[str, Any] = _NOTHING) -> Iterator[list[Any]]:
        """Yield the pages of a list, by the ``Link`` header or ``X-Next-Page``; a page without either is the last.

        Raises
        ------
        RemoteError
            If a page is no list, or there are more than a hundred.
        """
        place: str | None = self._address(path, query)
        for _ in range(_MOST_PAGES):
            if place is None:
                return
            answer = self.call("GET", place, purpose)
            if not isinstance(answer.data, list):
                raise self._error(purpose, "its answer is no list", "Is this the API's address?")
            yield answer.data
            place = next_page(place, answer.headers)
        if place is not None:
            raise self._error(purpose, f"there are more than {_MOST_PAGES} pages", "Too many to go through.")

    def call(
        self,
        method: str,
        path: str,
        purpose: Purpose,
        *,
        query: Mapping[str, Any] = _NOTHING,
        body: Mapping[str, Any] | None = None,
        repeat: bool | None = None,
    ) -> Answer:
        """Ask the host for something, until it answers.

        Parameters
        ----------
        method : str
        path : str
            Below the API's address, or a whole address of its origin.
        purpose : Purpose
        query : Mapping, optional
        body : Mapping, optional
            Sent as JSON.
        repeat : bool, optional
            Whether doing it twice does no harm; by default all but ``POST``.

        Returns
        -------
        Answer

        Raises
        ------
        RefusedError
            If the host says no.
        UnclearError
            If it must not be repeated, and may or may not have been done.
        RemoteError
            If the host gives no answer that helps.
        """
        address = self._address(path, query)
        data = None if body is None else json.dumps(body, ensure_ascii=False).encode("utf-8", "replace")
        harmless = method != "POST" if repeat is None else repeat
        waited = 0.0
        trouble = ""
        for attempt in range(self.patience.tries):
            wait, undone = None, False
            try:
                raw = self._send(method, address, data, purpose)
            except NoAnswerError as error:
                if error.final:
                    raise self._error(purpose, str(error), "Nothing was sent.") from None
                trouble, done = str(error), None
            else:
                trouble, done = self._judged(raw)
                if done is not None:
                    return done
                if trouble == "":
                    raise self._refusal(raw, purpose)
                wait, undone = asked_wait(raw.headers), is_limit(raw)
            if not (harmless or undone):
                raise UnclearError(self._text(purpose, trouble, "It may have been done all the same: look before trying again."))
            if attempt + 1 == self.patience.tries:
                break
            waited = self._wait(wait, attempt, waited, purpose, trouble)
        raise self._error(purpose, f"{trouble}, {self.patience.tries} times over", "Try again later.")

    def _judged(self, raw: RawAnswer) -> tuple[str, Answer | None]:
        """Return (trouble, None) where it is worth another try, ("", None) for a refusal, ("", Answer) for an answer."""
        if is_limit(raw):
            return f"too many requests ({refusal(raw)})", None
        if raw.status >= 500 or raw.status == 408:
            return f"the host is in trouble ({refusal(raw)})", None
        if raw.status >= 300:
            return "", None
        if not raw.body.strip():
            return "", Answer(raw.status, None, raw.headers)
        try:
            return "", Answer(raw.status, json.loads(raw.body), raw.headers)
        except (ValueError, RecursionError):
            kind = "a web page" if raw.body.lstrip()[:1] == b"<" else "broken JSON"
            return f"the answer is {kind} instead of JSON: a proxy, a login page, or not the API's address", None

    def _send(self, method: str, address: str, data: bytes | None, purpose: Purpose) -> RawAnswer:
        headers = dict(self._headers)
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        for _ in range(_MOST_REDIRECTS):
            raw = exchange(method, address, headers, data, self.patience.timeout_s)
            if raw.status not in _REDIRECTS or "location" not in raw.headers:
                return raw
            address = self._target(address, raw.headers["location"], purpose)
        raise self._error(purpose, "it sends us round in a circle", "Is this the API's address?")

    def _target(self, address: str, location: str, purpose: Purpose) -> str:
        """Return where a redirect leads, if that is where the token may go."""
        try:
            target = urllib.parse.urljoin(address, quoted(location))
            parts, away = urllib.parse.urlsplit(target), origin(target) != origin(self.url)
        except ValueError:
            raise self._error(purpose, "it sends us on to what is no address", "Is this the API's address?") from None
        if away:
            other = visible(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")
            kept = f"{self.token.variable or 'Your token'} was not sent there"
            raise self._error(
                purpose,
                f"it sends us on to another place, {other}",
                f"{kept}. Has the repository moved? Mend the remote's address.",
            )
        if not target.startswith(f"{self.url}/"):
            raise self._error(purpose, "it sends us on to a web page", f"Is {self.token.variable or 'a token'} set, and right?")
        return target

    def _wait(self, asked: float | None, attempt: int, waited: float, purpose: Purpose, trouble: str) -> float:
        """Wait before the next try, and return the seconds waited so far."""
        length = asked if asked is not None else self.patience.first_s * 2**attempt * random.uniform(0.75, 1.25)
        if waited + length > self.patience.most_s:
            when = time.strftime("%H:%M:%S UTC", time.gmtime(time.time() + length))
            raise self._error(purpose, trouble, f"It asks to be left alone for {length:.0f} s: try again after {when}.")
        self.patience.sleep(length)
        return waited + length

    def _address(self, path: str, query: Mapping[str, Any]) -> str:
        whole = "://" in path and origin(path) == origin(self.url)
        address = path if whole else f"{self.url}/{path.lstrip('/')}"
        return f"{address}?{urllib.parse.urlencode(query)}" if query else address

    def _refusal(self, raw: RawAnswer, purpose: Purpose) -> RefusedError:
        said = self._masked(words(raw))
        return RefusedError(self._text(purpose, refusal(raw), self._advise(raw.status, said, purpose)), raw.status, said)

    def _error(self, purpose: Purpose, trouble: str, advice: str) -> RemoteError:
        return RemoteError(self._text(purpose, trouble, advice))

    def _text(self, purpose: Purpose, trouble: str, advice: str) -> str:
        host = urllib.parse.urlsplit(self.url).netloc.rpartition("@")[2]
        return f"{self.name} ({host}) could not {purpose.text}: {self._masked(trouble)}. {advice}"

    def _masked(self, text: str) -> str:
        return text.replace(self.token.value, "***") if self.token.value else text
