"""Models logged to runs and loaded from them: what is common to all flavors.

A model's files are artifacts of the run, one object each, so that equal weights are stored once whatever their ``MLmodel`` says.
Bytes fetched by ``runs:/`` and ``models:/`` are those whose digests a record names, verified on the way: they are trusted.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import NotFoundError, UsageError
from runfolio.flavors.catalogue import runs_code
from runfolio.flavors.hashed_files import digest_when_written, forget_written
from runfolio.flavors.model import Model, ModelInfo, model_info
from runfolio.flavors.telling import listed
from runfolio.flavors.trust import check_trust
from runfolio.flavors.versions import warn_of_newer_format
from runfolio.formats.mlmodel import FILE
from runfolio.records.names import MAX_TAG_LENGTH, check_artifact_path
from runfolio.tracking import fluent
from runfolio.tracking.client import RunfolioClient
from runfolio.tracking.fetching import MODELS, download_artifacts
from runfolio.tracking.loaded_folders import fetch_to_load

HISTORY_TAG = "mlflow.log-model.history"
RECORDED = ("runs:/", MODELS)


def log_folder(
    save: Callable[[Path, Model], Any], artifact_path: str | None, name: str | None, registered_model_name: str | None
) -> ModelInfo:
    """Save a model and log its files to the active run (a new one if there is none).

    Parameters
    ----------
    save : callable
        Writes the folder; given its path and the model that knows its run.
    artifact_path, name : str
        Folder of the run; MLflow 2's word and MLflow 3's for it.
    registered_model_name : str, optional
        Also make it the next version of that registered model.

    Raises
    ------
    UsageError
        If the folder is not named, or named twice.
    """
    if (artifact_path is None) == (name is None):
        raise UsageError("log_model takes artifact_path=… (or name=…, MLflow 3's word for it), one of the two.")
    place = check_artifact_path(artifact_path if name is None else name)
    run = fluent.active_run() or fluent.start_run()
    run_id = run.info.run_id
    model = Model(artifact_path=place, run_id=run_id)

    def make(folder: Path) -> None:
        forget_written()
        save(folder, model)

    RunfolioClient().log_made(run_id, make, place, digest_when_written)
    _tag(run_id, model)
    uri = f"runs:/{run_id}/{place}"
    if registered_model_name is None:
        return model_info(model, uri)
    from runfolio.tracking.registering import register_model

    return model_info(model, uri, int(register_model(uri, registered_model_name).version))


def _tag(run_id: str, model: Model) -> None:
    said = {name: getattr(model, name) for name in ("run_id", "artifact_path", "utc_time_created", "model_uuid", "flavors")}
    add_to_history(RunfolioClient(), run_id, said)


def add_to_history(client: RunfolioClient, run_id: str, said: Mapping[str, Any]) -> None:
    """Add a model to the tag of its run that lists them, as MLflow 2 does; the oldest fall out where the tag would be too long."""
    folio = client._session().folio
    tags = folio.spool.first_tags(run_id)
    try:
        logged = json.loads((folio.runs.get(run_id).tags if tags is None else tags).get(HISTORY_TAG, "[]"))
    except ValueError:  # cut short by who wrote it
        logged = []
    models = [*(logged if isinstance(logged, list) else []), dict(said)]
    client.set_tag(run_id, HISTORY_TAG, shortened_history(json.dumps(models)))


def shortened_history(text: str) -> str:
    """Return the list of a run's models as a tag can hold it: whole models, the newest ones."""
    if len(text) <= MAX_TAG_LENGTH:
        return text
    models = json.loads(text)
    while len(text := json.dumps(models)) > MAX_TAG_LENGTH and len(models) > 1:
        del models[0]
    return text


def load_with(
    load: Callable[[Path], Any], model_uri: str | os.PathLike[str], dst_path: str | os.PathLike[str] | None, trust: bool | None
) -> Any:
    """Fetch a model and load it, if its code may run.

    Parameters
    ----------
    load : callable
        Of the folder.
    model_uri : str or path
        ``runs:/<run id>/<path>``, ``models:/<name>/<version, stage or latest>``, ``models:/<name>@<alias>``, or a local folder.
    dst_path : path, optional
        Where to put the files; by default a temporary folder that goes with the process, one for all loads of the same bytes.
    trust : bool, optional
        See :func:`runfolio.flavors.trust.check_trust`.
    """
    if not isinstance(model_uri, (str, os.PathLike)):
        raise UsageError(f"model_uri takes a URI or a path, not {type(model_uri).__name__}.")
    uri = os.fspath(model_uri)
    if uri.startswith(RECORDED):
        target = Path(dst_path).expanduser() if dst_path is not None else None
        if target is not None and target.is_dir() and any(target.iterdir()):
            raise UsageError(f"dst_path {str(dst_path)!r} is not empty: files that lie there would be loaded with the model.")
    if uri.startswith(RECORDED) and dst_path is None:
        folder = fetch_to_load(uri, trust)
    else:
        folder = Path(download_artifacts(uri, dst_path=dst_path if uri.startswith(RECORDED) else None))
    if not (folder / FILE).is_file():
        raise _no_model(uri, folder)
    model = Model.load(folder)
    warn_of_newer_format(folder, model)
    check_trust(folder, runs=runs_code(folder, model), verified=uri.startswith(RECORDED), trust=trust)
    return load(folder)


def _no_model(uri: str, place: Path) -> NotFoundError:
    """Return the error of what is no model's folder; it names the models that lie below, or the folder of a file."""
    above, _, last = uri.rstrip("/").rpartition("/")
    if place.is_file():
        hint = (
            f"Name its folder: {above or '.'}"
            if last == FILE
            else "That is a file: name the folder that save_model or log_model wrote"
        )
        return NotFoundError(f"No model in {uri!r}. {hint}.")
    below = sorted(each.parent.relative_to(place).as_posix() for each in place.glob(f"*/{FILE}"))
    hint = f"Models below it: {listed(below)}" if below else "Name the folder that save_model or log_model wrote"
    return NotFoundError(f"No model in {uri!r}: there is no file {FILE}. {hint}.")


def get_model_info(model_uri: str | os.PathLike[str]) -> ModelInfo:
    """Return what is known of a model: signature, flavors, run, input example. Loads nothing of it, and runs no code.

    Parameters
    ----------
    model_uri : str or path
        As for ``load_model``.
    """
    uri = os.fspath(model_uri)
    if not uri.startswith(RECORDED):
        return model_info(Model.load(download_artifacts(uri)), uri)
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        return model_info(Model.load(download_artifacts(f"{uri.rstrip('/')}/{FILE}", dst_path=folder)), uri)
