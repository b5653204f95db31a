"""``runfolio.pyfunc``: models called by ``predict``, saved, logged and loaded. The folder is :mod:`runfolio.flavors.python_saving`'s.

Files of a model (``artifacts``) may lie in a run or a registered model: they are fetched first.
"""

from __future__ import annotations

import inspect
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from runfolio.errors import UsageError
from runfolio.flavors import python_saving
from runfolio.flavors.model import Model, ModelInfo
from runfolio.flavors.python_function import PyFuncModel, load_folder
from runfolio.tracking.fetching import download_artifacts
from runfolio.tracking.model_logging import RECORDED, load_with, log_folder


def save_model(path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> Model:  # noqa: D103 # the docstring is set below
    bound = _SAVE.bind(path, *args, **kwargs)
    with _fetched(bound.arguments.get("artifacts")) as files:
        return python_saving.save_model(**{**bound.arguments, **({"artifacts": files} if files else {})})


_SAVE = inspect.signature(python_saving.save_model)
save_model.__signature__ = _SAVE  # type: ignore[attr-defined] # PEP 362
save_model.__doc__ = (python_saving.save_model.__doc__ or "").replace(
    "Local files and folders that", "Files and folders (local, or ``runs:/…``, ``models:/…``) that"
)


def log_model(artifact_path: str | None = None, *args: Any, **kwargs: Any) -> ModelInfo:
    """Log a model of plain Python to the active run (a new one if there is none).

    Parameters
    ----------
    artifact_path : str
        Folder of the run; `name` is MLflow 3's word for it.
    registered_model_name : str, optional
        Also make it the next version of that registered model.
    await_registration_for : int, optional
        Taken for MLflow's sake: a version is ready at once.
    loader_module, data_path, code_path, code_paths, infer_code_paths, conda_env, python_model, artifacts, signature, input_example, \
pip_requirements, extra_pip_requirements, metadata, model_config, streamable
        As for :func:`save_model`.
    """
    given = dict(_LOG.bind(artifact_path, *args, **kwargs).arguments)
    place, name, registered = given.pop("artifact_path", None), given.pop("name", None), given.pop("registered_model_name", None)
    given.pop("await_registration_for", None)

    def save(folder: Path, model: Model) -> None:
        save_model(folder, mlflow_model=model, **given)

    return log_folder(save, place, name, registered)


def _log_signature() -> inspect.Signature:
    kept = [each for each in _SAVE.parameters.values() if each.name not in ("path", "mlflow_model")]
    place = inspect.Parameter("artifact_path", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    more = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=value)
        for name, value in (("registered_model_name", None), ("await_registration_for", 300), ("name", None))
    ]
    return inspect.Signature([place, *kept, *more])


_LOG = _log_signature()
log_model.__signature__ = _LOG  # type: ignore[attr-defined] # PEP 362


@contextmanager
def _fetched(artifacts: Mapping[str, Any] | None) -> Iterator[dict[str, Any]]:
    """Fetch those that lie in a run or a registered model."""
    if artifacts is not None and not isinstance(artifacts, Mapping):
        raise UsageError(f"artifacts takes a dictionary of names to paths, not {type(artifacts).__name__}.")
    with tempfile.TemporaryDirectory(prefix="runfolio-") as folder:
        made: dict[str, Any] = {}
        for name, given in (artifacts or {}).items():
            uri = os.fspath(given)
            if uri.startswith(RECORDED):
                target = Path(folder) / str(len(made))
                target.mkdir()
                made[name] = download_artifacts(uri, dst_path=str(target))
            else:
                made[name] = given
        yield made


def load_model(
    model_uri: str | os.PathLike[str],
    suppress_warnings: bool = False,
    dst_path: str | os.PathLike[str] | None = None,
    model_config: Mapping[str, Any] | str | os.PathLike[str] | None = None,
    *,
    trust: bool | None = None,
) -> PyFuncModel:
    """Return a logged, registered or saved model, to be called by ``predict``.

    Parameters
    ----------
    model_uri : str or path
        ``runs:/<run id>/<path>``, ``models:/<name>/<version, stage or latest>``, ``models:/<name>@<alias>``, or a local folder.
    suppress_warnings : bool
        Say nothing of versions that differ from those it was saved with.
    dst_path : path, optional
        Empty folder to put its files in; a temporary one by default.
    model_config : dict or path of a YAML file, optional
        Entries that go before those saved.
    trust : bool, optional
        True lets a folder's code run although no record vouches for it; False lets no code run.

    Raises
    ------
    StateError
        If its code may not run: a folder from elsewhere.
    """
    import warnings

    from runfolio.errors import OtherVersionWarning
    from runfolio.flavors.model_scripts import read_config

    if not isinstance(suppress_warnings, bool):
        raise UsageError(
            f"suppress_warnings: True or False is expected, found {suppress_warnings!r}. A folder goes by name: dst_path=…."
        )
    config = read_config(model_config if model_config is None or isinstance(model_config, Mapping) else Path(model_config))
    with warnings.catch_warnings():
        if suppress_warnings:
            warnings.simplefilter("ignore", OtherVersionWarning)
        loaded: PyFuncModel = load_with(lambda folder: load_folder(folder, config), model_uri, dst_path, trust)
    return loaded


def get_model_dependencies(model_uri: str | os.PathLike[str], format: str = "pip") -> str:
    """Return the path of a model's ``requirements.txt`` or ``conda.yaml``; loads nothing else of it.

    Parameters
    ----------
    model_uri : str or path
        As for :func:`load_model`.
    format : {"pip", "conda"}

    Raises
    ------
    UsageError
        If there is no such format.
    """
    names = {"pip": "requirements.txt", "conda": "conda.yaml"}
    if format not in names:
        raise UsageError(f"format: {format!r} is none. There are: {', '.join(names)}.")
    uri = os.fspath(model_uri)
    if uri.startswith(RECORDED):
        return str(download_artifacts(f"{uri.rstrip('/')}/{names[format]}"))
    return str(Path(download_artifacts(uri)) / names[format])
