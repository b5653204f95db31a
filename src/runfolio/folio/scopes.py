"""Which experiments a question about runs looks at, and which of their runs; deleted ones only where they are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runfolio.folio.folio import Folio
from runfolio.records import Experiment, Lifecycle, ViewType


def search_parts(
    folio: Folio, experiments: Sequence[str], view: int, known: Mapping[str, Experiment]
) -> list[tuple[list[str] | None, int]]:
    """Return what to search: what is deleted is deleted runs, and all runs of deleted experiments.

    Parameters
    ----------
    folio : Folio
    experiments : sequence of str
        Ids, names or folder names; empty for all.
    view : int
        A number of :class:`~runfolio.records.ViewType`.
    known : Mapping of str to Experiment
        The experiments by folder name, as of the commit that is asked.

    Returns
    -------
    list of (list of str or None, int)
        Folder names (None for all) and view of each search; no run is found by two.

    Raises
    ------
    NotFoundError
        If there is no such experiment.
    """
    hidden = [slug for slug, item in known.items() if item.lifecycle is Lifecycle.DELETED]
    if view != ViewType.DELETED_ONLY or experiments or not hidden:
        return [(_slugs(folio, experiments, view, known), view)]
    live = {run.experiment for run in folio.runs.live()}
    return [(sorted({*known, *live}.difference(hidden)), ViewType.DELETED_ONLY), (hidden, ViewType.ALL)]


def _slugs(folio: Folio, experiments: Sequence[str], view: int, known: Mapping[str, Experiment]) -> list[str] | None:
    if experiments:
        by_text = {text: item.slug for item in known.values() for text in (item.slug, item.name, item.experiment_id)}
        return [by_text.get(text) or folio.experiments.find(text).slug for text in experiments]
    hidden = {slug for slug, item in known.items() if item.lifecycle is Lifecycle.DELETED}
    if not hidden or view != ViewType.ACTIVE_ONLY:
        return None
    live = {run.experiment for run in folio.runs.live()}
    return sorted({*known, *live} - hidden)
