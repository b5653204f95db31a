"""The Atom feed, the sitemap, and what a link to a page says of itself in a chat.

What a team wants to be told of are promotions and what ran: an entry for each version that came into a stage, or left one empty, and one
for each day of an experiment.

Invariants: nothing but the commit decides the bytes; ids of entries stay when runs are added (they are of an experiment and a day, or of
a commit); names are made visible before they stand in XML, which cannot hold control characters at all.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, timezone
from math import isfinite
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from runfolio.index import RunRow
from runfolio.records.models import ARCHIVED, NO_STAGE
from runfolio.records.visible import visible
from runfolio.site import cards
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import experiment_page, model_page, run_page, version_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.words import number_words

if TYPE_CHECKING:
    from runfolio.registry.history import Event
    from runfolio.site.catalogue import ModelData

ENTRIES = 60
RUNS_AN_ENTRY = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_DAY = 86_400_000
_LAST = 253_402_300_799_000


def files(site: Site) -> Iterator[Page]:
    """Yield the feed; with an address, also the sitemap, ``robots.txt``, and the pictures of cards."""
    found = entries(site)
    updated = max((item["updated"] for item in found), default=site.committed_at)
    inputs = canonical([found, updated, site.title, site.base_url])
    yield Page("feed.xml", inputs, lambda: _feed(site, found, updated))
    if site.base_url:
        places = sitemap_places(site)
        yield Page("sitemap.xml", canonical([site.base_url, places]), lambda: _sitemap(site.base_url, places))
        robots = f"User-agent: *\nAllow: /\nSitemap: {site.base_url}sitemap.xml\n".encode()
        yield Page("robots.txt", robots, lambda: robots)
        yield from cards.files(site)


def entries(site: Site) -> list[dict[str, Any]]:
    """Return the newest entries: one for each day of an experiment, one for each change of what is in a stage."""
    made: list[dict[str, Any]] = []
    for item in site.experiments:
        made += _days(site, item)
    for model in site.models:
        made += _moves(model)
    return sorted(made, key=lambda entry: (-entry["updated"], entry["slug"], entry["day"]))[:ENTRIES]


def _moves(model: ModelData) -> Iterator[dict[str, Any]]:
    """Yield an entry for each version that came into a stage, and for each that left one in which nothing is since."""
    known = {item.number for item in model.versions}
    by_commit: dict[str, list[Event]] = defaultdict(list)
    for event in model.events:
        if event.kind == "stage" and event.version is not None:
            by_commit[event.commit].append(event)
    for commit, events in by_commit.items():
        filled = {event.stage_to for event in events}
        for event in events:
            name = f"{visible(model.model.name)} {event.version}"
            left = [str(other.version) for other in events if other.stage_from == event.stage_to]
            if event.stage_to not in (NO_STAGE, ARCHIVED):
                title = f"{name} is in {visible(event.stage_to)}{_instead(left)}"
            elif event.stage_from not in filled | {NO_STAGE, ARCHIVED}:
                title = f"{name} is no longer in {visible(event.stage_from)}"
            else:
                continue
            yield {
                "slug": f"models/{model.slug}",
                "day": f"{commit[:12]}/{event.version}",
                "title": title,
                "summary": visible(event.subject) or title,
                "updated": event.at,
                "runs": [],
                "href": version_page(model.slug, event.version) if event.version in known else model_page(model.slug),
            }


def _instead(left: Sequence[str]) -> str:
    return f", in place of version {' and '.join(sorted(left, key=int))}" if left else ""


def sitemap_places(site: Site) -> list[str]:
    """Return the pages that a search engine may want, from the site's root."""
    fixed = ["index.html", "experiments/index.html", "models/index.html", "changes/index.html", "data.html", "about.html"]
    own = [experiment_page(item.slug) for item in site.experiments]
    own += [model_page(item.slug) for item in site.models]
    own += [version_page(item.slug, version.number) for item in site.models for version in item.versions]
    return [*fixed, *own, *(f"r/{run_id}/index.html" for run_id in sorted(site.prepared))]


def _days(site: Site, item: ExperimentData) -> list[dict[str, Any]]:
    spans: list[tuple[int, int]] = []
    end = len(item.rows)
    while end and len(spans) < ENTRIES:
        first = bisect_left(item.rows, _day(item.rows[end - 1]), 0, end, key=_day)
        spans.append((first, end))
        end = first
    values = _results(site, item)
    before = _best_of(item, values[:end])
    made = []
    for first, end in reversed(spans):
        best = _best_of(item, values[first:end])
        day = _moment(_day(item.rows[first]) * _DAY)[:10]
        made.append(_entry(site, item, day, item.rows[first:end][::-1], (best, before)))
        before = _best_of(item, (best, before))
    return made


