"""The page that a host shows for an address that is not there, under whatever address that was.

Its links are therefore absolute from the host's root where the site's address is known; where it is not, they are right for an
address at the top of the site only.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from runfolio.site.gather import Site
from runfolio.site.plan import Page

PATH = "404.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    root = urlsplit(site.base_url).path if site.base_url else ""
    yield Page(PATH, root, lambda: site.html("404.html", PATH, page="missing", root=root))
