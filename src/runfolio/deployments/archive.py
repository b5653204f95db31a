"""A model's files as one archive, the same bytes for the same files: what SageMaker and Azure ML are sent."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from runfolio.deployments.source import MANIFEST, Source

_EPOCH = 315_532_800  # 1980: what every tool can tell


def write_archive(source: Source, place: Path) -> None:
    """Write ``model.tar.gz``: the files at its top, with the manifest by which they are verified where they are unpacked."""
    with (
        place.open("wb") as file,
        gzip.GzipFile("", "wb", 6, file, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name in sorted(source.files):
            path = source.folder / name
            entry = _entry(name, path.stat().st_size)
            with path.open("rb") as data:
                archive.addfile(entry, data)
        manifest = source.manifest
        archive.addfile(_entry(MANIFEST, len(manifest)), io.BytesIO(manifest))


def _entry(name: str, size: int) -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.size, made.mtime, made.mode = size, _EPOCH, 0o644
    return made
