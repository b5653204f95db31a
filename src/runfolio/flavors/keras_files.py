"""Keras' files: which of them hold code, and their loading without it.

A ``.keras`` file is an archive of a configuration in JSON and weights; a ``.h5`` file holds the same. Both may hold functions of Python
as bytes (``Lambda`` layers): Keras loads those only with ``safe_mode=False``, and so does this module, only where the folder may run code.
"""

from __future__ import annotations

import functools
import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.trust import vouched

_FUNCTION = "__lambda__"  # Keras 3; Keras 2 says function_type: lambda


def keras_package() -> Any:
    """Return the package keras, of version 3 or newer.

    Raises
    ------
    MissingPackageError
        If it is not there.
    """
    try:
        import keras
    except ImportError as error:
        raise missing_package("keras", "keras", "save and load Keras models") from error
    return keras


def holds_functions(place: Path) -> bool:
    """Return whether a model's file holds functions as bytes; True if it cannot be told."""
    try:
        text = _configuration(place)
    except (OSError, KeyError, zipfile.BadZipFile, ValueError, UnicodeDecodeError):
        return True
    return any(each.get("class_name") == _FUNCTION or each.get("function_type") == "lambda" for each in _objects(text))


def _configuration(place: Path) -> Any:
    if zipfile.is_zipfile(place):
        with zipfile.ZipFile(place) as archive:
            return json.loads(archive.read("config.json"))
    import h5py  # Keras needs it itself

    with h5py.File(place, "r") as file:
        return json.loads(file.attrs["model_config"])


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, Mapping):
            yield each
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)


def read_model(place: Path, custom_objects: Mapping[str, Any] | None = None, **options: Any) -> Any:
    """Load a model's file.

    Parameters
    ----------
    place : path
        In a folder of the model's own.
    custom_objects : dict, optional
        Classes and functions of the user's own, by name.
    **options
        Of ``keras.saving.load_model``. ``safe_mode`` is off by default where the file holds functions and the folder is trusted.

    Raises
    ------
    DamagedError
        If it cannot be read.
    """
    keras = keras_package()
    if not place.is_file():
        raise DamagedError(f"{place}: MLmodel names this file, and it is missing. Fetch the model again.")
    if "safe_mode" not in options and holds_functions(place) and vouched(place.parent.parent):
        options["safe_mode"] = False
    if place.suffix == ".keras" and not zipfile.is_zipfile(place):
        raise DamagedError(f"{place}: not a whole file of Keras. Fetch the model again.")
    load = functools.partial(keras.saving.load_model, str(place), custom_objects=custom_objects)
    try:
        try:
            return load(**options)
        except ValueError:
            if place.suffix != ".h5" or "compile" in options:
                raise
            return load(**options, compile=False)  # Keras 3 does not find "mse" and its like again in this format
    except (OSError, zipfile.BadZipFile, KeyError) as error:
        raise DamagedError(f"{place}: Keras cannot read it: {_first_line(error)}. Fetch the model again.") from error


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]


def called(predict: Any, data: Any) -> Any:
    """Call a model as MLflow does: a frame gives a frame, anything else what the model gives.

    Raises
    ------
    UsageError
        If it is of a type that Keras does not take.
    """
    import numpy
    import pandas

    if isinstance(data, pandas.DataFrame):
        return pandas.DataFrame(predict(data.to_numpy()), index=data.index)
    if not isinstance(data, (numpy.ndarray, list, tuple, dict)):
        raise UsageError(
            f"A Keras model takes a DataFrame, an array, a list or a dictionary of arrays, not {type(data).__name__}."
        )
    return predict(data)


def quiet() -> None:
    """Keep TensorFlow's notices about its build off the terminal, unless the user asked for them."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
