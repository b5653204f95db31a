"""What MLflow returns for asynchronous logging; here the work is done when the call returns."""

from __future__ import annotations


class Done:
    """A logging operation that is over."""

    def wait(self) -> None:
        """Return at once."""


def flush_async_logging() -> None:
    """Return at once: what was logged, also with ``synchronous=False``, is kept when the call returns."""


def flush_artifact_async_logging() -> None:
    """Return at once: an artifact is stored when the call that logs it returns."""
