"""What is said to and of a git host: tokens, patience, purposes, refusals."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from runfolio._dataclass import dataclass
from runfolio.errors import RemoteError, UsageError
from runfolio.hosts.exchange import TIMEOUT_S


@dataclass(frozen=True, slots=True)
class Token:
    """A token, and what it is called where it comes from.

    Parameters
    ----------
    variable : str
        The environment variable that holds it, or should.
    value : str
        Never printed: ``repr`` leaves it out. Empty where there is none.
    """

    variable: str
    value: str

    def __repr__(self) -> str:
        return f"Token({self.variable!r})"

    def __bool__(self) -> bool:
        return bool(self.value)

    def __post_init__(self) -> None:
        # http.client would show the whole header in its complaint.
        if self.value and not (self.value.isascii() and self.value.isprintable() and " " not in self.value):
            raise UsageError(f"{self.variable} holds letters that no token has (a line break, a space?). Set it anew.")


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long a host is asked again.

    Parameters
    ----------
    tries : int
        Of one request.
    first_s : float
        Seconds before the second try where the host names none; doubled each time.
    most_s : float
        Seconds that all waiting for one request may take; a host that asks for more is an error that says when.
    timeout_s : float
        For one answer.
    sleep : callable
    """

    tries: int = 5
    first_s: float = 1.0
    most_s: float = 120.0
    timeout_s: float = TIMEOUT_S
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a request is for, so that its failure can be told.

    Parameters
    ----------
    text : str
        To stand after "could not": ``comment on pull request 7``.
    needs : str
        The right that it takes, as the host names it.
    """

    text: str
    needs: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A host's answer: what its JSON says, and the headers, their names in lower case."""

    status: int
    data: Any
    headers: Mapping[str, str]


class RefusedError(RemoteError):
    """The host understood and said no.

    Attributes
    ----------
    status : int
    said : str
        The host's own words, visible and on one line.
    """

    def __init__(self, message: str, status: int, said: str) -> None:
        super().__init__(message)
        self.status = status
        self.said = said


class UnclearError(RemoteError):
    """Nobody knows whether the host carried it out."""
