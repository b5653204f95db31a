"""A run read back from the store that it was written to, and compared with what was written."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import RunfolioError
from runfolio.transfer.journals import PointsDigest
from runfolio.transfer.source import Point
from runfolio.transfer.target import Reader, Written


def differing(written: Written, reader: Reader, there: str) -> list[str]:
    """Return in words what a store says otherwise of a run than was written.

    Parameters
    ----------
    written : Written
    reader : Reader
    there : str
        The run's id there.
    """
    run, found = written.run, reader.run(there)
    pairs: list[tuple[str, Any, Any]] = [
        (name, getattr(run, name), getattr(found, name))
        for name in ("name", "status", "user", "start", "end", "deleted", "params", "tags")
    ]
    pairs += [(name, sorted(getattr(run, name)), sorted(getattr(found, name))) for name in ("read", "made")]
    pairs.append(("datasets", sorted(map(_told, run.inputs)), sorted(map(_told, found.inputs))))
    pairs.append(("metrics", sorted(written.points), sorted(found.metrics)))
    said = [f"{name} differ" for name, one, other in pairs if one != other]
    for key, points in written.points.items():
        if key in found.metrics and digest_of(points) != digest_of(reader.history(there, key)):
            said.append(f"metric {key}: other points there")
    said += differing_files(written.files, lambda path, folder: reader.fetch(there, path, folder))
    for model_id, files in written.logged.items():
        fetch = lambda path, folder, of=model_id: reader.fetch_logged(of, path, folder)  # noqa: E731
        said += [f"logged model {model_id}: {text}" for text in differing_files(files, fetch)]
    return said


def differing_files(files: Mapping[str, str], fetch: Callable[[str, Path], Path]) -> list[str]:
    """Return in words which files are missing, or have other bytes than their digest says."""
    said = []
    for path, digest in files.items():
        with tempfile.TemporaryDirectory(prefix="runfolio-export-") as temporary:
            try:
                same = file_digest(fetch(path, Path(temporary))) == digest
            except RunfolioError as error:
                said.append(error.message)
                continue
        if not same:
            said.append(f"artifact {path}: other bytes there")
    return said


def file_digest(place: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    made = hashlib.sha256()
    with open(place, "rb") as file:
        while block := file.read(1 << 20):
            made.update(block)
    return made.hexdigest()


def digest_of(points: Iterable[Point]) -> tuple[int, str]:
    """Return the number and the digest of points, whatever their order."""
    digest = PointsDigest()
    for point in points:
        digest.add(point)
    return digest.number, digest.text()


def _told(item: Any) -> tuple[Any, ...]:
    data = item.dataset
    tags = tuple(sorted((tag.key, tag.value) for tag in item.tags))
    return data.name, data.digest, data.source_type or "", data.source or "", data.schema or "", data.profile or "", tags
