"""Tell another program what happened: one signed POST of JSON, as chat services and small servers of one's own take it.

The request::

    POST …
    Content-Type: application/json
    X-Runfolio-Event: promotion
    X-Runfolio-Delivery: 1f0c…                    the same for each try: who saw it has seen it
    X-Runfolio-Timestamp: 1795701600              seconds since the epoch, UTC
    X-Runfolio-Signature-256: sha256=HEX          HMAC-SHA-256 of TIMESTAMP "." BODY under the secret

    {"schema": 1, "event": "promotion", "text": "wine 3 is in Production", "sent_at": "2026-11-26T14:00:00Z", "data": {…}}

``text`` is what Slack and those that follow it show; there ``<`` ``>`` ``&`` are escaped, so that no name in it mentions a channel.

Invariants: address and secret come from the environment or git's configuration, never from a file that a pull request can
change; the address is https, or on this machine; it is never shown whole, since a chat service's address *is* the secret; no redirect is
followed. Delivery is at least once: what got no answer is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError, UsageError
from runfolio.hosts.answers import asked_wait, refusal, words
from runfolio.hosts.exchange import NoAnswerError, exchange, is_loopback, split_url
from runfolio.hosts.terms import Patience, RefusedError
from runfolio.records.visible import visible

URL_VARIABLE, SECRET_VARIABLE = "RUNFOLIO_WEBHOOK", "RUNFOLIO_WEBHOOK_SECRET"  # names, not values
URL_SETTING, SECRET_SETTING = "webhook", "webhookSecret"
_TOLERANCE_S = 300


@dataclass(frozen=True, slots=True)
class Event:
    """What happened.

    Parameters
    ----------
    kind : str
        ``promotion``, ``regression``: a short word.
    text : str
        A sentence for people.
    data : Mapping
        JSON values for programs.
    """

    kind: str
    text: str
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell it, and the secret to sign with; neither is shown by ``repr``."""

    url: str
    secret: str

    def __repr__(self) -> str:
        return f"Webhook({_place(self.url)!r})"


def find_webhook(environ: Mapping[str, str], setting: Callable[[str], str | None] | None = None) -> Webhook | None:
    """Return the webhook that is set up; None where there is none.

    Parameters
    ----------
    environ : Mapping of str to str
        ``RUNFOLIO_WEBHOOK``, ``RUNFOLIO_WEBHOOK_SECRET``.
    setting : callable, optional
        Reads ``runfolio.<name>`` of git's configuration: ``runfolio.webhook``, ``runfolio.webhookSecret``. Address and secret come from
        the same of the two places.
    """
    if environ.get(URL_VARIABLE, "").strip():
        return Webhook(environ[URL_VARIABLE].strip(), environ.get(SECRET_VARIABLE, "").strip())
    url = setting(URL_SETTING) if setting else None
    return Webhook(url.strip(), ((setting(SECRET_SETTING) if setting else None) or "").strip()) if url and url.strip() else None


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of ``X-Runfolio-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def is_genuine(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> bool:
    """Say, for a receiver, whether a request is signed with the secret and not older than five minutes.

    Parameters
    ----------
    headers : Mapping of str to str
        In any case of letters.
    body : bytes
        As it came, unparsed.
    secret : str
    now : float, optional
        Seconds since the epoch, UTC.
    """
    low = {key.lower(): value for key, value in headers.items()}
    timestamp, given = low.get("x-runfolio-timestamp", ""), low.get("x-runfolio-signature-256", "")
    if not secret or not (timestamp.isascii() and timestamp.isdigit()):
        return False
    if abs((time.time() if now is None else now) - int(timestamp[:12])) > _TOLERANCE_S:
        return False
    return hmac.compare_digest(given.encode(), signature(secret, timestamp, body).encode())


def notify(url: str, event: Event, secret: str = "", *, patience: Patience | None = None) -> None:
    """Send an event, until it is taken.

    Parameters
    ----------
    url : str
    event : Event
    secret : str, optional
        Without one the request is not signed: for services whose address is the secret.
    patience : Patience, optional

    Raises
    ------
    UsageError
        If the address is not one that is used.
    RefusedError
        If the receiver does not want it.
    RemoteError
        If it was not taken.
    """
    _check(url)
    patience = patience or Patience()
    delivery = uuid.uuid4().hex
    waited = 0.0
    trouble = ""
    for attempt in range(patience.tries):
        wait = None
        try:
            raw = exchange("POST", url, *_request(event, secret, delivery), patience.timeout_s)
        except NoAnswerError as error:
            trouble = str(error)
            if error.final:
                break
        else:
            if 200 <= raw.status < 300:
                return
            trouble = refusal(raw)
            if raw.status < 500 and raw.status not in (408, 429):
                remedy = (
                    "No redirect is followed: set the address that it leads to" if raw.status < 400 else "Is its address right?"
                )
                told = f"The webhook at {_place(url)} refused the {visible(event.kind)}: {trouble}. {remedy}"
                raise RefusedError(told, raw.status, words(raw))
            wait = asked_wait(raw.headers)
        length = wait if wait is not None else patience.first_s * 2**attempt * random.uniform(0.75, 1.25)
        if attempt + 1 == patience.tries or waited + length > patience.most_s:
            break
        patience.sleep(length)
        waited += length
    raise RemoteError(f"The webhook at {_place(url)} did not take the {visible(event.kind)}: {trouble}. It was not told.")


def notify_all(url: str, events: Sequence[Event], secret: str = "", *, patience: Patience | None = None) -> None:
    """Send events, each whatever became of those before it.

    A receiver that did not answer for as long as `patience` allows is asked once for each of the others: a job must not wait for each anew.

    Parameters
    ----------
    url, secret, patience
        As for :func:`notify`.
    events : sequence of Event

    Raises
    ------
    UsageError
        If the address is not one that is used.
    RemoteError
        Naming each event that was not taken, and why, once all were tried.
    """
    failed: list[tuple[Event, RemoteError]] = []
    for event in events:
        try:
            notify(url, event, secret, patience=patience)
        except RemoteError as error:
            failed.append((event, error))
            if not isinstance(error, RefusedError):
                patience = replace(patience or Patience(), tries=1)
    if len(events) == 1 and failed:
        raise failed[0][1]
    if failed:
        sent = f"{len(events) - len(failed)} of {len(events)} events sent; not:"
        raise RemoteError("\n".join((sent, *(f"  {visible(event.text)}: {error.message}" for event, error in failed))))


def _request(event: Event, secret: str, delivery: str) -> tuple[dict[str, str], bytes]:
    now = int(time.time())
    said = {
        "schema": 1,
        "event": event.kind,
        "text": visible(event.text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
        "sent_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now)),
        "data": dict(event.data),
    }
    body = json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "X-Runfolio-Event": event.kind,
        "X-Runfolio-Delivery": delivery,
        "X-Runfolio-Timestamp": str(now),
    }
    if secret:
        headers["X-Runfolio-Signature-256"] = signature(secret, str(now), body)
    return headers, body


def _check(url: str) -> None:
    parts = split_url(url)
    if (
        parts is None
        or not url.isascii()
        or not url.isprintable()
        or " " in url
        or not parts.hostname
        or parts.username is not None
    ):
        raise UsageError(f"{URL_VARIABLE} is no address that is used: https://HOST/PATH is expected, without a user's name.")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
        raise UsageError(f"{URL_VARIABLE}: {_place(url)} is not https, so what is sent could be read and changed on its way.")


def _place(url: str) -> str:
    """Return as much of an address as may be shown."""
    parts = split_url(url)
    return "…" if parts is None else visible(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/…")
