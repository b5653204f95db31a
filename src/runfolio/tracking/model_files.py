"""Files of registered models by ``models:/`` URI: fetched through the version's own manifest, each verified."""

from __future__ import annotations

import os

from runfolio.errors import NotFoundError
from runfolio.records.runs import ArtifactEntry
from runfolio.tracking import entities
from runfolio.tracking.artifacts import CopyFiles, copy_out, directly_below, matching
from runfolio.tracking.client import RunfolioClient


def download_model(
    uri: str,
    dst_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | None = None,
    copy: CopyFiles = copy_out,
) -> str:
    """Fetch a version's files, or one of them, and return where they are on this machine; see ``artifacts.download_artifacts``."""
    client = RunfolioClient(tracking_uri)
    files, wanted = _files(client, uri)
    found = matching(files, wanted)
    if not found:
        raise NotFoundError(f"{uri}: the version has no file {wanted!r}. It has: {', '.join(sorted(files)[:8])}.")
    target = copy(client._registry().store, found, dst_path)
    return str(target / wanted) if wanted else str(target)


def list_model(uri: str, tracking_uri: str | None = None) -> list[entities.FileInfo]:
    """List files and folders of a version; see ``artifacts.list_artifacts``."""
    return directly_below(*_files(RunfolioClient(tracking_uri), uri))


def _files(client: RunfolioClient, uri: str) -> tuple[dict[str, ArtifactEntry], str]:
    from runfolio.registry import files_of, parse_model_uri, resolve

    asked, folio = parse_model_uri(uri), client._registry()
    _, version = resolve(folio, asked)
    return files_of(folio, version), asked.path
