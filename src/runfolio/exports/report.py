"""What an export wrote, and what it could not write as it was."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.transfer.findings import Finding

MOST_KEPT = 10_000
"""Findings that are told one by one; beyond these they are counted."""


@dataclass(slots=True)
class Report:
    """What an export did.

    Parameters
    ----------
    commit : str or None
        The commit whose records it holds; None where nothing is committed yet.
    counts : dict of str to int
        Of each kind (``runs``, ``metric_points`` …), how many were written.
    findings : list of Finding
        What could not be written, or not as it was; at most `MOST_KEPT`.
    more : int
        Findings beyond these.
    notes : list of str
        What is good to know, and no fault.
    places : dict of str to str
        What folders of this machine are called in findings, so that an export says nothing of where it was made.
    """

    commit: str | None = None
    counts: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    notes: list[str] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    _seen: set[Finding] = field(default_factory=set, repr=False)

    def wrote(self, kind: str, number: int = 1) -> None:
        """Count something that was written."""
        self.counts[kind] = self.counts.get(kind, 0) + number

    def find(self, where: str, what: str) -> None:
        """Note a finding, once."""
        for folder in sorted(self.places, key=len, reverse=True):
            what = what.replace(folder, self.places[folder])
        made = Finding(where, what)
        if made in self._seen:
            return
        if len(self.findings) >= MOST_KEPT:
            self.more += 1
            return
        self._seen.add(made)
        self.findings.append(made)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        made: dict[str, Any] = {
            "commit": self.commit,
            "counts": dict(sorted(self.counts.items())),
            "findings": [{"where": item.where, "what": item.what} for item in self.findings],
        }
        if self.more:
            made["more_findings"] = self.more
        if self.notes:
            made["notes"] = list(self.notes)
        return made
