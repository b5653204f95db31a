"""Verdicts of reproduction: readable, about runs that are there, with the log and the record that they name."""

from __future__ import annotations

from collections.abc import Collection

from runfolio.errors import DamagedError
from runfolio.folio.checks.faults import Restore, faults_of
from runfolio.folio.checks.objects import ObjectCheck
from runfolio.formats import paths
from runfolio.formats.reproductions import decode_reproduction
from runfolio.records.findings import Finding, Severity


class ReproductionCheck:
    """Remembers the verdicts of a revision, and says at the end which are about no run of it.

    Parameters
    ----------
    objects : ObjectCheck
        Looks up what verdicts name.
    restore : callable
    findings : list of Finding
    """

    def __init__(self, objects: ObjectCheck, restore: Restore, findings: list[Finding]) -> None:
        self._objects, self._restore, self._findings = objects, restore, findings
        self._runs: dict[str, str] = {}

    def take(self, path: str, inner: str, data: bytes) -> bool:
        """Check a file, if it is a verdict's; tell whether it was."""
        if paths.reproduction_of_path(inner) is None:
            return False
        try:
            made = decode_reproduction(data, inner)
        except DamagedError as error:
            self._findings.extend(faults_of(error, inner, data, "reproduction.format", self._restore(path)))
            return True
        self._runs.setdefault(made.run_id, path)
        for field, what in (("log", "the command's output"), ("record", "the record of the new run")):
            entry = getattr(made, field)
            if entry is not None:
                self._objects.take_object(path, f"attempt {made.attempt_id}", field, what, entry)
        return True

    def finish(self, runs: Collection[str]) -> None:
        """Say which verdicts are about no run of this revision.

        Parameters
        ----------
        runs : collection of str
            Ids of its runs.
        """
        for run_id, path in self._runs.items():
            if run_id not in runs:
                message = f"the run {run_id} is not in this revision"
                remedy = "It may be on another branch, or wait: runfolio commit"
                self._findings.append(Finding("reproduction.run", Severity.WARNING, path, "run_id", message, remedy))
