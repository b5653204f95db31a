"""The documents that runs leave, and that pages show: of an evaluation, of a sweep, of a pipeline.

Most runs leave none. What lays one out, and draws its charts, is loaded where there is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runfolio.records import sweeps as sweep_tags

if TYPE_CHECKING:
    from runfolio.site.gather import Site

EVALUATION, SWEEP, PIPELINE = "evaluation", "sweep", "pipeline"
"""Kinds of previews: what :func:`runfolio.site.previews.preview_kind` calls such an artifact."""


def shown_evaluation(site: Site, run_id: str | None) -> dict[str, Any] | None:
    """Return what a page shows of a run's evaluation; None where it has none that is published."""
    found = _document(site, run_id, EVALUATION) if run_id is not None else None
    if found is None:
        return None
    from runfolio.site.evaluations import laid_out

    return laid_out(found)


def shown_pipeline(site: Site, run_id: str, root: str) -> dict[str, Any] | None:
    """Return what a page shows of the pipeline that a run is of; None where it is of none, or its document is not published.

    Parameters
    ----------
    site : Site
    run_id : str
    root : str
        The way from the page to the site's root.
    """
    found = _document(site, run_id, PIPELINE)
    if found is None:
        return None
    from runfolio.site.pipelines import laid_out

    return laid_out(site, found, root, ended=_detail(site, run_id)["end"] is not None)


def shown_sweep(site: Site, run_id: str, root: str) -> dict[str, Any] | None:
    """Return what a page shows of the sweep that a run is; None where it is none.

    Parameters
    ----------
    site : Site
    run_id : str
    root : str
        The way from the page to the site's root.
    """
    detail = _detail(site, run_id)
    if sweep_tags.METRICS_TAG not in detail["tags"]:
        return None
    from runfolio.site.sweeps import laid_out, without_document

    found = _document(site, run_id, SWEEP, sweep_tags.DOCUMENT)
    return without_document(detail) if found is None else laid_out(site, found, root)


def steps_named(site: Site, run_id: str) -> list[tuple[str, bool]]:
    """Return the runs that a pipeline's page links to, and whether each has a page of its own: what the page depends on."""
    shown = shown_pipeline(site, run_id, "")
    return [] if shown is None else [(step["run"], step["run"] in site.prepared) for step in shown["steps"] if step["run"]]


def trials_named(site: Site, run_id: str) -> list[tuple[str, bool]]:
    """Return the runs that a sweep's page links to, and whether each has a page of its own: what the page depends on."""
    shown = shown_sweep(site, run_id, "") if _path_of(site, run_id, SWEEP) else None
    return [] if shown is None else [(row["run"], row["run"] in site.prepared) for row in shown["best"] if row["run"]]


def _path_of(site: Site, run_id: str, kind: str) -> str | None:
    return next((path for path, preview in sorted(site.previews.get(run_id, {}).items()) if preview["kind"] == kind), None)


def _detail(site: Site, run_id: str) -> Mapping[str, Any]:
    return site.details([site.by_id[run_id]])[0]


def _document(site: Site, run_id: str, kind: str, named: str | None = None) -> Mapping[str, Any] | None:
    """Return the published document of a kind that a run left, the one of that name if one is given; None where there is none."""
    from runfolio.site.publishing import read_body

    path = _path_of(site, run_id, kind) if named is None else named
    if path is None:
        return None
    entry = next((entry for entry in _detail(site, run_id)["artifacts"] if entry["path"] == path), None)
    if entry is None or not entry["preview"] or entry["preview"]["kind"] != kind:
        return None
    body = read_body(site, entry)
    document: Mapping[str, Any] | None = body["document"] if body else None
    return document
