"""The states of a run and the views of a search, as users spell them.

Here a status is its own text; MLflow's ``RunStatus`` is a number, which is understood wherever a status is given.

>>> RunStatus.to_string(3), RunStatus.is_terminated("FINISHED")
('FINISHED', True)
"""

from __future__ import annotations

from collections.abc import Hashable

from runfolio import records
from runfolio._typing import ClassVar
from runfolio.errors import UsageError

_STATUSES = frozenset(status.value for status in records.RunStatus)


class RunStatus:
    """The five states of a run, as text. MLflow's numbers (1 to 5) are understood where a status is given."""

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    @staticmethod
    def all_status() -> list[str]:
        """Return every status, in the order of MLflow's numbers."""
        return [status.value for status in records.RunStatus]

    @staticmethod
    def to_string(status: str | int) -> str:
        """Return the text of a status.

        Raises
        ------
        UsageError
            If it is none of the five, nor one of MLflow's numbers for them.
        """
        if type(status) is str and status in _STATUSES:
            return status
        known = RunStatus.all_status()
        if isinstance(status, int) and not isinstance(status, bool) and 1 <= status <= len(known):
            return known[status - 1]
        if isinstance(status, str) and status in known:
            return known[known.index(status)]
        raise UsageError(f"Unknown run status {status!r}: it is one of {', '.join(known)}.")

    @staticmethod
    def from_string(status_str: str) -> str:
        """Return the status that is spelled `status_str`; here a status is its own text."""
        return RunStatus.to_string(status_str)

    @staticmethod
    def is_terminated(status: str | int) -> bool:
        """Say whether a run in this status is over."""
        return RunStatus.to_string(status) in ("FINISHED", "FAILED", "KILLED")


class ViewType(records.ViewType):
    """Which lifecycles a search looks at."""

    _TEXT: ClassVar[dict[int, str]] = {
        records.ViewType.ACTIVE_ONLY: "active_only",
        records.ViewType.DELETED_ONLY: "deleted_only",
        records.ViewType.ALL: "all",
    }

    @classmethod
    def to_string(cls, view_type: int) -> str:
        """Return the text of a view type.

        Raises
        ------
        UsageError
            If it is none of 1, 2, 3.
        """
        if not isinstance(view_type, Hashable) or view_type not in cls._TEXT:
            raise UsageError(
                f"Unknown view type {view_type!r}: it is one of ViewType.ACTIVE_ONLY (1), DELETED_ONLY (2), ALL (3)."
            )
        return cls._TEXT[view_type]

    @classmethod
    def from_string(cls, view_str: str) -> int:
        """Return the view type that is spelled `view_str`.

        Raises
        ------
        UsageError
            If it is none of ``active_only``, ``deleted_only``, ``all``.
        """
        for number, text in cls._TEXT.items():
            if text == view_str:
                return number
        raise UsageError(f"Unknown view type {view_str!r}: it is one of {', '.join(cls._TEXT.values())}.")
