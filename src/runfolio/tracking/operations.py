"""What MLflow returns for asynchronous logging; here the work is done when the call returns."""

from __future__ import annotations


class Done:
    """A logging operation that is over."""

    def wait(self) -> None:
        """Return at once."""
