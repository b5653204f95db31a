"""The recorded datasets of a site: contents, versions, drift from one to the next, and the runs that read them.

A site for everybody shows none of it: extremes of columns, and where data lies, are nobody else's business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runfolio._dataclass import dataclass
from runfolio.folio.datasets import DatasetVersion
from runfolio.formats.datasets import named_in_source
from runfolio.records.datasets import Dataset, Facts
from runfolio.records.runs import Run

if TYPE_CHECKING:
    from runfolio.diff.drift import Drift
    from runfolio.site.gather import Site

MOST_VERSIONS, MOST_RUNS, MOST_PAIRS = 40, 40, 12


@dataclass(frozen=True, slots=True)
class DatasetData:
    """A dataset as its page shows it.

    Parameters
    ----------
    dataset : Dataset
    facts : Mapping of str to Facts
        By digest, of every content that is recorded.
    versions : sequence of DatasetVersion
        Newest first.
    runs : sequence of Run
        That read any of its contents, newest first.
    more_runs : bool
    """

    dataset: Dataset
    facts: Mapping[str, Facts]
    versions: Sequence[DatasetVersion]
    runs: Sequence[Run]
    more_runs: bool

    @property
    def current(self) -> Facts | None:
        """What is known of the current content."""
        return self.facts.get(self.dataset.digest)

    def drift_to(self, digest: str, before: str) -> Drift | None:
        """Return how a content differs from another; None where one of them is not described."""
        from runfolio.diff.drift import drift

        old, new = self.facts.get(before), self.facts.get(digest)
        return drift(old, new) if old is not None and new is not None else None

    def drifts(self) -> dict[str, str]:
        """Tell how each of the newest contents differs from each other one, by ``OLD NEW``."""
        digests = list(dict.fromkeys(item.dataset.digest for item in self.versions))[:MOST_PAIRS]
        made = {}
        for old in digests:
            for new in digests:
                found = self.drift_to(new, old) if old != new else None
                if found is not None:
                    made[f"{old} {new}"] = found.words()
        return made


def read_datasets(site: Site) -> list[DatasetData]:
    """Read the recorded datasets, by name; none for a site that is for everybody."""
    if site.options.public:
        return []
    book, code = site.folio.datasets, _code(site)
    if code is None:
        return []
    made = []
    for dataset in book.found(code).datasets:
        facts = {item.digest: item for item in book.contents(dataset.slug, site.commit)}
        versions = book.versions(dataset.slug, code, MOST_VERSIONS)
        digests = tuple(dict.fromkeys([dataset.digest, *(item.dataset.digest for item in versions), *facts]))
        runs = site.index.runs_with_contents(digests[:200], MOST_RUNS + 1)
        shown = [site.seen(run) for run in runs[:MOST_RUNS] if run.run_id in site.by_id]
        made.append(DatasetData(dataset, facts, versions, shown, len(runs) > MOST_RUNS))
    return made


def dataset_state(site: Site) -> str:
    """Return which contents are current, in a word that changes with them; empty where there is none, or none is shown."""
    code = None if site.options.public else _code(site)
    found = site.folio.datasets.found(code).datasets if code else ()
    return " ".join(f"{item.slug}={item.digest}" for item in found)


def _code(site: Site) -> str | None:
    # Where records have a branch of their own, the datasets are in the code, which no commit of that branch names.
    return site.folio.repo.resolve("HEAD") if site.folio.place.ledger else site.commit


def contents_of(run: Run) -> dict[str, str]:
    """Return the digests of the recorded contents that a run read, by the names of their datasets."""
    found = (named_in_source(item.source_type, item.source) for item in run.inputs)
    return dict(filter(None, found))
