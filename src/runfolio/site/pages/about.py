"""The page that says what the site was made from, what it leaves out, and whose work it carries."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from runfolio.site.assets import templates_folder
from runfolio.site.charts import scripts
from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.plan import Page

PATH = "about.html"


def pages(site: Site) -> Iterator[Page]:
    """Yield the page."""
    context = {
        "commit": site.commit,
        "committed_at": site.committed_at,
        "runs": len(site.rows),
        "experiments": len(site.experiments),
        "prepared": len(site.prepared),
        "faults": [{"path": fault.path, "message": fault.message} for fault in site.index.faults()[:20]]
        if not site.options.public
        else [],
        "published": len({item["file"] for found in site.previews.values() for item in found.values()}),
        "limits": {"bytes": site.settings.artifacts.max_bytes, "total": site.settings.artifacts.total_bytes},
        "licences": licences() if scripts(site)["vega"] else [],
    }
    yield Page(PATH, canonical(context), lambda: site.html("about.html", PATH, **context))


def licences() -> list[dict[str, Any]]:
    """Return what of other people's work the site's scripts carry: name, version, licence and its text."""
    folder = templates_folder() / "vendor"
    try:
        listed = json.loads((folder / "licences.json").read_text("utf-8"))
    except FileNotFoundError:
        return []
    found = []
    for item in listed:
        text = (folder / item["file"]).read_text("utf-8") if item.get("file") else item.get("text", "")
        found.append({"name": item["name"], "version": item.get("version", ""), "licence": item.get("licence", ""), "text": text})
    return found
