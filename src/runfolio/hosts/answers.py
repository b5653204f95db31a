"""What a host's answer says beside its data: its words, whether and when to try again, where the next page is. Pure."""

from __future__ import annotations

import json
import re
import time
import urllib.parse
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from runfolio.hosts.exchange import RawAnswer
from runfolio.records.visible import visible

_MOST_WORDS = 300
_MOST_TEXTS = 20
_NEXT = re.compile(r"<([^>]*)>\s*;[^,<]*\brel=\"?next\b")


def words(raw: RawAnswer) -> str:
    """Return what a host says about a refusal, on one visible line; empty where it says nothing that can be read."""
    try:
        said = json.loads(raw.body)
    except (ValueError, RecursionError):
        return ""
    return visible("; ".join(dict.fromkeys(text for text in _texts(said, 0) if text)))[:_MOST_WORDS]


def refusal(raw: RawAnswer) -> str:
    """Return the status of an answer and the host's words; GitLab's begin with the number already."""
    number = f"{raw.status} "
    return f"{number}{words(raw).removeprefix(number)}".rstrip()


def _texts(said: Any, depth: int) -> list[str]:
    """Collect the sentences of an error: GitHub says message and errors[].message, GitLab message (of any form) or error."""
    if depth > 4:
        return []
    if isinstance(said, str):
        return [said]
    if isinstance(said, list):
        return [text for item in said[:_MOST_TEXTS] for text in _texts(item, depth + 1)]
    if not isinstance(said, dict):
        return []
    told = [said[key] for key in ("message", "error", "error_description", "errors") if key in said]
    if told or not depth:
        return [text for item in told for text in _texts(item, depth + 1)]
    return [f"{key} {text}" for key, value in list(said.items())[:_MOST_TEXTS] for text in _texts(value, depth + 1)]


def is_limit(raw: RawAnswer) -> bool:
    """Say whether the host refuses because of too many requests: it did nothing, and will do it later."""
    if raw.status == 429:
        return True
    if raw.status != 403:
        return False
    return "retry-after" in raw.headers or raw.headers.get("x-ratelimit-remaining") == "0" or b"rate limit" in raw.body.lower()


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a host asks us to wait, by Retry-After (RFC 9110, 10.2.3) or its rate limit's reset."""
    text = headers.get("retry-after", "").strip()
    if is_number(text):
        return float(text[:9])
    if text:
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
        except (TypeError, ValueError, OverflowError):
            return None
    for prefix in ("x-ratelimit", "ratelimit"):
        reset = headers.get(f"{prefix}-reset", "")
        if headers.get(f"{prefix}-remaining") == "0" and is_number(reset):
            return max(0.0, float(reset[:12]) - time.time())
    return None


def is_number(text: str) -> bool:
    """Say whether a text is a number as hosts write it; ``"²".isdigit()`` is true as well."""
    return text.isascii() and text.isdigit()


def quoted(text: str) -> str:
    """Return a part of an address in the letters that an address has; what is quoted already stays so."""
    return urllib.parse.quote(text, safe="%/:?#[]@!$&'()*+,;=-._~", encoding="latin-1", errors="replace")


def next_page(place: str, headers: Mapping[str, str]) -> str | None:
    """Return the address of a list's next page: the present one with the next one's query.

    The path and origin of the ``Link`` header are not followed: a self-hosted host behind a proxy names its public address there.
    """
    parts = urllib.parse.urlsplit(place)
    found = _NEXT.search(headers.get("link", ""))
    if found:
        return parts._replace(query=quoted(found[1].partition("?")[2].partition("#")[0])).geturl()
    number = headers.get("x-next-page", "").strip()
    if not is_number(number):
        return None
    query = {**dict(urllib.parse.parse_qsl(parts.query)), "page": number}
    return parts._replace(query=urllib.parse.urlencode(query)).geturl()
