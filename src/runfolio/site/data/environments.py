"""Package lists of runs: one data file each, and one that says which file has which list.

A list is named by its content, so its file is written once. Runs of one machine share it: there are few, whatever the number of runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from runfolio.site.columns import script
from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.plan import Data

MAX_BYTES = 200_000
INDEX = "data/env/index"


def lists(site: Site) -> Iterator[Data]:
    """Yield the lists."""
    for name, oid in site.environments.items():
        yield Data(f"data/env/{name}", oid, partial(_render, site, name, oid))


def list_index(site: Site) -> Data:
    """Return the file that says where each list is."""
    value = {name: site.output.path(f"data/env/{name}") for name in site.environments}
    return Data(INDEX, canonical(value), lambda: (script(INDEX, value), None))


def list_path(site: Site, name: str) -> str | None:
    """Return the data file of a package list, from the site's root; None where the folio has no such list."""
    return site.output.path(f"data/env/{name}") if f"data/env/{name}" in site.output.made else None


def _render(site: Site, name: str, oid: str) -> tuple[bytes, None]:
    text = (site.folio.repo.read(oid) or b"")[:MAX_BYTES].decode("utf-8", "replace")
    lines = [line.strip() for line in text.splitlines()]
    return script(f"data/env/{name}", [line for line in lines if line and not line.startswith("#")]), None
