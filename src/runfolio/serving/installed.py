"""Which packages are here, and in which version."""

from __future__ import annotations

from importlib import metadata


def installed(package: str) -> str | None:
    """Return the version of a package that is installed; None if it is not."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
