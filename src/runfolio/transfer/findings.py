"""What an import did, and what it could not do."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from runfolio._dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of the other store that was not taken, or not as it was.

    Parameters
    ----------
    where : str
        Which run, file or version.
    what : str
        What about it, and why.
    """

    where: str
    what: str


@dataclass(slots=True)
class Imported:
    """What an import did, or would do.

    Parameters
    ----------
    counts : dict of str to int
        Of each kind (``runs``, ``points``, ``artifacts`` …), what was taken.
    there : dict of str to int
        What the folio had already.
    size : int
        Bytes of the artifacts that were taken, or would be.
    verified : int
        Runs that were read back and compared.
    findings : list of Finding
    """

    counts: dict[str, int] = field(default_factory=dict)
    there: dict[str, int] = field(default_factory=dict)
    size: int = 0
    verified: int = 0
    findings: list[Finding] = field(default_factory=list)
    _known: set[Finding] = field(default_factory=set, repr=False)

    def took(self, kind: str, number: int = 1) -> None:
        """Count something that was taken."""
        self.counts[kind] = self.counts.get(kind, 0) + number

    def had(self, kind: str, number: int = 1) -> None:
        """Count something that was there."""
        self.there[kind] = self.there.get(kind, 0) + number

    def find(self, where: str, what: str) -> None:
        """Note a finding, once."""
        made = Finding(where, what)
        if made not in self._known:
            self._known.add(made)
            self.findings.append(made)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "counts": dict(sorted(self.counts.items())),
            "there": dict(sorted(self.there.items())),
            "bytes": self.size,
            "verified": self.verified,
            "findings": [{"where": item.where, "what": item.what} for item in self.findings],
        }


@dataclass(slots=True)
class Exported(Imported):
    """What an export did, or would do; counts are of what was written.

    Parameters
    ----------
    notes : list of str
        What is otherwise there and no loss: an id that the other store gave.
    """

    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Note something that is otherwise there."""
        if text not in self.notes:
            self.notes.append(text)

    def document(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {**Imported.document(self), "notes": list(self.notes)}
