"""Keras 3 models on any of its backends, in the layout of ``mlflow.keras``: a ``.keras`` file, or what TensorFlow serves."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from runfolio.errors import DamagedError, UsageError
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
from runfolio.flavors.keras_files import called, holds_functions, keras_package, read_model
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import pinned
from runfolio.flavors.schema import TensorSpec
from runfolio.flavors.signatures import ModelSignature

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "keras"
LOADER = "mlflow.keras"
_DATA = "data"
_NAME = "model"


@with_options
def save_model(
    model: Any,
    path: str | os.PathLike[str],
    save_exported_model: bool = False,
    mlflow_model: Model | None = None,
    save_model_kwargs: Mapping[str, Any] | None = None,
    **options: Unpack[Options],
) -> Model:
    """Write a Keras model into a folder; MLflow loads it too.

    Parameters
    ----------
    model : keras.Model
    path : path
        Missing, or an empty folder.
    save_exported_model : bool
        True writes TensorFlow's SavedModel, for its servers, in place of a ``.keras`` file; needs a signature of tensors.
    mlflow_model : Model, optional
        To add the flavor to.
    save_model_kwargs : dict, optional
        For ``keras.Model.save``.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no Keras model, or cannot be exported.
    """
    keras = keras_package()
    if not isinstance(model, keras.Model):
        raise UsageError(f"model takes a keras.Model, not {type(model).__name__}.")
    if save_exported_model:
        _check_exported(options.get("signature"))

    def write(folder: Path, described: Model) -> list[str]:
        data = folder / _DATA
        data.mkdir()
        (data / "keras_module.txt").write_text(keras.__name__)
        if save_exported_model:
            _export(model, data / _NAME, options["signature"])
        else:
            model.save(str(data / f"{_NAME}.keras"), **(save_model_kwargs or {}))
        python_function(described, folder, LOADER)
        described.add_flavor(
            FLAVOR,
            data=_DATA,
            keras_version=str(keras.__version__),
            keras_backend=keras.backend.backend(),
            save_exported_model=save_exported_model,
            code=code_of(folder),
        )
        return pinned(["keras", "numpy", keras.backend.backend(), *(["tensorflow"] if save_exported_model else [])])

    return save_folder(path, mlflow_model, Beside(**options), write, predictor(model, {}))


def _check_exported(signature: ModelSignature | Literal[False] | None) -> None:
    specs = list(signature.inputs) if signature and signature.inputs is not None else []
    if not specs or not all(isinstance(each, TensorSpec) and each.shape[0] == -1 for each in specs):
        raise UsageError(
            "save_exported_model needs a signature of tensors whose first length is -1 (the rows): "
            "signature=runfolio.models.infer_signature(x, model.predict(x)), of arrays."
        )


def _export(model: Any, place: Path, signature: Any) -> None:
    import tensorflow

    shapes = [
        tensorflow.TensorSpec(shape=[None if length == -1 else length for length in each.shape], dtype=each.dtype)
        for each in signature.inputs
    ]
    archive = keras_package().export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(name="serve", fn=model.call, input_signature=shapes)
    archive.write_out(str(place), verbose=False)


def load_folder(
    folder: Path, custom_objects: Mapping[str, Any] | None = None, load_model_kwargs: Mapping[str, Any] | None = None
) -> Any:
    """Load the model from a folder whose code may run (:mod:`runfolio.flavors.trust`).

    Parameters
    ----------
    folder : path
    custom_objects : dict, optional
        Classes and functions of the user's own, by name; those registered with Keras need no naming.
    load_model_kwargs : dict, optional
        Of ``keras.saving.load_model``.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    keras_package()
    config = config_of(folder, FLAVOR)
    add_code(folder, config)
    data = inside(folder, config.get("data", _DATA), "flavors.keras.data")
    if not config.get("save_exported_model"):
        return read_model(data / f"{_NAME}.keras", custom_objects, **(load_model_kwargs or {}))
    import tensorflow

    try:
        return tensorflow.saved_model.load(str(data / _NAME))
    except (OSError, ValueError) as error:
        raise DamagedError(f"{data / _NAME}: TensorFlow cannot read it: {error}. Fetch the model again.") from error


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the model predicts: without Keras' progress bar; an exported one by its endpoint ``serve``."""

    def predict(data: Any) -> Any:
        if not hasattr(held, "predict"):
            return keras_package().ops.convert_to_numpy(held.serve(data))
        return held.predict(data, verbose=0)

    return lambda data, _: called(predict, data)


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the file that holds functions (``Lambda``), or an exported model: its graph may read and write files."""
    data = str(config.get("data", _DATA))
    if config.get("save_exported_model"):
        return (f"{data}/{_NAME}/saved_model.pb",)
    place = inside(folder, data, "flavors.keras.data") / f"{_NAME}.keras"
    return (f"{data}/{_NAME}.keras",) if holds_functions(place) else ()
