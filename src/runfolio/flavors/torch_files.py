"""PyTorch's files, read with as little code run as their contents need, and written.

A pickled module may name any function, and loading it calls that. One that names nothing but layers of ``torch.nn`` and what PyTorch
itself allows (its *weights only* reader) runs no code, and is read by that reader. TorchScript is a program. Weights in safetensors are
data; the class that they are the weights of is named by its import path, and called with arguments that are JSON.
"""

from __future__ import annotations

import importlib
import json
import pickle
import types
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runfolio.errors import DamagedError, UsageError, missing_package
from runfolio.flavors.pickles import ModelUnpickler
from runfolio.flavors.trust import check_import

_LAYERS = "torch.nn.modules."


def torch_package() -> Any:
    """Return the package torch.

    Raises
    ------
    MissingPackageError
        If it is not there.
    """
    try:
        import torch
    except ImportError as error:
        raise missing_package("torch", "pytorch", "save and load PyTorch models") from error
    return torch


def cloud_pickle_module() -> Any:
    """Return what ``torch.save`` takes as a module of pickling: cloudpickle, by which classes of a script travel along."""
    try:
        import cloudpickle  # type: ignore[import-untyped] # it ships no types
    except ImportError as error:
        raise missing_package("cloudpickle", "pytorch", "save PyTorch models") from error
    made = types.ModuleType("mlflow.pytorch.pickle_module")  # MLflow's name for the same, which its load_model imports
    made.Pickler = cloudpickle.CloudPickler  # type: ignore[attr-defined]
    made.Unpickler = pickle.Unpickler  # type: ignore[attr-defined]
    made.dump, made.load = cloudpickle.dump, pickle.load  # type: ignore[attr-defined]
    return made


def is_script(place: Path) -> bool:
    """Return whether a file holds TorchScript."""
    if not zipfile.is_zipfile(place):
        return False
    with zipfile.ZipFile(place) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def named_layers(place: Path) -> list[Any] | None:
    """Return the classes of ``torch.nn`` that a pickled module is made of, or None if it names anything else."""
    torch = torch_package()
    try:
        names = torch.serialization.get_unsafe_globals_in_checkpoint(str(place))
    except (ValueError, RuntimeError, pickle.UnpicklingError, EOFError, OSError):
        return None  # of an older format, TorchScript, or of instructions that the reader does not know
    found = []
    for name in names:
        module, _, attribute = str(name).rpartition(".")
        if not module.startswith(_LAYERS):
            return None
        try:
            layer = getattr(importlib.import_module(module), attribute, None)
        except ImportError:
            return None
        if not (isinstance(layer, type) and issubclass(layer, torch.nn.Module)):
            return None
        found.append(layer)
    return found


def read_module(place: Path, **options: Any) -> Any:
    """Load a module from ``model.pth``; code runs only if :func:`named_layers` says None.

    Parameters
    ----------
    place : path
    **options
        Of ``torch.load``.

    Raises
    ------
    DamagedError
        If it cannot be read.
    MissingPackageError
        If it needs a module that is not there.
    """
    torch = torch_package()
    try:
        if is_script(place):
            return torch.jit.load(str(place), map_location=options.get("map_location"))
        if "weights_only" in options or "pickle_module" in options:
            return torch.load(place, **options)
        layers = named_layers(place)
        if layers is not None:
            with torch.serialization.safe_globals(layers):
                return torch.load(place, weights_only=True, **options)
        reader = types.ModuleType("runfolio_pickles")
        reader.Unpickler, reader.load = ModelUnpickler, pickle.load  # type: ignore[attr-defined]
        return torch.load(place, pickle_module=reader, weights_only=False, **options)
    except FileNotFoundError:
        raise DamagedError(f"{place}: MLmodel names this file, and it is missing. Fetch the model again.") from None
    except (RuntimeError, pickle.UnpicklingError, EOFError, zipfile.BadZipFile) as error:
        raise DamagedError(
            f"{place}: PyTorch cannot read it: {str(error).strip().splitlines()[0]}. Fetch the model again."
        ) from error


def write_exported(model: Any, place: Path, example: Any) -> None:
    """Write a module as the graph that ``torch.export`` traces with an example, whose rows may be any number.

    Raises
    ------
    UsageError
        If there is no example to trace with, or the module cannot be traced.
    """
    import numpy

    torch = torch_package()
    given = example if isinstance(example, (tuple, list)) else (example,)
    if not all(isinstance(each, (numpy.ndarray, torch.Tensor)) for each in given) or any(len(each) < 2 for each in given):
        raise UsageError("serialization_format='pt2' traces the model: input_example takes an array of two rows or more.")
    tensors = tuple(torch.as_tensor(each) for each in given)
    rows = torch.export.Dim("rows")
    try:
        traced = torch.export.export(model, tensors, dynamic_shapes=tuple({0: rows} for _ in tensors))
    except Exception as error:  # of many kinds: whatever Python does that no graph can
        raise UsageError(f"torch.export cannot trace the model: {str(error).strip().splitlines()[0]}") from error
    torch.export.save(traced, str(place))


