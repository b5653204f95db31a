"""The list of recorded datasets, and a page a dataset: facts, distributions, versions with their drift, and the runs that read it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from runfolio.diff.drift import Level
from runfolio.folio.datasets import named_holder
from runfolio.formats import paths
from runfolio.formats.datasets import dataset_fields, facts_fields
from runfolio.records.datasets import ColumnFacts, Facts
from runfolio.site.datasets import DatasetData, contents_of
from runfolio.site.gather import Site
from runfolio.site.links import dataset_page, experiment_page, run_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.svg.columns import column_histogram

PATH = "datasets/index.html"
MOST_COLUMNS, MOST_VALUES = 200, 5


def pages(site: Site) -> Iterator[Page]:
    """Yield the list and the page of each dataset, of a site that has some."""
    cards = [_card(item) for item in site.datasets]
    yield Page(PATH, canonical({"cards": cards}), lambda: site.html("datasets.html", PATH, cards=cards))
    for item in site.datasets:
        path = dataset_page(item.dataset.slug)
        yield Page(path, _inputs(site, item), partial(_page, site, item, path))


def _inputs(site: Site, item: DatasetData) -> str:
    return canonical(
        [
            dataset_fields(item.dataset),
            [facts_fields(facts) for facts in item.facts.values()],
            [[version.commit, version.dataset.digest, version.author, version.subject] for version in item.versions],
            [
                [run.run_id, run.name, run.status.value, run.start, run_page(site, run.run_id), contents_of(run)]
                for run in item.runs
            ],
            site.names,
        ]
    )


def _card(item: DatasetData) -> dict[str, Any]:
    facts = item.current
    return {
        "name": item.dataset.name,
        "href": dataset_page(item.dataset.slug),
        "description": item.dataset.description,
        "kind": item.dataset.kind.value,
        "path": item.dataset.path,
        "digest": item.dataset.digest,
        "size": facts.size if facts else None,
        "rows": facts.rows if facts else None,
        "columns": len(facts.columns) + facts.columns_left_out if facts else 0,
        "files": facts.files if facts else 0,
        "versions": len(item.versions),
        "runs": len(item.runs),
        "changed": item.versions[0].at if item.versions else None,
    }


def _page(site: Site, item: DatasetData, path: str) -> bytes:
    dataset, facts = item.dataset, item.current
    return site.html(
        "dataset.html", path, page="dataset",
        dataset=dataset, facts=facts, holder=named_holder(dataset), tags=sorted(dataset.tags.items()), card=_card(item),
        columns=[_column(column) for column in (facts.columns if facts else ())[:MOST_COLUMNS]],
        more_columns=_more(facts), versions=_versions(item), runs=[_run(site, item, run) for run in item.runs],
        more_runs=item.more_runs, record=site.folio.place.full(paths.dataset_path(dataset.slug)),
    )  # fmt: skip


def _more(facts: Facts | None) -> int:
    return 0 if facts is None else max(len(facts.columns) - MOST_COLUMNS, 0) + facts.columns_left_out


def _column(column: ColumnFacts) -> dict[str, Any]:
    rows = column.count + column.missing
    numbers = column.mean is not None
    return {
        "name": column.name,
        "type": column.type,
        "missing": column.missing / rows if rows else 0.0,
        "numbers": [("least", column.min), ("mean", column.mean), ("most", column.max), ("sd", column.std)] if numbers else [],
        "span": (column.min, column.max) if isinstance(column.min, str) else None,
        "distinct": column.distinct,
        "length": column.length_mean,
        "top": list(column.values.items())[:MOST_VALUES],
        "sampled": column.sampled,
        "svg": column_histogram(column.histogram, column.name) if column.histogram else "",
    }


def _versions(item: DatasetData) -> list[dict[str, Any]]:
    made = []
    following = [*item.versions[1:], None]
    for version, before in zip(item.versions, following, strict=True):
        found = item.drift_to(version.dataset.digest, before.dataset.digest) if before else None
        facts = item.facts.get(version.dataset.digest)
        made.append(
            {
                "digest": version.dataset.digest,
                "at": version.at,
                "author": version.author,
                "commit": version.commit,
                "rows": facts.rows if facts else None,
                "current": version.dataset.digest == item.dataset.digest,
                "text": found.words() if found else "" if before else "the first version",
                "loud": found is not None and found.level >= Level.MODERATE,
            }
        )
    return made


def _run(site: Site, item: DatasetData, run: Any) -> dict[str, Any]:
    digest = contents_of(run).get(item.dataset.name)
    return {
        "name": run.name or run.run_id[:12],
        "href": run_page(site, run.run_id),
        "experiment": site.names.get(run.experiment, run.experiment),
        "experiment_href": experiment_page(run.experiment),
        "status": run.status.value,
        "start": run.start,
        "digest": digest or next((known for known in item.facts if _short(known) in {entry.digest for entry in run.inputs}), ""),
        "current": digest == item.dataset.digest,
    }


def _short(digest: str) -> str:
    return digest.partition(":")[2][:32]
