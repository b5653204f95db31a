"""One thing that was looked at, to see whether a run could be made again."""

from __future__ import annotations

from runfolio._dataclass import dataclass

OK, FAULT, UNKNOWN = "ok", "fault", "unknown"


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that was looked at.

    Parameters
    ----------
    what : str
        ``code``, ``arguments``, ``data``, ``artifacts``, ``histories``, ``model``, ``environment``, ``packages``.
    state : str
        ``ok``, ``fault`` or ``unknown``.
    text : str
    remedy : str
    """

    what: str
    state: str
    text: str
    remedy: str = ""
