"""Datasets: each names a content whose facts are recorded, no two have one name or one place, and contents are in the store."""

from __future__ import annotations

from difflib import get_close_matches

from runfolio.errors import DamagedError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.folio.checks.objects import ObjectCheck
from runfolio.formats import paths
from runfolio.formats.datasets import DATASET_KEYS, decode_dataset, decode_facts
from runfolio.records.datasets import Dataset, Facts, Holder
from runfolio.records.findings import Finding, Severity
from runfolio.records.visible import visible


class DatasetCheck:
    """Remembers the datasets of a revision, and says at the end what does not fit.

    Parameters
    ----------
    prefix : str
        The folio's folder.
    ledger : bool
        Whether records have a branch of their own, so that datasets and facts are never in one revision.
    objects : ObjectCheck
        Looks up the contents.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, prefix: str, ledger: bool, objects: ObjectCheck, restore: Restore, findings: list[Finding]) -> None:
        self._prefix, self._ledger, self._objects = prefix, ledger, objects
        self._restore, self._findings = restore, findings
        self._datasets: dict[str, Dataset] = {}
        self._facts: dict[str, Facts] = {}
        self._unread: set[str] = set()

    def take(self, path: str, inner: str, data: bytes) -> bool:
        """Check a file, if it is a dataset's or tells facts of a content; tell whether it was."""
        slug = paths.dataset_of_path(inner)
        try:
            if slug is not None:
                self._datasets[slug] = decode_dataset(data, inner)
            elif paths.facts_of_path(inner) is not None:
                self._facts[inner] = facts = decode_facts(data, inner)
                if facts.held_by is Holder.STORE:
                    self._objects.take_content(path, facts)
            else:
                return False
        except DamagedError as error:
            self._unread.add(inner)
            rule, remedy = ("dataset.format", "Edit the file") if slug is not None else ("facts.format", self._restore(path))
            self._findings.extend(faults_of(error, path, data, rule, remedy))
        return True

    def finish(self) -> None:
        """Say what is named and is not there, and what is named twice."""
        for field, rule in (("name", "dataset.same-name"), ("path", "dataset.same-path")):
            self._same(field, rule)
        for slug, dataset in self._datasets.items():
            path = self._prefix + paths.dataset_path(slug)
            facts = paths.facts_path(slug, dataset.facts_name)
            told = facts in self._facts or facts in self._unread
            if dataset.held_by is Holder.STORE and not told and not self._ledger:
                message = f"nothing is recorded of the content {dataset.digest}: there is no {self._prefix}{facts}"
                remedy = f"Record it where the data is: runfolio data add {visible(dataset.path) or 'PATH'}"
                self._add("dataset.facts", Severity.WARNING, path, "digest", message, remedy)
            for key in dataset.extra:
                near = get_close_matches(key, DATASET_KEYS, 1)
                meant = f"; perhaps {near[0]} was meant" if near else ""
                message = f"no such field, so it is kept and not read{meant}"
                self._add("dataset.field", Severity.WARNING, path, visible(key), message, "Correct it, or upgrade runfolio")

    def _same(self, field: str, rule: str) -> None:
        seen: dict[str, str] = {}
        for slug, dataset in self._datasets.items():
            value = getattr(dataset, field)
            other = seen.setdefault(value, slug) if value else slug
            if other != slug:
                message = f"{visible(value)!r} is that of {self._prefix}{paths.dataset_path(other)}, too"
                path = self._prefix + paths.dataset_path(slug)
                self._add(rule, Severity.ERROR, path, field, message, "Change it in one of the files, or remove that")

    def _add(self, rule: str, severity: Severity, path: str, field: str, message: str, remedy: str) -> None:
        self._findings.append(Finding(rule, severity, path, field, message, remedy))
