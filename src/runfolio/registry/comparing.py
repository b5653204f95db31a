"""Versions compared, and versions found by their bytes."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, NotFoundError, UsageError
from runfolio.folio.folio import Folio
from runfolio.formats.datasets import content_of_input
from runfolio.formats.models import version_fields
from runfolio.formats.runs import check_digest
from runfolio.objects import encode_manifest, walk_files
from runfolio.objects.files import digest_of_file
from runfolio.records.models import ModelVersion, RegisteredModel
from runfolio.records.runs import ArtifactEntry, DatasetInput, Digest
from runfolio.registry.registering import RUNS
from runfolio.registry.versions import files_of

Found = tuple[RegisteredModel, ModelVersion, str]
_APART = frozenset(("schema", "created", "metrics", "digest"))


def compare_versions(folio: Folio, model: RegisteredModel, old: ModelVersion, new: ModelVersion) -> dict[str, Any]:
    """Tell what differs between two versions.

    Returns
    -------
    dict
        ``same_bytes`` (bool); ``metrics``, ``facts`` and ``files``: lists of ``name``, ``old``, ``new``, None where there is none. Of a
        file, old and new are its digest.
    """
    before, after = version_fields(old), version_fields(new)
    before["stage"], after["stage"] = model.stage_of(old.version), model.stage_of(new.version)
    facts = {key: (before.get(key), after.get(key)) for key in {**before, **after} if key not in _APART}
    files = [{path: str(entry.digest) for path, entry in _files(folio, item).items()} for item in (old, new)]
    return {
        "model": model.name,
        "old": old.version,
        "new": new.version,
        "same_bytes": old.digest is not None and old.digest == new.digest,
        "metrics": _rows(old.metrics, new.metrics),
        "facts": [{"name": key, "old": was, "new": now} for key, (was, now) in facts.items() if was != now],
        "files": _rows(files[0], files[1]),
    }


def _files(folio: Folio, version: ModelVersion) -> Mapping[str, ArtifactEntry]:
    return files_of(folio, version) if version.digest else {}


def _rows(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": key, "old": old.get(key), "new": new.get(key)} for key in sorted({**old, **new}) if old.get(key) != new.get(key)
    ]


def find_versions(folio: Folio, what: str) -> list[Found]:
    """Find the versions that hold some bytes, that a run made, or whose run read some data.

    Parameters
    ----------
    folio : Folio
    what : str
        A digest of a version or of one of its files (its beginning does, from 8 digits on), a local file or model folder, a
        run's id, the beginning of one, its name, or ``runs:/RUN/PATH``, for what was registered from there; a dataset's name, its
        digest as runs have it (or its beginning, from 8 digits on), or the file that was read.
    """
    place = Path(what).expanduser()
    if place.is_dir():
        files = {name: ArtifactEntry(*digest_of_file(path)) for name, path in walk_files(place)}
        if not files:
            raise UsageError(f"{what} holds no file.")
        return _by_digest(folio, _digest(encode_manifest(files)))
    if place.is_file():
        digest = digest_of_file(place)[0]
        return [*_by_digest(folio, digest), *_by_data(folio, digest)]
    digits = what.removeprefix("sha256:")
    if what.startswith("sha256:"):
        if len(digits) == 64:
            check_digest(what)
        return [*_by_digest(folio, what), *_by_data(folio, what)]
    asked, _, path = what.removeprefix(RUNS).lstrip("/").partition("/") if what.startswith(RUNS) else (what, "", "")
    try:
        run_id = folio.runs.resolve(asked)
    except NotFoundError as error:
        if any(model.name == what for model in folio.models.all()):
            raise UsageError(
                f"{what!r} is a registered model. List its versions: runfolio models versions {shlex.quote(what)}"
            ) from error
        if by_data := _by_data(folio, what):
            return by_data
        raise
    return [
        (model, version, f"run {run_id}")
        for model in folio.models.all()
        for version in folio.models.versions(model)
        if version.run_id == run_id and (not path or version.path == path.strip("/"))
    ]


def _by_data(folio: Folio, what: str) -> list[Found]:
    """Find the versions whose run read a dataset of that name or digest, whatever became of the run."""
    digits = what.removeprefix("sha256:")
    found: list[Found] = []
    for model in folio.models.all():
        for version in folio.models.versions(model):
            try:
                read = folio.runs.get(version.run_id).inputs if version.run_id else ()
            except (NotFoundError, DamagedError):
                continue
            names = [item.name for item in read if what == item.name or _is_digest(item, digits)]
            found += [(model, version, f"run {version.run_id}, which read {name}") for name in names[:1]]
    return found


def _is_digest(item: DatasetInput, digits: str) -> bool:
    """Say whether a dataset has a digest that begins so; of a file it is the content's first 32 digits."""
    content = (content_of_input(item) or "").partition(":")[2]
    return len(digits) >= 8 and (item.digest.startswith(digits) or content.startswith(digits) or digits[:32] == item.digest)


def _digest(data: bytes) -> Digest:
    import hashlib

    return Digest(f"sha256:{hashlib.sha256(data).hexdigest()}")


def _by_digest(folio: Folio, digest: str) -> list[Found]:
    if len(digest) < len("sha256:") + 8:
        raise UsageError(f"{digest!r}: give 8 digits of the digest at least.")
    found: list[Found] = []
    for model in folio.models.all():
        for version in folio.models.versions(model):
            if version.digest and version.digest.startswith(digest):
                found.append((model, version, "the whole version"))
                continue
            try:
                inner = [path for path, entry in _files(folio, version).items() if entry.digest.startswith(digest)]
            except (NotFoundError, DamagedError):
                continue
            found += [(model, version, f"its file {path}") for path in inner[:1]]
    return found