def read_exported(place: Path) -> Any:
    """Load a module that ``torch.export`` wrote, as MLflow 3 does by default.

    Raises
    ------
    DamagedError
        If it cannot be read.
    """
    if not zipfile.is_zipfile(place):
        raise DamagedError(f"{place}: not a whole archive of torch.export. Fetch the model again.")
    try:
        return torch_package().export.load(str(place)).module()
    except (RuntimeError, KeyError, ValueError, EOFError, pickle.UnpicklingError) as error:
        first = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DamagedError(f"{place}: PyTorch cannot read it: {first}. Fetch the model again.") from error


def settled(held: Any, device: Any) -> Any:
    """Return a module that is to predict, on a device if one is named; a traced one is as it was when it was traced."""
    try:
        held.eval()
    except NotImplementedError:
        return held
    return held.to(device) if device else held


def described_class(model: Any, init_args: Mapping[str, Any] | None) -> tuple[str, dict[str, Any]]:
    """Return the import path of a module's class, and the arguments that make another.

    Raises
    ------
    UsageError
        If no other process could make one.
    """
    kind = type(model)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if kind.__module__ == "__main__" or "<" in kind.__qualname__:
        raise UsageError(
            f"safetensors holds weights only, and {name} cannot be imported by another process. Move the class into a module (code_paths "
            "packs it with the model), or leave serialization_format out."
        )
    args = dict(init_args if init_args is not None else getattr(model, "hparams", {}))
    try:
        plain = json.loads(json.dumps(args)) == args
    except (TypeError, ValueError):
        plain = False
    if not plain:
        raise UsageError(f"init_args takes what JSON holds (numbers, texts, lists, dictionaries), not {args!r}.")
    _check_rebuilt(model, name, args)
    return name, args


def _check_rebuilt(model: Any, name: str, args: dict[str, Any]) -> None:
    torch = torch_package()
    try:
        with torch.device("meta"):  # shapes without memory
            again = type(model)(**args)
    except TypeError as error:
        raise UsageError(f"{name}(**{args!r}) makes no model: {error}. Name its arguments: init_args={{…}}.") from error
    except (RuntimeError, NotImplementedError):
        return  # it calculates while it is made; loading will tell
    had, has = ({key: tuple(value.shape) for key, value in each.state_dict().items()} for each in (model, again))
    if had != has:
        differing = sorted(key for key in had.keys() | has.keys() if had.get(key) != has.get(key))
        raise UsageError(f"{name}(**{args!r}) makes a model of other weights: {', '.join(differing[:5])}. Name its init_args.")


def write_weights(model: Any, place: Path) -> None:
    """Write a module's weights; those that share memory once."""
    _safetensors().save_model(model, str(place))


def read_weights(place: Path, name: str, args: Mapping[str, Any], **options: Any) -> Any:
    """Make a module of the class that a folder names, and load its weights.

    Raises
    ------
    StateError
        If the class's module may not be imported (:func:`runfolio.flavors.trust.check_import`).
    DamagedError
        If it is no class of modules, or the weights are not its.
    """
    torch = torch_package()
    module, _, attribute = name.rpartition(".")
    check_import(module, place.parent.parent)
    try:
        kind = getattr(importlib.import_module(module), attribute, None)
    except ImportError as error:
        raise UsageError(f"{place}: the model is of {name}, and {module} cannot be imported: {error}.") from error
    if not (isinstance(kind, type) and issubclass(kind, torch.nn.Module)):
        raise DamagedError(f"{place}: {name} is no class of PyTorch modules. Save the model again.")
    made = kind(**args)
    device = options.get("map_location")
    try:
        _safetensors().load_model(made, str(place), device=str(device or "cpu"))
    except Exception as error:  # safetensors' own error is a plain Exception
        raise DamagedError(f"{place}: cannot be read: {str(error).strip().splitlines()[0]}. Fetch the model again.") from error
    return made.to(device) if device is not None else made


def _safetensors() -> Any:
    try:
        import safetensors.torch
    except ImportError as error:
        raise missing_package("safetensors", "pytorch", "save and load weights") from error
    return safetensors.torch
