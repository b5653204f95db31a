"""What the pages of a published site name that people can come to, and whether it is there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from posixpath import dirname, join, normpath
from urllib.parse import unquote, urlsplit

_NAMED = re.compile(r'(?:href|src|data-src)="([^"]+)"')


def broken(files: Mapping[str, bytes]) -> list[str]:
    """Walk from the entry pages; return what a page names inside the site and is not there. A place without a site is not broken."""
    faults: list[str] = []
    seen: set[str] = set()
    waiting = [page for page in ("index.html",) if page in files]
    while waiting:
        page = waiting.pop()
        if page in seen:
            continue
        seen.add(page)
        for named, target in _links(page, files[page]):
            if target not in files:
                faults.append(f"{page} names {named}")
            elif target.endswith(".html"):
                waiting.append(target)
    return faults


def _links(page: str, data: bytes) -> Iterator[tuple[str, str]]:
    for named in _NAMED.findall(data.decode()):
        parts = urlsplit(named)
        if parts.scheme or parts.netloc or not parts.path:
            continue
        target = normpath(join(dirname(page), unquote(parts.path)))
        yield named, normpath(join(target, "index.html")) if parts.path.endswith("/") else target
