"""What a tracking URI names: a folio by its path, or a spool folder."""

from __future__ import annotations

import os

from runfolio.errors import NotAFolioError, UsageError


def location_of(uri: str) -> tuple[str, str]:
    """Split a tracking URI into kind (``folio`` or ``spool``) and path.

    Raises
    ------
    UsageError
        If it names a server or a database.
    """
    if uri.startswith("spool:"):
        return "spool", uri[len("spool:") :].removeprefix("//") or "."
    if uri.startswith(("http:", "https:", "databricks")) and (":" in uri or uri in ("databricks", "databricks-uc")):
        raise UsageError(
            f"{uri!r} is a tracking server, and runfolio has none: runs go into a git repository. Give a folder, "
            "set_tracking_uri('path/to/repository'), or leave the call out to use the folio of the current folder."
        )
    if ":" not in uri:
        return "folio", uri  # a plain path, mostly: urllib takes 4 ms to import
    from urllib.parse import unquote, urlsplit

    parts = urlsplit(uri)
    if parts.scheme == "file":
        return "folio", unquote(parts.path)
    if parts.scheme == "runfolio":
        return "folio", unquote(parts.path)
    if parts.scheme and len(parts.scheme) > 1 and "://" in uri:
        raise UsageError(
            f"{uri!r}: runfolio keeps runs in a git repository, not in {parts.scheme}. Give the repository's folder, or leave the call "
            "out to use the folio of the current folder; spool:FOLDER on a machine without it. To take in what is there: runfolio "
            f"import mlflow {uri}"
        )
    return "folio", uri


def current_folder() -> str:
    """Return the current folder.

    Raises
    ------
    NotAFolioError
        If it was removed.
    """
    try:
        return os.getcwd()
    except FileNotFoundError:
        raise NotAFolioError("The current folder is not there any more. Change to one that is: cd FOLDER") from None
