"""``api/v1/``: the folio as JSON for programs in any language, over plain HTTP or from a folder. See docs/site-api.md.

Invariants:

- Runs stand in pages of `PAGE`, by start, then id, so that a new run changes the last page and the lists that name it, nothing else.
- JSON as every parser takes it: UTF-8, no NaN literals; numbers that JSON lacks are the texts ``"NaN"``, ``"Infinity"``, ``"-Infinity"``,
  as in docs/format.md. Metrics have all their digits.
- Every file names its schema, a JSON Schema beside it under ``schemas/``. Fields are added, never changed or taken away, within v1.
- Nothing is here that a public site leaves out: records come through :meth:`runfolio.site.gather.Site.records`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio._version import __version__
from runfolio.formats.canonical import spell_number
from runfolio.index import RunRow
from runfolio.records import Objective
from runfolio.records.times import utc_text
from runfolio.site import parquet
from runfolio.site.gather import ExperimentData, Site
from runfolio.site.links import experiment_page, model_page, run_page, version_page
from runfolio.site.output import canonical
from runfolio.site.plan import Page
from runfolio.site.reproductions import newest
from runfolio.site.spelling import compact

if TYPE_CHECKING:
    from runfolio.site.catalogue import ModelData

ROOT = "api/v1"
PAGE = 100
VERSION = 1
SCHEMAS = ("index", "experiments", "experiment", "runs", "latest", "models")


def files(site: Site) -> Iterator[Page]:
    """Yield the files of the API but the pages of runs, the Parquet file last."""
    yield _file("index", "index", _index(site))
    yield _file("experiments", "experiments", {"experiments": [_brief(site, item) for item in site.experiments]})
    yield _file("models", "models", {"models": [_model(site, item) for item in site.models]})
    for name in SCHEMAS:
        data = schema(name)
        yield Page(f"{ROOT}/schemas/{name}.json", data, lambda data=data: data)  # type: ignore[misc]
    for item in site.experiments:
        yield from _experiment_files(site, item)
    yield from parquet.files(site, f"{ROOT}/runs.parquet")


def _reproduced(site: Site, run_id: str | None) -> dict[str, Any] | None:
    """Return the newest verdict on a run by its recorded code, for programs; None where there is none."""
    found = newest(site, run_id)
    if found is None or not found.same_code:
        return None
    return {
        "verdict": found.verdict.value,
        "words": found.words if not site.options.public or found.compared else "could not be run",
        "at": utc_text(found.at),
        "manager": found.manager,
        "tolerance": found.tolerance,
        "compared": found.compared,
        "exact": found.exact,
    }


def _model(site: Site, item: ModelData) -> dict[str, Any]:
    return {
        "name": item.model.name,
        "page": model_page(item.slug),
        "description": item.model.description,
        "tags": dict(item.model.tags),
        "stages": {stage: list(numbers) for stage, numbers in item.model.stages.items()},
        "aliases": dict(item.model.aliases),
        "versions": [
            {
                "version": found.number,
                "page": version_page(item.slug, found.number),
                "stage": found.stage or None,
                "run": found.version.run_id,
                "digest": found.version.digest,
                "size": found.version.size,
                "created": utc_text(found.version.created) if found.version.created else None,
                "metrics": {key: spell_number(value) for key, value in sorted(found.version.metrics.items())},
                "reproduced": _reproduced(site, found.version.run_id),
            }
            for found in item.versions
        ],
    }


@lru_cache(maxsize=len(SCHEMAS))
def schema(name: str) -> bytes:
    """Return the JSON Schema of a kind of file."""
    return (Path(__file__).parent / "schemas" / f"{name}.json").read_bytes()


def _experiment_files(site: Site, item: ExperimentData) -> Iterator[Page]:
    place = f"experiments/{item.slug}"
    parts = _parts(item.rows)
    value = {
        **_brief(site, item),
        "tags": site.redaction.shown(item.experiment.tags),
        "pages": [
            {"path": f"{ROOT}/{place}/runs/{number}.json", "runs": len(rows), "first": rows[0].run_id, "last": rows[-1].run_id}
            for number, rows in enumerate(parts)
        ],
    }
    yield _file(place, "experiment", value)
    yield _runs_file(site, f"{place}/latest", "latest", item.rows[-1:], {"experiment": item.slug})


def _parts(rows: Sequence[RunRow]) -> list[Sequence[RunRow]]:
    return [rows[at : at + PAGE] for at in range(0, len(rows), PAGE)]


def run_pages(
    site: Site, item: ExperimentData, rows: Sequence[RunRow], first: int
) -> Iterator[tuple[Sequence[RunRow], Callable[[Sequence[Mapping[str, Any]] | None], Page]]]:
    """Yield the pages of some runs of an experiment.

    Parameters
    ----------
    site : Site
    item : ExperimentData
    rows : sequence of RunRow
        Runs that stand one after the other.
    first : int
        Place of the first of them in the experiment, a multiple of `PAGE`.

    Yields
    ------
    rows : sequence of RunRow
        Of a page.
    page : callable
        Returns it, given the records of these runs, or None where they are not at hand.
    """
    for number, part in enumerate(_parts(rows), first // PAGE):
        head = {"experiment": item.slug, "page": number, "pages_of": PAGE}
        yield part, partial(_runs_file, site, f"experiments/{item.slug}/runs/{number}", "runs", part, head)


def _index(site: Site) -> dict[str, Any]:
    return {
        "title": site.title,
        "description": site.settings.description,
        "commit": site.commit,
        "committed_at": utc_text(site.committed_at),
        "generator": f"runfolio {__version__}",
        "public": site.options.public,
        "runs": len(site.rows),
        "experiments": f"{ROOT}/experiments.json",
        "models": f"{ROOT}/models.json",
        "parquet": f"{ROOT}/runs.parquet",
        "schemas": {name: f"{ROOT}/schemas/{name}.json" for name in SCHEMAS},
    }


def _brief(site: Site, item: ExperimentData) -> dict[str, Any]:
    found = item.experiment
    last = item.rows[-1] if item.rows else None
    return {
        "experiment_id": found.experiment_id,
        "slug": item.slug,
        "name": item.name,
        "description": found.description,
        "objective": _objective(item.objective),
        "baseline": found.baseline if found.baseline in site.by_id else None,
        "runs": len(item.rows),
        "last_start": None if last is None else last.start,
        "page": experiment_page(item.slug),
        "summary": f"{ROOT}/experiments/{item.slug}.json",
        "latest": f"{ROOT}/experiments/{item.slug}/latest.json",
    }


def _objective(objective: Objective | None) -> dict[str, str] | None:
    if objective is None:
        return None
    return {"metric": objective.metric, "direction": objective.direction, "replicate": objective.replicate}


def _runs_file(
    site: Site, path: str, kind: str, rows: Sequence[RunRow], head: Mapping[str, Any],
    records: Sequence[Mapping[str, Any]] | None = None,
) -> Page:  # fmt: skip
    ids, prepared = [row.run_id for row in rows], site.prepared
    shown = {
        "previews": {run_id: site.previews[run_id] for run_id in site.previews.keys() & ids},
        "pages": [run_id for run_id in ids if run_id in prepared],
    }
    inputs = site.digest(rows) + canonical([head, shown])
    return Page(
        f"{ROOT}/{path}.json", inputs, lambda: _runs(site, kind, site.records(rows) if records is None else records, head)
    )


def _runs(site: Site, kind: str, records: Sequence[Mapping[str, Any]], head: Mapping[str, Any]) -> bytes:
    runs = [run_value(site, record) for record in records]
    return _spell(kind, {**head, "run": runs[0] if runs else None} if kind == "latest" else {**head, "runs": runs})


def run_value(site: Site, record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the API says of a run.

    Parameters
    ----------
    site : Site
    record : Mapping
        The JSON values of its record, without what a public site leaves out.
    """
    previews = site.previews.get(record["run_id"], {})
    listed = {
        path: {"digest": entry["digest"], "size": entry["size"], "file": previews.get(path, {}).get("file")}
        for path, entry in sorted(record.get("artifacts", {}).items())
    }
    datasets = [
        {"name": item["name"], "digest": item["digest"], "context": item.get("tags", {}).get("mlflow.data.context")}
        for item in record.get("inputs", ())
    ]
    return {
        "run_id": record["run_id"],
        "experiment": record["experiment"],
        "name": record.get("name", ""),
        "status": record["status"],
        "start": record["start"],
        "end": record.get("end"),
        "user": record.get("user", ""),
        "parent": record.get("parent"),
        "params": record.get("params", {}),
        "metrics": {key: value["last"] for key, value in record.get("metrics", {}).items()},
        "tags": record.get("tags", {}),
        "datasets": datasets,
        "artifacts": listed,
        "artifact_count": record.get("artifact_count", len(listed)),
        "commit": record.get("code", {}).get("commit"),
        "page": run_page(site, record["run_id"]),
    }


def _file(path: str, kind: str, value: Mapping[str, Any]) -> Page:
    data = _spell(kind, value)
    return Page(f"{ROOT}/{path}.json", data, lambda: data)


def _spell(kind: str, value: Mapping[str, Any]) -> bytes:
    head = {"schema": f"{ROOT}/schemas/{kind}.json", "version": VERSION}
    return compact({**head, **value}).encode() + b"\n"
