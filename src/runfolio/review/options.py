"""How a report is written: what of it, how much, and what its first and last lines name."""

from __future__ import annotations

from dataclasses import field

from runfolio._dataclass import dataclass
from runfolio._version import __version__
from runfolio.records.settings import SECTIONS, ReviewSettings

MERMAID_LIMIT = 50_000


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report is written.

    Parameters
    ----------
    sections : tuple of str
        Of :data:`~runfolio.records.settings.SECTIONS`, in this order.
    rows, runs : int
        Rows of a table and new runs of an experiment, at most.
    limit : int
        Characters, at most.
    quiet : bool
        Whether nothing is written where nothing changed.
    marker : tuple of (str, str)
        Names and values of the comment's first line, by which it is found again: ``(("project", "demo"), ("head", "1f2e…"))``.
        Without any there is no such line.
    more : str
        The command that shows more; ``runfolio diff BASE..HEAD`` by default.
    version : str
        Of the program that writes.
    """

    sections: tuple[str, ...] = SECTIONS
    rows: int = 30
    runs: int = 20
    limit: int = 60_000
    quiet: bool = True
    marker: tuple[tuple[str, str], ...] = field(default=())
    more: str = ""
    version: str = __version__


def options_of(settings: ReviewSettings, marker: tuple[tuple[str, str], ...] = (), more: str = "") -> ReportOptions:
    """Return the options that a team's settings ask for."""
    return ReportOptions(settings.sections, settings.rows, settings.runs, settings.limit, settings.quiet, marker, more)
