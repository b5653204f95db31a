"""Which files of a model run code when it is loaded, asked of its flavors before a version is registered.

The flavors look at a folder, and the files may lie in a bucket: a folder is made of links where the store is at hand, of the small files
where it is not, and of names for the rest. What a flavor cannot read there, it tells.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runfolio.folio.folio import Folio
    from runfolio.records.runs import ArtifactEntry

_SMALL = 4 * 1024 * 1024


def code_files(folio: Folio, files: Mapping[str, ArtifactEntry]) -> tuple[str, ...] | None:
    """Return the files that run code, in order; None where there is no ``MLmodel`` that says."""
    from runfolio.errors import RunfolioError
    from runfolio.flavors.catalogue import runs_code
    from runfolio.flavors.model import Model
    from runfolio.formats.mlmodel import FILE

    if FILE not in files:
        return None
    with tempfile.TemporaryDirectory(prefix="runfolio-") as made:
        folder = Path(made)
        for name, entry in files.items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if entry.size <= _SMALL:
                place.write_bytes(folio.store.read(entry.digest, _SMALL))
            elif (local := _here(folio, entry)) is not None:
                place.symlink_to(local)
            else:
                place.touch()
        try:
            return tuple(runs_code(folder, Model.load(folder)))
        except RunfolioError:
            return None  # it cannot be read, so that it cannot be loaded either; what its files are called is told


def _here(folio: Folio, entry: ArtifactEntry) -> Path | None:
    path = getattr(folio.store, "path", None)
    place = None if path is None else path(entry.digest)
    return place if place is not None and place.is_file() else None
