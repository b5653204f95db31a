"""What is sent back: an answer, and a refusal in the protocol's form ``{"error_code": …, "message": …}``."""

from __future__ import annotations

import json

from runfolio._dataclass import dataclass
from runfolio.errors import RunfolioError

JSON, TEXT = "application/json", "text/plain; charset=utf-8"
STATUS_OF = {
    "BAD_REQUEST": 400,
    "INVALID_PARAMETER_VALUE": 400,
    "UNAUTHENTICATED": 401,
    "PERMISSION_DENIED": 403,
    "ENDPOINT_NOT_FOUND": 404,
    "INTERNAL_ERROR": 500,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""HTTP's status for an error code, as MLflow has it. What else is sent has a status of its own: 405, 408, 413, 415, 431."""
MOST_TOLD = 4_000
"""Letters of a message: what a model says of the data that it refuses may be as long as the data."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response before it is written.

    Parameters
    ----------
    status : int
    body : bytes
    media : str
    headers : tuple of (str, str)
    close : bool
        End the connection after it.
    """

    status: int
    body: bytes
    media: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False


class RefusedError(RunfolioError):
    """A request that cannot be served, with what the client is told.

    Parameters
    ----------
    message : str
    error_code : str
        MLflow's.
    status : int, optional
        By the error code where it is left out.
    plain : bool
        Told as text, as MLflow does with content types.
    """

    def __init__(self, message: str, error_code: str = "BAD_REQUEST", status: int = 0, *, plain: bool = False) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.status = status or STATUS_OF.get(error_code, 500)
        self.plain = plain

    def answer(self) -> Answer:
        """Return what is sent."""
        if self.plain:
            return Answer(self.status, self.message.encode("utf-8", "replace"), TEXT)
        return error_answer(self.status, self.error_code, self.message)


def error_answer(
    status: int, error_code: str, message: str, headers: tuple[tuple[str, str], ...] = (), *, close: bool = False
) -> Answer:
    """Return an error in the protocol's form."""
    told = message if len(message) <= MOST_TOLD else f"{message[:MOST_TOLD]} …"
    body = json.dumps({"error_code": error_code, "message": told}).encode()
    return Answer(status, body, JSON, headers, close)


def in_one_line(error: BaseException) -> str:
    """Return an error's kind and the first line of what it says."""
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0][:200] if lines else ''}"
