"""May the code in a model's folder run? A pickle can do anything when it is loaded.

Trust lies with who loads, never beside the model. It is given to bytes that were fetched by the digest which a record of the folio
names, to files that this very process saved, and to what the caller (``trust=True``) or the environment (``RUNFOLIO_TRUST=1``) names.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from runfolio.errors import StateError
from runfolio.flavors.hashed_files import digest_of, digest_when_written

VARIABLE = "RUNFOLIO_TRUST"
_saved: set[str] = set()
_told: dict[Path, bool | None] = {}


def remember(folder: Path) -> None:
    """Trust the files of a folder, by their digests, for as long as this process lives: it wrote them itself."""
    files = (path for path in folder.rglob("*") if path.is_file())
    _saved.update((digest_when_written(path) or f"sha256:{digest_of(path)}") for path in files)


def check_trust(folder: Path, *, runs: Sequence[str], verified: bool, trust: bool | None) -> None:
    """Do nothing if the folder's code may run.

    Parameters
    ----------
    folder : path
    runs : sequence of str
        The files that run code when they are loaded; none of them, and nothing is asked.
    verified : bool
        Whether its bytes are those whose digests a record of the folio names.
    trust : bool, optional
        What the caller says; False refuses all. By default ``RUNFOLIO_TRUST`` is asked.

    Raises
    ------
    StateError
        If it may not, saying how to allow it.
    """
    _told[folder.resolve()] = True if verified and trust is None else trust
    if not runs:
        return
    told = ", ".join(runs[:3]) + (" …" if len(runs) > 3 else "")
    if trust is False:
        raise StateError(f"{folder}: loading this model runs code ({told}), and trust=False forbids it.")
    if verified or _vouched(folder, trust):
        return
    raise StateError(
        f"{folder}: loading this model runs code ({told}), and no record of a folio vouches for its bytes. If you know "
        f"where it comes from, pass trust=True (or set {VARIABLE}=1); or log it, and load it as runs:/<run id>/<path> or "
        f"models:/<name>/<version>."
    )


def _vouched(folder: Path, trust: bool | None) -> bool:
    if trust is not None:
        return trust
    if os.environ.get(VARIABLE, "").lower() in ("1", "true", "yes"):
        return True
    return all(
        f"sha256:{digest_of(path)}" in _saved for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts
    )


def vouched(folder: Path) -> bool:
    """Return whether a folder is trusted, whatever it holds: by what :func:`check_trust` was told of it, and by its rules."""
    said = _told.get(folder.resolve())
    return _vouched(folder, None) if said is None else said


def check_import(module: str, folder: Path) -> None:
    """Do nothing if a module that a folder names may be imported: it is there already, or the folder is trusted.

    A folder holds no code of such a module; but importing one that nobody here asked for may do what the folder's maker wants.

    Raises
    ------
    StateError
        If it may not, saying how to allow it.
    """
    if module not in sys.modules and not vouched(folder):
        raise StateError(
            f"{folder}: the model is of a class of the module {module}, which nothing here has imported yet, and no record of a folio "
            f"vouches for the folder. Import {module} first, or pass trust=True."
        )
