"""What is asked of recorded datasets: facts and versions together, the runs that read them, the drift between two contents."""

from __future__ import annotations

from collections.abc import Mapping

from runfolio._dataclass import dataclass
from runfolio.diff.drift import Drift, drift
from runfolio.errors import NotFoundError
from runfolio.folio.dataset_placing import meant
from runfolio.folio.datasets import DatasetVersion
from runfolio.folio.folio import Folio
from runfolio.records.datasets import Dataset, Facts
from runfolio.records.runs import Run
from runfolio.records.visible import visible

MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Shown:
    """A dataset with all that is known of it.

    Parameters
    ----------
    dataset : Dataset
        With the content that was asked for.
    facts : Facts or None
    versions : tuple of DatasetVersion
        Newest first.
    runs : tuple of Run
        That read this content, newest first, at most `MOST_RUNS`.
    experiments : mapping of str to str
        Name of each one's experiment, by its folder.
    """

    dataset: Dataset
    facts: Facts | None
    versions: tuple[DatasetVersion, ...]
    runs: tuple[Run, ...]
    experiments: Mapping[str, str]


def shown(folio: Folio, name: str) -> Shown:
    """Return what is known of a content.

    Parameters
    ----------
    folio : Folio
    name : str
        ``wine``, ``wine@REV`` or ``wine@DIGEST``.

    Raises
    ------
    NotFoundError
        If nothing is meant by that.
    """
    dataset = meant(folio, name)
    runs = folio.fresh_index().runs_with_contents((dataset.digest,), MOST_RUNS)
    versions = tuple(folio.datasets.versions(dataset.slug))
    names = {run.experiment: folio.experiments.name_of(run.experiment) for run in runs}
    return Shown(dataset, folio.datasets.facts(dataset.slug, dataset.digest), versions, tuple(runs), names)


def drift_between(folio: Folio, old: str, new: str | None = None) -> Drift:
    """Tell how one content differs from another.

    Parameters
    ----------
    folio : Folio
    old : str
        ``wine``, ``wine@REV`` or ``wine@DIGEST``.
    new : str, optional
        The current content of the same dataset by default.

    Raises
    ------
    NotFoundError
        If nothing is meant by one of them, or no facts of it are recorded.
    """
    return drift(_facts(folio, meant(folio, old)), _facts(folio, meant(folio, new or old.partition("@")[0])))


def _facts(folio: Folio, dataset: Dataset) -> Facts:
    found = folio.datasets.facts(dataset.slug, dataset.digest)
    if found is None:
        raise NotFoundError(
            f"Nothing is recorded of the content {dataset.digest} of {visible(dataset.name)}. Where the data is at hand: "
            f"runfolio data add {visible(dataset.path) or 'PATH'}"
        )
    return found
