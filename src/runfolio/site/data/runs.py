"""Everything that the pages of runs show, in chunks: one file for some runs, found by the run's id.

A run's id with a time in it (the UUIDv7 of every run that was logged here) sorts behind those of earlier runs, so a new run
touches the last chunk only. Other ids (imported runs) go by their first two digits, and are not moved by new runs.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from typing import Any

from runfolio.index import RunRow
from runfolio.site.columns import record_text, script, script_of_texts, script_text
from runfolio.site.gather import Site
from runfolio.site.output import canonical
from runfolio.site.plan import Data, Page
from runfolio.site.public import count_private
from runfolio.site.reproductions import shown_reproduction
from runfolio.site.words import count_words


def chunks(site: Site) -> Iterator[Data]:
    """Yield the chunks."""
    for name, rows in site.chunks:
        yield Data(f"data/r/{name}", _inputs(site, rows), partial(_render, site, name, rows))


def chunk_index(site: Site) -> Data:
    """Return the file that says which chunk has a run."""
    timed, hashed = [], {}
    for name, rows in site.chunks:
        path = site.output.path(f"data/r/{name}")
        if name.startswith("x"):
            hashed[name[1:]] = path
        else:
            timed.append([rows[0].run_id[:16], path])
    value = {"time": timed, "hash": hashed}
    return Data("data/r/index", canonical(value), lambda: (script("data/r/index", value), None))


def build_facts(site: Site) -> Page:
    """Return the file that says what the site was made from; no page depends on it."""
    when = datetime.fromtimestamp(site.committed_at / 1000, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    value = {"commit": site.commit, "committed": when}
    return Page("data/build.js", canonical(value), lambda: script("data/build", value))


def _inputs(site: Site, rows: Sequence[RunRow]) -> str:
    # Most sites have none of the three, and hundreds of chunks.
    ids = {row.run_id for row in rows} if site.previews or site.children or site.reproductions else set()
    shown = {
        "names": sorted({site.names[slug] for slug in {row.slug for row in rows}}),
        "previews": {run_id: site.previews[run_id] for run_id in ids & site.previews.keys()},
        "children": {run_id: site.children[run_id] for run_id in ids & site.children.keys()},
        "points": site.points_a_run,
        "proofs": {run_id: shown_reproduction(site, run_id) for run_id in ids & site.reproductions.keys()},
    }
    return site.digest(rows) + canonical(shown)


def _render(site: Site, name: str, rows: Sequence[RunRow]) -> tuple[bytes, dict[str, int]]:
    """Return a chunk: the records as they are committed, and what the site adds to them; a page's script joins the two."""
    bodies = site.bodies(rows)
    # Spelled already: to parse and spell them again was a fifth of a build.
    public = site.options.public
    texts = [script_text(record) for record in site.records(rows)] if public else [record_text(body) for body in bodies]
    parts = {
        "runs": f"{{{','.join(f'{script_text(row.run_id)}:{text}' for row, text in zip(rows, texts, strict=True))}}}",
        "more": script_text(_more(site, rows, bodies)),
        "names": script_text({row.slug: site.names[row.slug] for row in rows}),
    }
    return script_of_texts(f"data/r/{name}", parts), {} if public else count_private(bodies)


def _more(site: Site, rows: Sequence[RunRow], bodies: Sequence[bytes]) -> dict[str, dict[str, Any]]:
    """Return what the site adds to the records of runs, by run id; nothing for most."""
    made: dict[str, dict[str, Any]] = defaultdict(dict)
    proofs = {row.run_id: shown_reproduction(site, row.run_id) for row in rows if row.run_id in site.reproductions}
    for name, found in (("children", site.children), ("previews", site.previews), ("proof", proofs)):
        for row in rows:
            if row.run_id in found:
                made[row.run_id][name] = found[row.run_id]
    listed = [row for row, body in zip(rows, bodies, strict=True) if b'\n  "manifest": ' in body]
    for row, record in zip(listed, site.records(listed), strict=True):
        made[row.run_id]["artifacts"] = site.artifacts(record)
    drawn = [row for row, body in zip(rows, bodies, strict=True) if b'\n  "series": ' in body]
    for row, series in zip(drawn, site.series(drawn), strict=True):
        made[row.run_id]["series"] = series
    return made


def private_counts(site: Site) -> dict[str, int]:
    """Return how many runs show what of people and machines; the chunks must be written already."""
    made: Counter[str] = Counter()
    for name, _ in site.chunks:
        held = site.output.facts(f"data/r/{name}")
        assert isinstance(held, dict)
        made.update(held)
    return dict(made)


def private_warning(site: Site) -> list[str]:
    """Return the warning of a site that is not public: what of people and machines it shows; empty where that is nothing."""
    shown = [f"{words} (in {count_words(count, 'run')})" for words, count in private_counts(site).items()]
    if not shown:
        return []
    return [f"THIS SITE IS NOT FOR THE PUBLIC: it shows {', '.join(shown)}. Leave them out with --public"]