def _best_of(item: ExperimentData, values: Sequence[float | None]) -> float | None:
    found = [value for value in values if value is not None]
    return (max if item.objective and item.objective.direction == "max" else min)(found, default=None)


def _results(site: Site, item: ExperimentData) -> list[float | None]:
    """Return the objective of each run that ended well, in the order of the rows; None where it has none."""
    values = site.objective_values(item)
    if not values:
        return [None] * len(item.rows)
    found = [values.get(row.pk) if row.status == "FINISHED" else None for row in item.rows]
    return [value if value is not None and isfinite(value) else None for value in found]


def _day(row: RunRow) -> int:
    return max(0, min(row.start, _LAST)) // _DAY


def _entry(
    site: Site, item: ExperimentData, day: str, rows: Sequence[RunRow], best: tuple[float | None, float | None]
) -> dict[str, Any]:
    """Return the entry of a day; `best` is its best result, and the best before it."""
    states = Counter(row.status for row in rows)
    ended = ", ".join(f"{count:,} {state.lower()}" for state, count in sorted(states.items()))
    return {
        "slug": item.slug,
        "day": day,
        "title": f"{len(rows):,} {'run' if len(rows) == 1 else 'runs'} in {visible(item.name)}",
        "summary": f"{ended}{_best_words(item, *best)}",
        "updated": max(row.end or row.start for row in rows),
        "runs": [
            [visible(row.name) or row.run_id[:12], run_page(site, row.run_id), row.status.lower()] for row in rows[:RUNS_AN_ENTRY]
        ],
        "href": experiment_page(item.slug),
    }


def _best_words(item: ExperimentData, best: float | None, before: float | None) -> str:
    """Put a day's best result beside the best before it; whether that is noise, the change's page says."""
    if item.objective is None or best is None:
        return ""
    earlier = f", the best before was {number_words(before)}" if before is not None else ""
    way = "higher" if item.objective.direction == "max" else "lower"
    return f"; best {visible(item.objective.metric)} {number_words(best)}{earlier} ({way} is better)"


def _feed(site: Site, found: Sequence[dict[str, Any]], updated: int) -> bytes:
    address = urlsplit(site.base_url)
    # With the path: many folios share a host, as team.github.io/wine and team.github.io/digits do.
    top = f"tag:{address.hostname or 'runfolio.invalid'},2026:{address.path.lstrip('/')}runfolio"
    title = escape(visible(site.title))
    base = f" xml:base={quoteattr(site.base_url)}" if site.base_url else ""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"{base}>',
        f"<id>{escape(top)}</id>",
        f"<title>{title}</title>",
        f"<updated>{_moment(updated)}</updated>",
        f"<author><name>{title}</name></author>",
        f'<link rel="self" href={quoteattr(site.base_url + "feed.xml")}/>',
        f'<link rel="alternate" type="text/html" href={quoteattr(site.base_url + "index.html")}/>',
    ]
    for entry in found:
        lines += _entry_lines(site.base_url, top, entry)
    return ("\n".join(lines) + "\n</feed>\n").encode("utf-8", "replace")


def _entry_lines(base: str, top: str, entry: dict[str, Any]) -> Iterator[str]:
    runs = "".join(
        f"<li><a href={quoteattr(base + href)}>{escape(name)}</a> {escape(status)}</li>" for name, href, status in entry["runs"]
    )
    yield "<entry>"
    yield f"<id>{escape(top)}/{escape(entry['slug'])}/{escape(entry['day'])}</id>"
    yield f"<title>{escape(entry['title'])}</title>"
    yield f"<updated>{_moment(entry['updated'])}</updated>"
    yield f'<link rel="alternate" type="text/html" href={quoteattr(base + entry["href"])}/>'
    yield f"<summary>{escape(entry['summary'])}</summary>"
    if runs:
        yield f'<content type="html">{escape(f"<ul>{runs}</ul>")}</content>'
    yield "</entry>"


def _sitemap(base: str, places: Sequence[str]) -> bytes:
    lines = "".join(f"<url><loc>{escape(base + place)}</loc></url>\n" for place in places)
    head = '<?xml version="1.0" encoding="utf-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    return f"{head}{lines}</urlset>\n".encode()


def escape(text: str) -> str:
    """Spell a text for XML; as :mod:`xml.sax.saxutils` does, which loads an HTTP client."""
    return text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;")


def quoteattr(text: str) -> str:
    """Spell a text as an attribute's value, with its quotation marks."""
    spelled = escape(text).replace('"', "&quot;").replace("\n", "&#10;").replace("\r", "&#13;").replace("\t", "&#9;")
    return f'"{spelled}"'


def _moment(ms: int) -> str:
    """Return a moment in the form of RFC 3339; what lies outside the years 1970 to 9999 is moved to their ends."""
    return (_EPOCH + timedelta(milliseconds=max(0, min(ms, _LAST)))).strftime("%Y-%m-%dT%H:%M:%SZ")
