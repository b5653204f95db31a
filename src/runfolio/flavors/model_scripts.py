"""Models from code: a script that calls ``set_model`` in place of a pickle, and the configuration that it reads.

The script runs when the model is saved, and each time it is loaded. One that imports MLflow runs where MLflow is installed: what it sets
there is found; and what ours set while MLflow loads the folder, MLflow finds.
"""

from __future__ import annotations

import importlib.util
import sys
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, MissingPackageError, NotFoundError, UsageError
from runfolio.flavors.python_models import PythonModel

_MLFLOW, _MLFLOW_CONFIG = "mlflow.models.model", "mlflow.models.model_config"
_set: ContextVar[Any] = ContextVar("runfolio_model", default=None)
_config: ContextVar[Mapping[str, Any] | None] = ContextVar("runfolio_model_config", default=None)


def set_model(model: PythonModel | Callable[..., Any]) -> None:
    """Say, in a script that is saved as a model, which object is the model.

    Raises
    ------
    UsageError
        If it is neither a Python model nor a function.
    """
    if isinstance(model, type) or not (callable(model) or hasattr(model, "predict")):
        raise UsageError(f"set_model takes an instance of a PythonModel, or a function, not {model!r}.")
    _set.set(model)
    theirs = sys.modules.get(_MLFLOW)
    if theirs is not None:
        theirs.__mlflow_model__ = model  # type: ignore[attr-defined] # where MLflow looks for it


class ModelConfig:
    """The configuration of a model from code: what was saved with it, or, while it is written, your own.

    Parameters
    ----------
    development_config : dict or path of a YAML file, optional
        In force only where the script runs by itself.

    Raises
    ------
    NotFoundError
        If there is none.
    """

    def __init__(self, *, development_config: Mapping[str, Any] | str | Path | None = None) -> None:
        saved = _config.get()
        if saved is None:
            saved = getattr(sys.modules.get(_MLFLOW_CONFIG), "__mlflow_model_config__", None)
        if saved is None:
            saved = development_config  # type: ignore[assignment] # read below
        if not saved:
            raise NotFoundError("ModelConfig: the model was saved without model_config=…. Save it with one.")
        self.config = read_config(saved)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it."""
        return dict(self.config)

    def get(self, key: str) -> Any:
        """Return an entry.

        Raises
        ------
        KeyError
            If there is none.
        """
        if key not in self.config:
            raise KeyError(f"No {key!r} in the model's configuration; it has {', '.join(self.config)}.")
        return self.config[key]


def read_config(given: Mapping[str, Any] | str | Path | None) -> dict[str, Any]:
    """Return a model's configuration, from a YAML file where a path is given.

    Raises
    ------
    NotFoundError
        If there is no such file.
    DamagedError
        If it is not YAML.
    """
    if given is None:
        return {}
    if isinstance(given, Mapping):
        return dict(given)
    from runfolio.formats.yaml import load_yaml

    place = Path(given).expanduser()
    if not place.is_file():
        raise NotFoundError(f"model_config: no such file: {str(given)!r}.")
    return load_yaml(place.read_bytes(), str(place))


def run_script(place: Path, config: Mapping[str, Any] | None = None) -> Any:
    """Run a script whose code may run, and return the model that it set.

    Raises
    ------
    NotFoundError
        If it is not there.
    MissingPackageError
        If it imports what is not installed.
    UsageError
        If it sets no model.
    """
    if not place.is_file():
        raise NotFoundError(
            f"No such script: {str(place)!r}. A model from code is a Python file that calls runfolio.models.set_model."
        )
    name = f"runfolio_model_{uuid.uuid4().hex}"
    spec = importlib.util.spec_from_file_location(name, place)
    if spec is None or spec.loader is None:
        raise UsageError(f"{place}: not a Python file; a model from code is one that calls runfolio.models.set_model.")
    module = importlib.util.module_from_spec(spec)
    with _configured(config) as found:
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except ModuleNotFoundError as error:
            del sys.modules[name]
            raise MissingPackageError(
                f"{place}: the model's script imports {error.name!r}, which is not installed. Install what its requirements.txt names, or, "
                "if it is code of yours, name it in code_paths=… of save_model.",
                name=(error.name or "").partition(".")[0],
            ) from error
        except SyntaxError as error:
            del sys.modules[name]
            raise DamagedError(f"{place}: line {error.lineno}: not Python: {error.msg}.") from error
        model = found()
    if model is None:
        raise UsageError(f"{place}: the script sets no model. End it with runfolio.models.set_model(…).")
    return model


@contextmanager
def _configured(config: Mapping[str, Any] | None) -> Iterator[Callable[[], Any]]:
    """Let ``ModelConfig`` find the configuration, and ``set_model`` a place, ours and MLflow's."""
    before = getattr(sys.modules.get(_MLFLOW), "__mlflow_model__", None)
    tokens = _set.set(None), _config.set(dict(config or {}))

    def found() -> Any:
        theirs = getattr(sys.modules.get(_MLFLOW), "__mlflow_model__", None)
        return _set.get() if _set.get() is not None else theirs if theirs is not before else None

    try:
        yield found
    finally:
        _set.reset(tokens[0])
        _config.reset(tokens[1])
