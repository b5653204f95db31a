"""From a URI to a version: its files, their manifest, and the facts that its record keeps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from runfolio._dataclass import replace
from runfolio.errors import DamagedError, NotFoundError, StorageError, UsageError
from runfolio.folio.folio import Folio
from runfolio.gitstore.commits import configured_ident
from runfolio.objects import encode_manifest, walk_files
from runfolio.records.models import ModelVersion, check_model_name
from runfolio.records.names import check_artifact_path, check_run_id
from runfolio.records.runs import ArtifactEntry
from runfolio.registry.uris import PREFIX, parse_model_uri, resolve
from runfolio.registry.versions import code_files, model_description

RUNS = "runs:/"
CodeFiles = Callable[[Folio, Mapping[str, ArtifactEntry]], tuple[str, ...] | None]
"""Tells which of a model's files run code; None if it does not know."""


def register(
    folio: Folio,
    source: str,
    name: str,
    *,
    tags: Mapping[str, str] | None = None,
    description: str = "",
    run_id: str | None = None,
    run_link: str = "",
    create: bool = True,
    code_of: CodeFiles | None = None,
) -> ModelVersion:
    """Register a model under a name; one commit.

    Parameters
    ----------
    folio : Folio
    source : str
        ``runs:/<run id>/<path>``, ``models:/<name>/<version>``, or a local folder, whose files are stored.
    name : str
        Of the registered model.
    tags, description
        Of the version.
    run_id : str, optional
        The run that made it, where `source` does not say so.
    run_link : str, optional
    create : bool, optional
        Make the registered model where it is missing.
    code_of : callable, optional
        Asked which files run code when the model is loaded, since the model's own flavors know it; what the files are called tells it
        otherwise.

    Returns
    -------
    ModelVersion
        Its files are stored, and their manifest verified, before the record that names them is committed.

    Raises
    ------
    NotFoundError
        If the source is not there, holds no file, or has files that are not in the object store.
    """
    check_model_name(name)
    made = version_of(folio, source, run_id, code_of)
    said: dict[str, Any] = {"tags": dict(tags or {}), "description": description, "run_link": run_link}
    if folio.settings.capture.user:
        said["user"] = configured_ident(folio.repo).name
    created = time.time_ns() // 1_000_000
    folio.upload()
    return folio.models.add_version(name, lambda number: replace(made, version=number, created=created, **said), create=create)


def version_of(folio: Folio, source: str, run_id: str | None, code_of: CodeFiles | None) -> ModelVersion:
    """Return what a source would be as a version: its files stored, its facts read, nothing committed; see :func:`register`."""
    if not isinstance(source, str):
        raise UsageError(f"A version is made from a URI or a folder, not from {type(source).__name__} ({source!r}).")
    if source.startswith(PREFIX):
        asked = parse_model_uri(source)
        if asked.path:
            raise UsageError(f"{source!r} names a file of a version; a whole version is registered: leave {asked.path!r} away.")
        model, found = resolve(folio, asked)
        return replace(found, source=f"models:/{model.name}/{found.version}", extra={})
    if source.startswith(RUNS):
        found_run, _, path = source[len(RUNS) :].lstrip("/").partition("/")
        return _from_run(folio, check_run_id(found_run), check_artifact_path(path.strip("/"), allow_empty=True), code_of)
    return replace(_from_folder(folio, source, code_of), run_id=run_id and check_run_id(run_id))


def _from_run(folio: Folio, run_id: str, path: str, code_of: CodeFiles | None) -> ModelVersion:
    run = folio.runs.get(run_id)
    listed = folio.runs.artifacts(run)
    start = f"{path}/" if path else ""
    files = {name[len(start) :]: entry for name, entry in listed.items() if name.startswith(start)}
    if not files and path in listed:
        files = {path.rsplit("/", 1)[-1]: listed[path]}
    if not files:
        models = sorted({name.rpartition("/")[0] for name in listed if name.rsplit("/", 1)[-1] == "MLmodel"})
        hint = f"Its models: {', '.join(models)}." if models else "It logged no model."
        raise NotFoundError(f"Run {run_id} has no artifact {path!r} to register. {hint}")
    uri = f"{RUNS}{run_id}/{path}".rstrip("/")
    _check_there(folio, uri, files)
    metrics = {key: summary.last for key, summary in run.metrics.items()}
    return _described(folio, files, code_of, source=uri, run_id=run_id, path=path, metrics=metrics)


def _check_there(folio: Folio, uri: str, files: Mapping[str, ArtifactEntry]) -> None:
    """Refuse to name what is not in the store; a store that cannot be reached says nothing of what another machine put there."""
    try:
        found = folio.store.inspect({entry.digest for entry in files.values()})
    except StorageError:
        return
    lacking = sorted(name for name, entry in files.items() if isinstance(found.get(entry.digest), NotFoundError | DamagedError))
    if lacking:
        raise NotFoundError(
            f"{uri} was not registered: {len(lacking)} of its {len(files)} files {'is' if len(lacking) == 1 else 'are'} not in the object "
            f"store here, or not whole, such as {lacking[0]}. Take them over from the clone that made the run (runfolio artifacts mirror "
            "--from PLACE), or let all clones use one store: artifacts in runfolio.yaml"
        )


def _from_folder(folio: Folio, source: str, code_of: CodeFiles | None) -> ModelVersion:
    place = Path(unquote(source.removeprefix("file://")) if source.startswith("file:") else source).expanduser()
    if "://" in source and not source.startswith("file:"):
        raise UsageError(
            f"{source!r} is not a source of a version. Give runs:/RUN/PATH, models:/NAME/VERSION or a local folder: no address out of "
            "a record is followed, so what lies elsewhere is fetched first."
        )
    if place.is_file():
        raise UsageError(f"{source!r} is a file, and a version is a folder of files: give the folder that it lies in.")
    if (place / ".git").exists():
        raise UsageError(
            f"{source!r} is a git work tree: its .git, with all of its history, would be registered as files of the model. Give the folder "
            "of the model alone, or copy its files to one."
        )
    if not place.is_dir():
        raise NotFoundError(f"No model at {source!r}. Give runs:/RUN/PATH, models:/NAME/VERSION or a local folder.")
    stored = ((name, path, folio.store.put_file(path)) for name, path in walk_files(place))
    files = {check_artifact_path(name): ArtifactEntry(digest, size) for name, path, (digest, size) in stored}
    if not files:
        raise NotFoundError(f"{source!r} holds no file to register.")
    # Where the folder lay on this machine tells nobody anything, and may name its owner: the digest says what it held.
    return _described(folio, files, code_of, source=f"file:{place.resolve().name}")


def _described(folio: Folio, files: Mapping[str, ArtifactEntry], code_of: CodeFiles | None, **known: Any) -> ModelVersion:
    digest, _ = folio.store.put_bytes(encode_manifest(files))
    said = model_description(folio, files)
    told = code_of(folio, files) if code_of is not None else None
    return ModelVersion(
        version=1,
        digest=digest,
        size=sum(entry.size for entry in files.values()),
        file_count=len(files),
        runs_code=code_files(files) if told is None else told,
        **said,
        **known,
    )
