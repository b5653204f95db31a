"""Artifacts by URI: ``runs:/<run id>/<path>``, ``models:/<name>/<version>/<path>``, or a run id and a path."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from runfolio.errors import DamagedError, NotFoundError, UsageError, missing_package
from runfolio.tracking import entities
from runfolio.tracking.artifacts import made_folder
from runfolio.tracking.client import RunfolioClient

MODELS = "models:/"


def download_artifacts(
    artifact_uri: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    dst_path: str | os.PathLike[str] | None = None,
    tracking_uri: str | None = None,
) -> str:
    """Fetch an artifact, verified against its digest, and return where it is on this machine.

    Parameters
    ----------
    artifact_uri : str, optional
        ``runs:/<run id>/<path>``; ``models:/<name>/<number, stage or latest>`` or ``models:/<name>@<alias>``, with a path of a
        file of the model after it if only that is wanted; or a local path or ``file:`` URL (returned as it is without `dst_path`).
    run_id, artifact_path : str, optional
        In place of the URI.
    dst_path : path, optional
        Folder to put it in, made if it is missing; a new temporary one by default. Below it stands `artifact_path`, of a run's URI the
        last part alone, as in MLflow.
    tracking_uri : str, optional
        Another folio than the one in force.
    """
    if (artifact_uri is None) == (run_id is None):
        raise UsageError("download_artifacts takes artifact_uri or run_id, one of the two.")
    if artifact_uri is not None:
        if artifact_path is not None:
            raise UsageError("artifact_path goes with run_id; with artifact_uri it is part of the URI.")
        artifact_uri = _text(artifact_uri)
        local = _local(artifact_uri)
        if local is not None:
            return str(local if dst_path is None else _copied(local, Path(dst_path).expanduser()))
        if artifact_uri.startswith(MODELS):
            from runfolio.tracking.model_files import download_model

            return download_model(artifact_uri, dst_path, tracking_uri)
        run_id, artifact_path = split_runs_uri(artifact_uri)
        return RunfolioClient(tracking_uri).download_last_part(run_id, artifact_path, dst_path)
    assert run_id is not None
    return RunfolioClient(tracking_uri).download_artifacts(run_id, artifact_path or "", dst_path)


def _copied(source: Path, folder: Path) -> Path:
    """Copy a local file or folder into a folder, and return where it is."""
    made_folder(folder)
    target = folder / source.resolve().name
    if target.resolve() == source.resolve():
        return target
    if source.is_dir():
        shutil.copytree(source, target, dirs_exist_ok=True)
    else:
        shutil.copy2(source, target)
    return target


def list_artifacts(
    artifact_uri: str | os.PathLike[str] | None = None,
    run_id: str | None = None,
    artifact_path: str | None = None,
    tracking_uri: str | None = None,
) -> list[entities.FileInfo]:
    """List files and folders directly below a folder of a run, or of a registered model's version."""
    if (artifact_uri is None) == (run_id is None):
        raise UsageError("list_artifacts takes artifact_uri or run_id, one of the two.")
    if artifact_uri is not None:
        artifact_uri = _text(artifact_uri)
        if artifact_uri.startswith(MODELS):
            from runfolio.tracking.model_files import list_model

            return list_model(artifact_uri, tracking_uri)
        run_id, artifact_path = split_runs_uri(artifact_uri)
    assert run_id is not None
    return RunfolioClient(tracking_uri).list_artifacts(run_id, artifact_path)


def load_text(artifact_uri: str | os.PathLike[str]) -> str:
    """Return a text artifact.

    Raises
    ------
    DamagedError
        If it is not UTF-8.
    """
    try:
        return _bytes(artifact_uri).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DamagedError(
            f"{artifact_uri} is not text in UTF-8 ({error.reason} at byte {error.start}). Use download_artifacts."
        ) from None


def load_dict(artifact_uri: str | os.PathLike[str]) -> Any:
    """Return a JSON (or, where the path ends so, YAML) artifact as a dictionary."""
    import json

    text = load_text(artifact_uri)
    if _text(artifact_uri).endswith((".yaml", ".yml")):
        import yaml

        try:
            return yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise DamagedError(f"{artifact_uri} is not YAML: {error}. Use load_text.") from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise DamagedError(f"{artifact_uri} is not JSON: {error}. Use load_text.") from None


def load_image(artifact_uri: str | os.PathLike[str]) -> Any:
    """Return an image artifact as a PIL image.

    Raises
    ------
    DamagedError
        If Pillow cannot read it.
    MissingPackageError
        If Pillow is not installed.
    """
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise missing_package("pillow", "", "load images") from error
    import io

    try:
        return Image.open(io.BytesIO(_bytes(artifact_uri)))
    except UnidentifiedImageError:
        raise DamagedError(f"{artifact_uri} is no image that Pillow can read. Use download_artifacts.") from None


def split_runs_uri(uri: str) -> tuple[str, str]:
    """Split ``runs:/<run id>/<path>``.

    Raises
    ------
    UsageError
        If it is of another form.
    """
    if uri.startswith("runs:/"):
        run_id, _, path = uri[len("runs:/") :].lstrip("/").partition("/")
        if run_id:
            return run_id, path
    raise UsageError(f"Not a URI of an artifact: {uri!r}. Write runs:/<run id>/<path> or models:/<name>/<version>.")


def _text(uri: object) -> str:
    """Return a URI, or a path of this machine, as text.

    Raises
    ------
    UsageError
        If it is neither.
    """
    if isinstance(uri, os.PathLike):
        uri = os.fspath(uri)
    if not isinstance(uri, str):
        raise UsageError(
            f"Not a URI of an artifact: {uri!r} is {type(uri).__name__}. Write runs:/<run id>/<path> or models:/<name>/<version>."
        )
    return uri


def _local(uri: str) -> Path | None:
    if uri.startswith(("runs:/", MODELS)):
        return None
    path = (local_path(uri) if uri.startswith("file:") else Path(uri)).expanduser()
    if uri and path.exists():
        return path
    if "://" in uri and not uri.startswith("file:"):
        return None
    raise NotFoundError(f"No such file: {uri!r}. An artifact of a run is written runs:/<run id>/<path>.")


def local_path(url: str) -> Path:
    """Return the path that a ``file:`` URL names; as it stands, where that is there, too.

    >>> local_path("file:///data/my%20model").as_posix()
    '/data/my model'
    """
    plain = Path(url.removeprefix("file:").removeprefix("//"))
    return plain if plain.exists() else Path(unquote(urlsplit(url).path))


def _bytes(uri: str | os.PathLike[str]) -> bytes:
    uri = _text(uri)
    local = _local(uri)
    if local is not None:
        return local.read_bytes()
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        return Path(download_artifacts(uri, dst_path=folder)).read_bytes()
