"""Findings: what a check says about a file, a field or the machine it runs on.

A finding is a value: the rooms that check make them, the command line and the site show them. Rules are short names with a
dot (``run.times``), so that they can be searched for and counted.

>>> finding = Finding("run.times", Severity.WARNING, "runs/wine/2026-11/24/ab.json", "end", "the run ended before it started",
...                   "Look at the machine's clock")
>>> print(finding.line())
warning: end: the run ended before it started. Look at the machine's clock. [run.times]
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum

from runfolio._dataclass import dataclass


class Severity(str, Enum):
    """How bad a finding is: an error is lost or wrong data, a warning may become one, a note is good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a check says.

    Parameters
    ----------
    rule : str
        Short name of what was checked.
    severity : Severity
    file : str
        Path from the repository's root, or of a file of this machine; empty where it is about no file.
    field : str
        Path of the field in the file; empty where it is about the whole file.
    message : str
        What is wrong, without a full stop at its end.
    remedy : str
        What to do about it, without a full stop at its end.
    """

    rule: str
    severity: Severity
    file: str
    field: str
    message: str
    remedy: str = ""

    def line(self) -> str:
        """Return the finding as a line to stand below its file's name."""
        parts = [f"{self.severity}: {self.field}: {self.message}." if self.field else f"{self.severity}: {self.message}."]
        if self.remedy:
            parts.append(f"{self.remedy}.")
        return " ".join([*parts, f"[{self.rule}]"])

    def as_fields(self) -> dict[str, str]:
        """Return the finding as JSON values."""
        return {
            "rule": self.rule,
            "severity": self.severity.value,
            "file": self.file,
            "field": self.field,
            "message": self.message,
            "remedy": self.remedy,
        }


def count_by_severity(findings: Iterable[Finding]) -> dict[Severity, int]:
    """Count findings, all three severities named."""
    counts = dict.fromkeys(Severity, 0)
    for finding in findings:
        counts[finding.severity] += 1
    return counts
