"""TensorFlow's modules and Keras models on TensorFlow, in the layout of ``mlflow.tensorflow``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.catalogue import Predict
from runfolio.flavors.folders import (
    Beside,
    Options,
    add_code,
    code_of,
    config_of,
    inside,
    python_function,
    save_folder,
    with_options,
)
from runfolio.flavors.keras_files import called, holds_functions, quiet, read_model
from runfolio.flavors.model import Model
from runfolio.flavors.pickles import dump_cloudpickle, load_pickle
from runfolio.flavors.requirements import pinned

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "tensorflow"
LOADER = "mlflow.tensorflow"
_DATA = "data"
_NAME = "model"
_GRAPH = "tf2model"
_OBJECTS = "custom_objects.cloudpickle"
_GLOBAL_OBJECTS = "global_custom_objects.cloudpickle"


@with_options
def save_model(
    model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    custom_objects: Mapping[str, Any] | None = None,
    saved_model_kwargs: Mapping[str, Any] | None = None,
    keras_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Model:
    """Write a Keras model (a ``.keras`` file) or a ``tf.Module`` (a SavedModel) into a folder; MLflow loads it too.

    Parameters
    ----------
    model : keras.Model or tf.Module
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    custom_objects : dict, optional
        Classes and functions of a Keras model, saved with it: as a pickle, which runs code. Those of a module that can be imported and
        that are registered with Keras need no saving.
    saved_model_kwargs : dict, optional
        For ``tf.saved_model.save``.
    keras_model_kwargs : dict, optional
        For ``keras.Model.save``; ``{"save_format": "h5"}`` writes the older format.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is neither.
    """
    tensorflow = _tensorflow()
    keras = isinstance(model, tensorflow.keras.Model)
    if not keras and not isinstance(model, tensorflow.Module):
        raise UsageError(f"model takes a keras.Model or a tf.Module, not {type(model).__name__}.")

    def write(folder: Path, described: Model) -> list[str]:
        if keras:
            said = _write_keras(model, folder, custom_objects, dict(keras_model_kwargs or {}))
            python_function(described, folder, LOADER, data=_DATA)
        else:
            tensorflow.saved_model.save(model, str(folder / _GRAPH), **(saved_model_kwargs or {}))
            said = {"saved_model_dir": _GRAPH, "model_type": "tf2-module"}
            python_function(described, folder, LOADER)
        described.add_flavor(FLAVOR, code=code_of(folder), **said)
        return pinned(["tensorflow", "keras", "numpy", *(["cloudpickle"] if custom_objects else [])])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(model, {}))


def _write_keras(model: Any, folder: Path, custom_objects: Mapping[str, Any] | None, options: dict[str, Any]) -> dict[str, Any]:
    data = folder / _DATA
    data.mkdir()
    (data / "keras_module.txt").write_text("tensorflow.keras")
    form = str(options.pop("save_format", "tf"))  # MLflow's word for a .keras file
    (data / "save_format.txt").write_text(form)
    if custom_objects:
        (data / _OBJECTS).write_bytes(dump_cloudpickle(dict(custom_objects)))
    model.save(str(data / (f"{_NAME}.h5" if form == "h5" else f"{_NAME}.keras")), **options)
    version = str(_tensorflow().__version__)
    return {"data": _DATA, "model_type": "keras", "keras_version": version, "save_format": form}


def load_folder(
    folder: Path, saved_model_kwargs: Mapping[str, Any] | None = None, keras_model_kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Load the model from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Parameters
    ----------
    folder : path
    saved_model_kwargs : dict, optional
        Of ``tf.saved_model.load``.
    keras_model_kwargs : dict, optional
        Of ``keras.models.load_model``.

    Raises
    ------
    UsageError
        If the model is of another flavor, or of TensorFlow 1.
    DamagedError
        If its file cannot be read.
    """
    tensorflow = _tensorflow()
    config = config_of(folder, FLAVOR, {"keras_version": "tensorflow_version"})
    add_code(folder, config)
    kind = config.get("model_type")
    if kind == "keras":
        return _read_keras(folder, config, dict(keras_model_kwargs or {}))
    if kind != "tf2-module":
        raise UsageError(f"{folder}: models of the type {kind!r} are not loaded here. MLflow may: mlflow.tensorflow.load_model.")
    place = inside(folder, config.get("saved_model_dir", _GRAPH), "flavors.tensorflow.saved_model_dir")
    try:
        return tensorflow.saved_model.load(str(place), **(saved_model_kwargs or {}))
    except (OSError, ValueError) as error:
        raise DamagedError(f"{place}: TensorFlow cannot read it: {error}. Fetch the model again.") from error


def _read_keras(folder: Path, config: Mapping[str, Any], options: dict[str, Any]) -> Any:
    data = inside(folder, config.get("data", _DATA), "flavors.tensorflow.data")
    objects: dict[str, Any] = {}
    for name in (_GLOBAL_OBJECTS, _OBJECTS):
        if (data / name).is_file():
            objects |= load_pickle(data / name)
    objects |= options.pop("custom_objects", None) or {}
    return read_model(data / _file(config), objects or None, **options)


def _file(config: Mapping[str, Any]) -> str:
    return f"{_NAME}.h5" if config.get("save_format", "h5") == "h5" else f"{_NAME}.keras"


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: Keras' by ``predict``; a module is called with a tensor of an array or a list."""
    if hasattr(held, "predict"):
        return lambda data, _: called(lambda given: held.predict(given, verbose=0), data)
    return lambda data, _: _call_module(held, data)


def _call_module(held: Any, data: Any) -> Any:
    import numpy

    tensorflow = _tensorflow()
    if not isinstance(data, (numpy.ndarray, list)):
        raise UsageError(f"A module of TensorFlow takes an array or a list, not {type(data).__name__}.")
    made = held(tensorflow.convert_to_tensor(data))
    return made.numpy() if isinstance(made, tensorflow.Tensor) else made


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the pickles of custom objects, the file that holds functions (``Lambda``), or a graph: it may read and write files."""
    if config.get("model_type") != "keras":
        return (f"{config.get('saved_model_dir', _GRAPH)}/saved_model.pb",)
    data = str(config.get("data", _DATA))
    place = inside(folder, data, "flavors.tensorflow.data")
    found = [f"{data}/{name}" for name in (_OBJECTS, _GLOBAL_OBJECTS) if (place / name).is_file()]
    return (*found, f"{data}/{_file(config)}") if holds_functions(place / _file(config)) else tuple(found)


def _tensorflow() -> Any:
    quiet()
    try:
        import tensorflow
    except ImportError as error:
        raise missing_package("tensorflow", "tensorflow", "save and load TensorFlow models") from error
    return tensorflow
