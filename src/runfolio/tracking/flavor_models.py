"""``log_model`` and ``load_model`` of a flavor, made of what its leaf has: the skeleton that all frameworks share, once."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from runfolio.flavors.model import Model, ModelInfo
from runfolio.tracking.model_logging import load_with, log_folder

_NOT_LOGGED = ("path", "mlflow_model")


def logs(save_model: Callable[..., Model]) -> Callable[..., ModelInfo]:
    """Return the ``log_model`` that goes with a ``save_model``: the same arguments, but for where it is put.

    Parameters
    ----------
    save_model : callable
        Of the model, ``path``, ``mlflow_model`` and the framework's own options.

    Returns
    -------
    callable
        Of the model, ``artifact_path`` (``name`` is MLflow 3's word for it), ``registered_model_name``, and those options.
    """
    own = list(inspect.signature(save_model).parameters.values())
    first, options = own[0].name, [each for each in own[1:] if each.name not in _NOT_LOGGED]
    keyword = inspect.Parameter.KEYWORD_ONLY
    places = [inspect.Parameter("artifact_path", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)]
    more = [("registered_model_name", None), ("await_registration_for", 300), ("name", None)]
    ending = [inspect.Parameter(each, keyword, default=value) for each, value in more]
    positional = [each for each in options if each.kind is not keyword]
    keywords = [each for each in options if each.kind is keyword]
    signature = inspect.Signature([own[0], *places, *positional, *keywords, *ending])

    def log_model(*args: Any, **kwargs: Any) -> ModelInfo:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        given = dict(bound.arguments)
        model = given.pop(first)
        place, registered, name = given.pop("artifact_path"), given.pop("registered_model_name"), given.pop("name")
        del given["await_registration_for"]

        def save(folder: Path, described: Model) -> None:
            save_model(model, path=folder, mlflow_model=described, **given)

        return log_folder(save, place, name, registered)

    log_model.__signature__ = signature  # type: ignore[attr-defined] # PEP 362
    log_model.__module__ = save_model.__module__
    log_model.__doc__ = f"""Log a model to the active run (a new one if there is none).

    Parameters
    ----------
    {first} : model
    artifact_path : str
        Folder of the run; `name` is MLflow 3's word for it.
    registered_model_name : str, optional
        Also make it the next version of that registered model.
    await_registration_for : int, optional
        Taken for MLflow's sake: a version is ready at once.
    {", ".join(each.name for each in options)}
        As for ``save_model``.
    """
    return log_model


def loads(load_folder: Callable[..., Any]) -> Callable[..., Any]:
    """Return the ``load_model`` that goes with a ``load_folder``: by URI, and with the options that `load_folder` has."""

    def load_model(
        model_uri: str | os.PathLike[str],
        dst_path: str | os.PathLike[str] | None = None,
        *,
        trust: bool | None = None,
        **options: Any,
    ) -> Any:
        """Return the framework's own object of a logged, registered or saved model.

        Parameters
        ----------
        model_uri : str or path
            ``runs:/<run id>/<path>``, ``models:/<name>/<version, stage or latest>``, ``models:/<name>@<alias>``, or a local folder.
        dst_path : path, optional
            Empty folder to put its files in; a temporary one by default.
        trust : bool, optional
            True lets a folder's code run although no record vouches for it; False lets no code run.
        **options
            The framework's own.

        Raises
        ------
        StateError
            If its code may not run: a folder from elsewhere.
        """
        return load_with(lambda folder: load_folder(folder, **options), model_uri, dst_path, trust)

    return load_model
