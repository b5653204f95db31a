"""Which run evaluated which files last, for the pages of models' versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runfolio.query import parse_filter
from runfolio.records.evaluations import DIGEST_TAG, evaluated_on
from runfolio.records.runs import RunStatus

if TYPE_CHECKING:
    from runfolio.records.models import ModelVersion
    from runfolio.site.gather import Site

MOST_EVALUATIONS = 5000


def evaluations_by_digest(site: Site) -> dict[str, str]:
    """Return the run that evaluated the files of a digest last, by the digest."""
    named = parse_filter(f"tags.`{DIGEST_TAG}` LIKE 'sha256:%'")
    found = site.folio.runs.search(named, limit=MOST_EVALUATIONS, at=site.commit)
    made: dict[str, str] = {}
    for run in sorted(found, key=lambda run: (run.start, run.run_id)):
        if run.status is RunStatus.FINISHED and evaluated_on(run) and run.run_id in site.by_id:
            made[run.tags[DIGEST_TAG]] = run.run_id
    return made


def evaluation_of(site: Site, version: ModelVersion) -> str | None:
    """Return the run whose evaluation a version's page shows: the newest of its files, else the run that made it."""
    made = site.evaluations.get(str(version.digest)) if version.digest else None
    return made or (version.run_id if version.run_id in site.by_id else None)
