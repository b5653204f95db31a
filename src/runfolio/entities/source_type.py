"""What started a run: the numbers of MLflow's ``mlflow.entities.SourceType``; the tag ``mlflow.source.type`` has the names."""

from __future__ import annotations

from enum import IntEnum

from runfolio.errors import UsageError


class SourceType(IntEnum):
    """What started a run."""

    NOTEBOOK = 1
    JOB = 2
    PROJECT = 3
    LOCAL = 4
    UNKNOWN = 5
    RECIPE = 6

    @staticmethod
    def from_string(name: str) -> SourceType:
        """Return the type of that name."""
        if name not in SourceType.__members__:
            raise UsageError(f"{name!r} is no source type. There are: {', '.join(SourceType.__members__)}.")
        return SourceType[name]

    @staticmethod
    def to_string(number: int) -> str:
        """Return the name of a type."""
        try:
            return SourceType(number).name
        except ValueError:
            raise UsageError(f"{number!r} is no source type. There are: {', '.join(map(str, map(int, SourceType)))}.") from None
