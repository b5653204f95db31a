"""PyTorch and Lightning modules, in the layout of ``mlflow.pytorch``.

By default a pickled module, as MLflow loads it; one made of layers of ``torch.nn`` alone is still read without running code. With
``serialization_format="safetensors"`` the weights, the class's import path and its arguments: no code is in the folder, and MLflow
loads it where runfolio is installed beside it.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from runfolio.errors import DamagedError, NotFoundError, UsageError
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
from runfolio.flavors.model import Model
from runfolio.flavors.requirements import distributions_of, pinned
from runfolio.flavors.torch_files import (
    cloud_pickle_module,
    described_class,
    is_script,
    named_layers,
    read_exported,
    read_module,
    read_weights,
    settled,
    torch_package,
    write_exported,
    write_weights,
)

if TYPE_CHECKING:
    from typing_extensions import Unpack

FLAVOR = "pytorch"
LOADER = "mlflow.pytorch"
SERIALIZATION_FORMATS = ("pickle", "safetensors", "pt2")
DEVICE_VARIABLE = "MLFLOW_DEFAULT_PREDICTION_DEVICE"
_DATA = "data"
_PICKLED = "model.pth"
_WEIGHTS = "model.safetensors"
_EXPORTED = "model.pt2"
_STATE = "state_dict.pth"


@with_options
def save_model(
    pytorch_model: Any,
    path: str | os.PathLike[str],
    mlflow_model: Model | None = None,
    pickle_module: Any = None,
    requirements_file: str | None = None,
    extra_files: Sequence[str] | None = None,
    serialization_format: str = "pickle",
    init_args: Mapping[str, Any] | None = None,
    pickle_protocol: int = 2,
    **options: Unpack[Options],
) -> Model:
    """Write a PyTorch or Lightning module into a folder; MLflow loads it too.

    Parameters
    ----------
    pytorch_model : torch.nn.Module or torch.jit.ScriptModule
    path : path
        Missing, or an empty folder.
    mlflow_model : Model, optional
        To add the flavor to.
    pickle_module : module, optional
        For ``torch.save``; cloudpickle by default, so that classes of the script itself travel along.
    requirements_file : path, optional
        MLflow's older name for `pip_requirements`.
    extra_files : sequence of paths, optional
        Copied beside the model, into ``extra_files``.
    serialization_format : {"pickle", "safetensors", "pt2"}
        "safetensors" holds weights only, and needs a class that can be imported. "pt2" is a graph that ``torch.export`` traces with
        `input_example`, the default of MLflow 3; MLflow 2 does not load it.
    init_args : dict, optional
        What makes another module of the class (``Net(**init_args)``), for "safetensors"; what Lightning's ``save_hyperparameters`` kept
        by default.
    pickle_protocol : int
        For ``torch.save``.
    **options
        See :class:`~runfolio.flavors.folders.Options`.

    Raises
    ------
    UsageError
        If it is no module of PyTorch, or "safetensors" cannot hold it.
    """
    torch = torch_package()
    if not isinstance(pytorch_model, torch.nn.Module):
        raise UsageError(f"pytorch_model takes a torch.nn.Module, not {type(pytorch_model).__name__}.")
    if serialization_format not in SERIALIZATION_FORMATS:
        known = ", ".join(SERIALIZATION_FORMATS)
        raise UsageError(f"serialization_format: {serialization_format!r} is none. There are: {known}.")
    form = serialization_format
    if requirements_file is not None:
        warnings.warn("requirements_file is MLflow's older name: use pip_requirements.", FutureWarning, stacklevel=2)
        options.setdefault("pip_requirements", requirements_file)

    def write(folder: Path, model: Model) -> list[str]:
        data = folder / _DATA
        data.mkdir()
        said = _extra(folder, extra_files)
        if form == "pt2":
            write_exported(pytorch_model, data / _EXPORTED, options.get("input_example"))
            python_function(model, folder, LOADER, data=_DATA, config={"device": None})
        elif form == "safetensors":
            name, args = described_class(pytorch_model, init_args)
            write_weights(pytorch_model, data / _WEIGHTS)
            said |= {"serialization_format": form, "model_class": name, "init_args": args}
            python_function(model, folder, "runfolio.pytorch", data=_DATA, config={"device": None})
        else:
            pickler = pickle_module or cloud_pickle_module()
            (data / "pickle_module_info.txt").write_text(pickler.__name__)
            _write_pickled(pytorch_model, data / _PICKLED, pickler, pickle_protocol)
            python_function(model, folder, LOADER, data=_DATA, pickle_module_name=pickler.__name__, config={"device": None})
        model.add_flavor(FLAVOR, model_data=_DATA, pytorch_version=str(torch.__version__), code=code_of(folder), **said)
        return _needed(pytorch_model, form)

    return save_folder(path, mlflow_model, Beside(**options), write, lambda data, _: _predict_as_it_is(pytorch_model, data))


def _write_pickled(model: Any, place: Path, pickler: Any, protocol: int) -> None:
    torch = torch_package()
    if isinstance(model, torch.jit.ScriptModule):
        torch.jit.ScriptModule.save(model, str(place))
    else:
        # Lightning's modules hold the trainer that fitted them, with its loggers, loaders and callbacks; their __getstate__ drops it.
        torch.save(model, place, pickle_module=pickler, pickle_protocol=protocol)


def _needed(model: Any, form: str) -> list[str]:
    kinds = {part.__module__ for part in type(model).__mro__}
    more = {"pickle": ["cloudpickle"], "safetensors": ["safetensors"]}.get(form, [])
    return pinned(["torch", "numpy", *more, *(() if form == "pt2" else distributions_of(kinds))])


def _extra(folder: Path, files: Sequence[str] | None) -> dict[str, Any]:
    if not files:
        return {}
    if isinstance(files, str):
        raise UsageError(f"extra_files takes a list of paths, not one path: [{files!r}].")
    (folder / "extra_files").mkdir()
    for file in map(Path, files):
        if not file.exists():
            raise NotFoundError(
                f"extra_files: no such file: {str(file)!r}. Fetch others first: runfolio.artifacts.download_artifacts."
            )
        (shutil.copytree if file.is_dir() else shutil.copyfile)(file, folder / "extra_files" / file.name)
    return {"extra_files": [{"path": f"extra_files/{Path(file).name}"} for file in files]}


def load_folder(folder: Path, device: str | None = None, **options: Any) -> Any:
    """Load the module from a folder whose code may run (:mod:`runfolio.flavors.trust`), ready to predict (``eval``).

    Parameters
    ----------
    folder : path
    device : str, optional
        Where to put it, as in ``"cuda:1"``.
    **options
        Of ``torch.load``, as ``map_location``.

    Raises
    ------
    UsageError
        If the model is of another flavor.
    DamagedError
        If its file cannot be read.
    """
    torch = torch_package()
    config = config_of(folder, FLAVOR)
    add_code(folder, config)
    data = inside(folder, config.get("model_data", _DATA), "flavors.pytorch.model_data")
    if device is None and not torch.cuda.is_available():
        options.setdefault("map_location", "cpu")  # what was saved on a GPU is loaded where there is none
    if _is_weights(config):
        args = config.get("init_args") or {}
        if not isinstance(args, Mapping):
            raise DamagedError(f"{folder}/MLmodel: flavors.pytorch.init_args: expected a dictionary. Save the model again.")
        held = read_weights(data / _WEIGHTS, str(config.get("model_class")), args, **options)
    elif (data / _EXPORTED).is_file():
        held = read_exported(data / _EXPORTED)
    else:
        held = read_module(data / _PICKLED if data.is_dir() else data, **options)
    if not hasattr(held, "eval"):
        raise DamagedError(f"{data}: holds no module of PyTorch but {type(held).__name__}. A state dict: load_state_dict.")
    return settled(held, device)


def _is_weights(config: Mapping[str, Any]) -> bool:
    return config.get("serialization_format") == "safetensors"


def predictor(held: Any, config: Mapping[str, Any]) -> Predict:
    """Return how the module predicts: a frame becomes a tensor of ``float32`` and its prediction a frame, an array stays what it is.

    The device is that of ``model_config``, else of the variable MLFLOW_DEFAULT_PREDICTION_DEVICE, else a GPU if there is one.
    """
    torch = torch_package()
    wanted = (config.get("config") or {}).get("device") or os.environ.get(DEVICE_VARIABLE)
    device = str(wanted or ("cuda" if torch.cuda.is_available() else "cpu"))
    settled(held, device)

    def predict(data: Any, params: dict[str, Any]) -> Any:
        if "device" in params:
            raise UsageError("The device is no parameter of predict: name it when loading, model_config={'device': 'cuda'}.")
        return _predict(held, data, device)

    return predict


def _predict_as_it_is(model: Any, data: Any) -> Any:
    """Predict where the module is, and leave it in training if it was."""
    training = model.training
    model.eval()
    try:
        return _predict(model, data, str(next((each.device for each in model.parameters()), "cpu")))
    finally:
        model.train(training)


def _predict(held: Any, data: Any, device: str) -> Any:
    import numpy
    import pandas

    torch = torch_package()
    framed = isinstance(data, pandas.DataFrame)
    if not framed and not isinstance(data, numpy.ndarray):
        raise UsageError(f"A PyTorch model takes a DataFrame or an array, not {type(data).__name__}.")
    given = data.to_numpy().astype(numpy.float32) if framed else data
    if not given.flags.writeable:  # a frame's own, or one that was read into shared memory: PyTorch would warn of it
        given = given.copy()
    with torch.no_grad():
        made = held(torch.from_numpy(given).to(device))
    if not isinstance(made, torch.Tensor):
        raise UsageError(f"The model must return one tensor to be called by predict, and returns {type(made).__name__}.")
    result = made.cpu().numpy()
    return pandas.DataFrame(result, index=data.index) if framed else result


def runs_code(folder: Path, config: Mapping[str, Any]) -> Sequence[str]:
    """Return the pickle, unless it names nothing but layers of ``torch.nn``, or the program; weights in safetensors are data."""
    if _is_weights(config):
        return ()
    data = str(config.get("model_data", _DATA))
    place = inside(folder, data, "flavors.pytorch.model_data")
    if (place / _EXPORTED).is_file():
        return (f"{data}/{_EXPORTED}",)  # PyTorch reads parts of it as pickles
    file = f"{data}/{_PICKLED}" if place.is_dir() else data
    if not is_script(folder / file) and (folder / file).is_file() and named_layers(folder / file) is not None:
        return ()
    return (file,)


def save_state_dict(state_dict: Mapping[str, Any], path: str | os.PathLike[str], **options: Any) -> None:
    """Write a state dict (weights, also an optimizer's, and numbers beside them) into a folder, as ``state_dict.pth``.

    Parameters
    ----------
    state_dict : dict
    path : path
        Of the folder; made if missing.
    **options
        Of ``torch.save``.

    Raises
    ------
    UsageError
        If it is a model, and no dictionary.
    """
    if not isinstance(state_dict, dict):
        raise UsageError(f"state_dict takes a dictionary (model.state_dict()), not {type(state_dict).__name__}.")
    place = Path(path).expanduser()
    place.mkdir(parents=True, exist_ok=True)
    torch_package().save(state_dict, place / _STATE, **options)


def load_state_folder(folder: Path, **options: Any) -> Any:
    """Load a state dict from its folder; PyTorch's *weights only* reader runs no code."""
    place = folder / _STATE
    if not place.is_file():
        raise NotFoundError(f"{folder}: no state dict: there is no file {_STATE}. Name the folder that save_state_dict wrote.")
    return torch_package().load(place, **options)
