"""Which lines of requirements cannot be had, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError

_SHOWN = 30


@dataclass(frozen=True, slots=True)
class Missing:
    """A requirement that cannot be had.

    Parameters
    ----------
    line : str
        As it was asked for.
    reason : str
    """

    line: str
    reason: str

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class EnvironmentFailedError(RunfolioError):
    """An environment could not be made.

    Parameters
    ----------
    message : str
    missing : sequence of Missing, optional
        The requirements that cannot be had; none where the installer failed for another reason.
    """

    exit_code = 21
    error_code = "INTERNAL_ERROR"

    def __init__(self, message: str, missing: Sequence[Missing] = ()) -> None:
        super().__init__(message)
        self.missing = tuple(missing)


def lines_not_had(lines: Sequence[str], attempt: Callable[[Sequence[str]], str]) -> list[Missing]:
    """Find every line that cannot be had, by halves: k of n lines cost about k log n attempts.

    Parameters
    ----------
    lines : sequence of str
    attempt : callable
        Given lines, returns why they cannot be had together; empty where each can be had.

    Examples
    --------
    >>> [item.line for item in lines_not_had(["a", "b", "c"], lambda some: "gone" if "b" in some else "")]
    ['b']
    """
    if not lines:
        return []
    reason = attempt(lines)
    if not reason:
        return []
    if len(lines) == 1:
        return [Missing(lines[0], reason)]
    middle = len(lines) // 2
    return [*lines_not_had(lines[:middle], attempt), *lines_not_had(lines[middle:], attempt)]


def told(missing: Sequence[Missing]) -> str:
    """Return the lines that say what cannot be had."""
    shown = [f"  {item}" for item in missing[:_SHOWN]]
    more = len(missing) - len(shown)
    return "\n".join([*shown, f"  … and {more} more"] if more else shown)
