"""A sweep as its runs tell it now, whether it goes on, was killed, or has ended: nothing is written."""

from __future__ import annotations

from runfolio.query import parse_filter
from runfolio.records import Run, ViewType
from runfolio.records import sweeps as tags
from runfolio.sweeps.document import document_of
from runfolio.sweeps.result import SweepResult, summary_of
from runfolio.sweeps.resuming import EVERYTHING, read_book, restore
from runfolio.sweeps.settings import settings_of
from runfolio.sweeps.space import Fixed
from runfolio.sweeps.studies import Study
from runfolio.tracking.session import session


def load(run: str) -> SweepResult:
    """Read a sweep from the folio in force.

    Parameters
    ----------
    run : str
        Id (four characters at least) or name of the sweep's own run; of several of a name, the newest is read.

    Returns
    -------
    SweepResult
        Trials that are not over are ``open``.

    Raises
    ------
    NotFoundError
        If there is no such run.
    UsageError
        If it is no sweep's own.
    """
    held = session()
    named = next((found.run_id for found in sweeps_here() if found.name == run), None)
    record = held.folio.runs.get(named or (held.folio.runs.resolve(run) if hasattr(held.folio.runs, "resolve") else run))
    settings = settings_of(record)
    book = read_book(held, record.run_id, settings)
    study = Study(
        record.run_id, settings.directions, settings.sampler, settings.pruner, settings.seed, settings.space, parallel=False
    )
    restore(study, book, {name: each.value for name, each in (settings.space or {}).items() if isinstance(each, Fixed)})
    document = document_of(record.name, settings, book, study, held.redactor.fresh())
    return SweepResult(
        record.run_id,
        record.name,
        dict(settings.metrics),
        tuple(summary_of(book[number], settings) for number in sorted(book)),
        document.get("importance", {}).get("metrics", {}),
        document,
        study.optuna,
    )


def sweeps_here() -> list[Run]:
    """List the sweeps of the folio in force, newest first."""
    found = session().folio.runs.search(
        parse_filter(f"tags.`{tags.METRICS_TAG}` != ''", "runs"), (), None, ViewType.ACTIVE_ONLY, EVERYTHING
    )
    return sorted(found, key=lambda run: (run.start, run.run_id), reverse=True)
