"""What the search page looks through: experiments, models, the newest commits, and the newest runs with their users and tags.

Bounded, because a page loads the whole of it: older runs are found in the table of their experiment, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from runfolio.index import RunRow
from runfolio.records.visible import visible
from runfolio.site.columns import script, script_value
from runfolio.site.gather import Site
from runfolio.site.links import change_page, experiment_page, model_page, version_page
from runfolio.site.output import canonical
from runfolio.site.plan import Data

NAME = "data/search"
MOST_RUNS = 20_000
"""Of the newest runs at least so many are looked through."""
PART = 2500
MOST_WORDS = 160
"""Characters of a run's tags and user that are looked through."""


def parts(site: Site) -> Iterator[Data]:
    """Yield the files with the runs."""
    prepared = site.prepared
    for number, rows in _parts(site):
        pages = [at for at, row in enumerate(rows) if row.run_id in prepared]
        yield Data(f"{NAME}/{number}", canonical(pages) + site.digest(rows), partial(_render, site, number, rows))


def search_file(site: Site) -> Data:
    """Return the file with the experiments, which says where the runs are."""
    experiments = [
        [item.name, item.experiment.description.partition("\n\n")[0][:280], experiment_page(item.slug), len(item.rows), item.slug]
        for item in site.experiments
    ]
    found = _parts(site)
    # The newest first, as they are shown.
    listed = [site.output.path(f"{NAME}/{number}") for number, _ in reversed(found)]
    value = {
        "experiments": experiments,
        "others": [*_models(site), *_commits(site)],
        "parts": listed,
        "left": len(site.rows) - sum(len(rows) for _, rows in found),
    }
    return Data(NAME, canonical(value), lambda: (script(NAME, value), None))


def _models(site: Site) -> Iterator[list[str]]:
    """Yield the registered models and their versions: title, other words, page, what it is."""
    for item in site.models:
        yield [item.model.name, item.model.description[:280], model_page(item.slug), "model"]
        for found in item.versions:
            words = [found.stage, *(f"@{alias}" for alias in found.aliases), found.version.description[:160]]
            title = f"{item.model.name} {found.number}"
            yield [title, " ".join(filter(None, words)), version_page(item.slug, found.number), "version of a model"]


def _commits(site: Site) -> Iterator[list[str]]:
    """Yield the newest commits that have a page."""
    for commit in site.history.commits:
        if commit.parents:
            subject = visible(site.redaction.text(commit.subject))
            yield [subject, commit.oid[:12], change_page(commit.parents[0], commit.oid), "commit"]


def remember(site: Site, rows: Sequence[RunRow], records: Sequence[Mapping[str, Any]]) -> None:
    """Keep what the files with the runs say of some whose records are at hand."""
    oldest = site.by_start[_first(site)].start
    site.words.update(
        (row.pk, (record.get("name", ""), _words(record)))
        for row, record in zip(rows, records, strict=True)
        if row.start >= oldest
    )


def _parts(site: Site) -> list[tuple[int, Sequence[RunRow]]]:
    """Return the runs by start, cut at the same places in every build, so that a new run touches the last part only."""
    return [(at // PART, site.by_start[at : at + PART]) for at in range(_first(site), len(site.rows), PART)]


def _first(site: Site) -> int:
    """Return the place of the oldest run that is looked through."""
    return max(0, len(site.rows) - MOST_RUNS) // PART * PART


def _recall(site: Site, number: int, rows: Sequence[RunRow]) -> None:
    """Take the words of the first runs from what the last build wrote, where they are the same runs still."""
    name = f"{NAME}/{number}"
    held: Any = site.output.last_facts(name)
    if not isinstance(held, dict) or not 0 < held["rows"] <= len(rows):
        return
    first = rows[: held["rows"]]
    data = site.output.last_bytes(name) if held["digest"] == site.output.salted(site.digest(first)) else None
    if data is not None:
        for row, (words_name, *_, words) in zip(first, reversed(script_value(data)), strict=True):
            site.words.setdefault(row.pk, (words_name, words))


def _render(site: Site, number: int, rows: Sequence[RunRow]) -> tuple[bytes, object]:
    _recall(site, number, rows)
    unknown = [row for row in rows if row.pk not in site.words]
    remember(site, unknown, site.records(unknown))
    runs = []
    for row in reversed(rows):
        name, words = site.words[row.pk]
        runs.append([name, row.slug, row.run_id, int(row.run_id in site.prepared), words])
    return script(f"{NAME}/{number}", runs), {"rows": len(rows), "digest": site.output.salted(site.digest(rows))}


def _words(record: Mapping[str, Any]) -> str:
    tags = [f"{key}: {value}" for key, value in record.get("tags", {}).items() if not key.startswith("mlflow.")]
    return ", ".join([*([record["user"]] if record.get("user") else []), *tags])[:MOST_WORDS]
